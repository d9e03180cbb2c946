//! Expected results were printed by expfmt.TextParser of prometheus/common 0.69.0, with the UTF-8 and legacy schemes.

mod series;

use std::fmt::Write;

use proptest::prelude::*;

use super::parse;
use crate::family::{Family, Value};
use crate::wire::Options;

const STRICT: Options = Options {
    utf8: true,
    lenient: false,
    max_metrics: 0,
};
const LEGACY: Options = Options { utf8: false, ..STRICT };
const LENIENT: Options = Options {
    lenient: true,
    ..STRICT
};

/// Families in one line: `name TYPE "help": {labels} value @time; ...`
fn shown(families: &[Family]) -> String {
    let mut out = String::new();
    for family in families {
        let _ = write!(out, "{} {}", family.name, family.kind.upper());
        if let Some(help) = &family.help {
            let _ = write!(out, " {help:?}");
        }
        for metric in &family.metrics {
            out.push_str(" {");
            for label in &metric.labels {
                let _ = write!(out, "{}={:?},", label.name, label.value);
            }
            out.push_str("} ");
            show_value(&metric.value, &mut out);
            if let Some(time) = metric.timestamp_ms {
                let _ = write!(out, " @{time}");
            }
        }
        out.push_str("; ");
    }
    out
}

fn show_value(value: &Value, out: &mut String) {
    let _ = match value {
        Value::Counter(v, _) | Value::Gauge(v) | Value::Untyped(v) => write!(out, "{v}"),
        Value::Summary(s) => write!(out, "n={} sum={} {:?}", s.count, s.sum, s.quantiles),
        Value::Histogram(h) => {
            let _ = write!(out, "n={}|{} sum={}", h.count, h.count_float, h.sum);
            h.buckets
                .iter()
                .try_for_each(|b| write!(out, " {}:{}|{}", b.upper, b.cumulative, b.cumulative_float))
        }
        Value::Missing => write!(out, "-"),
    };
}

/// Families, or the error's line and message.
fn outcome(input: &[u8], options: Options) -> String {
    match parse(input, options) {
        Ok(families) => shown(&families),
        Err(e) => {
            assert_eq!(
                e.to_string(),
                format!("text format parsing error in line {}: {}", e.line, e.message)
            );
            format!("{}: {}", e.line, e.message)
        }
    }
}

fn both(input: &[u8]) -> String {
    let (utf8, legacy) = (outcome(input, STRICT), outcome(input, LEGACY));
    assert_eq!(utf8, legacy, "{}", input.escape_ascii());
    utf8
}

fn check(rows: &[(&[u8], &str)]) {
    for (input, want) in rows {
        assert_eq!(both(input), *want, "{}", input.escape_ascii());
    }
}

#[test]
fn every_line_needs_its_line_feed() {
    let whole = b"# HELP a x\\n\n# TYPE a gauge\na{l=\"v\\\\\",m=\"w\"} 1 2\n";
    for n in 1..whole.len() {
        let cut = whole.get(..n).unwrap_or_default();
        if cut.ends_with(b"\n") {
            assert!(parse(cut, STRICT).is_ok());
        } else {
            let line = cut.split(|b| *b == b'\n').count();
            assert_eq!(both(cut), format!("{line}: unexpected end of input stream"));
        }
    }
    check(&[
        (b"", ""),
        (b" \t", ""),
        (b"\n\n  \n", ""),
        (b"# EOF", "1: unexpected end of input stream"),
    ]);
}

