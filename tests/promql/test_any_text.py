"""Any text is an expression, or is refused with a place in it: nothing else happens, and soon."""

from __future__ import annotations

import time
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.promql import ParseError, ParserOptions, format_expr, parse_expr, parse_selector, prettify, to_json
from tests.promql.generate import Generator, Vocabulary

ALL = ParserOptions.everything()
WORDS = Vocabulary(metrics=("foo", "sum"), buckets=("foo_bucket",), labels={"a": ("x", "y"), "le": ("1", "+Inf")})
SIGNS = """( ) [ ] { } , : = == =~ != !~ + - * / % ^ @ < </ ` ' " \\ #"""
TERMS = """
    "a" 1 5m 0x1 1e 1_ foo sum by on bool offset start step rate group_left fill fill_left smoothed and atan2 max_of
    without inf
"""
PIECES = (*SIGNS.split(), *TERMS.split(), "\n", " ")


def check(text: str) -> None:
    """Parse, and do with the result, or with the error, what can be done."""
    try:
        found = parse_expr(text, ALL)
    except ParseError as error:
        check_error(error, text)
        return
    printed = format_expr(found)
    assert format_expr(parse_expr(printed, ALL)) == printed
    prettify(found)
    to_json(found)


def check_error(error: ParseError, text: str) -> None:
    """An error tells a place in the text, and can be sent."""
    start, end = error.pos
    assert 0 <= start <= end <= len(text)
    assert error.line >= 1
    assert error.col >= 1
    str(error).encode()


@given(st.text())
def test_any_characters(text: str) -> None:
    check(text)


@given(st.lists(st.sampled_from(PIECES), max_size=20), st.sampled_from(["", " "]))
def test_any_tokens(pieces: list[str], between: str) -> None:
    check(between.join(pieces))


@given(st.randoms(use_true_random=False), st.data())
def test_any_expression_with_a_mistake(random: Random, data: st.DataObject) -> None:
    text = Generator(random, WORDS).expression()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 3)))
    check(text[:start] + data.draw(st.sampled_from(("", *PIECES))) + text[end:])


@given(st.binary())
def test_any_bytes_in_the_form_that_python_carries_them_in(raw: bytes) -> None:
    check(raw.decode(errors="surrogateescape"))


@given(st.text())
def test_any_selector(text: str) -> None:
    try:
        found = parse_selector(text)
    except ParseError as error:
        check_error(error, text)
    else:
        assert parse_selector(format_expr(found)) == found


LONG = 30_000


@pytest.mark.parametrize(
    "text",
    [
        " " * LONG + "$",
        "#" * LONG,
        "\n#" * LONG,
        "1" * LONG,
        "1h" * LONG,
        "1_" * LONG,
        "." * LONG,
        '"' * LONG,
        '"' + "\\" * LONG,
        '"' + "a" * LONG,
        "foo[" + " " * LONG + "$",
        "foo{" + "," * LONG,
        "foo{" + 'a="b",' * LONG + "}",
        'foo{a=~"' + "(" * LONG + '"}',
        'foo{a=~"' + "a{1000}" * 100 + '"}',
        'foo{a=~"' + "(" * 100 + "a" + "{9})" * 100 + '"}',
        "foo[" + "5" * LONG + "m]",
        "foo offset " + "9" * LONG,
        "sum by (" + "a," * LONG + ") (foo)",
        "pi(" + "1," * LONG + "1)",
        "a" * LONG,
        "-" * LONG + "1",
        "(" * LONG,
        "1 + " * LONG + "1",
        "0x" + "f" * LONG,
        "foo @ " + "9" * LONG,
    ],
    ids=range(26),
)
def test_a_long_text_takes_time_in_proportion(text: str) -> None:
    before = time.process_time()
    check(text)
    assert time.process_time() - before < 5
