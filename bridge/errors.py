"""Every refusal the bridge can answer with, and the one place that maps it to HTTP.

BridgeError
├── BadInput            400  the request is wrong; nothing changed
│   └── Inconsistent    400  the push contradicts what is stored
├── Unauthorized        401
├── SlowBody            408  the body trickles in, or has stopped
├── TooLarge            413  body, or what it decompresses to
├── UnsupportedType     415
├── QueryTooLarge       422  a query that would take more than it may
├── LimitReached        429  groups or series
├── Unreadable          500  what is stored is damaged
├── Unavailable         503  disk full, overload, shutting down; try again
└── ConfigError         --   a configuration file is wrong: every error with file:line:col
"""

__all__ = [
    "BadInput",
    "BridgeError",
    "ConfigError",
    "Inconsistent",
    "LimitReached",
    "QueryTooLarge",
    "SlowBody",
    "TooLarge",
    "Unauthorized",
    "Unavailable",
    "Unreadable",
    "UnsupportedType",
]


class BridgeError(Exception):
    """Base of all; `status` is what HTTP answers."""

    status = 500
    retry_after: int | None = None


class BadInput(BridgeError):
    """The request is wrong; nothing stored has changed."""

    status = 400


class Inconsistent(BadInput):
    """A push that contradicts what other groups hold, or that carries what a push may not."""


class Unauthorized(BridgeError):
    """No credentials, or wrong ones."""

    status = 401


class SlowBody(BridgeError):
    """A body that came too slowly to wait for."""

    status = 408


class TooLarge(BridgeError):
    """A body over its limit, compressed or not."""

    status = 413


class UnsupportedType(BridgeError):
    """A media type or an encoding that this route does not read."""

    status = 415


class QueryTooLarge(BridgeError):
    """A query that would take more series, samples or bytes than it may; `what` is which of them."""

    status = 422

    def __init__(self, text: str, what: str) -> None:
        super().__init__(text)
        self.what = what


class Unreadable(BridgeError):
    """What is stored cannot be read: the text names block, file and place."""


class LimitReached(BridgeError):
    """A configured bound on groups or series; the client may come back after others have gone."""

    status = 429


class Unavailable(BridgeError):
    """The bridge cannot make anything durable right now."""

    status = 503
    retry_after = 5


class ConfigError(BridgeError):
    """A configuration file cannot be used; `problems` lists each as `file:line:col: path: what`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
