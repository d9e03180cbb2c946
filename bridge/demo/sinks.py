"""Where the demonstration's samples go: an InfluxDB that is there, one that is started, or a second bridge in its
place."""

import json
import os
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bridge.demo.processes import Program, bridge_program, influxd_program

__all__ = ["DemoSink", "choose_sink"]

DATABASE = "pushbridge_demo"


@dataclass(frozen=True)
class DemoSink:
    """A sink: what it is in words, the `influxdb:` section that leads to it, what to stop, what to try by hand, and
    how to ask it how many samples it holds (None: it may hold others' too)."""

    title: str
    config: str
    program: Program | None
    try_next: str
    count: Callable[[], int] | None = None


def choose_sink(folder: Path) -> DemoSink:
    """`INFLUX_URL` first, then `influxd` on the PATH, else a second bridge."""
    if url := os.environ.get("INFLUX_URL"):
        return _named(url.rstrip("/"))
    found = influxd_program(folder / "influxd")
    if found is not None:
        program, env = found
        program.start(env)
        _create_database(program.url)
        return _influxd(program)
    program = bridge_program("the second bridge", folder / "sink", "")
    program.start()
    return DemoSink(
        title=f"a second bridge standing in for InfluxDB 2, at {program.url}",
        config=_section(program.url, "dialect: v2", "org: demo", f"bucket: {DATABASE}"),
        program=program,
        try_next="INFLUX_URL=http://localhost:8086 make demo      the same into your own InfluxDB",
        count=lambda: _accepted_by(program.url),
    )


def _named(url: str) -> DemoSink:
    """The InfluxDB that the environment names: 2.x with INFLUX_TOKEN, INFLUX_ORG, INFLUX_BUCKET, else 1.x with
    INFLUX_DB."""
    if token := os.environ.get("INFLUX_TOKEN"):
        org = os.environ.get("INFLUX_ORG", "")
        bucket = os.environ.get("INFLUX_BUCKET", DATABASE)
        fields = [
            "dialect: v2",
            f"org: {json.dumps(org)}",
            f"bucket: {json.dumps(bucket)}",
            f"token: {json.dumps(token)}",
        ]
        return DemoSink(
            f"InfluxDB 2 at {url}, bucket {bucket}", _section(url, *fields), None, f"open {url} and look at {bucket}"
        )
    database = os.environ.get("INFLUX_DB", DATABASE)
    _create_database(url, database)
    section = _section(url, f"db: {json.dumps(database)}")
    return DemoSink(f"InfluxDB at {url}, database {database}", section, None, _curl(url, database))


def _influxd(program: Program) -> DemoSink:
    return DemoSink(
        title=f"InfluxDB 1.x, started for this demonstration at {program.url}",
        config=_section(program.url, "dialect: v1", f"db: {DATABASE}"),
        program=program,
        try_next="INFLUX_URL=http://localhost:8086 make demo      the same into your own InfluxDB",
        count=lambda: _points_in(program.url),
    )


def _points_in(url: str) -> int:
    """Points of all measurements of an InfluxDB 1.x, as it counts them itself."""
    query = urllib.parse.urlencode({"db": DATABASE, "q": "SELECT count(value) FROM /.*/"})
    with urllib.request.urlopen(f"{url}/query?{query}", timeout=30) as answer:  # noqa: S310 - our own address
        (result,) = json.load(answer)["results"]
    return sum(row[1] for series in result.get("series", []) for row in series["values"])


def _accepted_by(url: str) -> int:
    """Samples that a bridge has in its store."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:  # noqa: S310 - our own address
        lines = answer.read().decode().splitlines()
    return next(int(float(line.split()[1])) for line in lines if line.startswith("pushbridge_head_samples_accepted"))


def _section(url: str, *fields: str) -> str:
    return "influxdb:\n" + "\n    ".join(["  - name: demo", f"url: {url}", *fields]) + "\n"


def _create_database(url: str, database: str = DATABASE) -> None:
    query = urllib.parse.urlencode({"q": f'CREATE DATABASE "{database}"'})
    with urllib.request.urlopen(f"{url}/query", data=query.encode(), timeout=10) as answer:  # noqa: S310 - what the user named
        answer.read()


def _curl(url: str, database: str) -> str:
    query = "q=SELECT * FROM demo_rows LIMIT 5"
    return f"curl -G '{url}/query?db={database}' --data-urlencode '{query}'"
