"""Each mapping writes what those whom it replaces are documented to write, and what they wrote when they were run: the
cases are in `mappings`, and in `mappings/recorded`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from bridge.forward import MAPPINGS
from bridge.native import (
    Framer,
    Head,
    LineMapping,
    Lines,
    PushTable,
    Query,
    Route,
    encode_columns,
    encode_lines,
    parse_families,
)
from tests.pushgw.test_protobuf import delimited, native

NOW = 1_700_000_000_000
CASES = sorted(Path(__file__).with_name("mappings").glob("*.txt"))
RECORDED = sorted(Path(__file__).with_name("mappings").glob("recorded/*.txt"))
OURS = {"push_time_seconds", "push_failure_time_seconds"}

Points = dict[tuple[str, str], dict[str, str]]


def sections(path: Path) -> dict[str, str]:
    _, *parts = re.split(r"^--- (.+)\n", path.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def points(lines: Iterator[str]) -> Points:
    """(series, time) -> fields. A point that comes in two lines is two points for us."""
    found: Points = {}
    for line in lines:
        match = re.fullmatch(r"((?:\\.|[^ ])+) (.+) (-?\d+)", line)
        assert match is not None, line
        key = (match[1], match[3])
        assert key not in found, line
        found[key] = dict(pair.rsplit("=", 1) for pair in match[2].split(","))
    return found


def each(lines: Lines) -> Iterator[str]:
    return (lines.line(i).decode() for i in range(len(lines)))


def pushed(written: Points) -> Points:
    """What was pushed: without the series that say when, and without the job of the group."""
    found: Points = {}
    for (series, time), fields in written.items():
        own = {key: value for key, value in fields.items() if key not in OURS}
        if own and series.split(",")[0] not in OURS:
            found[series.replace(",job=j", ""), time] = own
    return found


class Store:
    """A head and its log after a push, and another one of native histograms, if there are any."""

    def __init__(self, text: str, natives: bytes = b"") -> None:
        self.head = Head()
        self._table = PushTable()
        self._framer = Framer(0, 1 << 27, "none")
        self._push(text.encode(), "text", [])
        if natives:
            self._push(natives, "protobuf", [("x", "y")])
        self.log = self._framer.take()

    def _push(self, body: bytes, form: str, key: list[tuple[str, str]]) -> None:
        families = parse_families(body, form, utf8=True, lenient=False)
        ticket = self._table.stage([("job", "j"), *key], families, now=NOW, ttl=0, replace=False)
        staged = self.head.stage(ticket.batch)
        assert self._framer.add(staged)
        staged.commit()
        ticket.commit()

    def from_log(self, mapping: LineMapping) -> Lines:
        piece = self.head.read_log(self.log, 0, len(self.log), 1 << 20)
        return encode_lines(self.head, piece, mapping, Route())

    def from_columns(self, mapping: LineMapping) -> Lines:
        (columns,) = Query(self.head, [([], 0, 1 << 60, False)]).select([])
        return encode_columns(columns, 0, columns.samples, mapping, Route(), head=self.head)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_lines_are_those_documented(path: Path) -> None:
    text, *_ = (parts := sections(path)).values()
    store = Store(text)
    for name, wanted in list(parts.items())[1:]:
        expected = points(line for line in wanted.splitlines() if line)
        for lines in (store.from_log(LineMapping(name)), store.from_columns(LineMapping(name))):
            assert pushed(points(each(lines))) == expected, name
            assert lines.samples + sum(lines.unrepresentable.values()) == store.head.seq
            assert lines.newest == NOW


def joined(lines: Iterable[str]) -> Points:
    """Points whose fields may come in several lines."""
    found: Points = {}
    for line in lines:
        for point, fields in points(iter([line])).items():
            found.setdefault(point, {}).update(fields)
    return found


def numbers(found: Points) -> dict[tuple[str, str], dict[str, tuple[float, str]]]:
    """Fields as numbers of a type: Telegraf writes all digits of a float."""

    def read(text: str) -> tuple[float, str]:
        return float(text.rstrip("iu")), text[-1] if text[-1] in "iu" else ""

    return {key: {name: read(text) for name, text in fields.items()} for key, fields in found.items()}


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_lines_are_those_that_were_recorded(path: Path) -> None:
    text, *_ = (parts := sections(path)).values()
    natives = [native(integer=True), native(integer=False)]
    for family, name in zip(natives, ("hi", "hf"), strict=True):
        family.name = name
    for name, wanted in list(parts.items())[1:]:
        expected = numbers(joined(line for line in wanted.splitlines() if line))
        store = Store(text, delimited(*natives) if re.search("^h[if],|_le=", wanted, re.MULTILINE) else b"")
        for lines in (store.from_log(LineMapping(name)), store.from_columns(LineMapping(name))):
            assert numbers(pushed(joined(each(lines)))) == expected, name


def test_every_mapping_has_a_case_and_an_explanation() -> None:
    names = {known.name for known in MAPPINGS}
    assert len(names) == len(MAPPINGS)
    assert set().union(*(sections(path) for path in CASES)) == names | {"push"}


@pytest.mark.parametrize(
    ("name", "ways"),
    [
        ("telegraf-v3", {}),
        ("", {}),
        ("prom-value", {"histograms": "none"}),
        ("prom-value", {"non_finite": "keep"}),
        ("prom-value", {"non_finite": "sentinel", "sentinel": float("inf")}),
        ("prom-value", {"stale": "keep"}),
    ],
)
def test_what_there_is_not_is_refused(name: str, ways: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"there is no|not finite"):
        LineMapping(name, **ways)  # type: ignore[arg-type]
