"""Pushgateway's own test suite and what its 1.5.1 answers to odd input, as data.

Names H*, L*, S* are the cases of `handler_test.go` and `diskmetricstore_test.go` in Pushgateway 1.11.3; the rest was
seen by running Debian's 1.5.1. A row is a list of steps on an empty bridge; after each step the answer is compared, and
after the last one the series on `/metrics` (push times aside).
"""

from __future__ import annotations

from dataclasses import dataclass, field

PMI = "pushed metrics are invalid or inconsistent with existing metrics: "
TWO = 'some_metric 3.14\nanother_metric{instance="testinstance",job="testjob"} 42\n'


@dataclass(frozen=True)
class Step:
    """One request and what must come back; `text` is a part of the body."""

    method: str
    path: str
    body: str | bytes = b""
    status: int = 200
    text: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """Steps, then the pushed series that `/metrics` shows: lines without the values of push times."""

    name: str
    steps: list[Step]
    metrics: list[str] | None = None
    groups: list[dict[str, str]] | None = None


def post(path: str, body: str | bytes = b"", status: int = 200, text: str | None = None, **headers: str) -> Step:
    return Step("POST", f"/metrics/{path}", body, status, text, {k.replace("_", "-"): v for k, v in headers.items()})


def put(path: str, body: str | bytes = b"", status: int = 200, text: str | None = None, **headers: str) -> Step:
    return Step("PUT", f"/metrics/{path}", body, status, text, {k.replace("_", "-"): v for k, v in headers.items()})


def delete(path: str, status: int = 202, text: str | None = None) -> Step:
    return Step("DELETE", f"/metrics/{path}", b"", status, text)


def one(name: str, body: str | bytes, text: str, status: int = 400) -> Row:
    """A body that is refused without a trace."""
    return Row(name, [post("job/j", body, status, text)], metrics=[], groups=[])


def ok(name: str, body: str | bytes, *metrics: str) -> Row:
    return Row(name, [post("job/j", body)], metrics=list(metrics))


