"""A load client that costs next to nothing: ready-made requests over keep-alive sockets, one thread a connection."""

import itertools
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Connection", "Load", "request_bytes", "run"]


def request_bytes(method: str, path: str, body: bytes = b"", headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """One HTTP/1.1 request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers)]
    if body or method in {"POST", "PUT"}:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Connection:
    """A keep-alive connection to a loopback port; reads answers with a Content-Length or in chunks."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def request(self, data: bytes) -> tuple[int, int]:
        """Send and wait; (status, length of the body)."""
        self._socket.sendall(data)
        head = self._until(b"\r\n\r\n").lower()
        status = int(head[9:12])
        if b"transfer-encoding: chunked" in head:
            return status, self._chunked()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        self._skip(length)
        return status, length

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _chunked(self) -> int:
        total = 0
        while size := int(self._until(b"\r\n").split(b";")[0], 16):
            self._skip(size + 2)
            total += size
        self._skip(2)
        return total

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._fill()
        found, self._buffer = self._buffer.split(mark, 1)
        return found

    def _skip(self, count: int) -> None:
        while len(self._buffer) < count:
            count -= len(self._buffer)
            self._buffer = b""
            self._fill()
        self._buffer = self._buffer[count:]

    def _fill(self) -> None:
        data = self._socket.recv(1 << 18)
        if not data:
            raise ConnectionError("closed by the server")
        self._buffer += data


@dataclass(frozen=True)
class Load:
    """What a run of requests came to; latencies in seconds, sorted."""

    wall: float
    latencies: list[float]
    refused: int

    @property
    def count(self) -> int:
        """Requests answered."""
        return len(self.latencies)

    def percentile(self, part: float) -> float:
        """The latency that `part` of the requests did not exceed, in ms."""
        return self.latencies[min(self.count - 1, int(self.count * part))] * 1e3


def run(port: int, lanes: Sequence[Sequence[bytes]], seconds: float = 60.0) -> Load:
    """Send each lane's requests one after the other, all lanes at once, for `seconds` at most."""
    latencies: list[list[float]] = [[] for _ in lanes]
    refused = [0] * len(lanes)
    deadline = time.perf_counter() + seconds

    def send(lane: int) -> None:
        connection = Connection(port)
        for data in lanes[lane]:
            start = time.perf_counter()
            status, _ = connection.request(data)
            end = time.perf_counter()
            latencies[lane].append(end - start)
            refused[lane] += status not in {200, 202, 204}
            if end > deadline:
                break
        connection.close()

    threads = [threading.Thread(target=send, args=(lane,)) for lane in range(len(lanes))]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Load(time.perf_counter() - begin, sorted(itertools.chain.from_iterable(latencies)), sum(refused))
