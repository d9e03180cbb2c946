"""What a body may say, alone and beside what is there."""

from __future__ import annotations

from tests.pushgw.rows.steps import PMI, Row, Step, ok, one, post

TEXT = [
    one("no final LF", "m 1", "text format parsing error in line 1: unexpected end of input stream"),
    one("CRLF in a value", "m 1\r\n", 'text format parsing error in line 1: expected float as value, got "1\\r"'),
    one(
        "CRLF in a type",
        "# TYPE m counter\r\n",
        'text format parsing error in line 1: unknown metric type "counter\\r"',
    ),
    one("trailing blank", "m 1 \n", 'text format parsing error in line 1: expected integer as timestamp, got ""'),
    one(
        "after the timestamp",
        "a 1 100 x\n",
        'text format parsing error in line 1: spurious string after timestamp: " x"',
    ),
    one("not a float", "x abc\n", 'text format parsing error in line 1: expected float as value, got "abc"'),
    one("dash in a name", "a-b 1\n", 'text format parsing error in line 1: expected float as value, got "-b"'),
    one("hex float", "a 0x1p3\n", 'expected float as value, got "0x1p3"'),
    one("underscore in a float", "a 1_000\n", 'expected float as value, got "1_000"'),
    one(
        "second TYPE",
        "# TYPE a counter\n# TYPE a counter\na 1\n",
        'second TYPE line for metric name "a", or TYPE reported after samples',
    ),
    one(
        "TYPE after samples",
        "a 1\n# TYPE a counter\n",
        'second TYPE line for metric name "a", or TYPE reported after samples',
    ),
    one("second HELP", "# HELP a x\n# HELP a y\na 1\n", 'second HELP line for metric name "a"'),
    one("escape in HELP", "# HELP a \\q\na 1\n", "invalid escape sequence '\\q'"),
    one("escape in a label", 'a{b="\\q"} 1\n', "invalid escape sequence '\\q'"),
    one("a label twice", 'x{a="1",a="2"} 1\n', 'duplicate label names for metric "x"'),
    one("__name__ as label", 'x{__name__="1"} 1\n', 'label name "__name__" is reserved'),
    Row(
        "reserved label",
        [post("job/j", 'm{__foo="1"} 3\n', 400, "has a label with an invalid name: __foo")],
        metrics=[],
    ),
    one("label value not UTF-8", b'x{a="\xff"} 1\n', 'invalid label value "\\xff"'),
    one(
        "le is no float",
        '# TYPE h histogram\nh_bucket{le="x"} 1\n',
        "expected float as value for 'le' label, got \"x\"",
    ),
    one("an exemplar in text", 'a_total 1 # {id="1"} 1\n', 'expected integer as timestamp, got "#"'),
    one("EOF without LF", "# EOF", "unexpected end of input stream"),
    one("nothing in braces", "{} 1\n", "text format parsing error in line 1"),
    one("info", "# TYPE a info\na 1\n", 'unknown metric type "info"'),
    ok(
        "NaN and Inf",
        "a NaN\nb +Inf\nc -Inf\n",
        'a{instance="",job="j"} NaN',
        'b{instance="",job="j"} +Inf',
        'c{instance="",job="j"} -Inf',
    ),
    ok("EOF and UNIT are comments", "# UNIT a seconds\na 1\n# EOF\n", 'a{instance="",job="j"} 1'),
    ok("trailing comma", 'a{b="1",} 1\n', 'a{b="1",instance="",job="j"} 1'),
    ok("type in capitals", "# TYPE a GAUGE\na 1\n", 'a{instance="",job="j"} 1'),
    ok("colons", "a:b 1\n", 'a:b{instance="",job="j"} 1'),
    ok("TYPE only", "# TYPE a gauge\n"),
    ok(
        "differing label names",
        'il{a="1"} 1\nil{b="1"} 2\nil 3\n',
        'il{a="1",instance="",job="j"} 1',
        'il{b="1",instance="",job="j"} 2',
        'il{instance="",job="j"} 3',
    ),
    ok("escapes", 'a{b="x\\\\y\\"z\\n"} 1\n', 'a{b="x\\\\y\\"z\\n",instance="",job="j"} 1'),
    Row(
        "another media type is text",
        [post("job/j", "a 1\n", content_type="application/json")],
        metrics=['a{instance="",job="j"} 1'],
    ),
    ok(
        "histogram",
        '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n',
        'h_bucket{instance="",job="j",le="1"} 1',
        'h_bucket{instance="",job="j",le="+Inf"} 2',
        'h_count{instance="",job="j"} 2',
        'h_sum{instance="",job="j"} 3',
    ),
]

