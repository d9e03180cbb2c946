"""Push groups in a real browser: what a person sees and how it is found."""

from __future__ import annotations

import http.client
import re
import time

import pytest

from tests.bridge_process import BridgeProcess
from tests.ui.browsing import RICH, Page, encoded, expect, group, open_group, push
from tests.ui.hostile import HOSTILE

pytestmark = pytest.mark.ui


def test_an_empty_bridge_says_how_to_push(bridge: BridgeProcess, page: Page) -> None:
    page.goto(bridge.url)
    expect(page.locator("#groups-count")).to_have_text("0 groups")
    expect(page.locator("#groups-example")).to_contain_text(f"{bridge.url}/metrics/job/backup")
    push(bridge, "job/backup")
    expect(page.locator("#groups-count")).to_have_text("1 group")
    expect(page.locator("#groups-empty")).to_be_hidden()


def test_values_can_be_read(bridge: BridgeProcess, page: Page) -> None:
    push(bridge, "job/backup/instance/db", RICH)
    page.goto(bridge.url)
    expect(group(page, "backup").locator(".inside")).to_have_count(0)  # nothing is drawn before it is opened
    families = open_group(page, "backup").locator(".family")
    expect(families.locator("h3")).to_have_text(
        ["last_success_timestamp_seconds", "pause_seconds", "rows_total", "rpc_seconds"]
    )
    expect(families.locator(".pill")).to_have_text(["gauge", "summary", "counter", "histogram"])
    expect(families.nth(0)).to_contain_text("1700000000 2023-11-1")
    expect(families.nth(1).locator("th")).to_have_text(["q 0.5", "q 0.99", "count", "sum"])
    expect(families.nth(1).locator("td")).to_have_text(["0.25", "2", "40", "30"])
    expect(families.nth(2)).to_contain_text("Rows written, by table.")
    expect(families.nth(2).locator("th")).to_have_text(["table", "value"])
    expect(families.nth(2).locator("td")).to_have_text(["orders", "4200000", "customers", "120034"])
    expect(families.nth(3).locator("figcaption")).to_have_text("count 12 · sum 6 · mean 0.5")
    rows = families.nth(3).locator("tbody tr")
    expect(rows.nth(1).locator("td")).to_have_text(["≤ 1", "7", "", "10"])
    expect(rows.nth(2).locator("td")).to_have_text(["≤ +Inf", "2", "", "12"])


def test_a_failed_push_is_marked_until_one_succeeds(bridge: BridgeProcess, page: Page) -> None:
    push(bridge, "job/good")
    push(bridge, "job/bad")
    push(bridge, "job/bad", "rows 1 1000\n", status=400)
    push(bridge, "job/never", "rows 1 1000\n", status=400)
    page.goto(bridge.url)
    moment = re.compile(r"last push failed \d{4}-\d\d-\d\d \d\d:\d\d:\d\d (just now|\d+ s ago)")
    expect(group(page, "bad").locator(".badge")).to_have_text(moment)
    expect(group(page, "never").locator("summary")).to_contain_text("never pushed successfully")
    expect(group(page, "good").locator(".badge")).to_be_hidden()
    expect(page.locator("#groups-count")).to_have_text("3 groups, the last push of 2 failed")
    page.get_by_label("Only failed").check()
    expect(page.locator("details.group")).to_have_count(2)
    push(bridge, "job/bad")
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator("details.group")).to_have_count(1)


def test_what_strangers_write_is_text(bridge: BridgeProcess, page: Page) -> None:
    quoted = HOSTILE.replace("\\", "\\\\").replace('"', '\\"')
    push(bridge, f"job/j/host@base64/{encoded(HOSTILE)}", f'# HELP rows {HOSTILE}\nrows{{a="{quoted}"}} 1\n')
    push(bridge, "job/j/odd/names", 'x{constructor="a"} 1\nx{toString="b"} 2\nlabels 1\nlast_push_successful 1\n')
    push(bridge, "job/j/text/rtl%E2%80%AE", f'{{"{quoted}"}} 1\n')
    page.goto(f"{bridge.url}/status#groups")
    for shown in (HOSTILE, "names", "rtl\u202e"):
        open_group(page, shown)
    hostile = group(page, HOSTILE)
    expect(hostile.locator(".help")).to_have_text(HOSTILE)
    expect(hostile.locator("td").first).to_have_text(HOSTILE)
    expect(group(page, "rtl\u202e").locator("h3")).to_have_text(HOSTILE)
    odd = group(page, "names")
    expect(odd.locator("h3")).to_have_text(["labels", "last_push_successful", "x"])
    expect(odd.locator("td")).to_have_text(["a", "", "1", "", "b", "2"])
    hostile.get_by_role("button", name="Delete group").click()
    expect(page.get_by_role("dialog")).to_contain_text(HOSTILE)
    expect(page.locator("main img, main script, dialog img, dialog script")).to_have_count(0)
    expect(page).to_have_title("Push groups · pushbridge")


