//! Histograms of every kind, for property tests.

use proptest::prelude::*;

use super::FloatHistogram;
use crate::histogram::arbitrary as stored;
use crate::histogram::CUSTOM_BUCKETS;

/// Any sound histogram, of strange numbers too.
pub(crate) fn histogram() -> impl Strategy<Value = FloatHistogram> {
    stored::histogram().prop_map(|stored| FloatHistogram::from_stored(&stored))
}

/// One that a program may have: exponential buckets, whole observations, as many as there are in buckets.
pub(crate) fn exponential() -> impl Strategy<Value = FloatHistogram> {
    let schema = -2..5i32;
    let side = || proptest::collection::btree_map(-9..20i32, 0..9u32, 0..7);
    let threshold = prop_oneof![Just(0.0), Just(2f64.powi(-20)), 0.001..1.5f64];
    (schema, 0..4u8, threshold, 0..9u32, -99..99i32, side(), side()).prop_map(
        |(schema, hint, zero_threshold, zero, sum, positive, negative)| {
            let whole = |side: std::collections::BTreeMap<i32, u32>| {
                side.into_iter()
                    .map(|(index, count)| (index, f64::from(count)))
                    .collect()
            };
            let mut histogram = FloatHistogram {
                hint: crate::histogram::ResetHint::from_byte(hint),
                schema,
                zero_count: f64::from(zero),
                sum: f64::from(sum),
                positive: whole(positive),
                negative: whole(negative),
                ..FloatHistogram::default()
            };
            // A zero bucket is made to cut through no bucket that has counts.
            let widened = FloatHistogram {
                zero_threshold,
                ..FloatHistogram::default()
            };
            let Ok(_) = histogram.add(&widened) else {
                unreachable!("both are exponential");
            };
            histogram.hint = crate::histogram::ResetHint::from_byte(hint);
            let buckets = histogram.positive.counts().iter().chain(histogram.negative.counts());
            histogram.count = histogram.zero_count + buckets.sum::<f64>();
            histogram
        },
    )
}

/// Custom buckets alone.
pub(crate) fn custom() -> impl Strategy<Value = FloatHistogram> {
    histogram().prop_filter("custom buckets", |histogram| histogram.schema == CUSTOM_BUCKETS)
}
