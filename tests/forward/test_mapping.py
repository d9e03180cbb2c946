"""Each mapping writes what those whom it replaces are documented to write; the cases are in `mappings`."""

from __future__ import annotations

import re
from collections.abc import Iterator
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

NOW = 1_700_000_000_000
CASES = sorted(Path(__file__).with_name("mappings").glob("*.txt"))
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


def pushed(lines: Lines) -> Points:
    """What was pushed: without the series that say when, and without the job of the group."""
    found: Points = {}
    for (series, time), fields in points(lines.line(i).decode() for i in range(len(lines))).items():
        own = {key: value for key, value in fields.items() if key not in OURS}
        if own and series.split(",")[0] not in OURS:
            found[series.replace(",job=j", ""), time] = own
    return found


class Store:
    """A head and its log after one push."""

    def __init__(self, text: str) -> None:
        self.head = Head()
        table = PushTable()
        families = parse_families(text.encode(), "text", utf8=True, lenient=False)
        ticket = table.stage([("job", "j")], families, now=NOW, ttl=0, replace=False)
        framer = Framer(0, 1 << 27, "none")
        staged = self.head.stage(ticket.batch)
        assert framer.add(staged)
        staged.commit()
        ticket.commit()
        self.log = framer.take()

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
            assert pushed(lines) == expected, name
            assert lines.samples + sum(lines.unrepresentable.values()) == store.head.seq
            assert lines.newest == NOW


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
