//! OpenMetrics 1.0 text (source: the specification, and prometheus/common `expfmt.MetricFamilyToOpenMetrics`).
//!
//! What the format cannot say is left out rather than said wrongly: a unit that the name does not end in, an exemplar that is
//! too long, a start time of what has none. Float histograms keep their fractional counts.

use std::fmt::Write;

use crate::exposition::lines::{push_escaped, push_labels, push_metric_name, Lines};
use crate::exposition::samples::{each_sample, Number, Totals};
use crate::exposition::Escaping;
use crate::family::{Exemplar, Family, Kind, Metric};
use crate::float::{push_open_metrics, push_u64};

/// Characters that the labels of an exemplar may have in all.
pub(crate) const EXEMPLAR_CHARS: usize = 128;

/// A whole family.
///
/// A counter whose name does not end in `_total` is shown as `unknown`: naming it right would rename the user's series. An
/// info without `_info` is shown as a gauge.
pub fn family(family: &Family, escaping: Escaping, out: &mut String) {
    let name = escaping.metric_name(&family.name);
    let (kind, base) = kind_and_base(family.kind, &name);
    push_header(family, kind, base, out);
    let has_start = matches!(kind, "counter" | "summary" | "histogram");
    let mut lines = Lines::new(&name, escaping);
    let mut starts = Lines::new(base, escaping);
    for metric in &family.metrics {
        lines.set_labels(&metric.labels);
        push_metric(metric, family.kind, escaping, &lines, out);
        if let (Some(created), true) = (metric.created_ms, has_start) {
            starts.set_labels(&metric.labels);
            starts.push_head(out, "_created", None, push_open_metrics);
            push_seconds(created, out);
            out.push('\n');
        }
    }
}

/// The end of an exposition.
pub fn finish(out: &mut String) {
    out.push_str("# EOF\n");
}

/// The type as OpenMetrics calls it, and the family's name without the suffix that its samples carry.
fn kind_and_base(kind: Kind, name: &str) -> (&'static str, &str) {
    match kind {
        Kind::Counter => name
            .strip_suffix("_total")
            .map_or(("unknown", name), |base| ("counter", base)),
        Kind::Info => name
            .strip_suffix("_info")
            .map_or(("gauge", name), |base| ("info", base)),
        Kind::Gauge => ("gauge", name),
        Kind::Summary => ("summary", name),
        Kind::Untyped => ("unknown", name),
        Kind::Histogram => ("histogram", name),
        Kind::GaugeHistogram => ("gaugehistogram", name),
        Kind::StateSet => ("stateset", name),
    }
}

fn push_header(family: &Family, kind: &str, base: &str, out: &mut String) {
    if let Some(help) = &family.help {
        push_metadata("HELP", base, out);
        push_escaped(out, help, true);
        out.push('\n');
    }
    push_metadata("TYPE", base, out);
    out.push_str(kind);
    out.push('\n');
    let unit = family.unit.as_str();
    if !unit.is_empty() && base.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_')) {
        push_metadata("UNIT", base, out);
        out.push_str(unit);
        out.push('\n');
    }
}

fn push_metadata(keyword: &str, name: &str, out: &mut String) {
    out.push_str("# ");
    out.push_str(keyword);
    out.push(' ');
    push_metric_name(out, name);
    out.push(' ');
}

fn push_metric(metric: &Metric, kind: Kind, escaping: Escaping, lines: &Lines<'_>, out: &mut String) {
    each_sample(metric, Totals::of(kind), &mut |sample| {
        lines.push_head(out, sample.suffix, sample.bound, push_open_metrics);
        match sample.value {
            Number::Float(v) => push_open_metrics(out, v),
            Number::Count(n) => push_u64(out, n),
        }
        if let Some(time) = metric.timestamp_ms {
            out.push(' ');
            push_seconds(time, out);
        }
        if let Some(exemplar) = sample.exemplar.filter(|e| fits(e)) {
            push_exemplar(exemplar, escaping, out);
        }
        out.push('\n');
    });
}

fn fits(exemplar: &Exemplar) -> bool {
    let chars = |text: &str| text.chars().count();
    exemplar
        .labels
        .iter()
        .map(|l| chars(&l.name) + chars(&l.value))
        .sum::<usize>()
        <= EXEMPLAR_CHARS
}

fn push_exemplar(exemplar: &Exemplar, escaping: Escaping, out: &mut String) {
    out.push_str(" # {");
    push_labels(out, exemplar.labels.iter(), escaping);
    out.push_str("} ");
    push_open_metrics(out, exemplar.value);
    if let Some(time) = exemplar.timestamp_ms {
        out.push(' ');
        push_seconds(time, out);
    }
}

/// Seconds with all their milliseconds, which a float would round in the far past and future.
fn push_seconds(ms: i64, out: &mut String) {
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.unsigned_abs();
    let _ = write!(out, "{sign}{}.{:03}", ms / 1000, ms % 1000);
    while out.ends_with('0') && !out.ends_with(".0") {
        out.pop();
    }
}

#[cfg(test)]
mod tests;
