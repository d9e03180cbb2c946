//! Where buckets begin and end.

use super::tally::Tally;
use super::FloatHistogram;
use crate::histogram::CUSTOM_BUCKETS;
use crate::native::upper_bound;

/// One bucket as a range of values.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bucket {
    /// Lower bound.
    pub lower: f64,
    /// Upper bound.
    pub upper: f64,
    /// The lower bound is in it.
    pub has_lower: bool,
    /// The upper bound is in it.
    pub has_upper: bool,
    /// Observations.
    pub count: f64,
}

impl Bucket {
    /// How much of the bucket, whose bounds are finite, lies below `v`, which is inside: by distance (`linear`), or, as in
    /// exponential buckets, by the logarithm of the distance.
    pub fn fraction_below(&self, v: f64, linear: bool) -> f64 {
        if linear {
            return (v - self.lower) / (self.upper - self.lower);
        }
        let (lower, upper) = (self.lower.abs().log2(), self.upper.abs().log2());
        let at = v.abs().log2();
        if v > 0.0 {
            (at - lower) / (upper - lower)
        } else {
            1.0 - (at - upper) / (lower - upper)
        }
    }

    /// Values on both sides of zero, or zero itself.
    pub fn has_zero(&self) -> bool {
        self.lower <= 0.0 && self.upper >= 0.0
    }
}

impl<C: Tally> FloatHistogram<C> {
    /// Its buckets have bounds of their own.
    pub fn has_custom_buckets(&self) -> bool {
        self.schema == CUSTOM_BUCKETS
    }

    /// The upper bound, further from zero, of bucket `index`.
    pub fn bound(&self, index: i32) -> f64 {
        if !self.has_custom_buckets() {
            return upper_bound(self.schema, index);
        }
        match usize::try_from(index) {
            Ok(index) => self.custom.get(index).copied().unwrap_or(f64::INFINITY),
            Err(_) => f64::NEG_INFINITY,
        }
    }

    /// Positive bucket `index`.
    pub fn positive_bucket(&self, index: i32, count: C) -> Bucket {
        let (lower, upper) = (self.bound(index.wrapping_sub(1)), self.bound(index));
        let custom = self.has_custom_buckets();
        Bucket {
            lower,
            upper,
            has_lower: if custom { index == 0 } else { lower < 0.0 },
            has_upper: custom || upper > 0.0,
            count: count.total(),
        }
    }

    /// Negative bucket `index`.
    pub fn negative_bucket(&self, index: i32, count: C) -> Bucket {
        let (lower, upper) = (-self.bound(index), -self.bound(index.wrapping_sub(1)));
        Bucket {
            lower,
            upper,
            has_lower: lower < 0.0,
            has_upper: upper > 0.0,
            count: count.total(),
        }
    }

    /// The bucket around zero.
    pub fn zero_bucket(&self) -> Bucket {
        Bucket {
            lower: -self.zero_threshold,
            upper: self.zero_threshold,
            has_lower: true,
            has_upper: true,
            count: self.zero_count.total(),
        }
    }

    /// All buckets, ascending, the zero bucket unless it is empty. Where one reaches into the zero bucket it ends there.
    pub fn buckets(&self) -> impl DoubleEndedIterator<Item = Bucket> + '_ {
        let negative = self.negative.iter().rev();
        let negative = negative.map(|(index, count)| self.outside_zero(self.negative_bucket(index, count)));
        let zero = (self.zero_count.total() > 0.0).then(|| self.zero_bucket());
        let positive = self.positive.iter();
        let positive = positive.map(|(index, count)| self.outside_zero(self.positive_bucket(index, count)));
        negative.chain(zero).chain(positive)
    }

    fn outside_zero(&self, mut bucket: Bucket) -> Bucket {
        if bucket.upper < 0.0 && bucket.upper > -self.zero_threshold {
            bucket.upper = -self.zero_threshold;
        } else if bucket.lower > 0.0 && bucket.lower < self.zero_threshold {
            bucket.lower = self.zero_threshold;
        }
        bucket
    }
}

/// The bounds that both have; both ascend.
pub fn intersection(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut b = b.iter().peekable();
    let in_both = |bound: &&f64| {
        while b.next_if(|other| *other < *bound).is_some() {}
        b.peek() == Some(bound)
    };
    a.iter().filter(in_both).copied().collect()
}
