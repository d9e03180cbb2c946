"""A sink counted against the store: each language, and what differs."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping

import aiohttp
import pytest
from starlette.responses import JSONResponse, PlainTextResponse

from bridge.forward.reconcile import HOUR, Census, Place, SinkSilent, spans_of
from bridge.forward.reconcile.census import Ask, Register, asking
from bridge.forward.reconcile.flux import Flux
from bridge.forward.reconcile.influxql import InfluxQl
from bridge.forward.reconcile.points import Difference, differences
from bridge.forward.reconcile.promql import PromQl, query_base
from bridge.forward.reconcile.sql import Sql
from tests.edge.serving import serving
from tests.forward.fake_counts import FakeCounts

pytestmark = pytest.mark.anyio

LANGUAGES: dict[str, tuple[str, Callable[[Ask], Census]]] = {
    "influxql": ("/query", lambda ask: InfluxQl(ask, "d", None)),
    "influxql with a policy": ("/query", lambda ask: InfluxQl(ask, "d", "a year")),
    "flux": ("/api/v2/query", lambda ask: Flux(ask, "b")),
    "sql": ("/api/v3/query_sql", lambda ask: Sql(ask, "d")),
    "promql": ("/api/v1/query", lambda ask: PromQl(ask, {})),
    "promql with labels": ("/api/v1/query", lambda ask: PromQl(ask, {"region": "eu", "odd.name": "x"})),
}
ODD = ["up", 'a "quoted" \\ name', "it's", "with space, comma", "${x}"]


def posting(session: aiohttp.ClientSession, url: str) -> Ask:
    async def post(data: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        async with session.post(url, data=data, headers=headers) as response:
            return response.status, await response.read()

    return asking(post, url)


@contextlib.asynccontextmanager
async def census(language: str, fake: FakeCounts) -> AsyncIterator[Census]:
    path, make = LANGUAGES[language]
    async with serving(fake) as port, aiohttp.ClientSession() as session:
        yield make(posting(session, f"http://127.0.0.1:{port}{path}"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ODD)
async def test_points_are_counted_by_the_hour_in_every_language(language: str, name: str) -> None:
    field = "" if language.startswith("promql") else "value"
    fake = FakeCounts([(name, field, t) for t in (HOUR - 1, HOUR, 2 * HOUR - 1, 2 * HOUR, 3 * HOUR)])
    fake.points.append(("another", field, HOUR))
    async with census(language, fake) as counting:
        found = await counting.count({name: [field], "never written": [field]}, HOUR, 3 * HOUR, HOUR)
    assert {place: count for place, count in found.items() if count} == {
        Place(name, field, HOUR): 2,
        Place(name, field, 2 * HOUR): 1,
    }


async def test_a_tag_that_is_called_as_a_field_has_nothing_to_count() -> None:
    """InfluxDB 3 refuses each such line; of a table that has no other it answers no question but for its columns."""
    fake = FakeCounts(rows=[("m", {"value": "a"}, "other", HOUR, 1.0)])
    async with census("sql", fake) as counting:
        assert await counting.count({"m": ["value"]}, 0, 2 * HOUR, HOUR) == {}
        assert isinstance(counting, Register)
        assert await counting.points({"m": ["value"]}, 0, 2 * HOUR) == []


@pytest.mark.parametrize("closed", [True, False])
async def test_ranges_that_include_their_first_millisecond_count_no_point_twice(closed: bool) -> None:
    fake = FakeCounts([("up", "", t) for t in (HOUR - 1, HOUR, 2 * HOUR - 1, 2 * HOUR)], closed=closed)
    async with census("promql", fake) as counting:
        found = await counting.count({"up": [""]}, 0, 3 * HOUR, HOUR)
    assert found == {Place("up", "", 0): 1, Place("up", "", HOUR): 2, Place("up", "", 2 * HOUR): 1}


INFLUXES = ["influxql", "influxql with a policy", "flux", "sql"]


@pytest.mark.parametrize("language", INFLUXES)
@pytest.mark.parametrize("name", ODD)
async def test_points_are_told_in_every_language(language: str, name: str) -> None:
    other = "v" if language == "sql" else "value"  # where a tag cannot be called like a field
    fake = FakeCounts()
    fake.rows = [
        (name, {"job": "a b", other: "x"}, "value", HOUR, 7.0),
        (name, {"job": "a b", other: "x"}, "value", 2 * HOUR - 1, -0.5),
        (name, {"job": "a b", other: "x"}, "value_text", HOUR, "NaN"),
        (name, {}, "value", HOUR, 1e300),
        (name, {}, "value", HOUR - 1, 1.0),
        (name, {}, "value", 2 * HOUR, 1.0),
        ("another", {}, "value", HOUR, 1.0),
    ]
    fake.rows.append((name, {}, "other", HOUR, 1.0))
    wanted = {name: ["value", "value_text"], "never written": ["value"]}
    async with census(language, fake) as register:
        assert isinstance(register, Register)
        found = await register.points(wanted, HOUR, 2 * HOUR)
    told = {
        (measurement, tuple(sorted(tags)), field, time, str(value))
        for measurement, tags, field, times, values in found
        for time, value in zip(times, values, strict=True)
    }
    tags = (("job", "a b"), (other, "x"))
    assert told == {
        (name, tags, "value", HOUR, "7.0"),
        (name, tags, "value", 2 * HOUR - 1, "-0.5"),
        (name, tags, "value_text", HOUR, "nan"),
        (name, (), "value", HOUR, "1e+300"),
    }


async def test_an_answer_that_is_cut_short_is_none() -> None:
    series = {"name": "up", "columns": ["time", "value"], "values": [[HOUR, 1]], "partial": True}
    fake = FakeCounts(refusal=JSONResponse({"results": [{"series": [series]}]}))
    async with census("influxql", fake) as register:
        assert isinstance(register, Register)
        with pytest.raises(SinkSilent, match="max-row-limit"):
            await register.points({"up": ["value"]}, 0, 2 * HOUR)


async def test_many_names_are_asked_for_in_several_statements() -> None:
    names = [f"m{n}" for n in range(250)]
    fake = FakeCounts([(name, "value", 5) for name in names])
    async with census("influxql", fake) as counting:
        found = await counting.count({name: ["value"] for name in names}, 0, HOUR, HOUR)
    assert len(found) == 250
    assert len(fake.asked) == 3


REFUSALS = {
    "no permission": (PlainTextResponse("unauthorized", 401), "answers 401: unauthorized"),
    "another program": (PlainTextResponse("<html>", 200), "cannot be read|cannot count"),
    "an error in a 200": (JSONResponse({"results": [{"error": "no database"}]}), "cannot be read|no database"),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_sink_that_cannot_count_says_so_in_its_own_words(language: str, refusal: str) -> None:
    response, words = REFUSALS[refusal]
    fake = FakeCounts(refusal=response)
    async with census(language, fake) as counting:
        with pytest.raises(SinkSilent, match=words):
            await counting.count({"up": ["value"]}, 0, HOUR, HOUR)
        if isinstance(counting, Register):
            with pytest.raises(SinkSilent, match=words):
                await counting.points({"up": ["value"]}, 0, HOUR)


async def test_a_sink_that_is_not_there_is_named() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(SinkSilent, match=r"http://127\.0\.0\.1:9/query does not answer"):
            await InfluxQl(posting(session, "http://127.0.0.1:9/query"), "d", None).count(
                {"up": ["value"]}, 0, HOUR, HOUR
            )


def test_only_what_is_missing_and_no_dead_letter_is_a_difference() -> None:
    def place(name: str, hour: int = 0) -> Place:
        return Place(name, "value", hour * HOUR)

    stored = {place("same"): 5, place("less"): 5, place("dead"): 5, place("gone", 1): 2, place("more"): 1}
    found = {place("same"): 5, place("less"): 3, place("dead"): 4, place("more"): 2}
    refused = {place("dead"): 1, place("less"): 1}
    assert differences(stored, found, refused) == [
        Difference(place("less"), 5, 3, 1),
        Difference(place("more"), 1, 2, 0),
        Difference(place("gone", 1), 2, 0, 0),
    ]
    assert [one.missing for one in differences(stored, found, refused)] == [1, -1, 2]


def test_stretches_to_be_sent_again_lie_within_what_was_asked_and_join() -> None:
    def lacking(hour: int, missing: int = 1) -> Difference:
        return Difference(Place("m", "value", hour * HOUR), missing, 0, 0)

    span = (HOUR // 2, 9 * HOUR + 5)
    rows = [lacking(0), lacking(1), lacking(4), lacking(4), lacking(6, -1), lacking(9)]
    assert spans_of(rows, HOUR, span) == (
        (HOUR // 2, 2 * HOUR - 1),
        (4 * HOUR, 5 * HOUR - 1),
        (9 * HOUR, 9 * HOUR + 5),
    )


@pytest.mark.parametrize(
    ("write", "base"),
    [
        ("http://p:9090/api/v1/write", "http://p:9090"),
        ("https://m/prometheus/api/v1/push", "https://m/prometheus"),
        ("http://vm:8428/write", "http://vm:8428"),
        ("http://x/y/", "http://x/y"),
    ],
)
def test_the_query_api_is_beside_the_write_route(write: str, base: str) -> None:
    assert query_base(write) == base
