"""Asking a bridge, or any Prometheus, over HTTP."""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

import click

from bridge.cli.query.source import Answer, Span

__all__ = ["Server"]

TIMEOUT = 150.0  # seconds; more than a server's own limit, whose error is clearer than ours
ERROR_LIMIT = 1 << 20

Form = Sequence[tuple[str, str]]


class Server:
    """What answers below a URL. Methods raise ClickException with the server's words."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def instant(self, query: str, time: int) -> Answer:
        """The value of an expression at a time, ms."""
        return self._ask("/query", [("query", query), ("time", seconds(time))])

    def range(self, query: str, start: int, end: int, step: float) -> Answer:
        """The values of an expression from `start` to `end`, every `step` ms."""
        times = [("start", seconds(start)), ("end", seconds(end)), ("step", f"{step / 1000}")]
        return self._ask("/query_range", [("query", query), *times])

    def series(self, selectors: Sequence[str], span: Span) -> Answer:
        """Label sets."""
        return self._ask("/series", [*matches(selectors), *bounds(span)])

    def labels(self, name: str | None, selectors: Sequence[str], span: Span) -> Answer:
        """Names of labels, or the values of one."""
        form = [*matches(selectors), *bounds(span)]
        if name is None:
            return self._ask("/labels", form)
        return self._ask(f"/label/{urllib.parse.quote(name, safe='')}/values", form, post=False)

    def _ask(self, path: str, form: Form, *, post: bool = True) -> Answer:
        address, encoded = f"{self._url}/api/v1{path}", urllib.parse.urlencode(form)
        body = encoded.encode() if post else None
        request = urllib.request.Request(address if post else f"{address}?{encoded}", body)  # noqa: S310 - an option
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                return read(json.loads(answer.read()))
        except urllib.error.HTTPError as error:
            with error:
                raise click.ClickException(refusal(error)) from None
        except urllib.error.URLError as error:
            raise click.ClickException(f"{self._url}: {error.reason}") from None
        except (OSError, http.client.HTTPException) as error:
            raise click.ClickException(f"{self._url}: {error or type(error).__name__}") from None
        except (ValueError, KeyError):
            raise click.ClickException(f"{self._url}: the answer is not that of Prometheus' API") from None


def read(document: Mapping[str, Any]) -> Answer:
    """An answer from its envelope."""
    data = json.dumps(document["data"], ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(data, document.get("warnings") or (), document.get("infos") or ())


def refusal(error: urllib.error.HTTPError) -> str:
    """Why it was refused."""
    text = error.read(ERROR_LIMIT).decode(errors="replace")
    try:
        document = json.loads(text)
        return f"{document['errorType']}: {document['error']}"
    except (ValueError, KeyError, TypeError):
        return f"{error.url}: {error.code} {error.reason}: {' '.join(text.split())}"


def seconds(ms: int) -> str:
    """Milliseconds as the API wants them."""
    return f"{ms / 1000:.3f}"


def matches(selectors: Sequence[str]) -> Form:
    """Selectors as parameters."""
    return [("match[]", selector) for selector in selectors]


def bounds(span: Span) -> Form:
    """Times as parameters, as far as they were given."""
    ends = (("start", span.mint), ("end", span.maxt))
    return [(name, seconds(ms)) for name, ms in ends if ms is not None]
