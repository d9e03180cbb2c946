//! Families as protobuf messages. Fields come in the order of their numbers, repeated numbers unpacked.

use crate::bytes::{put_prefixed, put_uvarint, zigzag};
use crate::exposition::Escaping;
use crate::family::{Bucket, Buckets, Exemplar, Family, Histogram, Kind, Label, Metric, Native, Summary, Value};
use crate::wire::protobuf::{delimited, KIND_FIELD};

/// Append a `MetricFamily` with its names escaped.
pub(crate) fn put_family(family: &Family, escaping: Escaping, out: &mut Vec<u8>) {
    put_text(out, 1, &escaping.metric_name(&family.name));
    if let Some(help) = &family.help {
        put_text(out, 2, help);
    }
    let known_to_all = match family.kind {
        Kind::Info | Kind::StateSet => Kind::Gauge,
        kind => kind,
    };
    put_number(out, 3, known_to_all as u64);
    for metric in &family.metrics {
        put_message(out, 4, |out| put_metric(metric, escaping, out));
    }
    if !family.unit.is_empty() {
        put_text(out, 5, &family.unit);
    }
    if known_to_all != family.kind {
        put_number(out, KIND_FIELD, family.kind as u64);
    }
}

fn put_metric(metric: &Metric, escaping: Escaping, out: &mut Vec<u8>) {
    for label in &metric.labels {
        put_message(out, 1, |out| put_label(label, escaping, out));
    }
    let created = metric.created_ms;
    match &metric.value {
        Value::Gauge(v) => put_message(out, 2, |out| put_double(out, 1, *v)),
        Value::Counter(v, exemplar) => put_message(out, 3, |out| {
            put_double(out, 1, *v);
            put_exemplar(out, 2, exemplar.as_deref(), escaping);
            put_time(out, 3, created);
        }),
        Value::Summary(summary) => put_message(out, 4, |out| put_summary(summary, created, out)),
        Value::Untyped(v) => put_message(out, 5, |out| put_double(out, 1, *v)),
        Value::Histogram(_) | Value::Missing => {}
    }
    if let Some(time) = metric.timestamp_ms {
        put_number(out, 6, time as u64);
    }
    if let Value::Histogram(histogram) = &metric.value {
        put_message(out, 7, |out| put_histogram(histogram, created, escaping, out));
    }
}

fn put_label(label: &Label, escaping: Escaping, out: &mut Vec<u8>) {
    put_text(out, 1, &escaping.label_name(&label.name));
    put_text(out, 2, &label.value);
}

fn put_summary(summary: &Summary, created: Option<i64>, out: &mut Vec<u8>) {
    put_number(out, 1, summary.count);
    put_double(out, 2, summary.sum);
    for (quantile, value) in &summary.quantiles {
        put_message(out, 3, |out| {
            put_double(out, 1, *quantile);
            put_double(out, 2, *value);
        });
    }
    put_time(out, 4, created);
}

fn put_histogram(histogram: &Histogram, created: Option<i64>, escaping: Escaping, out: &mut Vec<u8>) {
    put_count(out, (1, histogram.count), (4, histogram.count_float), |out| {
        put_double(out, 2, histogram.sum);
        for bucket in &histogram.buckets {
            put_message(out, 3, |out| put_bucket(bucket, escaping, out));
        }
    });
    if let Some(native) = &histogram.native {
        put_native(native, out);
    }
    put_time(out, 15, created);
    for exemplar in histogram.native.iter().flat_map(|n| &n.exemplars) {
        put_exemplar(out, 16, Some(exemplar), escaping);
    }
}

fn put_bucket(bucket: &Bucket, escaping: Escaping, out: &mut Vec<u8>) {
    put_count(out, (1, bucket.cumulative), (4, bucket.cumulative_float), |out| {
        put_double(out, 2, bucket.upper);
        put_exemplar(out, 3, bucket.exemplar.as_deref(), escaping);
    });
}

fn put_native(native: &Native, out: &mut Vec<u8>) {
    put_number(out, 5, u64::from(zigzag32(native.schema)));
    put_double(out, 6, native.zero_threshold);
    put_count(out, (7, native.zero_count), (8, native.zero_count_float), |_| {});
    put_buckets(&native.negative, 9, out);
    put_buckets(&native.positive, 12, out);
}

/// Spans, deltas and counts have adjacent numbers.
fn put_buckets(side: &Buckets, first: u32, out: &mut Vec<u8>) {
    for (offset, length) in &side.spans {
        put_message(out, first, |out| {
            put_number(out, 1, u64::from(zigzag32(*offset)));
            put_number(out, 2, u64::from(*length));
        });
    }
    for delta in &side.deltas {
        put_number(out, first + 1, zigzag(*delta));
    }
    for count in &side.counts {
        put_double(out, first + 2, *count);
    }
}

/// A count is an integer or a float, in two fields; the one that says nothing is left out. `between` are the fields whose
/// numbers lie between theirs.
fn put_count(out: &mut Vec<u8>, whole: (u32, u64), float: (u32, f64), between: impl FnOnce(&mut Vec<u8>)) {
    let is_float = float.1.to_bits() != 0;
    if !is_float || whole.1 != 0 {
        put_number(out, whole.0, whole.1);
    }
    between(out);
    if is_float {
        put_double(out, float.0, float.1);
    }
}

fn put_exemplar(out: &mut Vec<u8>, number: u32, exemplar: Option<&Exemplar>, escaping: Escaping) {
    let Some(exemplar) = exemplar else { return };
    put_message(out, number, |out| {
        for label in &exemplar.labels {
            put_message(out, 1, |out| put_label(label, escaping, out));
        }
        put_double(out, 2, exemplar.value);
        put_time(out, 3, exemplar.timestamp_ms);
    });
}

/// A `google.protobuf.Timestamp`; zero fields are left out, as proto3 has it.
fn put_time(out: &mut Vec<u8>, number: u32, ms: Option<i64>) {
    let Some(ms) = ms else { return };
    put_message(out, number, |out| {
        let (seconds, nanos) = (ms.div_euclid(1000), ms.rem_euclid(1000) * 1_000_000);
        for (number, part) in [(1, seconds), (2, nanos)] {
            if part != 0 {
                put_number(out, number, part as u64);
            }
        }
    });
}

fn zigzag32(v: i32) -> u32 {
    ((v << 1) ^ (v >> 31)) as u32
}

fn put_tag(out: &mut Vec<u8>, number: u32, wire_type: u32) {
    put_uvarint(out, u64::from(number << 3 | wire_type));
}

fn put_number(out: &mut Vec<u8>, number: u32, v: u64) {
    put_tag(out, number, 0);
    put_uvarint(out, v);
}

fn put_double(out: &mut Vec<u8>, number: u32, v: f64) {
    put_tag(out, number, 1);
    out.extend_from_slice(&v.to_bits().to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, number: u32, text: &str) {
    put_tag(out, number, 2);
    put_prefixed(out, text.as_bytes());
}

fn put_message(out: &mut Vec<u8>, number: u32, message: impl FnOnce(&mut Vec<u8>)) {
    put_tag(out, number, 2);
    delimited(out, message);
}
