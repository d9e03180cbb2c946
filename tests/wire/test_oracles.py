"""Bodies written and pages read by other people's code: prometheus_client, protobuf, gzip, snappy."""

from __future__ import annotations

import contextlib
import gzip
import math
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import pytest
import snappy
from google.protobuf.internal.decoder import _DecodeVarint32  # type: ignore[attr-defined]
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Metric, Summary
from prometheus_client import generate_latest as generate_text
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from bridge.native import ParseError, PushTable, TooLong, gunzip, parse_families, unsnappy_framed
from tests.wire import metrics_pb2 as pb

LIMIT = 1 << 16
KEY = [("job", "oracle")]
OWN = {"job": "oracle", "instance": ""}

Series: TypeAlias = dict[tuple[str, tuple[tuple[str, str], ...]], float]

values = st.floats(allow_nan=False) | st.integers(-10, 10).map(float)
amounts = st.floats(0, 1e12) | st.integers(0, 10).map(float)
label_values = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(['"', "\\", "\n", "\\n"])


@st.composite
def registries(draw: st.DrawFn) -> CollectorRegistry:
    """A registry with a metric of each type, all under drawn label values."""
    registry = CollectorRegistry()
    label = draw(label_values)
    counter = Counter("jobs", draw(label_values), ["l"], registry=registry).labels(label)
    counter.inc(draw(amounts), exemplar={"trace": draw(st.text("abc", max_size=5))})
    Gauge("depth", "Depth", ["l"], registry=registry).labels(label).set(draw(values))
    summary = Summary("size", "Size", ["l"], registry=registry).labels(label)
    histogram = Histogram("took", "Took", ["l"], buckets=[0.5, 1, 250_000], registry=registry).labels(label)
    for amount in draw(st.lists(amounts, max_size=4)):
        summary.observe(amount)
        histogram.observe(amount)
    Info("build", "Build", registry=registry).info({"version": draw(label_values)})
    Enum("state", "State", states=["on", "off"], registry=registry).state(draw(st.sampled_from(["on", "off"])))
    return registry


def series(families: Iterable[Metric]) -> Series:
    return {identity(s.name, s.labels): s.value for f in families for s in f.samples}


def identity(name: str, labels: dict[str, str]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Name and labels; the bound of a bucket is the same number in all formats, not the same text."""
    bound = {"le": str(float(labels["le"]))} if "le" in labels else {}
    return name, tuple(sorted((labels | bound).items()))


def pushed(body: bytes, kind: str) -> PushTable:
    table = PushTable()
    families = parse_families(body, kind, utf8=True, lenient=False)
    table.stage(KEY, families, now=1_700_000_000_000, ttl=0, replace=True).commit()
    return table


def pushed_as_openmetrics(registry: CollectorRegistry) -> PushTable:
    return pushed(generate_openmetrics(registry), "openmetrics")  # type: ignore[no-untyped-call]


def page(table: PushTable, kind: str) -> bytes:
    return b"".join(table.render(b"", format=kind, escaping="allow-utf-8"))


def without_push_times(found: Series) -> Series:
    return {k: v for k, v in found.items() if not k[0].startswith("push_")}


def grouped(found: Series) -> Series:
    """With the labels that the push path forces on each series."""
    return {identity(name, dict(labels) | OWN): value for (name, labels), value in found.items()}


def expected(registry: CollectorRegistry) -> Series:
    return grouped(series(registry.collect()))


def close(found: Series, wanted: Series) -> None:
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        # A start time is kept in milliseconds.
        tolerance = 0.001 if key[0].endswith("_created") else 0
        assert math.isclose(found[key], value, rel_tol=0, abs_tol=tolerance), key


@given(registries())
def test_openmetrics_comes_back_as_it_went_in(registry: CollectorRegistry) -> None:
    """A strict parser finds every sample of an OpenMetrics body on the OpenMetrics page."""
    table = pushed_as_openmetrics(registry)
    text = page(table, "openmetrics").decode()
    found = series(parse_openmetrics(text))  # type: ignore[no-untyped-call]
    close(without_push_times(found), expected(registry))


@given(registries())
def test_openmetrics_is_shown_as_text(registry: CollectorRegistry) -> None:
    """The text page has the samples of an OpenMetrics body; start times are not among them there."""
    table = pushed_as_openmetrics(registry)
    found = without_push_times(series(parse_text(page(table, "text").decode())))
    wanted = {k: v for k, v in expected(registry).items() if not k[0].endswith("_created")}
    close(found, wanted)


@given(registries())
def test_text_comes_back_as_it_went_in(registry: CollectorRegistry) -> None:
    """The text that prometheus_client pushes is found on the page."""
    body = generate_text(registry)
    table = pushed(body, "text")
    found = without_push_times(series(parse_text(page(table, "text").decode())))
    close(found, grouped(series(parse_text(body.decode()))))


@given(registries())
def test_protobuf_holds_what_openmetrics_said(registry: CollectorRegistry) -> None:
    """The protobuf page of an OpenMetrics body: types, units, buckets and exemplars in their fields."""
    table = pushed_as_openmetrics(registry)
    families = {f.name: f for f in delimited(page(table, "protobuf"))}
    assert [families[n].type for n in ("jobs_total", "depth", "size", "took")] == [
        pb.COUNTER,
        pb.GAUGE,
        pb.SUMMARY,
        pb.HISTOGRAM,
    ]
    # Types that protobuf lacks are gauges to others.
    assert families["build_info"].type == families["state"].type == pb.GAUGE
    wanted = expected(registry)
    counter = families["jobs_total"].metric[0]
    assert counter.counter.value == wanted[identity("jobs_total", {pair.name: pair.value for pair in counter.label})]
    assert counter.counter.exemplar.label[0].name == "trace"
    bounds = [b.upper_bound for b in families["took"].metric[0].histogram.bucket]
    assert bounds == [0.5, 1, 250_000, math.inf]


def delimited(body: bytes) -> Iterator[pb.MetricFamily]:
    at = 0
    while at < len(body):
        size, at = _DecodeVarint32(body, at)
        yield pb.MetricFamily.FromString(body[at : at + size])
        at += size


@given(st.binary(max_size=300), st.sampled_from(["text", "openmetrics", "protobuf"]), st.booleans())
def test_any_body_is_read_or_refused(body: bytes, kind: str, lenient: bool) -> None:
    """No bytes bring a parser down, nor make it see more than there is."""
    with contextlib.suppress(ParseError):
        assert len(parse_families(body, kind, utf8=True, lenient=lenient)) <= len(body)


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=3))
def test_compressed_bodies_of_other_writers(pieces: list[bytes]) -> None:
    """zlib's gzip members and snappy's streams come out whole; cut short they are refused."""
    whole = b"".join(pieces)
    zipped = b"".join(map(gzip.compress, pieces))
    assert gunzip(zipped, len(whole)) == whole
    with pytest.raises(ValueError, match="unexpected EOF"):
        gunzip(zipped[:-1], LIMIT)
    compressor = snappy.StreamCompressor()
    framed = b"".join(compressor.add_chunk(piece) for piece in pieces)
    assert unsnappy_framed(framed, len(whole)) == whole
    if whole:
        with pytest.raises(TooLong):
            gunzip(zipped, len(whole) - 1)
        with pytest.raises(TooLong):
            unsnappy_framed(framed, len(whole) - 1)
