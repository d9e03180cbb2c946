"""OTLP over HTTP: forms and encodings, what is told of points that are not taken, and refusals that change nothing."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from bridge.clock import SystemClock
from bridge.config import Otlp
from bridge.otlp import OtlpLimits
from tests.otlp.edge import JSON, PROTOBUF, Edge, edge, gauge, message

pytestmark = pytest.mark.anyio

KINDS = (JSON, PROTOBUF)


@pytest.mark.parametrize("kind", [*KINDS, "application/json; charset=utf-8"])
async def test_points_are_stored_and_the_answer_has_the_form_of_the_request(tmp_path: Path, kind: str) -> None:
    async with edge(tmp_path) as e:
        body = json.dumps(gauge(1, 2)).encode() if kind.startswith(JSON) else message(gauge(1, 2))
        answer = await e.post(body, kind)
        assert answer.status == 200
        assert (answer.headers["Content-Type"], answer.body) in [(JSON, b"{}"), (PROTOBUF, b"")]
        assert answer.partial == (0, "")
        assert e.lines == ['{__name__="g"} 1 1700000000000', '{__name__="g"} 2 1700000001000']
        assert e.registry.get_sample_value("pushbridge_otlp_points_total") == 2


@pytest.mark.parametrize(("encoding", "encode"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
async def test_compressed_bodies_are_read(tmp_path: Path, encoding: str, encode: Any) -> None:
    async with edge(tmp_path) as e:
        answer = await e.post(encode(message(gauge(1))), PROTOBUF, Content_Encoding=encoding)
        assert (answer.status, len(e.lines)) == (200, 1)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_cannot_be_taken_is_told_and_the_rest_is_stored(tmp_path: Path, kind: str) -> None:
    async with edge(tmp_path) as e:
        request = gauge(1)
        metrics = request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
        points = [{"timeUnixNano": "1700000000000000000", "asInt": 1}] * 2
        metrics.append({"name": "d", "sum": {"aggregationTemporality": 1, "dataPoints": points}})
        answer = await e.post(request, kind)
        assert answer.status == 200
        assert answer.partial == (2, 'metric "d": delta temporality is not taken (otlp.delta_to_cumulative is off)')
        assert e.lines == ['{__name__="g"} 1 1700000000000']
        assert e.registry.get_sample_value("pushbridge_otlp_refused_points_total") == 2


async def test_samples_that_the_store_refuses_are_told(tmp_path: Path) -> None:
    async with edge(tmp_path) as e:
        assert (await e.post(gauge(1, 2))).partial == (0, "")
        assert (await e.post(gauge(1, 2))).partial == (0, "")  # a client that lost an answer sends all again
        refused, why = (await e.post(gauge(5, 2, 3))).partial
        assert refused == 1
        assert why.startswith("1 samples refused, the first: ")
        answer = await e.post(gauge(7), PROTOBUF)
        assert answer.status == 400  # nothing of it was stored, and never will be
        assert answer.error[0] == 3
        assert len(e.lines) == 3


async def test_a_series_may_change_its_kind_within_a_request(tmp_path: Path) -> None:
    def histogram(second: int, count: int) -> dict[str, Any]:
        point = {"timeUnixNano": (1_700_000_000 + second) * 10**9, "count": count, "sum": 1.5, "zeroCount": count}
        return {"name": "g", "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [point]}}

    async with edge(tmp_path) as e:
        request = gauge(1)
        metrics = request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
        request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"] = [histogram(-1, 3), *metrics, histogram(1, 4)]
        assert (await e.post(request)).partial == (0, "")
        found = e.store.querier.select([("__name__", "=", "g")], 0, 1 << 60)
        assert [(t, histogram.count) for t, histogram in found.histograms(0)] == [
            (1_699_999_999_000, 3),
            (1_700_000_001_000, 4),
        ]
        assert e.lines == ['{__name__="g"} 1 1700000000000']


async def test_a_clock_that_is_ahead(tmp_path: Path) -> None:
    async with edge(tmp_path) as e:
        request = gauge(1)
        (point,) = request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["gauge"]["dataPoints"]
        point["timeUnixNano"] = (SystemClock().now_ms() + 660_000) * 1_000_000
        answer = await e.post(request)
        assert (answer.status, answer.error) == (400, (3, 'metric "g": a point more than 10 minutes ahead'))
        point["timeUnixNano"] -= 120_000_000_000
        assert (await e.post(request)).status == 200


async def test_deltas_are_added_up_and_a_new_setting_begins_anew(tmp_path: Path) -> None:
    def delta(second: int, value: int) -> dict[str, Any]:
        point = {"startTimeUnixNano": 1, "timeUnixNano": (1_700_000_000 + second) * 10**9, "asInt": value}
        metric = {"name": "n", "sum": {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": [point]}}
        return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}

    async with edge(tmp_path, {"delta_to_cumulative": "true"}) as e:
        for second, value in [(0, 3), (1, 4), (1, 4), (2, 5)]:
            assert (await e.post(delta(second, value))).partial == (0, "")
        values = [float(line.split(" ")[-2]) for line in e.lines]
        assert values == [3, 7, 12]
        assert (await e.post(delta(1, 1))).error == (3, 'metric "n": out of order delta')
        e.route.configure(Otlp(delta_to_cumulative=True))
        await e.post(delta(3, 1))
        e.route.configure(Otlp(delta_to_cumulative=True, promote_scope_metadata=True))
        await e.post(delta(4, 1))
        assert [float(line.split(" ")[-2]) for line in e.lines[3:]] == [13, 1]


REFUSED = [
    (b"{", JSON, {}, 400, 3, "JSON: expected a string at byte 1"),
    (b'{"resourceMetrics":[{"resource":7}]}', JSON, {}, 400, 3, "JSON: expected an object at byte 32"),
    (b"\x0a\x7f", PROTOBUF, {}, 400, 3, "proto: cannot parse invalid wire-format data"),
    (b"x", PROTOBUF, {"Content_Encoding": "gzip"}, 400, 3, "unexpected EOF"),
    (b"x", PROTOBUF, {"Content_Encoding": "br"}, 415, 3, "unknown Content-Encoding 'br'"),
    (b"x", "text/plain", {}, 415, 3, "unsupported content type: 'text/plain'"),
    (b"x" * 3000, PROTOBUF, {}, 413, 8, "request body larger than 2000 bytes"),
    (gzip.compress(bytes(10_000)), PROTOBUF, {"Content_Encoding": "gzip"}, 413, 8, "after decompression"),
]


@pytest.mark.parametrize(("body", "kind", "headers", "status", "code", "text"), REFUSED)
async def test_what_is_refused(
    tmp_path: Path, body: bytes, kind: str, headers: dict[str, str], status: int, code: int, text: str
) -> None:
    async with edge(tmp_path, limits=OtlpLimits(body=2000, decompressed=4000)) as e:
        answer = await e.post(body, kind, **headers)
        assert answer.status == status
        assert answer.headers["Content-Type"] == (PROTOBUF if kind == PROTOBUF else JSON)
        assert answer.error[0] == code
        assert text in answer.error[1]
        assert e.lines == []


async def test_labels_are_bounded(tmp_path: Path) -> None:
    async with edge(tmp_path, limits=OtlpLimits(labels=100)) as e:
        attributes = [{"key": "a", "value": {"stringValue": "x" * 60}}]
        answer = await e.post(gauge(1, 2, attributes=attributes))
        assert (answer.status, answer.error) == (413, (8, "points expand to more than 100 bytes of labels"))


@pytest.mark.parametrize(("kind", "form"), [(JSON, "json"), (PROTOBUF, "protobuf")])
async def test_a_full_disk_is_for_another_time(tmp_path: Path, kind: str, form: str) -> None:
    async with edge(tmp_path, broken=True) as e:
        answer = await e.post(gauge(1), kind)
        assert (answer.status, answer.headers["Retry-After"], answer.error) == (503, "5", (14, "disk full"))
        assert e.registry.get_sample_value("pushbridge_otlp_requests_total", {"form": form, "code": "503"}) == 1


async def test_overload_is_for_another_time(tmp_path: Path) -> None:
    async with edge(tmp_path) as e:
        with e.gate.hold() as others:
            others.grow(1 << 20)
            answer = await e.post(gauge(1), PROTOBUF)
        assert (answer.status, answer.headers["Retry-After"], answer.error[0]) == (503, "1", 14)
        assert (await e.post(gauge(1), PROTOBUF)).status == 200


async def test_only_post_is_allowed(tmp_path: Path) -> None:
    async with edge(tmp_path) as e, e.session.get("/api/v1/otlp/v1/metrics") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"translation_strategy": "Other"}, "UnderscoreEscapingWithSuffixes"),
        ({"promote_resource_attributes": ["a", " a"]}, "duplicated resource attribute: a"),
        ({"ignore_resource_attributes": ["a"]}, "needs promote_all_resource_attributes"),
        ({"promote_all_resource_attributes": "true", "promote_resource_attributes": ["a"]}, "cannot go together"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Otlp.model_validate(settings)


async def test_an_empty_request_is_fine(tmp_path: Path) -> None:
    async with edge(tmp_path) as e:
        assert [(await e.post({}, kind)).status for kind in KINDS] == [200, 200]
        assert isinstance(e, Edge)
