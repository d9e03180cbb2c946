"""What an InfluxDB's answer means for the lines that were sent: a table from status and text to a verdict.

The status alone does not tell: 2.x before 2.0.4 says a partial write with 500, InfluxDB 3 says an overload on
`/api/v2/write` with 400, 1.x says a missing retention policy with 500. So rules match the beginning of the text, never
its middle, which may quote the very lines that were refused. Nothing here ever means "drop".
"""

import enum
import json
import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Literal

__all__ = ["RULES", "Answer", "Dialect", "Rule", "Ruling", "Verdict", "classify"]

Dialect = Literal["v1", "v2"]


class Verdict(enum.Enum):
    """What became of the lines, and so what to do next."""

    OK = "ok"  # stored
    RETRY = "retry"  # unknown or not stored, by no fault of theirs: again, with back-off
    SPLIT = "split"  # not stored: too large at once
    PARTIAL = "partial"  # all but some stored; the answer does not say which
    POISON = "poison"  # none stored because of some; the answer may not say which
    HOLD = "hold"  # not stored until a human has changed something: keep everything, ask slowly


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, or the lack of one.

    Attributes:
        status: HTTP status; 0 when none came (refused connection, reset, timeout).
        text: the message, out of its JSON wrapping; of no answer, what went wrong.
        code: 2.x's machine-readable code, else empty.
        retry_after: seconds that the sink asked to wait.
    """

    status: int
    text: str = ""
    code: str = ""
    retry_after: float | None = None

    @classmethod
    def read(cls, status: int, body: bytes, retry_after: str | None = None, *, now_ms: int = 0) -> "Answer":
        """From a response that came at `now_ms`: 1.x wraps its text as `{"error"}`, 2.x as `{"code", "message"}`, a
        proxy not at all. `retry_after` is the header as it came."""
        text, code = body.decode(errors="replace").strip(), ""
        try:
            wrapped = json.loads(text)
        except ValueError:
            wrapped = None
        if isinstance(wrapped, dict):
            texts = (wrapped.get("message"), wrapped.get("error"))
            text = next((told for told in texts if isinstance(told, str)), text)
            code = str(wrapped.get("code") or "")
        return cls(status, text, code, _seconds(retry_after or "", now_ms))


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
        dialect: the only dialect it is about; None for both.
        code: the only 2.x code it is about; empty for any.
        advice: what the operator should look at.
    """

    statuses: range
    verdict: Verdict
    text: str = ""
    dialect: Dialect | None = None
    code: str = ""
    advice: str = ""

    def fits(self, answer: Answer, dialect: Dialect) -> bool:
        """True when this row speaks about `answer`."""
        return (
            answer.status in self.statuses
            and (self.dialect is None or self.dialect == dialect)
            and (not self.code or self.code == answer.code)
            and re.match(self.text, answer.text, re.IGNORECASE) is not None
        )


def _only(status: int) -> range:
    return range(status, status + 1)


_ERRORS = range(400, 600)
_WRITE_FAILED = r"(failure writing points to database: |unexpected error writing points to database: )?"

RULES = (
    Rule(_only(0), Verdict.RETRY),
    Rule(_only(204), Verdict.OK),
    Rule(_only(401), Verdict.HOLD, advice="check token, or username and password"),
    Rule(_only(403), Verdict.HOLD, advice="the credentials may not write there"),
    Rule(_only(404), Verdict.HOLD, advice="create the database or bucket, or correct url, org, bucket, db, rp"),
    # Texts that mean the same under whatever other status they come.
    Rule(_ERRORS, Verdict.PARTIAL, _WRITE_FAILED + "partial write"),
    Rule(_ERRORS, Verdict.PARTIAL, _WRITE_FAILED + "(points (beyond|outside) retention policy|field type conflict)"),
    Rule(_ERRORS, Verdict.POISON, "unable to parse '"),
    Rule(_ERRORS, Verdict.HOLD, "retention policy not found", advice="create the retention policy or correct rp"),
    Rule(
        range(400, 500),
        Verdict.HOLD,
        "(update to schema would exceed number of|adding a new database would exceed limit of)",
        advice="the sink has reached a limit on databases, tables or columns",
    ),
    # InfluxDB 3 answers every trouble of its write buffer on /api/v2/write with 400, overload included.
    Rule(_only(400), Verdict.RETRY, "(write buffer error: )?(error (from|in) wal|wal (buffer full|is shutdown))"),
    # Requests that are wrong as such, whatever lines they carry.
    Rule(_only(400), Verdict.HOLD, "database is required", "v1", advice="set db"),
    Rule(_only(400), Verdict.HOLD, "(invalid precision|invalid consistency)", advice="is this an InfluxDB?"),
    Rule(
        _only(400),
        Verdict.HOLD,
        "(please provide|bucket|organization|invalid org)",
        "v2",
        "invalid",
        "check org, bucket",
    ),
    # 2.x and 3 say `invalid` of a body whose lines cannot be read or do not fit the schema; nothing of it is stored.
    Rule(_only(400), Verdict.POISON, "", "v2", "invalid"),
    Rule(_only(400), Verdict.POISON, "(line protocol|parsing error|invalid (column|number|field|boolean))"),
    Rule(_only(408), Verdict.RETRY),
    Rule(_only(413), Verdict.SPLIT),
    Rule(_only(425), Verdict.RETRY),
    Rule(_only(429), Verdict.RETRY),
    Rule(_only(499), Verdict.RETRY),
    Rule(range(500, 600), Verdict.RETRY),
    Rule(range(200, 300), Verdict.HOLD, advice="only 204 says that lines were stored: is this an InfluxDB?"),
    Rule(range(300, 400), Verdict.HOLD, advice="the sink redirects: correct url"),
    Rule(range(1000), Verdict.HOLD, advice="an answer that is not known to mean anything"),
)


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict with its grounds.

    Attributes:
        verdict: what it means.
        answer: what it rests on.
        advice: for HOLD: what to look at.
        dropped: PARTIAL: how many lines the sink says it dropped, where that number can be believed.
        listed: line -> reason, for lines that the text names whole.
    """

    verdict: Verdict
    answer: Answer
    advice: str
    dropped: int | None
    listed: dict[bytes, str]


_DROPPED = re.compile(r"dropped=([0-9]+)\W*$")
_LISTED = re.compile(r"unable to parse '(.*?)': (.*?)(?: dropped=[0-9]+)?$", re.MULTILINE)


def classify(answer: Answer, dialect: Dialect) -> Ruling:
    """The verdict of the first row that fits; the last row fits everything."""
    rule = next(rule for rule in RULES if rule.fits(answer, dialect))
    dropped, listed = None, {}
    if rule.verdict in {Verdict.PARTIAL, Verdict.POISON}:
        listed = {line.encode(): reason for line, reason in _LISTED.findall(answer.text)}
        count = _DROPPED.search(answer.text)
        # After a line that cannot be parsed 1.x writes `dropped=0`, which counts something else.
        dropped = int(count[1]) if count is not None and not listed else None
    return Ruling(rule.verdict, answer, rule.advice, dropped, listed)
