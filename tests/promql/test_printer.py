"""From expressions back to text, on one line and laid out."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.promql import ParserOptions, format_expr, parse_expr, prettify
from bridge.promql.ast import BinaryExpr, StepInvariant
from tests.promql.generate import Generator, Vocabulary
from tests.promql.tables import read_table

ALL = ParserOptions.everything()
WORDS = Vocabulary(
    metrics=("foo", "a:b", "sum", "offset"),
    buckets=("foo_bucket",),
    labels={"a": ("x", "ü"), "le": ("1", "+Inf"), "by": ("\\n", "")},
)


@pytest.mark.parametrize(("text", "printed"), read_table("printed.txt"))
def test_an_expression_is_printed_as_prometheus_prints_it(text: str, printed: str) -> None:
    found = parse_expr(text, ALL)
    assert format_expr(found) == printed
    assert format_expr(parse_expr(printed, ALL)) == printed


@pytest.mark.parametrize(("text", "layout"), read_table("laid_out.txt"))
def test_a_long_expression_is_laid_out(text: str, layout: str) -> None:
    found = parse_expr(text, ALL)
    assert prettify(found) == layout
    assert prettify(parse_expr(layout, ALL)) == layout


def test_what_the_engine_puts_in_is_not_printed() -> None:
    found = parse_expr("1 + foo @ 5")
    assert isinstance(found, BinaryExpr)
    wrapped = StepInvariant(replace(found, rhs=StepInvariant(found.rhs)))
    assert format_expr(wrapped) == prettify(wrapped) == "1 + foo @ 5.000"


@given(st.randoms(use_true_random=False), st.integers(1, 6))
def test_what_is_printed_parses_to_the_same_text_again(random: Random, depth: int) -> None:
    text = Generator(random, WORDS, depth).expression()
    found = parse_expr(text, ALL)
    printed = format_expr(found)
    assert format_expr(parse_expr(printed, ALL)) == printed
    assert format_expr(parse_expr(prettify(found), ALL)) == printed
