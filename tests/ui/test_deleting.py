"""Deleting in a real browser: the group that was meant, and no other."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.bridge_process import BridgeProcess
from tests.pushgw.test_contract import groups
from tests.ui.browsing import Page, encoded, expect, open_group, push
from tests.ui.hostile import HOSTILE

pytestmark = pytest.mark.ui

KEYS = [
    {"job": "plain"},
    {"job": "a/b c+d", "empty": "", "path": "/var/lib"},
    {"job": "ünï ☃", "instance": ""},
    {"job": "%41@base64", "q": "a?b#c&d=e"},
    {"job": "j", "dotted.name": "x", "a/b": "y", "label_é": "z", "1st": "0"},
    {"job": "j", "U__x_2e_y": "literal"},
]


def url_of(key: dict[str, str]) -> str:
    def name(label: str) -> str:
        if re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", label) and not label.startswith("U__"):
            return label
        return "U__" + "".join(c if c.isascii() and c.isalnum() else f"_{ord(c):x}_" for c in label)

    rest = "".join(f"/{name(label)}@base64/{encoded(value)}" for label, value in key.items() if label != "job")
    return f"job@base64/{encoded(key['job'])}{rest}"


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key["job"])
def test_a_group_is_deleted(bridge: BridgeProcess, page: Page, key: dict[str, str]) -> None:
    push(bridge, url_of(key))
    push(bridge, "job/other")
    assert key in groups(bridge)
    page.goto(bridge.url)
    chosen = page.locator("details.group", has_not_text="other")
    chosen.locator("summary").click()
    button = chosen.get_by_role("button", name="Delete group")
    button.click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert key in groups(bridge)
    button.click()
    with page.expect_request(lambda request: request.method == "DELETE") as deletion:
        page.get_by_role("dialog").get_by_role("button", name="Delete group").click()
    path = urlsplit(deletion.value.url).path
    assert "//" not in path, "proxies make one slash of two"
    expect(page.locator("details.group")).to_have_count(1)
    expect(page.locator("#toast")).to_have_text("Group deleted.")
    assert groups(bridge) == [{"job": "other"}]


def test_a_key_that_the_api_hides_is_not_guessed(bridge: BridgeProcess, page: Page) -> None:
    """A metric named `labels` takes the place of the key in the API: `{job="j"}` or `{job="j", instance=""}`?"""
    push(bridge, "job/j", "labels 1\n")
    push(bridge, "job/k/instance/i", "labels 1\n")
    page.goto(bridge.url)
    expect(open_group(page, "j").get_by_role("button", name="Delete group")).to_be_disabled()
    open_group(page, "k").get_by_role("button", name="Delete group").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete group").click()
    expect(page.locator("details.group")).to_have_count(1)
    assert len(groups(bridge)) == 1


def test_everything_can_be_done_with_keys(bridge: BridgeProcess, page: Page) -> None:
    push(bridge, "job/a")
    page.goto(bridge.url)
    expect(page.locator("details.group")).to_have_count(1)
    page.get_by_role("button", name="Delete all").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Delete group")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("details.group")).to_have_count(0)


def test_delete_all_is_there_for_administrators(bridge: BridgeProcess, page: Page, tmp_path: Path) -> None:
    push(bridge, "job/a")
    push(bridge, "job/b")
    page.goto(bridge.url)
    page.get_by_label("Filter groups").fill("nothing like it")
    page.get_by_role("button", name="Delete all").click()
    expect(page.get_by_role("dialog")).to_contain_text("This deletes 2 groups, whether the filter shows them or not.")
    page.get_by_role("dialog").get_by_role("button", name="Delete all").click()
    expect(page.locator("#groups-count")).to_have_text("0 groups")
    assert groups(bridge) == []
    with BridgeProcess(tmp_path) as plain:
        push(plain, "job/a")
        page.goto(f"{plain.url}/#status")
        expect(page.locator("#status-rows")).to_contain_text("web.enable_admin_api")
        page.get_by_role("link", name="Push groups").click()
        expect(page.locator("details.group")).to_have_count(1)
        expect(page.get_by_role("button", name="Delete all")).to_be_hidden()


def test_a_refused_deletion_is_told(bridge: BridgeProcess, page: Page) -> None:
    push(bridge, "job/a")
    page.goto(bridge.url)
    page.route("**/metrics/job@base64/*", lambda route: route.fulfill(status=503, body=f"disk full {HOSTILE}\n"))
    open_group(page, "a").get_by_role("button", name="Delete group").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete group").click()
    expect(page.locator("#toast")).to_have_text(f"The bridge answered 503: disk full {HOSTILE}")
    expect(page.locator("details.group")).to_have_count(1)
