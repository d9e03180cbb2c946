"""Requests of the right shape with any content, and right ones with damage: taken or refused, no error of ours."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from bridge.native import LabelsTooLong, OtlpDecoder, OtlpError
from tests.otlp.edge import PROTOBUF, edge, message

pytestmark = pytest.mark.anyio

GOLDEN = [json.loads(file.read_text())["request"] for file in (Path(__file__).parent / "golden").glob("*.json")]


def decoder(**settings: Any) -> OtlpDecoder:
    flags = dict.fromkeys(
        ["escape", "suffixes", "promote_all", "keep_identifying", "custom_buckets", "scope_metadata"], True
    )
    flags |= dict.fromkeys(["key_before_underscore", "keep_underscores", "delta_to_cumulative"], True)
    return OtlpDecoder(promote=[], **{**flags, **settings})


def decode(body: bytes, *, json: bool, **settings: Any) -> tuple[int, int] | None:
    """(samples, points), or None for what is refused."""
    try:
        batch, points, refused, _ = decoder(**settings).decode(
            body, 1_800_000_000_000, json=json, max_label_bytes=1 << 20
        )
    except (OtlpError, LabelsTooLong):
        return None
    assert refused <= points
    return len(batch), points


integers = st.one_of(st.integers(0, 5), st.integers(-(1 << 63), (1 << 64) - 1), st.integers(0, 1 << 63).map(str))
numbers = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["NaN", "Infinity", 1, "1.5"]))
texts = st.text(max_size=6)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.fixed_dictionaries({}, optional={"stringValue": texts}),
        st.fixed_dictionaries({"intValue": integers}),
        st.fixed_dictionaries({"doubleValue": numbers}),
        st.fixed_dictionaries({"boolValue": st.booleans()}),
        st.fixed_dictionaries({"bytesValue": st.sampled_from(["", "aGk=", "aGk"])}),
    ),
    lambda inner: st.fixed_dictionaries({"arrayValue": st.fixed_dictionaries({"values": st.lists(inner, max_size=2)})}),
    max_leaves=4,
)
pairs = st.lists(st.fixed_dictionaries({"key": texts}, optional={"value": values}), max_size=3)
point = st.fixed_dictionaries(
    {"timeUnixNano": st.one_of(integers, st.just("1700000000000000000"))},
    optional={
        "attributes": pairs,
        "flags": st.integers(0, 3),
        "startTimeUnixNano": integers,
        "asInt": integers,
        "asDouble": numbers,
        "count": integers,
        "sum": numbers,
        "bucketCounts": st.lists(integers, max_size=4),
        "explicitBounds": st.lists(numbers, max_size=3),
        "scale": st.integers(-20, 60),
        "zeroCount": integers,
        "positive": st.fixed_dictionaries(
            {}, optional={"offset": st.integers(-(1 << 31), (1 << 31) - 1), "bucketCounts": st.lists(integers)}
        ),
        "exemplars": st.lists(st.fixed_dictionaries({"asDouble": numbers, "filteredAttributes": pairs}), max_size=2),
        "quantileValues": st.lists(st.fixed_dictionaries({"quantile": numbers, "value": numbers}), max_size=2),
        "unknown": values,
    },
)
data = st.fixed_dictionaries(
    {"dataPoints": st.lists(point, max_size=3)},
    optional={"aggregationTemporality": st.integers(0, 3), "isMonotonic": st.booleans()},
)
metric = st.builds(
    lambda kind, name, unit, one: {"name": name, "unit": unit, kind: one},
    st.sampled_from(["gauge", "sum", "histogram", "exponentialHistogram", "summary", "other"]),
    texts,
    texts,
    data,
)
request = st.fixed_dictionaries(
    {
        "resourceMetrics": st.lists(
            st.fixed_dictionaries(
                {
                    "resource": st.fixed_dictionaries({"attributes": pairs}),
                    "scopeMetrics": st.lists(
                        st.fixed_dictionaries({"metrics": st.lists(metric, max_size=3)}), max_size=2
                    ),
                }
            ),
            max_size=2,
        )
    }
)


@given(request, st.booleans(), st.booleans())
def test_json_of_any_content_is_as_its_protobuf(body: dict[str, Any], escape: bool, custom: bool) -> None:
    ours = decode(json.dumps(body).encode(), json=True, escape=escape, custom_buckets=custom)
    try:
        parsed = json_format.ParseDict(body, ExportMetricsServiceRequest(), ignore_unknown_fields=True)
    except json_format.ParseError:
        return  # it is stricter with numbers than collectors are
    assert decode(parsed.SerializeToString(), json=False, escape=escape, custom_buckets=custom) == ours


@given(st.sampled_from(GOLDEN), st.data())
def test_damaged_json(body: dict[str, Any], data: st.DataObject) -> None:
    text = json.dumps(body)
    at = data.draw(st.integers(0, len(text) - 1))
    damage = data.draw(st.sampled_from(["", '"', "{", "[", "]", "}", ",", ":", "\\", "-", "9", "e", "\x00", "\ud83d"]))
    decode((text[:at] + damage + text[at + 1 :]).encode(errors="surrogatepass"), json=True)
    assert decode(text[:at].encode(), json=True) is None, "half of it"


@pytest.mark.parametrize("number", range(len(GOLDEN)))
def test_messages_cut_at_each_length_and_with_each_byte_flipped(number: int) -> None:
    body, chance = message(GOLDEN[number]), random.Random(number)
    assert decode(body, json=False) is not None
    for at in range(len(body)):
        decode(body[:at], json=False)
        decode(body[:at] + bytes([body[at] ^ 1 << chance.randrange(8)]) + body[at + 1 :], json=False)


async def test_damage_is_answered_with_400_or_200(tmp_path: Path) -> None:
    chance = random.Random(1)
    async with edge(tmp_path, {"promote_all_resource_attributes": "true"}) as e:
        for _ in range(150):
            body = bytearray(message(chance.choice(GOLDEN)))
            for _ in range(chance.randrange(1, 4)):
                body[chance.randrange(len(body))] = chance.randrange(256)
            assert (await e.post(bytes(body), PROTOBUF)).status in {200, 400}
