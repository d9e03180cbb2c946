"""The same calls of a real client leave the same series on our page as on Debian's prometheus-pushgateway."""

from __future__ import annotations

import gzip
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, Summary
from prometheus_client.exposition import (
    basic_auth_handler,
    default_handler,
    delete_from_gateway,
    push_to_gateway,
    pushadd_to_gateway,
)

from tests.bridge_process import BridgeProcess, free_port, wait_until
from tests.pushgw.rows import TEXT

pytestmark = pytest.mark.interop

OWN = re.compile(r"(pushbridge|pushgateway|process|python|go|promhttp)_")
TIME = re.compile(r"^(push_(?:failure_)?time_seconds\{.*\}) (.*)$")


@pytest.fixture(scope="module")
def pushgateway(peer: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    log = (tmp_path_factory.mktemp("pushgateway") / "log").open("wb")
    command = [
        str(peer("prometheus-pushgateway")),
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-admin-api",
        "--persistence.file=",
    ]
    process = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        try:
            return bool(urllib.request.urlopen(f"{url}/-/ready", timeout=2).status == 200)
        except OSError:
            return False

    wait_until("pushgateway is ready", ready)
    yield url
    process.kill()
    process.wait()
    log.close()


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with BridgeProcess(tmp_path_factory.mktemp("bridge"), "web: {enable_admin_api: true}\n") as process:
        yield process.url


@pytest.fixture(params=[False, True], ids=["plain", "gzip"])
def handler(request: pytest.FixtureRequest) -> Callable[..., Any]:
    if not request.param:
        return default_handler

    def compressing(url: str, method: str, timeout: float | None, headers: Any, data: bytes) -> Callable[[], None]:
        return default_handler(url, method, timeout, [*headers, ("Content-Encoding", "gzip")], gzip.compress(data))

    return compressing


def series(url: str) -> list[str]:
    """Lines of the page that were pushed; push times only as set or not set."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    pushed = [line for line in lines if line and not line.startswith("#") and not OWN.match(line)]
    return sorted(TIME.sub(lambda m: f"{m[1]} {'0' if m[2] == '0' else 'set'}", line) for line in pushed)


def types(url: str) -> set[str]:
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {line for line in lines if line.startswith(("# TYPE", "# HELP")) and not OWN.match(line.split()[2])}


def wipe(url: str) -> None:
    request = urllib.request.Request(f"{url}/api/v1/admin/wipe", method="PUT")
    urllib.request.urlopen(request, timeout=10).read()
    wait_until("everything is gone", lambda: not series(url))


def full_registry(value: float) -> CollectorRegistry:
    registry = CollectorRegistry()
    Gauge("rows", 'Rows.\nSecond line with \\ and "quotes".', ["table"], registry=registry).labels('a\nb\\c"d').set(
        value
    )
    Counter("runs", "Runs.", registry=registry).inc(value)
    histogram = Histogram("step_seconds", "Steps.", ["step"], registry=registry)
    for step in ("read", "write"):
        histogram.labels(step).observe(value / 10)
    Summary("size_bytes", "Sizes.", registry=registry).observe(value * 1e6)
    Gauge("odd_values", "NaN and infinities.", ["kind"], registry=registry)
    Info("build", "Build.", registry=registry).info({"version": "1.2.3"})
    return registry


KEYS = [
    {},
    {"instance": "host1"},
    {"path": "/var/log", "zone": "a b"},
    {"empty": ""},
    {"instance": "", "uni": "gr\u00fc\u00dfe/\u65e5\u672c", "percent": "100%", "plus": "a+b"},
    {"job": "other"},
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_push_pushadd_delete(bridge: str, pushgateway: str, handler: Callable[..., Any], key: dict[str, str]) -> None:
    registry = full_registry(3.5)
    for url in (bridge, pushgateway):
        wipe(url)
        push_to_gateway(url, job="nightly", registry=registry, grouping_key=key, handler=handler)
    assert series(bridge) == series(pushgateway)
    assert types(bridge) == types(pushgateway)
    assert len(series(bridge)) > 40

    extra = CollectorRegistry()
    Gauge("rows", "Rows.", ["table"], registry=extra).labels("other").set(1e9)
    Gauge("more", "More.", registry=extra).set(float("inf"))
    for url in (bridge, pushgateway):
        pushadd_to_gateway(url, job="nightly", registry=extra, grouping_key=key, handler=handler)
    assert series(bridge) == series(pushgateway)

    for url in (bridge, pushgateway):
        push_to_gateway(url, job="nightly", registry=extra, grouping_key=key, handler=handler)
    assert series(bridge) == series(pushgateway)

    for url in (bridge, pushgateway):
        delete_from_gateway(url, job="nightly", grouping_key=key, handler=handler)
        wait_until("the group is gone", lambda url=url: not series(url))


def test_job_names_with_odd_characters(bridge: str, pushgateway: str) -> None:
    registry = full_registry(1)
    for url in (bridge, pushgateway):
        wipe(url)
        for job in ("a/b", "with blank", "gr\u00fc\u00dfe", "100%"):
            push_to_gateway(url, job=job, registry=registry)
    assert series(bridge) == series(pushgateway)


def test_basic_auth_handler(tmp_path: Path) -> None:
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    (tmp_path / "web.yml").write_text(f"basic_auth_users:\n  jobs: {hashed}\n")

    def with_password(password: str) -> Callable[..., Any]:
        def handle(url: str, method: str, timeout: float | None, headers: Any, data: bytes) -> Callable[[], None]:
            return basic_auth_handler(url, method, timeout, headers, data, "jobs", password)

        return handle

    process = BridgeProcess(tmp_path, "web: {config_file: web.yml}\n").start(ready=False)
    try:

        def listens() -> bool:
            try:
                return process.request("GET", "/-/ready").status == 401
            except OSError:
                return False

        wait_until("the bridge asks for a password", listens)
        push_to_gateway(process.url, job="j", registry=full_registry(1), handler=with_password("secret"))
        with pytest.raises(OSError, match="401"):
            push_to_gateway(process.url, job="j", registry=full_registry(1), handler=with_password("wrong"))
        with pytest.raises(OSError, match="401"):
            push_to_gateway(process.url, job="j", registry=full_registry(1))
    finally:
        process.stop()


def test_every_row_is_what_the_peer_answers(pushgateway: str) -> None:
    """Rows that need nothing newer than 1.5.1: the peer gives the status and the text that the table says."""
    newer = {"nothing in braces"}  # 1.5.1 panics on it
    for row in TEXT:
        if row.name in newer:
            continue
        wipe(pushgateway)
        for step in row.steps:
            request = urllib.request.Request(
                pushgateway + step.path,
                method=step.method,
                data=step.body.encode() if isinstance(step.body, str) else step.body,
                headers=step.headers,
            )
            try:
                status, text = urllib.request.urlopen(request, timeout=10).status, ""
            except urllib.error.HTTPError as error:
                status, text = error.code, error.read().decode()
            assert status == step.status, (row.name, text)
            assert (step.text or "") in text, row.name
