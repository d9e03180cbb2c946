"""meta.json."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.buffer.meta import OUT_OF_ORDER, BadMeta, BlockMeta, Compaction, Parent, Stats
from bridge.buffer.ulid import ZERO, Ulid
from tests.buffer.metas import meta, ulid

# As promtool 2.42 wrote it.
PROMTOOL = b"""{
\t"ulid": "01M84QNFGTHZGQD2WW1077TGVJ",
\t"minTime": 1700000000000,
\t"maxTime": 1700000060001,
\t"stats": {
\t\t"numSamples": 2,
\t\t"numSeries": 1,
\t\t"numChunks": 1
\t},
\t"compaction": {
\t\t"level": 1,
\t\t"sources": [
\t\t\t"01M84QNFGTHZGQD2WW1077TGVJ"
\t\t]
\t},
\t"version": 1
}"""

STALE, SELECTED = "from-stale-series", "from-selected-series"

whole = st.integers(-(1 << 63), (1 << 63) - 1)
counts = st.integers(0, (1 << 64) - 1)
ulids = st.integers(0, (1 << 48) - 1).map(ulid)
extras = st.dictionaries(st.sampled_from(["thanos", "x"]), st.text() | st.dictionaries(st.text(), st.booleans()))


@st.composite
def metas(draw: st.DrawFn) -> BlockMeta:
    mint, maxt = sorted((draw(whole), draw(whole)))
    stats = draw(st.builds(Stats, *[counts] * 6, extra=extras))
    compaction = Compaction(
        level=draw(st.integers(0, 100)),
        sources=tuple(draw(st.lists(ulids, max_size=3))),
        deletable=draw(st.booleans()),
        parents=tuple(draw(st.lists(st.builds(Parent, ulids, whole, whole), max_size=3))),
        failed=draw(st.booleans()),
        hints=tuple(draw(st.lists(st.text(), max_size=3))),
        extra=draw(extras),
    )
    return BlockMeta(draw(ulids), mint, maxt, stats, compaction, draw(extras))


def test_a_file_of_promtool_is_read_and_written_to_the_byte() -> None:
    name = Ulid("01M84QNFGTHZGQD2WW1077TGVJ")
    read = BlockMeta.parse(PROMTOOL)
    assert read == replace(
        BlockMeta.cut(name, 1_700_000_000_000, 1_700_000_060_001), stats=Stats(samples=2, series=1, chunks=1)
    )
    assert read.encode() == PROMTOOL


@given(metas())
def test_what_is_written_is_read(given_meta: BlockMeta) -> None:
    assert BlockMeta.parse(given_meta.encode()) == given_meta


@given(st.binary() | st.recursive(st.none() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_anything_else_is_refused_in_one_way(text: Any) -> None:
    with pytest.raises(BadMeta):
        BlockMeta.parse(text if isinstance(text, bytes) else json.dumps(text).encode())


def test_every_shorter_file_is_refused() -> None:
    for length in range(len(PROMTOOL)):
        with pytest.raises(BadMeta):
            BlockMeta.parse(PROMTOOL[:length])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 2}, "version is 2"),
        ({"version": None}, "version is 0"),
        ({"ulid": "8" * 26}, 'ulid is not a ULID: "888'),
        ({"ulid": 5}, 'ulid is not a ULID: "5"'),
        ({"minTime": 1.5}, "minTime is not a whole number"),
        ({"minTime": True}, "minTime is not a whole number"),
        ({"minTime": ""}, "minTime is not a whole number"),
        ({"maxTime": 1 << 63}, "maxTime is not a whole number"),
        ({"maxTime": -1}, "lies before minTime"),
        ({"stats": []}, "stats is not an object"),
        ({"stats": {"numSeries": -1}}, "stats.numSeries is not"),
        ({"compaction": {"sources": {}}}, "compaction.sources is not a list"),
        ({"compaction": {"sources": ["x"]}}, r"compaction.sources\[0\] is not a ULID"),
        ({"compaction": {"failed": 0}}, "compaction.failed is neither"),
        ({"compaction": {"hints": [1]}}, r"compaction.hints\[0\] is not a text"),
        ({"compaction": {"parents": [{}, 7]}}, r"compaction.parents\[1\] is not an object"),
        ({"compaction": {"parents": [{"minTime": "0"}]}}, r"compaction.parents\[0\].minTime is not"),
    ],
)
def test_a_refusal_says_where(change: dict[str, Any], says: str) -> None:
    document = {**json.loads(PROMTOOL), **change}
    with pytest.raises(BadMeta, match=says):
        BlockMeta.parse(json.dumps(document).encode())


def test_what_is_absent_or_null_is_zero() -> None:
    assert BlockMeta.parse(b'{"version": 1, "stats": null, "minTime": null}') == BlockMeta(
        ZERO, 0, 0, compaction=Compaction(level=0)
    )


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"version": ' + b"1" * 10_000 + b"}", b'{"x": NaN}', b"\xff"])
def test_hostile_files_are_refused(text: bytes) -> None:
    with pytest.raises(BadMeta):
        BlockMeta.parse(text)


def test_unknown_keys_outlive_a_rewrite() -> None:
    document = {
        **json.loads(PROMTOOL),
        "thanos": {"labels": {"stadt": "Köln"}, "downsample": {"resolution": 0}},
        "stats": {"numSeries": 3, "numExemplars": 9},
        "compaction": {"level": 1, "excluded": True},
    }
    rewritten = json.loads(BlockMeta.parse(json.dumps(document).encode()).with_tombstones(2).encode())
    assert rewritten == {**document, "stats": {"numSeries": 3, "numTombstones": 2, "numExemplars": 9}}


def test_a_block_cut_from_memory_is_its_own_source() -> None:
    cut = BlockMeta.cut(ulid(7), 0, 10)
    assert cut.compaction == Compaction(level=1, sources=(ulid(7),))
    assert cut.whole
    late = BlockMeta.cut(ulid(8), 0, 10, out_of_order=True)
    assert json.loads(late.encode())["compaction"] == {
        "level": 1,
        "sources": [ulid(8)],
        "parents": [{"ulid": ZERO, "minTime": 0, "maxTime": 0}],
        "hints": [OUT_OF_ORDER],
    }
    assert not late.whole


def test_a_merged_block_covers_its_parents_and_has_their_sources() -> None:
    inputs = [
        BlockMeta(ulid(100), 1000, 2000, compaction=Compaction(level=2, sources=(ulid(1), ulid(10)))),
        BlockMeta(ulid(200), 200, 500, Stats(samples=5, extra={"x": 1}), Compaction(sources=(ulid(10),)), {"y": 2}),
        BlockMeta(ulid(300), 500, 2500, compaction=Compaction(level=3, failed=True, sources=(ulid(5), ulid(6)))),
    ]
    assert BlockMeta.merged(ulid(1000), inputs) == BlockMeta(
        ulid(1000),
        200,
        2500,
        compaction=Compaction(
            level=4,
            sources=(ulid(1), ulid(5), ulid(6), ulid(10)),
            parents=(Parent(ulid(100), 1000, 2000), Parent(ulid(200), 200, 500), Parent(ulid(300), 500, 2500)),
        ),
    )


@pytest.mark.parametrize(
    ("inputs", "merged"),
    [
        ([(), ()], ()),
        ([(OUT_OF_ORDER, STALE)], (OUT_OF_ORDER, STALE)),
        ([(OUT_OF_ORDER, STALE), (OUT_OF_ORDER,)], (OUT_OF_ORDER, STALE)),
        ([(OUT_OF_ORDER, STALE), ()], (STALE,)),
        ([(OUT_OF_ORDER,), (OUT_OF_ORDER,)], (OUT_OF_ORDER,)),
        ([(OUT_OF_ORDER,), ()], ()),
        ([(STALE,), (OUT_OF_ORDER,)], (STALE,)),
        ([(SELECTED,), (SELECTED,)], (SELECTED,)),
    ],
)
def test_late_only_if_all_are_late_partial_if_one_is(inputs: list[tuple[str, ...]], merged: tuple[str, ...]) -> None:
    blocks = [meta(i, 0, 10, hints=hints) for i, hints in enumerate(inputs)]
    assert BlockMeta.merged(ulid(99), blocks).compaction.hints == merged


def test_a_cleaned_block_begins_anew_under_its_parent() -> None:
    old = replace(meta(1, 5, 10, hints=(OUT_OF_ORDER,), tombstones=3), extra={"thanos": {}})
    assert BlockMeta.cleaned(ulid(2), old) == BlockMeta(
        ulid(2),
        5,
        10,
        compaction=Compaction(sources=(ulid(2),), parents=(Parent(ulid(1), 5, 10),), hints=(OUT_OF_ORDER,)),
    )


@pytest.mark.parametrize(("mint", "maxt", "found"), [(0, 4, False), (0, 5, True), (9, 20, True), (10, 20, False)])
def test_a_block_ends_before_its_maxt(mint: int, maxt: int, *, found: bool) -> None:
    assert meta(1, 5, 10).overlaps(mint, maxt) is found
