//! Observations below or above a value: the operators `</` and `>/`.

use super::tally::Tally;
use super::{Bucket, Buckets, FloatHistogram};

/// Which observations stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    Below,
    Above,
}

/// What stays of a bucket, and where its middle is.
struct Kept {
    count: f64,
    middle: f64,
}

impl Kept {
    const NOTHING: Self = Self {
        count: 0.0,
        middle: 0.0,
    };
}

/// Buckets so far: what stays of them.
#[derive(Default)]
struct Total {
    count: f64,
    sum: f64,
    has_changed: bool,
}

impl FloatHistogram {
    /// Observations up to `v`, as far as buckets tell: `self </ v`.
    pub fn below(&self, v: f64) -> Self {
        self.trimmed(v, Keep::Below)
    }

    /// Observations from `v` on: `self >/ v`.
    pub fn above(&self, v: f64) -> Self {
        self.trimmed(v, Keep::Above)
    }

    fn trimmed(&self, v: f64, keep: Keep) -> Self {
        let mut total = Total::default();
        let linear = self.has_custom_buckets();
        let side = |of: &Buckets, sign: f64, total: &mut Total| {
            let mut side = of.clone();
            for (index, count) in side.iter_mut().filter(|(_, count)| **count != 0.0) {
                let bucket = if sign > 0.0 {
                    self.positive_bucket(index, *count)
                } else {
                    self.negative_bucket(index, *count)
                };
                *count = total.take(&bucket, trim(&bucket, v, keep, sign, linear));
            }
            side
        };
        let positive = side(&self.positive, 1.0, &mut total);
        let negative = side(&self.negative, -1.0, &mut total);
        let mut zero_count = self.zero_count;
        if zero_count > 0.0 {
            let bucket = self.zero_bucket();
            zero_count = total.take(&bucket, self.trim_zero(bucket, v, keep));
        }
        if !total.has_changed {
            return self.clone();
        }
        Self {
            zero_count,
            count: total.count,
            sum: total.sum,
            positive,
            negative,
            ..self.clone()
        }
        .compacted()
    }

    /// Observations in the zero bucket are spread evenly over the side of zero that has others, or over both.
    fn trim_zero(&self, bucket: Bucket, v: f64, keep: Keep) -> Kept {
        let has = |side: &Buckets| side.counts().iter().any(|count| !count.is_zero());
        let (mut lower, mut upper) = (bucket.lower, bucket.upper);
        match (has(&self.negative), has(&self.positive)) {
            (true, false) => upper = 0.0,
            (false, true) => lower = 0.0,
            _ => {}
        }
        let part = |from: f64, to: f64| Kept {
            count: bucket.count * ((to - from) / (upper - lower)),
            middle: (from + to) / 2.0,
        };
        let all = Kept {
            count: bucket.count,
            middle: (lower + upper) / 2.0,
        };
        match keep {
            Keep::Below if v <= lower => Kept::NOTHING,
            Keep::Below if v >= upper => all,
            Keep::Below => part(lower, v),
            Keep::Above if v <= lower => all,
            Keep::Above if v >= upper => Kept::NOTHING,
            Keep::Above => part(v, upper),
        }
    }
}

impl Total {
    fn take(&mut self, bucket: &Bucket, kept: Kept) -> f64 {
        self.count += kept.count;
        self.sum += kept.middle * kept.count;
        self.has_changed |= kept.count != bucket.count;
        kept.count
    }
}

fn trim(bucket: &Bucket, v: f64, keep: Keep, sign: f64, linear: bool) -> Kept {
    let (all, none) = match keep {
        Keep::Below => (bucket.upper <= v, bucket.lower >= v),
        Keep::Above => (bucket.lower >= v, bucket.upper <= v),
    };
    if all {
        return Kept {
            count: bucket.count,
            middle: middle(bucket.lower, bucket.upper, sign, linear),
        };
    }
    if none || v.is_nan() {
        return Kept::NOTHING;
    }
    if bucket.lower == f64::NEG_INFINITY {
        return trim_lowest(bucket, v, keep);
    }
    if bucket.upper == f64::INFINITY {
        return trim_highest(bucket, v, keep);
    }
    let below = bucket.count * bucket.fraction_below(v, linear);
    match keep {
        Keep::Below => Kept {
            count: below,
            middle: middle(bucket.lower, v, sign, linear),
        },
        Keep::Above => Kept {
            count: bucket.count - below,
            middle: middle(v, bucket.upper, sign, linear),
        },
    }
}

/// The bucket from -Inf on, with `v` inside. When it ends above zero its observations are taken to be between zero and its end;
/// else they may be anywhere, and are all where `v` is.
fn trim_lowest(bucket: &Bucket, v: f64, keep: Keep) -> Kept {
    let (count, end) = (bucket.count, bucket.upper);
    let is_finite = end != f64::INFINITY;
    match keep {
        Keep::Below if v > 0.0 && end > 0.0 && is_finite => Kept {
            count: count * v / end,
            middle: v / 2.0,
        },
        Keep::Below if end <= 0.0 => Kept { count, middle: v },
        Keep::Above if v >= 0.0 && is_finite => Kept {
            count: count * (1.0 - v / end),
            middle: (v + end) / 2.0,
        },
        _ => Kept::NOTHING,
    }
}

