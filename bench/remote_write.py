"""Remote write 1.0 in, beside Prometheus and VictoriaMetrics: `python -m bench.remote_write`.

20,000 series (40 hosts), 2,000 samples a request, 60 rounds 15 s apart that end now. With churn a tenth of the hosts
get another `pod` in each round. A series stays on one connection, so its samples keep their order. The first round,
which makes the series, counts as well. CPU is the server's own, from /proc, over all requests.
"""

import argparse
import re
import shutil
import struct
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import snappy

from bench.load import request_bytes, run
from bench.server import Server, bridge
from bench.workload import PER_HOST, STEP, rows, specs

HEADERS = [
    ("Content-Type", "application/x-protobuf"),
    ("Content-Encoding", "snappy"),
    ("X-Prometheus-Remote-Write-Version", "0.1.0"),
]
SAMPLES = 2000
"""Samples in a request."""

Row = tuple[dict[str, str], int, float]


def varint(number: int) -> bytes:
    """A protobuf varint."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def encoder() -> Callable[[Row], bytes]:
    """What makes a `TimeSeries` field of a row; labels are encoded once."""
    known: dict[tuple[str, ...], bytes] = {}

    def encode(row: Row) -> bytes:
        labels, t, value = row
        key = tuple(labels.values())
        if (packed := known.get(key)) is None:
            pairs = sorted(labels.items())
            packed = known[key] = b"".join(
                field(1, field(1, name.encode()) + field(2, text.encode())) for name, text in pairs
            )
        sample = b"\x09" + struct.pack("<d", value) + b"\x10" + varint(t)
        return field(1, packed + field(2, sample))

    return encode


def churned(turn: list[Row], number: int) -> list[Row]:
    """The same with new pods for those hosts that have been restarted by round `number`, a tenth of them in each."""
    made = []
    for place, (labels, t, value) in enumerate(turn):
        host = place // PER_HOST
        generation = (number + 9 - host % 10) // 10
        made.append(({**labels, "pod": f"{labels['pod']}-{generation}"} if generation else labels, t, value))
    return made


def bodies(series: int, rounds: int, *, churn: bool, ahead: int = 0) -> Iterator[list[bytes]]:
    """Compressed requests, round after round; the last of them is of now, or of so many rounds from now."""
    encode = encoder()
    start = int(time.time()) * 1000 - (rounds - ahead) * STEP
    for number, turn in enumerate(rows(specs(series), rounds, start)):
        encoded = [encode(row) for row in (churned(turn, number) if churn else turn)]
        yield [snappy.compress(b"".join(encoded[i : i + SAMPLES])) for i in range(0, series, SAMPLES)]


def servers() -> dict[str, Server]:
    """Ours, and the peers that are on PATH."""
    made = {"pushbridge": bridge()}
    if (prometheus := shutil.which("prometheus")) is not None:

        def command(port: int, folder: Path) -> list[str]:
            config = folder / "prometheus.yml"
            config.write_text("global: {scrape_interval: 15s}\n")
            flags = [f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}", "--log.level=error"]
            return [prometheus, *flags, f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver"]

        made["prometheus"] = Server("prometheus", command, "/-/ready")
    if (victoria := shutil.which("victoria-metrics")) is not None:

        def start(port: int, folder: Path) -> list[str]:
            return [victoria, f"-storageDataPath={folder / 'data'}", f"-httpListenAddr=127.0.0.1:{port}"]

        made["victoria-metrics"] = Server("victoria-metrics", start, "/health")
    return made


def accepted(server: Server) -> float:
    """Samples that our store has taken, as it counts them itself."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=30) as answer:
        page = answer.read().decode()
    return float(re.findall(r"^pushbridge_head_samples_accepted (\S+)$", page, re.MULTILINE)[0])


def measure(server: Server, series: int, rounds: int, connections: int, *, churn: bool) -> str:
    """One row."""
    lanes: list[list[bytes]] = [[] for _ in range(connections)]
    for turn in bodies(series, rounds, churn=churn):
        for number, body in enumerate(turn):
            lanes[number % connections].append(request_bytes("POST", "/api/v1/write", body, HEADERS))
    with server:
        before, rss = server.cpu(), server.rss()
        load = run(server.port, lanes, seconds=600)
        cpu = server.cpu() - before
        samples = series * rounds
        if server.name == "pushbridge":
            assert accepted(server) == samples, "samples are missing"
        return (
            f"| {server.name} | {'yes' if churn else 'no'} | {connections} | {cpu / samples * 1e6:.2f} "
            f"| {samples / load.wall / 1e6:.2f} | {load.percentile(0.5):.1f} | {load.percentile(0.99):.1f} "
            f"| {server.rss() - rss:.0f} | {load.refused} |"
        )


def main() -> None:
    """Print the table in markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--connections", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--servers", nargs="+", help="pushbridge, prometheus, victoria-metrics; all when not given")
    options = parser.parse_args()
    print("| server | churn | connections | CPU s per M samples | M samples/s | p50 ms | p99 ms | RSS MiB | refused |")
    print("|---|---|---|---|---|---|---|---|---|")
    for churn in (False, True):
        for connections in options.connections:
            for name, server in servers().items():
                if options.servers is None or name in options.servers:
                    row = measure(server, options.series, options.rounds, connections, churn=churn)
                    print(row, flush=True)


if __name__ == "__main__":
    main()
