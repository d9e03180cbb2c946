"""What every HTTP edge is built from: bodies within bounds, answers, refusals, authentication, the server itself.

Everything here is plain ASGI; an edge on a hot path is a callable that stands in front of the router.
"""

from bridge.edge.compress import compressed
from bridge.edge.encoding import decode_body
from bridge.edge.exposition import DELIMITED_PROTO, Exposition, media_type, negotiate
from bridge.edge.front import Front
from bridge.edge.gate import Gate, Hold
from bridge.edge.guard import Guard, WatchedPolicy
from bridge.edge.request import ClientGone, header, read_body
from bridge.edge.responses import Answering, Headers, answer, send_empty, send_json, send_response, send_text
from bridge.edge.server import Server, bind
from bridge.edge.stream import send_pieces
from bridge.edge.tls import server_context

__all__ = [
    "DELIMITED_PROTO",
    "Answering",
    "ClientGone",
    "Exposition",
    "Front",
    "Gate",
    "Guard",
    "Headers",
    "Hold",
    "Server",
    "WatchedPolicy",
    "answer",
    "bind",
    "compressed",
    "decode_body",
    "header",
    "media_type",
    "negotiate",
    "read_body",
    "send_empty",
    "send_json",
    "send_pieces",
    "send_response",
    "send_text",
    "server_context",
]
