"""The web configuration file as ASGI middleware: basic auth and extra headers in front of every route."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.clock import Clock
from bridge.config import WebConfig, load_web_config
from bridge.edge.fingerprint import fingerprint
from bridge.edge.passwords import PasswordChecker
from bridge.edge.request import header
from bridge.edge.responses import answer
from bridge.errors import BridgeError, ConfigError, Unauthorized

__all__ = ["Guard", "WatchedPolicy"]

logger = structlog.get_logger(__name__)

LOOK_INTERVAL = 1.0  # seconds between two looks at the file


@dataclass(frozen=True)
class Policy:
    """What the file asks for, in the form in which requests need it."""

    users: Mapping[bytes, bytes]
    headers: list[tuple[bytes, bytes]]

    @classmethod
    def of(cls, config: WebConfig) -> "Policy":
        """Names and hashes as bytes; headers that are blank are not sent."""
        users = {name.encode(): hashed.reveal().encode() for name, hashed in config.basic_auth_users.items()}
        headers = config.http_server_config.headers.items()
        return cls(users, [(name.lower().encode(), value.encode()) for name, value in headers if value])


class WatchedPolicy:
    """The policy of a file, which is read again within a second of a change.

    A file that cannot be used any more is logged and changes nothing: no mistake opens the door.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        """Raises ConfigError when the file is bad from the start."""
        self._path = path
        self._clock = clock
        self._looked = clock.monotonic()
        self._seen = fingerprint(path)
        self._policy = Policy.of(load_web_config(path))

    def current(self) -> Policy:
        """The newest usable policy."""
        now = self._clock.monotonic()
        if now - self._looked >= LOOK_INTERVAL:
            self._looked = now
            seen = fingerprint(self._path)
            if seen != self._seen:
                self._seen = seen
                self._read_again()
        return self._policy

    def _read_again(self) -> None:
        try:
            self._policy = Policy.of(load_web_config(self._path))
        except ConfigError as error:
            logger.error("web configuration is bad, keeping the last good one", problems=error.problems)  # noqa: TRY400
        else:
            logger.info("web configuration read again", file=self._path)


class Guard:
    """ASGI middleware that lets a request pass when the policy does."""

    def __init__(self, app: ASGIApp, policy: WatchedPolicy) -> None:
        self.app = app
        self.policy = policy
        self.passwords = PasswordChecker()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or hand the request on."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        policy = self.policy.current()
        if policy.headers:
            send = with_headers(send, policy.headers)
        try:
            if policy.users:
                await self._authenticate(policy, header(scope, b"authorization"))
        except BridgeError as error:
            await answer(send, error)
            return
        await self.app(scope, receive, send)

    async def _authenticate(self, policy: Policy, authorization: bytes | None) -> None:
        credentials = basic_credentials(authorization)
        if credentials is None or not await self.passwords.is_right(policy.users, *credentials):
            raise Unauthorized("Unauthorized")


def basic_credentials(authorization: bytes | None) -> tuple[bytes, bytes] | None:
    """User and password of an Authorization header; None when it is missing or of another kind."""
    scheme, _, token = (authorization or b"").partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        user, colon, password = base64.b64decode(token.strip(), validate=True).partition(b":")
    except binascii.Error:
        return None
    return (user, password) if colon else None


def with_headers(send: Send, headers: list[tuple[bytes, bytes]]) -> Send:
    """A `send` that adds headers to the response unless the app has set them itself."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = message.get("headers", [])
            names = {name for name, _ in own}
            message = {**message, "headers": [*own, *(item for item in headers if item[0] not in names)]}
        await send(message)

    return send_with_headers
