//! What is read, what is refused and what is passed over.

mod of_go;
mod properties;

use super::{decode_family, encode_delimited, encode_family, parse_delimited, ProtobufError};
use crate::batch::STALE_NAN_BITS;
use crate::bytes::put_uvarint;
use crate::family::{Bucket, Buckets, Family, Histogram, Kind, Label, Metric, Native, Summary, Text, Value};
use crate::float::NORMAL_NAN;
use crate::wire::Options;

const LEGACY: Options = Options {
    utf8: false,
    lenient: false,
    max_metrics: 0,
};

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .bytes()
        .filter_map(|b| char::from(b).to_digit(16))
        .map(|d| d as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
        .collect()
}

fn family(name: &str, help: Option<&str>, kind: Kind, metrics: Vec<Metric>) -> Family {
    Family {
        name: name.into(),
        help: help.map(Text::from),
        kind,
        unit: Text::default(),
        metrics,
    }
}

fn metric(value: Value) -> Metric {
    Metric {
        labels: Vec::new(),
        value,
        timestamp_ms: None,
        created_ms: None,
    }
}

fn label(name: &str, value: &str) -> Label {
    Label {
        name: name.into(),
        value: value.into(),
    }
}

#[test]
fn packed_numbers_are_read_too() {
    // n{} histogram: positive_span {0, 2}, positive_delta [1, -1] packed; then a span and positive_count [1.5] packed.
    for (hex, deltas, counts) in [
        ("0a016e 1804 220c 3a0a 62021002 6a020201 2800", vec![1, -1], vec![]),
        ("0a016e 1804 2210 3a0e 62021002 7208000000000000f83f", vec![], vec![1.5]),
    ] {
        let positive = decode_family(&bytes(hex))
            .ok()
            .and_then(|f| match f.metrics.into_iter().next()?.value {
                Value::Histogram(histogram) => histogram.native.map(|n| n.positive),
                _ => None,
            });
        assert_eq!(
            positive,
            Some(Buckets {
                spans: vec![(0, 2)],
                deltas,
                counts
            })
        );
    }
}

#[test]
fn types_that_protobuf_lacks_look_like_gauges_to_others() {
    for kind in [Kind::Info, Kind::StateSet] {
        let told = family("a_info", None, kind, vec![metric(Value::Gauge(1.0))]);
        let mut message = Vec::new();
        encode_family(&told, &mut message);
        assert_eq!(decode_family(&message), Ok(told));
        let field = message.len() - 3;
        assert_eq!(message.get(field..), Some(&[0xc0, 0x3e, kind as u8][..]));
        message.truncate(field);
        assert_eq!(decode_family(&message).map(|f| f.kind), Ok(Kind::Gauge));
    }
}

#[test]
fn the_type_chooses_among_several_values() {
    // gauge 1, then untyped 2, in a metric before the family's type.
    let value = |number: &str, bits: &str| format!("{number}0909000000000000{bits}");
    let both = format!("2216{}{}", value("12", "f03f"), value("2a", "0040"));
    let read = |kind: &str| decode_family(&bytes(&format!("0a0161{both}{kind}"))).map(|f| f.metrics);
    assert_eq!(read("1801"), Ok(vec![metric(Value::Gauge(1.0))]));
    assert_eq!(read("1803"), Ok(vec![metric(Value::Untyped(2.0))]));
    assert_eq!(read(""), Ok(vec![metric(Value::Untyped(2.0))]));
}

#[test]
fn a_later_family_takes_the_place_of_an_earlier_one() {
    let mut body = Vec::new();
    for (name, value) in [("a", 1.0), ("b", 2.0), ("a", 3.0)] {
        encode_delimited(
            &family(name, None, Kind::Gauge, vec![metric(Value::Gauge(value))]),
            &mut body,
        );
    }
    encode_delimited(&family("b", None, Kind::Gauge, vec![]), &mut body);
    let want = vec![
        family("a", None, Kind::Gauge, vec![metric(Value::Gauge(3.0))]),
        family("b", None, Kind::Gauge, vec![]),
    ];
    assert_eq!(parse_delimited(&body, LEGACY), Ok(want));
    assert_eq!(parse_delimited(b"", Options::default()), Ok(vec![]));
}

