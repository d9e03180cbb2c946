"""Which exposition format a client pushes (source: prometheus/common `expfmt.ResponseFormat`)."""

from bridge.edge import DELIMITED_PROTO, media_type

__all__ = ["body_format"]


def body_format(content_type: str) -> str:
    """The format of a pushed body: `protobuf`, `openmetrics`, or `text` for everything else, as Pushgateway takes it.

    OpenMetrics bodies are ours: Pushgateway reads them as text and fails on what text does not have.
    """
    if content_type.startswith("text/plain") or not content_type:
        return "text"
    kind, params = media_type(content_type)
    if (
        kind == "application/vnd.google.protobuf"
        and params.get("encoding") == "delimited"
        and params.get("proto") == DELIMITED_PROTO
    ):
        return "protobuf"
    return "openmetrics" if kind == "application/openmetrics-text" else "text"
