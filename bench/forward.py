"""Forwarding to a sink that throws everything away: `python -m bench.forward`.

The samples are pushed first, with the sink refusing everything; then it accepts, and what the bridge spends until
its cursor has caught up is measured: reading the log, encoding, compression, HTTP, cursor.

`--backlog` pushes with two sinks that are down, one of each kind, or with those of `--kind`, and prints the memory as
the backlog grows, and then while it is sent, with a peak of its own; `--no-backlog` the same with sinks that take all
at once, to compare.
"""

import argparse
import http.server
import json
import threading
import time
import urllib.request
from collections.abc import Sequence

from bench.load import run
from bench.push import SAMPLES, lanes, puts
from bench.server import Server, bridge

MAPPINGS = ("prom-value", "influx1-compat", "telegraf-rw", "telegraf-v1", "telegraf-v2", "otel-v1")


class Sink(http.server.ThreadingHTTPServer):
    """Answers writes with 503 until `open` is set, then with 204."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.open = threading.Event()
        self.received = 0


class Handler(http.server.BaseHTTPRequestHandler):
    """Reads the body, looks at nothing."""

    protocol_version = "HTTP/1.1"
    server: Sink

    def do_POST(self) -> None:
        """Take a write."""
        self.server.received += len(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204 if self.server.open.is_set() else 503)
        self.send_header("Content-Length", "0")
        self.send_header("X-Prometheus-Remote-Write-Samples-Written", "1")  # what counts is that it is not 0
        self.end_headers()

    def do_GET(self) -> None:
        """Know nothing of retention."""
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Nothing."""


def rows(server: Server) -> list[dict[str, int]]:
    """The figures of all sinks."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/api/v1/status/sinks", timeout=30) as answer:
        found: list[dict[str, int]] = json.load(answer)["data"]["sinks"]
    return found


def status(server: Server) -> dict[str, int]:
    """The figures of the only sink."""
    (row,) = rows(server)
    return row


LINES = "influxdb: [{{name: i, url: '{{url}}', db: d, bucket: d, org: o, dialect: {}, mapping: {}, gzip: {}}}]\n"
REMOTE = "remote_write: [{{name: s, url: '{{url}}/api/v1/write', protobuf_message: {}}}]\n"
KINDS = {
    "v1 prom-value gzip": LINES.format("v1", "prom-value", "true"),
    "v1 prom-value": LINES.format("v1", "prom-value", "false"),
    "v2 prom-value gzip": LINES.format("v2", "prom-value", "true"),
    **{f"v3 {mapping} gzip": LINES.format("v3", mapping, "true") for mapping in MAPPINGS},
    "remote-write 1.0": REMOTE.format("prometheus.WriteRequest"),
    "remote-write 2.0": REMOTE.format("io.prometheus.write.v2.Request"),
}


BOTH = ("v1 prom-value gzip", "remote-write 2.0")


def forwarded(kind: str, samples: int, groups: int) -> str:
    """One row: what it costs to send a backlog."""
    sink = Sink()
    threading.Thread(target=sink.serve_forever, daemon=True).start()
    with bridge(KINDS[kind].replace("{url}", f"http://127.0.0.1:{sink.server_port}")) as server:
        run(server.port, lanes(puts(groups, samples // (SAMPLES + 2), 1), 16), seconds=600)
        sent_before = status(server)["sent"]
        cpu, wall = server.cpu(), time.perf_counter()
        sink.open.set()
        while (now := status(server))["pending"]:
            time.sleep(0.1)
        cpu, wall = server.cpu() - cpu, time.perf_counter() - wall
        sent = now["sent"] - sent_before
        peak = server.peak()
    sink.shutdown()
    return (
        f"| {kind} | {sent:,} | {wall:.1f} | {cpu:.2f} | {cpu / sent * 1e6:.2f} "
        f"| {sink.received / 1e6:.0f} | {peak:.0f} |"
    )


def backlog(kinds: Sequence[str], samples: int, groups: int, steps: int, *, up: bool) -> None:
    """Memory while a backlog for sinks grows, and while it goes; or while there is none, for they are `up`."""
    sink = Sink()
    if up:
        sink.open.set()
    threading.Thread(target=sink.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{sink.server_port}"
    with bridge("".join(KINDS[kind] for kind in kinds).replace("{url}", url)) as server:
        for step in range(1, steps + 1):
            run(server.port, lanes(puts(groups, samples // steps // (SAMPLES + 2), 1), 16), seconds=600)
            print(memory(f"{step * samples // steps:,} pushed", server), flush=True)
        pushed = 0 if up else rows(server)[0]["pending"]
        server.forget_peak()
        sink.open.set()
        for step in range(1, 0 if up else steps + 1):
            while any(row["pending"] > pushed - step * pushed // steps for row in rows(server)):
                time.sleep(0.1)
            print(memory(f"{step * pushed // steps:,} sent", server), flush=True)
    sink.shutdown()


def memory(what: str, server: Server) -> str:
    """One row: what is resident."""
    return f"| {what} | {server.anonymous():.0f} | {server.rss():.0f} | {server.peak():.0f} |"


def main() -> None:
    """Print one row in markdown for each kind of sink."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--groups", type=int, default=400)
    parser.add_argument("--kind", nargs="*", choices=KINDS, default=[])
    parser.add_argument("--backlog", action="store_true")
    parser.add_argument("--no-backlog", action="store_true")
    options = parser.parse_args()
    if options.backlog or options.no_backlog:
        print("| backlog | RSS without files MiB | RSS MiB | peak RSS MiB |\n|---|---|---|---|")
        backlog(options.kind or BOTH, options.samples, options.groups, 5, up=options.no_backlog)
        return
    print("| sink | samples | wall s | CPU s | CPU s per million | MB on the wire | peak RSS MiB |")
    print("|---|---|---|---|---|---|---|")
    for kind in options.kind or KINDS:
        print(forwarded(kind, options.samples, options.groups), flush=True)


if __name__ == "__main__":
    main()