#[test]
fn values_and_times() {
    check(&[
        (b"a 1\n", "a UNTYPED {} 1; "),
        (b" a\t1\t5\n", "a UNTYPED {} 1 @5; "),
        (b"a{}1\n", "a UNTYPED {} 1; "),
        (
            b"a -Inf\nb iNf\nc NaN\nd .5\ne 1.\n",
            "a UNTYPED {} -inf; b UNTYPED {} inf; c UNTYPED {} NaN; d UNTYPED {} 0.5; e UNTYPED {} 1; ",
        ),
        (b"a 1 -5\n", "a UNTYPED {} 1 @-5; "),
        (b"a\n", "1: expected float as value, got \"\""),
        (b"a{l=\"v\"}\n", "1: expected float as value, got \"\""),
        (b"x abc\n", "1: expected float as value, got \"abc\""),
        (b"a 1\n\n\nb x\n", "4: expected float as value, got \"x\""),
        (b"a 1\r\n", "1: expected float as value, got \"1\\r\""),
        (b"a 1\x00\n", "1: expected float as value, got \"1\\x00\""),
        (b"a 1e400\n", "1: expected float as value, got \"1e400\""),
        (b"a -nan\n", "1: expected float as value, got \"-nan\""),
        (b"a 0x1p3\n", "1: expected float as value, got \"0x1p3\""),
        (b"a 1_000\n", "1: expected float as value, got \"1_000\""),
        (b"a-b 1\n", "1: expected float as value, got \"-b\""),
        (b"a\xff 1\n", "1: expected float as value, got \"\\xff\""),
        (b"m 1 \n", "1: expected integer as timestamp, got \"\""),
        (
            b"a 1 9223372036854775808\n",
            "1: expected integer as timestamp, got \"9223372036854775808\"",
        ),
        (b"a 1 # {t=\"1\"} 5\n", "1: expected integer as timestamp, got \"#\""),
        (b"a 1 100 x\n", "1: spurious string after timestamp: \" x\""),
        (b"a 1 100 \\x\n", "1: spurious string after timestamp: \" x\""),
        (b"a 1 100 \n", "1: spurious string after timestamp: \" \""),
    ]);
}

#[test]
fn labels() {
    check(&[
        (b"a{l = \"v\" , m\t=\"w\",} 1\n", "a UNTYPED {l=\"v\",m=\"w\",} 1; "),
        (b"a{l=\"\\\\\\n\\\"\"} 1\n", "a UNTYPED {l=\"\\\\\\n\\\"\",} 1; "),
        (b"a{l=\"\",__foo=\"\"} 1\n", "a UNTYPED {l=\"\",__foo=\"\",} 1; "),
        (b"a{,} 1\n", "1: invalid label name for metric \"a\""),
        (b"a{l=\"v\",,} 1\n", "1: invalid label name for metric \"a\""),
        (b"a{1=\"v\"} 1\n", "1: invalid label name for metric \"a\""),
        (b"a{\"\"=\"v\"} 1\n", "1: invalid label name for metric \"a\""),
        (b"a{l=v} 1\n", "1: expected '\"' at start of label value, found 'v'"),
        (b"a{l} 1\n", "1: expected '=' after label name, found '}'"),
        (b"a{a:b=\"v\"} 1\n", "1: expected '=' after label name, found ':'"),
        (b"a{l\n=\"v\"} 1\n", "1: expected '=' after label name, found '\\n'"),
        (
            b"a{l\x85=\"v\"} 1\n",
            "1: expected '=' after label name, found '\\u0085'",
        ),
        (b"a{\"l\"x=\"v\"} 1\n", "1: expected '=' after label name, found 'x'"),
        (b"a{l=\"v\n\"} 1\n", "1: label value \"v\" contains unescaped new-line"),
        (
            b"a{\"l\nm\"=\"v\"} 1\n",
            "1: label name \"l\" contains unescaped new-line",
        ),
        (b"a{l=\"\\q\"} 1\n", "1: invalid escape sequence '\\q'"),
        (b"a{l=\"\\\xff\"} 1\n", "1: invalid escape sequence '\\ÿ'"),
        (b"a{l=\"\xff\"} 1\n", "1: invalid label value \"\\xff\""),
        (b"a{l=\"v\" m=\"w\"} 1\n", "1: unexpected end of label value \"v\""),
        (b"x{a=\"1\",a=\"2\"} 1\n", "1: duplicate label names for metric \"x\""),
        (b"a{__name__=\"v\"} 1\n", "1: label name \"__name__\" is reserved"),
    ]);
}

#[test]
fn repeated_labels_are_found_among_many() {
    let names = (0..300).map(|i| format!("l{i}=\"\","));
    let line = format!("a{{{}}} 1\n", names.collect::<String>());
    assert!(both(line.as_bytes()).starts_with("a UNTYPED {l0=\"\","));
    for repeated in ["l3", "l299"] {
        let line = line.replace('}', &format!("{repeated}=\"\"}}"));
        assert_eq!(both(line.as_bytes()), "1: duplicate label names for metric \"a\"");
    }
}

