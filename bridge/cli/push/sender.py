"""Sends a push until it is answered: again after faults that may pass, never after an answer that will not change."""

import http.client
import random
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_before_delay, wait_exponential_jitter

from bridge.cli.push.payload import Target

__all__ = ["PushFailed", "send"]

ANSWER_LIMIT = 4096  # bytes of an error's text that are worth showing
PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


class PushFailed(Exception):
    """Why a push was not accepted; trying again would not help."""


class MayPass(PushFailed):
    """A fault that may be over soon, and how many seconds the server asked for."""

    def __init__(self, why: str, wait: float = 0.0) -> None:
        super().__init__(why)
        self.wait = wait


def send(target: Target, body: bytes, retry_for: float, say: Callable[[str], None]) -> int:
    """The status of the answer that accepted it. Raises PushFailed.

    Faults that may pass are tried again with growing, jittered waits, or the server's Retry-After when that is longer,
    as long as the next attempt would begin within `retry_for` seconds. `say` is told before each wait.
    """
    backoff = wait_exponential_jitter(initial=0.25, max=5.0, jitter=0.5)

    def wait(state: RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome else None
        asked = fault.wait + random.uniform(0, 0.5) if isinstance(fault, MayPass) and fault.wait else 0.0  # noqa: S311
        return max(backoff(state), asked)

    def before_sleep(state: RetryCallState) -> None:
        fault = state.outcome.exception() if state.outcome else None
        say(f"{fault}; trying again in {state.upcoming_sleep:.1f} s")

    retrying = Retrying(
        retry=retry_if_exception_type(MayPass),
        wait=wait,
        stop=stop_before_delay(retry_for),
        before_sleep=before_sleep,
        reraise=True,
    )
    return retrying(attempt, opener_for(target), target, body)


def opener_for(target: Target) -> urllib.request.OpenerDirector:
    """What speaks HTTP, or HTTPS with the authorities that the target wants trusted. Raises PushFailed."""
    if target.ca_file is None:
        return urllib.request.build_opener(NoRedirect)
    try:
        context = ssl.create_default_context(cafile=target.ca_file)
    except OSError as error:
        raise PushFailed(f"{target.ca_file}: {error.strerror or error}") from None
    return urllib.request.build_opener(NoRedirect, urllib.request.HTTPSHandler(context=context))


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected push would arrive as a GET, which succeeds and stores nothing."""

    def redirect_request(self, *_: object) -> None:
        """Never follow; the answer becomes an error that names the new place."""


def attempt(opener: urllib.request.OpenerDirector, target: Target, body: bytes) -> int:
    """One request. Raises MayPass or PushFailed."""
    request = urllib.request.Request(target.url, body, dict(target.fields), method=target.method)  # noqa: S310 - checked
    try:
        with opener.open(request, timeout=target.timeout) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        with error:
            raise refusal(target, error) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise PushFailed(f"{target.url}: {error.reason.verify_message}") from None
        raise MayPass(f"{target.url}: {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        raise MayPass(f"{target.url}: {error or type(error).__name__}") from None


def refusal(target: Target, error: urllib.error.HTTPError) -> PushFailed:
    """What an answer that is no success means."""
    try:
        text = " ".join(error.read(ANSWER_LIMIT).decode(errors="replace").split())
    except (OSError, http.client.HTTPException):
        text = ""
    why = f"{target.url}: {error.code} {error.reason}" + (f": {text}" if text else "")
    if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR or error.code in PASSING:
        asked = seconds_asked(error.headers.get("Retry-After", ""))
        return MayPass(f"{why} (come back in {asked:.0f} s)" if asked else why, asked)
    location = error.headers.get("Location")
    return PushFailed(f"{why} (use {location})" if location else why)


def seconds_asked(retry_after: str) -> float:
    """Retry-After as seconds from now; 0 when it is missing or unreadable."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return 0.0
