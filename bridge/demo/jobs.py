"""Batch jobs as a user has them: `prometheus_client`, a registry for the run, one push at its end."""

import random
import threading
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, push_to_gateway

__all__ = ["Jobs"]

NAMES = ("backup", "invoice", "cleanup", "report")


class Jobs:
    """Threads that each run one kind of job over and over and push what came of it."""

    def __init__(self, url: str, hosts: int = 3) -> None:
        self.pushes = 0
        self.failures = 0
        self._url = url
        self._stop = threading.Event()
        self._count = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, args=(name, f"host{host}"), name=f"{name}-{host}")
            for name in NAMES
            for host in range(hosts)
        ]

    def start(self) -> None:
        """Let them work."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each finish its push."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, name: str, host: str) -> None:
        chance = random.Random(f"{name} {host}")  # noqa: S311 - a demonstration, not a secret
        done = 0
        while not self._stop.wait(chance.uniform(0.2, 0.6)):
            done += 1
            registry = _run_once(chance, done)
            try:
                push_to_gateway(self._url, job=name, registry=registry, grouping_key={"instance": host})
            except OSError:
                with self._count:
                    self.failures += 1
            else:
                with self._count:
                    self.pushes += 1


def _run_once(chance: random.Random, done: int) -> CollectorRegistry:
    """One run's metrics: a gauge or two, a counter, a histogram of its steps."""
    registry = CollectorRegistry()
    Gauge("demo_rows", "Rows that the run handled.", registry=registry).set(chance.randint(100, 100_000))
    Gauge("demo_last_success_timestamp_seconds", "When the run ended.", registry=registry).set(time.time())
    Counter("demo_runs", "Runs of this job.", registry=registry).inc(done)
    steps = Histogram("demo_step_seconds", "How long a step took.", ["step"], registry=registry)
    for step in ("read", "compute", "write"):
        steps.labels(step).observe(chance.expovariate(4))
    return registry