def test_what_changes_is_shown_without_a_reload(bridge: BridgeProcess, page: Page) -> None:
    push(bridge, "job/a", "rows 1\nkept 1\n")
    page.goto(bridge.url)
    opened = open_group(page, "a")
    expect(opened.locator("data")).to_have_text(["1", "1"])
    opened.locator("summary").focus()
    push(bridge, "job/a", "rows 2\nnew 3\n")
    push(bridge, "job/b")
    expect(opened.locator("data")).to_have_text(["3", "2"])
    expect(opened.locator("h3")).to_have_text(["new", "rows"])
    expect(page.locator("details.group")).to_have_count(2)
    expect(opened.locator("summary")).to_be_focused()


# -- finding -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("backup", ["backup db-1", "backup db-2"]),
        ("JOB=back db-2", ["backup db-2"]),
        ("rows_total", ["report"]),
        ("table=orders", ["report"]),
        ("instance=db table", []),
        ("pushed", []),
        ("  ", ["backup db-1", "backup db-2", "report"]),
    ],
)
def test_groups_are_found_by_labels_and_names(bridge: BridgeProcess, page: Page, text: str, found: list[str]) -> None:
    push(bridge, "job/backup/instance/db-1", "size_bytes 1\n")
    push(bridge, "job/backup/instance/db-2", "size_bytes 1\n")
    push(bridge, "job/report", 'rows_total{table="orders"} 1\n')
    page.goto(bridge.url)
    expect(page.locator("details.group")).to_have_count(3)
    page.get_by_label("Filter groups").fill(text)
    expect(page.locator("details.group .key")).to_have_count(len(found))
    shown = [" ".join(key.locator("b").all_inner_texts()) for key in page.locator("details.group .key").all()]
    assert shown == found
    count = "3 groups" if len(found) == 3 else f"{len(found)} of 3 groups"
    expect(page.locator("#groups-count")).to_have_text(count)


def test_groups_are_ordered_by_their_push(bridge: BridgeProcess, page: Page) -> None:
    for job in ("b", "c", "a"):
        push(bridge, f"job/{job}")
        pushed = time.time_ns() // 1_000_000
        while time.time_ns() // 1_000_000 == pushed:
            pass  # pushes of one millisecond have no order
    page.goto(bridge.url)
    for order, expected in [("labels", "abc"), ("newest", "acb"), ("oldest", "bca")]:
        page.get_by_label("Order of the groups").select_option(order)
        expect(page.locator("details.group b")).to_have_text(list(expected))


def test_open_groups_stay_open_over_a_reload(bridge: BridgeProcess, page: Page) -> None:
    for job in ("a", "b", "c"):
        push(bridge, f"job/{job}")
    page.goto(bridge.url)
    open_group(page, "a")
    open_group(page, "b")
    group(page, "a").locator("summary").click()
    expect(group(page, "b").locator("data")).to_have_text(["1"])
    page.reload()
    expect(group(page, "b").locator("data")).to_have_text(["1"])
    expect(page.locator("details[open]")).to_have_count(1)


def test_thousands_of_groups_stay_usable(bridge: BridgeProcess, page: Page) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", bridge.port, timeout=30)
    for n in range(5000):
        connection.request("PUT", f"/metrics/job/batch/instance/host-{n:04}", f'rows{{n="{n}"}} {n}\n')
        assert connection.getresponse().read() == b""
    connection.close()
    page.goto(bridge.url)
    expect(page.locator("#groups-count")).to_have_text("5,000 groups")
    expect(page.locator("details.group")).to_have_count(200)
    expect(page.locator("main > section .rest")).to_have_text("Not shown: 4,800 groups. Show 200 more")
    page.get_by_role("button", name="Show 200 more").click()
    expect(page.locator("details.group")).to_have_count(400)
    page.get_by_label("Filter groups").fill("host-4999")
    expect(page.locator("details.group")).to_have_count(1)
    expect(open_group(page, "host-4999").locator("td")).to_have_text(["4999", "4999"])
    page.get_by_label("Filter groups").fill("n=12")
    expect(page.locator("#groups-count")).to_have_text("111 of 5,000 groups")
