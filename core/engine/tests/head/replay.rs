//! The head again from its log: the same, or less by what was damaged, and never something else.

use std::sync::Arc;

use engine::batch::{Batch, BATCH_TIME};
use engine::head::{Head, Replayed, StillStaged, Window};
use engine::histogram::Histogram;
use engine::labels::{pack, Labels};
use engine::wal::{Compression, Framer, Reason, Records, SeriesRef};

use crate::{append, batch, dump, push, samples, Logged, EVER};

/// A log with all that a head writes: new series, held pushes, events, histograms, ticks.
fn logged(compression: Compression) -> Logged {
    let mut logged = Logged::new(compression);
    for round in 0..4 {
        let mut batch = Batch::new(1000 * round);
        push(&mut batch, "a", BATCH_TIME, round as f64);
        push(&mut batch, &format!("r{round}"), BATCH_TIME, 0.5);
        batch.held = true;
        batch.event = (round % 2 == 0).then(|| vec![round as u8; 5].into());
        logged.append(&batch);
    }
    let mut batch = Batch::new(5000);
    pack(&mut [("__name__", "m"), ("i", "h")], batch.arena()).unwrap();
    let value = Histogram {
        sum: 2.5,
        ..Histogram::default()
    };
    batch.push_histogram(BATCH_TIME, Arc::new(value));
    logged.append(&batch);
    let mut event = Batch::new(0);
    event.event = Some(b"only".to_vec().into());
    logged.append(&event);
    let mut tick = Records::default();
    tick.tick(6000);
    logged.framer.add(&tick);
    logged.head.commit_tick(6000);
    logged
}

fn replay(segment: &[u8]) -> (Head, Replayed) {
    let mut head = Head::new();
    let replayed = head.replay(segment, 0).unwrap();
    (head, replayed)
}

const HELD: Window = Window { held: true, ..EVER };

#[test]
fn a_head_is_what_its_log_says() {
    for compression in [Compression::None, Compression::Snappy] {
        let logged = logged(compression);
        let (head, replayed) = replay(logged.framer.framed());
        assert_eq!(head.stats(), logged.head.stats());
        assert_eq!(dump(&head, &[], HELD), dump(&logged.head, &[], HELD));
        assert_eq!(samples(&head, "h", EVER), [(5000, 2.5)]);
        let events = vec![
            (logged.ends[0], vec![0; 5]),
            (logged.ends[2], vec![2; 5]),
            (logged.ends[5], b"only".to_vec()),
        ];
        let wanted = Replayed {
            more: false,
            end: logged.framer.offset(),
            damage: None,
            events,
            ticks: 1,
            samples: 9,
            series: 6,
            unknown_refs: 0,
            skipped: vec![],
        };
        assert_eq!(replayed, wanted);
    }
}

#[test]
fn a_replayed_head_goes_on_where_the_log_ended() {
    let mut logged = logged(Compression::Snappy);
    let (mut head, replayed) = replay(logged.framer.framed());
    let next = batch(&[("a", 9000, 1.0), ("new", 9000, 1.0)]);
    let staged = head.stage(&next).unwrap();
    assert_eq!(staged.seq, logged.head.stats().seq);
    let mut framer = Framer::new(replayed.end, usize::MAX, Compression::Snappy);
    framer.add(&staged.records);
    logged.append(&next);
    assert!(
        logged.framer.framed().ends_with(framer.framed()),
        "the same bytes as without a restart"
    );
    assert_eq!(framer.offset(), logged.framer.offset());
}

#[test]
fn a_segment_is_replayed_in_parts() {
    let logged = logged(Compression::Snappy);
    let segment = logged.framer.framed();
    let mut head = Head::new();
    let first = head.replay(&segment[..logged.ends[2]], 0).unwrap();
    let second = head.replay(segment, first.end).unwrap();
    assert_eq!((first.events.len(), second.events.len()), (2, 1));
    assert_eq!(head.stats(), logged.head.stats());
}

