"""`meta.json`: what a block covers, what went into it, and what compaction has made of it.

The file is Prometheus', to the byte: tab-indented, counts of zero left out. Keys that we don't know (Thanos adds its
own) are kept when the file of a block is rewritten.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, NoReturn

from bridge.buffer.ulid import ZERO, Ulid, parse_ulid

__all__ = ["OUT_OF_ORDER", "PARTIAL", "BadMeta", "BlockMeta", "Compaction", "Parent", "Stats"]

VERSION = 1

OUT_OF_ORDER = "from-out-of-order"
STALE_SERIES = "from-stale-series"
SELECTED_SERIES = "from-selected-series"
PARTIAL = (STALE_SERIES, SELECTED_SERIES)
"""Hints of blocks that hold some series of a range whose other series were still in memory."""

INT64 = range(-(1 << 63), 1 << 63)
UINT64 = range(1 << 64)

Extra = Mapping[str, Any]


class BadMeta(ValueError):
    """A meta.json that cannot be one; the text says where and why."""


class Parent(NamedTuple):
    """A block that another one was made from."""

    ulid: Ulid
    mint: int
    maxt: int


@dataclass(frozen=True, slots=True)
class Stats:
    """What is in a block. `tombstones` counts intervals; they are not yet subtracted from the other figures."""

    samples: int = 0
    floats: int = 0
    histograms: int = 0
    series: int = 0
    chunks: int = 0
    tombstones: int = 0
    extra: Extra = field(default_factory=dict, hash=False)


STAT_KEYS = {
    "samples": "numSamples",
    "floats": "numFloatSamples",
    "histograms": "numHistogramSamples",
    "series": "numSeries",
    "chunks": "numChunks",
    "tombstones": "numTombstones",
}


@dataclass(frozen=True, slots=True)
class Compaction:
    """Where a block comes from: `sources` are the blocks cut from memory, `parents` those it directly replaces."""

    level: int = 1
    sources: tuple[Ulid, ...] = ()
    deletable: bool = False
    parents: tuple[Parent, ...] = ()
    failed: bool = False
    hints: tuple[str, ...] = ()
    extra: Extra = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class BlockMeta:
    """One block: its samples lie in [mint, maxt), ms."""

    ulid: Ulid
    mint: int
    maxt: int
    stats: Stats = Stats()
    compaction: Compaction = Compaction()
    extra: Extra = field(default_factory=dict, hash=False)

    @classmethod
    def cut(cls, ulid: Ulid, mint: int, maxt: int, *, out_of_order: bool = False) -> "BlockMeta":
        """Of a block made from memory. Prometheus gives those of out-of-order samples a parent of zeros; so do we."""
        parents, hints = ((Parent(ZERO, 0, 0),), (OUT_OF_ORDER,)) if out_of_order else ((), ())
        return cls(ulid, mint, maxt, compaction=Compaction(sources=(ulid,), parents=parents, hints=hints))

    @classmethod
    def merged(cls, ulid: Ulid, inputs: Sequence["BlockMeta"]) -> "BlockMeta":
        """Of the block that replaces `inputs`, one or more.

        It is made of out-of-order samples only if all of them are; it is partial if one of them is, for the planner
        never mixes those with whole ones.
        """
        given = [set(meta.compaction.hints) for meta in inputs]
        hints = set.union(*given) & set(PARTIAL) | set.intersection(*given) & {OUT_OF_ORDER}
        compaction = Compaction(
            level=max(meta.compaction.level for meta in inputs) + 1,
            sources=tuple(sorted({source for meta in inputs for source in meta.compaction.sources})),
            parents=tuple(meta.parent() for meta in inputs),
            hints=tuple(sorted(hints)),
        )
        mint, maxt = min(meta.mint for meta in inputs), max(meta.maxt for meta in inputs)
        return cls(ulid, mint, maxt, compaction=compaction)

    @classmethod
    def cleaned(cls, ulid: Ulid, meta: "BlockMeta") -> "BlockMeta":
        """Of the block that replaces `meta` after its deleted samples have been left out."""
        hints = tuple(sorted(meta.compaction.hints))
        return cls(
            ulid, meta.mint, meta.maxt, compaction=Compaction(sources=(ulid,), parents=(meta.parent(),), hints=hints)
        )

    def parent(self) -> Parent:
        """As its children name it."""
        return Parent(self.ulid, self.mint, self.maxt)

    @property
    def whole(self) -> bool:
        """True when no in-order sample of its range can be anywhere but in this block or another one: only such a
        block says that the log need not be read that far."""
        return not {OUT_OF_ORDER, *PARTIAL} & set(self.compaction.hints)

    def overlaps(self, mint: int, maxt: int) -> bool:
        """True when it may have samples in [mint, maxt], both ends included."""
        return self.mint <= maxt and mint < self.maxt

    def with_tombstones(self, intervals: int) -> "BlockMeta":
        """The same with so many intervals deleted."""
        return replace(self, stats=replace(self.stats, tombstones=intervals))

    def with_failure(self) -> "BlockMeta":
        """The same after a compaction that it took part in has failed: it is not tried again."""
        return replace(self, compaction=replace(self.compaction, failed=True))

    def as_deletable(self) -> "BlockMeta":
        """The same after a compaction that left nothing of it."""
        return replace(self, compaction=replace(self.compaction, deletable=True))

    # -- the file -----------------------------------------------------------------------------------------------------

    @classmethod
    def parse(cls, text: bytes) -> "BlockMeta":
        """Read a file. Raises BadMeta."""
        try:
            document = json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise BadMeta(f"not JSON: {error}") from None
        top = _Object("", document)
        version = top.integer("version", INT64)
        if version != VERSION:
            raise BadMeta(f"version is {version}, not {VERSION}")
        mint, maxt = top.integer("minTime", INT64), top.integer("maxTime", INT64)
        if maxt < mint:
            raise BadMeta(f"maxTime {maxt} lies before minTime {mint}")
        ulid, stats, compaction = top.ulid("ulid"), top.inner("stats"), top.inner("compaction")
        return cls(ulid, mint, maxt, _read_stats(stats), _read_compaction(compaction), top.rest())

    def document(self) -> dict[str, Any]:
        """What the file says, as JSON values in Prometheus' order."""
        compaction = self.compaction
        optional = {
            "sources": list(compaction.sources),
            "deletable": compaction.deletable,
            "parents": [{"ulid": p.ulid, "minTime": p.mint, "maxTime": p.maxt} for p in compaction.parents],
            "failed": compaction.failed,
            "hints": list(compaction.hints),
        }
        stats = {key: getattr(self.stats, name) for name, key in STAT_KEYS.items()}
        return {
            "ulid": self.ulid,
            "minTime": self.mint,
            "maxTime": self.maxt,
            "stats": {**_given(stats), **self.stats.extra},
            "compaction": {"level": compaction.level, **_given(optional), **compaction.extra},
            "version": VERSION,
            **self.extra,
        }

    def encode(self) -> bytes:
        """The file."""
        return json.dumps(self.document(), indent="\t", ensure_ascii=False).encode(errors="replace")


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number in JSON")


