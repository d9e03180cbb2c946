//! Native histograms beside floats, from blocks and the head, and what is known of counter resets.

use std::sync::Arc;

use engine::block::Interval;
use engine::compact::Merge;
use engine::histogram::{Counts, Histogram, ResetHint};
use engine::query::Columns;
use engine::sample::{Sample, Value};

use crate::{block, head, labels, places, read, Files, Rowset, EVER};

pub fn histogram(count: u64) -> Value {
    Value::Histogram(Arc::new(Histogram {
        sum: count as f64,
        positive: vec![(0, 1)],
        counts: Counts::Integer {
            count,
            zero: 0,
            positive: vec![count as i64],
            negative: Vec::new(),
        },
        ..Histogram::default()
    }))
}

fn one(samples: Vec<Sample>) -> Rowset {
    [(labels("h"), samples)].into()
}

/// Time, count and hint of each histogram.
fn found(columns: &Columns) -> Vec<(i64, u64, ResetHint)> {
    let of = |(t, histogram): &(i64, Arc<Histogram>)| match histogram.counts {
        Counts::Integer { count, .. } => (*t, count, histogram.hint),
        Counts::Float { .. } => panic!("a float histogram"),
    };
    columns.histograms().iter().map(of).collect()
}

#[test]
fn floats_and_histograms_of_a_series_stand_apart() {
    let rows = one(vec![
        (1, Value::Float(1.0)),
        (2, histogram(1)),
        (3, Value::Float(3.0)),
        (4, histogram(2)),
    ]);
    for (blocks, head) in [(vec![block(rows.clone())], None), (vec![], Some(head(&rows, false)))] {
        let columns = read(&blocks, head.as_ref(), EVER);
        assert_eq!((columns.timestamps(), columns.values()), (&[1, 3][..], &[1.0, 3.0][..]));
        assert_eq!(columns.histogram_offsets(), [0, 2]);
        assert_eq!(
            found(&columns)
                .iter()
                .map(|(t, count, _)| (*t, *count))
                .collect::<Vec<_>>(),
            [(2, 1), (4, 2)]
        );
    }
}

#[test]
fn a_gap_or_another_place_makes_a_reset_unknown() {
    use ResetHint::{NotReset, Unknown};
    let early = one((1..5).map(|t| (t, histogram(t as u64))).collect());
    let late = one((5..8).map(|t| (t, histogram(t as u64))).collect());
    let (early, late) = (block(early), block(late));
    let hints = |columns: &Columns| found(columns).iter().map(|(_, _, hint)| *hint).collect::<Vec<_>>();
    let both = read(&[early.clone(), late.clone()], None, EVER);
    assert_eq!(
        hints(&both),
        [Unknown, NotReset, NotReset, NotReset, Unknown, NotReset, NotReset]
    );

    let references = early.index().all().unwrap();
    let tombstones = early.delete(references, Interval { mint: 2, maxt: 2 }).unwrap().write();
    let merge = Merge::new(places(std::slice::from_ref(&early), None, &[], EVER), 0, 100);
    let cut = Files::build(merge, 1000, 1 << 20).open(Some(tombstones));
    let columns = read(std::slice::from_ref(&cut), None, EVER);
    assert_eq!(found(&columns), [(1, 1, Unknown), (3, 3, Unknown), (4, 4, NotReset)]);

    // The same after a compaction, which compares and finds no reset.
    let merge = Merge::new(places(&[cut, late], None, &[], EVER), 0, 100);
    let compacted = Files::build(merge, 1000, 1 << 20).open(None);
    let times: Vec<i64> = found(&read(&[compacted], None, EVER))
        .iter()
        .map(|(t, _, _)| *t)
        .collect();
    assert_eq!(times, [1, 3, 4, 5, 6, 7]);
}

#[test]
fn overlapping_histograms_and_floats_become_chunks_of_one_kind_each() {
    let a = block(one(vec![(1, histogram(5)), (3, histogram(6)), (5, histogram(7))]));
    let b = block(one(vec![
        (2, Value::Float(2.0)),
        (4, histogram(1)),
        (6, Value::Float(6.0)),
    ]));
    let merge = Merge::new(places(&[a, b], None, &[], EVER), 0, 100);
    let columns = read(&[Files::build(merge, 1, 1 << 20).open(None)], None, EVER);
    assert_eq!(columns.timestamps(), [2, 6]);
    let times: Vec<(i64, u64)> = found(&columns).iter().map(|(t, count, _)| (*t, *count)).collect();
    assert_eq!(times, [(1, 5), (3, 6), (4, 1), (5, 7)]);
}
