//! Histograms of every kind, for property tests.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Counts, Histogram, ResetHint, Span, CUSTOM_BUCKETS};
use crate::batch::STALE_NAN_BITS;

/// Any sound histogram.
pub(crate) fn histogram() -> impl Strategy<Value = Arc<Histogram>> {
    prop_oneof![integer().prop_map(whole), float().prop_map(whole)]
}

/// Any sound histogram of whole observations.
pub(crate) fn integer() -> impl Strategy<Value = Histogram> {
    (shape(), any::<u64>(), any::<u64>(), vec(delta(), 24)).prop_map(|(shape, count, zero, deltas)| Histogram {
        counts: Counts::Integer {
            count: count >> 20,
            zero: zero >> 30,
            positive: deltas.iter().copied().cycle().take(buckets(&shape.positive)).collect(),
            negative: deltas
                .iter()
                .rev()
                .copied()
                .cycle()
                .take(buckets(&shape.negative))
                .collect(),
        },
        ..shape
    })
}

/// Any sound histogram of parts of observations.
pub(crate) fn float() -> impl Strategy<Value = Histogram> {
    (shape(), number(), number(), vec(number(), 24)).prop_map(|(shape, count, zero, counts)| Histogram {
        counts: Counts::Float {
            count,
            zero,
            positive: counts.iter().copied().cycle().take(buckets(&shape.positive)).collect(),
            negative: counts
                .iter()
                .rev()
                .copied()
                .cycle()
                .take(buckets(&shape.negative))
                .collect(),
        },
        ..shape
    })
}

fn whole(histogram: Histogram) -> Arc<Histogram> {
    Arc::new(histogram)
}

/// All but the counts.
fn shape() -> impl Strategy<Value = Histogram> {
    let threshold = prop_oneof![Just(0.0), Just(2f64.powi(-128)), Just(0.001), unsigned_zero()];
    let custom = vec(
        prop_oneof![(0..40_000_000u32).prop_map(|v| f64::from(v) / 1000.0), unsigned_zero()],
        0..5,
    );
    let schema = prop_oneof![4 => -4..=8i32, 1 => Just(CUSTOM_BUCKETS)];
    (0..4u8, schema, threshold, number(), spans(), spans(), custom).prop_map(
        |(hint, schema, zero_threshold, sum, positive, negative, custom)| Histogram {
            hint: ResetHint::from_byte(hint),
            schema,
            zero_threshold,
            sum,
            positive,
            negative,
            custom: if schema == CUSTOM_BUCKETS { custom } else { Vec::new() },
            counts: Counts::default(),
        },
    )
}

/// Any float but -0: thresholds and bounds lose the sign of zero in chunks, those of Prometheus too.
fn unsigned_zero() -> impl Strategy<Value = f64> {
    any::<f64>().prop_map(|v| v + 0.0)
}

/// Spans as writers make them, empty ones and wide gaps included.
fn spans() -> impl Strategy<Value = Vec<Span>> {
    (-300..300i32, vec((0..40i32, 0..5u32), 0..4)).prop_map(|(first, mut spans)| {
        if let Some(span) = spans.first_mut() {
            span.0 = first;
        }
        spans
    })
}

fn buckets(spans: &[Span]) -> usize {
    spans.iter().map(|(_, length)| *length as usize).sum()
}

fn delta() -> impl Strategy<Value = i64> {
    prop_oneof![3 => -9..9i64, 1 => any::<i32>().prop_map(i64::from), 1 => any::<i64>()]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => (0..90u32).prop_map(f64::from),
        1 => any::<u64>().prop_map(f64::from_bits),
        1 => Just(f64::from_bits(STALE_NAN_BITS)),
    ]
}
