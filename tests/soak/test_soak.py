"""A short soak, for `make soak` to be fit for a long one."""

from __future__ import annotations

from pathlib import Path

from tests.soak.run import Soak


def test_a_store_is_what_the_model_says(tmp_path: Path) -> None:
    soak = Soak(tmp_path, 1)
    for _ in range(250):
        soak.turn()
    soak.finish()
    assert soak.done["blocks written"]
    assert soak.done["queries"]
