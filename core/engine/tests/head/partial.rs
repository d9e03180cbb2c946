//! Partial batches: what breaks a rule is left out and counted, the rest is taken.

use engine::batch::{Batch, BATCH_TIME};
use engine::head::{Bounds, Head, RefusedReason};
use engine::wal::Compression;

use crate::{append, batch, samples, Logged, EVER};

fn partial(rows: &[(&str, i64, f64)]) -> Batch {
    let mut batch = batch(rows);
    batch.time = 100;
    batch.partial = true;
    batch
}

#[test]
fn what_breaks_a_rule_is_left_out() {
    let mut head = Head::new();
    head.set_bounds(Bounds { min: 0, max: 1000 });
    append(&mut head, &partial(&[("a", 50, 1.0), ("b", 50, 1.0)]));

    let mut rows = partial(&[
        ("a", 49, 1.0),
        ("new", 2000, 1.0),
        ("b", 50, 2.0),
        ("b", 51, 2.0),
        ("c", BATCH_TIME, 3.0),
    ]);
    rows.push_float(60, 1.0); // without labels
    let staged = head.stage(&rows).unwrap();
    assert_eq!(
        (staged.samples, staged.series_created, staged.refusals.count),
        (2, 1, 4)
    );
    assert_eq!(staged.refusals.first[0].reason, RefusedReason::OutOfBounds(0, 1000));
    head.commit(staged.id).unwrap();
    assert_eq!((head.stats().series, head.stats().seq), (3, 4));

    rows.partial = false;
    assert_eq!(
        head.stage(&rows).unwrap_err().reason,
        RefusedReason::OutOfBounds(0, 1000)
    );
}

#[test]
fn a_batch_sent_again_is_taken_again() {
    let rows = partial(&[("a", 50, 1.0), ("b", 50, 1.0), ("a", 51, 2.0), ("a", 52, 3.0)]);
    let mut head = Head::new();
    let first = head.stage(&rows).unwrap();
    let while_staged = head.stage(&rows).unwrap();
    assert_eq!((while_staged.samples, while_staged.refusals.count), (0, 0));
    head.commit(first.id).unwrap();
    head.commit(while_staged.id).unwrap();
    let after = head.stage(&rows).unwrap();
    assert_eq!((after.samples, after.refusals.count), (0, 0));
    let changed = head
        .stage(&partial(&[("a", 51, 2.5), ("a", 49, 1.0), ("a", 51, 2.0)]))
        .unwrap();
    assert_eq!((changed.samples, changed.refusals.count), (0, 2));
}

#[test]
fn a_series_that_got_no_sample_is_named_in_the_log_when_it_gets_one() {
    let mut logged = Logged::new(Compression::Snappy);
    logged.head.set_bounds(Bounds { min: 0, max: 1000 });
    logged.append(&batch(&[("a", 1000, 1.0)]));
    // "a" moves the batch's time out of bounds, after "new" was created.
    let nothing = partial(&[("new", BATCH_TIME, 1.0), ("a", BATCH_TIME, 1.0)]);
    let staged = logged.head.stage(&nothing).unwrap();
    assert_eq!(
        (staged.samples, staged.refusals.count, staged.series_created),
        (0, 2, 0)
    );
    assert!(staged.records.is_empty());
    logged.head.commit(staged.id).unwrap();
    logged.append(&batch(&[("new", 5, 2.0)]));

    let mut again = Head::new();
    assert_eq!(again.replay(logged.framer.framed(), 0).unwrap().unknown_refs, 0);
    assert_eq!(samples(&again, "new", EVER), [(5, 2.0)]);
}
