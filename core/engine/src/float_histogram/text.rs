//! Histograms as text: as Prometheus prints them, and as its test language writes them.

use std::fmt;

use super::tally::Tally;
use super::{Bucket, Buckets, FloatHistogram};
use crate::float::{push_go, push_i64};
use crate::histogram::ResetHint;

/// Empty buckets that a literal names between others; where more are missing it cannot tell them.
const LONGEST_GAP: i64 = 10_000;

impl fmt::Display for FloatHistogram {
    /// `{count:9, sum:5.5, [-0.5,0.5]:2, (1,2]:7}`: the value of a histogram in labels and messages, without empty buckets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::from("{count:");
        push_go(&mut out, self.count);
        out.push_str(", sum:");
        push_go(&mut out, self.sum);
        // Printed with the bounds that they have by schema, also where the zero bucket covers a part.
        let negative = self.negative.iter().rev();
        let negative = negative.map(|(index, count)| self.negative_bucket(index, count));
        let positive = self.positive.iter();
        let positive = positive.map(|(index, count)| self.positive_bucket(index, count));
        let zero = (!self.has_custom_buckets()).then(|| self.zero_bucket());
        for bucket in negative
            .chain(zero)
            .chain(positive)
            .filter(|bucket| bucket.count != 0.0)
        {
            out.push_str(", ");
            push_bucket(&mut out, &bucket);
        }
        out.push('}');
        f.write_str(&out)
    }
}

fn push_bucket(out: &mut String, bucket: &Bucket) {
    out.push(if bucket.has_lower { '[' } else { '(' });
    push_go(out, bucket.lower);
    out.push(',');
    push_go(out, bucket.upper);
    out.push_str(if bucket.has_upper { "]:" } else { "):" });
    push_go(out, bucket.count);
}

impl FloatHistogram {
    /// `{{schema:1 count:9 sum:5.5 z_bucket:2 buckets:[3 0 4]}}`, without what is zero: what [`super::parse_literal`] reads. Where
    /// buckets are further apart than a literal could tell, the text of `Display`.
    pub fn literal(&self) -> String {
        let compact = self.clone().compacted();
        let mut items = Items(String::from("{{"));
        if compact.schema != 0 {
            items.begin("schema");
            push_i64(&mut items.0, i64::from(compact.schema));
        }
        for (key, value) in [
            ("count", compact.count),
            ("sum", compact.sum),
            ("z_bucket", compact.zero_count),
            ("z_bucket_w", compact.zero_threshold),
        ] {
            if value != 0.0 {
                items.begin(key);
                push_go(&mut items.0, value);
            }
        }
        if compact.has_custom_buckets() {
            items.list("custom_values", compact.custom.iter().copied());
        }
        if compact.hint != ResetHint::Unknown {
            items.begin("counter_reset_hint");
            items.0.push_str(compact.hint.name());
        }
        let told = items.side("offset", "buckets", &compact.positive)
            && items.side("n_offset", "n_buckets", &compact.negative);
        if !told {
            return self.to_string();
        }
        items.0.push_str("}}");
        items.0
    }
}

/// A literal in the making.
struct Items(String);

impl Items {
    fn begin(&mut self, key: &str) {
        if self.0.len() > "{{".len() {
            self.0.push(' ');
        }
        self.0.push_str(key);
        self.0.push(':');
    }

    fn list(&mut self, key: &str, numbers: impl Iterator<Item = f64>) {
        self.begin(key);
        self.0.push('[');
        for (place, number) in numbers.enumerate() {
            if place > 0 {
                self.0.push(' ');
            }
            push_go(&mut self.0, number);
        }
        self.0.push(']');
    }

    /// False when there are too many buckets missing.
    fn side(&mut self, offset: &str, key: &str, buckets: &Buckets) -> bool {
        let Some((first, _)) = buckets.iter().next() else {
            return true;
        };
        let mut counts = Vec::with_capacity(buckets.len());
        let mut next = i64::from(first);
        for (index, count) in buckets.iter() {
            let missing = i64::from(index) - next;
            if missing > LONGEST_GAP {
                return false;
            }
            counts.extend((0..missing).map(|_| 0.0));
            counts.push(count.total());
            next = i64::from(index) + 1;
        }
        if first != 0 {
            self.begin(offset);
            push_i64(&mut self.0, i64::from(first));
        }
        self.list(key, counts.into_iter());
        true
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::arbitrary::{custom, exponential, histogram};
    use super::super::parse_literal;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn buckets_are_printed_as_ranges() {
        for (literal, text) in [
            ("{{}}", "{count:0, sum:0}"),
            (
                "{{count:17 sum:2.5 z_bucket:2 z_bucket_w:0.001 offset:1 buckets:[3 0 1e6] n_buckets:[4 5]}}",
                "{count:17, sum:2.5, [-2,-1):5, [-1,-0.5):4, [-0.001,0.001]:2, (1,2]:3, (4,8]:1e+06}",
            ),
            (
                "{{schema:-53 count:3 sum:NaN custom_values:[-1 5] buckets:[1 0.5 1]}}",
                "{count:3, sum:NaN, [-Inf,-1]:1, (-1,5]:0.5, (5,+Inf]:1}",
            ),
        ] {
            assert_eq!(parse_literal(literal).unwrap().0.to_string(), text);
        }
    }

    #[test]
    fn buckets_too_far_apart_for_a_literal_are_printed_as_ranges() {
        let far = FloatHistogram {
            positive: [(0, 1.0), (i32::MAX, 2.0)].into_iter().collect(),
            ..FloatHistogram::default()
        };
        assert_eq!(far.literal(), "{count:0, sum:0, (0.5,1]:1, (+Inf,+Inf]:2}");
    }

    proptest! {
        #[test]
        fn a_literal_says_it_all(h in prop_oneof![exponential(), custom()]) {
            let literal = h.literal();
            prop_assume!(literal.starts_with("{{") && h.positive.iter().all(|(index, count)| index >= -999 && !count.is_nan()));
            let (back, _) = parse_literal(&literal).unwrap();
            prop_assert_eq!(back.literal(), literal);
        }

        #[test]
        fn any_histogram_has_a_text(h in histogram()) {
            prop_assert_eq!(&h.to_string()[..1], "{");
            prop_assert_eq!(&h.literal()[..1], "{");
        }
    }
}
