"""Queries over the same remote-written data in pushbridge, Prometheus and VictoriaMetrics, one after the other.

    python -m bench.query                       20,000 series, 15 minutes at 15 s
    python -m bench.query --series 200000 --only pushbridge

CPU is that of the server's process; every request is answered once before it is measured. VictoriaMetrics answers
without its caches of results.
"""

import argparse
import shutil
import time
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.history import histories, write_requests
from bench.load import Connection, request_bytes
from bench.server import Server, bridge
from bench.workload import specs

STEP = 15_000
SNAPPY = [("Content-Type", "application/x-protobuf"), ("Content-Encoding", "snappy")]
FORM = [("Content-Type", "application/x-www-form-urlencoded")]


@dataclass(frozen=True)
class Question:
    """A request; `path` is below /api/v1, `span` the seconds before the end of a range, `step` in seconds."""

    name: str
    params: Mapping[str, str]
    path: str = "/query_range"
    span: int = 900
    step: float = 15


QUESTIONS = [
    Question("rate", {"query": "rate(node_network_receive_bytes_total[2m])"}),
    Question("sum by rate", {"query": "sum by (mode) (rate(node_cpu_seconds_total[2m]))"}),
    Question(
        "histogram_quantile by handler",
        {"query": "histogram_quantile(0.95, sum by (le, handler) (rate(http_request_duration_seconds_bucket[2m])))"},
    ),
    Question("avg_over_time", {"query": "avg_over_time(node_filesystem_avail_bytes[5m])"}),
    Question("topk", {"query": "topk(5, sum by (instance) (rate(node_disk_read_bytes_total[2m])))"}),
    Question("count all", {"query": 'count({__name__=~"node_.+"})'}),
    Question("sum by rate, 240 steps", {"query": "sum by (mode) (rate(node_cpu_seconds_total[5m]))"}, step=3.75),
    Question(
        "histogram_quantile by job",
        {"query": "histogram_quantile(0.99, sum by (le, job) (rate(http_request_duration_seconds_bucket[5m])))"},
    ),
    Question("topk of series", {"query": "topk(10, rate(node_cpu_seconds_total[5m]))"}),
    Question(
        "a / on group_left b",
        {"query": "node_filesystem_avail_bytes / on(instance) group_left sum by (instance) (node_memory_item01_bytes)"},
    ),
    Question(
        "instant, one series",
        {"query": 'node_cpu_seconds_total{instance="10.24.0.3:9100",cpu="3",mode="user"}'},
        "/query",
    ),
    Question("instant, 1+1", {"query": "1+1"}, "/query"),
    Question("series", {"match[]": '{__name__=~".+"}'}, "/series"),
    Question("label values", {}, "/label/__name__/values"),
    Question("federate", {"match[]": '{__name__=~".+"}'}, "/federate"),
]


def servers(only: str) -> list[Server]:
    """Those that are installed and among `only`, names separated by commas; all when it is empty."""
    wanted = set(only.split(",")) if only else {"pushbridge", "prometheus", "victoria-metrics"}
    found = [bridge()] if "pushbridge" in wanted else []
    if "prometheus" in wanted and (prometheus := shutil.which("prometheus")):

        def command(port: int, folder: Path) -> list[str]:
            (folder / "prometheus.yml").write_text("")
            options = ["--web.enable-remote-write-receiver", f"--web.listen-address=127.0.0.1:{port}"]
            paths = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
            return [prometheus, *paths, *options, "--log.level=error"]

        found.append(Server("prometheus", command, "/-/ready"))
    if "victoria-metrics" in wanted and (victoria := shutil.which("victoria-metrics")):

        def command_of_victoria(port: int, folder: Path) -> list[str]:
            listen = f"-httpListenAddr=127.0.0.1:{port}"
            return [
                victoria,
                listen,
                f"-storageDataPath={folder / 'data'}",
                "-search.disableCache",
                "-loggerLevel=ERROR",
            ]

        found.append(Server("victoria-metrics", command_of_victoria, "/health"))
    return found


def fill(server: Server, bodies: Iterable[bytes]) -> None:
    """Write all of it."""
    connection = Connection(server.port)
    for body in bodies:
        status, _ = connection.request(request_bytes("POST", "/api/v1/write", body, SNAPPY))
        if status not in {200, 204}:
            raise RuntimeError(f"{server.name} answers {status}")
    connection.close()
    if server.name == "victoria-metrics":
        Connection(server.port).request(request_bytes("GET", "/internal/force_flush"))
    time.sleep(3)


def request(question: Question, end: float, server: str) -> bytes:
    """What goes over the wire."""
    params = dict(question.params)
    if question.path == "/query_range":
        params |= {"start": f"{end - question.span}", "end": f"{end}", "step": f"{question.step}"}
    elif question.path == "/query":
        params["time"] = f"{end}"
    if server == "victoria-metrics" and "query" in params:
        params["nocache"] = "1"
    form = urllib.parse.urlencode(params)
    if question.path in {"/label/__name__/values", "/federate"}:
        path = question.path if question.path == "/federate" else f"/api/v1{question.path}"
        return request_bytes("GET", f"{path}?{form}")
    return request_bytes("POST", f"/api/v1{question.path}", form.encode(), FORM)


def measure(server: Server, data: bytes, repetitions: int) -> tuple[int, float, float, int]:
    """Status, median latency in ms, CPU in ms, bytes of the answer."""
    connection = Connection(server.port)
    status, size = connection.request(data)
    connection.request(data)
    latencies = []
    before = server.cpu()
    for _ in range(repetitions):
        start = time.perf_counter()
        connection.request(data)
        latencies.append(time.perf_counter() - start)
    cpu = (server.cpu() - before) / repetitions
    connection.close()
    return status, sorted(latencies)[repetitions // 2] * 1e3, cpu * 1e3, size


def main() -> None:
    """Print a row a question and server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=20_000)
    parser.add_argument("--repetitions", type=int, default=30)
    parser.add_argument("--only", default="", help="Servers, separated by commas.")
    parser.add_argument("--questions", default="", help="Parts of names, separated by commas.")
    given = parser.parse_args()
    of = specs(given.series)
    start = (int(time.time()) - 930) * 1000 // STEP * STEP
    bodies = list(write_requests(of, histories(of, 61), start, STEP))
    end = start / 1000 + 900
    chosen = [q for q in QUESTIONS if any(part in q.name for part in given.questions.split(","))]
    print(f"{'question':<32}{'server':<18}{'p50 ms':>9}{'CPU ms':>9}{'bytes':>12}")
    for server in servers(given.only):
        with server:
            fill(server, bodies)
            idle = server.peak()
            for question in chosen:
                status, p50, cpu, size = measure(server, request(question, end, server.name), given.repetitions)
                note = "" if status == 200 else f"  HTTP {status}"
                print(f"{question.name:<32}{server.name:<18}{p50:>9.2f}{cpu:>9.2f}{size:>12}{note}", flush=True)
            print(f"{'peak MiB, before and after':<32}{server.name:<18}{idle:>9.0f}{server.peak():>9.0f}", flush=True)


if __name__ == "__main__":
    main()
