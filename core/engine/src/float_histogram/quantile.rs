//! Quantiles of native histograms.

use super::{Bucket, FloatHistogram};

/// A quantile, and what observations of NaN, which are in no bucket, did to it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quantile {
    /// The quantile.
    pub value: f64,
    /// It is among the observations that were NaN.
    pub is_among_nans: bool,
    /// There were such observations; they count as the highest ones.
    pub is_skewed: bool,
}

impl From<f64> for Quantile {
    fn from(value: f64) -> Self {
        Self {
            value,
            ..Self::default()
        }
    }
}

/// The bucket that a rank leads to.
struct Hit {
    bucket: Bucket,
    /// Observations in it and in those passed on the way.
    count: f64,
}

impl FloatHistogram {
    /// The `q`-quantile. In the zero bucket and in custom ones observations are taken to be spread evenly, in others as a
    /// finer schema would find them in its buckets.
    pub fn quantile(&self, q: f64) -> Quantile {
        if q < 0.0 {
            return f64::NEG_INFINITY.into();
        }
        if q > 1.0 {
            return f64::INFINITY.into();
        }
        if self.count == 0.0 || q.is_nan() {
            return f64::NAN.into();
        }
        // NaNs are counted, but in no bucket: the way from above would miss by them.
        let upwards = self.sum.is_nan() || q < 0.5;
        let rank = if upwards { q } else { 1.0 - q } * self.count;
        let hit = if upwards {
            search(self.buckets(), rank)
        } else {
            search(self.buckets().rev(), rank)
        };
        self.at_rank(&hit, rank, upwards)
    }

    fn at_rank(&self, hit: &Hit, rank: f64, upwards: bool) -> Quantile {
        let bucket = match self.with_natural_bounds(hit.bucket) {
            Ok(bucket) => bucket,
            Err(bound) => return bound.into(),
        };
        let count = hit.count.min(self.count);
        if count < rank {
            let is_among_nans = self.sum.is_nan();
            return Quantile {
                value: if is_among_nans { f64::NAN } else { bucket.upper },
                is_among_nans,
                is_skewed: false,
            };
        }
        let within = if upwards {
            rank - (count - bucket.count)
        } else {
            count - rank
        };
        let linear = self.has_custom_buckets() || bucket.has_zero();
        Quantile {
            value: interpolate(&bucket, within / bucket.count, linear),
            is_among_nans: false,
            is_skewed: self.sum.is_nan() && self.has_nans(),
        }
    }

    /// Zero is where observations end when there are none on its other side, and where custom buckets begin. Err: nothing is
    /// to be interpolated towards infinity, the quantile is this bound.
    fn with_natural_bounds(&self, bucket: Bucket) -> Result<Bucket, f64> {
        let mut bucket = bucket;
        if self.has_custom_buckets() {
            if bucket.lower == f64::NEG_INFINITY {
                if bucket.upper <= 0.0 {
                    return Err(bucket.upper);
                }
                bucket.lower = 0.0;
            } else if bucket.upper == f64::INFINITY {
                return Err(bucket.lower);
            }
        } else if bucket.lower < 0.0 && bucket.upper > 0.0 {
            bucket = self.one_sided(bucket);
        }
        Ok(bucket)
    }

    /// The zero bucket of a histogram that has only positive buckets, or only negative ones, is on their side of zero.
    pub(super) fn one_sided(&self, mut bucket: Bucket) -> Bucket {
        match (self.negative.is_empty(), self.positive.is_empty()) {
            (true, false) => bucket.lower = 0.0,
            (false, true) => bucket.upper = 0.0,
            _ => {}
        }
        bucket
    }

    /// More was observed than there is in buckets. Asked only when the sum is NaN: it could also be one of both infinities.
    pub(super) fn has_nans(&self) -> bool {
        self.buckets().map(|bucket| bucket.count).sum::<f64>() < self.count
    }
}

