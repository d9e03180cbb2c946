"""The reference of settings, made from the models: `python -m bridge.config.reference docs/configuration.md`.

The command rewrites what stands between the file's two markers; a test fails when that would change anything.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bridge.config.models import Settings
from bridge.config.problems import models_in
from bridge.config.types import Kind

__all__ = ["BEGIN", "END", "Setting", "settings_table", "update"]

BEGIN = "<!-- settings: made by `make docs` -->"
END = "<!-- settings end -->"

WORDS: dict[object, str] = {str: "text", float: "number", Path: "path"}


class Setting(NamedTuple):
    """One line of the reference."""

    name: str
    kind: str
    default: str
    help: str


def settings_table() -> str:
    """All settings as Markdown, a table for each section."""
    lines: list[str] = []
    for key, field in fields_of(Settings):
        model = next(models_in([field.annotation]))
        is_list = get_origin(field.annotation) is tuple
        lines += [f"### `{key}`" + (" (a list)" if is_list else ""), "", str(model.__doc__).split("\n")[0], ""]
        lines += ["| setting | type | default | meaning |", "|---|---|---|---|"]
        for setting in walk(model, f"{key}[]." if is_list else f"{key}."):
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in setting) + " |")
        lines.append("")
    return "\n".join(lines)


def walk(model: type[BaseModel], prefix: str) -> Iterator[Setting]:
    """Every field below a section, in the order in which the models name them."""
    for key, field in fields_of(model):
        inner = next(models_in([field.annotation]), None)
        if inner is not None:
            is_list = get_origin(field.annotation) is tuple
            yield from walk(inner, f"{prefix}{key}[]." if is_list else f"{prefix}{key}.")
        else:
            yield Setting(f"`{prefix}{key}`", kind_of(field), default_of(field), field.description or "")


def fields_of(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """The fields of a model under the names that a file uses."""
    for name, field in model.model_fields.items():
        yield field.alias or name, field


def kind_of(field: FieldInfo) -> str:
    """The word for a field's type."""
    for part in field.metadata:
        if isinstance(part, Kind):
            return part.word
    return word_for(field.annotation)


def word_for(annotation: object) -> str:
    """The word for a type; of an optional one the word for what it holds."""
    kind = getattr(annotation, "kind", None)
    if isinstance(kind, Kind):
        return kind.word
    arguments = get_args(annotation)
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{argument}`" for argument in arguments)
    if get_origin(annotation) is dict:
        return f"mapping of text to {word_for(arguments[1])}"
    if get_origin(annotation) is tuple:
        return f"list of {word_for(arguments[0])}"
    for part in arguments:
        if isinstance(part, Kind):
            return part.word
    return WORDS.get(annotation) or next(word_for(part) for part in arguments if part is not NoneType)


def default_of(field: FieldInfo) -> str:
    """As one would write it in the file."""
    if field.is_required():
        return "required"
    if field.default is None:
        return ""
    value = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return f"`{value}`"


def update(text: str) -> str:
    """The page with a fresh table between its markers. Raises ValueError when it has none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks {BEGIN} or {END}")
    return f"{before}{BEGIN}\n{settings_table()}{END}{after}"


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(update(page.read_text()))
