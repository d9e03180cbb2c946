"""From the path of a push URL to a grouping key.

Source: Pushgateway's `splitLabels` and its routes, `/metrics/job[@base64]/<job>{/<name>[@base64]/<value>}`. As
there, the path is percent-decoded *before* it is split, so `%2F` separates and values with a slash need `@base64`.

Two checks are ours: bytes that are not UTF-8, and a `U__` name that decodes to a reserved one. Pushgateway lets both
in, and then refuses every push of everybody until the group is deleted.
"""

import base64
import re
from urllib.parse import unquote_to_bytes

from bridge.errors import BadInput
from bridge.model import unescape_name

__all__ = ["Key", "parse_push_path"]

Key = tuple[tuple[str, str], ...]
"""Label pairs, `job` first; a name given twice means its last value."""

_BASE64_SUFFIX = "@base64"
_LEGACY_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_BAD_ESCAPE = re.compile(rb"%(?![0-9a-fA-F]{2})")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9_-]")


def parse_push_path(raw: bytes, *, utf8_names: bool) -> Key | None:
    """The grouping key in what follows `/metrics/` in a path; None if it is not a push path at all.

    Raises BadInput with Pushgateway's texts.
    """
    path = _decode_path(raw)
    head, slash, rest = path.partition("/")
    if head not in ("job", "job" + _BASE64_SUFFIX) or not slash:
        return None
    job, slash, labels = rest.partition("/")
    if head != "job":
        try:
            job = _from_base64(job)
        except ValueError as error:
            raise BadInput(f'invalid base64 encoding in job name "": {error}') from None
    pairs = _split_labels(slash + labels, utf8_names=utf8_names)
    if not job:
        raise BadInput("job name is required")
    return (*((name, value) for name, value in pairs if name != "job"), ("job", job))


def _decode_path(raw: bytes) -> str:
    if b"%" in raw:
        if _BAD_ESCAPE.search(raw):
            raise BadInput("400 Bad Request")
        raw = unquote_to_bytes(raw)
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise BadInput(f"the path is not valid UTF-8 at byte {error.start}: grouping labels must be UTF-8") from None


def _split_labels(labels: str, *, utf8_names: bool) -> list[tuple[str, str]]:
    if len(labels) <= 1:
        return []
    parts = labels[1:].split("/")
    if len(parts) % 2:
        raise BadInput(f"odd number of components in label string {_quote(labels)}")
    return [_label(parts[i], parts[i + 1], utf8_names=utf8_names) for i in range(0, len(parts), 2)]


def _label(name: str, value: str, *, utf8_names: bool) -> tuple[str, str]:
    raw_name = name.removesuffix(_BASE64_SUFFIX)
    label = unescape_name(raw_name) if utf8_names else raw_name
    valid = bool(label) if utf8_names else _LEGACY_NAME.match(label)
    if not valid or raw_name.startswith("__") or label.startswith("__"):
        raise BadInput(f"improper label name {_quote(raw_name)}")
    if raw_name == name:
        return label, value
    try:
        return label, _from_base64(value)
    except ValueError as error:
        raise BadInput(f"invalid base64 encoding for label {raw_name}={_quote(value)}: {error}") from None


def _from_base64(text: str) -> str:
    """URL alphabet, any number of `=` at the end; errors are worded as by Go's decoder."""
    bare = text.rstrip("=")
    bad = _NOT_BASE64.search(bare)
    if bad is not None or len(bare) % 4 == 1:
        at = len(bare[: bad.start()].encode()) if bad else len(bare) - 1
        raise ValueError(f"illegal base64 data at input byte {at}")
    decoded = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    try:
        return decoded.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"the decoded value is not valid UTF-8 at byte {error.start}") from None


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
