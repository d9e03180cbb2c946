"""A store, a remote-write sink that is fed from it, and the account that a test keeps of what went in."""

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, cast

from bridge.clock import Clock
from bridge.config import RemoteWriteSink
from bridge.forward import Pace, SinkSettings
from bridge.native import Batch
from tests.edge.serving import until
from tests.forward.fake_influx import FakeInflux
from tests.forward.fake_receiver import FakeReceiver, Labels
from tests.forward.rig import FAST, Rig, rig_of

__all__ = ["V2", "RemoteRig", "remote_rig"]

V2 = "io.prometheus.write.v2.Request"


class RemoteRig(Rig):
    """Everything between `push` and the receiver's `rows`."""

    def __init__(
        self,
        folder: Path,
        receiver: FakeReceiver,
        port: int,
        settings: dict[str, Any],
        pace: Pace | None,
        clock: Clock,
    ) -> None:
        self.receiver = receiver
        self.wanted: dict[tuple[Labels, int], float] = {}
        super().__init__(folder, cast("FakeInflux", None), port, settings, pace, clock)

    def sink_settings(self, port: int, settings: dict[str, Any]) -> SinkSettings:
        """The sink's, for a receiver at `port`."""
        external = settings.pop("external_labels", {})
        queue = {"max_samples_per_send": "20", "max_shards": "4"} | settings.pop("queue_config", {})
        url = f"http://127.0.0.1:{port}/api/v1/write"
        sink = RemoteWriteSink(**{"name": "main", "url": url, "queue_config": queue} | settings)
        return sink.with_external_labels(external)

    async def push(
        self,
        count: int = 1,
        *,
        metric: str = "m",
        value: Callable[[int], float] = float,
        time: int | None = None,
        padding: str = "",
    ) -> None:
        """Append one batch of `count` series, at a time of its own unless `time` says when."""
        before = dict(self.accepted)
        await super().push(count, metric=metric, value=value, time=time, padding=padding)
        for n in range(count):
            labels = {"__name__": metric, "n": str(n)} | ({"pad": padding} if padding else {})
            self.wanted[tuple(sorted(labels.items())), self.now if time is None else time] = value(n)
        assert len(self.accepted) == len(before) + count

    async def add(self, rows: list[tuple[Mapping[str, str], int, float]]) -> None:
        """Append a batch of rows (labels, ms, value)."""
        await self.store.append(Batch.from_rows([(dict(labels), t, v) for labels, t, v in rows], 0))
        self.wanted |= {(tuple(sorted(labels.items())), t): v for labels, t, v in rows}

    def held(self) -> dict[Any, float]:
        """What the receiver has, by series and time."""
        return self.receiver.rows

    @staticmethod
    def key_of(labels: Mapping[str, str], t: int) -> Any:
        """How a sample is told from others."""
        return tuple(sorted(labels.items())), t

    async def check(self) -> None:
        """Everything accepted is at the receiver or a dead letter, unchanged, and the account says the same."""
        await self.drained()
        await until(lambda: self.sink.status().account.catching_up is None)
        status = self.sink.status()
        assert status.identity_holds, status
        assert self.store.seq == len(self.wanted)
        dead = {self._key(letter.line) for letter in self.letters.letters() if letter.state != "settled"}
        held = self.receiver.rows
        missing, surplus = (
            self.wanted.keys() - dead - held.keys(),
            held.keys() - self.wanted.keys() | held.keys() & dead,
        )
        assert (missing, surplus) == (set(), set())
        assert all(_same(value, self.wanted[key]) for key, value in held.items())
        assert status.account.sent + status.account.dead_lettered == len(self.wanted)

    @staticmethod
    def _key(line: str) -> Any:
        from bridge.native import Outbound  # noqa: PLC0415

        one = Outbound.from_lines([line])
        inside = one.series(0).decode()[1:-1]
        labels = tuple(
            (name, value.strip('"')) for name, value in (part.split("=", 1) for part in inside.split(", ") if part)
        )
        return labels, int(line.rsplit(" ", 1)[1])


def _same(a: Any, b: float) -> bool:
    return bool(a == b or (math.isnan(a) and math.isnan(b)))


@contextlib.asynccontextmanager
async def remote_rig(
    folder: Path, receiver: FakeReceiver | None = None, pace: Pace = FAST, **settings: Any
) -> AsyncIterator[RemoteRig]:
    """A running rig."""
    async with rig_of(RemoteRig, folder, receiver or FakeReceiver(), pace, **settings) as found:
        yield found
