//! Families as the parsers make them, for property tests.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::family::{Bucket, Buckets, Exemplar, Family, Histogram, Kind, Label, Metric, Native, Summary, Text, Value};

/// Any family that protobuf can say, values of other kinds than its own among its metrics.
pub(crate) fn family() -> impl Strategy<Value = Family> {
    let kinds = vec![
        Kind::Counter,
        Kind::Gauge,
        Kind::Summary,
        Kind::Untyped,
        Kind::Histogram,
        Kind::GaugeHistogram,
        Kind::Info,
        Kind::StateSet,
    ];
    let metrics = vec(metric(value()), 0..4);
    let parts = (
        text(),
        option::of(text()),
        proptest::sample::select(kinds),
        text(),
        metrics,
    );
    parts.prop_map(|(name, help, kind, unit, metrics)| Family {
        name,
        help,
        kind,
        unit,
        metrics,
    })
}

/// A family of what the text format can say: one value a metric, each label set once.
pub(crate) fn classic_family() -> impl Strategy<Value = Family> {
    let of_kind = prop_oneof![
        family_of(Kind::Counter, number().prop_map(|v| Value::Counter(v, None)).boxed()),
        family_of(Kind::Gauge, number().prop_map(Value::Gauge).boxed()),
        family_of(Kind::Untyped, number().prop_map(Value::Untyped).boxed()),
        family_of(
            Kind::Summary,
            summary().prop_map(|s| Value::Summary(Box::new(s))).boxed()
        ),
        family_of(
            Kind::Histogram,
            classic_histogram().prop_map(|h| Value::Histogram(Box::new(h))).boxed()
        ),
    ];
    of_kind.prop_map(|mut family| {
        for (i, metric) in family.metrics.iter_mut().enumerate() {
            metric.labels.sort();
            metric.labels.dedup_by(|a, b| a.name == b.name);
            metric
                .labels
                .retain(|l| !matches!(l.name.as_str(), "" | "le" | "quantile" | "__name__" | "i"));
            metric.labels.push(label("i", &i.to_string()));
            metric.created_ms = None;
        }
        family
    })
}

fn family_of(kind: Kind, value: BoxedStrategy<Value>) -> impl Strategy<Value = Family> {
    let name = prop_oneof!["[a-z:_]{1,30}", "[a-zé. \"\\\\\n]{1,6}"];
    // An empty HELP and blanks before it are lost in text.
    let help = "[a-z\"\\\\\n][a-zé. \"\\\\\n]{0,20}".prop_map(Text::from);
    (name, option::of(help), vec(metric(value), 1..4)).prop_map(move |(name, help, metrics)| Family {
        name: name.into(),
        help,
        kind,
        unit: Text::default(),
        metrics,
    })
}

fn metric(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Metric> {
    let parts = (labels(), value, option::of(any::<i64>()), option::of(time()));
    parts.prop_map(|(labels, value, timestamp_ms, created_ms)| {
        let has_start = matches!(value, Value::Counter(..) | Value::Summary(_) | Value::Histogram(_));
        Metric {
            labels,
            value,
            timestamp_ms,
            created_ms: created_ms.filter(|_| has_start),
        }
    })
}

fn value() -> impl Strategy<Value = Value> {
    let classic = classic_histogram();
    prop_oneof![
        (number(), option::of(exemplar())).prop_map(|(v, e)| Value::Counter(v, e.map(Box::new))),
        number().prop_map(Value::Gauge),
        number().prop_map(Value::Untyped),
        summary().prop_map(|s| Value::Summary(Box::new(s))),
        (classic, option::of(native())).prop_map(|(mut histogram, native)| {
            histogram.native = native.map(Box::new);
            Value::Histogram(Box::new(histogram))
        }),
        Just(Value::Missing),
    ]
}

fn summary() -> impl Strategy<Value = Summary> {
    let parts = (count(), number(), vec((number(), number()), 0..3));
    parts.prop_map(|(count, sum, quantiles)| Summary { count, sum, quantiles })
}

/// Counts are integers throughout, or floats throughout that are not all whole.
fn classic_histogram() -> impl Strategy<Value = Histogram> {
    let bucket = (number(), count(), option::of(exemplar()));
    (count(), number(), vec(bucket, 0..4), any::<bool>()).prop_map(|(count, sum, buckets, fractional)| {
        let split = |n: u64| if fractional { (0, n as f64 + 0.5) } else { (n, 0.0) };
        let (count, count_float) = split(count);
        let bucket = |(upper, n, exemplar): (f64, u64, Option<Exemplar>)| {
            let (cumulative, cumulative_float) = split(n);
            Bucket {
                upper,
                cumulative,
                cumulative_float,
                exemplar: exemplar.map(Box::new),
            }
        };
        Histogram {
            count,
            count_float,
            sum,
            buckets: buckets.into_iter().map(bucket).collect(),
            native: None,
        }
    })
}

fn native() -> impl Strategy<Value = Native> {
    let exemplars = vec(exemplar(), 0..2);
    let parts = (
        any::<i32>(),
        number(),
        count(),
        number(),
        buckets(),
        buckets(),
        exemplars,
    );
    parts.prop_map(
        |(schema, width, zero_count, zero_count_float, negative, mut positive, exemplars)| {
            positive.spans.push((0, 0));
            Native {
                schema,
                zero_threshold: width,
                zero_count,
                zero_count_float,
                negative,
                positive,
                exemplars,
            }
        },
    )
}

fn buckets() -> impl Strategy<Value = Buckets> {
    let parts = (
        vec(any::<(i32, u32)>(), 0..3),
        vec(any::<i64>(), 0..3),
        vec(number(), 0..3),
    );
    parts.prop_map(|(spans, deltas, counts)| Buckets { spans, deltas, counts })
}

fn exemplar() -> impl Strategy<Value = Exemplar> {
    (labels(), number(), option::of(time())).prop_map(|(labels, value, timestamp_ms)| Exemplar {
        labels,
        value,
        timestamp_ms,
    })
}

fn labels() -> impl Strategy<Value = Vec<Label>> {
    vec(("[a-z_é.]{1,4}", "[a-z\"\\\\\n \u{e9}{}=,#]{0,4}"), 0..4)
        .prop_map(|pairs| pairs.iter().map(|(n, v)| label(n, v)).collect())
}

fn label(name: &str, value: &str) -> Label {
    Label {
        name: Text::from(name),
        value: Text::from(value),
    }
}

fn text() -> impl Strategy<Value = Text> {
    "[a-zA-Z_.é \"\\\\\n]{0,30}".prop_map(Text::from)
}

/// No NaN, so that families can be compared.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("NaN", |v| !v.is_nan()),
        (-1000i32..1000).prop_map(f64::from),
        Just(f64::INFINITY),
    ]
}

/// Integers that a float holds exactly, so that the text formats do too.
fn count() -> impl Strategy<Value = u64> {
    prop_oneof![0..10u64, 0..1u64 << 52]
}

/// Milliseconds around those that seconds in a float hold exactly.
fn time() -> impl Strategy<Value = i64> {
    -1_000_000_000_000..5_000_000_000_000i64
}
