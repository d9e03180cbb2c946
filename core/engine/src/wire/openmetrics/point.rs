//! One metric at one time, put together from its samples.

use crate::exposition::openmetrics::EXEMPLAR_CHARS;
use crate::family::{Bucket, Exemplar, Histogram, Kind, Label, Metric, Summary, Value};
use crate::float::parse_go;
use crate::wire::count::{self, Count};
use crate::wire::openmetrics::line::{milliseconds, Read, Sample};

/// What a sample tells of its metric, by its name's suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Value,
    Quantile,
    Bucket,
    Sum,
    Count,
    Created,
}

/// The suffixes that the samples of a family may have.
pub(super) fn suffixes(kind: Kind) -> &'static [(&'static str, Role)] {
    match kind {
        Kind::Gauge | Kind::Untyped | Kind::StateSet => &[("", Role::Value)],
        Kind::Counter => &[("_total", Role::Value), ("_created", Role::Created)],
        Kind::Info => &[("_info", Role::Value)],
        Kind::Summary => &[
            ("", Role::Quantile),
            ("_sum", Role::Sum),
            ("_count", Role::Count),
            ("_created", Role::Created),
        ],
        Kind::Histogram => &[
            ("_bucket", Role::Bucket),
            ("_sum", Role::Sum),
            ("_count", Role::Count),
            ("_created", Role::Created),
        ],
        Kind::GaugeHistogram => &[
            ("_bucket", Role::Bucket),
            ("_gsum", Role::Sum),
            ("_gcount", Role::Count),
        ],
    }
}

/// The samples of one metric that have the same time.
#[derive(Debug, Default)]
pub(super) struct Point {
    /// Without `le` and `quantile` of buckets and quantiles.
    pub(super) labels: Vec<Label>,
    /// Seconds since 1970.
    pub(super) time: Option<f64>,
    value: Option<f64>,
    exemplar: Option<Exemplar>,
    sum: Option<f64>,
    count: Option<f64>,
    created: Option<f64>,
    quantiles: Vec<(f64, f64)>,
    buckets: Vec<Bucket>,
}

/// Take the label that names a bucket or quantile.
pub(super) fn take_bound(labels: &mut Vec<Label>, name: &str) -> Read<f64> {
    let at = labels.iter().position(|l| l.name == name);
    let value = at
        .map(|at| labels.remove(at).value)
        .ok_or_else(|| format!("no label {name:?}"))?;
    let bound = parse_go(value.as_bytes()).filter(|b| !b.is_nan());
    bound.ok_or_else(|| format!("expected a number as {name:?}, got {value:?}"))
}

impl Point {
    pub(super) fn new(labels: Vec<Label>, time: Option<f64>) -> Self {
        Self {
            labels,
            time,
            ..Self::default()
        }
    }

    /// Add what a sample tells. `bound` is the value of `le` or `quantile`.
    pub(super) fn add(&mut self, kind: Kind, role: Role, bound: Option<f64>, sample: Sample<'_>) -> Read<()> {
        let v = sample.value;
        check_exemplar(kind, role, sample.exemplar.as_ref())?;
        match role {
            Role::Value => {
                check_value(kind, v)?;
                self.exemplar = sample.exemplar;
                set(&mut self.value, v)
            }
            Role::Sum => set(&mut self.sum, v),
            Role::Count if v >= 0.0 => set(&mut self.count, v),
            Role::Count => Err(format!("{v} is no count")),
            Role::Created if v.is_finite() => set(&mut self.created, v),
            Role::Created => Err(format!("{v} is no time")),
            Role::Quantile => {
                let quantile = bound
                    .filter(|q| (0.0..=1.0).contains(q))
                    .ok_or("quantiles are between 0 and 1")?;
                self.quantiles.push((quantile, v));
                Ok(())
            }
            Role::Bucket => {
                let count = Count::of(v)
                    .filter(|_| !v.is_nan())
                    .ok_or_else(|| format!("{v} is no count"))?;
                let mut bucket = count.into_bucket(bound.unwrap_or(f64::INFINITY));
                bucket.exemplar = sample.exemplar.map(Box::new);
                self.buckets.push(bucket);
                Ok(())
            }
        }
    }

