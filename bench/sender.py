"""What it costs to send the same remote-written samples on, beside Prometheus' own sender: `python -m bench.sender`.

20,000 series wait in the log of each server, for its sink refuses them; then the sink, which throws them away, takes
them. CPU is the server's own from then until the sink has had all, read from the sender's own counters. Samples are of
the next minutes: Prometheus sends none from before its start, and takes none from beyond ten minutes.
"""

import argparse
import re
import shutil
import threading
import time
import urllib.request
from pathlib import Path

from bench.forward import KINDS, Sink, rows
from bench.load import request_bytes, run
from bench.remote_write import HEADERS, bodies
from bench.server import Server, bridge


def prometheus(url: str) -> Server:
    """The peer with its default queue."""

    def command(port: int, folder: Path) -> list[str]:
        config = folder / "prometheus.yml"
        config.write_text(f"remote_write: [{{url: '{url}/api/v1/write'}}]\n")
        flags = [f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}", "--log.level=error"]
        listen = f"--web.listen-address=127.0.0.1:{port}"
        return ["prometheus", *flags, listen, "--web.enable-remote-write-receiver"]

    return Server("prometheus", command, "/-/ready")


def sent(server: Server) -> int:
    """Samples that the sink has taken, as the sender counts them."""
    if server.name == "pushbridge":
        return rows(server)[0]["sent"]
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=30) as answer:
        page = answer.read().decode()
    name = r"^prometheus_remote_storage_(samples_total|samples_retried_total|samples_failed_total)\{.*\} (\S+)$"
    counts = {kind: int(float(count)) for kind, count in re.findall(name, page, re.MULTILINE)}
    return counts["samples_total"] - counts.get("samples_failed_total", 0)


def measure(kind: str, series: int, rounds: int) -> str:
    """One row: what it costs to send what waits."""
    sink = Sink()
    threading.Thread(target=sink.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{sink.server_port}"
    lanes = [
        [
            request_bytes("POST", "/api/v1/write", body, HEADERS)
            for turn in bodies(series, rounds, churn=False, ahead=rounds + 1)
            for body in turn
        ]
    ]
    with prometheus(url) if kind == "prometheus" else bridge(KINDS[kind].replace("{url}", url)) as server:
        run(server.port, lanes, seconds=600)
        before, cpu, wall = sent(server), server.cpu(), time.perf_counter()
        sink.open.set()
        deadline = wall + 300
        while (now := sent(server)) < series * rounds and time.perf_counter() < deadline:
            time.sleep(0.1)
        cpu, wall = server.cpu() - cpu, time.perf_counter() - wall
        peak = server.peak()
    sink.shutdown()
    count = now - before
    return f"| {kind} | {count:,} | {wall:.1f} | {cpu:.2f} | {cpu / count * 1e6:.2f} | {peak:.0f} |"


def main() -> None:
    """Print a row in markdown for each sender."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=36)
    options = parser.parse_args()
    kinds = ["remote-write 1.0", "remote-write 2.0"]
    print("| sender | samples | wall s | CPU s | CPU s per million | peak RSS MiB |\n|---|---|---|---|---|---|")
    for kind in [*kinds, "prometheus"] if shutil.which("prometheus") else kinds:
        print(measure(kind, options.series, options.rounds), flush=True)


if __name__ == "__main__":
    main()
