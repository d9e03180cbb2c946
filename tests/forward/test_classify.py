"""The table of answers: every row of what is known about InfluxDB's, and the traps in it."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest

from bridge.forward.answer import Answer, Verdict
from bridge.forward.classify import Dialect, classify

OK, RETRY, SPLIT, HOLD = Verdict.OK, Verdict.RETRY, Verdict.SPLIT, Verdict.HOLD
PARTIAL, POISON = Verdict.PARTIAL, Verdict.POISON
CONFLICT = 'field type conflict: input field "value" on measurement "m" is type float, already exists as type integer'
RETENTION = "points beyond retention policy dropped=4"
OUTSIDE = (  # as InfluxDB 2.8.0 wrote it
    "dropped 1 points outside retention policy of duration 1h0m0s - oldest point m at 2026-11-30T07:33:26.253Z dropped"
    " because it violates a Retention Policy Lower Bound at 2026-11-30T08:33:26.264328578Z, newest point m at"
    " 2026-11-30T07:33:26.253Z dropped because it violates a Retention Policy Lower Bound at"
    " 2026-11-30T08:33:26.264328578Z dropped=1 for database: 0ab2a407350e883d for retention policy: autogen"
)
WROTE = "failure writing points to database: "
FAILED = "unexpected error writing points to database: "

V1 = [
    (204, "", OK),
    (200, "", HOLD),
    (200, "<html>", HOLD),
    (301, "", HOLD),
    (400, "unable to parse 'm v=': missing field value", POISON),
    (400, "partial write: unable to parse 'm v=': missing field value dropped=0", PARTIAL),
    (400, f"partial write: {CONFLICT} dropped=3", PARTIAL),
    (400, "partial write: points outside retention policy of duration 1h0m0s dropped=2", PARTIAL),
    (400, 'partial write: max-values-per-tag limit exceeded (1/1): measurement="m" dropped=1', PARTIAL),
    (400, "partial write: max-series-per-database limit exceeded: (1000000) dropped=1", PARTIAL),
    (400, "database is required", HOLD),
    (400, "something new", HOLD),
    (401, "unable to parse authentication credentials", HOLD),
    (403, '"u" user is not authorized to write to database "d"', HOLD),
    (404, 'database not found: "d"', HOLD),
    (413, "Request Entity Too Large", SPLIT),
    (500, "timeout", RETRY),
    (500, "engine: cache-max-memory-size exceeded: (1/1)", RETRY),
    (500, "retention policy not found: x", HOLD),
    (503, "request throttled, queue full", RETRY),
    (500, "partial write: points beyond retention policy dropped=1", PARTIAL),
    (0, "Connection refused", RETRY),
]

V2 = [
    (204, "", "", OK),
    (400, "invalid", "unable to parse 'm v=': missing field value\nunable to parse 'm': missing fields", POISON),
    (400, "invalid", "invalid precision; valid precision units are ns, us, ms, and s", HOLD),
    (400, "invalid", "bucket name is required", HOLD),
    (400, "invalid", "line protocol parsing error", POISON),
    (400, "invalid", "invalid column type for column 'value', expected f64, got i64", POISON),
    (400, "invalid", "error from wal: wal buffer full with 100000 ops", RETRY),
    (400, "invalid", "write buffer error: wal is shutdown", RETRY),
    (400, "invalid", "Update to schema would exceed number of tables per database", HOLD),
    (422, "", "Adding a new database would exceed limit of 5 databases", HOLD),
    (422, "unprocessable entity", f"{WROTE}partial write: {CONFLICT} dropped=3", PARTIAL),
    (422, "unprocessable entity", f"{WROTE}partial write: {RETENTION}", PARTIAL),
    (422, "unprocessable entity", f"{WROTE}partial write: {OUTSIDE}", PARTIAL),
    (422, "unprocessable entity", "who knows", HOLD),
    (500, "internal error", f"{FAILED}partial write: {RETENTION}", PARTIAL),
    (500, "internal error", f"{FAILED}{CONFLICT}", PARTIAL),
    (500, "internal error", f"{FAILED}timeout", RETRY),
    (500, "internal error", "An internal error has occurred - check server logs", RETRY),
    (401, "unauthorized", "unauthorized access", HOLD),
    (403, "forbidden", "insufficient permissions for write", HOLD),
    (404, "not found", 'bucket "b" not found', HOLD),
    (405, "", "", HOLD),
    (408, "", "context deadline exceeded", RETRY),
    (413, "request too large", "request too large", SPLIT),
    (429, "too many requests", "", RETRY),
    (499, "", "", RETRY),
    (502, "", "<html>bad gateway</html>", RETRY),
    (503, "unavailable", "", RETRY),
    (504, "", "", RETRY),
    (418, "", "", HOLD),
]


@pytest.mark.parametrize(("status", "text", "verdict"), V1)
def test_1x(status: int, text: str, verdict: Verdict) -> None:
    body = json.dumps({"error": text}).encode() if status >= 400 else text.encode()
    answer = Answer.read(status, body) if status else Answer(0, text)
    assert answer.text == text
    assert classify(answer, "v1").verdict is verdict


@pytest.mark.parametrize(("status", "code", "text", "verdict"), V2)
def test_2x(status: int, code: str, text: str, verdict: Verdict) -> None:
    body = json.dumps({"code": code, "message": text}).encode() if code else text.encode()
    answer = Answer.read(status, body)
    assert (answer.code, answer.text) == (code, text)
    assert classify(answer, "v2").verdict is verdict


def told(*lines: tuple[int, str]) -> list[dict[str, Any]]:
    return [{"original_line": "m v=", "line_number": number, "error_message": text} for number, text in lines]


V3 = [
    (204, "", None, OK),
    (200, "<html>Welcome</html>", None, HOLD),
    (400, "partial write of line protocol occurred", told((2, "invalid column type"), (7, "no fields")), PARTIAL),
    (400, "partial write of line protocol occurred", None, PARTIAL),
    (422, "partial write of line protocol occurred", told((1, "Update to schema would exceed number of tables")), HOLD),
    (400, "line protocol parsing error", told((1, "no fields"))[0], POISON),
    (400, "incoming write was empty", None, HOLD),
    (401, "", None, HOLD),
    (403, "", None, HOLD),
    (404, "", None, HOLD),
    (413, "request too large", None, SPLIT),
    (429, "", None, RETRY),
    (500, "error from wal: wal buffer full with 100000 ops", None, RETRY),
    (500, "wal is shutdown", None, RETRY),
    (503, "", None, RETRY),
]


@pytest.mark.parametrize(("status", "text", "data", "verdict"), V3)
def test_3(status: int, text: str, data: Any, verdict: Verdict) -> None:
    body = json.dumps({"error": text, "data": data}).encode() if status >= 400 and text else text.encode()
    ruling = classify(Answer.read(status, body), "v3")
    assert ruling.verdict is verdict
    if verdict in {PARTIAL, POISON}:
        lines = data if isinstance(data, list) else [data] if data else []
        assert ruling.numbered == {line["line_number"] - 1: line["error_message"] for line in lines}


@pytest.mark.parametrize(
    "data", [7, "x", [7], [{}], [{"line_number": "1"}], [{"line_number": 0}], {"line_number": None}]
)
def test_lines_that_are_told_oddly_are_not_told(data: Any) -> None:
    body = json.dumps({"error": "partial write of line protocol occurred", "data": data}).encode()
    assert classify(Answer.read(400, body), "v3").numbered == {}


@pytest.mark.parametrize(
    ("status", "text", "expired"),
    [
        (400, "partial write: points beyond retention policy dropped=3", True),
        (400, "partial write: points outside retention policy of duration 1h0m0s dropped=2", True),
        (422, f"{WROTE}partial write: {OUTSIDE}", True),
        (422, f"{WROTE}partial write: {RETENTION}", True),
        (500, f"{FAILED}{RETENTION}", True),
        (400, f"partial write: {CONFLICT} dropped=3", False),
        (400, "partial write: unable to parse 'm points beyond retention policy': x dropped=0", False),
    ],
)
def test_what_is_too_old_for_the_sink_is_told_from_what_is_wrong(status: int, text: str, expired: bool) -> None:
    ruling = classify(Answer(status, text), "v1")
    assert (ruling.verdict, ruling.expired) == (PARTIAL, expired)


def test_every_answer_has_a_verdict_and_only_204_is_good() -> None:
    bodies = [b"", b"[]", b"{", b'{"error":7}', b"\xff\x00", b'{"message":null}']
    dialects: list[Dialect] = ["v1", "v2", "v3"]
    for status, body, dialect in product([0, *range(100, 600), 999], bodies, dialects):
        verdict = classify(Answer.read(status, body), dialect).verdict
        assert (verdict is OK) == (status == 204)


def test_lines_that_are_quoted_decide_nothing() -> None:
    quoted = "unable to parse 'wal,x=retention\\ policy\\ not\\ found v=': partial write: error from wal"
    assert (
        classify(Answer.read(400, json.dumps({"code": "invalid", "message": quoted}).encode()), "v2").verdict is POISON
    )


def test_lines_named_whole_are_given_with_their_reasons() -> None:
    text = "partial write: unable to parse 'a v=': missing field value\nunable to parse 'b,x=it''s': it's bad dropped=0"
    ruling = classify(Answer(400, text), "v1")
    assert ruling.listed == {b"a v=": "missing field value", b"b,x=it''s": "it's bad"}
    assert ruling.dropped is None, "1.x says 0 here, and means something else"


def test_the_number_dropped_is_read() -> None:
    assert classify(Answer(422, f"{WROTE}partial write: {RETENTION}"), "v2").dropped == 4
    assert classify(Answer(422, f"{WROTE}partial write: {OUTSIDE}"), "v2").dropped == 1
    assert classify(Answer(400, "partial write: nobody knows how many"), "v1").dropped is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 30 ", 30.0),
        ("-1", None),
        ("soon", None),
        ("1e9", None),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("Tuesday, 14-Nov-23 22:13:50 GMT", 30.0),
        ("Tue Nov 14 22:13:50 2023", 30.0),
        ("Tue, 14 Nov 2023 22:13:10 GMT", 0.0),
        ("Tue, 34 Nov 2023 22:13:50 GMT", None),
        ("Tue, 14 Nov 99999999 22:13:50 GMT", None),
        ("", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert Answer.read(429, b"", header, now_ms=1_700_000_000_000).retry_after == seconds
