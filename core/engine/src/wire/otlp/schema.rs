//! OTLP's JSON as protobuf: what each message has, as a table, and the one function that goes by it.
//!
//! ProtoJSON, with OTLP's own rule that trace and span ids are hexadecimal; names are lowerCamelCase or as in the .proto file,
//! unknown ones are passed over, and 64-bit integers may be strings or numbers.

use super::json::Json;
use super::Refused;
use crate::bytes::zigzag;
use crate::wire::message::{put_bytes, put_double, put_number};
use crate::wire::protobuf::delimited;

/// What a field holds.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    /// base64
    Bytes,
    /// hexadecimal
    Id,
    Bool,
    /// int64, uint64, uint32
    Varint,
    /// sint32
    Zigzag,
    /// fixed64, sfixed64
    Fixed,
    Double,
    /// `AggregationTemporality`
    Temporality,
    Message(&'static [Member]),
}

/// A field of a message: its name in JSON, its number, what it holds, and whether that is a list.
type Member = (&'static str, u32, Kind, bool);

const fn one(name: &'static str, number: u32, kind: Kind) -> Member {
    (name, number, kind, false)
}

const fn many(name: &'static str, number: u32, kind: Kind) -> Member {
    (name, number, kind, true)
}

use Kind::{Bool, Bytes, Double, Fixed, Id, Message, Temporality, Text, Varint, Zigzag};

static REQUEST: [Member; 1] = [many("resourceMetrics", 1, Message(&RESOURCE_METRICS))];
static RESOURCE_METRICS: [Member; 3] = [
    one("resource", 1, Message(&RESOURCE)),
    many("scopeMetrics", 2, Message(&SCOPE_METRICS)),
    one("schemaUrl", 3, Text),
];
static RESOURCE: [Member; 1] = [many("attributes", 1, Message(&PAIR))];
static SCOPE_METRICS: [Member; 3] = [
    one("scope", 1, Message(&SCOPE)),
    many("metrics", 2, Message(&METRIC)),
    one("schemaUrl", 3, Text),
];
static SCOPE: [Member; 3] = [
    one("name", 1, Text),
    one("version", 2, Text),
    many("attributes", 3, Message(&PAIR)),
];
static METRIC: [Member; 8] = [
    one("name", 1, Text),
    one("description", 2, Text),
    one("unit", 3, Text),
    one("gauge", 5, Message(&GAUGE)),
    one("sum", 7, Message(&SUM)),
    one("histogram", 9, Message(&HISTOGRAM)),
    one("exponentialHistogram", 10, Message(&EXPONENTIAL)),
    one("summary", 11, Message(&SUMMARY)),
];
static GAUGE: [Member; 1] = [many("dataPoints", 1, Message(&NUMBER))];
static SUM: [Member; 3] = [
    many("dataPoints", 1, Message(&NUMBER)),
    one("aggregationTemporality", 2, Temporality),
    one("isMonotonic", 3, Bool),
];
static HISTOGRAM: [Member; 2] = [
    many("dataPoints", 1, Message(&HISTOGRAM_POINT)),
    one("aggregationTemporality", 2, Temporality),
];
static EXPONENTIAL: [Member; 2] = [
    many("dataPoints", 1, Message(&EXPONENTIAL_POINT)),
    one("aggregationTemporality", 2, Temporality),
];
static SUMMARY: [Member; 1] = [many("dataPoints", 1, Message(&SUMMARY_POINT))];
static NUMBER: [Member; 7] = [
    one("startTimeUnixNano", 2, Fixed),
    one("timeUnixNano", 3, Fixed),
    one("asDouble", 4, Double),
    many("exemplars", 5, Message(&EXEMPLAR)),
    one("asInt", 6, Fixed),
    many("attributes", 7, Message(&PAIR)),
    one("flags", 8, Varint),
];
static HISTOGRAM_POINT: [Member; 9] = [
    one("startTimeUnixNano", 2, Fixed),
    one("timeUnixNano", 3, Fixed),
    one("count", 4, Fixed),
    one("sum", 5, Double),
    many("bucketCounts", 6, Fixed),
    many("explicitBounds", 7, Double),
    many("exemplars", 8, Message(&EXEMPLAR)),
    many("attributes", 9, Message(&PAIR)),
    one("flags", 10, Varint),
];
static EXPONENTIAL_POINT: [Member; 12] = [
    many("attributes", 1, Message(&PAIR)),
    one("startTimeUnixNano", 2, Fixed),
    one("timeUnixNano", 3, Fixed),
    one("count", 4, Fixed),
    one("sum", 5, Double),
    one("scale", 6, Zigzag),
    one("zeroCount", 7, Fixed),
    one("positive", 8, Message(&BUCKETS)),
    one("negative", 9, Message(&BUCKETS)),
    one("flags", 10, Varint),
    many("exemplars", 11, Message(&EXEMPLAR)),
    one("zeroThreshold", 14, Double),
];
static BUCKETS: [Member; 2] = [one("offset", 1, Zigzag), many("bucketCounts", 2, Varint)];
static SUMMARY_POINT: [Member; 7] = [
    one("startTimeUnixNano", 2, Fixed),
    one("timeUnixNano", 3, Fixed),
    one("count", 4, Fixed),
    one("sum", 5, Double),
    many("quantileValues", 6, Message(&QUANTILE)),
    many("attributes", 7, Message(&PAIR)),
    one("flags", 8, Varint),
];
static QUANTILE: [Member; 2] = [one("quantile", 1, Double), one("value", 2, Double)];
static EXEMPLAR: [Member; 6] = [
    one("timeUnixNano", 2, Fixed),
    one("asDouble", 3, Double),
    one("spanId", 4, Id),
    one("traceId", 5, Id),
    one("asInt", 6, Fixed),
    many("filteredAttributes", 7, Message(&PAIR)),
];
static PAIR: [Member; 2] = [one("key", 1, Text), one("value", 2, Message(&VALUE))];
static VALUE: [Member; 7] = [
    one("stringValue", 1, Text),
    one("boolValue", 2, Bool),
    one("intValue", 3, Varint),
    one("doubleValue", 4, Double),
    one("arrayValue", 5, Message(&LIST)),
    one("kvlistValue", 6, Message(&MAP)),
    one("bytesValue", 7, Bytes),
];
static LIST: [Member; 1] = [many("values", 1, Message(&VALUE))];
static MAP: [Member; 1] = [many("values", 1, Message(&PAIR))];

/// The binary form of a request in JSON.
pub fn to_protobuf(body: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut json = Json::new(body)?;
    let mut out = Vec::with_capacity(body.len() / 2);
    message(&mut json, &REQUEST, &mut out)?;
    json.end()?;
    Ok(out)
}

fn message(json: &mut Json<'_>, members: &'static [Member], out: &mut Vec<u8>) -> Result<(), Refused> {
    json.object(|json, key| {
        let known = members.iter().find(|(name, ..)| is_same(name, key));
        let Some((_, number, kind, is_list)) = known else {
            return json.skip();
        };
        if json.null() {
            return Ok(());
        }
        if *is_list {
            return json.list(|json| field(json, *number, *kind, out));
        }
        field(json, *number, *kind, out)
    })
}

/// `given` is `name`, or `name` with underscores in place of capitals.
fn is_same(name: &str, given: &str) -> bool {
    if name == given {
        return true;
    }
    let mut given = given.chars();
    name.chars().all(|c| {
        if c.is_ascii_uppercase() {
            given.next() == Some('_') && given.next() == Some(c.to_ascii_lowercase())
        } else {
            given.next() == Some(c)
        }
    }) && given.next().is_none()
}

fn field(json: &mut Json<'_>, number: u32, kind: Kind, out: &mut Vec<u8>) -> Result<(), Refused> {
    match kind {
        Text => put_bytes(out, number, json.string()?.as_bytes()),
        Bytes => {
            let bytes = base64(&json.string()?).ok_or_else(|| json.wrong("expected base64"))?;
            put_bytes(out, number, &bytes);
        }
        Id => {
            let bytes = hex(&json.string()?).ok_or_else(|| json.wrong("expected hexadecimal digits"))?;
            put_bytes(out, number, &bytes);
        }
        Bool => put_number(out, number, json.boolean()?.into()),
        Varint => put_number(out, number, integer(json)? as u64),
        Zigzag => {
            let small = i32::try_from(integer(json)?).map_err(|_| json.wrong("expected an integer of 32 bits"))?;
            put_number(out, number, zigzag(small.into()));
        }
        Fixed => put_double(out, number, f64::from_bits(integer(json)? as u64)),
        Double => put_double(out, number, double(json)?),
        Temporality => put_number(out, number, temporality(json)?),
        Message(members) => {
            put_number_tag(out, number);
            let mut outcome = Ok(());
            delimited(out, |out| outcome = message(json, members, out));
            outcome?;
        }
    }
    Ok(())
}

fn put_number_tag(out: &mut Vec<u8>, number: u32) {
    crate::bytes::put_uvarint(out, u64::from(number << 3 | 2));
}

/// An integer of 64 bits, signed or not, as a number or a string.
fn integer(json: &mut Json<'_>) -> Result<i128, Refused> {
    let text = if json.peek() == b'"' {
        json.string()?
    } else {
        json.number()?.into()
    };
    let whole = text.parse::<i128>().ok().or_else(|| {
        let v: f64 = text.parse().ok()?;
        (v.fract() == 0.0 && v.abs() < 2e19).then_some(v as i128)
    });
    whole
        .filter(|v| (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(v))
        .ok_or_else(|| json.wrong("expected an integer of 64 bits"))
}

fn double(json: &mut Json<'_>) -> Result<f64, Refused> {
    let text = if json.peek() == b'"' {
        json.string()?
    } else {
        json.number()?.into()
    };
    match text.as_ref() {
        "NaN" => Ok(f64::NAN),
        "Infinity" => Ok(f64::INFINITY),
        "-Infinity" => Ok(f64::NEG_INFINITY),
        text => crate::float::parse_go(text.as_bytes()).ok_or_else(|| json.wrong("expected a number")),
    }
}

fn temporality(json: &mut Json<'_>) -> Result<u64, Refused> {
    if json.peek() != b'"' {
        return integer(json).map(|v| v as u64);
    }
    Ok(match json.string()?.as_ref() {
        "AGGREGATION_TEMPORALITY_DELTA" => 1,
        "AGGREGATION_TEMPORALITY_CUMULATIVE" => 2,
        "AGGREGATION_TEMPORALITY_UNSPECIFIED" => 0,
        _ => return Err(json.wrong("expected an aggregation temporality")),
    })
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let pairs = digits.chunks_exact(2);
    pairs.map(|pair| Some(pair.first()? << 4 | pair.get(1)?)).collect()
}

/// The alphabets of both kinds, padded or not.
fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    if text.len() % 4 == 1 {
        return None;
    }
    let (mut out, mut bits, mut held) = (Vec::with_capacity(text.len() * 3 / 4), 0u32, 0);
    for c in text.bytes() {
        let digit = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_have_two_forms() {
        assert!(is_same("timeUnixNano", "timeUnixNano") && is_same("timeUnixNano", "time_unix_nano"));
        assert!(!is_same("timeUnixNano", "timeunixnano") && !is_same("sum", "sums") && !is_same("sums", "sum"));
    }

    #[test]
    fn both_base64_alphabets() {
        for text in ["-_-_", "+/+/"] {
            assert_eq!(base64(text).unwrap(), [0xfb, 0xff, 0xbf]);
        }
        assert_eq!(base64("Zg==").unwrap(), b"f");
        assert_eq!(base64("Zg").unwrap(), b"f");
        assert_eq!((base64("Z"), base64("Zg!=")), (None, None));
        assert_eq!(hex("0aF").or(hex("xy")), None);
        assert_eq!(hex("0aFf").unwrap(), [0x0a, 0xff]);
    }
}
