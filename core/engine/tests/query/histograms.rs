//! Native histograms beside floats, from blocks and the head, and what is known of counter resets.

use std::sync::Arc;

use engine::block::Interval;
use engine::compact::Merge;
use engine::histogram::{Counts, Histogram, ResetHint};
use engine::query::{Columns, Own};
use engine::sample::{Sample, Value};
use proptest::prelude::*;

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

proptest! {
    /// Who reads range after range gets each sample once, series by series, and those of a series by time.
    #[test]
    fn ranges_follow_each_other(
        series in proptest::collection::vec(proptest::collection::btree_map(0i64..40, any::<bool>(), 1..12), 1..5),
        size in 1usize..9,
    ) {
        let rows: Rowset = series.iter().enumerate().map(|(n, kinds)| {
            let samples = kinds.iter().map(|(t, histograms)| match histograms {
                true => (*t, histogram(*t as u64)),
                false => (*t, Value::Float(*t as f64)),
            });
            (labels(&n.to_string()), samples.collect())
        }).collect();
        let columns = read(&[block(rows.clone())], None, EVER);
        let mut found = Vec::new();
        for start in (0..columns.samples()).step_by(size) {
            let before = found.len();
            for (labels, own) in columns.in_range(start..start + size) {
                match own {
                    Own::Floats(times, _) => found.extend(times.iter().map(|t| (labels.packed().to_vec(), *t))),
                    Own::Histograms(rows) => found.extend(rows.iter().map(|(t, _)| (labels.packed().to_vec(), *t))),
                }
            }
            prop_assert_eq!(found.len() - before, size.min(columns.samples() - start));
            found[before..].sort();
        }
        let wanted = rows.iter().flat_map(|(labels, samples)| samples.iter().map(move |(t, _)| (labels.clone(), *t)));
        prop_assert_eq!(found, wanted.collect::<Vec<_>>());
    }
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
