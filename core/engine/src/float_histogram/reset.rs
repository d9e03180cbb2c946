//! Whether a counter began anew.

use std::borrow::Cow;

use super::{Buckets, FloatHistogram};
use crate::histogram::ResetHint;
use crate::native::upper_bound;

impl FloatHistogram {
    /// True when the counter was reset between `previous` and this one: the hint says so, or something has fewer observations
    /// than before, or the histogram has become finer, which no counter does while it goes on.
    pub fn is_reset_since(&self, previous: &Self) -> bool {
        match self.hint {
            ResetHint::Reset => return true,
            ResetHint::NotReset => return false,
            // A gauge, used as a counter: the query warns of it, and it is compared as one.
            ResetHint::Unknown | ResetHint::Gauge => {}
        }
        if self.count < previous.count {
            return true;
        }
        if self.has_custom_buckets() && previous.has_custom_buckets() && self.custom != previous.custom {
            return self.custom_shrank_since(previous);
        }
        if self.has_custom_buckets() != previous.has_custom_buckets() || self.schema > previous.schema {
            return true;
        }
        self.zero_shrank_since(previous)
            || self.side_shrank_since(&self.positive, previous, &previous.positive)
            || self.side_shrank_since(&self.negative, previous, &previous.negative)
    }

    fn zero_shrank_since(&self, previous: &Self) -> bool {
        if self.zero_threshold == previous.zero_threshold {
            return self.zero_count < previous.zero_count;
        }
        let grew = self.zero_threshold > previous.zero_threshold;
        // A bucket that the new zero bucket cuts through cannot be compared.
        !grew
            || previous.zero_reach(self.zero_threshold) != self.zero_threshold
            || self.zero_count < previous.zero_count_within(self.zero_threshold, |count| count)
    }

    /// Compares the buckets outside of the zero bucket.
    fn side_shrank_since(&self, now: &Buckets, previous: &Self, before: &Buckets) -> bool {
        let custom = self.has_custom_buckets();
        let outside = |(index, _): &(i32, f64)| custom || upper_bound(self.schema, *index) > self.zero_threshold;
        let shift = previous.schema.saturating_sub(self.schema).unsigned_abs();
        let before = if shift == 0 {
            Cow::Borrowed(before)
        } else {
            Cow::Owned(before.coarser(shift))
        };
        let mut now = now.iter().peekable();
        let has_less = |(index, count): (i32, f64)| {
            while now.next_if(|(i, _)| *i < index).is_some() {}
            match now.next_if(|(i, _)| *i == index) {
                Some((_, now)) => now < count,
                None => count != 0.0,
            }
        };
        let has_shrunk = before.iter().skip_while(|bucket| !outside(bucket)).any(has_less);
        has_shrunk
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

    fn is_reset(before: &str, now: &str) -> bool {
        of(now).is_reset_since(&of(before))
    }

    #[test]
    fn fewer_of_anything_but_the_sum_is_a_reset() {
        let before = "{{count:10 sum:9 z_bucket:2 buckets:[1 0 3] n_buckets:[4]}}";
        for (now, want) in [
            (before, false),
            ("{{count:10 sum:1 z_bucket:2 buckets:[1 0 3] n_buckets:[4]}}", false),
            ("{{count:9 sum:9 z_bucket:2 buckets:[1 0 3] n_buckets:[4]}}", true),
            ("{{count:12 sum:9 z_bucket:1 buckets:[1 0 3] n_buckets:[7]}}", true),
            ("{{count:12 sum:9 z_bucket:2 buckets:[1 3 2] n_buckets:[4]}}", true),
            ("{{count:12 sum:9 z_bucket:2 buckets:[1 5] n_buckets:[4]}}", true),
            ("{{count:12 sum:9 z_bucket:2 offset:2 buckets:[6] n_buckets:[4]}}", true),
            ("{{count:12 sum:9 z_bucket:2 buckets:[1 2 3] n_buckets:[4]}}", false),
            ("{{count:12 sum:9 z_bucket:2 buckets:[3 0 3]}}", true),
        ] {
            assert_eq!(is_reset(before, now), want, "{now}");
        }
    }

    #[test]
    fn hints_say_it_at_once() {
        let before = "{{count:10 buckets:[10]}}";
        assert!(is_reset(before, "{{count:12 counter_reset_hint:reset buckets:[12]}}"));
        assert!(!is_reset(
            before,
            "{{count:2 counter_reset_hint:not_reset buckets:[2]}}"
        ));
        assert!(is_reset(before, "{{count:2 counter_reset_hint:gauge buckets:[2]}}"));
    }

    #[test]
    fn only_a_reset_makes_a_histogram_finer() {
        let (coarse, fine) = ("{{count:3 buckets:[1 2]}}", "{{schema:1 count:9 buckets:[1 3 5]}}");
        assert!(is_reset(coarse, fine));
        assert!(
            !is_reset(fine, "{{count:9 buckets:[1 8]}}"),
            "buckets are compared as the coarser ones"
        );
        assert!(is_reset(fine, "{{count:9 buckets:[2 7]}}"));
        assert!(is_reset("{{z_bucket_w:0.5}}", "{{z_bucket_w:0.25}}"));
    }

    #[test]
    fn a_wider_zero_bucket_takes_buckets_in() {
        let before = "{{count:6 z_bucket:1 z_bucket_w:0.25 offset:-1 buckets:[2 3]}}";
        assert!(!is_reset(before, "{{count:6 z_bucket:3 z_bucket_w:0.5 buckets:[3]}}"));
        assert!(is_reset(before, "{{count:6 z_bucket:2 z_bucket_w:0.5 buckets:[4]}}"));
        assert!(
            is_reset(before, "{{count:6 z_bucket:6 z_bucket_w:0.4}}"),
            "it cuts through a bucket"
        );
    }

    #[test]
    fn custom_buckets_are_compared_between_bounds_that_both_have() {
        let before = "{{schema:-53 count:6 custom_values:[1 2 3] buckets:[1 2 3]}}";
        assert!(!is_reset(
            before,
            "{{schema:-53 count:6 custom_values:[2 3] buckets:[3 3]}}"
        ));
        assert!(is_reset(
            before,
            "{{schema:-53 count:6 custom_values:[2 3] buckets:[2 4]}}"
        ));
        assert!(is_reset(before, "{{count:9 buckets:[9]}}"));
        assert!(is_reset("{{count:9 buckets:[9]}}", before));
    }

    proptest! {
        #[test]
        fn a_histogram_that_grew_was_not_reset(a in exponential(), b in exponential()) {
            let (a, b) = (a.reduced(b.schema), b.reduced(a.schema));
            let (mut sum, _) = a.plus(&b).unwrap();
            sum.hint = ResetHint::Unknown;
            prop_assert!(!sum.is_reset_since(&a));
        }

        #[test]
        fn any_two_can_be_compared(a in histogram(), b in histogram()) {
            a.is_reset_since(&b);
        }
    }
}
