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

fn refusal(text: &str) -> String {
    match parse(text.as_bytes(), Options::default()) {
        Ok(families) => format!("{families:?}"),
        Err(e) => format!("{}: {}", e.line, e.message),
    }
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
fn lines_that_are_not_lines_of_the_format() {
    for (text, want) in [
        ("", "1: the text does not end with \"# EOF\""),
        ("a 1\n", "2: the text does not end with \"# EOF\""),
        ("a 1", "1: the text does not end with \"# EOF\""),
        ("a 1\n# EOF\n\n", "3: text behind \"# EOF\""),
        ("# EOF\na 1\n", "2: text behind \"# EOF\""),
        ("# EOF \n", "1: expected HELP, TYPE, UNIT or EOF behind \"# \""),
        ("a 1\n\n# EOF\n", "2: empty line"),
        ("#a\n# EOF\n", "1: expected a blank behind \"#\""),
        (
            "# a comment\n# EOF\n",
            "1: expected HELP, TYPE, UNIT or EOF behind \"# \"",
        ),
        (
            "# TYPE a-b gauge\n# EOF\n",
            "1: expected \" \" behind the metric name, found '-'",
        ),
        ("# TYPE 1a gauge\n# EOF\n", "1: invalid metric name \"\""),
        ("# TYPE a untyped\n# EOF\n", "1: unknown metric type \"untyped\""),
        ("# TYPE a Gauge\n# EOF\n", "1: unknown metric type \"Gauge\""),
        ("a 1\r\n# EOF\n", "1: expected a number as value, got \"1\\r\""),
        ("a  1\n# EOF\n", "1: expected a number as value, got \"\""),
        (" a 1\n# EOF\n", "1: invalid metric name \"\""),
        (
            "a\n# EOF\n",
            "1: expected \" \" before the value, found the end of the line",
        ),
        ("a 0x1\n# EOF\n", "1: expected a number as value, got \"0x1\""),
        ("a 1 x\n# EOF\n", "1: expected seconds as timestamp, got \"x\""),
        ("a 1 NaN\n# EOF\n", "1: expected seconds as timestamp, got \"NaN\""),
        ("a 1 1e300\n# EOF\n", "2: \"a\": timestamp 1e300 is out of range"),
        ("a 1 1 1\n# EOF\n", "1: expected \" # {\" before an exemplar, found ' '"),
        ("a{l=\"v\",} 1\n# EOF\n", "1: invalid label name \"\""),
        (
            "a{l=\"v\" } 1\n# EOF\n",
            "1: expected \",\" or \"}\" behind a label, found ' '",
        ),
        (
            "a{l=v} 1\n# EOF\n",
            "1: expected \"\\\"\" before a label value, found 'v'",
        ),
        ("a{l} 1\n# EOF\n", "1: expected \"=\" behind a label name, found '}'"),
        ("a{l=\"v\\\"} 1\n# EOF\n", "1: a quoted string is not closed"),
        ("a{l=\"\",l=\"\"} 1\n# EOF\n", "1: label \"l\" is given twice"),
        ("a{__name__=\"\"} 1\n# EOF\n", "1: label name \"__name__\" is reserved"),
        ("{l=\"v\"} 1\n# EOF\n", "1: no metric name in the braces"),
        ("{\"a\",\"b\"} 1\n# EOF\n", "1: two metric names in the braces"),
        ("{\"\"} 1\n# EOF\n", "1: invalid metric name \"\""),
    ] {
        assert_eq!(refusal(text), want, "{text:?}");
    }
    let broken = parse(b"a 1\nb{l=\"\xff\"} 1\n# EOF\n", Options::default()).map_err(|e| e.to_string());
    assert_eq!(broken, Err("OpenMetrics parsing error in line 2: not UTF-8".into()));
}

#[test]
fn metadata_and_names() {
    let told = "# TYPE a gauge\n";
    for (text, want) in [
        (format!("{told}{told}"), "2: second TYPE of \"a\""),
        (
            format!("{told}a 1\n# HELP a x\n"),
            "3: HELP of \"a\" behind its samples",
        ),
        (
            format!("{told}b 1\na 1\n"),
            "3: \"a\" belongs to an earlier metric family",
        ),
        ("a 1\nb 1\na 1\n".into(), "3: \"a\" belongs to an earlier metric family"),
        (
            "# TYPE c counter\nc 1\n".into(),
            "2: the samples of \"c\" end in _total, _created",
        ),
        (
            "# TYPE c counter\nc_total 1\nc_count 2\nc_total 1\n".into(),
            "4: \"c_total\" belongs to an earlier metric family",
        ),
        (
            "# TYPE h histogram\n# TYPE h_count gauge\nh_count 1\n".into(),
            "3: \"h_count\" belongs to an earlier metric family",
        ),
        (
            "h_sum 1\n# TYPE h summary\nh_count 1\n".into(),
            "3: \"h_sum\" belongs to an earlier metric family",
        ),
        (
            "# UNIT a seconds\na 1\n".into(),
            "2: the name \"a\" does not end in its unit \"seconds\"",
        ),
        (
            "# UNIT aseconds seconds\n# TYPE b gauge\n".into(),
            "2: the name \"aseconds\" does not end in its unit \"seconds\"",
        ),
        (
            "# UNIT a_b b\n# TYPE a_b info\na_b_info 1\n".into(),
            "3: \"a_b\" cannot have a unit",
        ),
        (
            "# UNIT a \na 1\n".into(),
            "[Family { name: \"a\", help: None, kind: Untyped, unit: \"\", metrics: [Metric { labels: [], \
            value: Untyped(1.0), timestamp_ms: None, created_ms: None }] }]",
        ),
    ] {
        assert_eq!(refusal(&format!("{text}# EOF\n")), want, "{text:?}");
    }
}

#[test]
fn samples_that_their_type_does_not_allow() {
    let long = "x".repeat(129);
    for (kind, samples, want) in [
        ("counter", "a_total -1", "2: a counter cannot be -1"),
        ("counter", "a_total NaN", "2: a counter cannot be NaN"),
        (
            "counter",
            "a_created 1",
            "3: \"a\": a counter without a sample \"_total\"",
        ),
        ("counter", "a_total 1\na_created NaN", "3: NaN is no time"),
        ("counter", "a_total 1\na_total 1", "3: the same sample twice"),
        (
            "counter",
            &format!("a_total 1 # {{l=\"{long}\"}} 1"),
            "2: the labels of an exemplar have 130 characters, more than 128",
        ),
        (
            "counter",
            "a_total 1 # {l=\"v\"} 1 1 1",
            "2: \" 1\" behind the exemplar",
        ),
        (
            "counter",
            "a_total 1 # {l=\"v\"}",
            "2: expected \" \" before the exemplar's value, found the end of the line",
        ),
        ("gauge", "a 1 # {} 1", "2: only counters and buckets have exemplars"),
        (
            "gauge",
            "a{l=\"1\"} 1\na{l=\"2\"} 1\na{l=\"1\"} 1",
            "4: the samples of a metric do not stand together",
        ),
        ("gauge", "a 1 2\na 1 1.5", "3: timestamps of a metric go back"),
        ("gauge", "a 1 2\na 1", "3: timestamps on some samples of a metric only"),
        ("gauge", "a 1 2\na 1 2", "3: the same sample twice"),
        ("info", "a_info 2", "2: the value of an info is 1, not 2"),
        ("stateset", "a{a=\"x\"} 2", "2: a state is 0 or 1, not 2"),
        ("stateset", "a{b=\"x\"} 1", "2: a state needs the label \"a\""),
        ("summary", "a 1", "2: no label \"quantile\""),
        ("summary", "a{quantile=\"1.5\"} 1", "2: quantiles are between 0 and 1"),
        (
            "summary",
            "a{quantile=\"NaN\"} 1",
            "2: expected a number as \"quantile\", got \"NaN\"",
        ),
        (
            "summary",
            "a{quantile=\"1\"} 1\na{quantile=\"1.0\"} 2",
            "4: \"a\": a quantile is given twice",
        ),
        (
            "summary",
            "a_count 1.5",
            "3: \"a\": the count of a summary is an integer",
        ),
        ("summary", "a_count -1", "2: -1 is no count"),
        ("histogram", "a_bucket 1", "2: no label \"le\""),
        (
            "histogram",
            "a_bucket{le=\"x\"} 1",
            "2: expected a number as \"le\", got \"x\"",
        ),
        ("histogram", "a_bucket{le=\"1\"} NaN", "2: NaN is no count"),
        (
            "histogram",
            "a_bucket{le=\"1\"} 1",
            "3: \"a\": a histogram has a bucket for \"+Inf\"",
        ),
        (
            "histogram",
            "a_sum 1\na_count 1",
            "4: \"a\": a histogram has a bucket for \"+Inf\"",
        ),
        (
            "histogram",
            "a_bucket{le=\"+Inf\"} 1\na_bucket{le=\"1\"} 1",
            "4: \"a\": buckets are in the order of \"le\"",
        ),
        (
            "histogram",
            "a_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1",
            "4: \"a\": buckets are cumulative",
        ),
        (
            "histogram",
            "a_bucket{le=\"+Inf\"} 1\na_sum 2",
            "4: \"a\": a histogram has both sum and count, or neither",
        ),
        (
            "gaugehistogram",
            "a_bucket{le=\"+Inf\"} 1\na_gcount 2",
            "4: \"a\": the count of a histogram is that of its bucket for \"+Inf\"",
        ),
    ] {
        assert_eq!(
            refusal(&format!("# TYPE a {kind}\n{samples}\n# EOF\n")),
            want,
            "{samples:?}"
        );
    }
}

#[test]
fn options_count_here_too() {
    let quoted = b"{\"a.b\"} 1\n# EOF\n";
    let with = |utf8, lenient, text: &[u8]| {
        let families = parse(text, Options { utf8, lenient });
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
        let _ = parse(&input, Options { utf8, lenient });
        input.extend_from_slice(b"\n# EOF\n");
        let _ = parse(&input, Options { utf8, lenient });
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
