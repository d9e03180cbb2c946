//! A metric as the plain samples that the text formats and the store know.

use crate::family::{Exemplar, Histogram, Kind, Metric, Summary, Value};

/// A sample's value, which some formats print differently for counts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    Float(f64),
    Count(u64),
}

impl Number {
    /// As every sample is stored.
    pub(super) fn as_f64(self) -> f64 {
        match self {
            Self::Float(v) => v,
            Self::Count(n) => n as f64,
        }
    }

    /// The float wins unless it is zero.
    fn of(count: u64, float: f64) -> Self {
        if float == 0.0 {
            Self::Count(count)
        } else {
            Self::Float(float)
        }
    }
}

/// One sample of a metric.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample<'a> {
    /// What follows the family's name.
    pub(super) suffix: &'static str,
    /// `le` or `quantile`.
    pub(super) bound: Option<(&'static str, f64)>,
    pub(super) value: Number,
    pub(super) exemplar: Option<&'a Exemplar>,
}

impl Sample<'_> {
    fn plain(suffix: &'static str, value: Number) -> Self {
        Self {
            suffix,
            bound: None,
            value,
            exemplar: None,
        }
    }
}

/// The suffixes of a histogram's sum and count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Totals {
    sum: &'static str,
    count: &'static str,
}

impl Totals {
    /// Those of the classic text format, whatever the type.
    pub(super) const CLASSIC: Self = Self {
        sum: "_sum",
        count: "_count",
    };

    /// Those of OpenMetrics and the store, where a gauge histogram has its own.
    pub(super) fn of(kind: Kind) -> Self {
        match kind {
            Kind::GaugeHistogram => Self {
                sum: "_gsum",
                count: "_gcount",
            },
            _ => Self::CLASSIC,
        }
    }
}

/// Every sample of a metric in the order of the text format. A histogram without a bucket for +Inf is given one.
pub(super) fn each_sample<'a>(metric: &'a Metric, totals: Totals, emit: &mut impl FnMut(Sample<'a>)) {
    match &metric.value {
        Value::Gauge(v) | Value::Untyped(v) => emit(Sample::plain("", Number::Float(*v))),
        Value::Counter(v, exemplar) => emit(Sample {
            exemplar: exemplar.as_deref(),
            ..Sample::plain("", Number::Float(*v))
        }),
        Value::Summary(summary) => each_of_summary(summary, emit),
        Value::Histogram(histogram) => each_of_histogram(histogram, totals, emit),
        Value::Missing => {}
    }
}

fn each_of_summary<'a>(summary: &'a Summary, emit: &mut impl FnMut(Sample<'a>)) {
    for (quantile, value) in &summary.quantiles {
        emit(Sample {
            bound: Some(("quantile", *quantile)),
            ..Sample::plain("", Number::Float(*value))
        });
    }
    emit(Sample::plain("_sum", Number::Float(summary.sum)));
    emit(Sample::plain("_count", Number::Count(summary.count)));
}

fn each_of_histogram<'a>(histogram: &'a Histogram, totals: Totals, emit: &mut impl FnMut(Sample<'a>)) {
    let count = Number::of(histogram.count, histogram.count_float);
    let bucket = |upper, value, exemplar| Sample {
        bound: Some(("le", upper)),
        exemplar,
        ..Sample::plain("_bucket", value)
    };
    for b in &histogram.buckets {
        emit(bucket(
            b.upper,
            Number::of(b.cumulative, b.cumulative_float),
            b.exemplar.as_deref(),
        ));
    }
    if histogram.buckets.iter().all(|b| b.upper != f64::INFINITY) {
        emit(bucket(f64::INFINITY, count, None));
    }
    emit(Sample::plain(totals.sum, Number::Float(histogram.sum)));
    emit(Sample::plain(totals.count, count));
}