/// The bucket up to +Inf, with `v` inside: its observations may be anywhere.
fn trim_highest(bucket: &Bucket, v: f64, keep: Keep) -> Kept {
    match keep {
        Keep::Above => Kept {
            count: bucket.count,
            middle: v,
        },
        Keep::Below => Kept::NOTHING,
    }
}

/// Where the observations between two bounds are on average.
fn middle(lower: f64, upper: f64, sign: f64, linear: bool) -> f64 {
    match (lower.is_infinite(), upper.is_infinite()) {
        (true, true) => 0.0,
        (true, false) if upper > 0.0 => upper / 2.0,
        (true, false) => upper,
        (false, true) => lower,
        _ if linear => (lower + upper) / 2.0,
        _ => sign * (lower * upper).abs().sqrt(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::arbitrary::{exponential, histogram};
    use super::super::parse_literal;
    use proptest::prelude::*;

    const EXPONENTIAL: &str =
        "{{count:14 sum:9 z_bucket:2 z_bucket_w:0.5 offset:1 buckets:[4 4] n_offset:1 n_buckets:[4]}}";
    const CUSTOM: &str = "{{schema:-53 count:10 sum:20 custom_values:[2 4] buckets:[4 4 2]}}";

    fn trims(text: &str, v: f64) -> [String; 2] {
        let (histogram, _) = parse_literal(text).unwrap();
        [histogram.below(v).literal(), histogram.above(v).literal()]
    }

    #[test]
    fn buckets_end_where_they_are_cut() {
        let root = 2f64.sqrt();
        assert_eq!(
            trims(EXPONENTIAL, 2.0),
            [
                "{{count:10 z_bucket:2 z_bucket_w:0.5 offset:1 buckets:[4] n_offset:1 n_buckets:[4]}}".to_owned(),
                format!(
                    "{{{{count:4 sum:{} z_bucket_w:0.5 offset:2 buckets:[4]}}}}",
                    4.0 * 8f64.sqrt()
                ),
            ]
        );
        let [below, above] = trims("{{count:4 sum:9 offset:1 buckets:[4]}}", root);
        let (below, above) = (parse_literal(&below).unwrap().0, parse_literal(&above).unwrap().0);
        assert!((below.count - 2.0).abs() < 1e-12 && (above.count - 2.0).abs() < 1e-12);
        assert!((below.sum - 2.0 * root.sqrt()).abs() < 1e-12 && (above.sum - 2.0 * (2.0 * root).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn the_zero_bucket_is_cut_by_distance() {
        assert_eq!(
            trims("{{count:4 sum:9 z_bucket:4 z_bucket_w:0.5}}", 0.25),
            [
                "{{count:3 sum:-0.375 z_bucket:3 z_bucket_w:0.5}}",
                "{{count:1 sum:0.375 z_bucket:1 z_bucket_w:0.5}}"
            ]
        );
        let [below, _] = trims("{{count:8 sum:9 z_bucket:4 z_bucket_w:0.5 offset:1 buckets:[4]}}", 0.25);
        assert_eq!(
            below, "{{count:2 sum:0.25 z_bucket:2 z_bucket_w:0.5}}",
            "all of it is above zero"
        );
    }

    #[test]
    fn nothing_is_known_of_buckets_without_end() {
        assert_eq!(
            trims(CUSTOM, 9.0),
            [
                "{{schema:-53 count:8 sum:16 custom_values:[2 4] buckets:[4 4]}}",
                "{{schema:-53 count:2 sum:18 custom_values:[2 4] offset:2 buckets:[2]}}"
            ]
        );
        assert_eq!(
            trims(CUSTOM, 1.0),
            [
                "{{schema:-53 count:2 sum:1 custom_values:[2 4] buckets:[2]}}",
                "{{schema:-53 count:8 sum:23 custom_values:[2 4] buckets:[2 4 2]}}"
            ]
        );
        assert_eq!(
            trims(CUSTOM, -1.0),
            [
                "{{schema:-53 custom_values:[2 4]}}",
                "{{schema:-53 count:6 sum:20 custom_values:[2 4] offset:1 buckets:[4 2]}}"
            ]
        );
    }

    #[test]
    fn what_is_not_cut_stays_as_it_is() {
        for text in [EXPONENTIAL, CUSTOM, "{{count:3 sum:5}}"] {
            assert_eq!(trims(text, f64::NEG_INFINITY)[1], text);
        }
        assert_eq!(trims(EXPONENTIAL, f64::INFINITY)[0], EXPONENTIAL);
    }

    proptest! {
        #[test]
        fn both_parts_make_the_whole(h in exponential(), v in -20.0..20.0f64) {
            let parts = h.below(v).count + h.above(v).count;
            let all = h.zero_count + h.positive.counts().iter().sum::<f64>() + h.negative.counts().iter().sum::<f64>();
            prop_assert!((parts - all).abs() <= 1e-9 * all, "{parts} {all}");
        }

        #[test]
        fn any_histogram_and_number_have_an_answer(h in histogram(), v in any::<f64>()) {
            h.below(v);
            h.above(v);
        }
    }
}
