//! What is accepted, what is refused, and that a refused or rolled back batch never was.

use std::sync::Arc;

use engine::batch::{Batch, BATCH_TIME};
use engine::head::{Bounds, Head, NotStaged, RefusedReason};
use engine::histogram::{Counts, Histogram};
use engine::labels::pack;

use crate::{append, batch, dump, push, samples, EVER};

/// What becomes of a sample.
#[derive(Debug, PartialEq)]
enum Outcome {
    Stored,
    Repeated,
    Refused(RefusedReason),
}
use Outcome::{Refused, Repeated, Stored};

/// After a sample of 1.5 at 100, with 50..=1000 accepted: (time, value, outcome).
const APPEND_TABLE: &[(i64, f64, Outcome)] = &[
    (101, 1.5, Stored),
    (1000, -1.0, Stored),
    (100, 1.5, Repeated),
    (100, 2.5, Refused(RefusedReason::Duplicate)),
    (100, f64::NAN, Refused(RefusedReason::Duplicate)),
    (99, 1.5, Refused(RefusedReason::OutOfOrder(100))),
    (50, 1.5, Refused(RefusedReason::OutOfOrder(100))),
    (49, 1.5, Refused(RefusedReason::OutOfBounds(50, 1000))),
    (1001, 1.5, Refused(RefusedReason::OutOfBounds(50, 1000))),
    (i64::MAX, 1.5, Refused(RefusedReason::OutOfBounds(50, 1000))),
];

fn outcome(head: &mut Head, t: i64, value: f64) -> Outcome {
    match head.stage(&batch(&[("a", t, value)])) {
        Ok(staged) if staged.samples == 1 => Stored,
        Ok(staged) => {
            assert!(staged.records.is_empty(), "a repeated sample is not written");
            Repeated
        }
        Err(refused) => Refused(refused.reason),
    }
}

#[test]
fn samples_are_accepted_as_by_prometheus() {
    for committed in [true, false] {
        for (t, value, wanted) in APPEND_TABLE {
            let mut head = Head::new();
            head.set_bounds(Bounds { min: 50, max: 1000 });
            let staged = head.stage(&batch(&[("a", 100, 1.5)])).unwrap();
            if committed {
                head.commit(staged.id).unwrap();
            }
            assert_eq!(
                outcome(&mut head, *t, *value),
                *wanted,
                "{value} at {t}, committed: {committed}"
            );
        }
    }
}

#[test]
fn zeros_of_either_sign_and_every_nan_are_values_of_their_own() {
    let mut head = Head::new();
    append(
        &mut head,
        &batch(&[("a", 1, 0.0), ("b", 1, f64::from_bits(0x7ff8_0000_0000_0001))]),
    );
    assert_eq!(outcome(&mut head, 1, -0.0), Refused(RefusedReason::Duplicate));
    let stale = f64::from_bits(engine::batch::STALE_NAN_BITS);
    let refused = head.stage(&batch(&[("b", 1, stale)])).unwrap_err();
    assert_eq!(refused.reason, RefusedReason::Duplicate);
}

#[test]
fn a_refusal_names_series_and_times() {
    let mut head = Head::new();
    append(&mut head, &batch(&[("a", 100, 1.0)]));
    let refused = head.stage(&batch(&[("a", 7, 1.0)])).unwrap_err();
    let text = r#"out of order sample: {__name__="m", i="a"} at 7, the series' newest is at 100"#;
    assert_eq!(refused.to_string(), text);
}

#[test]
fn a_refused_batch_changes_nothing() {
    let mut head = Head::new();
    append(&mut head, &batch(&[("a", 100, 1.0)]));
    let before = (head.stats(), dump(&head, &[], EVER));
    // The new series "b", a good sample of "a", and then one that is too old.
    let refused = head.stage(&batch(&[
        ("b", 1, 1.0),
        ("a", 200, 1.0),
        ("c", 1, 1.0),
        ("a", 150, 1.0),
    ]));
    assert_eq!(refused.unwrap_err().reason, RefusedReason::OutOfOrder(200));
    assert_eq!((head.stats(), dump(&head, &[], EVER)), before);
    let staged = head.stage(&batch(&[("a", 150, 1.0), ("b", 1, 5.0)])).unwrap();
    assert_eq!((staged.seq, staged.samples, staged.series_created), (1, 2, 1));
}

#[test]
fn a_batch_must_not_contradict_itself() {
    let mut head = Head::new();
    let refused = head.stage(&batch(&[("a", 5, 1.0), ("a", 5, 2.0)])).unwrap_err();
    assert_eq!((refused.reason, refused.t), (RefusedReason::Duplicate, 5));
    let refused = head
        .stage(&batch(&[("a", BATCH_TIME, 1.0), ("a", BATCH_TIME, 2.0)]))
        .unwrap_err();
    assert_eq!(refused.reason, RefusedReason::Duplicate);
    let staged = head
        .stage(&batch(&[("a", 5, 1.0), ("a", 5, 1.0), ("a", 6, 2.0)]))
        .unwrap();
    assert_eq!(staged.samples, 2);
}

