//! `GET /api/v1/metrics` of Pushgateway: numbers are strings, every family is a key of its group.

use std::fmt::Write;

use crate::family::{Buckets, Family, Histogram, Kind, Label, Metric, Native, Value};
use crate::float::push_go;

/// `{"labels":{...},"last_push_successful":...` without the closing brace: families follow.
pub fn group_open(labels: &[Label], successful: bool, out: &mut String) {
    out.push_str("{\"labels\":");
    push_labels(labels, out);
    let _ = write!(out, ",\"last_push_successful\":{successful}");
}

/// `,"name":{"time_stamp":...,"type":...,"help":...,"metrics":[...]}`.
pub fn family(family: &Family, stamp_ms: i64, out: &mut String) {
    out.push(',');
    push_string(&family.name, out);
    out.push_str(":{\"time_stamp\":\"");
    push_rfc3339(stamp_ms, out);
    let _ = write!(out, "\",\"type\":\"{}\"", upper(family.kind));
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

fn upper(kind: Kind) -> &'static str {
    match kind {
        Kind::Info | Kind::StateSet => Kind::Gauge.upper(),
        kind => kind.upper(),
    }
}

fn push_metric(metric: &Metric, out: &mut String) {
    out.push_str("{\"labels\":");
    push_labels(&metric.labels, out);
    match &metric.value {
        Value::Counter(value, _) | Value::Gauge(value) | Value::Untyped(value) => {
            out.push_str(",\"value\":");
            push_number(*value, out);
        }
        Value::Summary(summary) => {
            out.push_str(",\"quantiles\":");
            push_pairs(summary.quantiles.iter().copied(), out);
            push_totals(summary.count as f64, summary.sum, out);
        }
        Value::Histogram(histogram) => {
            out.push_str(",\"buckets\":");
            match &histogram.native {
                Some(native) => push_native(histogram, native, out),
                None => push_pairs(histogram.buckets.iter().map(|b| (b.upper, b.count())), out),
            }
            push_totals(histogram.total(), histogram.sum, out);
        }
        Value::Missing => {}
    }
    out.push('}');
}

fn push_totals(count: f64, sum: f64, out: &mut String) {
    out.push_str(",\"count\":");
    push_number(count, out);
    out.push_str(",\"sum\":");
    push_number(sum, out);
}

fn push_pairs(pairs: impl Iterator<Item = (f64, f64)>, out: &mut String) {
    out.push('{');
    for (i, (key, value)) in pairs.enumerate() {
        if i > 0 {
            out.push(',');
        }
        push_number(key, out);
        out.push(':');
        push_number(value, out);
    }
    out.push('}');
}

/// `[boundary rule, low, high, count]` for each bucket that is not empty, lowest first. Rules: 0 `(]`, 1 `[)`, 3 `[]`.
fn push_native(histogram: &Histogram, native: &Native, out: &mut String) {
    out.push('[');
    let mut first = true;
    let mut push = |rule: u8, low: f64, high: f64, count: f64| {
        if count == 0.0 {
            return;
        }
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        let _ = write!(out, "[{rule},");
        push_number(low, out);
        out.push(',');
        push_number(high, out);
        out.push(',');
        push_number(count, out);
        out.push(']');
    };
    let float = histogram.count_float > 0.0;
    for (index, count) in bucket_counts(&native.negative, float).into_iter().rev() {
        let (low, high) = bounds(index, native.schema);
        push(1, -high, -low, count);
    }
    let zero = if float { native.zero_count_float } else { native.zero_count as f64 };
    push(3, -native.zero_threshold, native.zero_threshold, zero);
    for (index, count) in bucket_counts(&native.positive, float) {
        let (low, high) = bounds(index, native.schema);
        push(0, low, high, count);
    }
    out.push(']');
}

/// (bucket index, count), by index. Spans that promise more buckets than there are counts end with the counts.
fn bucket_counts(buckets: &Buckets, float: bool) -> Vec<(i32, f64)> {
    let mut out = Vec::new();
    let mut absolute = 0i64;
    let deltas = buckets.deltas.iter().map(|d| {
        absolute = absolute.wrapping_add(*d);
        absolute as f64
    });
    let mut counts: Box<dyn Iterator<Item = f64>> =
        if float { Box::new(buckets.counts.iter().copied()) } else { Box::new(deltas) };
    let mut index = 0i32;
    for (gap, length) in &buckets.spans {
        index = index.wrapping_add(*gap);
        for _ in 0..*length {
            let Some(count) = counts.next() else { return out };
            out.push((index, count));
            index = index.wrapping_add(1);
        }
    }
    out
}

/// Lower and upper bound of a positive bucket: powers of 2^(2^-schema).
fn bounds(index: i32, schema: i32) -> (f64, f64) {
    let bound = |i: i32| (f64::from(i) * 2f64.powi(-schema)).exp2();
    (bound(index.wrapping_sub(1)), bound(index))
}

fn push_labels(labels: &[Label], out: &mut String) {
    out.push('{');
    for (i, label) in labels.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        push_string(&label.name, out);
        out.push(':');
        push_string(&label.value, out);
    }
    out.push('}');
}

fn push_number(value: f64, out: &mut String) {
    out.push('"');
    push_go(out, value);
    out.push('"');
}

fn push_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// UTC with milliseconds, as Go's RFC3339Nano would: no zeros at the end of the fraction.
fn push_rfc3339(ms: i64, out: &mut String) {
    let (days, in_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let (seconds, fraction) = (in_day / 1000, in_day % 1000);
    let _ = write!(out, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction != 0 {
        let digits = format!("{fraction:03}");
        let _ = write!(out, ".{}", digits.trim_end_matches('0'));
    }
    out.push('Z');
}

/// Year, month and day of a day counted from 1970 (Howard Hinnant's `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_instants() {
        for (ms, want) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_583_781_848_025, "2020-03-09T19:24:08.025Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            let mut out = String::new();
            push_rfc3339(ms, &mut out);
            assert_eq!(out, want);
        }
    }
}