def _read_stats(stats: "_Object") -> Stats:
    counts = {name: stats.integer(key, UINT64) for name, key in STAT_KEYS.items()}
    return Stats(**counts, extra=stats.rest())


def _read_compaction(given: "_Object") -> Compaction:
    parents = (_Object(f"compaction.parents[{i}].", value) for i, value in enumerate(given.items("parents")))
    return Compaction(
        level=given.integer("level", INT64),
        sources=tuple(given.ulids("sources")),
        deletable=given.flag("deletable"),
        parents=tuple(
            Parent(p.ulid("ulid"), p.integer("minTime", INT64), p.integer("maxTime", INT64)) for p in parents
        ),
        failed=given.flag("failed"),
        hints=tuple(given.texts("hints")),
        extra=given.rest(),
    )


class _Object:
    """A JSON object read as Go's decoder does: what is absent or null has its zero value, a wrong type is refused."""

    def __init__(self, path: str, value: object) -> None:
        if not isinstance(value, dict | None):
            raise BadMeta(f"{path.removesuffix('.') or 'the file'} is not an object")
        self._path = path
        self._left: dict[str, Any] = dict(value or {})

    def rest(self) -> dict[str, Any]:
        """What nobody has asked for."""
        return self._left

    def inner(self, key: str) -> "_Object":
        return _Object(f"{self._path}{key}.", self._left.pop(key, None))

    def integer(self, key: str, bounds: range) -> int:
        value = self._pop(key, 0)
        if type(value) is not int or value not in bounds:  # a bool is an int to isinstance
            raise BadMeta(f"{self._path}{key} is not a whole number of 64 bits")
        return value

    def flag(self, key: str) -> bool:
        value = self._pop(key, default=False)
        if not isinstance(value, bool):
            raise BadMeta(f"{self._path}{key} is neither true nor false")
        return value

    def items(self, key: str) -> list[Any]:
        value = self._pop(key, [])
        if not isinstance(value, list):
            raise BadMeta(f"{self._path}{key} is not a list")
        return value

    def texts(self, key: str) -> Iterable[str]:
        for i, value in enumerate(self.items(key)):
            if not isinstance(value, str):
                raise BadMeta(f"{self._path}{key}[{i}] is not a text")
            yield value

    def ulids(self, key: str) -> Iterable[Ulid]:
        for i, value in enumerate(self.texts(key)):
            yield self._parse(f"{key}[{i}]", value)

    def ulid(self, key: str) -> Ulid:
        return self._parse(key, self._pop(key, ZERO))

    def _pop(self, key: str, default: object) -> Any:  # noqa: ANN401 - whatever the JSON holds
        value = self._left.pop(key, None)
        return default if value is None else value

    def _parse(self, key: str, value: object) -> Ulid:
        try:
            return parse_ulid(value if isinstance(value, str) else repr(value))
        except ValueError as error:
            raise BadMeta(f"{self._path}{key} is {error}") from None
