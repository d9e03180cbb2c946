"""One row of the contract, and short ways to write one."""

from __future__ import annotations

from dataclasses import dataclass, field

PMI = "pushed metrics are invalid or inconsistent with existing metrics: "
TWO = 'some_metric 3.14\nanother_metric{instance="testinstance",job="testjob"} 42\n'


@dataclass(frozen=True)
class Step:
    """One request and what must come back; `text` is a part of the body."""

    method: str
    path: str
    body: str | bytes = b""
    status: int = 200
    text: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """Steps, then the pushed series that `/metrics` shows: lines without the values of push times."""

    name: str
    steps: list[Step]
    metrics: list[str] | None = None
    groups: list[dict[str, str]] | None = None


def post(path: str, body: str | bytes = b"", status: int = 200, text: str | None = None, **headers: str) -> Step:
    return Step("POST", f"/metrics/{path}", body, status, text, {k.replace("_", "-"): v for k, v in headers.items()})


def put(path: str, body: str | bytes = b"", status: int = 200, text: str | None = None, **headers: str) -> Step:
    return Step("PUT", f"/metrics/{path}", body, status, text, {k.replace("_", "-"): v for k, v in headers.items()})


def delete(path: str, status: int = 202, text: str | None = None) -> Step:
    return Step("DELETE", f"/metrics/{path}", b"", status, text)


def one(name: str, body: str | bytes, text: str, status: int = 400) -> Row:
    """A body that is refused without a trace."""
    return Row(name, [post("job/j", body, status, text)], metrics=[], groups=[])


def ok(name: str, body: str | bytes, *metrics: str) -> Row:
    return Row(name, [post("job/j", body)], metrics=list(metrics))
