"""The groups' table in SQLite: a copy that is used only while it is whole."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from bridge.buffer import Files, Position, State
from bridge.pushgw import SCHEMA, Projection
from tests.bridge_process import BridgeProcess

pytestmark = pytest.mark.anyio

ROWS = [(b"one", b"the state of a group"), (b"two", b""), (b"three", bytes(range(64)))]


async def saved(path: Path) -> None:
    state = State.open(path, [SCHEMA], Files())
    projection = Projection(state)
    await projection.save(Position(3, 4096), [*ROWS, (b"gone", b"x")])
    await projection.save(Position(4, 100), [(b"gone", None)])
    await state.close()


async def load(path: Path) -> tuple[Position | None, list[bytes]]:
    state = State.open(path, [SCHEMA], Files())
    try:
        return Projection(state).load()
    finally:
        await state.close()


async def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    await saved(tmp_path / "state.db")
    position, states = await load(tmp_path / "state.db")
    assert position == Position(4, 100)
    assert sorted(states) == sorted(state for _, state in ROWS)


async def test_any_flipped_byte_is_found(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    await saved(path)
    database = sqlite3.connect(path)
    for key, state in ROWS:
        (row,) = database.execute("SELECT state FROM push_groups WHERE key = ?", (key,)).fetchone()
        assert row.endswith(state)
        for at in range(len(row)):
            damaged = row[:at] + bytes([row[at] ^ 0x10]) + row[at + 1 :]
            database.execute("UPDATE push_groups SET state = ? WHERE key = ?", (damaged, key))
            database.commit()
            assert await load(path) == (None, [])
        for cut in range(len(row)):
            database.execute("UPDATE push_groups SET state = ? WHERE key = ?", (row[:cut], key))
            database.commit()
            assert await load(path) == (None, [])
        database.execute("UPDATE push_groups SET state = ? WHERE key = ?", (row, key))
        database.commit()
    database.close()
    assert (await load(path))[0] == Position(4, 100)


def test_a_bridge_whose_projection_is_damaged_reads_the_log(tmp_path: Path) -> None:
    bridge = BridgeProcess(tmp_path)
    with bridge:
        for job in range(5):
            bridge.request("PUT", f"/metrics/job/{job}", f"a {job}\n")
        before = json.loads(bridge.request("GET", "/api/v1/metrics").body)
        assert bridge.stop() == 0
    database = sqlite3.connect(bridge.data / "state.db")
    assert database.execute("SELECT count(*) FROM push_groups").fetchone() == (5,)
    database.execute("UPDATE push_groups SET state = substr(state, 1, 9)")
    database.commit()
    database.close()
    with bridge:
        assert json.loads(bridge.request("GET", "/api/v1/metrics").body) == before
    assert "projection is not used" in bridge.log()
