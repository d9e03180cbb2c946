//! The objects of Pushgateway's `GET /api/v1/metrics`: every number is a string in Go's `%v` form, keys are sorted.
//!
//! Unlike the peer, which shows a gauge histogram as the value 0, it is shown as a histogram.

mod buckets;
#[cfg(test)]
mod tests;
mod text;

use crate::exposition::json::buckets::push_native;
pub(crate) use crate::exposition::json::text::push_string;
use crate::exposition::json::text::{push_object, push_time};
use crate::family::{Family, Histogram, Kind, Label, Metric, Summary, Text, Value};
use crate::float::{push_go, push_u64};

/// Open a group's object, and tell its labels and how its last push ended. Families follow, then `}`.
pub fn group_open(labels: &[Label], last_push_successful: bool, out: &mut String) {
    out.push_str("{\"labels\":");
    push_labels(labels, out);
    out.push_str(",\"last_push_successful\":");
    out.push_str(if last_push_successful { "true" } else { "false" });
}

/// Append a family as a further member of its group's object. `stamp_ms` is when it was pushed.
pub fn family(family: &Family, stamp_ms: i64, out: &mut String) {
    out.push(',');
    push_string(&family.name, out);
    out.push_str(":{\"time_stamp\":");
    push_time(stamp_ms, out);
    out.push_str(",\"type\":\"");
    out.push_str(kind(family.kind).upper());
    out.push('"');
    if let Some(help) = family.help.as_ref().filter(|h| !h.is_empty()) {
        out.push_str(",\"help\":");
        push_string(help, out);
    }
    out.push_str(",\"metrics\":[");
    for (i, metric) in family.metrics.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        push_metric(metric, out);
    }
    out.push_str("]}");
}

/// The peer has gauges for what only OpenMetrics knows.
fn kind(kind: Kind) -> Kind {
    match kind {
        Kind::Info | Kind::StateSet => Kind::Gauge,
        kind => kind,
    }
}

fn push_metric(metric: &Metric, out: &mut String) {
    match &metric.value {
        Value::Summary(summary) => push_summary(summary, &metric.labels, out),
        Value::Histogram(histogram) => push_histogram(histogram, &metric.labels, out),
        Value::Counter(v, _) | Value::Gauge(v) | Value::Untyped(v) => push_simple(*v, &metric.labels, out),
        Value::Missing => push_simple(0.0, &metric.labels, out),
    }
}

fn push_simple(value: f64, labels: &[Label], out: &mut String) {
    out.push_str("{\"labels\":");
    push_labels(labels, out);
    out.push_str(",\"value\":\"");
    push_go(out, value);
    out.push_str("\"}");
}

fn push_summary(summary: &Summary, labels: &[Label], out: &mut String) {
    out.push_str("{\"count\":\"");
    push_u64(out, summary.count);
    out.push_str("\",\"labels\":");
    push_labels(labels, out);
    out.push_str(",\"quantiles\":");
    push_object(summary.quantiles.iter().map(|(q, v)| (float(*q), float(*v))), out);
    out.push_str(",\"sum\":\"");
    push_go(out, summary.sum);
    out.push_str("\"}");
}

fn push_histogram(histogram: &Histogram, labels: &[Label], out: &mut String) {
    out.push_str("{\"buckets\":");
    match histogram.native.as_ref() {
        Some(native) if !(native.negative.spans.is_empty() && native.positive.spans.is_empty()) => {
            push_native(histogram, native, out);
        }
        _ => {
            let cumulative = |upper: f64, count: u64, float: f64| (self::float(upper), number(count, float));
            let rows = histogram.buckets.iter();
            push_object(rows.map(|b| cumulative(b.upper, b.cumulative, b.cumulative_float)), out);
        }
    }
    out.push_str(",\"count\":\"");
    out.push_str(&number(histogram.count, histogram.count_float));
    out.push_str("\",\"labels\":");
    push_labels(labels, out);
    out.push_str(",\"sum\":\"");
    push_go(out, histogram.sum);
    out.push_str("\"}");
}

fn push_labels(labels: &[Label], out: &mut String) {
    push_object(labels.iter().map(|l| (l.name.clone(), l.value.clone())), out);
}

fn float(v: f64) -> Text {
    let mut text = Text::default();
    push_go(&mut text, v);
    text
}

/// The float wins above zero, as the protobuf message has it.
fn number(count: u64, count_float: f64) -> Text {
    if count_float > 0.0 {
        return float(count_float);
    }
    let mut text = Text::default();
    push_u64(&mut text, count);
    text
}
