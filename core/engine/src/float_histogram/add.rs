//! Sums and differences.

use std::fmt;

use super::tally::Tally;
use super::{Buckets, FloatHistogram};
use crate::histogram::ResetHint;

/// What had to be settled between two histograms to add them up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reconciled {
    /// One began anew and the other went on: nothing is known of the sum.
    pub hints: bool,
    /// Only the bounds that both have are left.
    pub bounds: bool,
}

impl std::ops::BitOrAssign for Reconciled {
    fn bitor_assign(&mut self, other: Self) {
        self.hints |= other.hints;
        self.bounds |= other.bounds;
    }
}

/// Exponential and custom buckets have no sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incompatible;

impl fmt::Display for Incompatible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot apply this operation on histograms with a mix of exponential and custom bucket schemas")
    }
}

impl<C: Tally> FloatHistogram<C> {
    /// Add `other`. The coarser schema and the wider zero bucket win, of custom bounds those that both have. Buckets are not
    /// compacted.
    pub fn add(&mut self, other: &FloatHistogram) -> Result<Reconciled, Incompatible> {
        self.combine(other, |v| v)
    }

    /// Subtract `other`, likewise. The hint is that of a sum, see [`FloatHistogram::minus`].
    pub fn subtract(&mut self, other: &FloatHistogram) -> Result<Reconciled, Incompatible> {
        self.combine(other, |v| -v)
    }

    fn combine(&mut self, other: &FloatHistogram, sign: impl Fn(f64) -> f64) -> Result<Reconciled, Incompatible> {
        if self.has_custom_buckets() != other.has_custom_buckets() {
            return Err(Incompatible);
        }
        let mut reconciled = Reconciled {
            hints: self.combine_hints(other.hint),
            bounds: false,
        };
        if self.has_custom_buckets() {
            reconciled.bounds = self.combine_custom(other, |count| C::of(sign(count)));
        } else {
            self.combine_exponential(other, &sign);
        }
        self.count.add(sign(other.count));
        self.sum.add(sign(other.sum));
        Ok(reconciled)
    }

    fn combine_exponential(&mut self, other: &FloatHistogram, sign: impl Fn(f64) -> f64) {
        let zero_count = self.widen_zero_for(other);
        self.zero_count.absorb(zero_count.scaled(&sign));
        self.reduce_to(other.schema);
        let shift = other.schema.saturating_sub(self.schema).unsigned_abs();
        for (mine, its) in [
            (&mut self.positive, &other.positive),
            (&mut self.negative, &other.negative),
        ] {
            // In the schema that it has: a coarser bucket may reach into the zero bucket with counts that are not in there.
            let its = beyond(its.map(|count| C::of(sign(count))), other.schema, self.zero_threshold);
            mine.absorb(&if shift == 0 { its } else { its.coarser(shift) });
        }
    }

    /// True when the hints contradict each other. A gauge makes a gauge, what is unknown stays so.
    fn combine_hints(&mut self, other: ResetHint) -> bool {
        use ResetHint::{Gauge, Unknown};
        let (hint, collide) = match (self.hint, other) {
            (a, b) if a == b => (a, false),
            (Gauge, _) | (_, Gauge) => (Gauge, false),
            (Unknown, _) | (_, Unknown) => (Unknown, false),
            _ => (Unknown, true),
        };
        self.hint = hint;
        collide
    }
}

impl FloatHistogram {
    /// `self + other`, as the operator has it.
    pub fn plus(&self, other: &Self) -> Result<(Self, Reconciled), Incompatible> {
        let mut sum = self.clone();
        let reconciled = sum.add(other)?;
        Ok((sum.compacted(), reconciled))
    }

    /// `self - other`, as the operator has it: a gauge.
    pub fn minus(&self, other: &Self) -> Result<(Self, Reconciled), Incompatible> {
        let mut difference = self.clone();
        let reconciled = difference.subtract(other)?;
        difference.hint = ResetHint::Gauge;
        Ok((difference.compacted(), reconciled))
    }
}

