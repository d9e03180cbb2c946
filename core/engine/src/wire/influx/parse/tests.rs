use super::super::{Encoder, Lines, Mapping, NonFinite, Options, Point, Row, Stale, NO_NAME};
use super::*;
use crate::labels::{format_labels, Labels};
use proptest::prelude::*;

const LIMIT: usize = 1 << 20;

const MAPPINGS: [Mapping; 6] = [
    Mapping::PromValue,
    Mapping::Influx1Compat,
    Mapping::TelegrafRw,
    Mapping::TelegrafV1,
    Mapping::TelegrafV2,
    Mapping::OtelV1,
];

fn encoded(packed: &[u8], t: i64, point: Point<'_>, mapping: Mapping) -> Lines {
    let options = Options {
        mapping,
        non_finite: NonFinite::Text,
        stale: Stale::Marker,
        ..Options::default()
    };
    let mut encoder = Encoder::new(&options);
    encoder.add_all(std::iter::once(Row {
        labels: Some(Labels::trusted(packed)),
        kind: None,
        t,
        point,
    }));
    encoder.finish()
}

fn rows(body: &str, precision: &str) -> Vec<String> {
    let parsed = parse(body.as_bytes(), Precision::named(precision).unwrap(), 99, LIMIT).unwrap();
    let rows = parsed.batch.floats().map(|(labels, t, value)| {
        let mut text = String::new();
        format_labels(labels, &mut text);
        let t = if t == BATCH_TIME { "now".into() } else { t.to_string() };
        format!("{text} {value} {t}")
    });
    rows.collect()
}

fn error(body: &str) -> String {
    parse(body.as_bytes(), Precision::Ms(1), 0, LIMIT)
        .unwrap_err()
        .to_string()
}

#[test]
fn fields_are_series() {
    let body = "# comment\n\ncpu,host=a\\ b,zone=eu usage=1.5,idle=2i,up=true,note=\"x, y=\\\" \",value=7u 1500\r\n  mem free=3";
    assert_eq!(
        rows(body, "ms"),
        [
            r#"{__name__="cpu_usage", host="a b", zone="eu"} 1.5 1500"#,
            r#"{__name__="cpu_idle", host="a b", zone="eu"} 2 1500"#,
            r#"{__name__="cpu_up", host="a b", zone="eu"} 1 1500"#,
            r#"{__name__="cpu", host="a b", zone="eu"} 7 1500"#,
            r#"{__name__="mem_free"} 3 now"#,
        ]
    );
    let parsed = parse(body.as_bytes(), Precision::Ms(1), 99, LIMIT).unwrap();
    assert_eq!((parsed.points, parsed.skipped, parsed.batch.time), (2, 1, 99));
}

#[test]
fn precisions_become_milliseconds() {
    for (precision, time, want) in [
        ("", "1500999999", "1500"),
        ("ns", "-1", "-1"),
        ("n", "1000000", "1"),
        ("u", "1999", "1"),
        ("us", "-1999", "-2"),
        ("ms", "7", "7"),
        ("s", "7", "7000"),
        ("m", "2", "120000"),
        ("h", "1", "3600000"),
    ] {
        assert_eq!(
            rows(&format!("m value=1 {time}"), precision),
            [format!("{{__name__=\"m\"}} 1 {want}")]
        );
    }
    assert_eq!(Precision::named("d"), None);
}

#[test]
fn bad_lines_are_named_in_influxds_words() {
    // Each text after the colon as influxd 1.6 prints it, its `strconv` details and float texts aside.
    for (line, reason) in [
        ("cpu", "missing fields"),
        ("cpu,v=1", "missing fields"),
        ("cpu,a=b ", "missing fields"),
        ("cpu v=", "missing field value"),
        ("cpu v=x", "invalid boolean"),
        ("cpu v=1x", "invalid number"),
        ("cpu v=1 abc", "bad timestamp"),
        ("cpu v=1 -", "bad timestamp"),
        ("cpu,a= v=1", "missing tag value"),
        ("cpu,=b v=1", "missing tag key"),
        ("cpu,a v=1", "missing tag value"),
        ("cpu, v=1", "missing tag key"),
        ("cpu,a=1, v=1", "missing tag key"),
        ("cpu,a=1,,b=2 v=1", "missing tag key"),
        ("cpu,a=1=2 v=1", "invalid tag format"),
        ("cpu,a=1,a=2 v=1", "duplicate tags"),
        ("cpu,time=1,label_time=2 v=1", "duplicate tags"),
        (",a=1 v=1", "missing measurement"),
        ("cpu v=\"abc", "unbalanced quotes"),
        ("cpu v=1 1 1", "point is invalid"),
        ("cpu =1", "missing field key"),
        ("cpu v=1,", "invalid field format"),
        ("cpu v=1,w", "invalid field format"),
        ("cpu v=NaN", "invalid number"),
        ("cpu v=1 9223372036854775808", "time outside range"),
        ("cpu,__name__=mem v=1", "tag __name__ contradicts the measurement"),
    ] {
        let body = format!("ok value=1\n{line}\nok value=2");
        assert_eq!(error(&body), format!("unable to parse '{line}': {reason} (line 2)"));
    }
}

