"""The server as a process: how it starts, follows its file, and ends."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import urllib.request
from pathlib import Path

import pytest

from tests.bridge_process import BridgeProcess, wait_until
from tests.cli.running import pushbridge

PATIENT = "graceful shutdown exceeded"  # a connection was open for as long as an ending bridge waits for any


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def begin_push(client: socket.socket, begin: bytes, length: int) -> None:
    """Send the head of a push and, once the bridge waits for its body, the beginning of that."""
    head = f"PUT /metrics/job/x HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
    client.sendall(head.encode())
    assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(begin)


def test_sigterm_ends_it_at_once_when_nothing_is_in_progress(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path) as bridge:
        # A connection that is kept alive and idle must not hold the end up.
        with socket.create_connection(("127.0.0.1", bridge.port)) as idle:
            idle.sendall(b"GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n")
            assert idle.recv(100).startswith(b"HTTP/1.1 200")
            assert bridge.stop() == 0
        assert PATIENT not in bridge.log()
        assert "msg=serving" in bridge.log()
        assert "msg=stopped" in bridge.log()


def test_a_push_in_progress_is_answered_before_the_end(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path) as bridge:
        with socket.create_connection(("127.0.0.1", bridge.port), timeout=60) as client:
            begin_push(client, b"a ", 4)
            ended: list[int] = []
            stopping = threading.Thread(target=lambda: ended.append(bridge.stop()))
            stopping.start()
            wait_until("the bridge is stopping", lambda: "msg=stopping" in bridge.log())
            client.sendall(b"1\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200")
            stopping.join()
        assert ended == [0]


def test_a_client_that_stops_sending_does_not_hold_the_end_up(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path) as bridge, socket.create_connection(("127.0.0.1", bridge.port)) as client:
        begin_push(client, b"a ", 9)
        assert bridge.stop() == 0
        assert PATIENT in bridge.log()


def test_the_configuration_is_read_again_on_sighup_and_by_request(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path, "push: {max_body: 1KiB}\n") as bridge:
        large = "a 1\n" * 500
        assert bridge.request("PUT", "/metrics/job/x", large).status == 413
        bridge.config_file.write_text("push: {max_body: 1MiB}\nlogging: {format: json}\n")
        bridge.reload()
        wait_until("it has read the file", lambda: "configuration reloaded" in bridge.log())
        assert bridge.request("PUT", "/metrics/job/x", "a 1\n" + "# " * 1000 + "\n").status == 200
        last = json.loads(bridge.log().splitlines()[-1])
        assert last["msg"] == "configuration reloaded"

        bridge.config_file.write_text("push: {max_body: none}\n")
        bridge.reload()
        wait_until("it has said no", lambda: "configuration is bad" in bridge.log())
        assert ":1:18: push.max_body: not a valid size" in bridge.log()
        refused = bridge.request("POST", "/-/reload")
        assert refused.status >= 400
        assert bridge.request("PUT", "/metrics/job/x", "a 1\n" + "# " * 1000 + "\n").status == 200

        bridge.config_file.write_text("push: {max_body: 1KiB}\n")
        assert bridge.request("POST", "/-/reload").status == 200
        assert bridge.request("PUT", "/metrics/job/x", large).status == 413


def test_quit_is_for_those_who_allow_it(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path, "web: {enable_lifecycle: true}\n") as bridge:
        assert bridge.request("PUT", "/-/quit").status == 200
        wait_until("it has ended", lambda: "msg=stopped" in bridge.log())


def test_a_web_configuration_guards_every_route(tmp_path: Path) -> None:
    pki = Path(__file__).parents[1] / "edge" / "pki"
    (tmp_path / "web.yml").write_text(
        f"tls_server_config: {{cert_file: {pki}/server.pem, key_file: {pki}/server.key}}\n"
        "basic_auth_users: {alice: $2y$04$iP1sQKQxRLYLxFXeKTcWrekbTmRGqUP0IV9POFT5kKUeWFzlBr5AG}\n"
    )
    bridge = BridgeProcess(tmp_path, "web: {config_file: web.yml}\n").start(ready=False)
    try:
        wait_until("it serves", lambda: "address=https://" in bridge.log())
        context = ssl.create_default_context(cafile=pki / "ca.pem")
        for path in ("/-/ready", "/metrics", "/metrics/job/x"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"https://localhost:{bridge.port}{path}", context=context)
            assert refused.value.code == 401
            refused.value.close()
    finally:
        bridge.stop()


@pytest.mark.anyio
async def test_what_it_cannot_start_with(tmp_path: Path, free_port: int) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text("push: {tll: 1h}\nwebb: {}\n")
    ran = await pushbridge("serve", "--config", bad, cwd=tmp_path)
    assert ran.code == 1
    assert ran.err.splitlines() == [
        f'{bad}:1:8: push.tll: unknown field, did you mean "ttl"?',
        f'{bad}:2:1: webb: unknown field, did you mean "web"?',
    ]
    ran = await pushbridge("serve", "--listen", "nowhere", cwd=tmp_path)
    assert (ran.code, ran.err) == (1, '--listen: expected host:port, got "nowhere"\n')
    with socket.create_server(("127.0.0.1", free_port)):
        ran = await pushbridge("serve", "--listen", f"127.0.0.1:{free_port}", cwd=tmp_path)
    assert (ran.code, ran.err) == (1, f"Error: 127.0.0.1:{free_port}: Address already in use\n")
    (tmp_path / "file").touch()
    ran = await pushbridge("serve", "--listen", "127.0.0.1:0", "--data", tmp_path / "file", cwd=tmp_path)
    assert ran.code == 1
    assert "Traceback" not in ran.err
    with BridgeProcess(tmp_path) as bridge:
        ran = await pushbridge("serve", "--listen", "127.0.0.1:0", "--data", bridge.data)
        assert ran.code == 1
        assert f"in use by process {bridge.pid}" in ran.err
