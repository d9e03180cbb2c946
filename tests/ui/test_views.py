"""The page in a real browser, beside push groups: sinks, status, prefixes, bridges that are gone, narrow screens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.bridge_process import BridgeProcess, free_port
from tests.ui.browsing import RICH, Page, expect, open_group, push
from tests.ui.hostile import HOSTILE

pytestmark = pytest.mark.ui


def test_sinks_are_shown_as_they_are_now(page: Page, tmp_path: Path, refusing: str) -> None:
    config = (
        f"influxdb:\n- {{name: main, url: '{refusing}', dialect: v2, org: o, bucket: b, token: t}}\n"
        f"- {{name: archive, url: 'http://127.0.0.1:{free_port()}', dialect: v1, db: d}}\n"
    )
    with BridgeProcess(tmp_path, config) as bridge:
        push(bridge, "job/a", "rows 1\n")  # with the two push times: three samples
        page.goto(f"{bridge.url}/#sinks")
        main, archive = (page.get_by_role("row").filter(has_text=name) for name in ("main", "archive"))
        cells = main.get_by_role("cell")
        expect(cells.nth(1)).to_have_text("held")
        expect(cells.nth(9)).to_have_text(f"401: unauthorized {HOSTILE}")
        expect(archive.get_by_role("cell").nth(1)).to_have_text("retrying")
        expect(archive.get_by_role("cell").nth(9)).to_contain_text("no answer")
        expect(page.locator("#sinks-note")).to_have_text("1 held")
        expect(page.get_by_role("columnheader")).to_have_count(10)
        for column, figure in enumerate(["3", "0", "3", "0", "0", "0"], start=2):
            expect(cells.nth(column)).to_have_text(figure)
        expect(cells.nth(8)).to_have_text(re.compile(r"\d+ (ms|s)"))
        push(bridge, "job/b", "rows 1\n")
        expect(cells.nth(4)).to_have_text("6")
        expect(page.locator("main img, main script")).to_have_count(0)


def test_status_shows_the_settings(bridge: BridgeProcess, page: Page) -> None:
    page.goto(f"{bridge.url}/status")
    expect(page).to_have_title("Status · pushbridge")
    expect(page.locator("#status-facts")).to_contain_text(re.compile(r"Version\d+\.\d+\.\d+Python3\."))
    page.get_by_label("Filter settings").fill("hold")
    expect(page.locator("#status-rows td")).to_have_text(["push.hold_interval", "15s"])
    expect(page.locator("#status-count")).to_contain_text("1 of ")


def test_the_page_works_under_a_prefix(page: Page, tmp_path: Path) -> None:
    with BridgeProcess(tmp_path, "web: {route_prefix: /foo/bar}\n", prefix="/foo/bar") as bridge:
        assert bridge.request("PUT", "/foo/bar/metrics/job/a", "rows 1\n").status == 200
        for path in ("/foo/bar", "/foo/bar/", "/foo/bar/status#groups"):
            page.goto(bridge.url + path)
            expect(page.locator("details.group")).to_have_count(1)
        open_group(page, "a").get_by_role("button", name="Delete group").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete group").click()
        expect(page.locator("details.group")).to_have_count(0)
        expect(page.locator("#groups-example")).to_contain_text("/foo/bar/metrics/job/backup")


def test_a_bridge_that_is_gone_is_missed_and_found_again(page: Page, tmp_path: Path) -> None:
    with BridgeProcess(tmp_path) as bridge:
        push(bridge, "job/a")
        page.goto(bridge.url)
        expect(page.locator("details.group")).to_have_count(1)
        bridge.stop()
        expect(page.get_by_role("alert")).to_contain_text("The bridge does not answer.")
        expect(page.locator("details.group")).to_have_count(1)
        bridge.start()
        expect(page.get_by_role("alert")).to_be_hidden(timeout=40_000)


@pytest.mark.parametrize("width", [380, 700, 970, 1280])
def test_nothing_is_wider_than_the_screen(page: Page, tmp_path: Path, refusing: str, width: int) -> None:
    config = f"influxdb: [{{name: main, url: '{refusing}', dialect: v2, org: o, bucket: b}}]\n"
    long = "a-very-long-value-without-any-blank-" * 8
    with BridgeProcess(tmp_path, config) as bridge:
        push(bridge, f"job/{long}/instance/db", RICH)
        labels = ",".join(f'l{n}="{long}"' for n in range(8))
        push(bridge, "job/a", f"{'long_name_' * 15}{{{labels}}} 1\n")
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(bridge.url)
        expect(page.locator("details.group")).to_have_count(2)
        for summary in page.locator("summary").all():
            summary.click()
        expect(page.locator(".family")).to_have_count(5)
        for view in ("Push groups", "Sinks", "Status"):
            page.get_by_role("link", name=view).click()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, view
