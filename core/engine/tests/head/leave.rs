//! What leaves the head, what stays, and what can still be asked about it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::RwLock;

use engine::batch::{Batch, BATCH_TIME, STALE_NAN_BITS};
use engine::head::{Head, RefusedReason, Window};
use engine::histogram::{Counts, Histogram};
use engine::labels::pack;
use engine::query::{self, Limits};
use engine::wal::{Compression, SeriesRef};

use crate::{append, batch, dump, place, push, samples, select, Logged, EVER};

const HOUR: i64 = 3_600_000;

fn truncate(head: &mut Head, mint: i64, segment: u64) {
    head.truncate(mint, segment);
    while head.truncate_step(7) {}
}

fn held(rows: &[(&str, i64, f64)]) -> Batch {
    let mut batch = batch(rows);
    batch.held = true;
    batch
}

/// Samples with those that are held.
fn seen(head: &Head, name: &str, mint: i64, maxt: i64) -> Vec<(i64, f64)> {
    samples(head, name, Window { mint, maxt, held: true })
}

#[test]
fn a_held_value_outlives_the_samples_around_it() {
    let mut head = Head::new();
    append(
        &mut head,
        &held(&[("stands", HOUR, 1.0), ("ends", HOUR, 1.0), ("again", HOUR, 1.0)]),
    );
    append(&mut head, &held(&[("ends", HOUR + 1, f64::from_bits(STALE_NAN_BITS))]));
    append(&mut head, &batch(&[("plain", HOUR, 1.0)]));
    append(&mut head, &held(&[("again", 6 * HOUR, 2.0)]));
    (1..8).for_each(|hour| head.commit_tick(hour * HOUR + 5));
    truncate(&mut head, 4 * HOUR, 0);
    assert_eq!(head.stats().series, 2);
    let ticks = [4 * HOUR + 5, 5 * HOUR + 5, 6 * HOUR + 5, 7 * HOUR + 5];
    assert_eq!(seen(&head, "stands", 4 * HOUR, i64::MAX), ticks.map(|t| (t, 1.0)));
    let again = [
        (ticks[0], 1.0),
        (ticks[1], 1.0),
        (6 * HOUR, 2.0),
        (ticks[2], 2.0),
        (ticks[3], 2.0),
    ];
    assert_eq!(seen(&head, "again", 4 * HOUR, i64::MAX), again);
    assert_eq!(seen(&head, "plain", 0, i64::MAX), []);
    let extent = Some((4 * HOUR, ticks[3]));
    assert_eq!(head.extent(), extent, "ticks of held values make a block, too");

    append(
        &mut head,
        &held(&[("stands", 9 * HOUR, f64::from_bits(STALE_NAN_BITS))]),
    );
    truncate(&mut head, 10 * HOUR, 0);
    assert_eq!(head.stats().series, 1, "only what still stands stays");
}

#[test]
fn a_held_value_from_before_the_blocks_end_is_found_in_the_log() {
    let mut logged = Logged::new(Compression::Snappy);
    logged.append(&held(&[("a", HOUR, 1.0), ("gone", HOUR, 1.0)]));
    logged.append(&held(&[
        ("a", HOUR + 1, 2.0),
        ("gone", HOUR + 1, f64::from_bits(STALE_NAN_BITS)),
    ]));
    logged.append(&batch(&[("plain", HOUR + 2, 3.0)]));
    logged.append(&held(&[("b", 2 * HOUR, 4.0)]));
    let mut head = Head::new();
    head.set_min_valid(2 * HOUR);
    head.replay(logged.framer.framed(), 0).unwrap();
    head.end_replay();
    head.commit_tick(2 * HOUR + 7);
    assert_eq!(seen(&head, "a", 2 * HOUR, i64::MAX), [(2 * HOUR + 7, 2.0)]);
    assert_eq!(
        seen(&head, "b", 2 * HOUR, i64::MAX),
        [(2 * HOUR, 4.0), (2 * HOUR + 7, 4.0)]
    );
    assert_eq!(
        (seen(&head, "gone", 0, i64::MAX), seen(&head, "plain", 0, i64::MAX)),
        (vec![], vec![])
    );
    assert_eq!(head.stats().range, Some((2 * HOUR, 2 * HOUR)));
}

#[test]
fn labels_of_a_series_that_left_are_known_while_the_log_names_it() {
    let mut head = Head::new();
    append(&mut head, &batch(&[("a", 1, 1.0), ("b", 5 * HOUR, 1.0)]));
    let labels = head.labels(SeriesRef(1)).unwrap().to_vec();
    truncate(&mut head, 4 * HOUR, 3);
    assert_eq!(
        dump(&head, &[], EVER),
        format!("{{__name__=\"m\", i=\"b\"}} 1 {}\n", 5 * HOUR)
    );
    assert_eq!(head.labels(SeriesRef(1)), Some(&*labels));
    head.forget_retired(3);
    assert_eq!(head.labels(SeriesRef(1)), Some(&*labels), "segment 3 may name it");
    append(&mut head, &batch(&[("a", 5 * HOUR, 2.0)]));
    assert_eq!(
        head.labels(SeriesRef(3)),
        Some(&*labels),
        "it came again under another reference"
    );
    head.forget_retired(4);
    assert_eq!(
        (head.labels(SeriesRef(1)), head.labels(SeriesRef(3))),
        (None, Some(&*labels))
    );
}

