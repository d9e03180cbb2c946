"""docs/configuration.md knows every setting."""

from __future__ import annotations

import ast
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
    assert len(settings) > 35
    for key, _ in fields_of(Settings):
        assert f"### `{key}`" in table
    for setting in settings:
        assert setting.help.endswith("."), setting.name
        assert setting.kind, setting.name


def test_every_setting_is_read_by_some_code() -> None:
    package = Path(__file__).parents[2] / "bridge"
    read = {
        node.attr
        for file in package.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute)
    }
    # Secrets from files end up in the field beside them; a mapping has no choice yet; a Prometheus' queue is in memory.
    told = {setting.name.strip("`").rpartition(".")[2] for setting in walk(Settings, "")}
    elsewhere = {"token_file", "password_file", "credentials_file", "client_secret_file", "mapping"}
    meaningless = {"capacity", "batch_send_deadline", "retry_on_http_429", "round_robin_dns", "enable_http2"}
    assert told - read == (elsewhere | meaningless) - read
