//! Classic histograms as native ones with custom buckets.

use std::fmt;

use super::{Buckets, FloatHistogram};
use crate::float::push_go;
use crate::histogram::CUSTOM_BUCKETS;

/// The samples of a classic histogram at one time.
#[derive(Debug, Clone, Default)]
pub struct Classic {
    /// (upper bound, observations up to it), ascending.
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
}

/// Why samples are no classic histogram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotClassic(String);

impl fmt::Display for NotClassic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Classic {
    /// `count` observations up to `bound`: the sample of a `_bucket`. The first one for a bound counts.
    pub fn bucket(&mut self, bound: f64, count: f64) -> Result<(), NotClassic> {
        if bound.is_nan() {
            return Err(NotClassic("bucket boundary must not be NaN".to_owned()));
        }
        if count < 0.0 {
            return Err(refuse(
                "bucket count must be non-negative",
                &[("le=", bound), (", count=", count)],
            ));
        }
        let place = self.buckets.partition_point(|(other, _)| *other < bound);
        let above = self.buckets.get(place);
        if above.is_some_and(|(other, _)| *other == bound) {
            return Ok(());
        }
        let below = place.checked_sub(1).and_then(|below| self.buckets.get(below));
        if let Some((_, less)) = below.filter(|(_, less)| count < *less) {
            return Err(refuse("count is not cumulative", &[("", count), (" < ", *less)]));
        }
        if let Some((_, more)) = above.filter(|(_, more)| count > *more) {
            return Err(refuse("count is not cumulative", &[("", count), (" > ", *more)]));
        }
        self.buckets.insert(place, (bound, count));
        Ok(())
    }

    /// All observations: the sample of `_count`.
    pub fn count(&mut self, count: f64) -> Result<(), NotClassic> {
        if count < 0.0 {
            return Err(refuse("count must be non-negative", &[("count=", count)]));
        }
        self.count = Some(count);
        Ok(())
    }

    /// Their sum: the sample of `_sum`.
    pub fn sum(&mut self, sum: f64) {
        self.sum = sum;
    }

    /// The native histogram with the same buckets. Without a count it is that of the last bucket, without a bucket up to +Inf
    /// that one has the count.
    pub fn native(&self) -> Result<FloatHistogram, NotClassic> {
        let last = self.buckets.last().copied();
        let count = self.count.or(last.map(|(_, count)| count)).unwrap_or(0.0);
        let mut buckets = self.buckets.clone();
        if last.is_none_or(|(bound, _)| bound != f64::INFINITY) {
            buckets.push((f64::INFINITY, count));
        }
        if let Some((bound, last)) = buckets.last().filter(|(_, last)| *last != count) {
            return Err(refuse(
                "count mismatch",
                &[("count=", count), (" != le=", *bound), (" count=", *last)],
            ));
        }
        let mut before = 0.0;
        let counts: Buckets = (0..)
            .zip(&buckets)
            .map(|(index, (_, up_to))| {
                let count = up_to - before;
                before = *up_to;
                (index, count)
            })
            .collect();
        let finite = buckets
            .iter()
            .map(|(bound, _)| *bound)
            .filter(|bound| *bound != f64::INFINITY);
        Ok(FloatHistogram {
            schema: CUSTOM_BUCKETS,
            count,
            sum: self.sum,
            positive: counts,
            custom: finite.collect(),
            ..FloatHistogram::default()
        }
        .compacted())
    }
}

/// `what: a1 b2`, numbers as Go prints them.
fn refuse(what: &str, parts: &[(&str, f64)]) -> NotClassic {
    let mut text = format!("{what}: ");
    for (label, number) in parts {
        text.push_str(label);
        push_go(&mut text, *number);
    }
    NotClassic(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn classic(buckets: &[(f64, f64)], count: Option<f64>) -> Result<String, String> {
        let mut classic = Classic::default();
        let filled = buckets
            .iter()
            .try_for_each(|(bound, count)| classic.bucket(*bound, *count));
        filled.map_err(|why| why.to_string())?;
        if let Some(count) = count {
            classic.count(count).map_err(|why| why.to_string())?;
        }
        classic.sum(7.0);
        classic
            .native()
            .map(|native| native.literal())
            .map_err(|why| why.to_string())
    }

    #[test]
    fn counts_up_to_a_bound_become_counts_between_bounds() {
        let native = "{{schema:-53 count:9 sum:7 custom_values:[1 2.5] buckets:[2 3 4]}}";
        let infinite = f64::INFINITY;
        assert_eq!(
            classic(&[(1.0, 2.0), (2.5, 5.0), (infinite, 9.0)], None).unwrap(),
            native
        );
        assert_eq!(
            classic(&[(2.5, 5.0), (infinite, 9.0), (1.0, 2.0)], Some(9.0)).unwrap(),
            native
        );
        assert_eq!(classic(&[(1.0, 2.0), (2.5, 5.0)], Some(9.0)).unwrap(), native);
        assert_eq!(
            classic(&[(1.0, 2.0), (1.0, 9.0), (2.5, 5.0)], Some(9.0)).unwrap(),
            native
        );
        assert_eq!(
            classic(&[], Some(3.0)).unwrap(),
            "{{schema:-53 count:3 sum:7 custom_values:[] buckets:[3]}}"
        );
        assert_eq!(
            classic(&[(1.0, 2.0)], None).unwrap(),
            "{{schema:-53 count:2 sum:7 custom_values:[1] buckets:[2]}}"
        );
    }

    #[test]
    fn what_no_classic_histogram_says_is_refused() {
        for (buckets, count, why) in [
            (&[(f64::NAN, 1.0)][..], None, "bucket boundary must not be NaN"),
            (
                &[(1.0, -1.0)],
                None,
                "bucket count must be non-negative: le=1, count=-1",
            ),
            (&[(1.0, 3.0), (2.0, 2.0)], None, "count is not cumulative: 2 < 3"),
            (&[(2.0, 2.0), (1.0, 3.0)], None, "count is not cumulative: 3 > 2"),
            (&[], Some(-1.0), "count must be non-negative: count=-1"),
            (
                &[(f64::INFINITY, 3.0)],
                Some(4.0),
                "count mismatch: count=4 != le=+Inf count=3",
            ),
        ] {
            assert_eq!(classic(buckets, count), Err(why.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn any_samples_have_an_answer(buckets in vec((any::<f64>(), any::<f64>()), 0..5), count in any::<Option<f64>>()) {
            let _ = classic(&buckets, count);
        }
    }
}
