"""Groups and the store, when the store says no: what was staged is taken back, in every order."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bridge.buffer import Store
from bridge.clock import SystemClock
from bridge.config import Push
from bridge.errors import Inconsistent, Unavailable
from bridge.native import Families, PushTable, parse_families
from bridge.pushgw import Groups
from bridge.pushgw.path import Key
from tests.buffer.faults import FaultyFiles
from tests.buffer.samples import open_store

pytestmark = pytest.mark.anyio


def key(job: str) -> Key:
    return (("job", job),)


def families(text: str) -> Families:
    return parse_families(text.encode(), "text", utf8=True, lenient=False)


def new_groups(store: Store, settings: Push | None = None) -> Groups:
    groups = Groups(PushTable(), store, settings or Push(), SystemClock())
    store.on_commit(groups.batch_committed)
    store.on_rollback(groups.batches_rolled_back)
    return groups


def shown(groups: Groups) -> dict[str, dict[str, str]]:
    """job -> name -> value."""
    return {
        group["labels"]["job"]: {
            name: family["metrics"][0]["value"] for name, family in group.items() if name in {"a", "b"}
        }
        for group in json.loads(groups.table.api_json())
    }


async def test_a_failed_write_takes_back_all_that_was_on_its_way(tmp_path: Path) -> None:
    files = FaultyFiles()
    store = open_store(tmp_path, files=files)
    groups = new_groups(store)
    await groups.push(key("x"), families("a 1\n"), replace=True)

    files.break_down("write_at")
    pushes = [
        groups.push(key("x"), families("a 2\nb 2\n"), replace=True),
        groups.push(key("x"), families("a 3\n"), replace=False),
        groups.push(key("new"), families("a 4\n"), replace=True),
        groups.delete(key("x")),
    ]
    for outcome in await asyncio.gather(*pushes, return_exceptions=True):
        assert isinstance(outcome, Unavailable)
    assert shown(groups) == {"x": {"a": "1"}}
    assert groups.table.groups == 1
    assert groups.table.series == 3

    files.mend()
    # The index holds nothing of what was taken back: another group may have these names with other types.
    await groups.push(key("y"), families("# TYPE b counter\nb 5\n"), replace=True)
    await groups.push(key("x"), families("a 6\n"), replace=True)
    assert shown(groups) == {"x": {"a": "6"}, "y": {"b": "5"}}
    await store.close()


async def test_a_closed_store_refuses_and_nothing_stays_staged(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    groups = new_groups(store)
    await groups.push(key("x"), families("a 1\n"), replace=True)
    await store.close()
    with pytest.raises(Unavailable):
        await groups.push(key("x"), families("a 2\n"), replace=True)
    with pytest.raises(Unavailable):
        await groups.delete(key("x"))
    assert shown(groups) == {"x": {"a": "1"}}


async def test_a_caller_that_goes_away_changes_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    groups = new_groups(store)
    task = asyncio.create_task(groups.push(key("x"), families("a 1\n"), replace=True))
    await asyncio.sleep(0)  # staged and on its way
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await groups.push(key("y"), families("a 2\n"), replace=True)
    assert shown(groups) == {"x": {"a": "1"}, "y": {"a": "2"}}
    await store.close()


async def test_what_the_head_refuses_is_an_inconsistent_push(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    groups = new_groups(store, Push(timestamps="accept"))
    now = SystemClock().now_ms()
    await groups.push(key("x"), families(f"a 1 {now}\n"), replace=True)
    with pytest.raises(Inconsistent, match="out of order"):
        await groups.push(key("x"), families(f"a 2 {now - 1000}\n"), replace=True)
    assert shown(groups) == {"x": {"a": "1"}}
    (group,) = json.loads(groups.table.api_json())
    assert group["last_push_successful"] is False
    await store.close()