#[test]
fn names_in_braces_and_quotes() {
    check(&[
        (b"{a} 1\n", "a UNTYPED {} 1; "),
        (b"{\"a\",l=\"v\",} 1\n", "a UNTYPED {l=\"v\",} 1; "),
        (b"{l=\"v\",\"a\"} 1\n", "a UNTYPED {l=\"v\",} 1; "),
        (b"\"a\" 1\n", "a UNTYPED {} 1; "),
        (b"{\"__name__\"} 1\n", "__name__ UNTYPED {} 1; "),
        (b":a 1\n", ":a UNTYPED {} 1; "),
        (b"1a 1\n", "1: invalid metric name"),
        (b"\xff 1\n", "1: invalid metric name"),
        (b"{} 1\n", "1: invalid metric name"),
        (b"{l=\"v\"} 1\n", "1: invalid metric name"),
        (b"{\"\"} 1\n", "1: invalid label name for metric \"\""),
        (b"a 1\n{\"\"} 1\n", "2: invalid label name for metric \"a\""),
        (b"{\"a\",\"b\"} 1\n", "1: multiple metric names for metric \"a\""),
        (b"{\"a\" b} 1\n", "1: unexpected end of metric name 'b'"),
        (b"\"a\xffb\" 1\n", "1: invalid metric name \"a\\xffb\""),
        (b"\"a\nb\" 1\n", "1: metric name \"a\" contains unescaped new-line"),
        (b"\"a\\qb\" 1\n", "1: invalid escape sequence '\\q'"),
        (b"a\"b\"d 1\n", "1: expected float as value, got \"d\""),
    ]);
    for (input, utf8, legacy) in [
        ("{\"a.b\"} 1\n", "a.b UNTYPED {} 1; ", "1: invalid metric name \"a.b\""),
        (
            "{\"日\",l=\"v\"} 1\n",
            "日 UNTYPED {l=\"v\",} 1; ",
            "1: invalid metric name \"日\"",
        ),
        ("a\"b c\" 1\n", "ab c UNTYPED {} 1; ", "1: invalid metric name \"ab c\""),
        (
            "\"a\\nb\" 1\n",
            "a\nb UNTYPED {} 1; ",
            "1: invalid metric name \"a\\nb\"",
        ),
        (
            "a{\"l.m\"=\"v\"} 1\n",
            "a UNTYPED {l.m=\"v\",} 1; ",
            "1: invalid label name \"l.m\"",
        ),
        (
            "# TYPE \"a.b\" gauge\n{\"a.b\"} 1\n",
            "a.b GAUGE {} 1; ",
            "1: invalid metric name \"a.b\"",
        ),
        (
            "# HELP \"a.b\" x\n{\"a.b\"} 1\n",
            "a.b UNTYPED \"x\" {} 1; ",
            "1: invalid metric name \"a.b\"",
        ),
    ] {
        assert_eq!(outcome(input.as_bytes(), STRICT), utf8);
        assert_eq!(outcome(input.as_bytes(), LEGACY), legacy);
    }
}

#[test]
fn a_line_without_a_name_does_not_touch_the_line_before() {
    check(&[
        (b"a 1\n{} 2\n", "2: invalid metric name"),
        (b"a 1\n{l=\"v\"} 2\n", "2: invalid metric name"),
        (b"# TYPE a gauge\n{} 1\n", "2: invalid metric name"),
    ]);
}