#[test]
fn no_more_metrics_than_allowed() {
    let bucket = Bucket {
        upper: 1.0,
        cumulative: 1,
        cumulative_float: 0.0,
        exemplar: None,
    };
    let buckets = Histogram {
        buckets: vec![bucket; 2],
        ..Histogram::default()
    };
    let quantiles = Summary {
        quantiles: vec![(0.5, 1.0); 2],
        ..Summary::default()
    };
    let histogram = metric(Value::Histogram(Box::new(buckets)));
    let summary = metric(Value::Summary(Box::new(quantiles)));
    for family in [
        family("a", None, Kind::Gauge, vec![metric(Value::Gauge(1.0)); 3]),
        family("a", None, Kind::Histogram, vec![histogram]),
        family("a", None, Kind::Summary, vec![summary]),
    ] {
        let mut body = Vec::new();
        encode_delimited(&family, &mut body);
        let allowing = |max_metrics| {
            let options = Options { max_metrics, ..LEGACY };
            parse_delimited(&body, options).map(|families| families.len())
        };
        assert_eq!([allowing(0), allowing(3)], [Ok(1), Ok(1)], "{family:?}");
        assert_eq!(allowing(2), Err(ProtobufError::TooMany(2)), "{family:?}");
    }
    let options = Options {
        max_metrics: 2,
        ..LEGACY
    };
    let empty = bytes("03 0a0161").repeat(3);
    assert_eq!(parse_delimited(&empty, options), Err(ProtobufError::TooMany(2)));
}

#[test]
fn no_client_says_that_a_series_has_ended() {
    let stale = f64::from_bits(STALE_NAN_BITS);
    let native = Native {
        zero_count: 1,
        ..Native::default()
    };
    let ended = Histogram {
        sum: stale,
        native: Some(Box::new(native)),
        ..Histogram::default()
    };
    let summary = Summary {
        sum: stale,
        quantiles: vec![(0.5, stale)],
        ..Summary::default()
    };
    for value in [
        Value::Gauge(stale),
        Value::Counter(stale, None),
        Value::Untyped(stale),
        Value::Histogram(Box::new(ended)),
        Value::Summary(Box::new(summary)),
    ] {
        let mut message = Vec::new();
        encode_family(&family("a", None, Kind::Gauge, vec![metric(value)]), &mut message);
        let sent = stale.to_le_bytes();
        assert!(message.windows(8).any(|window| window == sent));
        let mut again = Vec::new();
        decode_family(&message)
            .iter()
            .for_each(|read| encode_family(read, &mut again));
        assert!(again.windows(8).any(|window| window == NORMAL_NAN.to_le_bytes()));
        assert!(!again.windows(8).any(|window| window == sent));
    }
}

#[test]
fn damage_is_named() {
    let named = |hex: &str, utf8| {
        let message = bytes(hex);
        let mut body = Vec::new();
        put_uvarint(&mut body, message.len() as u64);
        body.extend_from_slice(&message);
        parse_delimited(
            &body,
            Options {
                utf8,
                ..Options::default()
            },
        )
        .map_err(|e| e.to_string())
        .err()
        .unwrap_or_default()
    };
    for (hex, utf8, want) in [
        ("1801", true, "invalid metric name \"\""),
        ("0a0161 1806", true, "unknown metric type 6"),
        ("0a02c328", true, "invalid metric name \"\\xc3(\""),
        ("0a03612d62", false, "invalid metric name \"a-b\""),
        ("0a03612d62", true, ""),
        ("0a0161 2207 0a05 0a03 612e62", false, "invalid label name \"a.b\""),
        ("0a0161 2207 0a05 0a03 612e62", true, ""),
        ("0a0161 2202 0a00", true, "invalid label name \"\""),
        ("0a0161 2205 0a03 1201ff", true, "invalid label value \"\\xff\""),
        ("0a0161 2205 0a03 0a01ff", true, "invalid label name \"\\xff\""),
        ("0a05 61", true, "proto: cannot parse invalid wire-format data"),
        ("0a0161 2202 0a05", true, "proto: cannot parse invalid wire-format data"),
        ("0a0161 07", true, "proto: cannot parse invalid wire-format data"),
        ("0a0161 0001", true, "proto: cannot parse invalid wire-format data"),
        (
            "0a0161 2210 1a0e 1a0c 08ffffffffffffffff7f 1000",
            true,
            "timestamp of 9223372036854775807 seconds is out of range",
        ),
    ] {
        assert_eq!(named(hex, utf8), want, "{hex}");
    }
    for cut in ["05", "0a0a0161", "80", "ffffffffffffffffffff01"] {
        assert_eq!(
            parse_delimited(&bytes(cut), Options::default()),
            Err(ProtobufError::UnexpectedEof),
            "{cut}"
        );
    }
}

#[test]
fn fields_of_later_versions_are_passed_over() {
    // Field 9 of each wire type around the name, and the name as a number, which is not the name.
    let read = decode_family(&bytes("4801 49ffffffffffffffff 4a0161 4dffffffff 0805 0a0161"));
    assert_eq!(read, Ok(family("a", None, Kind::Counter, vec![])));
}
