"""Files to settings, and every mistake at its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from bridge.config import Duration, Listen, Secret, Settings, Size, load
from bridge.errors import ConfigError

BAD = """\
zzz: []
webb: 1
web:
  listen: 0.0.0.0:99999
  max_connections: 1_000
  enable_lifecycle: yes
  telemetry_path: metrics
push:
  tll: 1h
  hold_interval: 1ms
  max_body: [1]
  timestamp_max_age: 15x
  timestamps: maybe
  lenient: true
  lenient: false
storage:
  wal: {segment_size: 100000, sync: sometimes}
influxdb:
  - name: main
    url: ftp://x
    token: abc
    token_file: /nonexistent
    bucket: b
  - {name: a/b, url: http://u:p@h, db: x, batch_samples: 0}
  - {url: http://h?x=1}
logging: foo
"""
PROBLEMS = """\
1:1: zzz: unknown field (known: global, web, push, remote_write_receiver, \
storage, promql, otlp, influxdb, remote_write, reconcile, logging)
2:1: webb: unknown field, did you mean "web"?
4:11: web.listen: expected host:port, got "0.0.0.0:99999"
5:20: web.max_connections: expected a whole number, got "1_000"
6:21: web.enable_lifecycle: expected true or false, got "yes"
7:19: web.telemetry_path: expected a path that begins with "/", got "metrics"
9:3: push.tll: unknown field, did you mean "ttl"?
10:18: push.hold_interval: must be at least 1s
11:13: push.max_body: expected one value, not a mapping or a list
12:22: push.timestamp_max_age: not a valid duration string: "15x"
13:15: push.timestamps: expected 'refuse' or 'accept'
15:3: push.lenient: given twice (first in line 14)
17:23: storage.wal.segment_size: expected a multiple of 32KiB, got 100000
17:37: storage.wal.sync: expected 'batch', 'interval' or 'off'
20:10: influxdb.0.url: expected http://host[:port][/path] or https://..., got "ftp://x"
22:17: influxdb.0.token_file: cannot read /nonexistent: No such file or directory
24:12: influxdb.1.name: expected letters, digits, "_", "-" and "." (64 at most), got "a/b"
24:22: influxdb.1.url: credentials do not belong in the URL: use username, password or token
24:58: influxdb.1.batch_samples: must be at least 1
25:5: influxdb.2.name: is required
25:11: influxdb.2.url: a base URL has no ?query and no #fragment
26:10: logging: expected a mapping
"""
SINKS = {
    "{name: a, url: http://h}": "influxdb.0: needs a bucket (InfluxDB 2) or a db (InfluxDB 1)",
    "{name: a, url: http://h, dialect: v1, bucket: b}": "influxdb.0: dialect v1 needs db",
    "{name: a, url: http://h, dialect: v2, db: b}": "influxdb.0: dialect v2 needs bucket",
    "{name: a, url: http://h, db: d, password: p}": "influxdb.0: a password needs a username",
    "{name: a, url: http://h, db: d, token: t, username: u}": "influxdb.0: give a token or a username, not both",
    "{name: a, url: http://h, db: d, token: t, token_file: secret}": "token: give token or token_file, not both",
    "{name: a, url: http://h, db: d}, {name: a, url: http://i, db: d}": "each sink needs a name of its own: a",
}


def problems(path: Path, text: str) -> str:
    path.write_text(text)
    with pytest.raises(ConfigError) as refusal:
        load(path)
    return str(refusal.value)


def test_without_a_file_the_defaults_are_complete() -> None:
    settings = load(None)
    assert settings == Settings()
    assert settings.web.listen == Listen("0.0.0.0", 9091)
    assert settings.push.max_body == 16 << 20
    assert settings.storage.wal.sync == "batch"
    assert settings.influxdb == ()


def test_an_empty_file_and_empty_sections_are_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "bridge.yml"
    file.write_text("")
    assert load(file) == Settings()
    file.write_text("push:\nstorage:\n  wal: ~\n  path:\n")
    assert load(file) == Settings()


def test_a_whole_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    file = tmp_path / "bridge.yml"
    file.write_text(
        "web: {listen: '[::1]:0', external_url: https://h/p/, max_connections: 7}\n"
        "push: {ttl: 1d, max_body: 1MiB, lenient: true}\n"
        "influxdb: [{name: main, url: http://127.0.0.1:8086/, bucket: b, token_file: token, headers: {X-A: v}}]\n"
    )
    settings = load(file)
    assert settings.web.listen == Listen("::1", 0)
    assert str(settings.web.listen) == "[::1]:0"
    assert settings.web.prefix == "/p"
    assert (settings.push.ttl, settings.push.max_body, settings.push.lenient) == (Duration("24h"), Size("1MiB"), True)
    (sink,) = settings.influxdb
    assert sink.url == "http://127.0.0.1:8086"
    assert sink.token == Secret("s3cret")
    assert sink.headers["X-A"].reveal() == "v"


def test_every_problem_is_reported_at_its_place(tmp_path: Path) -> None:
    file = tmp_path / "bridge.yml"
    assert problems(file, BAD).splitlines() == [f"{file}:{line}" for line in PROBLEMS.splitlines()]


@pytest.mark.parametrize(("sinks", "problem"), SINKS.items())
def test_sinks_that_could_not_work(tmp_path: Path, sinks: str, problem: str) -> None:
    (tmp_path / "secret").write_text("x")
    assert problem in problems(tmp_path / "bridge.yml", f"influxdb: [{sinks}]")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "none.yml")


def test_the_web_configuration_is_checked_too(tmp_path: Path) -> None:
    (tmp_path / "web.yml").write_text("basic_auth_users: {alice: hunter2}\nrate_limit: {burst: 1}\n")
    found = problems(tmp_path / "bridge.yml", "web: {config_file: web.yml}")
    assert f"{tmp_path / 'web.yml'}:1:27: basic_auth_users.alice: expected a bcrypt hash" in found
    assert "rate_limit: unknown field" in found
    assert "hunter2" not in found


def test_a_secret_is_not_printed(tmp_path: Path) -> None:
    file = tmp_path / "bridge.yml"
    file.write_text("influxdb: [{name: m, url: http://h, db: d, token: s3cret, headers: {A: s3cret}}]")
    settings = load(file)
    assert "s3cret" not in f"{settings} {settings!r} {settings.influxdb[0].token}"
    wrong = "influxdb: [{name: m, url: http://h, token: s3cret, username: s3cret, password: [s3cret]}]"
    assert "s3cret" not in problems(file, wrong)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().push.ttl = Duration("1h")  # type: ignore[misc]
