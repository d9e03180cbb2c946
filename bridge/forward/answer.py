"""What an answer is, and what it can mean for the samples that were sent: the words in which every sink is judged."""

import enum
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime

__all__ = ["PAGE", "REFUSED", "TIMEOUT", "UNSENT", "Answer", "Rule", "Ruling", "Verdict", "only"]

UNSENT = "unsent"  # the code of an answer that cannot have come: there was no connection
TIMEOUT = "timeout"  # the code of an answer that did not come in time
REFUSED = "proxy"  # the code of an answer that cannot have come: a proxy wants something else of us
PAGE = "page"  # the code of an answer that is made for people


class Verdict(enum.Enum):
    """What became of the samples, and so what to do next."""

    OK = "ok"  # stored
    RETRY = "retry"  # unknown or not stored, by no fault of theirs: again, with back-off
    SPLIT = "split"  # not stored: too large at once
    PARTIAL = "partial"  # all but some stored; the answer does not say which
    POISON = "poison"  # none stored because of some; the answer may not say which
    DOUBT = "doubt"  # not stored, because of some or whatever there is; the answer says nothing that is known
    REPACK = "repack"  # not stored: at once again, in another form
    HOLD = "hold"  # not stored until a human has changed something: keep everything, ask slowly


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, or the lack of one.

    Attributes:
        status: HTTP status; 0 when none came (refused connection, reset, timeout).
        text: the message, out of its JSON wrapping; of no answer, what went wrong.
        code: 2.x's machine-readable code; `UNSENT`; `REFUSED`; `TIMEOUT`; `PAGE`; else empty.
        retry_after: seconds that the sink asked to wait.
        numbered: number of a line in the request, from 0, -> what is wrong with it, as InfluxDB 3 tells.
    """

    status: int
    text: str = ""
    code: str = ""
    retry_after: float | None = None
    numbered: Mapping[int, str] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """The message for whoever is on call: of a partial write, with what is wrong with the first line."""
        reason = next(filter(None, self.numbered.values()), "")
        return f"{self.text}: {reason}" if reason else self.text

    @property
    def may_be_stored(self) -> bool:
        """True when the samples can have been stored although the answer does not say so, or none came."""
        return (
            self.status >= 500 or self.status in {408, 499} or (self.status == 0 and self.code not in {UNSENT, REFUSED})
        )

    @classmethod
    def read(cls, status: int, body: bytes, retry_after: str | None = None, *, now_ms: int = 0) -> "Answer":
        """From a response that came at `now_ms`: 1.x wraps its text as `{"error"}`, 2.x as `{"code", "message"}`, 3 as
        `{"error", "data"}`, a proxy not at all. `retry_after` is the header as it came."""
        text, code, numbered = body.decode(errors="replace").strip(), "", {}
        try:
            wrapped = json.loads(text)
        except ValueError:
            wrapped = None
        if isinstance(wrapped, dict):
            texts = (wrapped.get("message"), wrapped.get("error"))
            text = next((told for told in texts if isinstance(told, str)), text)
            code = str(wrapped.get("code") or "")
            numbered = _numbered(wrapped.get("data"))
        return cls(status, text, code, _seconds(retry_after or "", now_ms), numbered)


def _numbered(data: object) -> dict[int, str]:
    """What InfluxDB 3 tells of lines: `[{"line_number": 1, "error_message": ...}, ...]`, or one of these alone."""
    found = {}
    for told in data if isinstance(data, list) else [data]:
        if isinstance(told, dict) and isinstance(number := told.get("line_number"), int) and number >= 1:
            found[number - 1] = str(told.get("error_message") or "")
    return found


def _seconds(retry_after: str, now_ms: int) -> float | None:
    """`Retry-After` in seconds from now, given so or as a date; None for anything else (RFC 9110, 10.2.3)."""
    if re.fullmatch(r"[0-9]{1,9}", retry_after.strip()):
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(until.replace(tzinfo=until.tzinfo or UTC).timestamp() - now_ms / 1000, 0.0)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: the first one that fits decides.

    Attributes:
        statuses: the statuses it is about.
        verdict: what it means.
        text: what the text begins with, as a case-insensitive regular expression; empty fits any.
        dialect: the only dialect it is about; None for all.
        code: the only 2.x code it is about; empty for any.
        advice: what the operator should look at.
        expired: the lines that are refused are older than what the sink keeps.
    """

    statuses: range
    verdict: Verdict
    text: str = ""
    dialect: str | None = None
    code: str = ""
    advice: str = ""
    expired: bool = False

    def fits(self, answer: Answer, dialect: str) -> bool:
        """True when this row speaks about `answer`."""
        return (
            answer.status in self.statuses
            and (self.dialect is None or self.dialect == dialect)
            and (not self.code or self.code == answer.code)
            and re.match(self.text, answer.text, re.IGNORECASE) is not None
        )


def only(status: int) -> range:
    """The statuses of a rule about one."""
    return range(status, status + 1)


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict with its grounds.

    Attributes:
        verdict: what it means.
        answer: what it rests on.
        advice: for HOLD: what to look at.
        dropped: PARTIAL: how many lines the sink says it dropped, where that number can be believed.
        listed: line -> reason, for lines that the text names whole.
        numbered: number of a line, from 0, -> reason, for lines that are told by number.
        expired: what is refused is older than what the sink keeps.
        series: series -> a reason for each of its samples that was refused, where the text names series.
        unsure: an earlier request with these samples may have been stored.
    """

    verdict: Verdict
    answer: Answer
    advice: str = ""
    dropped: int | None = None
    listed: Mapping[bytes, str] = field(default_factory=dict)
    numbered: Mapping[int, str] = field(default_factory=dict)
    expired: bool = False
    series: Mapping[bytes, list[str]] = field(default_factory=dict)
    unsure: bool = False
