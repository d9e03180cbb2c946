//! Which schema samples get at an InfluxDB: named, and changed only under another name, for what is there was written by it.

use super::names::{put, rename, Role};
use crate::family::Kind;
use crate::float::{parse_go, push_go};

/// A schema. What each one writes is told by [`super::place`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mapping {
    /// Measurement = metric, field `value`, tags = labels. The only one that reads back to the same series.
    #[default]
    PromValue,
    /// The same with the metric's name as tag `__name__` too, as InfluxDB 1.x's `/api/v1/prom/write` writes it.
    Influx1Compat,
    /// Telegraf's `prometheusremotewrite` parser: one measurement, a field for each metric.
    TelegrafRw,
    /// Telegraf's scraper with `metric_version = 1`: a measurement for each family, histograms and summaries in one line.
    TelegrafV1,
    /// Telegraf's scraper with `metric_version = 2`: one measurement, a field for each metric.
    TelegrafV2,
    /// The OpenTelemetry Collector's `influxdbexporter` with its default schema, `telegraf-prometheus-v1`.
    OtelV1,
}

impl Mapping {
    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "prom-value" => Self::PromValue,
            "influx1-compat" => Self::Influx1Compat,
            "telegraf-rw" => Self::TelegrafRw,
            "telegraf-v1" => Self::TelegrafV1,
            "telegraf-v2" => Self::TelegrafV2,
            "otel-v1" => Self::OtelV1,
            _ => return None,
        })
    }

    /// Several samples may become fields of one line.
    pub fn merges(self) -> bool {
        !matches!(self, Self::PromValue | Self::Influx1Compat)
    }

    /// What kind of metric a sample is of decides where it goes.
    pub fn needs_kind(self) -> bool {
        matches!(self, Self::TelegrafV1 | Self::OtelV1)
    }
}

/// What becomes of native histograms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Natives {
    /// What the mapping makes of them: cumulative buckets, which can be queried as classic ones.
    #[default]
    Buckets,
    /// One line with all there is to know, spans and buckets as text.
    Lossless,
    /// No line; counted.
    Omit,
}

/// What becomes of NaN and infinities, which no field can hold.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum NonFinite {
    /// No line; counted.
    #[default]
    Omit,
    /// `NaN`, `+Inf` or `-Inf` in a text field beside the number's.
    Text,
    /// This number for NaN, the largest and smallest ones for infinities.
    Sentinel(f64),
}

/// What becomes of stale markers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stale {
    /// No line; counted.
    #[default]
    Omit,
    /// A boolean field.
    Marker,
}

/// How samples become lines.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// The schema.
    pub mapping: Mapping,
    /// What becomes of native histograms.
    pub natives: Natives,
    /// What becomes of NaN and infinities.
    pub non_finite: NonFinite,
    /// What becomes of stale markers.
    pub stale: Stale,
    /// Samples before this time, ms, have no line: the sink would not keep them.
    pub oldest: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mapping: Mapping::default(),
            natives: Natives::default(),
            non_finite: NonFinite::default(),
            stale: Stale::default(),
            oldest: i64::MIN,
        }
    }
}

/// The key of a sample's field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldKey<'a> {
    /// A word of the schema.
    Word(&'static str),
    /// The metric's name.
    Metric(&'a str),
    /// A bucket's bound or a quantile, as Go prints it with `%g`.
    Bound(f64),
    /// The same with all digits, as Go prints it with `%f`.
    PlainBound(f64),
}

impl FieldKey<'_> {
    /// Append it, escaped.
    pub fn put(self, out: &mut Vec<u8>) {
        match self {
            Self::Word(word) => out.extend_from_slice(word.as_bytes()),
            Self::Metric(name) => put(out, &*rename(name, Role::FieldKey), Role::FieldKey),
            Self::Bound(bound) => push_go(out, bound),
            // Display has no exponent, and neither a fraction for a whole number.
            Self::PlainBound(bound) if bound.is_infinite() => FieldKey::Bound(bound).put(out),
            Self::PlainBound(bound) => out.extend_from_slice(bound.to_string().as_bytes()),
        }
    }
}

