//! Protobuf messages as families.

use crate::bytes::unzigzag;
use crate::family::{Bucket, Buckets, Exemplar, Family, Histogram, Kind, Label, Metric, Native, Summary, Text, Value};
use crate::wire::message::unzigzag32;
use crate::wire::protobuf::fields::{each_double, each_number, Field, Fields};
use crate::wire::protobuf::{Budget, ProtobufError, KIND_FIELD};

type Decoded<T> = Result<T, ProtobufError>;

/// A `MetricFamily` without its length. Names are checked to be UTF-8 and labels to have one, nothing else.
pub(super) fn family(message: &[u8], budget: &mut Budget) -> Decoded<Family> {
    // A metric may carry several values, of which the family's type chooses one: the type is read before all metrics.
    let mut family = Family {
        name: Text::default(),
        help: None,
        kind: kind_of(message)?,
        unit: Text::default(),
        metrics: Vec::new(),
    };
    for field in Fields::new(message) {
        match field? {
            (1, Field::Bytes(name)) => family.name = utf8(name, ProtobufError::MetricName)?,
            (2, Field::Bytes(help)) => family.help = Some(Text::from_utf8_lossy(help)),
            (4, Field::Bytes(metric)) => {
                budget.take()?;
                family.metrics.push(decode_metric(metric, family.kind, budget)?);
            }
            (5, Field::Bytes(unit)) => family.unit = Text::from_utf8_lossy(unit),
            _ => {}
        }
    }
    Ok(family)
}

fn kind_of(message: &[u8]) -> Decoded<Kind> {
    let (mut told, mut own) = (Kind::Counter, None);
    for field in Fields::new(message) {
        match field? {
            (3, Field::Varint(number)) => {
                told = match number {
                    0 => Kind::Counter,
                    1 => Kind::Gauge,
                    2 => Kind::Summary,
                    3 => Kind::Untyped,
                    4 => Kind::Histogram,
                    5 => Kind::GaugeHistogram,
                    _ => return Err(ProtobufError::UnknownKind(number)),
                }
            }
            (KIND_FIELD, Field::Varint(6)) => own = Some(Kind::Info),
            (KIND_FIELD, Field::Varint(7)) => own = Some(Kind::StateSet),
            _ => {}
        }
    }
    Ok(own.unwrap_or(told))
}

fn decode_metric(message: &[u8], kind: Kind, budget: &mut Budget) -> Decoded<Metric> {
    let mut metric = Metric {
        labels: Vec::new(),
        value: Value::Missing,
        timestamp_ms: None,
        created_ms: None,
    };
    let mut fits = false;
    for field in Fields::new(message) {
        let (number, value) = match field? {
            (1, Field::Bytes(label)) => {
                metric.labels.push(decode_label(label)?);
                continue;
            }
            (6, Field::Varint(time)) => {
                metric.timestamp_ms = Some(time as i64);
                continue;
            }
            (number @ (2..=5 | 7), Field::Bytes(value)) => (number, value),
            _ => continue,
        };
        if !fits {
            (metric.value, metric.created_ms) = decode_value(number, value, budget)?;
            fits = number == value_field(kind);
        }
    }
    Ok(metric)
}

/// The field of `Metric` that a family of this type reads.
fn value_field(kind: Kind) -> u32 {
    match kind {
        Kind::Gauge | Kind::Info | Kind::StateSet => 2,
        Kind::Counter => 3,
        Kind::Summary => 4,
        Kind::Untyped => 5,
        Kind::Histogram | Kind::GaugeHistogram => 7,
    }
}

fn decode_value(number: u32, message: &[u8], budget: &mut Budget) -> Decoded<(Value, Option<i64>)> {
    match number {
        2 => Ok((Value::Gauge(decode_double(message)?), None)),
        3 => decode_counter(message),
        4 => decode_summary(message, budget),
        5 => Ok((Value::Untyped(decode_double(message)?), None)),
        _ => decode_histogram(message, budget),
    }
}

/// A message whose one field is a double.
fn decode_double(message: &[u8]) -> Decoded<f64> {
    let mut value = 0.0;
    for field in Fields::new(message) {
        if let (1, Field::Double(v)) = field? {
            value = v;
        }
    }
    Ok(value)
}

fn decode_counter(message: &[u8]) -> Decoded<(Value, Option<i64>)> {
    let (mut value, mut exemplar, mut created) = (0.0, None, None);
    for field in Fields::new(message) {
        match field? {
            (1, Field::Double(v)) => value = v,
            (2, Field::Bytes(message)) => exemplar = Some(Box::new(decode_exemplar(message)?)),
            (3, Field::Bytes(time)) => created = Some(decode_time(time)?),
            _ => {}
        }
    }
    Ok((Value::Counter(value, exemplar), created))
}

fn decode_summary(message: &[u8], budget: &mut Budget) -> Decoded<(Value, Option<i64>)> {
    let (mut summary, mut created) = (Summary::default(), None);
    for field in Fields::new(message) {
        match field? {
            (1, Field::Varint(count)) => summary.count = count,
            (2, Field::Double(v)) => summary.sum = v,
            (3, Field::Bytes(quantile)) => {
                budget.take()?;
                summary.quantiles.push(decode_quantile(quantile)?);
            }
            (4, Field::Bytes(time)) => created = Some(decode_time(time)?),
            _ => {}
        }
    }
    Ok((Value::Summary(Box::new(summary)), created))
}

fn decode_quantile(message: &[u8]) -> Decoded<(f64, f64)> {
    let mut pair = (0.0, 0.0);
    for field in Fields::new(message) {
        match field? {
            (1, Field::Double(v)) => pair.0 = v,
            (2, Field::Double(v)) => pair.1 = v,
            _ => {}
        }
    }
    Ok(pair)
}

