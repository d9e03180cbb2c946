"""Remote read between real programs: a Prometheus reads us, and we answer as a Prometheus over the same directory."""

from __future__ import annotations

import shutil
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import snappy

from bridge.clock import SystemClock
from bridge.config import Storage, Wal
from bridge.native import Batch
from tests.bridge_process import BridgeProcess
from tests.buffer.samples import open_store
from tests.interop.peers import Prometheus
from tests.pushgw.test_protobuf import KIND, native
from tests.remote_write.prompb import ReadResponse
from tests.remote_write.reading import CHUNKS, SAMPLES, frames, request
from tests.remote_write.xor import xor_samples

pytestmark = [pytest.mark.interop, pytest.mark.anyio]

XOR = 1
HOURS = 9
CONFIG = "global: {external_labels: {region: eu}}\n"


async def fill(folder: Path, begin: int) -> dict[str, list[tuple[int, float]]]:
    """A sample a minute for nine hours in three series `m{n=...}`; most of it is in blocks then."""
    store = open_store(folder / "data", settings=Storage(wal=Wal()))
    wanted: dict[str, list[tuple[int, float]]] = {str(n): [] for n in range(3)}
    for k in range(HOURS * 60):
        t = begin + k * 60_000
        for n, found in wanted.items():
            found.append((t, k * 0.25 + int(n)))
        await store.append(Batch.from_rows([({"__name__": "m", "n": n}, *found[-1]) for n, found in wanted.items()], t))
    await store.maintain()
    assert len(store.metas()) >= 2
    await store.close()
    return wanted


def push_histogram(bridge: BridgeProcess) -> None:
    """Push a native histogram `h`."""
    body = native(integer=True).SerializeToString()
    answer = bridge.request("PUT", "/metrics/job/j", bytes([len(body)]) + body, {"Content-Type": KIND})
    assert answer.status == 200, answer.text


async def test_a_prometheus_reads_what_we_hold(peer: Callable[[str], Path], tmp_path: Path) -> None:
    prometheus = peer("prometheus")
    now = SystemClock().now_ms()
    wanted = await fill(tmp_path, now - HOURS * 3_600_000)
    with BridgeProcess(tmp_path, CONFIG) as bridge:
        more = f"remote_read: [{{url: '{bridge.url}/api/v1/read', read_recent: true}}]\n"
        with Prometheus(prometheus, tmp_path / "peer", tmp_path / "theirs", more=more) as reading:
            assert reading.samples('m{region="eu",n=~"[01]"}', 10 * 3600, now) == {
                frozenset({"__name__": "m", "n": n, "region": "eu"}.items()): [
                    (t, f"{value:g}") for t, value in wanted[n]
                ]
                for n in ("0", "1")
            }
            (vector,) = reading.api("query", query="sum(m)", time=f"{now / 1000}")["result"]
            assert float(vector["value"][1]) == sum(found[-1][1] for found in wanted.values())
            assert reading.api("query", query="m offset 20h")["result"] == []
            assert [line for line in reading.complaints() if "remote" in line] == []


@pytest.mark.parametrize("kind", [SAMPLES, CHUNKS])
async def test_we_answer_as_a_prometheus_over_the_same_directory(
    peer: Callable[[str], Path], tmp_path: Path, kind: int
) -> None:
    prometheus = peer("prometheus")
    now = SystemClock().now_ms()
    await fill(tmp_path, now - HOURS * 3_600_000)
    # Prometheus 2.42 has no native histograms in answers with samples.
    matchers = [("__name__", "=~", "m|h|push_.*" if kind == CHUNKS else "m|push_.*"), ("n", "!=", "1")]
    body = request((now - 86_400_000, now + 600_000, matchers), (now, now, matchers), accepted=[kind])
    with BridgeProcess(tmp_path, "push: {hold_interval: 1h}\n") as bridge:
        push_histogram(bridge)
        ours = bridge.request("POST", "/api/v1/read", body, {"Content-Encoding": "snappy"}).body
        bridge.stop()
    shutil.copytree(tmp_path / "data" / "tsdb", tmp_path / "copy")
    (tmp_path / "copy" / "lock").unlink(missing_ok=True)
    with Prometheus(prometheus, tmp_path / "peer", tmp_path / "copy") as other:
        asked = urllib.request.Request(f"{other.url}/api/v1/read", body, {"Content-Encoding": "snappy"})
        with urllib.request.urlopen(asked, timeout=30) as response:
            theirs = response.read()
    assert told(ours, kind) == told(theirs, kind)
    assert 'value: "push_time_seconds"' in str(told(ours, kind))


def told(body: bytes, kind: int) -> list[Any]:
    """What an answer says, whatever the order of series that have no order, and whatever stands behind the last sample
    of a chunk."""
    if kind == SAMPLES:
        results = ReadResponse.FromString(snappy.decompress(body)).results
        return [sorted(map(str, result.timeseries)) for result in results]
    messages = [message for _, message in frames(body)]
    for message in messages:
        for chunk in message.chunked_series[0].chunks:
            if chunk.type == XOR:
                chunk.data = repr(xor_samples(chunk.data)).encode()
    return messages
