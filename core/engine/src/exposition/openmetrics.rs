//! OpenMetrics 1.0 text (source: the specification, and prometheus/common `expfmt.MetricFamilyToOpenMetrics`).

use std::fmt::Write;

use crate::family::{Exemplar, Family, Histogram, Kind, Label, Metric, Value};
use crate::float::push_open_metrics;
use crate::labels::is_legacy_metric_name;

use super::text::{push_label_name, push_label_value, push_name};
use super::Escaping;

/// A whole family.
///
/// A counter whose name does not end in `_total` is shown as `unknown`: naming it right would rename the user's series.
pub fn family(family: &Family, escaping: Escaping, out: &mut String) {
    let name = escaping.metric_name(&family.name);
    let (kind, base) = kind_and_base(family.kind, &name);
    header(base, kind, family, out);
    let writer = Writer { base, full: &name, kind, escaping };
    for metric in &family.metrics {
        writer.metric(metric, out);
    }
}

/// The end of an exposition.
pub fn finish(out: &mut String) {
    out.push_str("# EOF\n");
}

/// The type as OpenMetrics calls it, and the family's name without the suffix that its samples carry.
fn kind_and_base(kind: Kind, name: &str) -> (&'static str, &str) {
    match kind {
        Kind::Counter => name.strip_suffix("_total").map_or(("unknown", name), |base| ("counter", base)),
        Kind::Info => name.strip_suffix("_info").map_or(("gauge", name), |base| ("info", base)),
        Kind::Gauge => ("gauge", name),
        Kind::Summary => ("summary", name),
        Kind::Untyped => ("unknown", name),
        Kind::Histogram => ("histogram", name),
        Kind::GaugeHistogram => ("gaugehistogram", name),
        Kind::StateSet => ("stateset", name),
    }
}

fn header(base: &str, kind: &str, family: &Family, out: &mut String) {
    if let Some(help) = &family.help {
        out.push_str("# HELP ");
        push_name(base, out);
        out.push(' ');
        push_label_value(help, out);
        out.push('\n');
    }
    out.push_str("# TYPE ");
    push_name(base, out);
    let _ = writeln!(out, " {kind}");
    if !family.unit.is_empty() && base.ends_with(family.unit.as_str()) {
        out.push_str("# UNIT ");
        push_name(base, out);
        let _ = writeln!(out, " {}", family.unit);
    }
}

struct Writer<'a> {
    base: &'a str,
    full: &'a str,
    kind: &'static str,
    escaping: Escaping,
}

impl Writer<'_> {
    fn metric(&self, metric: &Metric, out: &mut String) {
        match &metric.value {
            Value::Counter(value, exemplar) => {
                self.line(self.full, "", metric, None, *value, exemplar.as_deref(), out);
            }
            Value::Gauge(value) | Value::Untyped(value) => self.line(self.full, "", metric, None, *value, None, out),
            Value::Summary(summary) => {
                for (quantile, value) in &summary.quantiles {
                    self.line(self.base, "", metric, Some(("quantile", *quantile)), *value, None, out);
                }
                self.line(self.base, "_sum", metric, None, summary.sum, None, out);
                self.line(self.base, "_count", metric, None, summary.count as f64, None, out);
            }
            Value::Histogram(histogram) => self.histogram(histogram, metric, out),
            Value::Missing => return,
        }
        if let Some(created) = metric.created_ms.filter(|_| matches!(self.kind, "counter" | "summary" | "histogram")) {
            self.line(self.base, "_created", metric, None, created as f64 / 1000.0, None, out);
        }
    }

    fn histogram(&self, histogram: &Histogram, metric: &Metric, out: &mut String) {
        for bucket in &histogram.buckets {
            let bound = Some(("le", bucket.upper));
            self.line(self.base, "_bucket", metric, bound, bucket.count(), bucket.exemplar.as_deref(), out);
        }
        if histogram.buckets.iter().all(|b| b.upper != f64::INFINITY) {
            self.line(self.base, "_bucket", metric, Some(("le", f64::INFINITY)), histogram.total(), None, out);
        }
        let (sum, count) = if self.kind == "gaugehistogram" { ("_gsum", "_gcount") } else { ("_sum", "_count") };
        self.line(self.base, sum, metric, None, histogram.sum, None, out);
        self.line(self.base, count, metric, None, histogram.total(), None, out);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a line, in their order")]
    fn line(
        &self,
        name: &str,
        suffix: &str,
        metric: &Metric,
        bound: Option<(&str, f64)>,
        value: f64,
        exemplar: Option<&Exemplar>,
        out: &mut String,
    ) {
        let mut separator = '{';
        if is_legacy_metric_name(name) {
            out.push_str(name);
            out.push_str(suffix);
        } else {
            out.push_str("{\"");
            push_label_value(name, out);
            out.push_str(suffix);
            out.push('"');
            separator = ',';
        }
        self.labels(&metric.labels, &mut separator, out);
        if let Some((name, value)) = bound {
            out.push(separator);
            let _ = write!(out, "{name}=\"");
            push_open_metrics(out, value);
            out.push('"');
            separator = ',';
        }
        out.push_str(if separator == ',' { "} " } else { " " });
        push_open_metrics(out, value);
        if let Some(t) = metric.timestamp_ms {
            push_seconds(t, out);
        }
        if let Some(exemplar) = exemplar {
            self.exemplar(exemplar, out);
        }
        out.push('\n');
    }

    fn labels(&self, labels: &[Label], separator: &mut char, out: &mut String) {
        for label in labels {
            out.push(*separator);
            push_label_name(&self.escaping.label_name(&label.name), out);
            out.push_str("=\"");
            push_label_value(&label.value, out);
            out.push('"');
            *separator = ',';
        }
    }

    fn exemplar(&self, exemplar: &Exemplar, out: &mut String) {
        out.push_str(" # ");
        let mut separator = '{';
        self.labels(&exemplar.labels, &mut separator, out);
        out.push_str(if separator == ',' { "} " } else { "{} " });
        push_open_metrics(out, exemplar.value);
        if let Some(t) = exemplar.timestamp_ms {
            push_seconds(t, out);
        }
    }
}

/// ` seconds`, with a fraction only where there is one.
fn push_seconds(ms: i64, out: &mut String) {
    let (sign, ms) = (if ms < 0 { "-" } else { "" }, ms.unsigned_abs());
    let _ = write!(out, " {sign}{}", ms / 1000);
    if ms % 1000 != 0 {
        let fraction = format!("{:03}", ms % 1000);
        let _ = write!(out, ".{}", fraction.trim_end_matches('0'));
    }
}
