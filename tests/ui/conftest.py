"""A browser, a tab in it, and a bridge to look at."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.responses import Response

from tests.bridge_process import BridgeProcess
from tests.edge.serving import served
from tests.forward.fake_influx import FakeInflux, Write, error
from tests.ui.hostile import HOSTILE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def browser(peer: Callable[[str], Path]) -> Iterator[Browser]:
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415 - without it these tests are skipped

    expect.set_options(timeout=15_000)  # the page looks for news every few seconds
    chromium = peer("chromium")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=sandbox)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab in which nothing may go wrong unseen: errors of scripts, refusals of the content policy."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert [text for text in complaints if not text.startswith("Failed to load resource")] == []


@pytest.fixture(scope="session")
def shared_bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path_factory.mktemp("browser"), "web: {enable_admin_api: true}\n") as process:
        yield process


@pytest.fixture
def bridge(shared_bridge: BridgeProcess) -> BridgeProcess:
    assert shared_bridge.request("PUT", "/api/v1/admin/wipe").status == 202
    return shared_bridge


@pytest.fixture
def refusing() -> Iterator[str]:
    """The address of an InfluxDB 2 whose token is wrong, and that tells so in words that are markup."""

    async def unauthorized(_sink: FakeInflux, _write: Write) -> Response:
        return error(2, 401, f"unauthorized {HOSTILE}", "unauthorized")

    with served(FakeInflux(version=2, always=unauthorized)) as url:
        yield url
