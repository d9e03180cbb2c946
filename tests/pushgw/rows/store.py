"""What later pushes, deletions and wipes make of earlier ones."""

from __future__ import annotations

from tests.pushgw.rows.steps import PMI, Row, delete, post, put

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
