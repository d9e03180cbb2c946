//! Samples as lines of text, for people who look at dead letters, and back.
//!
//! ```text
//! up{job="a"} 1 1700000000000
//! latency {{schema:3 count:4 zero:1 positive:1,2 sum:2.5 positive_spans:0+2}} 1700000000000
//! ```
//!
//! The series and the value are as in the text format, with `StaleNaN` for the end of a series; the time is in ms. Of a histogram
//! what is zero or empty is left out; whole counts are differences, as in the messages.

use std::fmt::Write;
use std::sync::Arc;

use ahash::RandomState;

use super::samples::{Item, Samples, Table, Unsendable};
use crate::backfill::series_text;
use crate::batch::{is_stale, STALE_NAN_BITS};
use crate::float::{parse_go, push_go};
use crate::histogram::{Counts, Histogram, ResetHint, Span};
use crate::labels::{is_legacy_label_name, is_legacy_metric_name, Labels, METRIC_NAME};
use crate::sample::Value;

const STALE: &str = "StaleNaN";

/// A text that is no sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine(String);

impl std::fmt::Display for BadLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadLine {}

/// The line of a sample whose series has `labels`.
pub fn write(labels: Labels<'_>, item: &Item) -> String {
    let mut out = String::new();
    put_series(&mut out, labels);
    out.push(' ');
    match &item.value {
        Value::Float(v) => put_float(&mut out, *v),
        Value::Histogram(histogram) => put_histogram(&mut out, histogram),
    }
    let _ = write!(out, " {}", item.t);
    out
}

/// The samples of lines, in their order within each series.
pub fn read<'a>(lines: impl Iterator<Item = &'a str>, seed: &RandomState) -> Result<Samples, BadLine> {
    let mut table = Table::default();
    let mut items = Vec::new();
    for line in lines {
        let bad = |what: &str| BadLine(format!("{what}: {line:?}"));
        let end = series_text::end(line.as_bytes()).ok_or_else(|| bad("a series, a value and a time were expected"))?;
        let (series, rest) = line.split_at_checked(end).unwrap_or((line, ""));
        let mut labels = Vec::new();
        series_text::pack(series.as_bytes(), &mut labels).map_err(|error| bad(&error))?;
        let (value, t) = rest
            .trim()
            .rsplit_once(' ')
            .ok_or_else(|| bad("a value and a time were expected"))?;
        items.push(Item {
            series: table.intern(labels.into(), seed),
            t: t.parse().map_err(|_| bad("the time is no number of milliseconds"))?,
            value: read_value(value.trim_end()).ok_or_else(|| bad("the value is neither a number nor a histogram"))?,
            exemplars: 0..0,
        });
    }
    items.sort_by_key(|item| item.series);
    Ok(Samples::new(table, items, Unsendable::default()))
}

fn put_series(out: &mut String, labels: Labels<'_>) {
    let name = labels.get(METRIC_NAME);
    let is_before = is_legacy_metric_name(name);
    if is_before {
        out.push_str(name);
    }
    let start = out.len();
    let in_braces = labels.iter().filter(|(label, _)| !(is_before && *label == METRIC_NAME));
    for (label, value) in in_braces {
        out.push(if out.len() == start { '{' } else { ',' });
        if is_legacy_label_name(label) {
            out.push_str(label);
        } else {
            put_quoted(out, label);
        }
        out.push('=');
        put_quoted(out, value);
    }
    if out.len() > start {
        out.push('}');
    } else if !is_before {
        out.push_str("{}");
    }
}

fn put_quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '"' | '\\' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn put_float(out: &mut String, v: f64) {
    if is_stale(v) {
        out.push_str(STALE);
    } else {
        let mut digits = Vec::new();
        push_go(&mut digits, v);
        out.push_str(&String::from_utf8_lossy(&digits));
    }
}

fn read_float(text: &str) -> Option<f64> {
    match text {
        STALE => Some(f64::from_bits(STALE_NAN_BITS)),
        text => parse_go(text.as_bytes()),
    }
}

fn read_value(text: &str) -> Option<Value> {
    match text.strip_prefix("{{").and_then(|text| text.strip_suffix("}}")) {
        Some(fields) => read_histogram(fields).map(|histogram| Value::Histogram(Arc::new(histogram))),
        None => read_float(text).map(Value::Float),
    }
}

/// Writes `name:value` and `name:value,value`.
struct Fields<'a>(&'a mut String);

