"""A bridge and a real Prometheus that were written the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bridge_process import BridgeProcess
from tests.interop.peers import Prometheus

__all__ = ["Ask", "twins"]

Ask = Callable[[str], bytes]

_HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


@contextmanager
def twins(
    program: Path, folder: Path, bodies: Iterable[bytes], *, features: Sequence[str] = (), settings: str = ""
) -> Iterator[tuple[Ask, Ask]]:
    """What asks us, with `settings`, and what asks them, with `features`, after both took these requests of remote
    write 1.0."""
    prometheus = Prometheus(program, folder, folder / "theirs", receives=True, features=features)
    with BridgeProcess(folder, settings) as bridge, prometheus:
        for body in bodies:
            assert bridge.request("POST", "/api/v1/write", body, _HEADERS).status in {200, 204}
            status, told = prometheus.get("/api/v1/write", body, _HEADERS)
            assert status in {200, 204}, told
        yield (lambda path: bridge.request("GET", path).body), (lambda path: prometheus.get(path)[1])
