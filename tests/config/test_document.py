"""YAML as text with places, whatever is in it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.document import Mark, parse_document
from bridge.errors import ConfigError

PLACE = re.compile(r"\d+:\d+: .")
LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
FATAL = {
    b"a: b: c": "1:5: not valid YAML: mapping values are not allowed in this context",
    b"a: [1,\n2": "3:1: not valid YAML: while parsing a flow sequence",
    b"a: 1\n--- 2\n": "2:1: not valid YAML: expected a single document",
    b"a: *nowhere": "1:4: not valid YAML: found undefined alias",
    b"a: 1\nb: \xff": "2:4: the file is not valid UTF-8",
    b"a: \x00": "1:1: not valid YAML: unacceptable character",
    b"[" * 500: "1:65: nested deeper than 64 levels",
    b"[" * 100_000: "nest",  # a libyaml of late looks further ahead than we do, and has a limit of its own
    b"- " * 100_000: "1:129: nested deeper than 64 levels",
    b"a: &a [*a]": "1:4: nested deeper than 64 levels",
    b"a: &a {<<: *a}": "1:4: nested deeper than 64 levels",
    LAUGHS.encode(): "aliases expand to more than 100000 values",
}
PROBLEMS = {
    b"a: 1\nb: 2\na: 3": "3:1: a: given twice (first in line 1)",
    b"x: {a: 1, a: 2}": "1:11: x.a: given twice (first in line 1)",
    b"x: !include y": "1:4: x: tags have no meaning here: !include",
    b"? [a]\n: 1": "1:3: a key must be text",
    b"x:\n  <<: 5": "2:7: x: << takes a mapping or a list of mappings",
}


def test_scalars_stay_text() -> None:
    text = b"{a: on, b: 010, c: 1:30, d: 2024-01-01, e: 1.0, f: 'null', g: null, h: , i: ~, j: ''}"
    assert parse_document(text).value == {
        "a": "on",
        "b": "010",
        "c": "1:30",
        "d": "2024-01-01",
        "e": "1.0",
        "f": "null",
        "g": None,
        "h": None,
        "i": None,
        "j": "",
    }


def test_every_value_has_its_place() -> None:
    document = parse_document(b"push:\n  ttl: 1h\nlist:\n  - {name: x}\n")
    assert document.keys["push", "ttl"] == Mark(2, 3)
    assert document.values["push", "ttl"] == Mark(2, 8)
    assert document.values["list", 0, "name"] == Mark(4, 12)


def test_anchors_and_merges() -> None:
    text = b"base: &b {a: 1, c: 3}\nmore: &m {a: 9, d: 4}\nx: {<<: [*b, *m], a: 2}\ny: *b\n"
    value = parse_document(text).value
    assert isinstance(value, dict)
    assert value["x"] == {"a": "2", "c": "3", "d": "4"}
    assert value["y"] == value["base"]


@pytest.mark.parametrize(("text", "message"), FATAL.items(), ids=range(len(FATAL)))
def test_text_that_cannot_be_read(text: bytes, message: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_document(text)
    assert message in str(refusal.value)


@pytest.mark.parametrize(("text", "problem"), PROBLEMS.items())
def test_problems_are_collected(text: bytes, problem: str) -> None:
    assert [str(found) for found in parse_document(text).problems] == [problem]


@given(st.text(alphabet="ab:-?[]{}&*<!| \n'\"#").map(str.encode) | st.binary(max_size=40))
def test_any_bytes_are_a_document_or_a_clear_error(text: bytes) -> None:
    try:
        told = list(map(str, parse_document(text).problems))
    except ConfigError as error:
        told = str(error).splitlines()[:1]
    for problem in told:
        assert PLACE.match(problem), problem
