mod refusals;

use proptest::prelude::*;

use super::parse;
use crate::exposition::{openmetrics, Escaping};
use crate::family::{Exemplar, Family, Kind, Label, Value};
use crate::wire::{arbitrary, Options};

fn read(text: &str) -> Vec<Family> {
    match parse(text.as_bytes(), Options::default()) {
        Ok(families) => families,
        Err(e) => vec![Family {
            name: e.to_string().into(),
            help: None,
            kind: Kind::Untyped,
            unit: "".into(),
            metrics: vec![],
        }],
    }
}

/// Printed again as OpenMetrics.
fn printed(text: &str) -> String {
    let mut out = String::new();
    for family in read(text) {
        openmetrics::family(&family, Escaping::AllowUtf8, &mut out);
    }
    openmetrics::finish(&mut out);
    out
}

#[test]
fn every_type_reads_and_prints_the_same() {
    let text = "\
# HELP jobs_seconds Time \\\"spent\\\"\\n in C:\\\\.
# TYPE jobs_seconds counter
# UNIT jobs_seconds seconds
jobs_seconds_total{job=\"a\\\\b\\n\\\"c\\\"\"} 1.5 # {trace_id=\"KOO5S4vxi0o\"} 0.67 1700000000.125
jobs_seconds_created{job=\"a\\\\b\\n\\\"c\\\"\"} 1600000000.5
jobs_seconds_total{job=\"\"} 17.0
# TYPE temperature gauge
temperature{l=\"1\"} -3.25 1700000000.001
temperature{l=\"1\"} -3.5 1700000001.0
temperature{l=\"2\"} NaN
# TYPE latency histogram
latency_bucket{path=\"/\",le=\"0.5\"} 3 # {} 0.25
latency_bucket{path=\"/\",le=\"1.0\"} 3
latency_bucket{path=\"/\",le=\"+Inf\"} 4 # {a=\"b\"} 2.0
latency_sum{path=\"/\"} 3.25
latency_count{path=\"/\"} 4
latency_created{path=\"/\"} 12.0
# TYPE queue gaugehistogram
queue_bucket{le=\"1.0\"} 3
queue_bucket{le=\"+Inf\"} 4
queue_gsum -3.25
queue_gcount 4
# TYPE size summary
size{quantile=\"0.5\"} 1.0
size{quantile=\"0.99\"} NaN
size_sum 12.5
size_count 3
size_created 0.001
# TYPE build info
build_info{version=\"1.2\"} 1.0
# TYPE state stateset
state{state=\"on\"} 1.0
state{state=\"off\"} 0.0
# TYPE plain unknown
plain 1e+06
# HELP \"a.b\" x
# TYPE \"a.b\" counter
{\"a.b_total\",\"l.m\"=\"v\"} 2.0
# EOF
";
    assert_eq!(printed(text), text);
}

#[test]
fn names_are_those_of_the_text_format() {
    let text = "# TYPE c counter\nc_total 1\nc_created 1.5\n# TYPE i info\ni_info{v=\"1\"} 1\n# TYPE h histogram\n\
        h_bucket{le=\"+Inf\"} 2\n# HELP e nothing\nu 1\nv 2\n# EOF";
    let families = read(text);
    let names: Vec<(&str, Kind)> = families.iter().map(|f| (f.name.as_str(), f.kind)).collect();
    let want = [
        ("c_total", Kind::Counter),
        ("i_info", Kind::Info),
        ("h", Kind::Histogram),
        ("u", Kind::Untyped),
        ("v", Kind::Untyped),
    ];
    assert_eq!(names, want);
    let started = families
        .first()
        .and_then(|f| f.metrics.first())
        .and_then(|m| m.created_ms);
    assert_eq!(started, Some(1500));
}

#[test]
fn exemplars_are_kept() {
    let text = "# TYPE c counter\nc_total 1 # {a=\"b\"} 0.5 -0.0015\n# EOF\n";
    let exemplar = Exemplar {
        labels: vec![Label {
            name: "a".into(),
            value: "b".into(),
        }],
        value: 0.5,
        timestamp_ms: Some(-2),
    };
    let metrics = read(text).into_iter().flat_map(|f| f.metrics);
    let values: Vec<Value> = metrics.map(|m| m.value).collect();
    assert_eq!(values, [Value::Counter(1.0, Some(Box::new(exemplar)))]);
}

#[test]
fn strings_keep_backslashes_that_escape_nothing() {
    let text = "# HELP a \\d\\\\d\na{l=\"\\d\\é\",m=\"\\\\n\"} 1.0\n# EOF\n";
    let want = "# HELP a \\\\d\\\\d\n# TYPE a unknown\na{l=\"\\\\d\\\\é\",m=\"\\\\n\"} 1.0\n# EOF\n";
    assert_eq!(printed(text), want);
}

#[test]
fn labels_of_a_metric_come_in_any_order() {
    let text = "# TYPE s summary\ns_sum{a=\"1\",b=\"2\"} 3.0\ns_count{b=\"2\",a=\"1\"} 4\n# EOF\n";
    assert_eq!(read(text).iter().map(|f| f.metrics.len()).collect::<Vec<_>>(), [1]);
}

#[test]
fn options_count_here_too() {
    let quoted = b"{\"a.b\"} 1\n# EOF\n";
    let with = |utf8, lenient, text: &[u8]| {
        let families = parse(
            text,
            Options {
                utf8,
                lenient,
                max_metrics: 0,
            },
        );
        families.map(|f| f.len()).map_err(|e| e.message)
    };
    assert_eq!(with(true, false, quoted), Ok(1));
    assert_eq!(with(false, false, quoted), Err("invalid metric name \"a.b\"".into()));
    assert_eq!(
        with(false, false, b"a{\"l.m\"=\"\"} 1\n# EOF\n"),
        Err("invalid label name \"l.m\"".into())
    );
    assert_eq!(with(true, true, b"a 1\r\n# EOF\r\n"), Ok(1));
}

#[test]
fn no_more_metrics_than_allowed() {
    for text in [
        "# TYPE a counter\na_total 1\na_created 1\nb 1\nc 1\n# EOF\n",
        "a 1 1\na 1 2\na 1 3\n# EOF\n",
        "# TYPE a summary\na{quantile=\"0.5\"} 1\na{quantile=\"0.9\"} 1\na_sum 1\na_count 1\n# EOF\n",
        "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 1\n# EOF\n",
    ] {
        let allowing = |max_metrics| {
            let options = Options {
                max_metrics,
                ..Options::default()
            };
            parse(text.as_bytes(), options)
                .map(drop)
                .map_err(|e| (e.too_many, e.message))
        };
        assert_eq!([allowing(0), allowing(3)], [Ok(()), Ok(())]);
        assert_eq!(allowing(2), Err((true, "more than the limit of 2 series".into())));
    }
}

fn scraps() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            "# TYPE a ",
            "# HELP a ",
            "# UNIT a ",
            "a",
            "_count",
            "_sum",
            "_bucket",
            "_total",
            "{",
            "}",
            "\"",
            "=",
            ",",
            " ",
            "\n",
            "\\",
            "1",
            "-2.5",
            "le=\"+Inf\"",
            "quantile=\"0.5\"",
            "l=\"v\"",
            "histogram",
            "summary",
            "counter",
            "\"a.b\"",
            " # {",
            "# EOF\n",
            "é",
        ])
        .prop_map(|s| s.as_bytes().to_vec()),
        any::<u8>().prop_map(|b| vec![b]),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(mut input in scraps(), utf8 in any::<bool>(), lenient in any::<bool>()) {
        let _ = parse(&input, Options {
            utf8,
            lenient,
            max_metrics: 0,
        });
        input.extend_from_slice(b"\n# EOF\n");
        let _ = parse(&input, Options {
            utf8,
            lenient,
            max_metrics: 0,
        });
    }

    #[test]
    fn what_was_read_prints_and_reads_the_same(mut family in arbitrary::classic_family()) {
        // Seconds in a float hold milliseconds for 30,000 years.
        for metric in &mut family.metrics {
            metric.timestamp_ms = metric.timestamp_ms.map(|t| t % 1_000_000_000_000_000);
        }
        let mut text = String::new();
        openmetrics::family(&family, Escaping::AllowUtf8, &mut text);
        openmetrics::finish(&mut text);
        // Not all that the text format allows is OpenMetrics; what is must not change any more.
        if let Ok(families) = parse(text.as_bytes(), Options::default()) {
            let mut again = String::new();
            families.iter().for_each(|f| openmetrics::family(f, Escaping::AllowUtf8, &mut again));
            openmetrics::finish(&mut again);
            prop_assert_eq!(again, text);
        }
    }
}
