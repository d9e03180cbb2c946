"""The page in a real browser: what a person sees and does. Needs chromium and the dependency group `ui`."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.bridge_process import BridgeProcess, free_port
from tests.pushgw.test_contract import groups

pytestmark = pytest.mark.ui

try:
    from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
except ImportError:
    pytest.skip("the dependency group `ui` is not installed", allow_module_level=True)

ADMIN = "web: {enable_admin_api: true}\n"
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
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


@pytest.fixture(scope="module")
def browser(peer: Callable[[str], Path]) -> Iterator[Browser]:
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


@pytest.fixture(scope="module")
def shared_bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path_factory.mktemp("browser"), ADMIN) as process:
        yield process


@pytest.fixture
def bridge(shared_bridge: BridgeProcess) -> BridgeProcess:
    assert shared_bridge.request("PUT", "/api/v1/admin/wipe").status == 202
    return shared_bridge


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


# -- what is shown -----------------------------------------------------------------------------------------------------


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


# -- deleting ----------------------------------------------------------------------------------------------------------


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


# -- sinks, status, prefixes -------------------------------------------------------------------------------------------


class Refusing(BaseHTTPRequestHandler):
    """An InfluxDB 2 whose token is wrong."""

    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"code": "unauthorized", "message": f"unauthorized {HOSTILE}"}).encode()
        self.send_response(401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Say nothing."""


@pytest.fixture
def refusing() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_sinks_are_shown_as_they_are_now(page: Page, tmp_path: Path, refusing: int) -> None:
    config = (
        f"influxdb:\n- {{name: main, url: 'http://127.0.0.1:{refusing}', dialect: v2, org: o, bucket: b, token: t}}\n"
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
def test_nothing_is_wider_than_the_screen(page: Page, tmp_path: Path, refusing: int, width: int) -> None:
    config = ADMIN + f"influxdb: [{{name: main, url: 'http://127.0.0.1:{refusing}', dialect: v1, db: d}}]\n"
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