#[test]
fn what_was_replayed_already_is_not_stored_again() {
    let logged = logged(Compression::Snappy);
    let (mut head, _) = replay(logged.framer.framed());
    let before = dump(&head, &[], HELD);
    head.replay(logged.framer.framed(), 0).unwrap();
    assert_eq!(dump(&head, &[], HELD), before);
    assert_eq!(head.stats().seq, logged.head.stats().seq);
}

#[test]
fn a_log_cut_anywhere_gives_the_batches_before_the_cut() {
    for compression in [Compression::None, Compression::Snappy] {
        let logged = logged(compression);
        let segment = logged.framer.framed();
        for cut in 0..=segment.len() {
            let (mut head, replayed) = replay(&segment[..cut]);
            let whole = logged.ends.iter().filter(|end| **end <= cut).count();
            let (wanted, _) = replay(&segment[..if whole == 0 { 0 } else { logged.ends[whole - 1] }]);
            assert_eq!(dump(&head, &[], EVER), dump(&wanted, &[], EVER), "{cut}");
            assert!(replayed.end <= cut, "{cut}");
            assert_eq!(replayed.damage.is_none(), replayed.end == cut, "{cut}");
            go_on(&mut head, segment, replayed.end);
        }
    }
}

#[test]
fn a_log_with_a_flipped_byte_gives_the_batches_before_it() {
    for compression in [Compression::None, Compression::Snappy] {
        let logged = logged(compression);
        let segment = logged.framer.framed();
        let whole = dump(&logged.head, &[], EVER);
        for at in 0..segment.len() {
            for mask in [1, 8, 16, 0x80, 0xff] {
                let mut harmed = segment.to_vec();
                harmed[at] ^= mask;
                let (mut head, replayed) = replay(&harmed);
                if replayed.damage.is_none() {
                    assert_eq!(dump(&head, &[], EVER), whole, "{mask:#x} at {at}");
                    continue;
                }
                let before = logged.ends.iter().filter(|end| **end <= at).max().copied().unwrap_or(0);
                let (wanted, _) = replay(&segment[..before]);
                assert_eq!(dump(&head, &[], EVER), dump(&wanted, &[], EVER), "{mask:#x} at {at}");
                assert!((before..=at).contains(&replayed.end), "{mask:#x} at {at}");
                go_on(&mut head, &harmed, replayed.end);
            }
        }
    }
}

/// Whatever a replay kept, the log can be written on at its end, and reads back.
fn go_on(head: &mut Head, segment: &[u8], end: usize) {
    let staged = head
        .stage(&batch(&[("a", 1 << 40, 4.5), ("r3", 1 << 40, 1.0)]))
        .unwrap();
    let mut framer = Framer::new(end, usize::MAX, Compression::None);
    framer.add(&staged.records);
    head.commit(staged.id).unwrap();
    let segment = [&segment[..end], framer.framed()].concat();
    let (again, replayed) = replay(&segment);
    assert_eq!((replayed.damage, replayed.unknown_refs), (None, 0));
    assert_eq!(dump(&again, &[], EVER), dump(head, &[], EVER));
    assert_eq!(again.stats().seq, head.stats().seq);
}

/// A segment of bare records.
fn segment(write: impl FnOnce(&mut Records)) -> Vec<u8> {
    let mut records = Records::default();
    write(&mut records);
    let mut framer = Framer::new(0, usize::MAX, Compression::None);
    framer.add(&records);
    framer.framed().to_vec()
}

fn packed(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    pack(&mut [("__name__", "m"), ("i", name)], &mut out).unwrap();
    out
}

fn series<'a>(reference: u64, packed: &'a [u8]) -> impl Iterator<Item = (SeriesRef, Labels<'a>)> {
    [(SeriesRef(reference), Labels::trusted(packed))].into_iter()
}

fn sample(reference: u64, t: i64, value: f64) -> impl Iterator<Item = (SeriesRef, i64, f64)> + Clone {
    [(SeriesRef(reference), t, value)].into_iter()
}

