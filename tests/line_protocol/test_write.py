"""Line protocol in: what is stored, what is refused and in which words, and that a refusal changes nothing."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from bridge.clock import SystemClock
from bridge.line_protocol import LineLimits
from tests.line_protocol.edge import edge

pytestmark = pytest.mark.anyio

WRITES = ("/write", "/api/v2/write")


@pytest.mark.parametrize("path", WRITES)
async def test_points_become_series(tmp_path: Path, path: str) -> None:
    async with edge(tmp_path) as e:
        body = 'cpu,host=a usage=1.5,idle=2i,up=true,note="x" 5000\nup,job=j value=1 6000\n# done\n'
        assert await e.write(body, f"{path}?precision=ms&db=d&org=o&bucket=b") == (204, "")
        assert e.lines == [
            '{__name__="cpu_idle", host="a"} 2 5000',
            '{__name__="cpu_up", host="a"} 1 5000',
            '{__name__="cpu_usage", host="a"} 1.5 5000',
            '{__name__="up", job="j"} 1 6000',
        ]
        assert e.registry.get_sample_value("pushbridge_line_protocol_samples_total") == 4
        assert e.registry.get_sample_value("pushbridge_line_protocol_skipped_fields_total") == 1


@pytest.mark.parametrize("path", WRITES)
async def test_gzip_is_read(tmp_path: Path, path: str) -> None:
    async with edge(tmp_path) as e:
        status, _ = await e.write(gzip.compress(b"m value=1 1000000"), path, **{"Content-Encoding": "gzip"})
        assert (status, e.lines) == (204, ['{__name__="m"} 1 1'])


async def test_points_without_time_get_the_servers(tmp_path: Path) -> None:
    async with edge(tmp_path) as e:
        before = SystemClock().now_ms()
        await e.write("m value=1\nm value=1\nn value=2")
        times = [int(line.rsplit(" ", 1)[1]) for line in e.lines]
        assert len(times) == 2
        assert all(before <= t <= SystemClock().now_ms() for t in times)


@pytest.mark.parametrize("body", ["", "\n\n", "# only a comment"])
async def test_nothing_is_fine_too(tmp_path: Path, body: str) -> None:
    async with edge(tmp_path) as e:
        assert await e.write(body) == (204, "")


@pytest.mark.parametrize(
    ("path", "want"),
    [
        ("/write", {"error": "unable to parse 'cpu': missing fields (line 2)"}),
        ("/api/v2/write", {"code": "invalid", "message": "unable to parse 'cpu': missing fields (line 2)"}),
    ],
)
async def test_a_bad_line_is_named_and_nothing_is_stored(tmp_path: Path, path: str, want: dict[str, str]) -> None:
    async with edge(tmp_path) as e:
        status, text = await e.write("ok value=1 1\ncpu\nok value=2 2", path)
        assert (status, json.loads(text), e.lines) == (400, want, [])


REFUSED = [
    ("/write?precision=d", "m value=1", {}, 400, 'invalid precision "d"'),
    ("/api/v2/write?precision=h", "m value=1", {}, 400, "invalid precision"),
    ("/write", b"m\xff value=1", {}, 400, "not UTF-8"),
    ("/write", b"not gzip", {"Content-Encoding": "gzip"}, 400, ""),
    ("/write", b"m value=1", {"Content-Encoding": "br"}, 415, "br"),
    ("/write", b"m value=1 1\n" * 200, {}, 413, "larger than 1000 bytes"),
    ("/write", gzip.compress(b"m value=1 1\n" * 2000), {"Content-Encoding": "gzip"}, 413, "after decompression"),
    ("/write", "m,t=" + "x" * 300 + " " + ",".join(f"f{i}=1" for i in range(100)), {}, 413, "bytes of labels"),
]


@pytest.mark.parametrize(("path", "body", "headers", "status", "text"), REFUSED)
async def test_refusals(
    tmp_path: Path, path: str, body: bytes, headers: dict[str, str], status: int, text: str
) -> None:
    async with edge(tmp_path, limits=LineLimits(body=1000, decompressed=10_000, labels=20_000)) as e:
        got, answer = await e.write(body, path, **headers)
        assert got == status
        assert text in json.loads(answer)["message" if "v2" in path else "error"]
        assert e.lines == []


@pytest.mark.parametrize("path", WRITES)
async def test_a_store_that_cannot_asks_to_come_back(tmp_path: Path, path: str) -> None:
    async with edge(tmp_path, broken=True) as e, e.session.post(path, data="m value=1") as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "5")
        assert "disk full" in await response.text()


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/write", 400, "partial write: out of order sample: "),
        ("/api/v2/write", 422, "failure writing points to database: partial write: out of order sample: "),
    ],
)
async def test_samples_that_come_too_late_do_not_keep_the_others_out(
    tmp_path: Path, path: str, status: int, text: str
) -> None:
    async with edge(tmp_path) as e:
        await e.write("m value=2 2\nn value=2 2", "/write?precision=ms")
        got, answer = await e.write("m value=1 1\nn value=3 3\nm value=3 3\nm value=9 2", f"{path}?precision=ms")
        message = next(iter(reversed(json.loads(answer).values())))
        assert got == status
        assert message.startswith(text)
        assert message.endswith("dropped=2")
        assert [line for line in e.lines if line.endswith(" 3")] == ['{__name__="m"} 3 3', '{__name__="n"} 3 3']


async def test_a_batch_that_is_sent_again_is_taken_again(tmp_path: Path) -> None:
    async with edge(tmp_path) as e:
        body = "\n".join(f"m,n={n % 3} value={n} {n}" for n in range(30))
        for _ in range(3):
            assert await e.write(body, "/write?precision=ms") == (204, "")
        assert len(e.lines) == 30


async def test_methods(tmp_path: Path) -> None:
    async with edge(tmp_path) as e:
        for path, method in [("/write", "GET"), ("/api/v2/write", "PUT"), ("/ping", "POST"), ("/query", "DELETE")]:
            async with e.session.request(method, path) as response:
                assert (response.status, "Allow" in response.headers) == (405, True)
