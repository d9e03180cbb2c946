"""`pushbridge deadletter`, beside a running sink."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import Ran, pushbridge
from tests.edge.serving import until
from tests.forward.fake_influx import FakeInflux
from tests.forward.fake_receiver import FakeReceiver
from tests.forward.remote_rig import remote_rig
from tests.forward.rig import Rig, rig

pytestmark = pytest.mark.anyio


def refuse(line: str) -> str | None:
    return {"m,n=3": "field type conflict", "m,n=8": "beyond retention"}.get(line.split(" ", 1)[0])


async def run(r: Rig, *arguments: str) -> Ran:
    return await pushbridge("deadletter", *arguments, "--data", r.folder)


async def test_letters_are_listed_shown_sent_again_mended_and_dropped(tmp_path: Path) -> None:
    fake = FakeInflux(version=2, conflicting=refuse)
    async with rig(tmp_path, fake) as r:
        await r.stop_sink()  # so that both pushes are sent at once, and their lines refused one by one
        await r.push(10)
        await r.push(10)
        r.start_sink()
        await r.drained()

        listed = await run(r, "list")
        assert listed.out.splitlines()[0] == "main: 4 waiting, 0 requested, 0 resent, 0 dropped, 0 damaged"
        assert [line.split()[:3] for line in listed.out.splitlines()[1:]] == [["2", "1-3", "422"], ["2", "2-4", "422"]]

        shown = await run(r, "show")
        assert shown.out.count("waiting  422 failure writing points") == 4
        lines = await run(r, "show", "1-2", "4", "--lines")
        assert lines.out.splitlines() == ["m,n=3 value=3 1001", "m,n=8 value=8 1001", "m,n=8 value=8 1002"]
        (one,) = [json.loads(line) for line in (await run(r, "show", "3", "--json")).out.splitlines()]
        assert (one["number"], one["code"], one["line"]) == (3, 422, "m,n=3 value=3 1002")

        again = await run(r, "requeue", "--all", "--reason", "type conflict")
        assert (again.code, again.out) == (0, "2 to be sent again\n")
        await until(lambda: r.letters.counts().requested == 0)
        assert r.letters.counts().waiting == 4, "refused once more"

        fake.conflicting = lambda line: "no" if line.startswith("m,n=8 ") else None
        await run(r, "requeue", "1")
        await until(lambda: r.letters.counts().resent == 1)
        assert fake.points["m,n=3", 1001] == "value=3"

        mended = await run(r, "requeue", "2", "--line", "m,n=5 value=99 2000")
        assert mended.code == 0
        await until(lambda: r.letters.counts().resent == 2)
        assert fake.points["m,n=5", 2000] == "value=99"

        assert (await run(r, "drop", "3-4")).out == "2 dropped\n"
        assert (await run(r, "show")).out == ""
        await until(lambda: r.sink.status().letters_dropped == 2)
        status = r.sink.status()
        assert (status.letters_waiting, status.letters_resent, status.account.dead_lettered) == (0, 2, 4)
        assert status.identity_holds


async def test_what_is_asked_while_no_bridge_runs_is_done_at_its_start(tmp_path: Path) -> None:
    fake = FakeInflux(version=2, conflicting=refuse)
    async with rig(tmp_path, fake) as r:
        await r.push(10)
        await r.drained()
        await r.stop_sink()
        fake.conflicting = lambda _line: None
        await run(r, "requeue", "--all")
        r.start_sink()
        await until(lambda: r.letters.counts().resent == 2)
        assert len(fake.points) == 10


async def test_mistakes_change_nothing(tmp_path: Path) -> None:
    fake = FakeInflux(version=2, conflicting=refuse)
    async with rig(tmp_path, fake) as r:
        await r.push(10)
        await r.drained()
        for arguments, text in [
            (("requeue",), "name letters by their numbers, or say --all"),
            (("drop", "99"), "no such letter is waiting"),
            (("drop", "7-3"), "expected a number or two"),
            (("drop", "x"), "expected a number or two"),
            (("requeue", "1-2", "--line", "m value=1 1"), "--line is for one letter"),
            (("requeue", "1", "--line", "nonsense"), "unable to parse 'nonsense': missing fields"),
            (("requeue", "1", "--line", "m value=1 1\nm value=2 2"), "expected one line with one number"),
            (("show", "--sink", "other"), "holds no dead letters of other"),
        ]:
            ran = await run(r, *arguments)
            assert ran.code != 0
            assert text in ran.err
        assert r.letters.counts().waiting == 2


async def test_several_sinks_need_a_name(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "rejected" / name).mkdir(parents=True)
    ran = await pushbridge("deadletter", "show", "--data", tmp_path)
    assert (ran.code, "several sinks have letters, say --sink: a, b" in ran.err) == (2, True)
    ran = await pushbridge("deadletter", "list", "--data", tmp_path)
    assert ran.out.splitlines() == [
        "a: 0 waiting, 0 requested, 0 resent, 0 dropped, 0 damaged",
        "b: 0 waiting, 0 requested, 0 resent, 0 dropped, 0 damaged",
    ]


async def test_no_letters_at_all(tmp_path: Path) -> None:
    ran = await pushbridge("deadletter", "list", "--data", tmp_path)
    assert (ran.code, ran.out) == (0, "")
    ran = await pushbridge("deadletter", "show", "--data", tmp_path)
    assert ran.code == 1
    assert "holds no dead letters" in ran.err


async def test_letters_of_a_remote_write_sink(tmp_path: Path) -> None:
    receiver = FakeReceiver(refuse=lambda labels, _t, _v: "invalid labels" if ("n", "3") in labels else None)
    receiver.ordered = False
    async with remote_rig(tmp_path, receiver) as r:
        await r.push(5)
        await r.push(5)
        await r.drained()
        lines = await run(r, "show", "--lines")
        assert lines.out.splitlines() == ['m{n="3"} 3 1001', 'm{n="3"} 3 1002']
        wrong = await run(r, "requeue", "1", "--line", "m,n=3 value=3 1001")
        assert wrong.code == 1
        assert "expected one sample" in wrong.err
        assert (await run(r, "requeue", "1", "--line", 'm{n="6"} 3 1001')).code == 0
        await until(lambda: r.letters.counts().resent == 1)
        assert (await run(r, "drop", "2")).code == 0
        assert (("__name__", "m"), ("n", "6")) in receiver.stored