impl Fields<'_> {
    fn start(&mut self, name: &str) {
        if !self.0.ends_with('{') {
            self.0.push(' ');
        }
        let _ = write!(self.0, "{name}:");
    }

    fn float(&mut self, name: &str, v: f64) {
        if v.to_bits() != 0 {
            self.start(name);
            put_float(self.0, v);
        }
    }

    fn list<T>(&mut self, name: &str, values: &[T], put: impl Fn(&mut String, &T)) {
        if values.is_empty() {
            return;
        }
        self.start(name);
        for (n, value) in values.iter().enumerate() {
            if n > 0 {
                self.0.push(',');
            }
            put(self.0, value);
        }
    }

    fn text(&mut self, name: &str, value: &str) {
        self.start(name);
        self.0.push_str(value);
    }
}

const HINTS: [(ResetHint, &str); 4] = [
    (ResetHint::Unknown, "unknown"),
    (ResetHint::Reset, "reset"),
    (ResetHint::NotReset, "not_reset"),
    (ResetHint::Gauge, "gauge"),
];

fn put_histogram(out: &mut String, histogram: &Histogram) {
    out.push_str("{{");
    let mut fields = Fields(out);
    fields.text("schema", &histogram.schema.to_string());
    let span = |out: &mut String, (offset, length): &Span| {
        let _ = write!(out, "{offset}+{length}");
    };
    match &histogram.counts {
        Counts::Integer {
            count,
            zero,
            positive,
            negative,
        } => {
            fields.text("count", &count.to_string());
            fields.text("zero", &zero.to_string());
            let put = |out: &mut String, delta: &i64| {
                let _ = write!(out, "{delta}");
            };
            fields.list("positive", positive, put);
            fields.list("negative", negative, put);
        }
        Counts::Float {
            count,
            zero,
            positive,
            negative,
        } => {
            let put = |out: &mut String, v: &f64| put_float(out, *v);
            fields.list("float_count", &[*count], put);
            fields.list("float_zero", &[*zero], put);
            fields.list("positive", positive, put);
            fields.list("negative", negative, put);
        }
    }
    fields.float("sum", histogram.sum);
    fields.float("zero_threshold", histogram.zero_threshold);
    fields.list("positive_spans", &histogram.positive, span);
    fields.list("negative_spans", &histogram.negative, span);
    fields.list("custom", &histogram.custom, |out, v| put_float(out, *v));
    if let Some((_, name)) = HINTS.iter().skip(1).find(|(hint, _)| *hint == histogram.hint) {
        fields.text("hint", name);
    }
    out.push_str("}}");
}

fn list<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').map(read).collect()
}

fn read_histogram(text: &str) -> Option<Histogram> {
    let mut histogram = Histogram::default();
    let (mut whole, mut float): ((u64, u64), (f64, f64)) = Default::default();
    let (mut positive, mut negative) = ("", "");
    let mut is_float = false;
    let span = |text: &str| {
        let (offset, length) = text.split_once('+')?;
        Some((offset.parse().ok()?, length.parse().ok()?))
    };
    for field in text.split_ascii_whitespace() {
        let (name, value) = field.split_once(':')?;
        match name {
            "schema" => histogram.schema = value.parse().ok()?,
            "count" => whole.0 = value.parse().ok()?,
            "zero" => whole.1 = value.parse().ok()?,
            "float_count" => (is_float, float.0) = (true, read_float(value)?),
            "float_zero" => (is_float, float.1) = (true, read_float(value)?),
            "positive" => positive = value,
            "negative" => negative = value,
            "sum" => histogram.sum = read_float(value)?,
            "zero_threshold" => histogram.zero_threshold = read_float(value)?,
            "positive_spans" => histogram.positive = list(value, span)?,
            "negative_spans" => histogram.negative = list(value, span)?,
            "custom" => histogram.custom = list(value, read_float)?,
            "hint" => histogram.hint = HINTS.iter().find(|(_, name)| *name == value)?.0,
            _ => return None,
        }
    }
    histogram.counts = if is_float {
        Counts::Float {
            count: float.0,
            zero: float.1,
            positive: buckets(positive, read_float)?,
            negative: buckets(negative, read_float)?,
        }
    } else {
        Counts::Integer {
            count: whole.0,
            zero: whole.1,
            positive: buckets(positive, |text| text.parse().ok())?,
            negative: buckets(negative, |text| text.parse().ok())?,
        }
    };
    histogram.is_sound().then_some(histogram)
}

fn buckets<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    list(text, read)
}
