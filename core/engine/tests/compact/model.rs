//! Inputs of any shape come out as the model says.

use std::collections::{BTreeMap, BTreeSet};

use engine::merge::Part;
use proptest::prelude::*;

use crate::{deleted, floats, labels, merged, samples, stream};

/// One series in one input: times, how many samples a chunk has, what is deleted.
#[derive(Debug, Clone)]
struct Piece {
    times: BTreeSet<i64>,
    chunk: usize,
    deleted: Vec<(i64, i64)>,
}

impl Piece {
    fn part(&self, value: f64) -> Part {
        let all: Vec<(i64, f64)> = self.times.iter().map(|t| (*t, value)).collect();
        Part {
            chunks: all.chunks(self.chunk).map(floats).collect(),
            deleted: deleted(&self.deleted),
            ..Part::default()
        }
    }

    fn visible(&self) -> impl Iterator<Item = i64> + '_ {
        let deleted = |t: &i64| self.deleted.iter().any(|(mint, maxt)| (*mint..=*maxt).contains(t));
        self.times.iter().copied().filter(move |t| !deleted(t))
    }
}

fn pieces() -> impl Strategy<Value = Piece> {
    let deleted = proptest::collection::vec((0i64..100, 0i64..12), 0..3).prop_map(|mut all| {
        all.sort_unstable();
        let mut apart: Vec<(i64, i64)> = Vec::new();
        for (mint, length) in all {
            if apart.last().is_none_or(|(_, last)| mint > *last) {
                apart.push((mint, mint + length));
            }
        }
        apart
    });
    let place = (0i64..3, proptest::collection::btree_set(0i64..40, 1..30));
    (place, 1usize..12, deleted).prop_map(|((block, times), chunk, deleted)| Piece {
        times: times.into_iter().map(|t| block * 30 + t).collect(),
        chunk,
        deleted,
    })
}

proptest! {
    #[test]
    fn every_sample_is_there_once(
        inputs in proptest::collection::vec(proptest::collection::btree_map("[abc]{1,2}", pieces(), 0..5), 0..4),
        (mint, maxt) in (0i64..60, 40i64..120),
    ) {
        let mut model: BTreeMap<Vec<u8>, BTreeMap<i64, Vec<f64>>> = BTreeMap::new();
        for (value, input) in inputs.iter().enumerate() {
            for (name, piece) in input {
                for t in piece.visible().filter(|t| (mint..maxt).contains(t)) {
                    model.entry(labels(name)).or_default().entry(t).or_default().push(value as f64);
                }
            }
        }
        let streams = inputs.iter().enumerate().map(|(value, input)| {
            stream(input.iter().map(|(name, piece)| (name.as_str(), piece.part(value as f64))).collect())
        });
        let found = merged(streams.collect(), mint, maxt);
        prop_assert_eq!(found.keys().collect::<Vec<_>>(), model.keys().collect::<Vec<_>>());
        for (labels, series) in &found {
            prop_assert!(series.own.is_none());
            let samples = samples(&series.chunks);
            let wanted = &model[labels];
            prop_assert_eq!(samples.iter().map(|(t, _)| *t).collect::<Vec<_>>(), wanted.keys().copied().collect::<Vec<_>>());
            prop_assert!(samples.iter().all(|(t, value)| wanted[t].contains(value)));
        }
    }
}
