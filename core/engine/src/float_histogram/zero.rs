//! Zero buckets of different width.

use super::tally::Tally;
use super::FloatHistogram;

impl<C: Tally> FloatHistogram<C> {
    /// Widen the zero bucket until it covers that of `other` and cuts through no bucket of either that has counts. Gives
    /// what `other` has in a zero bucket of that width.
    pub(super) fn widen_zero_for(&mut self, other: &FloatHistogram) -> C {
        let mut its = other.zero_threshold;
        if its.is_nan() || self.zero_threshold.is_nan() {
            return C::of(other.zero_count);
        }
        while its != self.zero_threshold {
            if its < self.zero_threshold {
                its = other.zero_reach(self.zero_threshold);
            } else {
                self.widen_zero(its);
            }
        }
        other.zero_count_within(its, C::of)
    }

    /// Observations that a zero bucket of width `threshold`, which cuts through no bucket, would have, each count as `tally`
    /// has it.
    pub(super) fn zero_count_within<D: Tally>(&self, threshold: f64, tally: impl Fn(C) -> D) -> D {
        let mut count = tally(self.zero_count);
        if threshold > self.zero_threshold {
            for side in [&self.positive, &self.negative] {
                let inside = side.iter().take_while(|(index, _)| self.near_bound(*index) < threshold);
                inside.for_each(|(_, more)| count.absorb(tally(more)));
            }
        }
        count
    }

    /// The least width from `threshold` on at which the zero bucket cuts through no bucket that has counts.
    pub(super) fn zero_reach(&self, threshold: f64) -> f64 {
        let mut reach = threshold;
        loop {
            let before = reach;
            for side in [&self.positive, &self.negative] {
                let begun = side.iter().take_while(|(index, _)| self.near_bound(*index) < before);
                let cut = begun.filter(|(index, count)| !count.is_zero() && self.bound(*index) > before);
                reach = cut.map(|(index, _)| self.bound(index)).fold(reach, f64::max);
            }
            if reach == before {
                return reach;
            }
        }
    }

    /// Make the zero bucket as wide as [`Self::zero_reach`] says, and drop the buckets inside of it.
    fn widen_zero(&mut self, threshold: f64) {
        let reach = self.zero_reach(threshold);
        self.zero_count = self.zero_count_within(reach, |count| count);
        self.zero_threshold = reach;
        for side in [&mut self.positive, &mut self.negative] {
            let schema = self.schema;
            let near = |index: i32| crate::native::upper_bound(schema, index.wrapping_sub(1));
            side.retain(|index, count| near(index) >= reach && !count.is_zero());
        }
    }

    /// The bound of bucket `index` that is nearer to zero.
    fn near_bound(&self, index: i32) -> f64 {
        self.bound(index.wrapping_sub(1))
    }
}
