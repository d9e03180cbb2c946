//! Series that batches name by keys, room for new ones, starts, and samples that are sent again.

use engine::batch::{Batch, FamilyMetadata};
use engine::family::Kind;
use engine::head::{Head, RefusedReason, Room};
use engine::labels::pack;
use engine::metadata::Metadata;

use super::{append, batch, samples, EVER};

/// A batch of one row, by a key made of the series' name.
fn keyed(head: &Head, name: &str, t: i64, value: f64) -> Batch {
    let mut batch = Batch::new(0);
    let key = head.key_seeds().of(7, name.as_bytes());
    match head.known(key) {
        Some((slot, reference)) => batch.begin_known(slot, reference),
        None => {
            pack(&mut [("__name__", "m"), ("i", name)], batch.arena()).unwrap();
            batch.begin(key);
        }
    }
    batch.add_float(t, value);
    batch
}

#[test]
fn a_series_is_known_again_by_its_key() {
    let mut head = Head::new();
    for t in 0..3 {
        let rows = keyed(&head, "a", t, t as f64);
        assert_eq!(rows.floats().all(|row| row.0.packed().is_empty()), t > 0);
        append(&mut head, &rows);
    }
    append(&mut head, &batch(&[("a", 3, 3.0)]));
    assert_eq!(samples(&head, "a", EVER), [(0, 0.0), (1, 1.0), (2, 2.0), (3, 3.0)]);
    assert_eq!(head.stats().series, 1);
}

#[test]
fn a_batch_that_knows_a_series_which_has_left_is_refused_whole() {
    let mut head = Head::new();
    let first = keyed(&head, "a", 1, 1.0);
    head.stage(&first).unwrap();
    let mut second = keyed(&head, "a", 2, 2.0);
    second.partial = true;
    head.rollback();
    append(&mut head, &batch(&[("b", 1, 1.0)]));
    let refused = head.stage(&second).unwrap_err();
    assert_eq!(refused.reason, RefusedReason::Stale, "its slot is another series' now");
    assert_eq!(samples(&head, "b", EVER), [(1, 1.0)]);
}

#[test]
fn a_refused_row_of_a_known_series_is_told_of_with_its_labels() {
    let mut head = Head::new();
    let first = keyed(&head, "a", 5, 1.0);
    append(&mut head, &first);
    let refused = head.stage(&keyed(&head, "a", 4, 1.0)).unwrap_err();
    assert_eq!(refused.series, r#"{__name__="m", i="a"}"#);
}

#[test]
fn samples_of_series_without_room_are_left_out_of_any_batch() {
    let mut head = Head::new();
    append(&mut head, &batch(&[("a", 1, 1.0)]));
    let rows = batch(&[("b", 2, 1.0), ("a", 2, 2.0), ("c", 2, 1.0), ("b", 3, 1.0)]);
    let room = |series, new| Room { series, new };
    for (room, stored, left_out) in [
        (room(1, usize::MAX), 1, 3),
        (room(2, usize::MAX), 3, 1),
        (room(usize::MAX, 1), 3, 1),
        (room(0, 0), 1, 3),
        (Room::default(), 4, 0),
    ] {
        let staged = head.stage_within(&rows, room).unwrap();
        assert_eq!((staged.samples, staged.refusals.count), (stored, left_out));
        let reasons = staged.refusals.by_reason;
        assert!(reasons.iter().all(|(reason, _)| *reason == "too_many_series"));
        head.rollback();
    }
}

#[test]
fn a_start_is_stored_once_and_never_in_the_way() {
    let mut head = Head::new();
    for (start, t) in [(10, 20), (10, 30), (25, 40), (40, 50), (45, 60)] {
        let mut rows = Batch::new(0);
        pack(&mut [("__name__", "m"), ("i", "a")], rows.arena()).unwrap();
        rows.begin_unkeyed();
        rows.add_start(start);
        rows.add_float(t, t as f64);
        append(&mut head, &rows);
    }
    let wanted = [(10, 0.0), (20, 20.0), (30, 30.0), (40, 40.0), (50, 50.0), (60, 60.0)];
    assert_eq!(samples(&head, "a", EVER), wanted);
}

#[test]
fn what_is_sent_again_breaks_no_rule_where_that_is_expected() {
    let mut head = Head::new();
    let mut rows = batch(&[("a", 1, 1.0), ("a", 2, 2.0)]);
    append(&mut head, &rows);
    assert!(head.stage(&rows).is_err());
    rows.resent = true;
    assert_eq!(head.stage(&rows).unwrap().samples, 0);
    head.rollback();
    let mut other = batch(&[("a", 1, 7.0)]);
    other.resent = true;
    assert!(head.stage(&other).is_err(), "another value is another sample");
}

#[test]
fn a_family_is_told_of_all_its_series() {
    let mut head = Head::new();
    let mut rows = Batch::new(0);
    for name in ["rpc", "rpc_bucket", "rpc_sum", "rpc_total", "rpcs"] {
        pack(&mut [("__name__", name)], rows.arena()).unwrap();
        rows.push_float(1, 1.0);
    }
    append(&mut head, &rows);
    let (unit, help) = ("".into(), "Calls.".into());
    let metadata = std::sync::Arc::new(Metadata {
        kind: Kind::Histogram,
        unit,
        help,
    });
    let mut told = Batch::new(0);
    let name = "rpc".into();
    told.push_family(FamilyMetadata { name, metadata });
    append(&mut head, &told);
    let mut names: Vec<&str> = head.metadata().map(|(labels, _)| labels.get("__name__")).collect();
    names.sort_unstable();
    assert_eq!(names, ["rpc", "rpc_bucket", "rpc_sum"]);
    assert!(
        head.stage(&told).unwrap().records.is_empty(),
        "nothing new, nothing for the log"
    );
}