HANDLER = [
    Row("H1 healthy and ready", [Step("GET", "/-/healthy", text="OK"), Step("GET", "/-/ready", text="OK")]),
    Row("H2 no job", [post("job/", "x 1\n", 400, "job name is required")], groups=[]),
    Row("H3 empty body", [post("job/testjob")], metrics=[], groups=[{"job": "testjob"}]),
    Row("H4 garbage", [post("job/testjob", "blablabla\n", 400)], groups=[]),
    Row(
        "H5 two metrics, labels as sent",
        [post("job/testjob/instance/testinstance", TWO)],
        metrics=[
            'another_metric{instance="testinstance",job="testjob"} 42',
            'some_metric{instance="testinstance",job="testjob"} 3.14',
        ],
    ),
    Row(
        "H6 the store refuses",
        [post("job/testjob", "a 1\n# TYPE b counter\nb 1\nb 2\n", 400, PMI)],
        metrics=[],
    ),
    Row(
        "H7 base64 job and instance",
        [post("job@base64/dGVzdC9qb2I=/instance@base64/dGVzdGluc3RhbmNl", TWO)],
        metrics=[
            'another_metric{instance="testinstance",job="test/job"} 42',
            'some_metric{instance="testinstance",job="test/job"} 3.14',
        ],
    ),
    Row(
        "H8 job only, body has instance and job",
        [post("job/testjob", TWO)],
        metrics=[
            'another_metric{instance="testinstance",job="testjob"} 42',
            'some_metric{instance="",job="testjob"} 3.14',
        ],
        groups=[{"job": "testjob"}],
    ),
    Row(
        "H9 a timestamp", [post("job/testjob", "a 1\nb 1 1000\n", 400, PMI + "pushed metrics must not have timestamps")]
    ),
    Row(
        "H11 UTF-8 names",
        [
            post(
                "job/testjob/U__dotted_2e_label_2e_name/mylabelvalue",
                'some_metric 3.14\n{"another.metric",instance="testinstance",job="testjob","dotted.label.name"="mylabelvalue"} 42\n',
            )
        ],
        metrics=[
            'some_metric{"dotted.label.name"="mylabelvalue",instance="",job="testjob"} 3.14',
            '{"another.metric","dotted.label.name"="mylabelvalue",instance="testinstance",job="testjob"} 42',
        ],
        groups=[{"dotted.label.name": "mylabelvalue", "job": "testjob"}],
    ),
    Row(
        "H12 UTF-8 names and base64",
        [
            post(
                "job@base64/dGVzdC9qb2I=/instance@base64/dGVzdGluc3RhbmNl/U__dotted_2e_label_2e_name@base64/bXlsYWJlbHZhbHVl",
                'some_metric 3.14\n{"another.metric"} 42\n',
            )
        ],
        metrics=[
            'some_metric{"dotted.label.name"="mylabelvalue",instance="testinstance",job="test/job"} 3.14',
            '{"another.metric","dotted.label.name"="mylabelvalue",instance="testinstance",job="test/job"} 42',
        ],
    ),
    Row("H14 delete without job", [delete("job/", 400, "job name is required")]),
    Row("H15 delete a job", [post("job/testjob", "a 1\n"), delete("job/testjob")], metrics=[], groups=[]),
    Row(
        "H16 delete job and instance",
        [post("job/testjob/instance/testinstance", "a 1\n"), delete("job/testjob/instance/testinstance")],
        metrics=[],
        groups=[],
    ),
    Row(
        "H17 delete, base64",
        [
            post("job@base64/dGVzdC9qb2I=/instance/testinstance", "a 1\n"),
            delete("job@base64/dGVzdC9qb2I=/instance@base64/dGVzdGluc3RhbmNl"),
        ],
        groups=[],
    ),
    Row(
        "H18 delete, UTF-8 label",
        [
            post("job/testjob/U__dotted_2e_label_2e_name/mylabelvalue", "a 1\n"),
            delete("job/testjob/U__dotted_2e_label_2e_name/mylabelvalue"),
        ],
        groups=[],
    ),
    Row(
        "H19 delete, UTF-8 label and base64",
        [
            post("job@base64/dGVzdC9qb2I=/U__dotted_2e_label_2e_name/mylabelvalue", "a 1\n"),
            delete("job@base64/dGVzdC9qb2I=/U__dotted_2e_label_2e_name@base64/bXlsYWJlbHZhbHVl"),
        ],
        groups=[],
    ),
]

# What follows the job in the path -> the grouping labels, or the error.
LABELS: list[tuple[str, str, dict[str, str] | str]] = [
    (
        "L1",
        "/label_name1/label_value1/label_name2/label_value2",
        {"label_name1": "label_value1", "label_name2": "label_value2"},
    ),
    ("L3", "/label_name1/label_value1/__label_name2/label_value2", 'improper label name "__label_name2"'),
    ("L4", "/label_name1/label_value1/label_name2/label/value2", "odd number of components in label string "),
    (
        "L5",
        "/label_name1@base64/bGFiZWwvdmFsdWUx/label_name2/label_value2",
        {"label_name1": "label/value1", "label_name2": "label_value2"},
    ),
    (
        "L6",
        "/label_name1@base64/bGFiZWwvdmFsdWUx/label_name2@base64/bGFiZWwvdmFsdWUy",
        {"label_name1": "label/value1", "label_name2": "label/value2"},
    ),
    (
        "L7",
        "/label_name1@base64/bGFiZWwvdmFsdWUx/label_name2@base64/bGFiZWwvdmFsdWUy==",
        {"label_name1": "label/value1", "label_name2": "label/value2"},
    ),
    (
        "L8",
        "/label_name1@base64/foo.bar/label_name2/label_value2",
        'invalid base64 encoding for label label_name1="foo.bar": illegal base64 data at input byte 3',
    ),
    ("L10", "/U__label_2e_name2/label_value2", {"label.name2": "label_value2"}),
    (
        "L11",
        "/label_name1@base64/bGFiZWwvdmFsdWUx/U__label_2e_name2@base64/bGFiZWwvdmFsdWUy",
        {"label_name1": "label/value1", "label.name2": "label/value2"},
    ),
    ("escape of a malformed name stays", "/U__label_2e/v", {"U__label_2e": "v"}),
    ("double underscore is one", "/U__a__b/v", {"a_b": "v"}),
    ("odd", "/a", 'odd number of components in label string "/a"'),
    ("encoded slash separates", "%2Fb", 'odd number of components in label string "/b"'),
    ("plus stays plus", "/a/b+c", {"a": "b+c"}),
    ("blank by %20", "/a/b%20c", {"a": "b c"}),
    ("empty value by base64", "/a@base64/=", {"a": ""}),
    ("empty value at the end", "/a/", {"a": ""}),
    ("trailing slash", "/", {}),
    ("empty base64 at the end", "/zz@base64/", {"zz": ""}),
    ("last of two", "/a/1/a/2", {"a": "2"}),
    ("job of the path wins", "/job/other", {}),
    ("job by base64 in the labels", "/job@base64/eA/a/b", {"a": "b"}),
    ("bad percent", "/a/%zz", "400 Bad Request"),
    ("not UTF-8", "/a/%FF", "not valid UTF-8"),
    ("not UTF-8 in base64", "/a@base64/_w", "not valid UTF-8"),
    ("reserved after unescaping", "/U______x/v", "improper label name"),
]

