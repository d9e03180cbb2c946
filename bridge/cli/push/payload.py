"""What is pushed and where to: the path of a group, and metrics from the command line as exposition text."""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bridge.errors import BadInput
from bridge.model import parse_selector

__all__ = ["Target", "exposition", "group_path"]

LEGACY_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LEGACY_METRIC = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
VALUE = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|Inf)|NaN")


@dataclass(frozen=True)
class Target:
    """Where a push goes, and how."""

    url: str
    method: str
    fields: Mapping[str, str]  # header fields
    timeout: float  # seconds for one attempt
    ca_file: Path | None = None  # whom to trust instead of the system's authorities


def group_path(job: str, labels: Mapping[str, str]) -> str:
    """`/metrics/job/...` of a group. Values that a path would change or split travel as base64.

    Raises BadInput for a group that no server accepts.
    """
    if not job:
        raise BadInput("the job needs a name")
    if "job" in labels:
        raise BadInput("the job's name is given with --job, not as a label")
    if "" in labels:
        raise BadInput("a label needs a name")
    return "/metrics/" + "/".join(path_pair(name, value) for name, value in [("job", job), *sorted(labels.items())])


def path_pair(name: str, value: str) -> str:
    """`name/value`, or `name@base64/...`; `=` alone stands for the empty value."""
    raw = value.encode(errors="surrogateescape")
    # What urlsafe characters there are, proxies and servers leave alone; "." and ".." they do not.
    if raw and quote(raw, safe="") == value and value not in {".", ".."}:
        return f"{path_name(name)}/{value}"
    return f"{path_name(name)}@base64/{base64.urlsafe_b64encode(raw).decode() or '='}"


def path_name(name: str) -> str:
    """A label name; one that is not an identifier is escaped as `U__`, underscores doubled, the rest `_hex_`."""
    if LEGACY_LABEL.fullmatch(name):
        return name
    return "U__" + "".join(escape_character(character) for character in name)


def escape_character(character: str) -> str:
    """One character of a `U__` name."""
    if character == "_":
        return "__"
    return character if character.isascii() and character.isalnum() else f"_{ord(character):x}_"


def exposition(metrics: Iterable[str]) -> str:
    r"""`rows=42`, `rows{table="a"}=42`, `{"my.rows"}=42` as text format 0.0.4.

    A name that ends in `_total` is a counter, any other a gauge. Raises BadInput that names the metric.
    """
    families: dict[str, list[str]] = {}
    for metric in metrics:
        name, line = sample(metric)
        families.setdefault(name, []).append(line)
    lines = []
    for name, samples in families.items():
        kind = "counter" if name.endswith("_total") else "gauge"
        lines += [f"# TYPE {name if LEGACY_METRIC.fullmatch(name) else quoted(name)} {kind}", *samples]
    return "".join(f"{line}\n" for line in lines)


def sample(metric: str) -> tuple[str, str]:
    """The name and the text line of one metric."""
    series, equals, value = metric.rpartition("=")
    if not equals or not VALUE.fullmatch(value):
        raise BadInput(f"{metric}: expected NAME=VALUE with a number as value")
    try:
        matchers = parse_selector(series)
    except BadInput as error:
        raise BadInput(f"{metric}: {error}") from None
    if any(matcher.op != "=" for matcher in matchers):
        raise BadInput(f"{metric}: labels are written name=value")
    labels = {matcher.name: matcher.value for matcher in matchers}
    if len(labels) < len(matchers):
        raise BadInput(f"{metric}: a label is given twice")
    name = labels.pop("__name__", "")
    if not name:
        raise BadInput(f"{metric}: the metric needs a name")
    return name, f"{series_text(name, labels)} {value}"


def series_text(name: str, labels: Mapping[str, str]) -> str:
    """A series in the text format; names that are not identifiers are quoted, the metric's inside the braces."""
    pairs = [f"{key if LEGACY_LABEL.fullmatch(key) else quoted(key)}={quoted(value)}" for key, value in labels.items()]
    if not LEGACY_METRIC.fullmatch(name):
        return "{" + ",".join([quoted(name), *pairs]) + "}"
    return name + ("{" + ",".join(pairs) + "}" if pairs else "")


def quoted(text: str) -> str:
    """A string of the text format."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
