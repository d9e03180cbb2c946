"""`pushbridge check`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import pushbridge

pytestmark = pytest.mark.anyio

PKI = Path(__file__).parents[1] / "edge" / "pki"


async def test_a_good_file(tmp_path: Path) -> None:
    file = tmp_path / "bridge.yml"
    file.write_text("influxdb: [{name: main, url: http://127.0.0.1:8086, db: x}]\n")
    ran = await pushbridge("check", "config", file)
    assert (ran.code, ran.out, ran.err) == (0, f"{file}: good, 1 InfluxDB sink\n", "")


async def test_every_problem_of_every_file_is_one_line(tmp_path: Path) -> None:
    good, bad, none = tmp_path / "good.yml", tmp_path / "bad.yml", tmp_path / "none.yml"
    good.write_text("")
    bad.write_text("push:\n  ttl: soon\n  utf8: true\n")
    ran = await pushbridge("check", "config", good, bad, none)
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.splitlines() == [
        f"{good}: good, 0 InfluxDB sinks",
        f'{bad}:2:8: push.ttl: not a valid duration string: "soon"',
        f'{bad}:3:3: push.utf8: unknown field, did you mean "utf8_names"?',
        f"{none}: No such file or directory",
    ]


async def test_certificates_are_tried(tmp_path: Path) -> None:
    file = tmp_path / "bridge.yml"
    file.write_text("web: {config_file: web.yml}\n")
    pair = f"cert_file: {PKI}/server.pem, key_file: {PKI}/client.key"
    (tmp_path / "web.yml").write_text(f"tls_server_config: {{{pair}}}\n")
    ran = await pushbridge("check", "config", file)
    assert ran.code == 1
    assert "tls_server_config: cannot use" in ran.out
