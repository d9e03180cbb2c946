//! Samples by metric and stretch of time: what a receiver that has all of them counts.

use std::collections::{BTreeMap, HashSet};

use ahash::RandomState;

use super::samples::Samples;
use crate::labels::METRIC_NAME;

/// Counts samples as PromQL's `count_over_time` does: each time of a series once, stale markers not at all.
#[derive(Debug)]
pub struct Tally {
    width: i64,
    hasher: RandomState,
    /// Hashes of the samples so far.
    seen: HashSet<u64, RandomState>,
    counts: BTreeMap<(String, i64), u64>,
}

impl Tally {
    /// A tally of stretches of `width` ms, which begin at multiples of it.
    pub fn new(width: i64) -> Self {
        Self {
            width: width.max(1),
            hasher: RandomState::new(),
            seen: HashSet::default(),
            counts: BTreeMap::new(),
        }
    }

    /// Count samples; one that was counted already is the same.
    pub fn add(&mut self, samples: &Samples) {
        for item in samples.items().iter().filter(|item| !item.value.is_stale()) {
            let labels = samples.labels(item);
            if self.seen.insert(self.hasher.hash_one((labels.packed(), item.t))) {
                let start = item.t.div_euclid(self.width).saturating_mul(self.width);
                *self
                    .counts
                    .entry((labels.get(METRIC_NAME).to_owned(), start))
                    .or_default() += 1;
            }
        }
    }

    /// Forget which samples were seen, once none of them can come again: memory grows with them.
    pub fn forget_points(&mut self) {
        self.seen.clear();
    }

    /// (metric, start in ms, samples) in order.
    pub fn counts(&self) -> impl Iterator<Item = (&str, i64, u64)> {
        self.counts
            .iter()
            .map(|((metric, start), count)| (metric.as_str(), *start, *count))
    }
}
