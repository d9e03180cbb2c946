"""docs/compat.md, row by row: a real Pushgateway and a bridge are asked the same, and answer as it says."""

from __future__ import annotations

import http.client
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import zstandard

from tests.bridge_process import BridgeProcess, free_port, wait_until
from tests.pushgw.test_protobuf import KIND, delimited, untyped
from tests.wire import metrics_pb2 as pb

pytestmark = pytest.mark.interop

OPENMETRICS = {"Content-Type": "application/openmetrics-text; version=1.0.0"}
PROTOBUF = {"Content-Type": KIND}
SPANS = pb.Histogram(sample_count=3, positive_span=[pb.BucketSpan(length=3)], positive_delta=[1])


@dataclass(frozen=True)
class Ask:
    """A request with the status, and a part of the text, that each of the two answers."""

    path: str
    body: str | bytes = "a 1\n"
    method: str = "PUT"
    headers: dict[str, str] = field(default_factory=dict)
    peer: tuple[int, str] = (200, "")
    here: tuple[int, str] = (200, "")


def get(path: str, *, peer: tuple[int, str] = (200, ""), here: tuple[int, str] = (200, ""), **headers: str) -> Ask:
    return Ask(path, "", "GET", headers, peer, here)


ROWS: dict[str, list[Ask]] = {
    "two slashes": [Ask("/metrics/job/j//x", peer=(301, ""), here=(400, 'improper label name ""'))],
    "two dots": [Ask("/metrics/job/j/a/../b/x", peer=(301, ""))],
    "another case": [Ask("/metrics/JOB/j", peer=(307, ""), here=(404, ""))],
    "no job": [Ask("/metrics/job/", peer=(307, ""), here=(400, "job name is required"))],
    "a slash behind": [get("/metrics/", peer=(301, ""), here=(404, ""))],
    "a key that is no UTF-8": [
        Ask("/metrics/job/j/name/%FF", peer=(400, "pushed metrics are invalid"), here=(400, "not valid UTF-8")),
        Ask("/metrics/job/other", peer=(400, "2 error(s)"), here=(200, "")),
        get("/metrics", peer=(500, ""), here=(200, 'a{instance="",job="other"} 1')),
    ],
    "no name in protobuf": [
        Ask("/metrics/job/j", delimited(untyped("", 1)), headers=PROTOBUF, here=(400, 'invalid metric name ""'))
    ],
    "a native histogram that cannot be": [
        Ask(
            "/metrics/job/j",
            delimited(pb.MetricFamily(name="h", type=pb.HISTOGRAM, metric=[pb.Metric(histogram=SPANS)])),
            headers=PROTOBUF,
            here=(400, "positive spans of 3 buckets, and counts of 1"),
        )
    ],
    "UTF-8 names": [Ask("/metrics/job/j", '{"a.b"} 1\n', peer=(400, "invalid metric name"))],
    "OpenMetrics in": [
        Ask("/metrics/job/j", "# TYPE a info\na_info 1\n# EOF\n", headers=OPENMETRICS, peer=(400, '"info"')),
        Ask("/metrics/job/j", "a 1\n", headers=OPENMETRICS, here=(400, "# EOF")),
    ],
    "OpenMetrics out": [
        Ask("/metrics/job/j", "# TYPE a counter\na 1\n"),
        get(
            "/metrics",
            Accept="application/openmetrics-text;version=1.0.0",
            peer=(200, "# TYPE a counter\n"),
            here=(200, "# TYPE a unknown\n"),
        ),
    ],
    "zstd": [
        Ask(
            "/metrics/job/j", zstandard.compress(b"a 1\n"), headers={"Content-Encoding": "zstd"}, peer=(400, "parsing")
        ),
    ],
    "own names": [
        Ask("/metrics/job/j", "# TYPE go_goroutines counter\ngo_goroutines 1\n", peer=(400, "should have GAUGE")),
        Ask(
            "/metrics/job/j",
            "# TYPE pushbridge_push_groups counter\npushbridge_push_groups 1\n",
            here=(400, "should have GAUGE"),
        ),
    ],
    "parameters of a push": [
        Ask("/metrics/job/j", headers={"X-Push-TTL": "soon"}, here=(400, "X-Push-TTL")),
        Ask("/metrics/job/j?merge=all", method="POST", here=(400, "merge must be")),
    ],
    "a negative count": [
        Ask("/metrics/job/j", "# TYPE s summary\ns_count -1\n"),
        get(
            "/metrics",
            peer=(200, 's_count{instance="",job="j"} 1.8446744073709552e+19'),
            here=(200, 's_count{instance="",job="j"} 0\n'),
        ),
    ],
    "a family without metrics": [
        Ask("/metrics/job/j", delimited(untyped("a", 1), untyped("b", 1)), headers=PROTOBUF),
        Ask("/metrics/job/j", delimited(pb.MetricFamily(name="a", type=pb.UNTYPED)), method="POST", headers=PROTOBUF),
        get(
            "/api/v1/metrics",
            peer=(200, '"metrics":[]}'),
            here=(200, '{"labels":{"instance":"","job":"j"},"value":"1"}'),
        ),
    ],
    "the order on the page": [
        Ask("/metrics/job/a", 'm{a="2"} 1\n'),
        Ask("/metrics/job/b", 'm{a="1"} 1\n'),
        get(
            "/metrics",
            peer=(200, 'm{a="1",instance="",job="b"} 1\nm{a="2",instance="",job="a"} 1\n'),
            here=(200, 'm{a="2",instance="",job="a"} 1\nm{a="1",instance="",job="b"} 1\n'),
        ),
    ],
    "the text of an error": [
        Ask(
            "/metrics/job/j",
            "a 1\na 1\n",
            peer=(400, 'label:<name:"instance" value:"" >'),
            here=(400, 'label:{name:"instance" value:""}'),
        )
    ],
    "life cycle": [
        Ask("/-/reload", "", "POST", peer=(404, "")),
        get("/debug/pprof/cmdline", here=(404, "")),
    ],
}