#[test]
fn text_over_several_lines_is_one_point_and_a_lost_quote_spoils_the_rest() {
    assert_eq!(rows("a s=\"x\ny\\\\\",v=1 5\nb v=2 6", "ms").len(), 2);
    assert_eq!(
        error("a v=1\nb s=\"x\nc v=1"),
        "unable to parse 'b s=\"x': unbalanced quotes (line 2)"
    );
    assert_eq!(
        error("a s=\"x\ny\" 5\nb"),
        "unable to parse 'b': missing fields (line 3)"
    );
}

#[test]
fn quotes_that_never_match_cost_one_pass() {
    // Each line, taken alone, opens a quote that the next one closes and opens again.
    assert_eq!(
        error(&"\" s=\"\n".repeat(1 << 20)),
        "unable to parse '\" s=\"': point is invalid (line 1)"
    );
}

#[test]
fn many_bad_lines_are_counted_and_long_ones_cut() {
    let text = error(&"bad\n".repeat(50));
    assert_eq!(text.lines().count(), 21);
    assert!(text.ends_with("and 30 more lines"));
    assert!(error(&"x".repeat(1 << 20)).len() < 2000);
}

#[test]
fn bytes_that_are_not_utf8_are_a_bad_line() {
    let error = parse(b"a v=1\nb\xff v=1\nc v=1", Precision::Ms(1), 0, LIMIT).unwrap_err();
    assert_eq!(error.to_string(), "unable to parse 'b\u{fffd} v=1': not UTF-8 (line 2)");
}

#[test]
fn labels_repeated_for_each_field_are_bounded() {
    let fields = vec!["f=1"; 1000].join(",");
    let body = format!("m,t={} {fields}", "x".repeat(10_000));
    let error = parse(body.as_bytes(), Precision::Ms(1), 0, LIMIT).unwrap_err();
    assert_eq!(error, ParseError::TooLong(LIMIT));
}

fn label_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_]{1,8}",
        r#"(label_|metric_|time|_|%|25|0A|5C|[\\,= #"\n\té]|[a-z]){1,8}"#,
        any::<String>().prop_filter("not empty", |s| !s.is_empty()),
    ]
}

proptest! {
    #[test]
    fn what_is_encoded_parses_back(
        labels in proptest::collection::btree_map(label_text(), label_text(), 0..6),
        name in label_text(),
        bits in any::<u64>(),
        t in -9_223_372_036_854i64..=9_223_372_036_854,
        name_tag in any::<bool>(),
    ) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite() && name != NO_NAME);
        let mut pairs: Vec<_> = labels.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        pairs.retain(|(key, _)| *key != METRIC_NAME);
        pairs.push((METRIC_NAME, &name));
        let mut packed = Vec::new();
        pack(&mut pairs, &mut packed).unwrap();
        let mapping = if name_tag { Mapping::Influx1Compat } else { Mapping::PromValue };
        let lines = encoded(&packed, t, Point::Float(value), mapping);
        let parsed = parse(lines.body(), Precision::Ms(1), 0, LIMIT).unwrap();
        let back: Vec<_> = parsed.batch.floats().map(|(l, t, v)| (l.packed().to_vec(), t, v.to_bits())).collect();
        prop_assert_eq!(back, vec![(packed, t, bits)]);
    }

    #[test]
    fn every_mapping_writes_what_can_be_read(
        labels in proptest::collection::btree_map(label_text(), label_text(), 0..6),
        name in "[a-z=, ]{1,6}(_bucket|_sum|_total|)",
        le in proptest::option::of(prop_oneof!["[0-9]{1,3}", Just("+Inf".to_owned()), label_text()]),
        point in prop_oneof![
            any::<f64>().prop_map(Ok),
            crate::histogram::arbitrary::histogram().prop_map(Err),
        ],
    ) {
        let mut pairs: Vec<_> = labels.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        pairs.retain(|(key, _)| *key != METRIC_NAME && *key != "le");
        pairs.push((METRIC_NAME, &name));
        pairs.extend(le.as_deref().map(|le| ("le", le)));
        let mut packed = Vec::new();
        pack(&mut pairs, &mut packed).unwrap();
        let point = point.as_ref().map_or_else(|h| Point::Histogram(h), |v| Point::Float(*v));
        for mapping in MAPPINGS {
            let lines = encoded(&packed, 1, point, mapping);
            parse(lines.body(), Precision::Ms(1), 0, LIMIT).unwrap();
            let lost: u64 = lines.unrepresentable.by_reason().map(|(_, count)| count).sum();
            prop_assert_eq!(lines.samples() + lost, 1);
            let single = lines.singly();
            prop_assert_eq!((single.body(), single.samples()), (lines.body(), lines.samples()));
        }
    }

    #[test]
    fn any_bytes_parse_or_are_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&body, Precision::PerMs(1_000_000), 0, LIMIT);
    }

    #[test]
    fn any_near_miss_parses_or_is_refused(body in r#"([a-c,= \\"\n#0-9.eit-]|value|\\,){0,60}"#) {
        if let Ok(parsed) = parse(body.as_bytes(), Precision::Ms(1), 0, LIMIT) {
            prop_assert!(parsed.batch.floats().all(|(labels, _, _)| Labels::checked(labels.packed()).is_ok()));
        }
    }
}
