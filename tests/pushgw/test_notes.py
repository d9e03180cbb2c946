"""Pushed exemplars and metadata: in the head, and in the log only when they are new."""

from __future__ import annotations

from bridge.native import Framer, Head, PushTable, parse_families

KEY = [("job", "j")]
EVER = (-(1 << 62), 1 << 62)

FIRST = """# HELP latency_seconds How long it took.
# TYPE latency_seconds histogram
# UNIT latency_seconds seconds
latency_seconds_bucket{le="0.5"} 3 # {trace_id="abc"} 0.43 1700000000.5
latency_seconds_bucket{le="+Inf"} 4
latency_seconds_sum 1.5
latency_seconds_count 4
# TYPE done counter
done_total 7 # {trace_id="def"} 1
# EOF
"""


class Pushed:
    """A table, a head, and the bytes of log that each push makes."""

    def __init__(self) -> None:
        self.table = PushTable()
        self.head = Head()
        self.log = b""

    def push(self, text: str, now: int) -> bytes:
        families = parse_families(text.encode(), "openmetrics", utf8=True, lenient=False)
        ticket = self.table.stage(KEY, families, now=now, ttl=0, replace=False)
        framer = Framer(len(self.log), 1 << 27, "none")
        staged = self.head.stage(ticket.batch)
        assert framer.add(staged)
        staged.commit()
        ticket.commit()
        written = framer.take()
        self.log += written
        return written


def test_exemplars_and_metadata_reach_the_head_and_its_log() -> None:
    pushed = Pushed()
    pushed.push(FIRST, 1_700_000_001_000)
    replayed = Head()
    assert replayed.replay(pushed.log).damage is None
    for head in (pushed.head, replayed):
        (done, of_done), (bucket, of_bucket) = head.exemplars([], *EVER)
        assert done == {"__name__": "done_total", "job": "j"}
        assert of_done == [({"trace_id": "def"}, 1.0, 1_700_000_001_000)]
        assert bucket["le"] == "0.5"
        assert of_bucket == [({"trace_id": "abc"}, 0.43, 1_700_000_000_500)]
        metadata = head.metadata()
        assert metadata["latency_seconds_bucket"] == [("histogram", "seconds", "How long it took.")]
        assert metadata["done_total"] == [("counter", "", "")]
        assert metadata["push_time_seconds"][0][0] == "gauge"


def test_a_push_that_says_nothing_new_logs_nothing_new() -> None:
    pushed = Pushed()
    first = pushed.push(FIRST, 1_700_000_001_000)
    assert (first.count(b"How long"), first.count(b"trace_id")) == (1 + 4, 2 + 2)  # the group's state, and the records
    again = pushed.push(FIRST, 1_700_000_002_000)
    assert (again.count(b"How long"), again.count(b"trace_id")) == (1, 2)
    assert pushed.head.exemplar_count == 2
    changed = pushed.push(FIRST.replace("How long", "How very long"), 1_700_000_003_000)
    assert changed.count(b"How very long") == 1 + 4  # the group's state, and each series
    assert pushed.head.metadata()["latency_seconds_sum"] == [("histogram", "seconds", "How very long it took.")]


def test_a_new_series_of_a_known_family_is_told_and_the_others_are_not_again() -> None:
    pushed = Pushed()
    pushed.push('# HELP up Is it up?\n# TYPE up gauge\nup{n="1"} 1\n# EOF\n', 1_000)
    written = pushed.push('# HELP up Is it up?\n# TYPE up gauge\nup{n="1"} 1\nup{n="2"} 1\n# EOF\n', 2_000)
    assert written.count(b"Is it up?") == 1 + 1
