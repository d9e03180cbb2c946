"""Turns pydantic's errors into problems with a place in the file, in words for somebody who edits YAML."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bridge.config.document import Document, Location, Mark, Problem

__all__ = ["explain", "section_of"]

TOP = Mark(1, 1)

# What the commonest of pydantic's error types mean to the author of a file; the rest keep pydantic's own words.
WORDS = {
    "missing": "is required",
    "model_type": "expected a mapping",
    "model_attributes_type": "expected a mapping",
    "dict_type": "expected a mapping",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "string_type": "expected text",
    "path_type": "expected a path",
    "too_short": "must not be empty",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "expected {expected}",
}


def explain(error: ValidationError, model: type[BaseModel], document: Document) -> Iterator[Problem]:
    """One problem for each error, at the mark of what caused it."""
    for details in error.errors(include_url=False):
        location = tuple(part for part in details["loc"] if part != "[key]")
        if details["type"] == "extra_forbidden":
            # The key is what is wrong, not its value.
            yield Problem(document.keys.get(location, TOP), location, unknown_field(model, location))
        else:
            yield Problem(nearest_mark(document, location), location, words(details))


def nearest_mark(document: Document, location: Location) -> Mark:
    """Where the value stands; for one that is missing, the key of the section that should hold it."""
    if location in document.values:
        return document.values[location]
    for length in range(len(location) - 1, 0, -1):
        above = location[:length]
        mark = document.keys.get(above) or document.values.get(above)
        if mark:
            return mark
    return TOP


def words(details: ErrorDetails) -> str:
    """What is wrong, in one line; never the value itself unless the message was made here (it may be a secret)."""
    context: dict[str, Any] = details.get("ctx", {})
    if details["type"] == "value_error":
        return str(context["error"])
    template = WORDS.get(details["type"])
    return template.format(**context) if template else details["msg"]


def unknown_field(model: type[BaseModel], location: Location) -> str:
    """With the name that was probably meant."""
    *parents, name = location
    section = section_of(model, parents)
    known = [field.alias or key for key, field in section.model_fields.items()] if section else []
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    return "unknown field" + (f', did you mean "{close[0]}"?' if close else f" (known: {', '.join(known)})")


def section_of(model: type[BaseModel], parents: Iterable[str | int]) -> type[BaseModel] | None:
    """The model that reads the mapping at a location; None where no model does."""
    current: type[BaseModel] | None = model
    for part in parents:
        if isinstance(part, int) or current is None:
            continue  # an index: the model is that of the list's items
        annotations = [f.annotation for key, f in current.model_fields.items() if part in (f.alias, key)]
        current = next(models_in(annotations), None)
    return current


def models_in(annotations: Iterable[Any]) -> Iterator[type[BaseModel]]:
    """Every model that a type is made of: of `tuple[InfluxSink, ...]` the sink."""
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield annotation
        else:
            yield from models_in(get_args(annotation))