#[test]
fn a_series_may_get_a_second_reference() {
    let a = packed("a");
    let bytes = segment(|records| {
        records.series(series(5, &a));
        records.samples(sample(5, 1, 1.0), usize::MAX);
        records.series(series(9, &a));
        records.samples(sample(9, 2, 2.0), usize::MAX);
        records.samples(sample(5, 3, 3.0), usize::MAX);
    });
    let (mut head, replayed) = replay(&bytes);
    assert_eq!((replayed.series, replayed.unknown_refs), (1, 0));
    assert_eq!(samples(&head, "a", EVER), [(1, 1.0), (2, 2.0), (3, 3.0)]);
    assert_eq!(head.labels(SeriesRef(9)), Some(a.as_slice()));
    append(&mut head, &batch(&[("b", 1, 1.0)]));
    assert_eq!(
        head.labels(SeriesRef(10)),
        Some(packed("b").as_slice()),
        "new references come after all seen"
    );
}

#[test]
fn a_reference_given_to_two_series_is_damage() {
    let (a, b) = (packed("a"), packed("b"));
    let good = segment(|records| {
        records.series(series(1, &a));
        records.samples(sample(1, 1, 1.0), usize::MAX);
    });
    let bad = segment(|records| {
        records.series(series(1, &a));
        records.samples(sample(1, 1, 1.0), usize::MAX);
        records.series(series(1, &b));
        records.samples(sample(1, 2, 2.0), usize::MAX);
    });
    let (head, replayed) = replay(&bad);
    assert_eq!(replayed.end, good.len());
    assert_eq!(replayed.damage.map(|damage| damage.reason), Some(Reason::SeriesRef));
    assert_eq!(samples(&head, "a", EVER), [(1, 1.0)]);

    let twice = segment(|records| records.series(series(7, &a).chain(series(7, &b))));
    assert_eq!(
        replay(&twice).1.damage.map(|damage| damage.reason),
        Some(Reason::SeriesRef)
    );
    let huge = segment(|records| records.series(series(u64::MAX, &a)));
    assert_eq!(
        replay(&huge).1.damage.map(|damage| damage.reason),
        Some(Reason::SeriesRef)
    );
}

#[test]
fn samples_of_unknown_series_are_counted_and_their_references_kept_free() {
    let bytes = segment(|records| records.samples(sample(41, 1, 1.0).chain(sample(u64::MAX, 1, 1.0)), usize::MAX));
    let (mut head, replayed) = replay(&bytes);
    assert_eq!((replayed.unknown_refs, replayed.samples, head.stats().seq), (2, 2, 2));
    let staged = head.stage(&batch(&[("a", 1, 1.0)])).unwrap();
    head.commit(staged.id).unwrap();
    assert_eq!(head.labels(SeriesRef(41)), None);
}

#[test]
fn old_samples_are_left_out() {
    let a = packed("a");
    let bytes = segment(|records| {
        records.series(series(1, &a));
        for t in [5, 3, 5, 6] {
            records.samples(sample(1, t, t as f64), usize::MAX);
        }
    });
    let (head, replayed) = replay(&bytes);
    assert_eq!(
        (replayed.samples, samples(&head, "a", EVER)),
        (4, vec![(5, 5.0), (6, 6.0)])
    );
}

#[test]
fn series_without_samples_stay_unseen() {
    let a = packed("a");
    let (mut head, _) = replay(&segment(|records| records.series(series(1, &a))));
    assert_eq!((head.stats().series, dump(&head, &[], EVER)), (0, String::new()));
    let staged = head.stage(&batch(&[("a", 1, 1.0)])).unwrap();
    assert_eq!(staged.series_created, 0, "the log has its name already");
    head.commit(staged.id).unwrap();
    assert_eq!((head.stats().series, samples(&head, "a", EVER)), (1, vec![(1, 1.0)]));
}

#[test]
fn replay_wants_a_head_at_rest() {
    let mut head = Head::new();
    head.stage(&batch(&[("a", 1, 1.0)])).unwrap();
    assert_eq!(head.replay(&[], 0), Err(StillStaged));
    head.rollback();
    assert!(head.replay(&[], 0).is_ok());
}
