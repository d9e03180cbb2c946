"""Whatever a sink does, it ends up with what was accepted, less what it will never take, and that is a dead letter."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.responses import JSONResponse, Response

from tests.edge.serving import until
from tests.forward import faults
from tests.forward.fake_influx import FakeInflux, Fault, Write, error
from tests.forward.rig import Rig, rig

pytestmark = pytest.mark.anyio

PASSING: dict[str, list[Fault]] = {
    "all is well": [],
    "500": [faults.not_stored] * 2,
    "500 with half of it stored": [faults.half_stored],
    "500 with another text each time": [faults.answers(500, str(n)) for n in range(6)],
    "503 again and again": [faults.answers(503, "request throttled, queue full")] * 10,
    "429": [faults.answers(429, "too many requests", retry_after="0")],
    "408": [faults.answers(408, "context deadline exceeded")],
    "reset before commit": [faults.reset_before_commit] * 3,
    "reset after commit": [faults.reset_after_commit] * 3,
    "too slow": [faults.slow(0.5)],
    "401": [faults.answers(401, "unauthorized access", code="unauthorized")] * 4,
    "403": [faults.answers(403, "insufficient permissions for write", code="forbidden")],
    "404": [faults.answers(404, 'database not found: "d"', code="not found")] * 2,
    "a status that nobody expects": [faults.answers(418, "teapot")],
    "a web page": [faults.web_page] * 2,
    "a redirect": [faults.answers(307)],
    "no retention policy": [faults.answers(500, "retention policy not found: x")],
    "InfluxDB 3 with a full buffer": [
        faults.answers(400, "error from wal: wal buffer full with 9 ops", code="invalid")
    ],
    "everything in turn": [faults.not_stored, faults.reset_after_commit, faults.answers(401, "x"), faults.half_stored],
}


async def push_some(rig: Rig) -> None:
    for _ in range(5):
        await rig.push(40)


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("gzip", [True, False])
@pytest.mark.parametrize("name", PASSING)
async def test_faults_that_pass_cost_nothing(tmp_path: Path, name: str, version: int, gzip: bool) -> None:
    fake = FakeInflux(version=version)  # type: ignore[arg-type]
    async with rig(tmp_path, fake, gzip="true" if gzip else "false", timeout="200ms") as r:
        fake.faults.extend(PASSING[name])
        await push_some(r)
        await r.check()
        assert not fake.faults, "the fault never happened"
        assert r.sink.status().account.dead_lettered == 0


BAD = {
    1: {"m,n=3", "m,n=17", "m,n=39"},
    2: {"m,n=0", "m,n=1"},
    3: {"m,n=5", "m,n=38"},
}


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("kind", ["unparsable", "conflicting"])
@pytest.mark.parametrize("bad", ["none", "few", "all of a batch", "all"])
async def test_lines_that_never_pass_are_dead_letters_and_no_others(
    tmp_path: Path, version: int, kind: str, bad: str
) -> None:
    def refuse(line: str) -> str | None:
        is_bad = {
            "none": False,
            "few": line.split(" ", maxsplit=1)[0] in BAD[version],
            "all of a batch": line.endswith(" 1003"),
            "all": True,
        }
        return "because" if is_bad[bad] else None

    fake = FakeInflux(version=version)  # type: ignore[arg-type]
    setattr(fake, kind, refuse)
    async with rig(tmp_path, fake) as r:
        await push_some(r)
        await r.check()
        expected = sum(1 for series, t in r.accepted if refuse(f"{series} value=0 {t}"))
        assert r.sink.status().account.dead_lettered == expected
        letters = list(r.letters.letters())
        assert len(letters) == expected
        assert {letter.code for letter in letters} <= {400, 422}
        assert all("because" in letter.reason for letter in letters)


async def test_series_known_to_be_bad_are_not_searched_for_again(tmp_path: Path) -> None:
    fake = FakeInflux(version=2, conflicting=lambda line: "field type conflict" if line.startswith("m,n=17 ") else None)
    async with rig(tmp_path, fake) as r:
        await r.push(64)
        await r.drained()
        searched = len(fake.writes)
        assert searched > 6, "halving 64 lines takes that many"
        for n in range(1, 6):
            await r.push(64)
            await r.drained()
            assert len(fake.writes) <= searched + 2 * n, "one request for the good lines, one for the bad one"
        await r.check()


@pytest.mark.parametrize("kind", ["unparsable", "conflicting"])
async def test_other_lines_of_a_bad_series_are_tried_together(tmp_path: Path, kind: str) -> None:
    def refuse(line: str) -> str | None:
        return "because" if line.split(" ", 1)[0] in {"m,n=3", "m,n=17", "m,n=39"} else None

    async def nameless(sink: FakeInflux, write: Write) -> Response:
        bad = any(map(refuse, write.lines))
        return error(2, 400, "some line is wrong") if bad else sink.serve(write)

    fake = FakeInflux(version=2, conflicting=refuse)
    async with rig(tmp_path, fake, batch_samples="5000") as r:
        await r.stop_sink()
        for _ in range(38):
            await r.push(60)
        fake.always = nameless if kind == "unparsable" else None
        r.start_sink()
        await r.check()
        assert r.sink.status().account.dead_lettered == 3 * 38
        limit = 3 * 2 * 38 if kind == "unparsable" else 0  # nothing tells that all of some lines are bad but their sum
        assert len(fake.writes) <= 3 * 24 + 6 + limit


async def test_a_series_that_is_good_again_is_trusted_again(tmp_path: Path) -> None:
    fake = FakeInflux(version=2, conflicting=lambda line: "conflict" if line.startswith("m,n=3 ") else None)
    async with rig(tmp_path, fake) as r:
        await r.push(8)
        await r.drained()
        fake.conflicting = lambda _line: None
        await r.push(8)
        await r.drained()
        before = len(fake.writes)
        await r.push(8)
        await r.check()
        assert len(fake.writes) == before + 1


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_a_body_that_is_too_large_is_sent_in_pieces(tmp_path: Path, version: int) -> None:
    fake = FakeInflux(version=version, max_body=400)  # type: ignore[arg-type]
    async with rig(tmp_path, fake, gzip="false") as r:
        await push_some(r)
        await r.check()
        assert r.sink.status().account.dead_lettered == 0


async def test_a_line_that_is_too_large_alone_is_a_dead_letter(tmp_path: Path) -> None:
    fake = FakeInflux(max_body=40)
    async with rig(tmp_path, fake, gzip="false") as r:
        await r.push(3)
        await r.push(3, metric="x" * 60)
        await r.push(3)
        await r.check()
        assert r.sink.status().account.dead_lettered == 3


async def crash(sink: FakeInflux, write: Write) -> Response:
    """One line makes the server stumble."""
    if any(line.startswith("m,n=17 ") for line in write.lines):
        return error(1, 500, "internal error")
    return sink.serve(write)


async def test_lines_that_break_the_sink_are_found_although_it_says_500(tmp_path: Path) -> None:
    async with rig(tmp_path, FakeInflux(always=crash)) as r:
        await r.push(40)
        await r.push(40)
        await r.check()
        assert {letter.line.split(" ")[0] for letter in r.letters.letters()} == {"m,n=17"}


async def test_a_breaking_line_that_comes_alone_is_found_too(tmp_path: Path) -> None:
    async with rig(tmp_path, FakeInflux(always=crash)) as r:
        await r.push(40)
        await r.drained()
        await r.push(40)  # its series is known to be bad and sent apart, after all others
        await r.check()
        assert r.sink.status().account.dead_lettered == 2


async def test_breaking_lines_without_any_others_are_found_too(tmp_path: Path) -> None:
    async def crash_on_bad(sink: FakeInflux, write: Write) -> Response:
        return error(1, 500, "oops") if any(line.startswith("bad,") for line in write.lines) else sink.serve(write)

    async with rig(tmp_path, FakeInflux(always=crash_on_bad)) as r:
        await r.push(3)
        await r.drained()
        await r.push(3, metric="bad")
        await r.check()
        assert r.sink.status().account.dead_lettered == 3


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (faults.not_stored, "retrying"),
        (faults.answers(429), "retrying"),
        (faults.reset_before_commit, "retrying"),
        (faults.answers(401, "unable to parse authentication credentials"), "held"),
        (faults.answers(404, 'database not found: "d"'), "held"),
        (faults.answers(418), "held"),
        (faults.web_page, "held"),
    ],
)
async def test_a_sink_that_refuses_everything_gets_it_later(tmp_path: Path, fault: Fault, state: str) -> None:
    fake = FakeInflux(always=fault)
    async with rig(tmp_path, fake) as r:
        await r.push(4)
        await r.push(4)
        await until(lambda: len(fake.writes) > 60)
        assert list(r.letters.letters()) == []
        assert r.sink.status().state == state
        fake.always = None
        await r.check()
        assert r.sink.status().account.dead_lettered == 0


async def test_a_limit_of_influxdb_3_is_told_in_its_words(tmp_path: Path) -> None:
    """As Core 3.6 answered when a table had 500 columns."""
    reason = "update to schema would exceed number of columns per table limit of 500"

    async def full(sink: FakeInflux, write: Write) -> Response:
        for line in write.lines[1:]:
            sink.store(line)
        told = {"original_line": write.lines[0][:20], "line_number": 1, "error_message": reason}
        return JSONResponse({"error": "partial write of line protocol occurred", "data": [told]}, 422)

    fake = FakeInflux(version=3, always=full)
    async with rig(tmp_path, fake) as r:
        await r.push(3)
        await until(lambda: r.sink.status().state == "held")
        assert r.sink.status().problem == f"422: partial write of line protocol occurred: {reason}"
        assert (r.sink.status().pending, r.sink.status().account.dead_lettered) == (3, 0)
        fake.always = None
        await r.check()
