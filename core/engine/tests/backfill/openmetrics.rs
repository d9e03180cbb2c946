//! What the reader takes and refuses.

use engine::backfill::{BadLine, Buffer, OpenMetrics};
use proptest::prelude::*;

use crate::dump_all;

const RANGE: i64 = 7_200_000;

fn read_in(pieces: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<Vec<String>, BadLine> {
    let (mut reader, mut buffer) = (OpenMetrics::default(), Buffer::new(RANGE));
    for piece in pieces {
        reader.feed(piece.as_ref(), &mut buffer)?;
    }
    reader.finish()?;
    Ok(dump_all(&mut buffer))
}

fn read(text: &str) -> Result<Vec<String>, BadLine> {
    read_in([text])
}

const TEXT: &str = r##"# HELP http_seconds Time \n of "requests".
# TYPE http_seconds histogram
# UNIT http_seconds seconds
http_seconds_bucket{le="+Inf",path="/"} 3 1.5 # {trace_id="a b} # {"} 0.5 1.25
http_seconds_bucket{le="+Inf",path="/"} 4 2.5 # {} 0.5
http_seconds_count{path="/"} 3 1.5
http_seconds_count{path="/"} 4 2.5
# TYPE b gauge
b NaN 1
b{} -Inf 7200
a{x="\"\\\n"} 1e3 -0.001
b{z="1",a="2"} 2 3
b{a="2",z="1"} 3 4
# EOF
"##;

const LINES: [&str; 9] = [
    r#"{__name__="a", x="\"\\\n"} 1000 -1"#,
    r#"{__name__="b"} NaN 1000"#,
    r#"{__name__="b", a="2", z="1"} 2 3000"#,
    r#"{__name__="b", a="2", z="1"} 3 4000"#,
    r#"{__name__="http_seconds_bucket", le="+Inf", path="/"} 3 1500"#,
    r#"{__name__="http_seconds_bucket", le="+Inf", path="/"} 4 2500"#,
    r#"{__name__="http_seconds_count", path="/"} 3 1500"#,
    r#"{__name__="http_seconds_count", path="/"} 4 2500"#,
    r#"{__name__="b"} -inf 7200000"#,
];

#[test]
fn reads_samples_whatever_stands_around_them() {
    assert_eq!(read(TEXT).unwrap(), LINES);
    assert_eq!(read(TEXT.trim_end()).unwrap(), LINES);
}

#[test]
fn pieces_may_end_anywhere() {
    for size in 1..40 {
        assert_eq!(read_in(TEXT.as_bytes().chunks(size)).unwrap(), LINES, "{size}");
    }
}

#[test]
fn a_bad_line_is_named() {
    for (text, number, wanted) in [
        ("", 1, "does not end with"),
        ("a 1 1\n", 2, "does not end with"),
        ("a 1 1\n# EO", 2, "does not end with"),
        ("a 1 1\n# EOF\n\n", 3, "behind"),
        ("a 1 1\n# EOF\na", 3, "behind"),
        ("a 1\n# EOF\n", 1, "no timestamp"),
        ("a 1 # {} 1\n# EOF\n", 1, "no timestamp"),
        ("a 1 NaN\n# EOF\n", 1, "not a time"),
        ("a 1 1e300\n# EOF\n", 1, "not a time"),
        ("a 1 x\n# EOF\n", 1, "not a time"),
        ("b 1 1\na x 1\n# EOF\n", 2, "not a number"),
        ("a  1 1\n# EOF\n", 1, "expected a blank and a value"),
        ("a\n# EOF\n", 1, "no value"),
        ("\n# EOF\n", 1, "no value"),
        ("a{b=\"c 1 1\n# EOF\n", 1, "not closed"),
        ("a{b=\"c\"}1 1\n# EOF\n", 1, "expected a blank"),
        ("{} 1 1\n# EOF\n", 1, "without labels"),
        ("a{b=\"\"} 1 1\nä 1 1\n# EOF\n", 2, "metric name"),
        ("a 1 1 2\n# EOF\n", 1, "no exemplar"),
        ("a 1 1 # {a=\"b\"}\n# EOF\n", 1, "exemplar has no value"),
        ("a 1 1 # {a=\"b\"} 1 1 1\n# EOF\n", 1, "behind the exemplar"),
        ("a 1 1 # {a=b} 1\n# EOF\n", 1, "quotes"),
        ("#a\n# EOF\n", 1, "expected TYPE"),
        ("# a comment\n# EOF\n", 1, "expected TYPE"),
        ("# TYPE a b\n# EOF\n", 1, "metric type"),
        ("# UNIT a b\n# EOF\n", 1, "unit"),
        ("# HELP a\n# EOF\n", 1, "a name and a text"),
    ] {
        let error = read(text).unwrap_err();
        assert!(
            error.number == number && error.reason.contains(wanted),
            "{text:?}: {error}"
        );
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_refused_where_they_mean_text() {
    for line in [
        &b"a{b=\"\xff\"} 1 1\n"[..],
        b"# HELP a \xff\n",
        b"a \xff 1\n",
        b"a 1 1 # {a=\"\xff\"} 1\n",
    ] {
        assert!(
            read_in([line, b"# EOF\n"]).is_err(),
            "{}",
            String::from_utf8_lossy(line)
        );
    }
}

/// Names that are the beginnings of others, so that a comparison of the expected text alone would be wrong.
fn text_of(samples: &[(usize, i64, i32)]) -> (String, Vec<String>) {
    const NAMES: [(&str, &str); 5] = [
        ("a", r#"{__name__="a"}"#),
        ("a1", r#"{__name__="a1"}"#),
        ("a{b=\"c\"}", r#"{__name__="a", b="c"}"#),
        ("a{b=\"c \"}", r#"{__name__="a", b="c "}"#),
        ("a1{b=\"c\",d=\"}\"}", r#"{__name__="a1", b="c", d="}"}"#),
    ];
    let (mut text, mut lines) = (String::new(), Vec::new());
    for (name, seconds, value) in samples {
        let (written, labels) = NAMES[*name];
        text += &format!("{written} {value} {seconds}\n");
        lines.push((*seconds, format!("{labels} {value} {}", seconds * 1000)));
    }
    lines.sort();
    (text + "# EOF\n", lines.into_iter().map(|(_, line)| line).collect())
}

proptest! {
    #[test]
    fn every_sample_goes_to_its_own_series(
        order in proptest::collection::vec((0..5usize, any::<i32>()), 1..60),
        size in 1..50usize,
    ) {
        let samples: Vec<_> = order.iter().enumerate().map(|(t, (name, value))| (*name, t as i64, *value)).collect();
        let (text, lines) = text_of(&samples);
        let mut found = read_in(text.as_bytes().chunks(size)).unwrap();
        found.sort_by_key(|line| line.rsplit(' ').next().and_then(|t| t.parse::<i64>().ok()));
        prop_assert_eq!(found, lines);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_in([bytes]);
    }

    #[test]
    fn any_line_is_read_or_refused(line in r##"[ab{}="\\, 1.e#\-NE]{0,30}"##) {
        let _ = read(&format!("{line}\n# EOF\n"));
    }
}