    /// The finished metric.
    pub(super) fn close(mut self, kind: Kind) -> Read<Metric> {
        let value = match kind {
            Kind::Counter => {
                let total = self.value.ok_or("a counter without a sample \"_total\"")?;
                Value::Counter(total, self.exemplar.take().map(Box::new))
            }
            Kind::Gauge | Kind::Info | Kind::StateSet => Value::Gauge(self.value.unwrap_or_default()),
            Kind::Untyped => Value::Untyped(self.value.unwrap_or_default()),
            Kind::Summary => Value::Summary(Box::new(self.summary()?)),
            Kind::Histogram | Kind::GaugeHistogram => Value::Histogram(Box::new(self.histogram()?)),
        };
        Ok(Metric {
            labels: self.labels,
            value,
            timestamp_ms: self.time.map(milliseconds).transpose()?,
            created_ms: self.created.map(milliseconds).transpose()?,
        })
    }

    fn summary(&mut self) -> Read<Summary> {
        let quantiles = std::mem::take(&mut self.quantiles);
        let mut sorted: Vec<f64> = quantiles.iter().map(|(q, _)| *q).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        if sorted.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err("a quantile is given twice".into());
        }
        let count = match Count::of(self.count.unwrap_or_default()) {
            Some(Count::Whole(count)) => count,
            _ => return Err("the count of a summary is an integer".into()),
        };
        Ok(Summary {
            count,
            sum: self.sum.unwrap_or_default(),
            quantiles,
        })
    }

    fn histogram(&mut self) -> Read<Histogram> {
        let buckets = std::mem::take(&mut self.buckets);
        let cumulative = |b: &Bucket| b.cumulative as f64 + b.cumulative_float;
        for pair in buckets.windows(2) {
            match pair {
                [a, b] if a.upper >= b.upper => return Err("buckets are in the order of \"le\"".into()),
                [a, b] if cumulative(a) > cumulative(b) => return Err("buckets are cumulative".into()),
                _ => {}
            }
        }
        let last = buckets.last().filter(|b| b.upper == f64::INFINITY);
        let all = last.map(cumulative).ok_or("a histogram has a bucket for \"+Inf\"")?;
        if self.count.is_some_and(|count| count != all) {
            return Err("the count of a histogram is that of its bucket for \"+Inf\"".into());
        }
        if self.sum.is_some() != self.count.is_some() {
            return Err("a histogram has both sum and count, or neither".into());
        }
        let mut histogram = Histogram {
            sum: self.sum.unwrap_or_default(),
            buckets,
            ..Histogram::default()
        };
        if let Some(count) = Count::of(all) {
            count.into_histogram(&mut histogram);
        }
        count::unify(&mut histogram);
        Ok(histogram)
    }
}

fn set(place: &mut Option<f64>, v: f64) -> Read<()> {
    match place.replace(v) {
        Some(_) => Err("the same sample twice".into()),
        None => Ok(()),
    }
}

fn check_value(kind: Kind, v: f64) -> Read<()> {
    match kind {
        Kind::Counter if v.is_nan() || v < 0.0 => Err(format!("a counter cannot be {v}")),
        Kind::Info if v != 1.0 => Err(format!("the value of an info is 1, not {v}")),
        Kind::StateSet if v != 0.0 && v != 1.0 => Err(format!("a state is 0 or 1, not {v}")),
        _ => Ok(()),
    }
}

fn check_exemplar(kind: Kind, role: Role, exemplar: Option<&Exemplar>) -> Read<()> {
    let Some(exemplar) = exemplar else { return Ok(()) };
    if role != Role::Bucket && !(role == Role::Value && kind == Kind::Counter) {
        return Err("only counters and buckets have exemplars".into());
    }
    let chars = |text: &str| text.chars().count();
    let length: usize = exemplar.labels.iter().map(|l| chars(&l.name) + chars(&l.value)).sum();
    if length > EXEMPLAR_CHARS {
        return Err(format!(
            "the labels of an exemplar have {length} characters, more than {EXEMPLAR_CHARS}"
        ));
    }
    Ok(())
}
