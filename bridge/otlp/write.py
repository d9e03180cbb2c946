"""`POST /api/v1/otlp/v1/metrics`: a request becomes one batch, durable before the answer.

| | answer |
|---|---|
| all points are stored | 200, an empty response |
| some could not be translated, or the store refused samples of them | 200, with how many and why |
| all of them | 400 with the reasons, so that no client sends them again |
| not a request; too large | 400; 413 |
| disk full, overload | 503 with Retry-After, nothing has changed |
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from starlette.types import Receive, Scope, Send

from bridge.clock import Clock
from bridge.config import Otlp
from bridge.edge import Gate, answer, decode_body, header, read_body, send_response, send_text
from bridge.errors import BadInput, BridgeError, TooLarge, UnsupportedType
from bridge.native import Batch, LabelsTooLong, OtlpDecoder, OtlpError
from bridge.otlp.answers import JSON, Form, form_of
from bridge.otlp.metrics import OtlpMetrics

__all__ = ["Append", "Appended", "OtlpLimits", "OtlpRoute"]


class Appended(Protocol):
    """What became of a batch: `bridge.buffer.AppendResult`."""

    @property
    def refused(self) -> int:
        """Samples that were left out."""

    @property
    def refusal(self) -> str | None:
        """Why the first of them was."""


Append = Callable[[Batch], Awaitable[Appended]]

REASON = 300  # characters of a refusal that are told


@dataclass(frozen=True, slots=True)
class OtlpLimits:
    """Bytes that one request may have: as sent, decompressed, and of labels, which each series of a point repeats."""

    body: int = 32 << 20
    decompressed: int = 64 << 20
    labels: int = 256 << 20


class Decoded(NamedTuple):
    """What a request held."""

    batch: Batch
    points: int
    refused: int
    reasons: list[str]


class OtlpRoute:
    """ASGI endpoint."""

    def __init__(
        self,
        append: Append,
        settings: Otlp,
        *,
        gate: Gate,
        clock: Clock,
        metrics: OtlpMetrics,
        limits: OtlpLimits | None = None,
    ) -> None:
        """`append` stores a partial batch: `bridge.buffer.Store.append`."""
        self._append = append
        self._settings = settings
        self._decoder = decoder(settings)
        self._gate = gate
        self._clock = clock
        self._metrics = metrics
        self._limits = limits or OtlpLimits()

    def configure(self, settings: Otlp) -> None:
        """Translate in this way from now on. Deltas that were added up so far begin anew when anything has changed."""
        if settings != self._settings:
            self._settings = settings
            self._decoder = decoder(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer in the form of the request."""
        if scope["method"] != "POST":
            await send_text(send, 405, "Method Not Allowed", [(b"allow", b"POST")])
            return
        form = JSON
        try:
            form = form_of(header(scope, b"content-type"))
            body = await self._write(form, scope, receive)
        except BridgeError as error:
            name = "none" if isinstance(error, UnsupportedType) else form.name
            self._metrics.requests.labels(name, str(error.status)).inc()
            await answer(send, error, form.render)
            return
        self._metrics.requests.labels(form.name, "200").inc()
        await send_response(send, 200, form.content_type, body)

    async def _write(self, form: Form, scope: Scope, receive: Receive) -> bytes:
        """The body of the answer."""
        limits = self._limits
        with self._gate.hold() as hold:
            raw = await read_body(scope, receive, limits.body, hold)
            encoding = header(scope, b"content-encoding")
            body = await decode_body(raw, encoding, limits.decompressed, hold, refuse_unknown=True)
            decoded = await self._decode(form, body)
            self._metrics.points.inc(decoded.points)
            self._metrics.refused.inc(decoded.refused)
            appended = await self._append(decoded.batch) if len(decoded.batch) else None
        return self._told(form, decoded, appended)

    async def _decode(self, form: Form, body: bytes) -> Decoded:
        def decode() -> Decoded:
            now = self._clock.now_ms()
            labels = self._limits.labels
            return Decoded(*self._decoder.decode(body, now, json=form is JSON, max_label_bytes=labels))

        try:
            return await self._gate.run(body, decode)
        except OtlpError as error:
            raise BadInput(str(error)) from None
        except LabelsTooLong as error:
            raise TooLarge(str(error)) from None

    def _told(self, form: Form, decoded: Decoded, appended: Appended | None) -> bytes:
        """The body of an answer to what was taken, at least in part. Raises BadInput when nothing was."""
        reasons = list(decoded.reasons)
        refused = decoded.refused
        if appended is not None and appended.refused:
            self._metrics.refused_samples.inc(appended.refused)
            first = (appended.refusal or "")[:REASON]  # labels in it are the client's
            reasons.append(f"{appended.refused} samples refused, the first: {first}")
            # The store counts samples; a point has at least one of them.
            refused = min(refused + appended.refused, decoded.points)
        nothing = not len(decoded.batch) or (appended is not None and appended.refused == len(decoded.batch))
        if decoded.points and nothing:
            raise BadInput("; ".join(reasons))
        return form.partial(refused, "; ".join(reasons)) if reasons else form.accepted


def decoder(settings: Otlp) -> OtlpDecoder:
    """The core's part for these settings."""
    strategy = settings.translation_strategy
    promote_all = settings.promote_all_resource_attributes
    return OtlpDecoder(
        escape=strategy.startswith("UnderscoreEscaping"),
        suffixes=strategy.endswith("WithSuffixes"),
        promote_all=promote_all,
        promote=settings.ignore_resource_attributes if promote_all else settings.promote_resource_attributes,
        keep_identifying=settings.keep_identifying_resource_attributes,
        custom_buckets=settings.convert_histograms_to_nhcb,
        scope_metadata=settings.promote_scope_metadata,
        key_before_underscore=settings.label_name_underscore_sanitization,
        keep_underscores=settings.label_name_preserve_multiple_underscores,
        delta_to_cumulative=settings.delta_to_cumulative,
        start_samples=settings.start_timestamps == "zero_sample",
    )
