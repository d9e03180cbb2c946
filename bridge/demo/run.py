"""The demonstration from start to end: bridge, sink, jobs, a live table, the figures."""

import json
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from bridge.demo.jobs import Jobs
from bridge.demo.processes import Program, bridge_program
from bridge.demo.sinks import DemoSink, choose_sink

__all__ = ["run_demo"]

DRAIN_SECONDS = 30.0
REFRESH_SECONDS = 0.5


def run_demo(seconds: float, console: Console) -> bool:
    """Run it; True if everything that the jobs pushed has reached the sink."""
    with tempfile.TemporaryDirectory(prefix="pushbridge-demo-") as name:
        folder = Path(name)
        sink: DemoSink | None = None
        bridge: Program | None = None
        try:
            sink = choose_sink(folder)
            console.print(f"Sink:   {sink.title}")
            bridge = bridge_program("the bridge", folder / "bridge", sink.config)
            bridge.start()
            console.print(f"Bridge: {bridge.url}")
            console.print(f"Batch jobs push with prometheus_client for {seconds:g} s …\n")
            return _watch(bridge, sink, seconds, console)
        finally:
            for program in (bridge, sink.program if sink else None):
                if program is not None:
                    program.stop()


def _watch(bridge: Program, sink: DemoSink, seconds: float, console: Console) -> bool:
    jobs = Jobs(bridge.url)
    began = time.monotonic()
    status = _status(bridge)
    with Live(_table(status, jobs, 0.0), console=console, auto_refresh=False) as live:
        jobs.start()
        while (elapsed := time.monotonic() - began) < seconds:
            time.sleep(REFRESH_SECONDS)
            status = _status(bridge)
            live.update(_table(status, jobs, elapsed), refresh=True)
        jobs.stop()
        deadline = time.monotonic() + DRAIN_SECONDS
        while not _arrived(status := _status(bridge)) and time.monotonic() < deadline:
            live.update(_table(status, jobs, time.monotonic() - began), refresh=True)
            time.sleep(REFRESH_SECONDS / 2)
        live.update(_table(status, jobs, time.monotonic() - began), refresh=True)
    return _conclude(status, jobs, sink, console)


def _status(bridge: Program) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{bridge.url}/api/v1/status/sinks", timeout=10) as answer:  # noqa: S310 - our own address
        sinks: list[dict[str, Any]] = json.load(answer)["data"]["sinks"]
    return sinks


def _arrived(status: list[dict[str, Any]]) -> bool:
    return all(sink["accepted"] == sink["sent"] for sink in status)


def _table(status: list[dict[str, Any]], jobs: Jobs, elapsed: float) -> Table:
    table = Table(
        title=f"{elapsed:4.1f} s   pushes answered: {jobs.pushes}   failed: {jobs.failures}", title_justify="left"
    )
    for column in ("sink", "state", "durable", "sent", "pending", "dead-lettered", "lag s"):
        table.add_column(column, justify="left" if column in {"sink", "state"} else "right")
    for sink in status:
        figures = [f"{sink[key]:,}" for key in ("accepted", "sent", "pending", "dead_lettered")]
        table.add_row(sink["name"], sink["state"], *figures, f"{sink['lag_seconds']:.1f}")
    return table


def _conclude(status: list[dict[str, Any]], jobs: Jobs, sink: DemoSink, console: Console) -> bool:
    good = bool(status) and _arrived(status) and jobs.pushes > 0 and jobs.failures == 0
    for row in status:
        console.print(
            f"\n{jobs.pushes} pushes, {row['accepted']:,} samples accepted and durable, {row['sent']:,} sent to the "
            f"sink, {row['pending']:,} pending, {row['dead_lettered']:,} dead-lettered."
        )
        if sink.count is not None:
            held = sink.count()
            good = good and held == row["accepted"]
            console.print(f"The sink itself counts {held:,}.")
    console.print("accepted = sent: nothing was lost." if good else "Something is missing, see above.")
    console.print("\nNext:")
    console.print("  make run                                        a bridge on port 9091")
    console.print("  .venv/bin/pushbridge push --job backup rows=42  push to it from a shell")
    console.print("  open http://localhost:9091/                     look at it")
    console.print(f"  {sink.try_next}", soft_wrap=True)
    return good
