//! Text 0.0.4, and 1.0.0 with quoted names (source: prometheus/common `expfmt.MetricFamilyToText`).

use crate::exposition::lines::{push_escaped, push_metric_name, push_pairs, push_quoted, Lines};
use crate::exposition::samples::{each_sample, Totals};
use crate::exposition::Escaping;
use crate::family::{Family, Kind};
use crate::float::{push_go, push_i64};
use crate::labels::is_legacy_metric_name;

/// `# HELP` (when there is one) and `# TYPE`. Types that the format does not know become the nearest that it knows.
pub fn family_header(name: &str, help: Option<&str>, kind: Kind, escaping: Escaping, out: &mut String) {
    let name = escaping.metric_name(name);
    if let Some(help) = help {
        out.push_str("# HELP ");
        push_metric_name(out, &name);
        out.push(' ');
        push_escaped(out, help, false);
        out.push('\n');
    }
    out.push_str("# TYPE ");
    push_metric_name(out, &name);
    out.push_str(match kind {
        Kind::Counter => " counter\n",
        Kind::Gauge | Kind::Info | Kind::StateSet => " gauge\n",
        Kind::Summary => " summary\n",
        Kind::Untyped => " untyped\n",
        Kind::Histogram | Kind::GaugeHistogram => " histogram\n",
    });
}

/// The samples, one a line.
pub fn family_lines(family: &Family, escaping: Escaping, out: &mut String) {
    let name = escaping.metric_name(&family.name);
    let mut lines = Lines::new(&name, escaping);
    for metric in &family.metrics {
        lines.set_labels(&metric.labels);
        each_sample(metric, Totals::CLASSIC, &mut |sample| {
            lines.push_head(out, sample.suffix, sample.bound, push_float);
            push_float(out, sample.value.as_f64());
            if let Some(time) = metric.timestamp_ms {
                out.push(' ');
                push_i64(out, time);
            }
            out.push('\n');
        });
    }
}

/// The line of one sample at `time` ms: what [`family_lines`] writes of an untyped one, with no family to hold it.
pub fn line<'l>(
    name: &str,
    labels: impl Iterator<Item = (&'l str, &'l str)>,
    value: f64,
    time: i64,
    escaping: Escaping,
    out: &mut String,
) {
    let name = escaping.metric_name(name);
    let mut labels = labels.peekable();
    let is_legacy = is_legacy_metric_name(&name);
    if is_legacy {
        out.push_str(&name);
    }
    if !is_legacy || labels.peek().is_some() {
        out.push('{');
        if !is_legacy {
            push_quoted(out, &[&name]);
        }
        if !is_legacy && labels.peek().is_some() {
            out.push(',');
        }
        push_pairs(out, labels, escaping);
        out.push('}');
    }
    out.push(' ');
    push_float(out, value);
    out.push(' ');
    push_i64(out, time);
    out.push('\n');
}

/// The format has no negative zero.
fn push_float(out: &mut String, v: f64) {
    push_go(out, if v == 0.0 { 0.0 } else { v });
}

#[cfg(test)]
mod tests;
