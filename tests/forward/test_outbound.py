"""What a remote-write payload keeps of itself: the message that was made of it last."""

from __future__ import annotations

from typing import Any

import pytest
import snappy

from bridge.clock import SystemClock
from bridge.config import RemoteWriteSink
from bridge.forward.remote_write import Dialect, RemoteWrite
from bridge.native import Outbound
from tests.remote_write.prompb import WriteRequest, WriteRequest2

pytestmark = pytest.mark.anyio

LINES = [f'up{{n="{n}"}} 1 {t}' for n in range(3) for t in (1, 2)]


def read(body: bytes, version: int) -> Any:
    """The message in a body."""
    kind = {1: WriteRequest, 2: WriteRequest2}[version]
    return kind.FromString(snappy.uncompress(body))


@pytest.mark.parametrize("version", [1, 2])
def test_a_message_is_kept_until_it_is_wanted_in_another_version(version: int) -> None:
    payload, other = Outbound.from_lines(LINES), 3 - version
    assert (payload.made(1), payload.made(2)) == (None, None)
    body = payload.message(version)
    assert payload.made(version) is body
    assert payload.message(version) is body
    assert payload.made(other) is None
    assert len(read(body, version).timeseries) == 3
    second = payload.message(other)
    assert payload.made(other) is second
    assert payload.made(version) is None
    assert len(read(second, other).timeseries) == 3


def test_parts_and_wholes_have_messages_of_their_own() -> None:
    payload = Outbound.from_lines(LINES)
    body = payload.message(2)
    parts = [*payload.shards(1), payload.slice(0, 2), payload.slice(0, len(payload)), *payload.split_newest()]
    assert [part.made(2) for part in parts] == [None] * len(parts)
    assert len(read(parts[1].message(2), 2).timeseries) == 1
    assert Outbound.concat([payload]).made(2) is None
    assert payload.made(2) is body


@pytest.mark.parametrize("version", [1, 2])
async def test_what_was_made_is_what_is_sent_however_often(version: int) -> None:
    dialect = Dialect(version)
    transport = RemoteWrite(RemoteWriteSink(name="r", url="http://127.0.0.1:1"), dialect, SystemClock())
    payload = Outbound.from_lines(LINES)
    body = payload.message(version)
    first = await transport.pack(payload)
    assert first.body is (await transport.pack(payload)).body is body
    assert (first.samples, first.version) == (6, version)
    dialect.version = 3 - version
    again = await transport.pack(payload)
    assert again.version == 3 - version
    assert len(read(again.body, again.version).timeseries) == 3
    assert again.headers != first.headers
