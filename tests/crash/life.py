"""A store's whole life, and what has to be there after each of its steps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import CollectorRegistry

from bridge.buffer import Position, Store
from bridge.buffer.files import Files
from bridge.buffer.gaps import Gap
from bridge.buffer.replay import OnEvent
from bridge.config import Storage
from bridge.native import Batch, Series
from tests.buffer.told_clock import ToldClock
from tests.crash.recording import RecordingFiles

__all__ = ["BEGIN", "EVERYTHING", "Moment", "Owner", "Samples", "contents", "live", "numbered", "open_at"]

MINUTE = 60_000
HOUR = 60 * MINUTE
STEP = 20 * MINUTE
BEGIN = 1_700_006_400_000  # a boundary of two hours, of six too
RETENTION = 14 * HOUR
START = Position(0, 0)
EVERYTHING = [("__name__", "=~", ".+")]

SETTINGS = Storage.model_validate({
    "retention": {"time": "14h"},
    "max_block_duration": "6h",
    "out_of_order_time_window": "3h",
    "wal": {"segment_size": "64KiB"},
    "wal_keep": {"size": "200KiB"},
})  # fmt: skip

Samples = dict[tuple[str, int], float]
"""Values by the name of their series and the time in ms."""


def open_at(data: Path, now: int, *, files: Files | None = None, on_event: OnEvent | None = None) -> Store:
    """A store whose clock stands at `now`."""
    clock, registry = ToldClock(now), CollectorRegistry()
    return Store.open(data, settings=SETTINGS, clock=clock, registry=registry, files=files, on_event=on_event)


def contents(found: list[Series]) -> Samples:
    """All samples; fails when a series has one twice or two of them in disorder."""
    samples: Samples = {}
    for series in found:
        assert series.timestamps == sorted(set(series.timestamps)), "a sample is there twice"
        name = series.labels["__name__"]
        samples |= {(name, t): value for t, value in zip(series.timestamps, series.values, strict=True)}
    assert len(samples) == sum(len(series.timestamps) for series in found), "a series is there twice"
    return samples


def numbered(number: int, samples: Samples) -> Batch:
    """A batch with an event that says which it is."""
    rows: list[tuple[dict[str, str], int | None, float]] = [
        ({"__name__": name}, t, value) for (name, t), value in samples.items()
    ]
    return Batch.from_rows(rows, 0, event=str(number).encode())


@dataclass
class Owner:
    """Whose state is the number of the last batch, and in the log only."""

    last: int = -1
    reached: Position | None = START

    def see(self, position: Position, event: bytes) -> None:
        """A batch that is in the log, or the state as a checkpoint has it."""
        self.last, self.reached = int(event), position

    def events(self) -> list[bytes]:
        """The state."""
        return [str(self.last).encode()] if self.last >= 0 else []


@dataclass
class Follower:
    """A reader of the log that is often behind, and the book of what it misses."""

    place: tuple[Position, int] = (START, 0)
    gaps: int = 0

    def names(self) -> list[str]:
        """Itself."""
        return ["follower"]

    def reached(self, _name: str) -> tuple[Position, int]:
        """Where it is, and the samples before there."""
        return self.place

    async def note_gap(self, _name: str, gap: Gap) -> None:
        """It goes on behind the gap."""
        assert gap.spans or gap.seq == self.place[1]
        self.place = (gap.end, gap.seq)
        self.gaps += 1

    def follow(self, store: Store) -> None:
        """Read to the end."""
        position, seq = self.place
        while position < store.durable():
            piece, position = store.read(position, 100, seq=seq)
            assert not piece.samples or piece.seq - piece.samples == seq, "samples are missing"
            seq = piece.seq if piece.samples else seq
        self.place = (position, seq)


@dataclass(frozen=True)
class Moment:
    """After a step.

    Attributes:
        now: the time.
        needed: what has to be there.
        allowed: that, and what has expired: it goes when its block does.
        batch: number of the last batch.
        seq: samples accepted so far.
        read: where the reader of the log goes on, and the samples before there.
    """

    now: int
    needed: Samples
    allowed: Samples
    batch: int
    seq: int
    read: tuple[Position, int]


@dataclass
class Life:
    """The store, and what is known of it."""

    store: Store
    clock: ToldClock
    owner: Owner
    follower: Follower
    accepted: Samples = field(default_factory=dict)
    batch: int = -1
    seq: int = 0
    newest: int = BEGIN

    def moment(self) -> Moment:
        """What is to be there now."""
        horizon = self.newest - RETENTION
        needed = {at: value for at, value in self.accepted.items() if at[1] >= horizon}
        return Moment(self.clock.now, needed, dict(self.accepted), self.batch, self.seq, self.follower.place)

    async def append(self, samples: Samples) -> None:
        """One batch."""
        self.batch += 1
        result = await self.store.append(numbered(self.batch, samples))
        self.owner.last, self.owner.reached = self.batch, result.position
        self.seq += len(samples)
        self.accepted |= samples
        self.newest = max(self.newest, *(t for _, t in samples))

    async def ingest(self) -> None:
        """A step of the clock, and a sample of each series that there is at that time."""
        self.clock.now += STEP
        hours = (self.clock.now - BEGIN) // HOUR
        names = ["lasting", "deleted", *(["early"] if hours < 9 else ["later"]), *(["cleaned"] if hours < 5 else [])]
        await self.append({(name, self.clock.now): self.batch + 1.5 for name in names})

    async def ingest_late(self, *ages: int) -> None:
        """Samples out of order, some of a series that has no others."""
        for age in ages:
            t = self.clock.now - age
            await self.append({("lasting", t): self.batch + 0.25, ("late", t): self.batch + 0.75})

    async def delete(self, name: str, mint: int, maxt: int) -> None:
        """Deletion from blocks and memory alike."""
        await self.store.admin.delete_series([("__name__", "=", name)], mint, maxt)
        self.accepted = {at: v for at, v in self.accepted.items() if not (at[0] == name and mint <= at[1] <= maxt)}

    async def clean(self) -> None:
        """Blocks without what is deleted from them."""
        await self.store.admin.clean_tombstones()

    async def maintain(self) -> None:
        """A round of upkeep."""
        await self.store.maintain()

    async def follow(self) -> None:
        """The reader catches up."""
        self.follower.follow(self.store)


def _steps(life: Life, hours: int) -> Iterator[Callable[[], Awaitable[None]]]:
    """What is done one after the other."""
    for number in range(1, hours * HOUR // STEP + 1):
        yield life.ingest
        now = BEGIN + number * STEP
        if number % 11 == 4:
            yield lambda: life.ingest_late(25 * MINUTE, 131 * MINUTE)
        if number % 13 == 6:
            yield lambda: life.ingest_late(107 * MINUTE)
        if number % 3 == 0:
            yield life.maintain
        if number % 16 == 9:
            yield lambda now=now: life.delete("deleted", now - 5 * HOUR, now - 2 * STEP)  # type: ignore[misc]
        if number % 25 == 15:
            yield lambda now=now: life.delete("late", now - 4 * HOUR, now)  # type: ignore[misc]
        if number == 33:
            yield lambda: life.delete("cleaned", BEGIN, BEGIN + 8 * HOUR)
        if number % 16 == 12:
            yield life.clean
        if number % 7 == 5 and number < 50:
            yield life.follow


async def live(root: Path, hours: int) -> tuple[RecordingFiles, list[Moment]]:
    """Live that long below `root`/data; the record of it, and the moments after its steps, the beginning first."""
    root.mkdir()
    files, owner, registry, clock = RecordingFiles(root), Owner(), CollectorRegistry(), ToldClock(BEGIN)
    store = Store.open(root / "data", settings=SETTINGS, clock=clock, registry=registry, files=files)
    life = Life(store, clock, owner, Follower())
    store.add_owner(owner)
    store.add_readers(life.follower)
    moments = [life.moment()]
    for number, step in enumerate(_steps(life, hours), start=1):
        await step()
        moments.append(life.moment())
        files.acknowledge(number)
        found = contents(store.select(EVERYTHING))
        assert moments[-1].needed.items() <= found.items() <= moments[-1].allowed.items()
    await store.close()
    _all_has_happened(registry, life, hours)
    return files, moments


def _all_has_happened(registry: CollectorRegistry, life: Life, hours: int) -> None:
    """A life in which nothing happens tests nothing."""
    assert registry.get_sample_value("pushbridge_tsdb_compactions_total")
    if hours > 24:
        assert registry.get_sample_value("pushbridge_tsdb_vertical_compactions_total")
        assert registry.get_sample_value("pushbridge_tsdb_time_retentions_total")
        assert life.follower.gaps