/// The buckets that begin outside of the zero bucket: the others were counted with it.
fn beyond<C: Tally>(mut buckets: Buckets<C>, schema: i32, threshold: f64) -> Buckets<C> {
    let inside = |index: i32| crate::native::upper_bound(schema, index) <= threshold;
    if threshold > 0.0 && buckets.iter().next().is_some_and(|(first, _)| inside(first)) {
        buckets.retain(|index, _| !inside(index));
    }
    buckets
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

    fn sum(a: &str, b: &str) -> String {
        of(a).plus(&of(b)).unwrap().0.literal()
    }

    #[test]
    fn buckets_of_the_same_bounds_are_added() {
        assert_eq!(
            sum(
                "{{schema:1 count:6 sum:3 z_bucket:1 buckets:[1 2] n_buckets:[2]}}",
                "{{schema:1 count:4 sum:-1 offset:1 buckets:[1 0 3]}}"
            ),
            "{{schema:1 count:10 sum:2 z_bucket:1 buckets:[1 3 0 3] n_buckets:[2]}}"
        );
    }

    #[test]
    fn the_coarser_schema_wins() {
        let (fine, coarse) = (
            "{{schema:1 count:3 buckets:[0 1 2]}}",
            "{{count:4 offset:1 buckets:[4]}}",
        );
        let want = "{{count:7 offset:1 buckets:[7]}}";
        assert_eq!((sum(fine, coarse), sum(coarse, fine)), (want.into(), want.into()));
    }

    #[test]
    fn the_wider_zero_bucket_wins_and_ends_at_a_bound() {
        // 0.7 is inside of (0.5, 1], which has counts: the zero bucket goes up to 1.
        let (wide, narrow) = (
            "{{count:1 z_bucket:1 z_bucket_w:0.7}}",
            "{{count:10 z_bucket:2 z_bucket_w:0.1 offset:-2 buckets:[3 1 4]}}",
        );
        let want = "{{count:11 z_bucket:11 z_bucket_w:1}}";
        assert_eq!((sum(wide, narrow), sum(narrow, wide)), (want.into(), want.into()));
    }

    #[test]
    fn of_custom_bounds_those_that_both_have_are_left() {
        let (a, b) = (
            "{{schema:-53 count:10 custom_values:[1 2 5] buckets:[1 2 3 4]}}",
            "{{schema:-53 count:5 custom_values:[2 4 5] buckets:[1 0 2 2]}}",
        );
        let (sum, reconciled) = of(a).plus(&of(b)).unwrap();
        assert_eq!(
            sum.literal(),
            "{{schema:-53 count:15 custom_values:[2 5] buckets:[4 5 6]}}"
        );
        assert!(reconciled.bounds);
        let (difference, _) = of(a).minus(&of(b)).unwrap();
        assert_eq!(
            difference.literal(),
            "{{schema:-53 count:5 custom_values:[2 5] counter_reset_hint:gauge buckets:[2 1 2]}}"
        );
    }

    #[test]
    fn exponential_and_custom_buckets_have_no_sum() {
        let custom = of("{{schema:-53 custom_values:[1]}}");
        assert_eq!(custom.plus(&of("{{}}")), Err(Incompatible));
        assert_eq!(of("{{}}").minus(&custom), Err(Incompatible));
    }

    #[test]
    fn hints_settle() {
        use ResetHint::{Gauge, NotReset, Reset, Unknown};
        for (a, b, hint, collide) in [
            (Unknown, Unknown, Unknown, false),
            (Reset, Reset, Reset, false),
            (Reset, NotReset, Unknown, true),
            (NotReset, Reset, Unknown, true),
            (Reset, Unknown, Unknown, false),
            (Unknown, NotReset, Unknown, false),
            (Gauge, Reset, Gauge, false),
            (NotReset, Gauge, Gauge, false),
        ] {
            let with = |hint| FloatHistogram {
                hint,
                ..FloatHistogram::default()
            };
            let (sum, reconciled) = with(a).plus(&with(b)).unwrap();
            assert_eq!((sum.hint, reconciled.hints), (hint, collide), "{a:?} {b:?}");
            assert_eq!(with(a).minus(&with(b)).unwrap().0.hint, Gauge);
        }
    }

    proptest! {
        #[test]
        fn any_two_of_a_kind_have_a_sum_and_a_difference(a in histogram(), b in histogram()) {
            let (sum, difference) = (a.plus(&b), a.minus(&b));
            prop_assert_eq!(sum.is_ok(), a.has_custom_buckets() == b.has_custom_buckets());
            prop_assert_eq!(sum.is_ok(), difference.is_ok());
        }

        #[test]
        fn no_observation_is_lost(a in exponential(), b in exponential()) {
            let (sum, _) = a.plus(&b).unwrap();
            let all = |h: &FloatHistogram| {
                h.zero_count + h.positive.counts().iter().sum::<f64>() + h.negative.counts().iter().sum::<f64>()
            };
            prop_assert_eq!(all(&sum), all(&a) + all(&b));
            prop_assert_eq!(sum.schema, a.schema.min(b.schema));
            prop_assert!(sum.zero_threshold >= a.zero_threshold.max(b.zero_threshold));
        }

        #[test]
        fn order_does_not_matter(a in exponential(), b in exponential()) {
            prop_assert!(a.plus(&b).unwrap().0.same(&b.plus(&a).unwrap().0));
        }
    }
}
