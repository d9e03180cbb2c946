"""What a person does with the page, and what is pushed for it to show. Tests that import this are skipped without the
dependency group `ui`."""

from __future__ import annotations

import base64

import pytest

from tests.bridge_process import BridgeProcess

try:
    from playwright.sync_api import Locator, Page, expect
except ImportError:
    pytest.skip("the dependency group `ui` is not installed", allow_module_level=True)

__all__ = ["RICH", "Locator", "Page", "encoded", "expect", "group", "open_group", "push"]

RICH = """\
# HELP rows_total Rows written, by table.
# TYPE rows_total counter
rows_total{table="orders"} 4.2e+06
rows_total{table="customers"} 120034
# TYPE last_success_timestamp_seconds gauge
last_success_timestamp_seconds 1700000000
# TYPE rpc_seconds histogram
rpc_seconds_bucket{le="0.1"} 3
rpc_seconds_bucket{le="1"} 10
rpc_seconds_bucket{le="+Inf"} 12
rpc_seconds_sum 6
rpc_seconds_count 12
# TYPE pause_seconds summary
pause_seconds{quantile="0.5"} 0.25
pause_seconds{quantile="0.99"} 2
pause_seconds_sum 30
pause_seconds_count 40
"""


def push(bridge: BridgeProcess, path: str, body: str = "rows 1\n", status: int = 200) -> None:
    answer = bridge.request("PUT", f"/metrics/{path}", body)
    assert answer.status == status, answer.text


def encoded(text: str) -> str:
    """base64 as a push path has it."""
    return base64.urlsafe_b64encode(text.encode()).decode() or "="


def group(page: Page, text: str) -> Locator:
    """The group that has a label of this value."""
    return page.locator("details.group", has=page.locator("summary b").get_by_text(text, exact=True))


def open_group(page: Page, text: str) -> Locator:
    found = group(page, text)
    found.locator("summary").click()
    return found