fn decode_histogram(message: &[u8], budget: &mut Budget) -> Decoded<(Value, Option<i64>)> {
    let (mut histogram, mut native, mut created) = (Histogram::default(), Native::default(), None);
    for field in Fields::new(message) {
        match field? {
            (1, Field::Varint(count)) => histogram.count = count,
            (2, Field::Double(v)) => histogram.sum = v,
            (3, Field::Bytes(bucket)) => {
                budget.take()?;
                histogram.buckets.push(decode_bucket(bucket)?);
            }
            (4, Field::Double(v)) => histogram.count_float = v,
            (15, Field::Bytes(time)) => created = Some(decode_time(time)?),
            (number, field) => decode_native(number, field, &mut native)?,
        }
    }
    if is_native(&native) {
        histogram.native = Some(Box::new(native));
    }
    Ok((Value::Histogram(Box::new(histogram)), created))
}

fn decode_native(number: u32, field: Field<'_>, native: &mut Native) -> Decoded<()> {
    match (number, field) {
        (5, Field::Varint(schema)) => native.schema = unzigzag32(schema),
        (6, Field::Double(v)) => native.zero_threshold = v,
        (7, Field::Varint(count)) => native.zero_count = count,
        (8, Field::Double(v)) => native.zero_count_float = v,
        (9..=11, field) => decode_buckets(number - 9, field, &mut native.negative)?,
        (12..=14, field) => decode_buckets(number - 12, field, &mut native.positive)?,
        (16, Field::Bytes(exemplar)) => native.exemplars.push(decode_exemplar(exemplar)?),
        _ => {}
    }
    Ok(())
}

/// Prometheus' rule: a histogram without spans, zero bucket and zero threshold is a classic one.
fn is_native(native: &Native) -> bool {
    !native.positive.spans.is_empty()
        || !native.negative.spans.is_empty()
        || native.zero_threshold > 0.0
        || native.zero_count > 0
        || native.zero_count_float > 0.0
}

fn decode_buckets(which: u32, field: Field<'_>, side: &mut Buckets) -> Decoded<()> {
    match (which, field) {
        (0, Field::Bytes(span)) => side.spans.push(decode_span(span)?),
        (1, field) => each_number(field, |v| side.deltas.push(unzigzag(v)))?,
        (2, field) => each_double(field, |v| side.counts.push(v))?,
        _ => {}
    }
    Ok(())
}

fn decode_span(message: &[u8]) -> Decoded<(i32, u32)> {
    let mut span = (0, 0);
    for field in Fields::new(message) {
        match field? {
            (1, Field::Varint(offset)) => span.0 = unzigzag32(offset),
            (2, Field::Varint(length)) => span.1 = length as u32,
            _ => {}
        }
    }
    Ok(span)
}

fn decode_bucket(message: &[u8]) -> Decoded<Bucket> {
    let mut bucket = Bucket {
        upper: 0.0,
        cumulative: 0,
        cumulative_float: 0.0,
        exemplar: None,
    };
    for field in Fields::new(message) {
        match field? {
            (1, Field::Varint(count)) => bucket.cumulative = count,
            (2, Field::Double(v)) => bucket.upper = v,
            (3, Field::Bytes(exemplar)) => bucket.exemplar = Some(Box::new(decode_exemplar(exemplar)?)),
            (4, Field::Double(v)) => bucket.cumulative_float = v,
            _ => {}
        }
    }
    Ok(bucket)
}

fn decode_exemplar(message: &[u8]) -> Decoded<Exemplar> {
    let mut exemplar = Exemplar {
        labels: Vec::new(),
        value: 0.0,
        timestamp_ms: None,
    };
    for field in Fields::new(message) {
        match field? {
            (1, Field::Bytes(label)) => exemplar.labels.push(decode_label(label)?),
            (2, Field::Double(v)) => exemplar.value = v,
            (3, Field::Bytes(time)) => exemplar.timestamp_ms = Some(decode_time(time)?),
            _ => {}
        }
    }
    Ok(exemplar)
}

fn decode_label(message: &[u8]) -> Decoded<Label> {
    let mut label = Label {
        name: Text::default(),
        value: Text::default(),
    };
    for field in Fields::new(message) {
        match field? {
            (1, Field::Bytes(name)) => label.name = utf8(name, ProtobufError::LabelName)?,
            (2, Field::Bytes(value)) => label.value = utf8(value, ProtobufError::LabelValue)?,
            _ => {}
        }
    }
    // Refused here and not with the other names: millions of empty labels fit into a small body.
    if label.name.is_empty() {
        return Err(ProtobufError::LabelName(Vec::new()));
    }
    Ok(label)
}

/// A `google.protobuf.Timestamp` in milliseconds, finer parts cut off.
fn decode_time(message: &[u8]) -> Decoded<i64> {
    let (mut seconds, mut nanos) = (0i64, 0i32);
    for field in Fields::new(message) {
        match field? {
            (1, Field::Varint(v)) => seconds = v as i64,
            (2, Field::Varint(v)) => nanos = v as i32,
            _ => {}
        }
    }
    let whole = seconds.checked_mul(1000);
    let time = whole.and_then(|ms| ms.checked_add(i64::from(nanos.div_euclid(1_000_000))));
    time.ok_or(ProtobufError::Timestamp(seconds))
}

fn utf8(bytes: &[u8], error: fn(Vec<u8>) -> ProtobufError) -> Decoded<Text> {
    Text::from_utf8(bytes).map_err(|_| error(bytes.to_vec()))
}