#[test]
fn comments() {
    check(&[
        (b"#\n# \n# EOF\n# UNIT a b\n#x{\n", ""),
        (b"# TYPE a gauge\n# HELP b x\n", ""),
        (b"# HELP\n# HELP \n# HELP a\n# HELP a \na 1\n", "a UNTYPED {} 1; "),
        (b"#HELP a  x \na 1\n", "a UNTYPED \"x \" {} 1; "),
        (b"# HELP a \\n\\\\\\\"\na 1\n", "a UNTYPED \"\\n\\\\\\\"\" {} 1; "),
        (b"# HELP a \xff\na 1\n", "a UNTYPED \"\u{fffd}\" {} 1; "),
        (b"# TYPE a CouNTer\na 1\n", "a COUNTER {} 1; "),
        (b"# TYPE a coun\\ter\na 1\n", "a COUNTER {} 1; "),
        (b"# TYPE a  gauge\na 1\n", "a GAUGE {} 1; "),
        (b"# HELP a \\q\n", "1: invalid escape sequence '\\q'"),
        (b"# HELP a \\\n\n", "1: invalid escape sequence '\\\n'"),
        (b"# HELP a x\n# HELP a y\n", "2: second HELP line for metric name \"a\""),
        (b"# HELP \"\" x\n", "1: invalid metric name \"\""),
        (b"# TYPE a counter\r\n", "1: unknown metric type \"counter\\r\""),
        (b"# TYPE a counter \n", "1: unknown metric type \"counter \""),
        (b"# TYPE a info\n", "1: unknown metric type \"info\""),
        (b"# TYPE a unknown\n", "1: unknown metric type \"unknown\""),
        (
            b"# TYPE a gauge\n# TYPE a gauge\n",
            "2: second TYPE line for metric name \"a\", or TYPE reported after samples",
        ),
        (
            b"a 1\n# TYPE a gauge\n",
            "2: second TYPE line for metric name \"a\", or TYPE reported after samples",
        ),
        (b"# TYPE a\r\n", "1: invalid metric name in comment"),
        (b"# TYPE 1 x\n", "1: invalid metric name in comment"),
        (b"# TYPE a-b gauge\n", "1: invalid metric name in comment"),
    ]);
}

#[test]
fn lenient_reading_takes_what_windows_writes() {
    let body = b"# TYPE m counter\r\n# HELP m x\r\nm{l=\"v\"} 1\r\nn 2 3";
    assert_eq!(
        outcome(body, LENIENT),
        "m COUNTER \"x\" {l=\"v\",} 1; n UNTYPED {} 2 @3; "
    );
    assert_eq!(
        outcome(b"a{l=\"v\r\n\"} 1\n", LENIENT),
        "1: label value \"v\" contains unescaped new-line"
    );
    assert_eq!(
        outcome(b"a{l=\"v", LENIENT),
        "1: label value \"v\" contains unescaped new-line"
    );
}

/// Pieces of which most input is nearly right.
#[test]
fn no_more_metrics_than_allowed() {
    for text in [
        "a 1\nb 1\nb{c=\"1\"} 1\n",
        "# TYPE a summary\na{quantile=\"0.5\"} 1\na{quantile=\"0.9\"} 1\na_sum 1\na_count 1\n",
        "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n",
    ] {
        let allowing = |max_metrics| {
            let options = Options { max_metrics, ..STRICT };
            parse(text.as_bytes(), options)
                .map(drop)
                .map_err(|e| (e.too_many, e.to_string()))
        };
        assert_eq!([allowing(0), allowing(3)], [Ok(()), Ok(())]);
        let line = text.bytes().filter(|b| *b == b'\n').count().min(3);
        let message = format!("text format parsing error in line {line}: more than the limit of 2 series");
        assert_eq!(allowing(2), Err((true, message)));
    }
}

fn scraps() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            "# TYPE ",
            "# HELP ",
            "h",
            "s",
            "_count",
            "_sum",
            "_bucket",
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
            "le=\"1\"",
            "quantile=\"0.5\"",
            "l=\"v\"",
            "histogram",
            "summary",
            "\"a.b\"",
            "\r\n",
        ])
        .prop_map(|s| s.as_bytes().to_vec()),
        any::<u8>().prop_map(|b| vec![b]),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(input in scraps(), utf8 in any::<bool>(), lenient in any::<bool>()) {
        let result = parse(&input, Options {
            utf8,
            lenient,
            max_metrics: 0,
        });
        if let Err(e) = &result {
            prop_assert!(e.line >= 1 && e.line <= 1 + input.len());
        }
        if let (Ok(families), false) = (&result, lenient) {
            prop_assert_eq!(&parse(&input, LENIENT).map(|f| shown(&f)), &Ok(shown(families)));
        }
    }
}
