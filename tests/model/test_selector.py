"""Selectors and what is wrong with them."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadInput
from bridge.model import Matcher, parse_selector

GOOD = {
    "up": [("__name__", "=", "up")],
    "job:rate:5m": [("__name__", "=", "job:rate:5m")],
    "up{}": [("__name__", "=", "up")],
    "{}": [],
    ' { job = "x" , a=~"b.*",} ': [("job", "=", "x"), ("a", "=~", "b.*")],
    'up{a!="b",c!~"d"}': [("__name__", "=", "up"), ("a", "!=", "b"), ("c", "!~", "d")],
    '{"a.b", "c.d"="e"}': [("__name__", "=", "a.b"), ("c.d", "=", "e")],
    '{__name__=~"a|b"}': [("__name__", "=~", "a|b")],
    r"""{a='it\'s', b="\"\\\n", c=`\n"'`}""": [("a", "=", "it's"), ("b", "=", '"\\\n'), ("c", "=", "\\n\"'")],
    r'{a="\u00e9\U0001F600\xc3\xa9\101"}': [("a", "=", "é😀éA")],
}
BAD = {
    "": "column 1: expected a metric name or {, found the end",
    "up{": "column 4: expected a label name, found the end",
    "up}": 'column 3: expected the end of the selector, found "}"',
    "up down": 'column 4: expected the end of the selector, found "down"',
    "{job}": 'column 5: expected = or != or =~ or !~, found "}"',
    "{job=x}": 'column 6: expected a quoted value, found "x"',
    '{a:b="x"}': 'column 2: expected a label name, found "a:b"',
    '{a="b" c="d"}': 'column 8: expected , or }, found "c"',
    '{a="b",,}': 'column 8: expected a label name, found ","',
    '{a="b}': "column 4: unexpected character or open string",
    "up[5m]": "column 3: unexpected character",
    'up{__name__="x"}': "the metric name must not be set twice",
    r'{a="\q"}': r"column 4: invalid escape sequence \q",
    r'{a="\uD800"}': r"column 4: invalid escape sequence \uD800",
    r'{a="\xff"}': "column 4: the string is not valid UTF-8",
    '{a="\udcff"}': "column 4: the string is not valid UTF-8",
}


@pytest.mark.parametrize(("text", "matchers"), GOOD.items())
def test_selectors(text: str, matchers: list[tuple[str, str, str]]) -> None:
    assert parse_selector(text) == tuple(Matcher(*matcher) for matcher in matchers)


@pytest.mark.parametrize(("text", "message"), BAD.items())
def test_bad_selectors(text: str, message: str) -> None:
    with pytest.raises(BadInput) as refusal:
        parse_selector(text)
    assert message in str(refusal.value)


def check(text: str) -> None:
    """It has matchers, which can be written down and read again, or it is told where it is none."""
    try:
        matchers = parse_selector(text)
    except BadInput as error:
        told = str(error)
        assert re.search(r": column \d+: |must not be set twice$", told), told
        return
    written = ", ".join(f"{json.dumps(one.name)} {one.op} {json.dumps(one.value)}" for one in matchers)
    assert parse_selector(f"{{{written}}}") == matchers


@given(st.text())
def test_any_text_is_a_selector_or_a_clear_error(text: str) -> None:
    check(text)


@given(st.text(alphabet="ab{}\",=~!\\x'` "))
def test_text_that_looks_like_a_selector_too(text: str) -> None:
    check(text)