#[test]
fn a_sample_needs_labels() {
    let mut empty = batch(&[("a", 1, 1.0)]);
    empty.push_float(1, 1.0);
    let mut head = Head::new();
    assert_eq!(head.stage(&empty).unwrap_err().reason, RefusedReason::Labels);
    assert_eq!(head.stage(&batch(&[("a", 1, 1.0)])).unwrap().series_created, 1);
}

#[test]
fn a_batch_takes_its_time_after_every_series_that_it_touches() {
    let mut head = Head::new();
    append(
        &mut head,
        &batch(&[("a", 100, 1.0), ("b", 300, 1.0), ("other", 900, 1.0)]),
    );
    let mut push_all = |time: i64, rows: &[(&str, i64)]| {
        let mut batch = Batch::new(time);
        rows.iter().for_each(|(name, t)| push(&mut batch, name, *t, 2.0));
        head.stage(&batch).unwrap().time
    };
    assert_eq!(push_all(50, &[("a", BATCH_TIME), ("b", BATCH_TIME)]), 301);
    assert_eq!(push_all(50, &[("a", BATCH_TIME)]), 302, "staged batches count");
    assert_eq!(push_all(50, &[("new", BATCH_TIME)]), 50);
    assert_eq!(push_all(5000, &[("a", BATCH_TIME)]), 5000);
    assert_eq!(
        push_all(60, &[("other", 901), ("new", BATCH_TIME)]),
        60,
        "rows with a time have their own"
    );
}

#[test]
fn nothing_is_visible_before_its_commit() {
    let mut head = Head::new();
    append(&mut head, &batch(&[("a", 1, 1.0)]));
    let before = head.stats();
    let first = head.stage(&batch(&[("a", 2, 2.0), ("b", 2, 2.0)])).unwrap();
    let second = head.stage(&batch(&[("b", 3, 3.0)])).unwrap();
    assert_eq!((first.seq, second.seq), (1, 3));
    assert_eq!(head.stats(), before);
    assert_eq!(dump(&head, &[], EVER), "{__name__=\"m\", i=\"a\"} 1 1\n");

    head.commit(first.id).unwrap();
    assert_eq!(samples(&head, "b", EVER), [(2, 2.0)]);
    assert_eq!((head.stats().seq, head.stats().series), (3, 2));
    head.commit(second.id).unwrap();
    assert_eq!(samples(&head, "b", EVER), [(2, 2.0), (3, 3.0)]);
    assert_eq!(head.stats().range, Some((1, 3)));
}

#[test]
fn batches_commit_in_stage_order_and_once() {
    let mut head = Head::new();
    let first = head.stage(&batch(&[("a", 1, 1.0)])).unwrap();
    let second = head.stage(&batch(&[("a", 2, 1.0)])).unwrap();
    assert_eq!(head.commit(second.id), Err(NotStaged));
    assert_eq!(head.commit(first.id), Ok(()));
    assert_eq!(head.commit(first.id), Err(NotStaged));
    assert_eq!(head.commit(second.id), Ok(()));
}

#[test]
fn a_rollback_takes_back_all_that_was_staged() {
    let mut head = Head::new();
    append(&mut head, &batch(&[("a", 1, 1.0)]));
    let before = (head.stats(), dump(&head, &[], EVER));
    let lost = head.stage(&batch(&[("a", 10, 1.0), ("b", 10, 1.0)])).unwrap();
    head.stage(&batch(&[("b", 20, 1.0), ("c", 20, 1.0)])).unwrap();
    head.rollback();
    assert_eq!(head.commit(lost.id), Err(NotStaged));
    assert_eq!((head.stats(), dump(&head, &[], EVER)), before);

    // Times are free again, references are not: "b" and "c" had 2 and 3.
    let staged = head.stage(&batch(&[("a", 5, 1.0), ("c", 5, 1.0)])).unwrap();
    assert_eq!((staged.seq, staged.series_created), (1, 1));
    let series = staged.records.iter().next().unwrap();
    assert_eq!(series[..9], [1, 0, 0, 0, 0, 0, 0, 0, 4]);
    head.commit(staged.id).unwrap();
    assert_eq!(samples(&head, "c", EVER), [(5, 1.0)]);
}

