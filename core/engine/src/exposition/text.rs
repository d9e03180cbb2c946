//! Text format 0.0.4, and 1.0.0 with quoted names (source: prometheus/common `expfmt.MetricFamilyToText`).

use crate::family::{Family, Histogram, Kind, Label, Metric, Value};
use crate::float::push_go;
use crate::labels::{is_legacy_label_name, is_legacy_metric_name};

use super::Escaping;

/// `# HELP` (when there is one) and `# TYPE`. Types that the format does not know become the nearest that it knows.
pub fn family_header(name: &str, help: Option<&str>, kind: Kind, escaping: Escaping, out: &mut String) {
    let name = escaping.metric_name(name);
    if let Some(help) = help {
        out.push_str("# HELP ");
        push_name(&name, out);
        out.push(' ');
        push_help(help, out);
        out.push('\n');
    }
    out.push_str("# TYPE ");
    push_name(&name, out);
    out.push_str(match kind {
        Kind::Counter => " counter\n",
        Kind::Gauge | Kind::Info | Kind::StateSet => " gauge\n",
        Kind::Summary => " summary\n",
        Kind::Untyped => " untyped\n",
        Kind::Histogram | Kind::GaugeHistogram => " histogram\n",
    });
}

/// The samples of a family, a line each.
pub fn family_lines(family: &Family, escaping: Escaping, out: &mut String) {
    let name = escaping.metric_name(&family.name);
    for metric in &family.metrics {
        let mut line = |suffix: &str, bound: Option<(&str, f64)>, value: f64| {
            let start = Start { name: &name, suffix, labels: &metric.labels, bound, escaping };
            start.push(out);
            push_go(out, value);
            if let Some(t) = metric.timestamp_ms {
                out.push(' ');
                push_int(t, out);
            }
            out.push('\n');
        };
        metric_lines(metric, &mut line);
    }
}

fn metric_lines(metric: &Metric, line: &mut dyn FnMut(&str, Option<(&str, f64)>, f64)) {
    match &metric.value {
        Value::Counter(value, _) | Value::Gauge(value) | Value::Untyped(value) => line("", None, *value),
        Value::Summary(summary) => {
            for (quantile, value) in &summary.quantiles {
                line("", Some(("quantile", *quantile)), *value);
            }
            line("_sum", None, summary.sum);
            line("_count", None, summary.count as f64);
        }
        Value::Histogram(histogram) => histogram_lines(histogram, line),
        Value::Missing => {}
    }
}

fn histogram_lines(histogram: &Histogram, line: &mut dyn FnMut(&str, Option<(&str, f64)>, f64)) {
    for bucket in &histogram.buckets {
        line("_bucket", Some(("le", bucket.upper)), bucket.count());
    }
    if histogram.buckets.iter().all(|b| b.upper != f64::INFINITY) {
        line("_bucket", Some(("le", f64::INFINITY)), histogram.total());
    }
    line("_sum", None, histogram.sum);
    line("_count", None, histogram.total());
}

/// What stands before a sample's value.
struct Start<'a> {
    name: &'a str,
    suffix: &'a str,
    labels: &'a [Label],
    bound: Option<(&'a str, f64)>,
    escaping: Escaping,
}

impl Start<'_> {
    /// `name{labels} `, or `{"name",labels} ` when the name is not a legacy one.
    fn push(&self, out: &mut String) {
        let quoted = !is_legacy_metric_name(self.name);
        let mut separator = '{';
        if quoted {
            out.push_str("{\"");
            push_label_value(self.name, out);
            out.push_str(self.suffix);
            out.push('"');
            separator = ',';
        } else {
            out.push_str(self.name);
            out.push_str(self.suffix);
        }
        for label in self.labels {
            out.push(separator);
            push_label_name(&self.escaping.label_name(&label.name), out);
            out.push_str("=\"");
            push_label_value(&label.value, out);
            out.push('"');
            separator = ',';
        }
        if let Some((name, value)) = self.bound {
            out.push(separator);
            out.push_str(name);
            out.push_str("=\"");
            push_go(out, value);
            out.push('"');
            separator = ',';
        }
        out.push_str(if separator == ',' { "} " } else { " " });
    }
}

/// A metric name, quoted if need be.
pub(super) fn push_name(name: &str, out: &mut String) {
    if is_legacy_metric_name(name) {
        out.push_str(name);
    } else {
        out.push('"');
        push_label_value(name, out);
        out.push('"');
    }
}

/// A label name, quoted if need be.
pub(super) fn push_label_name(name: &str, out: &mut String) {
    if is_legacy_label_name(name) {
        out.push_str(name);
    } else {
        out.push('"');
        push_label_value(name, out);
        out.push('"');
    }
}

/// `\`, `"` and line feeds escaped.
pub(super) fn push_label_value(value: &str, out: &mut String) {
    if !value.bytes().any(|b| matches!(b, b'\\' | b'\n' | b'"')) {
        out.push_str(value);
        return;
    }
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' => out.push_str("\\\""),
            c => out.push(c),
        }
    }
}

fn push_help(help: &str, out: &mut String) {
    for c in help.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
}

fn push_int(value: i64, out: &mut String) {
    use std::fmt::Write;
    let _ = write!(out, "{value}");
}
