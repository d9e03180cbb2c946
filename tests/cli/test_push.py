"""`pushbridge push` against a server with faults."""

from __future__ import annotations

import base64
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream
from starlette.types import Receive, Scope, Send

from bridge.config import TlsServer
from bridge.edge import Gate, read_body, send_response, send_text, server_context
from tests.cli.running import pushbridge
from tests.edge.serving import serving

pytestmark = pytest.mark.anyio

PKI = Path(__file__).parents[1] / "edge" / "pki"


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Gateway:
    """Answers what it is told to, then 200, and remembers what came."""

    answers: list[tuple[int, str, list[tuple[bytes, bytes]]] | None] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with Gate(1 << 20).hold() as hold:
            body = await read_body(scope, receive, 1 << 20, hold)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.requests.append(Request(scope["method"], scope["raw_path"].decode(), headers, body.decode()))
        answer = self.answers.pop(0) if self.answers else (200, "", [])
        if answer is None:
            raise ConnectionResetError("answered with a closed connection by the test")
        await send_text(send, answer[0], answer[1], answer[2])

    @property
    def last(self) -> Request:
        return self.requests[-1]


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


async def test_a_push(gateway: Gateway) -> None:
    async with serving(gateway) as port:
        ran = await pushbridge(
            "push", "--job", "backup", "--label", "db=main", "--label", "path=/var", "--ttl", "24h",
            "--url", f"http://127.0.0.1:{port}/prefix/", "--header", "X-Team: ops", "rows=42", "duration_seconds=3.5",
        )  # fmt: skip
    assert (ran.code, ran.out) == (0, "")
    url = f"http://127.0.0.1:{port}/prefix/metrics/job/backup/db/main/path@base64/L3Zhcg=="
    assert ran.err == f"pushbridge: pushed 2 samples to {url} (200)\n"
    request = gateway.last
    assert (request.method, request.path) == ("POST", "/prefix/metrics/job/backup/db/main/path@base64/L3Zhcg==")
    assert request.body == "# TYPE rows gauge\nrows 42\n# TYPE duration_seconds gauge\nduration_seconds 3.5\n"
    assert request.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert (request.headers["x-push-ttl"], request.headers["x-team"]) == ("1d", "ops")


async def test_files_standard_input_and_the_environment(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "metrics.prom").write_bytes(b"a 1\nb 2")
    async with serving(gateway) as port:
        env = {"PUSHBRIDGE_URL": f"http://127.0.0.1:{port}"}
        ran = await pushbridge("push", "--job", "x", "--file", tmp_path / "metrics.prom", "c=3", "-q", env=env)
        assert (ran.code, ran.err) == (0, "")
        assert gateway.last.body == "a 1\nb 2\n# TYPE c gauge\nc 3\n"
        ran = await pushbridge("push", "--job", "x", "--method", "put", "--file", "-", stdin=b"a 1\n", env=env)
        assert (ran.code, gateway.last.method, gateway.last.body) == (0, "PUT", "a 1\n")


