"""Which exposition format a client asked for.

Source: prometheus/common `expfmt.NegotiateIncludingOpenMetrics` and `Negotiate`.
"""

from dataclasses import dataclass
from email.message import Message

__all__ = ["DELIMITED_PROTO", "Exposition", "media_type", "negotiate"]

DELIMITED_PROTO = "io.prometheus.client.MetricFamily"
ESCAPINGS = {"allow-utf-8", "underscores", "dots", "values"}


@dataclass(frozen=True, slots=True)
class Exposition:
    """A format by its name in the core, its escaping scheme, and the Content-Type to answer with."""

    format: str
    escaping: str
    content_type: str


def negotiate(accept: str, *, openmetrics: bool = True) -> Exposition:
    """The best format for an Accept header; text 0.0.4 when there is none that we speak.

    Names that are not legacy ones are escaped with underscores unless the client says, of whatever format, that it can
    read them. Text 1.0.0 is none that we speak.
    """
    escaping = "underscores"
    for kind, params in _media_ranges(accept):
        if params.get("escaping") in ESCAPINGS:
            escaping = params["escaping"]
        version = params.get("version", "")
        if kind == "application/vnd.google.protobuf" and params.get("proto", DELIMITED_PROTO) == DELIMITED_PROTO:
            if params.get("encoding", "delimited") == "delimited":
                content_type = f"{kind}; proto={DELIMITED_PROTO}; encoding=delimited; escaping={escaping}"
                return Exposition("protobuf", escaping, content_type)
        elif openmetrics and kind == "application/openmetrics-text" and version in {"", "0.0.1", "1.0.0"}:
            content_type = f"{kind}; version={version or '0.0.1'}; charset=utf-8; escaping={escaping}"
            return Exposition("openmetrics", escaping, content_type)
        elif kind == "text/plain" and version in {"", "0.0.4"}:
            break
    return Exposition("text", escaping, f"text/plain; version=0.0.4; charset=utf-8; escaping={escaping}")


def _media_ranges(accept: str) -> list[tuple[str, dict[str, str]]]:
    """Media types with their parameters, best quality first, as many as a sane header has."""
    ranges = []
    for item in accept.split(",")[:32]:
        kind, params = media_type(item)
        try:
            quality = float(params.pop("q", "1"))
        except ValueError:
            continue
        if kind and quality > 0:
            ranges.append((quality, kind, params))
    ranges.sort(key=lambda r: -r[0])  # stable: what is named first wins among equals
    return [(kind, params) for _, kind, params in ranges]


def media_type(value: str) -> tuple[str, dict[str, str]]:
    """A media type and its parameters; empty for what is none."""
    message = Message()
    message["Content-Type"] = value.strip()
    pairs = message.get_params([])
    return message.get_content_type() if "/" in value else "", {name.lower(): text for name, text in pairs[1:]}
