//! From the histogram that an edge received to the one that is stored.

use super::{Counts, Histogram, ResetHint};
use crate::family::{self, Native};

impl Histogram {
    /// The native part of `received`, with its count and sum; `None` when it has only classic buckets. Those are series of
    /// their own, and exemplars are stored beside the samples. `gauge` is true when the family is of gauge histograms.
    pub fn received(received: &family::Histogram, gauge: bool) -> Option<Self> {
        let native = received.native.as_deref()?;
        let hint = if gauge { ResetHint::Gauge } else { ResetHint::Unknown };
        Some(Self {
            hint,
            schema: native.schema,
            zero_threshold: native.zero_threshold,
            sum: received.sum,
            positive: native.positive.spans.clone(),
            negative: native.negative.spans.clone(),
            custom: Vec::new(),
            counts: counts(received, native),
        })
    }
}

fn counts(received: &family::Histogram, native: &Native) -> Counts {
    if received.is_float() {
        return Counts::Float {
            count: received.count_float,
            zero: native.zero_count_float,
            positive: native.positive.counts.clone(),
            negative: native.negative.counts.clone(),
        };
    }
    Counts::Integer {
        count: received.count,
        zero: native.zero_count,
        positive: native.positive.deltas.clone(),
        negative: native.negative.deltas.clone(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::family::Buckets;

    fn received(native: Native) -> family::Histogram {
        family::Histogram {
            count: 3,
            sum: 2.5,
            native: Some(Box::new(native)),
            ..family::Histogram::default()
        }
    }

    #[test]
    fn whole_observations_stay_whole() {
        let positive = Buckets {
            spans: vec![(1, 2)],
            deltas: vec![2, -1],
            counts: vec![],
        };
        let stored = Histogram::received(
            &received(Native {
                schema: 3,
                positive,
                ..Native::default()
            }),
            false,
        )
        .unwrap();
        assert_eq!((stored.hint, stored.schema, stored.sum), (ResetHint::Unknown, 3, 2.5));
        assert_eq!(stored.positive, [(1, 2)]);
        let counts = Counts::Integer {
            count: 3,
            zero: 0,
            positive: vec![2, -1],
            negative: vec![],
        };
        assert_eq!(stored.counts, counts);
    }

    #[test]
    fn one_fraction_makes_all_counts_floats() {
        let negative = Buckets {
            spans: vec![(0, 1)],
            deltas: vec![],
            counts: vec![0.5],
        };
        let mut whole = received(Native {
            negative,
            ..Native::default()
        });
        whole.count_float = 1.5;
        let stored = Histogram::received(&whole, true).unwrap();
        assert_eq!(stored.hint, ResetHint::Gauge);
        let counts = Counts::Float {
            count: 1.5,
            zero: 0.0,
            positive: vec![],
            negative: vec![0.5],
        };
        assert_eq!(stored.counts, counts);
    }

    #[test]
    fn classic_buckets_alone_are_not_stored_as_a_histogram() {
        assert_eq!(Histogram::received(&family::Histogram::default(), false), None);
    }
}
