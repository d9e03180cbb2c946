"""A push with exemplars and metadata, as a batch."""

from __future__ import annotations

from bridge.native import Batch, PushTable, parse_families

__all__ = ["TEXT", "TIME", "batch"]

TIME = 1_700_000_000_000

TEXT = """# HELP hits Requests, "all"\\nof \\\\ them.
# TYPE hits counter
hits_total{path="/a b"} 7 # {trace_id="t 1",span_id="s\\"\\\\1"} 1 1700000000.001
# TYPE took histogram
# UNIT took_seconds seconds
# TYPE took_seconds histogram
took_seconds_bucket{le="0.5"} 1 # {trace_id="t2",value="v",le="x",time="noon"} 0.25 1700000000.002
took_seconds_bucket{le="+Inf"} 2 # {user="line\\nbreak"} 2.5 1700000000.003
took_seconds_count 2
took_seconds_sum 2.75
# TYPE odd counter
odd_total 1 # {trace_id="t4"} NaN 1700000000.004
# EOF
"""


def batch(text: str = TEXT, now: int = TIME) -> Batch:
    """What a push of this OpenMetrics text to job `j` gives."""
    families = parse_families(text.encode(), "openmetrics", utf8=True, lenient=False)
    return PushTable().stage([("job", "j")], families, now=now, ttl=0, replace=False).batch
