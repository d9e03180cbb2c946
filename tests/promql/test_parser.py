"""From text to expressions, and what is said of texts that are none."""

from __future__ import annotations

import pytest

from bridge.model import Matcher
from bridge.model import parse_selector as model_selector
from bridge.promql import ParseError, ParserOptions, parse_expr, parse_selector
from bridge.promql.ast import BinaryExpr, Call, MatrixSelector, VectorMatching, VectorSelector
from bridge.promql.depth import MAX_DEPTH
from bridge.promql.signatures import SIGNATURES
from tests.model.test_selector import GOOD
from tests.promql.tables import read_table

ALL = ParserOptions.everything()
FLAG = "--enable-feature=promql-experimental-functions"


@pytest.mark.parametrize(("text", "error"), read_table("refused.txt"))
def test_a_mistake_is_told_as_prometheus_tells_it(text: str, error: str) -> None:
    with pytest.raises(ParseError) as refusal:
        parse_expr(text, ALL)
    assert str(refusal.value) == with_kind(error)


def test_an_empty_text_has_no_place() -> None:
    with pytest.raises(ParseError, match=r"^unknown position: parse error: no expression found in input$"):
        parse_expr("")


FEATURES = {
    "info(foo)": ("experimental_functions", '1:1: function "info" is not enabled'),
    "limitk(1, foo)": ("experimental_functions", f"1:1: limitk() is experimental and must be enabled with {FLAG}"),
    "foo[1m+1m]": ("duration_expressions", "1:5: experimental duration expression is not enabled"),
    "foo offset -step()": ("duration_expressions", "1:12: experimental duration expression is not enabled"),
    "foo smoothed": ("extended_range_selectors", "1:1: smoothed modifier is experimental and not enabled"),
    "foo + fill(0) bar": ("fill_modifiers", "1:1: binop fill modifiers are experimental and not enabled"),
}


@pytest.mark.parametrize(("text", "feature", "error"), [(text, *rest) for text, rest in FEATURES.items()])
def test_a_feature_is_off_until_its_option_is_on(text: str, feature: str, error: str) -> None:
    off = ParserOptions(duration_expressions=False)
    with pytest.raises(ParseError) as refusal:
        parse_expr(text, off)
    assert str(refusal.value) == with_kind(error)
    parse_expr(text, ParserOptions(**{"duration_expressions": False, feature: True}))


def test_nodes_say_where_they_stand_and_what_they_give() -> None:
    found = parse_expr("rate(foo{a='b'}[5m] offset 1h) + on(x) group_left(y) {__name__='b'}")
    foo = VectorSelector("foo", (Matcher("a", "=", "b"), Matcher("__name__", "=", "foo")), (5, 15), offset=3_600_000)
    rate = Call(SIGNATURES["rate"], (MatrixSelector(foo, 300_000, (5, 29)),), (0, 30))
    assert found == BinaryExpr(
        op="+",
        lhs=rate,
        rhs=VectorSelector("", (Matcher("__name__", "=", "b"),), (53, 67)),
        matching=VectorMatching("many-to-one", ("x",), on=True, include=("y",)),
        return_bool=False,
        pos=(0, 67),
    )
    assert found.type == "vector"


def test_columns_count_bytes_and_places_count_characters() -> None:
    with pytest.raises(ParseError) as refusal:
        parse_expr('"üü" +\n "ü" $')
    assert (refusal.value.line, refusal.value.col, refusal.value.pos) == (2, 7, (12, 13))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "1" + ")" * 10_000,
        "-" * 10_000 + "foo",
        "abs(" * 10_000 + "foo" + ")" * 10_000,
        "sum(" * 10_000 + "foo" + ")" * 10_000,
        "1" + " + 1" * 10_000,
        "2" + " ^ 2" * 10_000,
        "foo" + "[5m:]" * 10_000,
        "foo[" + "(" * 10_000 + "1m" + ")" * 10_000 + "]",
        "foo[1m" + " + 1m" * 10_000 + "]",
        "foo offset " + "- " * 10_000 + "1m",
    ],
)
def test_what_is_nested_too_deeply_is_refused(text: str) -> None:
    with pytest.raises(ParseError, match=f"expression is nested too deeply: more than {MAX_DEPTH} levels"):
        parse_expr(text)


def test_what_is_nested_as_deeply_as_people_nest_is_parsed() -> None:
    parse_expr("(" * (MAX_DEPTH - 1) + "foo" + ")" * (MAX_DEPTH - 1))
    chain = parse_expr("foo" + " or foo" * (MAX_DEPTH - 1))
    assert isinstance(chain, BinaryExpr)
    assert isinstance(chain.rhs, VectorSelector)


def test_a_selector_alone_may_select_everything() -> None:
    assert parse_selector("{}").matchers == ()
    assert parse_selector('up{job=~"a|b",}').matchers == (Matcher("job", "=~", "a|b"), Matcher("__name__", "=", "up"))
    with pytest.raises(ParseError, match=r"^1:4: parse error: unexpected <op:\+>$"):
        parse_selector("up + 1")


@pytest.mark.parametrize("text", [text for text in GOOD if text != "{}"])
def test_both_readers_of_selectors_agree(text: str) -> None:
    assert set(parse_selector(text).matchers) == set(model_selector(text))


def with_kind(error: str) -> str:
    """The error in full; the tables leave out what is the same in each."""
    return error.replace(": ", ": parse error: ", 1)
