"""Groups of innocent jobs, and whether they still show what they were."""

from __future__ import annotations

import re
from typing import Any

from bridge.native import parse_families
from tests.bridge_process import BridgeProcess
from tests.faults.watching import Key, group_key, groups
from tests.pushgw.test_protobuf import KIND, delimited, native

__all__ = ["FORMATS", "Victims"]

TEXT = """\
# HELP shared A gauge.
# TYPE shared gauge
shared{l="v"} 1
shared{l="w"} NaN
# TYPE runs_total counter
runs_total 5
# TYPE s summary
s{quantile="0.5"} 1
s_sum 2
s_count 3
# TYPE c histogram
c_bucket{le="1"} 1
c_bucket{le="+Inf"} 2
c_sum 3
c_count 2
{"dotted.name","dotted.label"="x"} 1
untyped 7
"""

FORMATS = {
    "text": "text/plain;version=1.0.0;escaping=allow-utf-8",
    "openmetrics": "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8",
    "protobuf": KIND + ";escaping=allow-utf-8",
}
"""What to ask `/metrics` for, by the name of its parser."""

QUOTED = r'"(?:[^"\\]|\\["\\n])*"'
LABEL = rf"(?:[a-zA-Z_]\w*|{QUOTED})={QUOTED}"
LABELS = rf"\{{(?:{LABEL}(?:,{LABEL})*)?\}}"
SERIES = rf"(?:[a-zA-Z_:][\w:]*(?:{LABELS})?|\{{{QUOTED}(?:,{LABEL})*\}})"
EXEMPLAR = rf"(?: # {LABELS} \S+(?: \S+)?)?"
NAME = rf"(?:[a-zA-Z_:][\w:]*|{QUOTED})"
OPENMETRICS_LINE = re.compile(rf"# (?:TYPE|UNIT) {NAME} \S+|# HELP {NAME} .*|{SERIES} \S+{EXEMPLAR}", re.ASCII)


class Victims:
    """Two groups that hold a bit of everything. Whatever others push, `check` finds them as they were."""

    keys = (group_key(job="victim"), group_key(job="victim", instance="second"))

    def __init__(self, bridge: BridgeProcess) -> None:
        self._bridge = bridge
        assert bridge.request("PUT", "/metrics/job/victim", TEXT).status == 200
        assert (
            bridge.request(
                "POST", "/metrics/job/victim", delimited(native(integer=True)), {"Content-Type": KIND}
            ).status
            == 200
        )
        assert bridge.request("PUT", "/metrics/job/victim/instance/second", TEXT).status == 200
        self._groups = self._read_groups(groups(bridge))
        self._lines = self._read_lines()
        assert len(self._lines) > 20

    def _read_groups(self, found: dict[Key, dict[str, Any]]) -> list[dict[str, Any] | None]:
        return [found.get(key) for key in self.keys]

    def _read_lines(self) -> list[str]:
        page = self._bridge.request("GET", "/metrics", headers={"Accept": FORMATS["text"]})
        assert page.status == 200
        return [line for line in page.text.splitlines() if 'job="victim"' in line]

    def check(self) -> dict[Key, dict[str, Any]]:
        """They are as they were, on the page and in the API. Returns the other groups."""
        found = groups(self._bridge)
        assert self._read_groups(found) == self._groups
        assert self._read_lines() == self._lines
        return {key: group for key, group in found.items() if key not in self.keys}

    def check_pages(self) -> None:
        """The page is whole in every format."""
        for kind, accept in FORMATS.items():
            page = self._bridge.request("GET", "/metrics", headers={"Accept": accept})
            assert page.status == 200
            assert page.headers["content-type"].startswith(accept.partition(";")[0])
            if kind != "openmetrics":
                assert len(parse_families(page.body, kind, utf8=True, lenient=False)) > 20
                continue
            # What text takes need not be a histogram by OpenMetrics' rules: here only the lines have to be lines.
            *lines, last, rest = page.text.split("\n")
            assert (last, rest) == ("# EOF", "")
            assert len(lines) > 20
            for line in lines:
                assert OPENMETRICS_LINE.fullmatch(line), line
