"""`/api/v1/status/tsdb/blocks` and `/api/v1/admin/tsdb/*`, as Prometheus has them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import parse_qs

import anyio.to_thread
import structlog
from starlette.types import Receive, Scope, Send

from bridge.api.envelope import Form, read_form, send_data, send_error
from bridge.api.selectors import selectors
from bridge.edge import Gate, send_empty, send_text
from bridge.errors import BadInput, ConfigError
from bridge.model import Matcher, parse_time
from bridge.native import BlockDamaged, Head, cardinality

__all__ = ["BlockStatus", "HeadStatus", "Store", "TsdbAdmin"]

logger = structlog.get_logger(__name__)

LARGEST_LIMIT = 10_000
MIN_TIME, MAX_TIME = -(1 << 63), (1 << 63) - 1
TRUE, FALSE = {"1", "t", "T", "TRUE", "true", "True"}, {"0", "f", "F", "FALSE", "false", "False"}


class BlockStatus:
    """ASGI endpoint. `metas` gives what the meta.json of each block in use says."""

    def __init__(self, metas: Callable[[], Sequence[Mapping[str, Any]]]) -> None:
        self._metas = metas

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """GET: the blocks, oldest first."""
        if scope["method"] != "GET":
            await send_text(send, 405, "Method Not Allowed", [(b"allow", b"GET")])
            return
        await send_data(send, {"blocks": list(self._metas())})


class HeadStatus:
    """ASGI endpoint: what is in memory, and which labels make how many series of it."""

    def __init__(self, head: Head) -> None:
        self._head = head

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """GET with `limit` (10, at most 10000)."""
        if scope["method"] != "GET":
            await send_text(send, 405, "Method Not Allowed", [(b"allow", b"GET")])
            return
        given = parse_qs(scope["query_string"].decode("latin-1")).get("limit", ["10"])[0]
        if not given.isascii() or not given.isdigit() or not int(given[:19]) or len(given) > 19:
            await send_error(send, "bad_data", "limit must be a positive number")
            return
        if int(given) > LARGEST_LIMIT:
            await send_error(send, "bad_data", f"limit must not exceed {LARGEST_LIMIT}")
            return
        found = await anyio.to_thread.run_sync(cardinality, self._head, int(given))
        head = self._head
        await send_data(
            send,
            {
                "headStats": {
                    "numSeries": head.series,
                    "numLabelPairs": found.label_pairs,
                    "chunkCount": head.chunks,
                    "minTime": MAX_TIME if head.min_time is None else head.min_time,
                    "maxTime": MIN_TIME if head.max_time is None else head.max_time,
                },
                "seriesCountByMetricName": _counts(found.series_by_metric),
                "labelValueCountByLabelName": _counts(found.values_by_label),
                "memoryInBytesByLabelName": _counts(found.bytes_by_label),
                "seriesCountByLabelValuePair": _counts(found.series_by_pair),
            },
        )


class Store(Protocol):
    """What is administered. Every method raises OSError when a file cannot be written."""

    async def delete_series(self, matchers: Sequence[Matcher], mint: int, maxt: int) -> None:
        """Leave out samples in [mint, maxt] ms. Raises ValueError for a matcher that cannot be one."""

    async def clean_tombstones(self) -> None:
        """Rewrite what has deletions."""

    async def snapshot(self, *, skip_head: bool = False) -> str:
        """Make a copy; its name."""


class TsdbAdmin:
    """ASGI endpoints, POST and PUT. When not `enabled`, each says so."""

    def __init__(self, store: Store, gate: Gate, *, enabled: bool) -> None:
        self._store = store
        self._gate = gate
        self._enabled = enabled

    async def delete_series(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`match[]` (required, repeatable), `start`, `end`: 204 when the samples are gone for every reader."""
        await self._answer(scope, receive, send, self._delete_series)

    async def clean_tombstones(self, scope: Scope, receive: Receive, send: Send) -> None:
        """204 when what was deleted is gone from disk too."""
        await self._answer(scope, receive, send, self._clean_tombstones)

    async def snapshot(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`skip_head`: the name of a directory below `snapshots/` of the store."""
        await self._answer(scope, receive, send, self._snapshot)

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, work: Callable[[Form], Awaitable[object]]
    ) -> None:
        if scope["method"] not in {"POST", "PUT"}:
            await send_text(send, 405, "Method Not Allowed", [(b"allow", b"POST, PUT")])
            return
        if not self._enabled:
            await send_error(send, "unavailable", "admin APIs disabled")
            return
        try:
            data = await work(await read_form(scope, receive, self._gate))
        except BadInput as error:
            await send_error(send, "bad_data", str(error))
        except (OSError, ValueError, ConfigError) as error:  # the disk, or a block on it
            logger.warning("administration failed", path=scope["path"], reason=str(error))
            await send_error(send, "internal", str(error))
        else:
            await (send_empty(send, 204) if data is None else send_data(send, data))

    async def _delete_series(self, form: Form) -> None:
        if not form.get("match[]"):
            raise BadInput("no match[] parameter provided")
        mint, maxt = _time(form, "start", MIN_TIME), _time(form, "end", MAX_TIME)
        if maxt < mint:
            raise BadInput("end timestamp must not be before start time")
        wanted = _selectors(form["match[]"])  # all of them before anything is deleted
        for matchers in wanted:
            try:
                await self._store.delete_series(matchers, mint, maxt)
            except BlockDamaged:
                raise
            except ValueError as error:
                raise _invalid("match[]", error) from None

    async def _clean_tombstones(self, _form: Form) -> None:
        await self._store.clean_tombstones()

    async def _snapshot(self, form: Form) -> Mapping[str, str]:
        given = _first(form, "skip_head") or "false"
        if given not in TRUE | FALSE:
            raise _invalid("skip_head", f'unable to parse boolean: "{given}"')
        return {"name": await self._store.snapshot(skip_head=given in TRUE)}


def _counts(counts: Sequence[tuple[str, int]]) -> list[Mapping[str, Any]]:
    return [{"name": name, "value": value} for name, value in counts]


def _first(form: Form, name: str) -> str:
    return next(iter(form.get(name, ())), "")


def _time(form: Form, name: str, default: int) -> int:
    given = _first(form, name)
    if not given:
        return default
    try:
        return parse_time(given)
    except ValueError as error:
        raise _invalid(name, error) from None


def _selectors(texts: Sequence[str]) -> list[tuple[Matcher, ...]]:
    try:
        return selectors(texts)
    except BadInput as error:
        raise _invalid("match[]", error) from None


def _invalid(name: str, why: object) -> BadInput:
    return BadInput(f'invalid parameter "{name}": {why}')
