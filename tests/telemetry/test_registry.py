"""The registry that own metrics live in."""

from __future__ import annotations

import pytest
from prometheus_client import Counter, generate_latest

from bridge import __version__
from bridge.telemetry import new_registry


def test_it_describes_the_process() -> None:
    page = generate_latest(new_registry()).decode()
    assert 'pushbridge_build_info{python="3.' in page
    assert f'version="{__version__}"' in page
    for name in ("process_resident_memory_bytes", "python_info", "python_gc_collections_total"):
        assert f"\n{name}" in page


def test_registries_share_nothing() -> None:
    first, second = new_registry(), new_registry()
    Counter("x", "x", registry=first)
    Counter("x", "x", registry=second)
    with pytest.raises(ValueError, match="Duplicated"):
        Counter("x", "x", registry=first)
