"""What is known beside samples: `/metadata` and `/query_exemplars` (source: Prometheus' `web/api/v1/api.go`)."""

from collections.abc import Iterable, Mapping, Sequence

from anyio import to_thread

from bridge.api.endpoint import Call
from bridge.api.envelope import Reply
from bridge.errors import BadInput
from bridge.native import Head

__all__ = ["Metadata"]

Told = tuple[str, str, str]
"""(type, unit, help)."""

SUFFIXES = {
    "histogram": ("_bucket", "_count", "_sum"),
    "gaugehistogram": ("_bucket", "_gcount", "_gsum", "_count", "_sum"),
    "summary": ("_count", "_sum"),
}


class Metadata:
    """What `/metadata` does: type, unit and help of metrics, of those that were pushed or written here."""

    def __init__(self, head: Head) -> None:
        self._head = head

    async def __call__(self, call: Call) -> Reply:
        """By metric family; `metric` is one, `limit` bounds families, `limit_per_metric` what is told of each."""
        most, most_each = _count(call, "limit"), _count(call, "limit_per_metric")
        wanted = call.first("metric")
        families = families_of(await to_thread.run_sync(self._head.metadata))
        if wanted:
            families = {wanted: families[wanted]} if wanted in families else {}
        names = list(families)[: None if most < 0 else most]
        bound = most_each if most_each > 0 else None
        return Reply.of({name: [_entry(told) for told in families[name][:bound]] for name in names})


def families_of(metrics: Mapping[str, Iterable[Told]]) -> Mapping[str, Sequence[Told]]:
    """What is told of each family, where the store knows it of each of a family's series."""
    families: dict[str, dict[Told, None]] = {}
    for name, all_told in metrics.items():
        for told in all_told:
            suffix = next((end for end in SUFFIXES.get(told[0], ()) if name.endswith(end)), "")
            families.setdefault(name.removesuffix(suffix), {})[told] = None
    return {name: list(told) for name, told in sorted(families.items())}


def _entry(told: Told) -> Mapping[str, str]:
    kind, unit, help_text = told
    return {"type": kind, "help": help_text, "unit": unit}


def _count(call: Call, name: str) -> int:
    given = call.first(name)
    if not given:
        return -1
    digits = given.removeprefix("-").removeprefix("+")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        raise BadInput(f"{name} must be a number")
    return int(given)
