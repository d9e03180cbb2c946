"""Samples as servers make them: 500 series a host, ten labels each, counters, gauges, buckets and constants."""

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import count, product

from bridge.native import Batch

__all__ = ["STEP", "Specs", "batches", "rows", "specs"]

PER_HOST = 500
STEP = 15_000  # ms between two samples of a series

Next = Callable[[random.Random, float], float]
Specs = list[tuple[dict[str, str], str]]
"""The labels of each series, and how its value moves."""

MOVES: dict[str, Next] = {
    "seconds": lambda r, v: round(v + r.uniform(0, 8), 2),
    "count": lambda r, v: v + r.randrange(1 << r.randrange(1, 20)),
    "pages": lambda r, v: v + 4096 * r.randrange(-400, 400),
    "load": lambda r, v: round(abs(v + r.gauss(0, 0.3)), 2),
    "constant": lambda _, v: v,
}


def _families() -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """(metric, move, job, labels) of one host's series."""
    modes = ("idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user")
    for core, mode in product(range(16), modes):
        yield "node_cpu_seconds_total", "seconds", "node", {"cpu": str(core), "mode": mode}
    for disk, what in product(
        range(8),
        ("reads", "writes", "read_bytes", "written_bytes", "merged", "flushes", "io_seconds", "weighted_seconds"),
    ):
        yield (
            f"node_disk_{what}_total",
            "seconds" if "seconds" in what else "count",
            "node",
            {"device": f"nvme{disk}n1"},
        )
    for nic, (way, what) in product(range(8), product(("receive", "transmit"), ("bytes", "packets", "errs", "drop"))):
        yield (
            f"node_network_{way}_{what}_total",
            "constant" if what in {"errs", "drop"} else "count",
            "node",
            {"device": f"eth{nic}"},
        )
    for mount, what in product(
        range(8), ("avail_bytes", "free_bytes", "size_bytes", "files", "files_free", "readonly")
    ):
        labels = {"device": f"/dev/mapper/vg0-lv{mount}", "fstype": "ext4", "mountpoint": f"/data/{mount}"}
        yield f"node_filesystem_{what}", "pages" if "free" in what or "avail" in what else "constant", "node", labels
    for item in range(56):
        yield f"node_memory_item{item:02d}_bytes", "pages" if item % 3 else "constant", "node", {}
    bounds = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "+Inf")
    for handler in (
        "/",
        "/api/items",
        "/api/items/{id}",
        "/api/orders",
        "/api/search",
        "/healthz",
        "/login",
        "/logout",
        "/metrics",
        "/static",
    ):
        labels = {"handler": handler, "method": "GET", "code": "200"}
        for le in bounds:
            yield "http_request_duration_seconds_bucket", "count", "api", labels | {"le": le}
        yield "http_request_duration_seconds_sum", "seconds", "api", labels
        yield "http_request_duration_seconds_count", "count", "api", labels
    for item in count():
        yield f"node_load{item:02d}", "load", "node", {}


def specs(series: int) -> Specs:
    """`series` label sets, host after host."""
    made: Specs = []
    for host in count():
        shared = {
            "cluster": f"prod-{'abcd'[host % 4]}",
            "env": "production",
            "region": ("eu-west-1", "us-east-1")[host % 2],
            "team": ("core", "payments", "search", "edge", "data")[host % 5],
            "instance": f"10.24.{host // 250}.{host % 250}:9100",
            "pod": f"node-exporter-{host:05d}",
        }
        for (name, move, job, labels), _ in zip(_families(), range(PER_HOST), strict=False):
            if len(made) == series:
                return made
            made.append(({"__name__": name, "job": job} | shared | labels, move))
    raise AssertionError


def rows(of: Specs, rounds: int, start: int, seed: int = 1) -> Iterator[list[tuple[dict[str, str], int, float]]]:
    """Round after round a sample of each series, `STEP` ms apart."""
    chance = random.Random(seed)
    values = [float(chance.randrange(1 << 30)) / (100 if move in {"seconds", "load"} else 1) for _, move in of]
    for turn in range(rounds):
        values = [MOVES[move](chance, value) for value, (_, move) in zip(values, of, strict=True)]
        t = start + turn * STEP
        yield [(labels, t, value) for (labels, _), value in zip(of, values, strict=True)]


def batches(of: Specs, rounds: int, start: int, size: int = 2000) -> Iterator[Batch]:
    """The same as batches of `size` samples."""
    for turn in rows(of, rounds, start):
        yield from (batch(turn[i : i + size]) for i in range(0, len(turn), size))


def batch(of: Sequence[tuple[dict[str, str], int, float]]) -> Batch:
    """One batch."""
    return Batch.from_rows(of, of[-1][1])
