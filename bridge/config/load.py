"""Reads configuration files: YAML to frozen models, every problem at once as `file:line:col: path: what`."""

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from bridge.config.document import parse_document
from bridge.config.models import Settings
from bridge.config.problems import explain
from bridge.config.section import Section
from bridge.config.types import LoadContext
from bridge.config.web import WebConfig
from bridge.errors import ConfigError

__all__ = ["load", "load_web_config", "parse"]

FILE_LIMIT = 64 << 20

S = TypeVar("S", bound=Section)


def load(path: Path | None) -> Settings:
    """The settings in a file, or the defaults when there is none; the web configuration it names is checked too.

    Raises ConfigError with every problem.
    """
    if path is None:
        return Settings()
    settings = parse(Settings, read(path), path)
    if settings.web.config_file is not None:
        load_web_config(settings.web.config_file)
    return settings


def load_web_config(path: Path) -> WebConfig:
    """An exporter-toolkit web configuration file. Raises ConfigError with every problem."""
    return parse(WebConfig, read(path), path)


def read(path: Path) -> bytes:
    """The bytes of a file of sane size. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from None
    if len(content) > FILE_LIMIT:
        raise ConfigError([f"{path}: larger than {FILE_LIMIT} bytes"])
    return content


def parse(model: type[S], text: bytes, path: Path) -> S:
    """A model from YAML text; `path` names it in errors, and its folder is where relative paths start.

    Raises ConfigError with every problem.
    """
    try:
        document = parse_document(text)
    except ConfigError as error:
        raise ConfigError([f"{path}:{problem}" for problem in error.problems]) from None
    problems = list(document.problems)
    try:
        settings = model.model_validate(document.value, context=LoadContext(path.parent))
    except ValidationError as error:
        problems += explain(error, model, document)
    if problems:
        problems.sort(key=lambda problem: (problem.mark.line, problem.mark.column))
        raise ConfigError(list(dict.fromkeys(f"{path}:{problem}" for problem in problems)))
    return settings