/// Where a sample goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place<'a> {
    /// Measurement, not yet escaped.
    pub measurement: &'a str,
    /// The key of its field.
    pub field: FieldKey<'a>,
    /// A label that is no tag, for it is the field.
    pub without: &'static str,
    /// A label whose value is a number to be printed as Go does.
    pub number: &'static str,
}

impl<'a> Place<'a> {
    /// A measurement's field, with all labels as tags.
    pub fn new(measurement: &'a str, field: FieldKey<'a>) -> Self {
        Self {
            measurement,
            field,
            without: "",
            number: "",
        }
    }
}

const BUCKET: &str = "le";
const QUANTILE: &str = "quantile";

/// Where a sample of the metric `name` goes. `get` gives its labels; `kind` is what is told of it.
pub fn place<'a>(mapping: Mapping, name: &'a str, kind: Option<Kind>, get: impl Fn(&str) -> &'a str) -> Place<'a> {
    match mapping {
        Mapping::PromValue | Mapping::Influx1Compat => Place::new(name, FieldKey::Word("value")),
        Mapping::TelegrafRw => Place::new("prometheus_remote_write", FieldKey::Metric(name)),
        Mapping::TelegrafV2 => {
            let number = [BUCKET, QUANTILE]
                .into_iter()
                .find(|label| parse_go(get(label).as_bytes()).is_some());
            Place {
                number: number.unwrap_or_default(),
                ..Place::new("prometheus", FieldKey::Metric(name))
            }
        }
        Mapping::TelegrafV1 | Mapping::OtelV1 => in_family(mapping, name, kind, get),
    }
}

/// The schemas that have a measurement for each family.
fn in_family<'a>(mapping: Mapping, name: &'a str, kind: Option<Kind>, get: impl Fn(&str) -> &'a str) -> Place<'a> {
    let number = |label: &str| parse_go(get(label).as_bytes());
    let bound = |bound| match mapping {
        Mapping::OtelV1 => FieldKey::PlainBound(bound),
        _ => FieldKey::Bound(bound),
    };
    let kind = kind.filter(|kind| *kind != Kind::Untyped);
    let may_be = |wanted: &[Kind]| kind.is_none_or(|kind| wanted.contains(&kind));
    if may_be(&[Kind::Histogram, Kind::GaugeHistogram]) {
        if let Some((family, le)) = name.strip_suffix("_bucket").zip(number(BUCKET)) {
            return Place {
                without: BUCKET,
                ..Place::new(family, bound(le))
            };
        }
    }
    if may_be(&[Kind::Summary]) {
        if let Some(quantile) = number(QUANTILE) {
            return Place {
                without: QUANTILE,
                ..Place::new(name, bound(quantile))
            };
        }
    }
    if let Some(Kind::Histogram | Kind::GaugeHistogram | Kind::Summary) = kind {
        let suffixes = [
            ("_sum", "sum"),
            ("_count", "count"),
            ("_gsum", "sum"),
            ("_gcount", "count"),
        ];
        let part = suffixes
            .iter()
            .find_map(|(suffix, word)| Some((name.strip_suffix(suffix)?, *word)));
        if let Some((family, word)) = part {
            return Place::new(family, FieldKey::Word(word));
        }
    }
    let word = match kind {
        Some(Kind::Counter) => "counter",
        Some(Kind::Gauge | Kind::Info | Kind::StateSet) => "gauge",
        _ if name.ends_with("_total") => "counter",
        _ if mapping == Mapping::OtelV1 => "gauge",
        _ => "value",
    };
    Place::new(name, FieldKey::Word(word))
}

/// A label's value as Go prints the number that it is.
pub fn as_number(value: &[u8]) -> Option<String> {
    let mut out = String::new();
    push_go(&mut out, parse_go(value)?);
    Some(out)
}
