"""Checked, durable pushes and the page of all groups, beside Pushgateway: `python -m bench.push`.

A push is a PUT of 2.2 KB with 20 families and 50 samples to a group that exists already. CPU is the server's own,
from /proc.
"""

import argparse
import contextlib
from collections.abc import Iterator

from bench.load import Connection, Load, request_bytes, run
from bench.server import Server, bridge, pushgateway

FAMILIES = 20
SAMPLES = 50


def body(group: int, round_: int) -> bytes:
    """20 families: ten gauges alone, ten counters with four label values each."""
    lines = []
    for i in range(FAMILIES):
        plain = i < FAMILIES // 2
        name = f"batch_stage_{i:02d}_seconds" if plain else f"batch_rows_{i:02d}_total"
        lines.append(f"# TYPE {name} {'gauge' if plain else 'counter'}")
        values = [""] if plain else [f'{{stage="s{s}"}}' for s in range((SAMPLES - FAMILIES // 2) // (FAMILIES // 2))]
        lines += [
            f"{name}{labels} {(group * 7 + i * 13 + k * 3 + round_ * 17) % 9973 / 8}" for k, labels in enumerate(values)
        ]
    return ("\n".join(lines) + "\n").encode()


def puts(groups: int, count: int, round_: int) -> list[bytes]:
    """`count` PUT requests, group after group."""
    headers = [("Content-Type", "text/plain; version=0.0.4")]
    return [
        request_bytes(
            "PUT", f"/metrics/job/batch_{i % 20}/instance/host{i:05d}", body(i, round_ + k // groups), headers
        )
        for k, i in ((k, k % groups) for k in range(count))
    ]


def lanes(requests: list[bytes], count: int) -> list[list[bytes]]:
    """Requests dealt out to `count` connections."""
    return [requests[i::count] for i in range(count)]


def measure_pushes(server: Server, groups: int, connections: int, pushes: int, seconds: float) -> str:
    """One row: pushes per second, latency, CPU per push."""
    requests = puts(groups, pushes, 1)
    before = server.cpu()
    load = run(server.port, lanes(requests, connections), seconds)
    cpu = server.cpu() - before
    return (
        f"| {server.name} | {groups} | {connections} | {load.count / load.wall:,.0f} | {load.percentile(0.5):.2f} "
        f"| {load.percentile(0.99):.2f} | {cpu / load.count * 1e3:.3f} | {load.count} | {load.refused} |"
    )


def measure_page(server: Server, groups: int, encoding: str, times: int = 5) -> str:
    """One row: size, latency and CPU of GET /metrics."""
    data = request_bytes(
        "GET", "/metrics", b"", [("Accept-Encoding", encoding), ("Accept", "text/plain;version=0.0.4")]
    )
    _, size = Connection(server.port).request(data)
    before = server.cpu()
    load: Load = run(server.port, [[data] * times])
    cpu = (server.cpu() - before) / times
    return (
        f"| {server.name} | {groups} | {encoding} | {size / 1e6:.2f} | {load.percentile(0.5):.0f} | {cpu * 1e3:.0f} "
        f"| {server.rss():.0f} | {server.peak():.0f} |"
    )


def fill(server: Server, groups: int) -> None:
    """Make the groups."""
    run(server.port, lanes(puts(groups, groups, 0), 16), seconds=600)


@contextlib.contextmanager
def filled(name: str, groups: int) -> Iterator[Server | None]:
    """A server that holds the groups already; None for a peer that is not installed.

    Pushgateway is filled with its check off and started again with it on: filling 5,000 groups checked takes it half an
    hour.
    """
    if name == "pushbridge":
        with bridge() as server:
            fill(server, groups)
            yield server
        return
    unchecked, checked = pushgateway("--push.disable-consistency-check"), pushgateway()
    if unchecked is None or checked is None:
        yield None
        return
    with Server(name, unchecked, "/-/ready") as server:
        fill(server, groups)
        if name == "pushgateway":
            server.restart(checked)
        yield server


def main() -> None:
    """Print both tables in markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, nargs="+", default=[100, 5000])
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 4, 32])
    parser.add_argument("--pushes", type=int, default=20000)
    parser.add_argument("--seconds", type=float, default=15.0, help="per row, at most")
    options = parser.parse_args()
    pages = []
    print("| server | groups | connections | pushes/s | p50 ms | p99 ms | CPU ms per push | pushes | refused |")
    print("|---|---|---|---|---|---|---|---|---|")
    for groups in options.groups:
        for name in ("pushbridge", "pushgateway", "pushgateway, no check"):
            with filled(name, groups) as server:
                if server is None:
                    continue
                for connections in options.connections:
                    print(measure_pushes(server, groups, connections, options.pushes, options.seconds), flush=True)
                pages += [measure_page(server, groups, encoding) for encoding in ("identity", "gzip")]
    print("\n| server | groups | encoding | MB | p50 ms | CPU ms | RSS MiB | peak MiB |")
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(pages))


if __name__ == "__main__":
    main()