fn histogram(count: u64, sum: f64) -> Arc<Histogram> {
    Arc::new(Histogram {
        sum,
        positive: vec![(0, 1)],
        counts: Counts::Integer {
            count,
            zero: 0,
            positive: vec![count as i64],
            negative: vec![],
        },
        ..Histogram::default()
    })
}

#[test]
fn histograms_obey_the_same_rules() {
    let one = |t: i64, value: Arc<Histogram>| {
        let mut batch = Batch::new(0);
        pack(&mut [("__name__", "m"), ("i", "a")], batch.arena()).unwrap();
        batch.push_histogram(t, value);
        batch
    };
    let mut head = Head::new();
    append(&mut head, &one(10, histogram(3, 1.5)));
    let repeated = head.stage(&one(10, histogram(3, 1.5))).unwrap();
    assert_eq!(repeated.samples, 0);
    head.commit(repeated.id).unwrap();
    let reason = |head: &mut Head, batch: &Batch| head.stage(batch).unwrap_err().reason;
    assert_eq!(reason(&mut head, &one(10, histogram(4, 1.5))), RefusedReason::Duplicate);
    assert_eq!(
        reason(&mut head, &one(9, histogram(3, 1.5))),
        RefusedReason::OutOfOrder(10)
    );
    assert_eq!(reason(&mut head, &batch(&[("a", 10, 1.5)])), RefusedReason::Duplicate);
    append(&mut head, &batch(&[("a", 20, 7.0)]));
    append(&mut head, &one(30, histogram(5, f64::NAN)));
    assert_eq!(
        head.stage(&one(30, histogram(5, f64::NAN))).unwrap().samples,
        0,
        "the same NaN is the same"
    );
    assert_eq!(samples(&head, "a", EVER)[..2], [(10, 1.5), (20, 7.0)]);
    head.stage(&batch(&[("a", 40, 1.0)])).unwrap();
    head.rollback();
    assert_eq!(
        reason(&mut head, &one(29, histogram(1, 1.0))),
        RefusedReason::OutOfOrder(30)
    );
}

fn held(rows: &[(&str, i64, f64)]) -> Batch {
    let mut batch = batch(rows);
    batch.held = true;
    batch
}

/// Batches of push groups repeat their label sets, and are led to their series by a short cut.
#[test]
fn a_repeated_batch_reaches_its_own_series() {
    let mut head = Head::new();
    for t in [10, 20, 30] {
        append(&mut head, &held(&[("a", t, 1.0), ("b", t, 2.0)]));
        append(&mut head, &held(&[("b", t + 1, 3.0), ("a", t + 1, 4.0)]));
    }
    let of = |name| samples(&head, name, EVER);
    assert_eq!(
        of("a"),
        [(10, 1.0), (11, 4.0), (20, 1.0), (21, 4.0), (30, 1.0), (31, 4.0)]
    );
    assert_eq!(
        of("b"),
        [(10, 2.0), (11, 3.0), (20, 2.0), (21, 3.0), (30, 2.0), (31, 3.0)]
    );
    let refused = head.stage(&held(&[("b", 12, 3.0), ("a", 12, 4.0)])).unwrap_err();
    assert_eq!(refused.reason, RefusedReason::OutOfOrder(31));
}

#[test]
fn a_short_cut_does_not_outlive_the_series_that_it_leads_to() {
    let mut head = Head::new();
    for t in 1..3 {
        head.stage(&held(&[("a", t, 1.0), ("b", t, 2.0)])).unwrap();
    }
    head.rollback();
    append(&mut head, &held(&[("x", 1, 8.0), ("y", 1, 9.0)]));
    append(&mut head, &held(&[("a", 3, 1.0), ("b", 3, 2.0)]));
    assert_eq!(samples(&head, "a", EVER), [(3, 1.0)]);
    assert_eq!(samples(&head, "x", EVER), [(1, 8.0)]);
}

#[test]
fn a_histogram_that_its_log_would_not_give_back_is_refused() {
    let one = |value: Histogram, t: i64| {
        let mut batch = held(&[("a", t, 1.0)]);
        pack(&mut [("__name__", "m"), ("i", "h")], batch.arena()).unwrap();
        batch.push_histogram(t, Arc::new(value));
        batch
    };
    let unsound = Histogram {
        positive: vec![(0, 2)],
        ..Histogram::default()
    };
    let mut head = Head::new();
    let mut partial = one(unsound.clone(), 1);
    partial.partial = true;
    append(&mut head, &partial);
    assert_eq!((head.stats().series, head.stats().seq), (1, 1));
    for t in 2..5 {
        append(&mut head, &one(Histogram::default(), t));
        let refused = head.stage(&one(unsound.clone(), t + 1)).unwrap_err();
        assert_eq!(
            refused.reason,
            RefusedReason::Histogram,
            "the series and the way to it are known"
        );
    }
}