CONSISTENCY = [
    Row(
        "the same metric twice",
        [
            post(
                "job/j",
                "dd 1\ndd 2\n",
                400,
                PMI
                + 'collected metric "dd" { label:{name:"instance" value:""} label:{name:"job" value:"j"} untyped:{value:2}} was collected before with the same name and label values',
            )
        ],
        metrics=[],
    ),
    Row(
        "twice after the key's labels",
        [post("job/j", 'db{job="a"} 1\ndb{job="b"} 1\n', 400, "was collected before")],
        metrics=[],
    ),
    Row(
        "another type in another group",
        [post("job/a", "# TYPE x counter\nx 1\n"), post("job/b", "# TYPE x gauge\nx 1\n", 400, "is not a COUNTER")],
        metrics=['x{instance="",job="a"} 1'],
    ),
    Row(
        "another type in the same group is a replacement",
        [post("job/a", "# TYPE x counter\nx 1\n"), post("job/a", "# TYPE x gauge\nx 2\n")],
        metrics=['x{instance="",job="a"} 2'],
    ),
    Row("another HELP", [post("job/a", "# HELP x 1\nx 1\n"), post("job/b", "# HELP x 2\nx 1\n")]),
    Row(
        "a name that a summary makes",
        [
            post("job/a", "# TYPE s summary\ns_sum 1\ns_count 2\n"),
            post(
                "job/b",
                "s_count 1\n",
                400,
                'collected metric named "s_count" collides with previously collected summary named "s"',
            ),
        ],
        metrics=['s_count{instance="",job="a"} 2', 's_sum{instance="",job="a"} 1'],
    ),
    Row(
        "a summary whose series are taken",
        [
            post("job/a", "s_count 1\n"),
            post(
                "job/b", "# TYPE s summary\ns_sum 1\n", 400, 'collides with previously collected metric named "s_count"'
            ),
        ],
        metrics=['s_count{instance="",job="a"} 1'],
    ),
    Row(
        "a name that a histogram makes",
        [
            post("job/a", "# TYPE h histogram\nh_sum 1\nh_count 2\n"),
            post("job/b", 'h_bucket{x="1"} 1\n', 400, 'collides with previously collected histogram named "h"'),
        ],
    ),
    Row(
        "quantile as a grouping label",
        [post("job/j/quantile/3", "# TYPE t summary\nt_sum 1\n", 400, 'must not have an explicit "quantile" label')],
        metrics=[],
    ),
    Row("le as a grouping label", [post("job/j/le/3", "t 1\n")], metrics=['t{instance="",job="j",le="3"} 1']),
    Row(
        "two errors",
        [post("job/j", "a 1\na 2\nb 1\nb 2\n", 400, PMI + "2 error(s) occurred:\n* collected metric")],
        metrics=[],
    ),
    Row(
        "a refused push does not disturb others",
        [post("job/bad", "a 1\na 2\n", 400), post("job/good", "a 1\n"), Step("GET", "/metrics")],
        metrics=['a{instance="",job="good"} 1'],
    ),
    Row(
        "poison: a key that is not UTF-8 leaves nothing behind",
        [post("job/j/name/%FF", "a 1\n", 400), post("job/j/name@base64/_w", "a 1\n", 400), post("job/j", "a 1\n")],
        metrics=['a{instance="",job="j"} 1'],
        groups=[{"job": "j"}],
    ),
    Row(
        "poison: a name that unescapes to a reserved one",
        [post("job/j/U______x/v", "a 1\n", 400, "improper label name"), post("job/j", "a 1\n")],
        metrics=['a{instance="",job="j"} 1'],
        groups=[{"job": "j"}],
    ),
    Row(
        "bad base64 in the job does not lock the route",
        [
            post(
                "job@base64/foo.bar",
                "a 1\n",
                400,
                'invalid base64 encoding in job name "": illegal base64 data at input byte 3',
            ),
            post("job@base64/eA", "a 1\n"),
        ],
        metrics=['a{instance="",job="x"} 1'],
    ),
]
