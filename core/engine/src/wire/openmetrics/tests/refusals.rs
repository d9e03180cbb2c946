//! What is refused, and with which words.

use crate::wire::openmetrics::parse;
use crate::wire::Options;

fn refusal(text: &str) -> String {
    match parse(text.as_bytes(), Options::default()) {
        Ok(families) => format!("{families:?}"),
        Err(e) => format!("{}: {}", e.line, e.message),
    }
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
