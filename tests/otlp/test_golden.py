"""Requests and the series that they become, as data: `golden/*.json`, each sent as JSON and as protobuf.

`settings` is the section `otlp`; `dump` what `promtool tsdb dump` would print; `native` native histograms as
`[labels, time, schema, count, sum, {bucket index: count}]`; `metadata` by metric; `refused` the partial success.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.native import Histogram
from tests.otlp.edge import JSON, PROTOBUF, edge

pytestmark = pytest.mark.anyio

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))


def told(histogram: Histogram) -> list[Any]:
    """A histogram in the words of the files."""
    buckets: dict[str, float] = {}
    sides = [
        (histogram.negative_spans, histogram.negative_buckets, "-"),
        (histogram.positive_spans, histogram.positive_buckets, ""),
    ]
    for spans, counts, sign in sides:
        index, left = 0, iter(counts)
        for offset, length in spans:
            for index in range(index + offset, index + offset + length):  # noqa: B020
                if count := next(left):
                    buckets[f"{sign}{index}"] = count
            index += 1
    if histogram.zero_count:
        buckets["zero"] = histogram.zero_count
    return [histogram.schema, histogram.count, "stale" if histogram.is_stale else histogram.sum, buckets]


@pytest.mark.parametrize("kind", [JSON, PROTOBUF])
@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
async def test_golden(tmp_path: Path, file: Path, kind: str) -> None:
    case = json.loads(file.read_text())
    async with edge(tmp_path, case.get("settings")) as e:
        answer = await e.post(case["request"], kind)
        assert answer.status == 200, answer.body
        assert answer.headers["Content-Type"] == kind
        assert list(answer.partial) == case.get("refused", [0, ""])
        assert e.lines == case["dump"]
        found = e.store.querier.select([], 0, 1 << 62)
        native = [
            [found.labels(n), t, *told(histogram)] for n in range(len(found)) for t, histogram in found.histograms(n)
        ]
        assert native == case.get("native", [])
        metadata = e.store.head.metadata()
        for name, wanted in case.get("metadata", {}).items():
            assert [list(one) for one in metadata[name]] == [wanted], name
