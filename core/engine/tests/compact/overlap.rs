//! What is copied, what is merged, and how.

use engine::compact::{Merge, Rows};
use engine::merge::Part;
use engine::sample::Value;

use crate::{deleted, labels, merged, part, samples, stream};

const FOREVER: (i64, i64) = (i64::MIN, i64::MAX);

#[test]
fn chunks_apart_are_copied() {
    let (a, b) = (part(&[&[(1, 1.0), (2, 2.0)], &[(5, 5.0)]]), part(&[&[(3, 3.0)]]));
    let out = merged(
        vec![stream(vec![("x", a)]), stream(vec![("x", b)])],
        FOREVER.0,
        FOREVER.1,
    );
    let chunks = &out[&labels("x")].chunks;
    assert_eq!(
        chunks.iter().map(|c| (c.mint, c.maxt)).collect::<Vec<_>>(),
        [(1, 2), (3, 3), (5, 5)]
    );
    assert_eq!(samples(chunks), [(1, 1.0), (2, 2.0), (3, 3.0), (5, 5.0)]);
}

#[test]
fn a_copy_of_a_chunk_counts_once_and_is_not_encoded_anew() {
    let chunk: &[(i64, f64)] = &[(1, 1.0), (2, 2.0)];
    let out = merged(
        vec![stream(vec![("x", part(&[chunk]))]), stream(vec![("x", part(&[chunk]))])],
        FOREVER.0,
        FOREVER.1,
    );
    assert_eq!(out[&labels("x")].chunks.len(), 1);
}

#[test]
fn what_overlaps_becomes_one_run() {
    let (a, b) = (
        part(&[&[(1, 1.0), (4, 4.0)]]),
        part(&[&[(2, 2.0), (3, 3.0)], &[(9, 9.0)]]),
    );
    let out = merged(
        vec![stream(vec![("x", a)]), stream(vec![("x", b)])],
        FOREVER.0,
        FOREVER.1,
    );
    let chunks = &out[&labels("x")].chunks;
    assert_eq!(
        chunks.iter().map(|c| (c.mint, c.maxt)).collect::<Vec<_>>(),
        [(1, 4), (9, 9)]
    );
    assert_eq!(samples(chunks), [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0), (9, 9.0)]);
}

#[test]
fn the_window_ends_before_its_end_and_cuts_chunks() {
    let a = part(&[&[(1, 1.0), (2, 2.0)], &[(3, 3.0), (4, 4.0)]]);
    let out = merged(vec![stream(vec![("x", a)])], 2, 4);
    assert_eq!(samples(&out[&labels("x")].chunks), [(2, 2.0), (3, 3.0)]);
}

#[test]
fn what_is_deleted_does_not_come_back() {
    let partly = Part {
        deleted: deleted(&[(2, 3), (5, 9)]),
        ..part(&[&[(1, 1.0), (2, 2.0)], &[(3, 3.0), (4, 4.0)], &[(5, 5.0)]])
    };
    let gone = Part {
        deleted: deleted(&[FOREVER]),
        ..part(&[&[(1, 1.0)]])
    };
    let out = merged(vec![stream(vec![("x", partly), ("y", gone)])], FOREVER.0, FOREVER.1);
    assert_eq!(samples(&out[&labels("x")].chunks), [(1, 1.0), (4, 4.0)]);
    assert_eq!(out.len(), 1);
}

/// A deletion is of one block: what another one has at that time stays.
#[test]
fn a_deletion_does_not_reach_into_other_inputs() {
    let a = Part {
        deleted: deleted(&[(1, 2)]),
        ..part(&[&[(1, 1.0), (2, 1.0)]])
    };
    let b = part(&[&[(1, 2.0), (3, 2.0)]]);
    let out = merged(
        vec![stream(vec![("x", a)]), stream(vec![("x", b)])],
        FOREVER.0,
        FOREVER.1,
    );
    assert_eq!(samples(&out[&labels("x")].chunks), [(1, 2.0), (3, 2.0)]);
}

#[test]
fn a_stream_out_of_order_is_refused() {
    let series = || part(&[&[(1, 1.0)]]);
    let mut merge = Merge::new(vec![stream(vec![("b", series()), ("a", series())])], 0, 10);
    assert_eq!(merge.next_series().unwrap().unwrap().labels[..], labels("b"));
    let late = r#"input 0: series {i="a"} comes too late in the order of labels"#;
    assert_eq!(merge.next_series().unwrap_err().to_string(), late);
}

#[test]
fn rows_come_in_any_order() {
    let rows = |samples: &[(i64, f64)]| samples.iter().map(|(t, v)| (*t, Value::Float(*v))).collect::<Vec<_>>();
    let series = [
        (labels("zz"), rows(&[(5, 5.0), (3, 3.0), (5, 6.0)])),
        (labels("b"), rows(&[(1, 1.0)])),
    ];
    let out = merged(
        vec![Box::new(Rows::new(series.into_iter().collect()))],
        FOREVER.0,
        FOREVER.1,
    );
    assert_eq!(samples(&out[&labels("zz")].chunks), [(3, 3.0), (5, 6.0)]);
    assert_eq!(samples(&out[&labels("b")].chunks), [(1, 1.0)]);
}
