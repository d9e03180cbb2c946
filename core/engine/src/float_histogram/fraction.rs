//! Shares of observations between two values.

use super::FloatHistogram;

impl FloatHistogram {
    /// The share of observations between `lower` and `upper`, interpolated as quantiles are; true when there were observations
    /// of NaN, which are between no two values.
    pub fn fraction(&self, lower: f64, upper: f64) -> (f64, bool) {
        if self.count == 0.0 || lower.is_nan() || upper.is_nan() {
            return (f64::NAN, false);
        }
        if lower >= upper {
            return (0.0, false);
        }
        let mut highest = self.count;
        let has_nans = self.sum.is_nan() && self.has_nans();
        if self.sum.is_nan() {
            highest = self.buckets().map(|bucket| bucket.count).sum();
        }
        let rank = |v| match self.rank(v) {
            Some(rank) if rank <= highest => rank,
            _ => highest,
        };
        ((rank(upper) - rank(lower)) / self.count, has_nans)
    }

    /// Observations below `v`; `None` when that is all of them.
    fn rank(&self, v: f64) -> Option<f64> {
        let mut rank = 0.0;
        for mut bucket in self.buckets() {
            let around_zero = bucket.has_zero();
            if around_zero {
                bucket = self.one_sided(bucket);
            }
            if bucket.lower >= v {
                return Some(rank);
            }
            if bucket.upper > v {
                let linear = self.has_custom_buckets() || around_zero;
                // Nothing is interpolated from infinity on.
                return Some(if linear && bucket.lower == f64::NEG_INFINITY {
                    bucket.count
                } else {
                    rank + bucket.count * bucket.fraction_below(v, linear)
                });
            }
            rank += bucket.count;
        }
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::arbitrary::{exponential, histogram};
    use super::super::parse_literal;
    use proptest::prelude::*;

    const INFINITE: f64 = f64::INFINITY;

    #[test]
    fn a_share_is_interpolated_by_the_kind_of_bucket() {
        let both = "{{count:10 sum:1 z_bucket:2 z_bucket_w:0.5 offset:1 buckets:[4] n_offset:1 n_buckets:[4]}}";
        let positive = "{{count:6 sum:20 z_bucket:2 z_bucket_w:0.5 offset:1 buckets:[4]}}";
        let custom = "{{schema:-53 count:10 sum:20 custom_values:[2 4] buckets:[4 4 2]}}";
        for (text, lower, upper, want) in [
            (both, -INFINITE, INFINITE, 1.0),
            (both, 2f64.sqrt(), INFINITE, 0.2),
            (both, -INFINITE, -2f64.sqrt(), 0.2),
            (both, 0.0, 0.25, 0.05),
            (both, 3.0, 9.0, 0.0),
            (both, 2.0, 1.0, 0.0),
            (positive, 0.0, 0.25, 1.0 / 6.0),
            (positive, -1.0, 0.5, 1.0 / 3.0),
            (custom, 1.0, 3.0, 0.4),
            (custom, 4.0, INFINITE, 0.2),
            (custom, -INFINITE, 9.0, 0.8),
            (custom, f64::NAN, 9.0, f64::NAN),
            ("{{}}", 0.0, 1.0, f64::NAN),
        ] {
            let (got, _) = parse_literal(text).unwrap().0.fraction(lower, upper);
            let close = (got - want).abs() < 1e-12 || (got.is_nan() && want.is_nan());
            assert!(close, "{text} from {lower} to {upper}: {got}, not {want}");
        }
    }

    #[test]
    fn nans_are_between_no_two_values() {
        let (histogram, _) = parse_literal("{{count:8 sum:NaN buckets:[2 2]}}").unwrap();
        assert_eq!(histogram.fraction(-INFINITE, INFINITE), (0.5, true));
    }

    proptest! {
        #[test]
        fn it_is_the_quantile_turned_around(h in exponential(), q in 0.01..0.99f64) {
            let quantile = h.quantile(q).value;
            // Without observations there is none, and nothing is inside of a zero bucket that has no width.
            prop_assume!(quantile != 0.0 && !quantile.is_nan());
            let (fraction, _) = h.fraction(f64::NEG_INFINITY, quantile);
            // A quantile in a gap is at either end of it.
            let again = h.quantile(fraction).value;
            prop_assert!((fraction - q).abs() < 1e-6 || (again - quantile).abs() <= 1e-6 * quantile.abs(), "{q} {quantile} {fraction}");
        }

        #[test]
        fn any_histogram_and_numbers_have_an_answer(h in histogram(), lower in any::<f64>(), upper in any::<f64>()) {
            h.fraction(lower, upper);
        }
    }
}
