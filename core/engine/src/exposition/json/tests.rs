use crate::exposition::json::text::{push_string, push_time};
use crate::exposition::json::{family, group_open};
use crate::family::{Bucket, Buckets, Family, Histogram, Kind, Label, Metric, Native, Summary, Text, Value};

fn label(name: &str, value: &str) -> Label {
    Label {
        name: name.into(),
        value: value.into(),
    }
}

fn group() -> Vec<Label> {
    vec![label("job", "Björn"), label("instance", "inst'a\"n\\ce1")]
}

fn of(name: &str, help: Option<&str>, kind: Kind, values: Vec<(&str, Value)>) -> Family {
    let metric = |(testing, value): (&str, Value)| {
        let mut labels = group();
        labels.extend(Some(label("testing", testing)).filter(|l| !l.value.is_empty()));
        Metric {
            labels,
            value,
            timestamp_ms: None,
            created_ms: None,
        }
    };
    Family {
        name: name.into(),
        help: help.map(Text::from),
        kind,
        unit: Text::default(),
        metrics: values.into_iter().map(metric).collect(),
    }
}

fn histogram(count: u64, count_float: f64, buckets: Vec<Bucket>, native: Option<Native>) -> Value {
    Value::Histogram(Box::new(Histogram {
        count,
        count_float,
        sum: 99.23,
        buckets,
        native: native.map(Box::new),
    }))
}

fn native(deltas: &[i64], counts: &[f64]) -> Native {
    let side = || Buckets {
        spans: vec![(0, 2), (0, 2)],
        deltas: deltas.to_vec(),
        counts: counts.to_vec(),
    };
    Native {
        schema: 1,
        negative: side(),
        positive: side(),
        ..Native::default()
    }
}

/// The four histograms of the peer's own test.
fn histograms() -> Family {
    let bucket = |upper, cumulative, cumulative_float| Bucket {
        upper,
        cumulative,
        cumulative_float,
        exemplar: None,
    };
    let whole = vec![bucket(250_000.0, 3, 0.0), bucket(500_000.0, 17, 0.0)];
    let float = vec![bucket(250_000.0, 0, 3.0), bucket(500_000.0, 0, 17.0)];
    of(
        "mfh",
        None,
        Kind::Histogram,
        vec![
            ("int classic histogram", histogram(20, 0.0, whole, None)),
            ("float classic histogram", histogram(0, 20.0, float, None)),
            (
                "int native histogram",
                histogram(20, 0.0, vec![], Some(native(&[0, 2, -2, 0], &[]))),
            ),
            (
                "float native histogram",
                histogram(0, 20.0, vec![], Some(native(&[], &[2.0, 2.0, -2.0, 0.0]))),
            ),
        ],
    )
}