/// Walk until `rank` observations are passed, or to the end.
fn search(buckets: impl Iterator<Item = Bucket>, rank: f64) -> Hit {
    let mut hit = Hit {
        bucket: Bucket::default(),
        count: 0.0,
    };
    for bucket in buckets {
        hit.bucket = bucket;
        if bucket.count == 0.0 {
            continue;
        }
        hit.count += bucket.count;
        if hit.count >= rank {
            break;
        }
    }
    hit
}

/// Where `fraction` of the bucket is.
fn interpolate(bucket: &Bucket, fraction: f64, linear: bool) -> f64 {
    if linear {
        return bucket.lower + (bucket.upper - bucket.lower) * fraction;
    }
    let (lower, upper) = (bucket.lower.abs().log2(), bucket.upper.abs().log2());
    if bucket.lower > 0.0 {
        (lower + (upper - lower) * fraction).exp2()
    } else {
        -(upper + (lower - upper) * (1.0 - fraction)).exp2()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::arbitrary::{exponential, histogram};
    use super::super::parse_literal;
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> FloatHistogram {
        parse_literal(text).unwrap().0
    }

    fn close(a: f64, b: f64) -> bool {
        a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
    }

    #[test]
    fn quantiles_are_interpolated_by_the_kind_of_bucket() {
        let positive = "{{count:8 sum:20 z_bucket:2 z_bucket_w:0.5 offset:1 buckets:[4 2]}}";
        let negative = "{{count:8 sum:-20 n_offset:1 n_buckets:[4 4]}}";
        let custom = "{{schema:-53 count:10 sum:20 custom_values:[2 4] buckets:[4 4 2]}}";
        let below = "{{schema:-53 count:10 sum:-20 custom_values:[-2 4] buckets:[4 6]}}";
        for (text, q, want) in [
            (positive, 0.0, 0.0),
            (positive, 0.125, 0.25),
            (positive, 0.5, 2f64.sqrt()),
            (positive, 0.75, 2.0),
            (positive, 0.875, 8f64.sqrt()),
            (positive, 1.0, 4.0),
            (negative, 0.25, -8f64.sqrt()),
            (negative, 0.75, -2f64.sqrt()),
            (negative, 0.0, -4.0),
            (custom, 0.2, 1.0),
            (custom, 0.6, 3.0),
            (custom, 0.95, 4.0),
            (below, 0.2, -2.0),
            (positive, -0.1, f64::NEG_INFINITY),
            (positive, 1.1, f64::INFINITY),
            (positive, f64::NAN, f64::NAN),
            ("{{}}", 0.5, f64::NAN),
        ] {
            let got = of(text).quantile(q);
            assert!(close(got.value, want), "{text} {q}: {got:?}, not {want}");
        }
    }

    #[test]
    fn nans_are_the_highest_observations() {
        let some = of("{{count:8 sum:NaN buckets:[2 2]}}");
        let (low, high) = (some.quantile(0.25), some.quantile(0.75));
        assert!(close(low.value, 1.0) && low.is_skewed && !low.is_among_nans);
        assert!(high.value.is_nan() && high.is_among_nans && !high.is_skewed);
        // Both infinities were observed, and are in buckets.
        let infinities = of("{{count:4 sum:NaN buckets:[2 2]}}").quantile(0.25);
        assert!(!infinities.is_skewed);
    }

    proptest! {
        #[test]
        fn quantiles_ascend(h in exponential(), a in 0.0..=1.0f64, b in 0.0..=1.0f64) {
            let (low, high) = (h.quantile(a.min(b)).value, h.quantile(a.max(b)).value);
            prop_assert!(low.is_nan() || low <= high * (1.0 + 1e-9 * high.signum()), "{low} {high}");
        }

        #[test]
        fn any_histogram_and_number_have_an_answer(h in histogram(), q in any::<f64>()) {
            h.quantile(q);
        }
    }
}
