"""What an InfluxDB's answer means for the lines that were sent: a table from status and text to a verdict.

The status alone does not tell: 2.x before 2.0.4 says a partial write with 500, InfluxDB 3 says an overload on
`/api/v2/write` with 400, 1.x says a missing retention policy with 500. So rules match the beginning of the text, never
its middle, which may quote the very lines that were refused. Nothing here ever means "drop".
"""

import re
from typing import Literal

from bridge.forward.answer import REFUSED, Answer, Rule, Ruling, Verdict, only

__all__ = ["RULES", "Dialect", "classify"]

Dialect = Literal["v1", "v2", "v3"]

_ERRORS = range(400, 600)
_WRITE_FAILED = r"(failure writing points to database: |unexpected error writing points to database: )?"

_TOO_OLD = "(dropped [0-9]+ )?points (beyond|outside) retention policy"
_LIMITS = "the sink has reached a limit on databases, tables or columns"

RULES = (
    Rule(only(0), Verdict.HOLD, code=REFUSED, advice="check proxy_url and what the proxy allows"),
    Rule(only(0), Verdict.RETRY),
    Rule(only(204), Verdict.OK),
    Rule(only(401), Verdict.HOLD, advice="check token, or username and password"),
    Rule(only(403), Verdict.HOLD, advice="the credentials may not write there"),
    Rule(only(404), Verdict.HOLD, advice="create the database or bucket, or correct url, org, bucket, db, rp"),
    Rule(only(407), Verdict.HOLD, advice="check the credentials in proxy_url"),
    # InfluxDB 3 has stored all lines but those that would make it exceed a limit: the series wait with all others.
    Rule(only(422), Verdict.HOLD, "", "v3", advice=_LIMITS),
    # Texts that mean the same under whatever other status they come.
    Rule(_ERRORS, Verdict.PARTIAL, _WRITE_FAILED + "(partial write: )?" + _TOO_OLD, expired=True),
    Rule(_ERRORS, Verdict.PARTIAL, _WRITE_FAILED + "(partial write|field type conflict)"),
    Rule(_ERRORS, Verdict.POISON, "unable to parse '"),
    Rule(_ERRORS, Verdict.HOLD, "retention policy not found", advice="create the retention policy or correct rp"),
    Rule(
        range(400, 500),
        Verdict.HOLD,
        "(update to schema would exceed number of|adding a new database would exceed limit of)",
        advice=_LIMITS,
    ),
    # InfluxDB 3 answers every trouble of its write buffer on /api/v2/write with 400, overload included.
    Rule(only(400), Verdict.RETRY, "(write buffer error: )?(error (from|in) wal|wal (buffer full|is shutdown))"),
    # Requests that are wrong as such, whatever lines they carry.
    Rule(only(400), Verdict.HOLD, "database is required", "v1", advice="set db"),
    Rule(only(400), Verdict.HOLD, "(missing|invalid|serde error:.*) .*(db|database)", "v3", advice="check db"),
    Rule(only(400), Verdict.HOLD, "(invalid precision|invalid consistency)", advice="is this an InfluxDB?"),
    Rule(
        only(400),
        Verdict.HOLD,
        "(please provide|bucket|organization|invalid org)",
        "v2",
        "invalid",
        "check org, bucket",
    ),
    # 2.x and 3 say `invalid` of a body whose lines cannot be read or do not fit the schema; nothing of it is stored.
    Rule(only(400), Verdict.POISON, "", "v2", "invalid"),
    Rule(only(400), Verdict.POISON, "(line protocol|parsing error|invalid (column|number|field|boolean))"),
    Rule(only(408), Verdict.RETRY),
    Rule(only(413), Verdict.SPLIT),
    Rule(only(425), Verdict.RETRY),
    Rule(only(429), Verdict.RETRY),
    Rule(only(499), Verdict.RETRY),
    Rule(range(500, 600), Verdict.RETRY),
    Rule(range(200, 300), Verdict.HOLD, advice="only 204 says that lines were stored: is this an InfluxDB?"),
    Rule(range(300, 400), Verdict.HOLD, advice="the sink redirects: correct url"),
    Rule(range(1000), Verdict.HOLD, advice="an answer that is not known to mean anything"),
)

_DROPPED = re.compile(r"dropped=([0-9]+)( for database: .*)?\W*$")  # 2.8 goes on to say where
_LISTED = re.compile(r"unable to parse '(.*?)': (.*?)(?: dropped=[0-9]+)?$", re.MULTILINE)


def classify(answer: Answer, dialect: Dialect) -> Ruling:
    """The verdict of the first row that fits; the last row fits everything."""
    rule = next(rule for rule in RULES if rule.fits(answer, dialect))
    dropped, listed, numbered = None, {}, {}
    if rule.verdict in {Verdict.PARTIAL, Verdict.POISON}:
        listed = {line.encode(): reason for line, reason in _LISTED.findall(answer.text)}
        numbered = dict(answer.numbered)
        count = _DROPPED.search(answer.text)
        # After a line that cannot be parsed 1.x writes `dropped=0`, which counts something else.
        dropped = int(count[1]) if count is not None and not listed else None
    return Ruling(rule.verdict, answer, rule.advice, dropped, listed, numbered, rule.expired)
