"""A real VictoriaMetrics and we are killed in turn. It answers before anything is on its disk, so a kill takes what it
had taken: reconcile finds that and brings it back, and nothing else is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from anyio import to_thread

from tests.bridge_process import BridgeProcess
from tests.cli.running import pushbridge
from tests.faults.sinks import drained, sink_row
from tests.interop.peers import VictoriaMetrics
from tests.interop.test_remote_write_out import at_victoria, config, push, stored

pytestmark = [pytest.mark.interop, pytest.mark.anyio]


def live_through(theirs: VictoriaMetrics, bridge: BridgeProcess) -> None:
    """Push before, between and after the kills, of the one, of the other, and of both."""
    for n in range(3):
        with theirs:
            with bridge:
                push(bridge, 100 * n, 10)
            with bridge:  # again, for it was killed
                push(bridge, 100 * n + 20, 10)
        with bridge:  # on its own
            push(bridge, 100 * n + 40, 10)


@pytest.mark.parametrize("message", ["", ", protobuf_message: io.prometheus.write.v2.Request"])
async def test_nothing_is_missing_after_kills_in_turn(
    peer: Callable[[str], Path], tmp_path: Path, message: str
) -> None:
    # So that queries count what was sent twice once, and see the last seconds.
    flags = ("-dedup.minScrapeInterval=1ms", "-search.latencyOffset=0s")
    theirs = VictoriaMetrics(peer("victoria-metrics"), tmp_path / "peer", *flags)
    bridge = BridgeProcess(tmp_path, config(theirs.url, message))
    await to_thread.run_sync(live_through, theirs, bridge)
    with theirs, bridge:
        await to_thread.run_sync(drained, bridge)
        row = sink_row(bridge)
        assert row["identity_holds"]
        assert (row["dead_lettered"], row["expired"]) == (0, 0)
        ours = stored(bridge)
        options = ("--config", bridge.config_file, "--data", bridge.data, "--from", "-1h", "--to", "now")
        theirs.get("/internal/force_flush")
        await pushbridge("reconcile", *options, "--repair")
        theirs.get("/internal/force_flush")  # before that it does not show what it has
        ran = await pushbridge("reconcile", *options)
        assert ran.code == 0, ran.out
        assert at_victoria(theirs) == ours
