"""Senders that come in pairs: one replica of each cluster is heard."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import Duration, HaPairs
from tests.buffer.told_clock import ToldClock
from tests.remote_write.writing import Reply, Series, Writer, now_ms, writer

pytestmark = pytest.mark.anyio

HA = HaPairs(failover_timeout=Duration("30s"))


def sample(t: int, value: float, replica: str, cluster: str = "eu", **labels: str) -> Series:
    return Series({"__name__": "up", "cluster": cluster, "__replica__": replica, **labels}, [(t, value)])


async def send(edge: Writer, version: int, *series: Series) -> Reply:
    return await (edge.write if version == 1 else edge.write2)(*series)


@pytest.mark.parametrize("version", [1, 2])
async def test_the_first_is_heard_and_its_label_taken_off(tmp_path: Path, version: int) -> None:
    now = now_ms()
    async with writer(tmp_path, ha=HA) as edge:
        assert (await send(edge, version, sample(now, 1.0, "a"))).status == 204
        reply = await send(edge, version, sample(now + 1, 2.0, "b"))
        assert reply.status == 204
        assert reply.written == (None if version == 1 else (1, 0, 0)), "2.0 would take 0 for a loss"
        assert (await send(edge, version, sample(now + 2, 3.0, "a"))).status == 204
        labels = '{__name__="up", cluster="eu"}'
        assert edge.lines == [f"{labels} 1 {now}", f"{labels} 3 {now + 2}"]
        assert edge.count("deduplicated_total", cluster="eu") == 1
        assert edge.count("elections_total", cluster="eu") == 1


async def test_another_takes_over_from_one_that_is_silent(tmp_path: Path) -> None:
    clock = ToldClock(now_ms())
    async with writer(tmp_path, ha=HA, clock=clock) as edge:

        async def say(replica: str, value: float) -> None:
            assert (await edge.write(sample(clock.now_ms(), value, replica))).status == 204

        await say("a", 1.0)
        for _ in range(3):
            clock.now += 20_000
            await say("b", -1.0)  # a was heard less than 30 s ago
            await say("a", 1.0)
        clock.now += 30_000
        await say("b", -1.0)
        clock.now += 1
        await say("b", 2.0)
        clock.now += 1
        await say("a", -1.0)
        assert [line.split()[-2] for line in edge.lines] == ["1", "1", "1", "1", "2"]
        assert edge.count("elections_total", cluster="eu") == 2


async def test_the_elected_one_is_the_same_after_a_restart(tmp_path: Path) -> None:
    clock = ToldClock(now_ms())
    async with writer(tmp_path, ha=HA, clock=clock) as edge:
        await edge.write(sample(clock.now_ms(), 1.0, "a"))
    clock.now += 3_600_000
    async with writer(tmp_path, ha=HA, clock=clock) as edge:
        await edge.write(sample(clock.now_ms(), 2.0, "b"))
        assert len(edge.lines) == 1
        clock.now += 30_001
        await edge.write(sample(clock.now_ms(), 3.0, "b"))
        assert len(edge.lines) == 2


async def test_clusters_and_series_without_a_replica_do_not_know_each_other(tmp_path: Path) -> None:
    now = now_ms()
    async with writer(tmp_path, ha=HA) as edge:
        alone = Series({"__name__": "up", "__replica__": "x"}, [(now, 1.0)])
        request = [sample(now, 1.0, "a"), sample(now, 1.0, "b"), sample(now, 1.0, "b", "us"), alone]
        reply = await edge.write2(*request)
        assert (reply.status, reply.written) == (204, (4, 0, 0))
        assert edge.lines == [
            f'{{__name__="up", __replica__="x"}} 1 {now}',
            f'{{__name__="up", cluster="eu"}} 1 {now}',
            f'{{__name__="up", cluster="us"}} 1 {now}',
        ]


async def test_clusters_are_bounded(tmp_path: Path) -> None:
    now = now_ms()
    async with writer(tmp_path, ha=HaPairs(max_clusters=2)) as edge:
        for cluster in ("eu", "us"):
            assert (await edge.write(sample(now, 1.0, "a", cluster))).status == 204
        reply = await edge.write(sample(now, 1.0, "a", "asia"))
        assert reply.status == 400
        assert reply.text.startswith("cluster='asia' is a new cluster, and there are 2 already")
        assert len(edge.lines) == 2


async def test_without_the_setting_replicas_are_labels_like_others(tmp_path: Path) -> None:
    now = now_ms()
    async with writer(tmp_path) as edge:
        await edge.write(sample(now, 1.0, "a"), sample(now, 1.0, "b"))
        assert len(edge.lines) == 2
