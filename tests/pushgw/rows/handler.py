"""What the routes answer, and what a path says of labels."""

from __future__ import annotations

from tests.pushgw.rows.steps import PMI, TWO, Row, Step, delete, post

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