async def test_credentials(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3:cret\n")
    async with serving(gateway) as port:
        ran = await pushbridge(
            "push", "--job", "x", "a=1", "--url", f"http://127.0.0.1:{port}",
            "--username", "alice", "--password-file", tmp_path / "password",
        )  # fmt: skip
    assert ran.code == 0
    expected = base64.b64encode(b"alice:s3:cret").decode()
    assert gateway.last.headers["authorization"] == f"Basic {expected}"
    assert "s3:cret" not in ran.err


async def test_faults_that_pass_are_tried_again(gateway: Gateway) -> None:
    gateway.answers = [(503, "full", [(b"retry-after", b"1")]), None, (429, "groups", []), (202, "", [])]
    async with serving(gateway) as port:
        ran = await pushbridge("push", "--job", "x", "a=1", "--url", f"http://127.0.0.1:{port}")
    assert (ran.code, len(gateway.requests)) == (0, 4)
    assert len({request.body for request in gateway.requests}) == 1
    lines = ran.err.splitlines()
    assert "503 Service Unavailable: full (come back in 1 s); trying again in 1." in lines[0]
    assert "500 Internal Server Error" in lines[1]
    assert "429 Too Many Requests: groups; trying again" in lines[2]
    assert lines[3].endswith("(202)")


async def test_a_server_that_comes_late_is_waited_for(gateway: Gateway, free_port: int) -> None:
    push = [sys.executable, "-m", "bridge", "push", "--job", "x", "a=1", "--url", f"http://127.0.0.1:{free_port}"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    async with await anyio.open_process(push, env=env) as process:
        assert process.stderr is not None
        said = await BufferedByteReceiveStream(process.stderr).receive_until(b"\n", 1000)
        assert b"Connection refused; trying again" in said
        async with serving(gateway, port=free_port):
            with anyio.fail_after(60):
                assert await process.wait() == 0


async def test_a_time_limit_ends_the_tries(gateway: Gateway) -> None:
    gateway.answers = [(503, "", [(b"retry-after", b"100")])]
    async with serving(gateway) as port:
        ran = await pushbridge("push", "--job", "x", "a=1", "--url", f"http://127.0.0.1:{port}", "--retry-for", "5s")
    assert (ran.code, len(gateway.requests)) == (1, 1)
    assert "not pushed" in ran.err
    assert "come back in 100 s" in ran.err


async def test_an_answer_that_will_not_change_is_final(gateway: Gateway) -> None:
    gateway.answers = [
        (400, "text format parsing error in line 1:\n no way", []),
        (301, "", [(b"location", b"http://elsewhere/")]),
        (401, "Unauthorized", []),
    ]
    async with serving(gateway) as port:
        for expected in (
            "400 Bad Request: text format parsing error in line 1: no way",
            "use http://elsewhere/",
            "401",
        ):
            ran = await pushbridge("push", "--job", "x", "a=1", "--url", f"http://127.0.0.1:{port}")
            assert ran.code == 1
            assert expected in ran.err
            assert "trying again" not in ran.err
    assert len(gateway.requests) == 3


async def test_a_server_that_does_not_answer_is_asked_again(gateway: Gateway) -> None:
    given_up = anyio.Event()

    async def silent(scope: Scope, _receive: Receive, send: Send) -> None:
        gateway.requests.append(Request(scope["method"], "", {}, ""))
        if len(gateway.requests) <= 2:
            await given_up.wait()
        await send_response(send, 200, b"text/plain", b"")

    async with serving(silent) as port:
        url = f"http://127.0.0.1:{port}"
        ran = await pushbridge("push", "--job", "x", "a=1", "--url", url, "--timeout", "200ms")
        given_up.set()
    assert ran.code == 0
    assert "timed out; trying again" in ran.err
    assert len(gateway.requests) >= 3


async def test_tls(gateway: Gateway) -> None:
    context = server_context(TlsServer(cert_file=PKI / "server.pem", key_file=PKI / "server.key"))
    async with serving(gateway, tls=context) as port:
        push = ("push", "--job", "x", "a=1", "--url", f"https://localhost:{port}")
        trusted = await pushbridge(*push, "--ca-file", PKI / "ca.pem")
        assert (trusted.code, gateway.last.path) == (0, "/metrics/job/x")
        unknown = await pushbridge(*push)
        assert unknown.code == 1
        assert "trying again" not in unknown.err
        nonsense = await pushbridge(*push, "--ca-file", PKI / "README.md")
        assert nonsense.code == 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--job", "x"], "nothing to push"),
        (["a=1"], "Missing option '--job'"),
        (["--job", "x", "a"], "a: expected NAME=VALUE"),
        (["--job", "", "a=1"], "the job needs a name"),
        (["--job", "x", "a=1", "--label", "db"], "expected NAME=VALUE, got db"),
        (["--job", "x", "a=1", "--label", "job=y"], "given with --job"),
        (["--job", "x", "a=1", "--url", "127.0.0.1:9091"], "--url: expected http://host:port"),
        (["--job", "x", "a=1", "--url", "http://u:p@h"], "--url: expected http://host:port"),
        (["--job", "x", "a=1", "--ttl", "1.5h"], "not a valid duration string"),
        (["--job", "x", "a=1", "--username", "u"], "belong together"),
        (["--job", "x", "a=1", "--header", "X\nY: z"], "not a header"),
        (["--job", "x", "--file", "/nonexistent"], "cannot read /nonexistent"),
        (["--job", "x", "--exec"], "belong together"),
        (["--job", "x", "--", "true"], "belong together"),
        (["--job", "x", "--exec", "--file", "-", "--", "true"], "standard input is the command's"),
    ],
)
async def test_a_wrong_command_line(arguments: list[str], problem: str) -> None:
    ran = await pushbridge("push", *arguments)
    assert ran.code == 2
    assert problem in " ".join(ran.err.split())


