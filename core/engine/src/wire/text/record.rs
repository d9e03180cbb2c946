//! Where a sample's value goes: into a metric of its own, or into a field of its summary or histogram.

use crate::family::{Histogram, Kind, Label, Summary, Value};
use crate::quote::Quoted;
use crate::wire::count::Count;
use crate::wire::text::families::{Families, Role, Target};
use crate::wire::text::lexer::Lexed;

impl Families {
    /// Put a value where its line says, and tell the place of its metric. `labels` are left empty; `bound` is the value of
    /// `le` or `quantile`, without which a bucket's or quantile's line has no other effect than that the metric exists.
    pub(super) fn record(
        &mut self,
        Target { family, role }: Target,
        labels: &mut Vec<Label>,
        bound: Option<f64>,
        value: f64,
    ) -> Lexed<usize> {
        let bound = bound.filter(|b| !b.is_nan());
        if role == Role::Value && bound.is_some() {
            self.count += 1;
        }
        let at = match self.draft(family).family.kind {
            Kind::Counter => self.push(family, labels, Value::Counter(value, None)),
            Kind::Untyped => self.push(family, labels, Value::Untyped(value)),
            Kind::Summary => self.series(family, labels, || Value::Summary(Box::default())),
            Kind::Histogram | Kind::GaugeHistogram => self.series(family, labels, || Value::Histogram(Box::default())),
            Kind::Gauge | Kind::Info | Kind::StateSet => self.push(family, labels, Value::Gauge(value)),
        };
        let filled = match &mut self.metric(family, at).value {
            Value::Summary(summary) => fill_summary(summary, role, bound, value),
            Value::Histogram(histogram) => fill_histogram(histogram, role, bound, value),
            _ => Some(()),
        };
        filled.map(|()| at).ok_or_else(|| {
            let what = if role == Role::Count {
                "count"
            } else {
                "bucket population"
            };
            let name = self.name(Some(family));
            format!("negative {what} for histogram {}", Quoted(name.as_bytes()))
        })
    }
}

fn fill_summary(summary: &mut Summary, role: Role, bound: Option<f64>, value: f64) -> Option<()> {
    match (role, bound) {
        (Role::Count, _) => summary.count = value as u64,
        (Role::Sum, _) => summary.sum = value,
        (Role::Value, Some(quantile)) => summary.quantiles.push((quantile, value)),
        (Role::Value, None) => {}
    }
    Some(())
}

/// `None` when a count is negative.
fn fill_histogram(histogram: &mut Histogram, role: Role, bound: Option<f64>, value: f64) -> Option<()> {
    match (role, bound) {
        (Role::Count, _) => Count::of(value)?.into_histogram(histogram),
        (Role::Sum, _) => histogram.sum = value,
        (Role::Value, Some(upper)) => histogram.buckets.push(Count::of(value)?.into_bucket(upper)),
        (Role::Value, None) => {}
    }
    Some(())
}
