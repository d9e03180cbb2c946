"""What a remote-write receiver's answer means for the samples that were sent.

Receivers agree on little beside the classes of status codes, so the texts that are known decide, and a 400 that says
nothing known is a doubt: perhaps some samples are to blame, perhaps the request as such is. Nothing here means "drop".
"""

import re
from collections import defaultdict
from collections.abc import Mapping

from bridge.forward.answer import PAGE, REFUSED, Answer, Rule, Ruling, Verdict, only

__all__ = ["RULES", "is_late", "judge"]

_SAMPLES = (
    r"(out of order (sample|exemplar|histogram)|duplicate sample for timestamp|out of bounds|too old sample|"
    r"invalid (labels|label name|label value|metric name|sample|histogram|native histogram)|"
    r"label name .* is not unique|histogram |parsing labels for series|metric name is missing|"
    r"(negative|cumulative|span|custom|observations?) )"
)

RULES = (
    Rule(only(0), Verdict.HOLD, code=REFUSED, advice="check proxy_url and what the proxy allows"),
    Rule(only(0), Verdict.RETRY),
    Rule(range(200, 300), Verdict.HOLD, "", None, PAGE, "a web page answers there: correct url"),
    Rule(range(200, 300), Verdict.OK),
    Rule(only(401), Verdict.HOLD, advice="check basic_auth, authorization or oauth2"),
    Rule(only(403), Verdict.HOLD, advice="the credentials may not write there"),
    Rule(only(404), Verdict.HOLD, advice="check url; a Prometheus needs --web.enable-remote-write-receiver"),
    Rule(only(407), Verdict.HOLD, advice="check the credentials in proxy_url"),
    Rule(only(408), Verdict.RETRY),
    Rule(only(413), Verdict.SPLIT),
    Rule(only(415), Verdict.REPACK, "", "v2"),
    Rule(only(415), Verdict.HOLD, advice="the receiver takes no remote write 1.0: set protobuf_message"),
    Rule(only(425), Verdict.RETRY),
    Rule(only(429), Verdict.RETRY),
    Rule(only(499), Verdict.RETRY),
    Rule(range(500, 600), Verdict.RETRY),
    # Prometheus takes nothing of a 1.0 request that it answers so. Of 2.0 the counts tell, before this table is asked.
    Rule(only(400), Verdict.POISON, _SAMPLES),
    # Mimir and Cortex store the others, and say which series the first bad sample was of.
    Rule(only(400), Verdict.PARTIAL, r".*\berr-mimir-"),
    Rule(only(400), Verdict.PARTIAL, r"user=.*series="),
    Rule(only(400), Verdict.DOUBT, advice="is it the samples, or does the receiver want other requests?"),
    Rule(only(422), Verdict.DOUBT, advice="is it the samples, or does the receiver want other requests?"),
    Rule(range(300, 400), Verdict.HOLD, advice="the receiver redirects: correct url"),
    Rule(range(1000), Verdict.HOLD, advice="an answer that is not known to mean anything"),
)

_OF_SERIES = re.compile(r"([^\n]*?) for series (\{.*?\})(?=\n|$|;)", re.MULTILINE)
_LATE = re.compile(
    r"out of order sample|too old sample|out of bounds|err-mimir-(sample-out-of-order|sample-timestamp-too-old)",
    re.IGNORECASE,
)


def is_late(reason: str) -> bool:
    """True when a sample was refused because newer ones of its series are stored: perhaps it is one of those itself."""
    return _LATE.search(reason) is not None


def judge(answer: Answer, version: int, sent: int, written: int | None) -> Ruling:
    """The verdict on a request of `sent` samples; `written` is what the receiver says it stored, None when it says
    nothing. To a 2.0 request that is 0: its headers are required, and a receiver of 1.0 that finds no series in it says
    204 too."""
    dialect = f"v{version}"
    rule = next(rule for rule in RULES if rule.fits(answer, dialect))
    if rule.verdict is Verdict.OK and version == 2 and not written:
        return Ruling(Verdict.REPACK, answer, "the receiver answers as if nothing had been in a request of 2.0")
    series: Mapping[bytes, list[str]] = {}
    if answer.status == 400:
        series = _by_series(answer.text)
        if version == 2 and written is not None and (series or written):
            if written >= sent:
                return Ruling(Verdict.OK, answer)  # it is exemplars or metadata that were refused
            return Ruling(Verdict.PARTIAL, answer, rule.advice, sent - written, series=series)
    return Ruling(rule.verdict, answer, rule.advice, series=series)


def _by_series(text: str) -> Mapping[bytes, list[str]]:
    """Reasons by the series that they name, once for each sample refused."""
    found: dict[bytes, list[str]] = defaultdict(list)
    for reason, series in _OF_SERIES.findall(text):
        if "exemplar" not in reason:  # a sample is not refused with its exemplar
            found[series.encode()].append(reason.strip())
    return found
