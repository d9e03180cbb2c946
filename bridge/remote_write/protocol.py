"""Which message a request says it carries, and the headers of an answer.

Sources: the specifications of remote write 1.0 and 2.0, and Prometheus' receiver where they leave room.
"""

from enum import IntEnum

from bridge.edge import Headers
from bridge.errors import UnsupportedType

__all__ = ["Version", "check_encoding", "negotiate", "written"]

MEDIA_TYPE = b"application/x-protobuf"


class Version(IntEnum):
    """The two versions, by the number that the core knows them by."""

    V1 = 1
    V2 = 2


MESSAGES = {b"prometheus.WriteRequest": Version.V1, b"io.prometheus.write.v2.Request": Version.V2}


def negotiate(content_type: bytes | None) -> Version:
    """The version by the `proto` parameter of Content-Type; 1.0 when there is none. Raises UnsupportedType."""
    media, *parameters = (content_type or MEDIA_TYPE).split(b";")
    if media.strip().lower() != MEDIA_TYPE:
        raise UnsupportedType(f"expected application/x-protobuf as the media type, got {shown(content_type)}")
    for parameter in parameters:
        name, _, value = parameter.strip().partition(b"=")
        if name.strip().lower() == b"proto":
            version = MESSAGES.get(value.strip().strip(b'"'))
            if version is None:
                known = ", ".join(message.decode() for message in MESSAGES)
                raise UnsupportedType(f"unknown remote write message in {shown(content_type)}; known are {known}")
            return version
    return Version.V1


def check_encoding(encoding: bytes | None) -> None:
    """Raises UnsupportedType for anything but snappy, which is what a request without the header is taken for."""
    if encoding and encoding.strip().lower() != b"snappy":
        raise UnsupportedType(f"{shown(encoding)} is not accepted as Content-Encoding; only snappy is")


def written(samples: int, histograms: int, exemplars: int) -> Headers:
    """What 2.0 tells of a request, whatever became of it."""
    counts = ((b"samples", samples), (b"histograms", histograms), (b"exemplars", exemplars))
    return [(b"x-prometheus-remote-write-%s-written" % name, b"%d" % count) for name, count in counts]


def shown(value: bytes | None) -> str:
    """A header's value in an error."""
    return repr((value or b"")[:200].decode("latin-1"))
