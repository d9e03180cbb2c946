"""The web configuration in front of a real server: passwords, headers, and a file that changes."""

from __future__ import annotations

import base64
from pathlib import Path
from types import SimpleNamespace

import anyio
import bcrypt
import pytest
from starlette.types import Receive, Scope, Send

from bridge.edge import Answering, Guard, WatchedPolicy, passwords, send_text
from bridge.edge.passwords import WAITING_MAX, PasswordChecker
from bridge.errors import BadInput, ConfigError, Unavailable
from tests.buffer.told_clock import ToldClock
from tests.edge.serving import Wire, serving

pytestmark = pytest.mark.anyio


def hashed(password: str, cost: int = 4) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode().replace("$2b$", "$2y$")


def basic(user: str, password: str) -> str:
    return "Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def app(scope: Scope, _receive: Receive, send: Send) -> None:
    if scope["path"] == "/bad":
        raise BadInput("bad")
    await send_text(send, 200, "in", [(b"x-frame-options", b"sameorigin")])


def guard(path: Path, clock: ToldClock) -> Guard:
    return Guard(Answering(app), WatchedPolicy(path, clock))


def write(path: Path, text: str) -> None:
    """Replace the file as an editor does."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


async def test_who_gets_in(tmp_path: Path) -> None:
    file = tmp_path / "web.yml"
    write(file, f"basic_auth_users: {{alice: {hashed('pass:word')}, bob: {hashed('x')}}}")
    async with serving(guard(file, ToldClock())) as port, Wire.to(port) as wire:
        refused = await wire.ask("GET", "/")
        assert (refused.status, refused.body, refused.headers["www-authenticate"]) == (401, b"Unauthorized\n", "Basic")
        for _ in range(2):
            assert (await wire.ask("GET", "/", basic("alice", "pass:word"))).status == 200
        for wrong in (
            basic("alice", "x"),
            basic("mallory", "x"),
            basic("alice", ""),
            basic("alice", "pass:word\0"),
            "Authorization: Basic !!!",
            "Authorization: Basic",
            "Authorization: Bearer " + base64.b64encode(b"alice:pass:word").decode(),
            "Authorization: Basic " + base64.b64encode(b"alice").decode(),
        ):
            assert (await wire.ask("GET", "/", wrong)).status == 401, wrong
        assert (await wire.ask("GET", "/", basic("bob", "x").replace("Basic", "bAsIc"))).status == 200


async def test_headers_are_added_to_every_response(tmp_path: Path) -> None:
    file = tmp_path / "web.yml"
    headers = "{X-Frame-Options: deny, Strict-Transport-Security: max-age=1, X-XSS-Protection: ''}"
    write(file, f"http_server_config: {{headers: {headers}}}\nbasic_auth_users: {{a: {hashed('a')}}}")
    async with serving(guard(file, ToldClock())) as port, Wire.to(port) as wire:
        for path, credentials in (("/", basic("a", "a")), ("/bad", basic("a", "a")), ("/", "X: y")):
            reply = await wire.ask("GET", path, credentials)
            assert reply.headers["strict-transport-security"] == "max-age=1"
            assert "x-xss-protection" not in reply.headers
        allowed = await wire.ask("GET", "/", basic("a", "a"))
        assert allowed.headers["x-frame-options"] == "sameorigin"  # what the app says itself stands


async def test_the_file_is_followed_and_a_mistake_opens_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, clock = tmp_path / "web.yml", ToldClock()
    write(file, f"basic_auth_users: {{a: {hashed('old')}}}")
    async with serving(guard(file, clock)) as port, Wire.to(port) as wire:

        async def status(password: str) -> int:
            clock.now += 1_000
            return (await wire.ask("GET", "/", basic("a", password))).status

        assert await status("old") == 200
        write(file, f"basic_auth_users: {{a: {hashed('new')}}}")
        assert (await status("old"), await status("new")) == (401, 200)
        write(file, "basic_auth_users: {a: plain}")
        assert (await status("plain"), await status("new")) == (401, 200)
        file.unlink()
        assert (await status("plain"), await status("new")) == (401, 200)
        assert "expected a bcrypt hash" in capsys.readouterr().out
        write(file, "")
        assert await status("whatever") == 200


def test_a_bad_file_at_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        WatchedPolicy(tmp_path / "none.yml", ToldClock())


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The hashes that passwords were checked against, which is all that takes time."""
    found: list[bytes] = []

    def checkpw(password: bytes, hashed: bytes) -> bool:
        found.append(hashed)
        return bcrypt.checkpw(password, hashed)

    monkeypatch.setattr(passwords, "bcrypt", SimpleNamespace(checkpw=checkpw))
    return found


async def test_a_right_password_is_checked_once(checked: list[bytes]) -> None:
    users, checker = {b"a": hashed("x").encode()}, PasswordChecker()
    for _ in range(100):
        assert await checker.is_right(users, b"a", b"x")
    assert checked == [users[b"a"]]


async def test_many_at_once_with_the_same_password_cost_one_check(checked: list[bytes]) -> None:
    users, checker = {b"a": hashed("x").encode()}, PasswordChecker()
    results = []

    async def check() -> None:
        results.append(await checker.is_right(users, b"a", b"x"))

    async with anyio.create_task_group() as tasks:
        for _ in range(WAITING_MAX):
            tasks.start_soon(check)
    assert results == [True] * WAITING_MAX
    assert checked == [users[b"a"]]


async def test_a_flood_of_wrong_passwords_is_turned_away() -> None:
    users, checker = {b"a": hashed("x", 4).encode()}, PasswordChecker()
    refused = 0

    async def check(number: int) -> None:
        nonlocal refused
        try:
            assert not await checker.is_right(users, b"a", b"%d" % number)
        except Unavailable:
            refused += 1

    async with anyio.create_task_group() as tasks:
        for number in range(WAITING_MAX + 10):
            tasks.start_soon(check, number)
    assert refused == 10


async def test_an_unknown_user_costs_what_the_dearest_known_one_costs(checked: list[bytes]) -> None:
    users = {b"cheap": hashed("x", 4).encode(), b"dear": hashed("x", 5).encode(), b"too": hashed("x", 4).encode()}
    checker = PasswordChecker()
    for user in (b"nobody", b"dear"):
        assert not await checker.is_right(users, user, b"wrong")
    assert checked == [users[b"dear"]] * 2
    assert not await checker.is_right({}, b"nobody", b"x")


async def test_long_passwords_are_cut_like_everywhere_else() -> None:
    checker = PasswordChecker()
    users = {b"a": bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4))}
    assert await checker.is_right(users, b"a", b"x" * 100)
    assert not await checker.is_right(users, b"a", b"x" * 71)
