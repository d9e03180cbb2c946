//! Native histograms that queries compute with: counts are floats, and bucket by bucket what they are, not differences.
//!
//! The rules are those of Prometheus 3.14 (`model/histogram/float_histogram.go`, `promql/quantile.go`), in which two
//! histograms of different resolution, zero bucket or bounds still have a sum. What happened on the way to it comes back as
//! [`Reconciled`].

mod accumulate;
mod add;
#[cfg(test)]
pub(crate) mod arbitrary;
mod bounds;
mod buckets;
mod convert;
mod custom;
mod fraction;
mod json;
mod literal;
mod moments;
mod nhcb;
mod quantile;
mod reset;
mod resolution;
mod tally;
mod text;
mod trim;
mod zero;

use std::sync::Arc;

pub use accumulate::Accumulator;
pub use add::{Incompatible, Reconciled};
pub use bounds::Bucket;
pub use buckets::Buckets;
pub use literal::{parse_literal, parse_sequence, BadLiteral, Sequence};
pub use nhcb::{Classic, NotClassic};
pub use quantile::Quantile;
pub use tally::{Kahan, Tally};

use crate::histogram::ResetHint;

/// A native histogram with counts of type `C`: floats, or sums of floats that are still being made.
#[derive(Debug, Clone, PartialEq)]
pub struct FloatHistogram<C = f64> {
    /// About the sample before.
    pub hint: ResetHint,
    /// Resolution: -4 to 8, or [`crate::histogram::CUSTOM_BUCKETS`].
    pub schema: i32,
    /// Width of the zero bucket.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: C,
    /// All observations.
    pub count: C,
    /// Their sum.
    pub sum: C,
    /// Buckets above zero, or all custom ones.
    pub positive: Buckets<C>,
    /// Buckets below zero; their indices count away from it.
    pub negative: Buckets<C>,
    /// Upper bounds of custom buckets, ascending, without +Inf.
    pub custom: Arc<[f64]>,
}

impl<C: Tally> Default for FloatHistogram<C> {
    fn default() -> Self {
        Self {
            hint: ResetHint::Unknown,
            schema: 0,
            zero_threshold: 0.0,
            zero_count: C::default(),
            count: C::default(),
            sum: C::default(),
            positive: Buckets::default(),
            negative: Buckets::default(),
            custom: Arc::default(),
        }
    }
}

impl<C: Tally> FloatHistogram<C> {
    /// The same with each count, and the sum, as `f` has it.
    pub fn map<D: Tally>(&self, f: impl Fn(C) -> D) -> FloatHistogram<D> {
        FloatHistogram {
            hint: self.hint,
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            zero_count: f(self.zero_count),
            count: f(self.count),
            sum: f(self.sum),
            positive: self.positive.map(&f),
            negative: self.negative.map(&f),
            custom: self.custom.clone(),
        }
    }

    /// Drop empty buckets.
    pub fn compact(&mut self) {
        self.positive.compact();
        self.negative.compact();
    }

    /// The same without empty buckets.
    pub fn compacted(mut self) -> Self {
        self.compact();
        self
    }

    /// Some number in it is infinite.
    pub fn has_overflowed(&self) -> bool {
        let numbers = [self.zero_count, self.count, self.sum];
        let counts = self.positive.counts().iter().chain(self.negative.counts());
        numbers.iter().chain(counts).any(|count| count.has_overflowed())
            || self.custom.iter().any(|bound| bound.is_infinite())
    }
}

impl FloatHistogram {
    /// Each count and the sum, times `factor`; by a negative one, counters become gauges.
    pub fn scaled(&self, factor: f64) -> Self {
        self.signed(factor, |count| count * factor)
    }

    /// Each count and the sum, divided by `divisor`. By zero, no bucket is left.
    pub fn divided(&self, divisor: f64) -> Self {
        let mut divided = self.signed(divisor, |count| count / divisor);
        if divisor == 0.0 {
            (divided.positive, divided.negative) = (Buckets::default(), Buckets::default());
        }
        divided
    }

    fn signed(&self, sign: f64, f: impl Fn(f64) -> f64) -> Self {
        let mut mapped = self.map(f);
        if sign < 0.0 {
            mapped.hint = ResetHint::Gauge;
        }
        mapped
    }

    /// The same to the bit, whatever the hints say: they are about the sample before. Buckets must be the same too, empty ones
    /// included.
    pub fn same(&self, other: &Self) -> bool {
        let same = |a: f64, b: f64| a.to_bits() == b.to_bits();
        let same_buckets = |a: &Buckets, b: &Buckets| {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|((i, a), (j, b))| i == j && same(a, b))
        };
        self.schema == other.schema
            && same(self.count, other.count)
            && same(self.sum, other.sum)
            && (!self.has_custom_buckets() || self.custom == other.custom)
            && self.zero_threshold == other.zero_threshold
            && same(self.zero_count, other.zero_count)
            && same_buckets(&self.negative, &other.negative)
            && same_buckets(&self.positive, &other.positive)
    }

    /// What it counts as beside float samples, of 16 bytes each, in the limits and statistics of queries.
    pub fn weight(&self) -> usize {
        const FIXED: usize = 168;
        let words = |buckets: &Buckets| buckets.len() + buckets.spans().len();
        let words = words(&self.positive) + words(&self.negative) + self.custom.len();
        (FIXED + 8 * words + 8) / 16
    }
}

#[cfg(test)]
mod tests {
    use super::arbitrary::histogram;
    use super::*;
    use proptest::prelude::*;

    fn buckets(of: &[(i32, f64)]) -> Buckets {
        of.iter().copied().collect()
    }

    fn sample() -> FloatHistogram {
        FloatHistogram {
            hint: ResetHint::NotReset,
            zero_count: 2.0,
            count: 9.0,
            sum: 5.5,
            positive: buckets(&[(0, 3.0), (2, 4.0)]),
            ..FloatHistogram::default()
        }
    }

    #[test]
    fn a_factor_scales_everything_and_a_negative_one_makes_a_gauge() {
        let twice = sample().scaled(2.0);
        assert_eq!((twice.count, twice.sum, twice.zero_count), (18.0, 11.0, 4.0));
        assert_eq!(twice.positive, buckets(&[(0, 6.0), (2, 8.0)]));
        assert_eq!(twice.hint, ResetHint::NotReset);
        assert_eq!(sample().scaled(-1.0).hint, ResetHint::Gauge);
        assert_eq!(sample().divided(-2.0).hint, ResetHint::Gauge);
    }

    #[test]
    fn nothing_is_in_buckets_after_a_division_by_zero() {
        let gone = sample().divided(0.0);
        assert_eq!(
            (gone.count, gone.sum, gone.zero_count),
            (f64::INFINITY, f64::INFINITY, f64::INFINITY)
        );
        assert!(gone.positive.is_empty() && gone.hint == ResetHint::NotReset);
        assert!(gone.has_overflowed() && !sample().has_overflowed());
    }

    #[test]
    fn an_empty_bucket_makes_another_histogram_until_it_is_compacted() {
        let mut wider = sample();
        wider.positive.push(7, 0.0);
        wider.hint = ResetHint::Reset;
        assert!(!wider.same(&sample()));
        assert!(wider.compacted().same(&sample()));
    }

    #[test]
    fn a_histogram_weighs_what_its_buckets_and_spans_take() {
        assert_eq!(FloatHistogram::<f64>::default().weight(), 11);
        assert_eq!(sample().weight(), 13);
    }

    proptest! {
        #[test]
        fn every_histogram_is_the_same_as_itself(h in histogram()) {
            prop_assert!(h.same(&h.clone()));
        }
    }
}
