"""Paths of groups and text of metrics."""

from __future__ import annotations

import base64
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.cli.push.payload import exposition, group_path
from bridge.errors import BadInput

PATHS = {
    ("backup",): "/metrics/job/backup",
    ("backup", ("db", "main"), ("az", "1")): "/metrics/job/backup/az/1/db/main",
    ("a/b",): "/metrics/job@base64/YS9i",
    ("x", ("path", "/var/tmp")): "/metrics/job/x/path@base64/L3Zhci90bXA=",
    ("x", ("empty", "")): "/metrics/job/x/empty@base64/=",
    ("x", ("dots", "..")): "/metrics/job/x/dots@base64/Li4=",
    ("x", ("space", "a b")): "/metrics/job/x/space@base64/YSBi",
    ("x", ("percent", "50%")): "/metrics/job/x/percent@base64/NTAl",
    ("x", ("name", "Björn")): "/metrics/job/x/name@base64/QmrDtnJu",
    ("x", ("dotted.name", "v")): "/metrics/job/x/U__dotted_2e_name/v",
    ("x", ("a_b c", "v")): "/metrics/job/x/U__a__b_20_c/v",
}
METRICS = {
    ("rows=42",): "# TYPE rows gauge\nrows 42\n",
    ("rows_total=1e6", "t=-.5"): "# TYPE rows_total counter\nrows_total 1e6\n# TYPE t gauge\nt -.5\n",
    ('r{b="2",a="1"}=1', "s=2", 'r{a="3"}=3'): '# TYPE r gauge\nr{b="2",a="1"} 1\nr{a="3"} 3\n# TYPE s gauge\ns 2\n',
    ('r{a="x=\\"y\\"\\n\\\\"}=NaN',): '# TYPE r gauge\nr{a="x=\\"y\\"\\n\\\\"} NaN\n',
    ('{"a.b","c.d"="e"}=+Inf',): '# TYPE "a.b" gauge\n{"a.b","c.d"="e"} +Inf\n',
}
BAD_METRICS = {
    "rows": "expected NAME=VALUE",
    "rows=": "expected NAME=VALUE",
    "rows=many": "expected NAME=VALUE",
    "rows=1_000": "expected NAME=VALUE",
    "rows=0x10": "expected NAME=VALUE",
    "=1": "expected a metric name",
    "{}=1": "the metric needs a name",
    'r{a="1",a="2"}=1': "a label is given twice",
    'r{a=~"1"}=1': "labels are written name=value",
    "r{a=b}=1": "expected a quoted value",
    "a-b=1": "unexpected character",
}


@pytest.mark.parametrize(("group", "path"), PATHS.items())
def test_paths(group: tuple[str, *tuple[tuple[str, str], ...]], path: str) -> None:
    job, *labels = group
    assert group_path(job, dict(labels)) == path


def decoded(name: str, value: str) -> str:
    """What a server makes of a pair in the path."""
    if not name.endswith("@base64"):
        return unquote(value)
    digits = value.rstrip("=")
    return base64.urlsafe_b64decode(digits + "=" * (-len(digits) % 4)).decode()


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"), min_size=1))
def test_every_value_comes_back_from_its_path(value: str, job: str) -> None:
    empty, metrics, job_name, job_value, name, label_value = group_path(job, {"v": value}).split("/")
    assert (empty, metrics) == ("", "metrics")
    assert (decoded(job_name, job_value), decoded(name, label_value)) == (job, value)


@pytest.mark.parametrize(("job", "labels"), [("", {}), ("x", {"job": "y"}), ("x", {"": "y"})])
def test_groups_that_no_server_takes(job: str, labels: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        group_path(job, labels)


@pytest.mark.parametrize(("metrics", "text"), METRICS.items())
def test_metrics(metrics: tuple[str, ...], text: str) -> None:
    assert exposition(metrics) == text


@pytest.mark.parametrize(("metric", "problem"), BAD_METRICS.items())
def test_bad_metrics(metric: str, problem: str) -> None:
    with pytest.raises(BadInput) as refusal:
        exposition([metric])
    assert str(refusal.value).startswith(f"{metric}: ")
    assert problem in str(refusal.value)
