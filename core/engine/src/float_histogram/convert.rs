//! From stored histograms, and back.

use std::sync::Arc;

use super::{Buckets, FloatHistogram};
use crate::histogram::{Counts, Histogram};

impl FloatHistogram {
    /// The stored histogram, which must be sound, as queries see it.
    pub fn from_stored(stored: &Histogram) -> Self {
        let (count, zero_count, positive, negative) = match &stored.counts {
            Counts::Integer {
                count,
                zero,
                positive,
                negative,
            } => (*count as f64, *zero as f64, absolute(positive), absolute(negative)),
            Counts::Float {
                count,
                zero,
                positive,
                negative,
            } => (*count, *zero, positive.clone(), negative.clone()),
        };
        let whole = Self {
            hint: stored.hint,
            schema: stored.schema,
            zero_threshold: stored.zero_threshold,
            zero_count,
            count,
            sum: stored.sum,
            positive: Buckets::from_spans(&stored.positive, positive),
            negative: Buckets::from_spans(&stored.negative, negative),
            custom: stored.custom.as_slice().into(),
        };
        if !whole.has_custom_buckets() {
            return whole;
        }
        // Nothing else has a meaning beside custom buckets.
        Self {
            zero_threshold: 0.0,
            zero_count: 0.0,
            negative: Buckets::default(),
            ..whole
        }
    }

    /// As it is stored: with float counts.
    pub fn to_stored(&self) -> Arc<Histogram> {
        Arc::new(Histogram {
            hint: self.hint,
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            sum: self.sum,
            positive: self.positive.spans(),
            negative: self.negative.spans(),
            custom: self.custom.to_vec(),
            counts: Counts::Float {
                count: self.count,
                zero: self.zero_count,
                positive: self.positive.counts().to_vec(),
                negative: self.negative.counts().to_vec(),
            },
        })
    }
}

/// Counts from the differences between them.
fn absolute(deltas: &[i64]) -> Vec<f64> {
    let counts = deltas.iter().scan(0.0, |count, delta| {
        *count += *delta as f64;
        Some(*count)
    });
    counts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::arbitrary::histogram;
    use crate::histogram::ResetHint;
    use proptest::prelude::*;

    #[test]
    fn whole_observations_become_floats() {
        let stored = Histogram {
            hint: ResetHint::NotReset,
            schema: 2,
            zero_threshold: 0.5,
            sum: 4.5,
            positive: vec![(-1, 1), (2, 2)],
            counts: Counts::Integer {
                count: 9,
                zero: 1,
                positive: vec![3, -1, 1],
                negative: vec![],
            },
            ..Histogram::default()
        };
        let float = FloatHistogram::from_stored(&stored);
        assert_eq!(
            float.literal(),
            "{{schema:2 count:9 sum:4.5 z_bucket:1 z_bucket_w:0.5 counter_reset_hint:not_reset offset:-1 buckets:[3 0 0 2 3]}}"
        );
    }

    proptest! {
        #[test]
        fn a_stored_histogram_is_read_as_it_was(stored in histogram()) {
            let float = FloatHistogram::from_stored(&stored);
            let back = FloatHistogram::from_stored(&float.to_stored());
            prop_assert!(float.to_stored().is_sound());
            prop_assert!(float.same(&back) && float.hint == back.hint);
        }
    }
}