async def test_a_job_is_run_and_measured(gateway: Gateway) -> None:
    async with serving(gateway) as port:
        ran = await pushbridge(
            "push", "--job", "x", "--url", f"http://127.0.0.1:{port}", "rows=7", "--exec", "--",
            sys.executable, "-c", "import sys; print(sys.stdin.read(), sys.argv[1]); sys.exit(3)", "--job",
            stdin=b"through",
        )  # fmt: skip
    assert (ran.code, ran.out) == (3, "through --job\n")
    values = dict(line.split() for line in gateway.last.body.splitlines() if not line.startswith("#"))
    assert (values["rows"], values["job_exit_code"]) == ("7", "3")
    assert 0 < float(values["job_duration_seconds"]) < 20
    assert float(values["job_end_time_seconds"]) > 1_700_000_000


async def test_a_job_may_write_the_file_that_is_pushed(gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "out.prom"
    async with serving(gateway) as port:
        push = ("push", "--job", "x", "--url", f"http://127.0.0.1:{port}", "--file", file, "--exec", "--")
        ran = await pushbridge(*push, "sh", "-c", f"echo 'rows 9' > {file}")
        assert ran.code == 0
        assert gateway.last.body.startswith("rows 9\n# TYPE job_duration_seconds gauge\n")
        file.unlink()
        ran = await pushbridge(*push, "sh", "-c", "exit 4")
        assert (ran.code, "job_exit_code 4" in gateway.last.body) == (4, True)
        assert "cannot read" in ran.err


async def test_a_failed_push_does_not_hide_how_the_job_ended(free_port: int) -> None:
    push = ("push", "--job", "x", "--url", f"http://127.0.0.1:{free_port}", "--retry-for", "0s", "--exec", "--")
    for command, code in (("exit 0", 75), ("exit 5", 5)):
        ran = await pushbridge(*push, "sh", "-c", command)
        assert (ran.code, "not pushed" in ran.err) == (code, True)


async def test_a_job_that_cannot_start(gateway: Gateway, tmp_path: Path) -> None:
    async with serving(gateway) as port:
        push = ("push", "--job", "x", "--url", f"http://127.0.0.1:{port}", "--exec", "--")
        for command, code in ((tmp_path / "none", 127), (tmp_path, 126)):
            ran = await pushbridge(*push, command)
            assert (ran.code, f"job_exit_code {code}" in gateway.last.body) == (code, True)


async def test_signals_reach_the_job_and_its_end_is_pushed(gateway: Gateway) -> None:
    async with serving(gateway) as port:
        command = [sys.executable, "-m", "bridge", "push", "--job", "x", "--url", f"http://127.0.0.1:{port}"]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        child = "import time; print('up', flush=True); time.sleep(600)"
        async with await anyio.open_process(
            [*command, "--exec", "--", sys.executable, "-c", child], env=env
        ) as process:
            assert process.stdout is not None
            assert await BufferedByteReceiveStream(process.stdout).receive_until(b"\n", 100) == b"up"
            process.send_signal(signal.SIGTERM)
            with anyio.fail_after(60):
                assert await process.wait() == 128 + signal.SIGTERM
    assert f"job_exit_code {128 + signal.SIGTERM}" in gateway.last.body


async def test_a_base64_path_is_what_the_server_hears(gateway: Gateway) -> None:
    async with serving(gateway) as port:
        ran = await pushbridge("push", "--job", "a/b c", "x=1", "--url", f"http://127.0.0.1:{port}")
    assert ran.code == 0
    assert gateway.last.path == "/metrics/job@base64/YS9iIGM="
