//! A metric as the series that it stands for.

use crate::family::{Family, Histogram, Kind, Metric, Summary, Value};
use crate::float::push_open_metrics;

/// Where a series goes: the suffix of the family's name, `le` or `quantile` with its value, the sample.
pub type Emit<'e> = dyn FnMut(&str, Option<(&str, &str)>, f64) + 'e;

/// Give every float series of a metric, bounds printed as Prometheus 3 stores them (`1.0`, `0.005`, `+Inf`).
///
/// A classic histogram always gets its `+Inf` bucket. A histogram with native buckets only gives nothing: it is one
/// native sample. A metric without a value gives nothing either.
pub fn flatten(family: &Family, metric: &Metric, emit: &mut Emit<'_>) {
    match &metric.value {
        Value::Counter(value, _) | Value::Gauge(value) | Value::Untyped(value) => emit("", None, *value),
        Value::Summary(summary) => flatten_summary(summary, emit),
        Value::Histogram(histogram) if histogram.native.is_some() && histogram.buckets.is_empty() => {}
        Value::Histogram(histogram) => flatten_histogram(histogram, family.kind, emit),
        Value::Missing => {}
    }
}

fn flatten_summary(summary: &Summary, emit: &mut Emit<'_>) {
    let mut bound = String::new();
    for (quantile, value) in &summary.quantiles {
        bound.clear();
        push_open_metrics(&mut bound, *quantile);
        emit("", Some(("quantile", &bound)), *value);
    }
    emit("_sum", None, summary.sum);
    emit("_count", None, summary.count as f64);
}

fn flatten_histogram(histogram: &Histogram, kind: Kind, emit: &mut Emit<'_>) {
    let mut bound = String::new();
    let mut infinite = false;
    for bucket in &histogram.buckets {
        infinite |= bucket.upper == f64::INFINITY;
        bound.clear();
        push_open_metrics(&mut bound, bucket.upper);
        emit("_bucket", Some(("le", &bound)), bucket.count());
    }
    if !infinite {
        emit("_bucket", Some(("le", "+Inf")), histogram.total());
    }
    let (sum, count) = if kind == Kind::GaugeHistogram { ("_gsum", "_gcount") } else { ("_sum", "_count") };
    emit(sum, None, histogram.sum);
    emit(count, None, histogram.total());
}
