"""Which exposition format a client asked for, and which one it pushes.

Source: prometheus/common `expfmt.NegotiateIncludingOpenMetrics` and `ResponseFormat`.
"""

from dataclasses import dataclass
from email.message import Message

__all__ = ["Exposition", "body_format", "negotiate"]

_ESCAPINGS = {"allow-utf-8", "underscores", "dots", "values"}
_PROTO = "io.prometheus.client.MetricFamily"


@dataclass(frozen=True, slots=True)
class Exposition:
    """A format by its name in the core, its escaping scheme, and the Content-Type to answer with."""

    format: str
    escaping: str
    content_type: str


def negotiate(accept: str) -> Exposition:
    """The best format for an Accept header; text 0.0.4 when there is none that we speak.

    Names that are not legacy ones are escaped with underscores unless the client says that it can read them.
    """
    for kind, params in _media_ranges(accept):
        escaping = params.get("escaping", "underscores")
        escaping = escaping if escaping in _ESCAPINGS else "underscores"
        version = params.get("version", "")
        if kind == "application/vnd.google.protobuf" and params.get("proto", _PROTO) == _PROTO:
            if params.get("encoding", "delimited") == "delimited":
                content_type = f"{kind}; proto={_PROTO}; encoding=delimited; escaping={escaping}"
                return Exposition("protobuf", escaping, content_type)
        elif kind == "application/openmetrics-text" and version in {"", "0.0.1", "1.0.0"}:
            content_type = f"{kind}; version={version or '0.0.1'}; charset=utf-8; escaping={escaping}"
            return Exposition("openmetrics", escaping, content_type)
        elif kind == "text/plain" and version in {"", "0.0.4", "1.0.0"}:
            return _text(version or "0.0.4", escaping)
    return _text("0.0.4", "underscores")


def _text(version: str, escaping: str) -> Exposition:
    return Exposition("text", escaping, f"text/plain; version={version}; charset=utf-8; escaping={escaping}")


def _media_ranges(accept: str) -> list[tuple[str, dict[str, str]]]:
    """Media types with their parameters, best quality first, as many as a sane header has."""
    ranges = []
    for item in accept.split(",")[:32]:
        kind, params = _parse(item)
        try:
            quality = float(params.pop("q", "1"))
        except ValueError:
            continue
        if kind and quality > 0:
            ranges.append((quality, kind, params))
    ranges.sort(key=lambda r: -r[0])  # stable: what is named first wins among equals
    return [(kind, params) for _, kind, params in ranges]


def _parse(value: str) -> tuple[str, dict[str, str]]:
    message = Message()
    message["Content-Type"] = value.strip()
    pairs = message.get_params([])
    return message.get_content_type() if "/" in value else "", {name.lower(): text for name, text in pairs[1:]}


def body_format(content_type: str) -> str:
    """The format of a pushed body: `protobuf`, `openmetrics`, or `text` for everything else, as Pushgateway takes it.

    OpenMetrics bodies are ours: Pushgateway reads them as text and fails on what text does not have.
    """
    if content_type.startswith("text/plain") or not content_type:
        return "text"
    kind, params = _parse(content_type)
    if (
        kind == "application/vnd.google.protobuf"
        and params.get("encoding") == "delimited"
        and params.get("proto") == _PROTO
    ):
        return "protobuf"
    return "openmetrics" if kind == "application/openmetrics-text" else "text"
