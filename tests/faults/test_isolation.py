"""One sink that is dead, slow or poisoned holds up neither pushes nor the sink beside it, whatever they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.bridge_process import BridgeProcess, wait_until
from tests.edge.serving import served
from tests.faults.sinks import Jobs, at_sink, counted, drained, sink_row
from tests.forward import faults
from tests.forward.fake_influx import FakeInflux
from tests.forward.fake_receiver import FakeReceiver, answers
from tests.forward.kinds import KINDS
from tests.forward.remote_rig import V2

GOOD = {
    "influxdb v1": "{{name: good, url: '{url}', dialect: v1, db: d}}",
    "influxdb v2": "{{name: good, url: '{url}', dialect: v2, org: o, bucket: b}}",
    "influxdb v3": "{{name: good, url: '{url}', dialect: v3, db: d}}",
    "remote write 1.0": "{{name: good, url: '{url}/api/v1/write'}}",
    "remote write 2.0": f"{{{{name: good, url: '{{url}}/api/v1/write', protobuf_message: {V2}}}}}",
}
BAD = {
    "influxdb": "{{name: bad, url: '{url}', dialect: v1, db: d, timeout: 1h}}",
    "remote_write": "{{name: bad, url: '{url}/api/v1/write', remote_timeout: 1h}}",
}


class Mute:
    """Stores all, and says so only when it is let go."""

    def __init__(self) -> None:
        self.hang = faults.Hang()

    async def __call__(self, sink: Any, write: Any) -> Any:
        """Store, wait, answer."""
        answer = sink.serve(write)
        await self.hang(sink, write)
        return answer


def poisoned(kind: str, fake: Any) -> None:
    """Samples of one series are refused for ever."""
    if kind == "influxdb":
        fake.conflicting = lambda line: "field type conflict" if ",n=3 " in line else None
    else:
        fake.refuse = lambda labels, _t, _value: "invalid sample" if ("n", "3") in labels else None


TROUBLES = ["dead", "slow", "poisoned", "failing"]
CASES = [
    (good, kind, TROUBLES[(g + b) % len(TROUBLES)])
    for g, good in enumerate(KINDS)
    for b, kind in enumerate(BAD)  # each bad kind is in each trouble, beside each good kind in one
]


@pytest.mark.parametrize(("good_kind", "kind", "trouble"), CASES)
def test_others_do_not_feel_it(tmp_path: Path, good_kind: str, kind: str, trouble: str) -> None:
    bad: Any = FakeInflux() if kind == "influxdb" else FakeReceiver()
    hang = faults.Hang()
    match trouble:
        case "dead":
            bad.always = hang
        case "slow":
            bad.always = mute = Mute()
            hang = mute.hang
        case "poisoned":
            poisoned(kind, bad)
        case _:
            bad.always = faults.not_stored if kind == "influxdb" else answers(500, "boom")
    good = KINDS[good_kind].fake()
    with served(good) as good_url, served(bad) as bad_url:
        sinks: dict[str, list[str]] = {"influxdb": [], "remote_write": []}
        sinks["remote_write" if KINDS[good_kind].is_remote else "influxdb"].append(GOOD[good_kind].format(url=good_url))
        sinks[kind].append(BAD[kind].format(url=bad_url))
        text = "".join(f"{section}: [{', '.join(those)}]\n" for section, those in sinks.items() if those)
        with BridgeProcess(tmp_path, text) as bridge:
            try:
                with counted(bridge), Jobs(bridge) as jobs:
                    jobs.wait_for(150)
                    wait_until("the bad sink is asked", lambda: bool(bad.writes))
                drained(bridge, "good")
                check(bridge, jobs, good, trouble)
            finally:
                hang.let_go()


def check(bridge: BridgeProcess, jobs: Jobs, good: FakeInflux | FakeReceiver, trouble: str) -> None:
    """All was taken and is at the good sink, while the bad one has an answer to wait for, or letters."""
    assert jobs.statuses == {200}
    for job, numbers in jobs.acknowledged.items():
        found = at_sink(good, job)
        assert len(found) == 8
        assert all(values == numbers for values in found.values()), job
    row = sink_row(bridge, "bad")
    if trouble == "poisoned":
        drained(bridge, "bad")
        assert sink_row(bridge, "bad")["dead_lettered"] == jobs.pushed
    else:
        assert row["pending"] == row["accepted"] > 0, "it has answered for nothing yet"