#[test]
fn a_series_with_a_staged_sample_stays() {
    let mut head = Head::new();
    append(&mut head, &batch(&[("a", 1, 1.0), ("b", 1, 1.0)]));
    let staged = head.stage(&batch(&[("a", 2, 2.0), ("new", 2, 2.0)])).unwrap();
    truncate(&mut head, 4 * HOUR, 0);
    head.commit(staged.id).unwrap();
    assert_eq!(
        (samples(&head, "a", EVER), samples(&head, "new", EVER)),
        (vec![(2, 2.0)], vec![(2, 2.0)])
    );
    assert_eq!((samples(&head, "b", EVER), head.stats().series), (vec![], 2));
}

#[test]
fn many_series_leave_in_small_steps() {
    let mut head = Head::new();
    for round in 0..5i64 {
        let mut rows = Batch::new(0);
        (0..2000).for_each(|i| push(&mut rows, &format!("{round}-{i}"), round * HOUR, 1.0));
        append(&mut head, &rows);
    }
    let before = head.stats().bytes;
    head.truncate(4 * HOUR, 0);
    let mut steps = 0;
    while head.truncate_step(100) {
        steps += 1;
        assert!(head.stats().series >= 2000);
        assert_eq!(samples(&head, "4-7", EVER), [(4 * HOUR, 1.0)]);
    }
    assert!(steps > 90, "{steps}");
    assert_eq!(
        (head.stats().series, head.stats().range),
        (2000, Some((4 * HOUR, 4 * HOUR)))
    );
    assert!(head.stats().bytes < before / 4);
}

#[test]
fn a_push_that_repeats_itself_finds_its_series_after_others_left() {
    let mut head = Head::new();
    for t in [1, 2, 3] {
        append(&mut head, &held(&[("a", t, 1.0), ("b", t, 1.0)]));
    }
    append(
        &mut head,
        &held(&[("a", 4, f64::from_bits(STALE_NAN_BITS)), ("b", 4, 1.0)]),
    );
    truncate(&mut head, 3 * HOUR, 0);
    append(&mut head, &held(&[("a", 4 * HOUR, 5.0), ("b", 4 * HOUR, 6.0)]));
    assert_eq!(samples(&head, "a", EVER), [(4 * HOUR, 5.0)]);
}

/// With 100 h the newest of the head and a window of 3 h: (time in minutes before that, outcome for a series whose newest is
/// 30 minutes before it, outcome for a new series).
#[test]
fn out_of_order_is_accepted_as_by_prometheus() {
    let now = 100 * HOUR;
    let at = |minutes: i64| now - minutes * 60_000;
    for window in [0, 3] {
        let outcome = |name: &str, minutes: i64, value: f64| {
            let mut head = Head::new();
            head.set_out_of_order_window(window * HOUR);
            append(&mut head, &batch(&[("old", at(90), 1.0), ("newest", now, 1.0)]));
            append(&mut head, &batch(&[("a", at(30), 1.0)]));
            let staged = head.stage(&batch(&[(name, at(minutes), value)]));
            staged
                .map(|staged| (staged.samples, !staged.late.is_empty()))
                .map_err(|refused| refused.reason)
        };
        let late = |refusal| if window > 0 { Ok((1, true)) } else { Err(refusal) };
        let bounds = RefusedReason::OutOfBounds(at(60), i64::MAX);
        assert_eq!(outcome("a", 29, 1.0), Ok((1, false)));
        assert_eq!(outcome("a", 30, 1.0), Ok((0, false)));
        assert_eq!(outcome("a", 30, 2.0), Err(RefusedReason::Duplicate));
        assert_eq!(outcome("a", 31, 1.0), late(RefusedReason::OutOfOrder(at(30))));
        assert_eq!(outcome("a", 61, 1.0), late(bounds));
        assert_eq!(outcome("new", 60, 1.0), Ok((1, false)));
        assert_eq!(outcome("new", 61, 1.0), late(bounds));
        assert_eq!(
            outcome("old", 61, 1.0),
            late(bounds),
            "newer than its series, and too old to be the newest"
        );
        assert_eq!(outcome("a", 180, 1.0), late(bounds));
        let too_old = if window > 0 {
            RefusedReason::TooOld(at(180))
        } else {
            bounds
        };
        assert_eq!(
            (outcome("a", 181, 1.0), outcome("new", 181, 1.0)),
            (Err(too_old), Err(too_old))
        );
    }
}