class Peer:
    """A Pushgateway in a process of its own."""

    def __init__(self, program: Path, log: Path, *options: str) -> None:
        self.port = free_port()
        command = [str(program), f"--web.listen-address=127.0.0.1:{self.port}", "--persistence.file="]
        with log.open("wb") as file:
            self.process = subprocess.Popen([*command, *options], stdout=file, stderr=file)
        wait_until("pushgateway is ready", self._is_ready)

    def _is_ready(self) -> bool:
        try:
            return ask(self.port, get("/-/ready"))[0] == 200
        except OSError:
            return False

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def ask(port: int, request: Ask) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        body = request.body.encode() if isinstance(request.body, str) else request.body
        connection.request(request.method, request.path, body or None, request.headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


@pytest.fixture(scope="module")
def peer_port(peer: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    log = tmp_path_factory.mktemp("peer") / "log"
    process = Peer(peer("prometheus-pushgateway"), log, "--web.enable-admin-api")
    yield process.port
    process.stop()


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path_factory.mktemp("bridge"), "web: {enable_admin_api: true}\n") as process:
        yield process


def wipe(port: int) -> None:
    assert ask(port, Ask("/api/v1/admin/wipe", ""))[0] == 202
    wait_until("all is gone", lambda: ask(port, get("/api/v1/metrics"))[1] == '{"status":"success","data":[]}')


@pytest.mark.parametrize("name", ROWS)
def test_row(peer_port: int, bridge: BridgeProcess, name: str) -> None:
    wipe(peer_port)
    wipe(bridge.port)
    for request in ROWS[name]:
        for port, (status, text) in ((peer_port, request.peer), (bridge.port, request.here)):
            answer = ask(port, request)
            assert answer[0] == status, answer
            assert text in answer[1]


def test_without_the_consistency_check(peer: Callable[[str], Path], tmp_path: Path) -> None:
    process = Peer(peer("prometheus-pushgateway"), tmp_path / "log", "--push.disable-consistency-check")
    try:
        with BridgeProcess(tmp_path, "push: {consistency_check: false}\n") as bridge:
            for port in (process.port, bridge.port):
                assert ask(port, Ask("/metrics/job/good", "# TYPE a gauge\na 1\n"))[0] == 202
                assert ask(port, Ask("/metrics/job/bad", "# TYPE a counter\na 2\n"))[0] == 202
                assert ask(port, Ask("/metrics/job/bad", "a\n"))[0] == 400, "what cannot be read is refused by both"
            wait_until("the peer's page fails", lambda: ask(process.port, get("/metrics"))[0] == 500)
            status, page = ask(bridge.port, get("/metrics"))
            assert status == 200
            assert 'a{instance="",job="good"} 1' in page
            assert 'a{instance="",job="bad"}' not in page
            failed = [line for line in page.splitlines() if line.startswith("push_failure_time_seconds{")]
            assert [line.endswith(" 0") for line in failed] == [False, True], failed
    finally:
        process.stop()