# The same with legacy names only.
LEGACY_LABELS: list[tuple[str, str, dict[str, str] | str]] = [
    ("L2", "/label_name1/label_value1/a=b/label_value2", 'improper label name "a=b"'),
    ("L9", "/U__label_2e_name2/label_value2", {"U__label_2e_name2": "label_value2"}),
]

STORE = [
    Row(
        "S1 families of several groups are merged",
        [
            post("job/job1/instance/instance1", 'mf1{labelname="val2"} 4711\n'),
            post("job/job1/instance/instance2", 'mf1{labelname="val1"} -3.14\n# TYPE mf2 gauge\nmf2 +Inf\n'),
            post("job/job2/instance/instance1", "mf1 42\n"),
            post("job/job3/instance/instance1", "# TYPE mf3 counter\nmf3 3\n"),
            post("job/job3/instance/instance2", "# TYPE mf4 counter\nmf4 4\n"),
            post("job/job4", ""),
        ],
        metrics=[
            'mf1{instance="instance1",job="job1",labelname="val2"} 4711',
            'mf1{instance="instance1",job="job2"} 42',
            'mf1{instance="instance2",job="job1",labelname="val1"} -3.14',
            'mf2{instance="instance2",job="job1"} +Inf',
            'mf3{instance="instance1",job="job3"} 3',
            'mf4{instance="instance2",job="job3"} 4',
        ],
    ),
    Row(
        "S2 push to a group",
        [post("job/job1/instance/instance1", "mf3 42\n")],
        metrics=['mf3{instance="instance1",job="job1"} 42'],
    ),
    Row(
        "S3 infinite gauges are kept",
        [post("job/job1/instance/instance2", '# TYPE mf2 gauge\nmf2{a="1"} +Inf\nmf2{a="2"} -Inf\n')],
        metrics=['mf2{a="1",instance="instance2",job="job1"} +Inf', 'mf2{a="2",instance="instance2",job="job1"} -Inf'],
    ),
    Row(
        "S5 POST replaces a family whole",
        [
            post("job/job1/instance/instance2", 'mf1{a="1"} 1\nmf1{a="2"} 2\nkept 1\n'),
            post("job/job1/instance/instance2", 'mf1{a="3"} -3000\n'),
        ],
        metrics=['kept{instance="instance2",job="job1"} 1', 'mf1{a="3",instance="instance2",job="job1"} -3000'],
    ),
    Row(
        "S6 summary without observations, labels of the body",
        [
            post(
                "job/job5",
                '# TYPE mf5 summary\nmf5_sum{instance="instance5",job="x"} 0\nmf5_count{instance="instance5",job="x"} 0\n',
            )
        ],
        metrics=['mf5_count{instance="instance5",job="job5"} 0', 'mf5_sum{instance="instance5",job="job5"} 0'],
    ),
    Row(
        "S8 delete two of three",
        [
            post("job/job1/instance/instance1", "a 1\n"),
            post("job/job1/instance/instance2", "a 2\n"),
            post("job/job5", "a 3\n"),
            delete("job/job1/instance/instance1"),
            delete("job/job5"),
        ],
        metrics=['a{instance="instance2",job="job1"} 2'],
        groups=[{"instance": "instance2", "job": "job1"}],
    ),
    Row(
        "S10 delete of a part of a key removes nothing",
        [post("job/job1/instance/instance1", "a 1\n"), delete("job/job1")],
        metrics=['a{instance="instance1",job="job1"} 1'],
    ),
    Row(
        "S11 delete",
        [post("job/job3/instance/instance2", "mf4 1\n"), delete("job/job3/instance/instance2")],
        metrics=[],
        groups=[],
    ),
    Row(
        "S15 a timestamp marks the group failed",
        [post("job/job1/instance/instance1", "mf 1 1000\n", 400, PMI + "pushed metrics must not have timestamps")],
        metrics=[],
        groups=[{"instance": "instance1", "job": "job1"}],
    ),
    Row(
        "S16, S17 one of our own names with another type; then a good push",
        [
            post(
                "job/job1/instance/instance1",
                "# TYPE process_open_fds counter\nprocess_open_fds 1\n",
                400,
                PMI + "gathered metric family process_open_fds has type COUNTER but should have GAUGE",
            ),
            post("job/job1/instance/instance1", "mf1 1\n"),
        ],
        metrics=['mf1{instance="instance1",job="job1"} 1'],
        groups=[{"instance": "instance1", "job": "job1"}],
    ),
    Row(
        "S18 an equal final label set in another group",
        [
            post("job/job1/instance/instance2", "mf1 1\n"),
            post(
                "job/job1",
                'mf1{instance="instance2"} 2\n',
                400,
                "was collected before with the same name and label values",
            ),
        ],
        metrics=['mf1{instance="instance2",job="job1"} 1'],
        groups=[{"job": "job1"}, {"instance": "instance2", "job": "job1"}],
    ),
    Row(
        "S19 the key's labels win",
        [post("job/job1/instance/instance2", 'mf1{job="job2",instance="instance1"} 1\n')],
        metrics=['mf1{instance="instance2",job="job1"} 1'],
    ),
    Row("S20 instance from the key", [post("job/j/instance/i", "a 1\n")], metrics=['a{instance="i",job="j"} 1']),
    Row("S21 empty instance", [post("job/j", "a 1\n")], metrics=['a{instance="",job="j"} 1']),
    Row(
        "S22, S24 a refused PUT keeps the data",
        [put("job/j", "mf1 1\n"), put("job/j", "mf1 1 1000\n", 400), put("job/j", "mf1 3\n")],
        metrics=['mf1{instance="",job="j"} 3'],
    ),
    Row(
        "S23 PUT replaces all",
        [put("job/j", "mf1 1\n"), put("job/j", "mf2 2\n")],
        metrics=['mf2{instance="",job="j"} 2'],
    ),
    Row(
        "S24 a refused PUT changes nothing",
        [put("job/j", "mf1 1\n"), put("job/j", "mf2 1 1000\n", 400)],
        metrics=['mf1{instance="",job="j"} 1'],
    ),
    Row("S25 PUT of nothing", [put("job/j", "mf1 1\n"), put("job/j", "")], metrics=[], groups=[{"job": "j"}]),
    Row(
        "S26 families by grouping key",
        [post("job/a", "x 1\n"), post("job/b", "x 2\n")],
        metrics=['x{instance="",job="a"} 1', 'x{instance="",job="b"} 2'],
        groups=[{"job": "a"}, {"job": "b"}],
    ),
    Row(
        "S27 HELP of two groups",
        [post("job/a", "# HELP mf_help one\nmf_help 1\n"), post("job/b", "# HELP mf_help two\nmf_help 2\n")],
        metrics=['mf_help{instance="",job="a"} 1', 'mf_help{instance="",job="b"} 2'],
    ),
]

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
