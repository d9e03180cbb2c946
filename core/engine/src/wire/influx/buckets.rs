//! The buckets of native histograms, as bounds and counts.

use super::native::go;
use crate::histogram::spans::indices;
use crate::histogram::{Counts, Histogram, CUSTOM_BUCKETS};
use crate::native::upper_bound;

/// Counts as they are, whatever they were stored as.
pub(super) struct Parts<'h> {
    histogram: &'h Histogram,
    pub(super) count: f64,
    pub(super) zero: f64,
    pub(super) positive: Vec<f64>,
    pub(super) negative: Vec<f64>,
}

impl<'h> Parts<'h> {
    /// Those of `histogram`.
    pub(super) fn of(histogram: &'h Histogram) -> Self {
        let (count, zero, positive, negative) = match &histogram.counts {
            Counts::Integer {
                count,
                zero,
                positive,
                negative,
            } => (*count as f64, *zero as f64, absolute(positive), absolute(negative)),
            Counts::Float {
                count,
                zero,
                positive,
                negative,
            } => (*count, *zero, positive.clone(), negative.clone()),
        };
        Self {
            histogram,
            count,
            zero,
            positive,
            negative,
        }
    }

    /// (upper bound, observations up to there), by bounds.
    pub(super) fn cumulative(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let Histogram { schema, custom, .. } = self.histogram;
        let upper = move |index: i32| match *schema {
            CUSTOM_BUCKETS => usize::try_from(index).ok().and_then(|n| custom.get(n)).copied(),
            schema => Some(upper_bound(schema, index)),
        };
        // The upper bound of a negative bucket is the lower one of its mirror image.
        let negative: Vec<(f64, f64)> = indices(&self.histogram.negative)
            .map(|index| -upper(index.saturating_sub(1)).unwrap_or(f64::INFINITY))
            .zip(self.negative.iter().copied())
            .collect();
        let zero = (self.zero != 0.0).then_some((self.histogram.zero_threshold, self.zero));
        let positive = indices(&self.histogram.positive)
            .map(move |index| upper(index).unwrap_or(f64::INFINITY))
            .zip(self.positive.iter().copied());
        let buckets = negative.into_iter().rev().chain(zero).chain(positive);
        buckets.scan(0.0, |sum, (upper, count)| {
            *sum += count;
            Some((upper, *sum))
        })
    }

    /// The same, bounds as text, with a last bucket that has all observations.
    pub(super) fn cumulative_to_infinity(&self) -> Vec<(String, f64)> {
        let below = self.cumulative().filter(|(upper, _)| *upper < f64::INFINITY);
        let all = std::iter::once((f64::INFINITY, self.count));
        below.chain(all).map(|(upper, count)| (go(upper), count)).collect()
    }
}

fn absolute(deltas: &[i64]) -> Vec<f64> {
    let counts = deltas.iter().scan(0i64, |count, delta| {
        *count = count.wrapping_add(*delta);
        Some(*count as f64)
    });
    counts.collect()
}
