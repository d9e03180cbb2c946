"""docs/configuration.md knows every setting."""

from __future__ import annotations

from pathlib import Path

from bridge.config import Settings
from bridge.config.reference import fields_of, settings_table, update, walk

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_page_is_up_to_date() -> None:
    text = PAGE.read_text()
    assert update(text) == text, "run `make docs`"


def test_every_setting_has_a_line_with_its_meaning() -> None:
    table = settings_table()
    settings = list(walk(Settings, ""))
    assert len(settings) > 40
    for key, _ in fields_of(Settings):
        assert f"### `{key}`" in table
    for setting in settings:
        assert setting.help.endswith("."), setting.name
        assert setting.kind, setting.name
