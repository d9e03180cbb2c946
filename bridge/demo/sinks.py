"""Where the demonstration's samples go: an InfluxDB that is there, one that is started, or a second bridge in its
place."""

import json
import os
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from bridge.demo.processes import Program, bridge_program, influxd_program

__all__ = ["DemoSink", "choose_sink"]

DATABASE = "pushbridge_demo"


@dataclass(frozen=True)
class DemoSink:
    """A sink: what it is in words, the `influxdb:` section that leads to it, what to stop, and what to try by hand."""

    title: str
    config: str
    program: Program | None
    try_next: str


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
        try_next="install influxd, or set INFLUX_URL, and run the demonstration again",
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
    section = _section(program.url, "dialect: v1", f"db: {DATABASE}")
    return DemoSink(
        f"InfluxDB 1.x, started for this demonstration at {program.url}", section, program, _curl(program.url, DATABASE)
    )


def _section(url: str, *fields: str) -> str:
    return "influxdb:\n" + "\n    ".join(["  - name: demo", f"url: {url}", *fields]) + "\n"


def _create_database(url: str, database: str = DATABASE) -> None:
    query = urllib.parse.urlencode({"q": f'CREATE DATABASE "{database}"'})
    with urllib.request.urlopen(f"{url}/query", data=query.encode(), timeout=10) as answer:  # noqa: S310 - what the user named
        answer.read()


def _curl(url: str, database: str) -> str:
    query = "q=SELECT * FROM demo_rows LIMIT 5"
    return f"curl -G '{url}/query?db={database}' --data-urlencode '{query}'"
