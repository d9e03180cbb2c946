"""Expressions as objects for JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.promql import ParserOptions, parse_expr, to_json

FOO = {
    "type": "vectorSelector",
    "name": "foo",
    "matchers": [{"name": "__name__", "value": "foo", "type": "="}],
    "offset": 0,
    "offsetExpr": None,
    "timestamp": None,
    "startOrEnd": None,
    "anchored": False,
    "smoothed": False,
}
ONE = {"type": "numberLiteral", "val": "1"}
STEP = {"type": "durationExpr", "op": "step", "lhs": None, "rhs": None, "wrapped": False}
CASES: dict[str, dict[str, Any]] = {
    "foo": FOO,
    "1": ONE,
    "5m": {"type": "numberLiteral", "val": "300"},
    "-Inf": {"type": "numberLiteral", "val": "-Inf"},
    '"a"': {"type": "stringLiteral", "val": "a"},
    "(1)": {"type": "parenExpr", "expr": ONE},
    "-foo": {"type": "unaryExpr", "op": "-", "expr": FOO},
    'foo{a!~"b"} @ 1.5 smoothed offset -5m': FOO
    | {
        "matchers": [{"name": "a", "value": "b", "type": "!~"}, *FOO["matchers"]],  # type: ignore[misc]
        "offset": -300_000,
        "timestamp": 1500,
        "smoothed": True,
    },
    "foo[5m] @ end() offset step()": FOO
    | {"type": "matrixSelector", "range": 300_000, "rangeExpr": None, "startOrEnd": "end", "offsetExpr": STEP},
    "foo[1h:(step() * 2)] @ start()": {
        "type": "subquery",
        "expr": FOO,
        "range": 3_600_000,
        "rangeExpr": None,
        "step": 0,
        "stepExpr": {
            "type": "durationExpr",
            "op": "*",
            "lhs": STEP,
            "rhs": {"type": "numberLiteral", "val": "2", "duration": False},
            "wrapped": True,
        },
        "offset": 0,
        "offsetExpr": None,
        "timestamp": None,
        "startOrEnd": "start",
    },
    "round(foo)": {
        "type": "call",
        "func": {"name": "round", "argTypes": ["vector", "scalar"], "variadic": 1, "returnType": "vector"},
        "args": [FOO],
    },
    "topk without (a) (1, foo)": {
        "type": "aggregation",
        "op": "topk",
        "expr": FOO,
        "param": ONE,
        "grouping": ["a"],
        "without": True,
    },
    "sum(foo)": {"type": "aggregation", "op": "sum", "expr": FOO, "param": None, "grouping": [], "without": False},
    "foo > bool on (a) group_right (b) fill_left (1) foo": {
        "type": "binaryExpr",
        "op": ">",
        "lhs": FOO,
        "rhs": FOO,
        "bool": True,
        "matching": {
            "card": "one-to-many",
            "labels": ["a"],
            "on": True,
            "include": ["b"],
            "fillValues": {"lhs": 1.0, "rhs": None},
        },
    },
    "foo and foo": {
        "type": "binaryExpr",
        "op": "and",
        "lhs": FOO,
        "rhs": FOO,
        "bool": False,
        "matching": {
            "card": "many-to-many",
            "labels": [],
            "on": False,
            "include": [],
            "fillValues": {"lhs": None, "rhs": None},
        },
    },
    "1 + foo": {"type": "binaryExpr", "op": "+", "lhs": ONE, "rhs": FOO, "bool": False, "matching": None},
}


@pytest.mark.parametrize(("text", "wanted"), CASES.items())
def test_the_objects_are_those_of_prometheus(text: str, wanted: dict[str, Any]) -> None:
    assert to_json(parse_expr(text, ParserOptions.everything())) == wanted
    json.dumps(wanted)
