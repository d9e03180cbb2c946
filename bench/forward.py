"""Forwarding to a sink that throws everything away: `python -m bench.forward`.

The samples are pushed first, with the sink refusing everything; then it accepts, and what the bridge spends until
its cursor has caught up is measured: reading the log, encoding, gzip, HTTP, cursor.
"""

import argparse
import http.server
import json
import threading
import time
import urllib.request

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
        self.end_headers()

    def do_GET(self) -> None:
        """Know nothing of retention."""
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Nothing."""


def status(server: Server) -> dict[str, int]:
    """The sink's figures."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/api/v1/status/sinks", timeout=30) as answer:
        row: dict[str, int] = json.load(answer)["data"]["sinks"][0]
    return row


def main() -> None:
    """Print one row in markdown for each dialect and mapping."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--groups", type=int, default=400)
    options = parser.parse_args()
    print("| dialect | mapping | gzip | samples | wall s | CPU s | CPU s per million | MB on the wire | peak RSS MiB |")
    print("|---|---|---|---|---|---|---|---|---|")
    ways = [("v1", "prom-value", "true"), ("v1", "prom-value", "false"), ("v2", "prom-value", "true")]
    ways += [("v3", mapping, "true") for mapping in MAPPINGS]
    for dialect, mapping, gzip in ways:
        sink = Sink()
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{sink.server_port}"
        how = f"dialect: {dialect}, mapping: {mapping}, gzip: {gzip}"
        config = f"influxdb: [{{name: s, url: '{url}', db: d, bucket: d, org: o, {how}}}]\n"
        with bridge(config) as server:
            run(server.port, lanes(puts(options.groups, options.samples // (SAMPLES + 2), 1), 16), seconds=600)
            sent_before = status(server)["sent"]
            cpu, wall = server.cpu(), time.perf_counter()
            sink.open.set()
            while (now := status(server))["pending"]:
                time.sleep(0.1)
            cpu, wall = server.cpu() - cpu, time.perf_counter() - wall
            sent = now["sent"] - sent_before
            print(
                f"| {dialect} | {mapping} | {gzip} | {sent:,} | {wall:.1f} | {cpu:.2f} | {cpu / sent * 1e6:.2f} "
                f"| {sink.received / 1e6:.0f} | {server.peak():.0f} |",
                flush=True,
            )
        sink.shutdown()


if __name__ == "__main__":
    main()
