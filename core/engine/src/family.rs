//! Metric families: what a push carries and what `/metrics` shows, independent of any wire format.

/// Text that is usually short enough to live without an allocation.
pub type Text = compact_str::CompactString;

/// The type of a family. The numbers 0-5 are those of `io.prometheus.client.MetricType`; the rest exist in OpenMetrics only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A count that only grows.
    Counter = 0,
    /// A value that goes both ways.
    Gauge = 1,
    /// Quantiles, sum and count.
    Summary = 2,
    /// No type was told (OpenMetrics: `unknown`).
    Untyped = 3,
    /// Buckets, sum and count; classic, native or both.
    Histogram = 4,
    /// A histogram whose buckets may shrink.
    GaugeHistogram = 5,
    /// OpenMetrics `info`.
    Info = 6,
    /// OpenMetrics `stateset`.
    StateSet = 7,
}

impl Kind {
    /// The upper-case name that Pushgateway's API and its error texts use.
    pub fn upper(self) -> &'static str {
        match self {
            Self::Counter => "COUNTER",
            Self::Gauge => "GAUGE",
            Self::Summary => "SUMMARY",
            Self::Untyped => "UNTYPED",
            Self::Histogram => "HISTOGRAM",
            Self::GaugeHistogram => "GAUGE_HISTOGRAM",
            Self::Info => "INFO",
            Self::StateSet => "STATESET",
        }
    }
}

/// One family: all metrics of one name.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// Without the suffixes of histograms and summaries. In OpenMetrics input a counter's name is kept *with* `_total`, an info's with `_info`.
    pub name: Text,
    /// `None` when no HELP was given, which is not the same as an empty one.
    pub help: Option<Text>,
    /// The declared type.
    pub kind: Kind,
    /// OpenMetrics unit, else empty.
    pub unit: Text,
    /// In input order.
    pub metrics: Vec<Metric>,
}

/// One label set of a family, with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// As given: not sorted, maybe with empty values; without `__name__`, and without `le` / `quantile` of histograms and summaries.
    pub labels: Vec<Label>,
    /// What was measured.
    pub value: Value,
    /// Milliseconds since 1970, when the input carried a time.
    pub timestamp_ms: Option<i64>,
    /// Milliseconds since 1970 at which a counter, histogram or summary began, when told.
    pub created_ms: Option<i64>,
}

/// A label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// Name, any UTF-8.
    pub name: Text,
    /// Value, any UTF-8.
    pub value: Text,
}

/// What a metric holds; protobuf input can disagree with the family's declared type, which the consistency check refuses.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A counter, perhaps with an exemplar.
    Counter(f64, Option<Box<Exemplar>>),
    /// A gauge (also a state of a stateset, and an info's 1).
    Gauge(f64),
    /// Untyped.
    Untyped(f64),
    /// A summary.
    Summary(Box<Summary>),
    /// A histogram: classic buckets, native ones or both.
    Histogram(Box<Histogram>),
    /// A protobuf metric with no value at all.
    Missing,
}

/// A summary's fields.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// Observations.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// (quantile, value), in input order.
    pub quantiles: Vec<(f64, f64)>,
}

/// A histogram's fields, as in `io.prometheus.client.Histogram`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Histogram {
    /// Observations, when integer.
    pub count: u64,
    /// Observations of a float histogram; above 0 it wins over `count`, as in the protobuf message.
    pub count_float: f64,
    /// Sum of the observations.
    pub sum: f64,
    /// Classic buckets in input order.
    pub buckets: Vec<Bucket>,
    /// The native part, when there is one.
    pub native: Option<Box<Native>>,
}

impl Histogram {
    /// Observations are counted in fractions.
    pub fn is_float(&self) -> bool {
        let float_native =
            |n: &Native| n.zero_count_float > 0.0 || !n.positive.counts.is_empty() || !n.negative.counts.is_empty();
        self.count_float > 0.0 || self.native.as_deref().is_some_and(float_native)
    }
}

/// A classic bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    /// Inclusive upper bound; +Inf for the last.
    pub upper: f64,
    /// Observations up to the bound.
    pub cumulative: u64,
    /// The same of a float histogram; above 0 it wins.
    pub cumulative_float: f64,
    /// OpenMetrics exemplar.
    pub exemplar: Option<Box<Exemplar>>,
}

/// The native part of a histogram: schema, zero bucket, spans with deltas (integer) or counts (float).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Native {
    /// Resolution, -4 to 8; others are read, and refused where they would be stored.
    pub schema: i32,
    /// Width of the zero bucket.
    pub zero_threshold: f64,
    /// Observations in it, integer histogram.
    pub zero_count: u64,
    /// Observations in it, float histogram.
    pub zero_count_float: f64,
    /// Negative buckets.
    pub negative: Buckets,
    /// Positive buckets.
    pub positive: Buckets,
    /// Exemplars of the native histogram.
    pub exemplars: Vec<Exemplar>,
}

/// One side of a native histogram.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Buckets {
    /// (gap to the previous span, buckets in this one).
    pub spans: Vec<(i32, u32)>,
    /// Each bucket's count as difference from the previous bucket; integer histogram.
    pub deltas: Vec<i64>,
    /// Each bucket's count; float histogram.
    pub counts: Vec<f64>,
}

/// An exemplar.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    /// At most 128 characters in OpenMetrics.
    pub labels: Vec<Label>,
    /// The observed value.
    pub value: f64,
    /// Milliseconds since 1970, when told.
    pub timestamp_ms: Option<i64>,
}