#[test]
fn a_group_is_shown_as_the_peer_shows_it() {
    let mut out = String::new();
    group_open(&group(), true, &mut out);
    let empty = Value::Summary(Box::default());
    let pushed = 1_583_781_848_025;
    family(&of("mf1", None, Kind::Summary, vec![("", empty)]), pushed, &mut out);
    family(&histograms(), pushed, &mut out);
    let help = "Last Unix time when changing this group in the Pushgateway succeeded.";
    let time = vec![("", Value::Gauge(1_583_781_848.025_745))];
    family(
        &of("push_time_seconds", Some(help), Kind::Gauge, time),
        pushed,
        &mut out,
    );
    out.push('}');
    let labels = r#""instance":"inst'a\"n\\ce1","job":"Björn""#;
    let classic = r#""buckets":{"250000":"3","500000":"17"},"count":"20""#;
    let stamp = r#""time_stamp":"2020-03-09T19:24:08.025Z""#;
    let want = [
        format!(r#"{{"labels":{{{labels}}},"last_push_successful":true,"#),
        format!(r#""mf1":{{{stamp},"type":"SUMMARY","metrics":["#),
        format!(r#"{{"count":"0","labels":{{{labels}}},"quantiles":{{}},"sum":"0"}}]}},"#),
        format!(r#""mfh":{{{stamp},"type":"HISTOGRAM","metrics":["#),
        format!(r#"{{{classic},"labels":{{{labels},"testing":"int classic histogram"}},"sum":"99.23"}},"#),
        format!(r#"{{{classic},"labels":{{{labels},"testing":"float classic histogram"}},"sum":"99.23"}},"#),
        r#"{"buckets":[[1,"-1.414213562373095","-1","2"],[0,"1","1.414213562373095","2"]],"count":"20","#.into(),
        format!(r#""labels":{{{labels},"testing":"int native histogram"}},"sum":"99.23"}},"#),
        r#"{"buckets":[[1,"-2","-1.414213562373095","-2"],[1,"-1.414213562373095","-1","2"],"#.into(),
        r#"[1,"-1","-0.7071067811865475","2"],[0,"0.7071067811865475","1","2"],"#.into(),
        r#"[0,"1","1.414213562373095","2"],[0,"1.414213562373095","2","-2"]],"count":"20","#.into(),
        format!(r#""labels":{{{labels},"testing":"float native histogram"}},"sum":"99.23"}}]}},"#),
        format!(r#""push_time_seconds":{{{stamp},"type":"GAUGE","help":"{help}","metrics":["#),
        format!(r#"{{"labels":{{{labels}}},"value":"1.583781848025745e+09"}}]}}}}"#),
    ];
    assert_eq!(out, want.concat());
}

#[test]
fn other_values() {
    let shown = |kind, value| {
        let mut out = String::new();
        let mut shown = of("a", Some(""), kind, vec![("", value)]);
        shown
            .metrics
            .iter_mut()
            .for_each(|m| m.labels = vec![label("b", "1"), label("a", ""), label("b", "2")]);
        family(&shown, 0, &mut out);
        out
    };
    let summary = Summary {
        count: 3,
        sum: 4.5,
        quantiles: vec![(0.99, 2.0), (0.5, f64::NAN), (0.5, 1.0)],
    };
    assert_eq!(
        shown(Kind::Summary, Value::Summary(Box::new(summary))),
        r#","a":{"time_stamp":"1970-01-01T00:00:00Z","type":"SUMMARY","metrics":[{"count":"3","labels":{"a":"","b":"2"},"quantiles":{"0.5":"1","0.99":"2"},"sum":"4.5"}]}"#
    );
    let zeros = Native {
        zero_threshold: 0.25,
        zero_count: 7,
        positive: Buckets {
            spans: vec![(0, 1), (5, u32::MAX)],
            deltas: vec![1, -2],
            counts: vec![],
        },
        ..Native::default()
    };
    assert_eq!(
        shown(Kind::GaugeHistogram, histogram(9, 0.0, vec![], Some(zeros))),
        r#","a":{"time_stamp":"1970-01-01T00:00:00Z","type":"GAUGE_HISTOGRAM","metrics":[{"buckets":[[3,"-0.25","0.25","7"],[0,"0.5","1","1"],[0,"32","64","18446744073709551615"]],"count":"9","labels":{"a":"","b":"2"},"sum":"99.23"}]}"#
    );
    assert!(shown(Kind::Counter, Value::Missing).ends_with(r#""labels":{"a":"","b":"2"},"value":"0"}]}"#));
}

#[test]
fn strings_are_escaped_as_go_does() {
    let mut out = String::new();
    push_string("<a&b>\u{2028}\u{8}\u{c}\n\r\t\u{1}\u{7f}\"\\é", &mut out);
    assert_eq!(
        out,
        "\"\\u003ca\\u0026b\\u003e\\u2028\\b\\f\\n\\r\\t\\u0001\u{7f}\\\"\\\\é\""
    );
}

#[test]
fn times() {
    for (ms, want) in [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_500, "2000-02-29T00:00:00.5Z"),
        (4_107_542_399_000, "2100-02-28T23:59:59Z"),
        (4_107_542_400_010, "2100-03-01T00:00:00.01Z"),
    ] {
        let mut out = String::new();
        push_time(ms, &mut out);
        assert_eq!(out.trim_matches('"'), want);
    }
    push_time(i64::MIN, &mut String::new());
    push_time(i64::MAX, &mut String::new());
}