#[test]
fn late_samples_are_cut_apart_and_then_leave() {
    let mut logged = Logged::new(Compression::Snappy);
    logged.head.set_out_of_order_window(10 * HOUR);
    logged.append(&batch(&[("a", 10 * HOUR, 1.0), ("b", 10 * HOUR, 1.0)]));
    let times: Vec<i64> = (0..100).map(|n| HOUR + (n * 37 % 100) * 60_000).collect();
    times
        .iter()
        .for_each(|t| logged.append(&batch(&[("a", *t, *t as f64)])));
    let cut = logged.head.cut_late();
    assert_eq!(cut.range(), Some((HOUR, HOUR + 99 * 60_000)));
    logged.append(&batch(&[("a", 5 * HOUR, 5.0), ("b", 5 * HOUR, 6.0)]));
    let all = samples(&logged.head, "a", EVER);
    assert_eq!((all.len(), all.is_sorted_by_key(|(t, _)| *t)), (102, true));

    logged.head.drop_late(&cut);
    assert_eq!(samples(&logged.head, "a", EVER), [(5 * HOUR, 5.0), (10 * HOUR, 1.0)]);
    logged.head.drop_late(&cut);
    assert_eq!(samples(&logged.head, "b", EVER), [(5 * HOUR, 6.0), (10 * HOUR, 1.0)]);

    let mut again = Head::new();
    again.replay(logged.framer.framed(), 0).unwrap();
    again.end_replay();
    assert_eq!(samples(&again, "a", EVER), all, "the log has all of them");
}

#[test]
fn a_series_of_histograms_ends_with_a_histogram() {
    let mut head = Head::new();
    let mut rows = Batch::new(0);
    pack(&mut [("__name__", "m"), ("i", "a")], rows.arena()).unwrap();
    rows.push_histogram(1, Histogram::default().into());
    pack(&mut [("__name__", "m"), ("i", "b")], rows.arena()).unwrap();
    let counts = Counts::Float {
        count: 1.0,
        zero: 1.0,
        positive: vec![],
        negative: vec![],
    };
    rows.push_histogram(
        1,
        Histogram {
            counts,
            ..Histogram::default()
        }
        .into(),
    );
    append(&mut head, &rows);
    let stale = f64::from_bits(STALE_NAN_BITS);
    append(&mut head, &batch(&[("a", 2, stale), ("b", 2, stale), ("c", 2, stale)]));
    let found = select(&head, &[], EVER);
    assert_eq!(found.len(), 3);
    for (series, is_float) in [(0, false), (1, true)] {
        let (_, end) = found.histograms_of(series).last().unwrap();
        assert!(end.is_stale());
        assert_eq!(end.is_float(), is_float);
    }
    let (times, values) = found.floats_of(2);
    assert_eq!((times, values[0].to_bits()), (&[2][..], STALE_NAN_BITS));
    assert_eq!(head.stage(&batch(&[("a", 2, stale)])).unwrap().samples, 0, "told again");
}

/// What a reader took shows the samples that were there then, however late it is read.
#[test]
fn what_comes_later_is_not_seen() {
    let mut head = Head::new();
    head.set_out_of_order_window(10 * HOUR);
    append(
        &mut head,
        &batch(&[("a", 1000, 1.0), ("b", 1000, 1.0), ("c", 2000, 1.0)]),
    );
    let places = place(&head, &[], EVER);
    for t in 0..500 {
        append(
            &mut head,
            &batch(&[("a", 3000 + t, 2.0), ("c", 500 + t, 2.0), ("d", 3000 + t, 2.0)]),
        );
    }
    let found = query::select(places, EVER, &Limits::default()).unwrap();
    assert_eq!((found.len(), found.timestamps()), (3, &[1000, 1000, 2000][..]));
}

/// Readers in other threads see each batch whole, while it is appended, mapped and truncated around them.
#[test]
fn no_reader_sees_half_of_a_batch() {
    const SERIES: usize = 20;
    let head = RwLock::new(Head::new());
    let done = AtomicBool::new(false);
    let names: Vec<String> = (0..SERIES).map(|i| format!("{i:02}")).collect();
    std::thread::scope(|scope| {
        let reader = || {
            let mut seen = 0;
            while !done.load(Ordering::Relaxed) {
                let places = place(&head.read().unwrap(), &[], EVER);
                let found = query::select(places, EVER, &Limits::default()).unwrap();
                let newest: Vec<i64> = (0..found.len())
                    .map(|series| *found.floats_of(series).0.last().unwrap())
                    .collect();
                if let Some(first) = newest.first() {
                    assert_eq!(newest, vec![*first; newest.len()]);
                    assert_eq!(newest.len(), SERIES);
                    seen += 1;
                }
            }
            assert!(seen > 0);
        };
        let readers = [scope.spawn(reader), scope.spawn(reader)];
        for n in 0..2000i64 {
            let mut rows = Batch::new(n * 60_000);
            names
                .iter()
                .for_each(|name| push(&mut rows, name, BATCH_TIME, n as f64));
            let staged = head.write().unwrap().stage(&rows).unwrap();
            head.write().unwrap().commit(staged.id).unwrap();
            if n % 400 == 399 {
                head.write().unwrap().truncate((n - 200) * 60_000, 0);
            }
            head.write().unwrap().truncate_step(3);
        }
        done.store(true, Ordering::Relaxed);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}
