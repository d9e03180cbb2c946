"""What a setting can be: each type reads the text of a YAML scalar, or says clearly what it wanted instead.

Every type carries a `Kind`, the word that docs/configuration.md prints for it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Self, TypeVar
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from bridge.errors import BadInput
from bridge.model import format_duration, format_size, parse_duration, parse_selector, parse_size
from bridge.native import Route

__all__ = [
    "ConfigPath",
    "Count",
    "Duration",
    "Flag",
    "HttpUrl",
    "Kind",
    "Listen",
    "LoadContext",
    "Name",
    "Percent",
    "Secret",
    "SecretFile",
    "Selector",
    "Size",
    "split_url",
]

SECRET_FILE_LIMIT = 1 << 20
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kind:
    """The word for a type in the reference: `duration`, `size`, `secret`."""

    word: str


@dataclass(frozen=True, slots=True)
class LoadContext:
    """What validators know besides the text: the folder of the file, against which its paths are resolved."""

    folder: Path


def folder_of(info: ValidationInfo) -> Path:
    """The folder that relative paths start from; the working directory when there is no file."""
    return info.context.folder if isinstance(info.context, LoadContext) else Path()


# A dumped model shows such a value as its text. Left alone, pydantic would take a dataclass apart, secrets too.
AS_TEXT = core_schema.plain_serializer_function_ser_schema(str)


def scalar(cls: type[T], parse: Callable[[str], T]) -> CoreSchema:
    """The schema of a type that is written as one text; defaults and tests pass ready instances."""

    def validate(value: object) -> T:
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return parse(value)
        raise ValueError("expected one value, not a mapping or a list")

    return core_schema.no_info_plain_validator_function(validate, serialization=AS_TEXT)


class Duration(int):
    """A span of time in milliseconds, written `1h30m`."""

    kind = Kind("duration")

    def __new__(cls, value: str | int) -> Self:
        """From Prometheus' notation or from milliseconds. Raises ValueError."""
        return super().__new__(cls, parse_duration(value) if isinstance(value, str) else value)

    @property
    def seconds(self) -> float:
        """The same in seconds, for timeouts and sleeps."""
        return self / 1000

    def __str__(self) -> str:
        return format_duration(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return scalar(cls, cls)


class Size(int):
    """A number of bytes, written `16MiB`."""

    kind = Kind("size")

    def __new__(cls, value: str | int) -> Self:
        """From a number with a unit or from bytes. Raises ValueError."""
        return super().__new__(cls, parse_size(value) if isinstance(value, str) else value)

    def __str__(self) -> str:
        return format_size(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return scalar(cls, cls)


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that is never printed by accident: not by str, repr, a log line or a traceback."""

    kind: ClassVar[Kind] = Kind("secret")
    _text: str

    def reveal(self) -> str:
        """The text itself, for the one place that sends it."""
        return self._text

    def __str__(self) -> str:
        return "<secret>"

    def __repr__(self) -> str:
        return "Secret(<secret>)"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return scalar(cls, cls)


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file that holds a secret; it is read when the configuration is, and again at each reload."""

    kind: ClassVar[Kind] = Kind("path")
    path: Path
    secret: Secret

    @classmethod
    def read(cls, path: Path) -> Self:
        """The content without the line end that editors leave behind. Raises ValueError."""
        try:
            with path.open("rb") as file:
                content = file.read(SECRET_FILE_LIMIT + 1)
            text = content.decode().rstrip("\r\n")
        except OSError as error:
            raise ValueError(f"cannot read {path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ValueError(f"{path} is not valid UTF-8") from None
        if len(content) > SECRET_FILE_LIMIT:
            raise ValueError(f"{path} is too large to be a secret")
        return cls(path, Secret(text))

    def __str__(self) -> str:
        return str(self.path)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        def validate(value: object, info: ValidationInfo) -> SecretFile:
            if isinstance(value, cls):
                return value
            if isinstance(value, str):
                return cls.read(folder_of(info) / value)
            raise ValueError("expected the path of a file")

        return core_schema.with_info_plain_validator_function(validate, serialization=AS_TEXT)


@dataclass(frozen=True, slots=True)
class Listen:
    """An address to listen on, written `host:port`, `:port` or `[::1]:port`."""

    kind: ClassVar[Kind] = Kind("host:port")
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """No host means every interface; port 0 means any free one. Raises ValueError."""
        host, colon, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        digits = port.isascii() and port.isdigit() and len(port) <= 5
        if not colon or not digits or int(port) > 65_535 or (":" in host and not bracketed):
            raise ValueError(f'expected host:port, got "{text}"')
        return cls(host[1:-1] if bracketed else host or "0.0.0.0", int(port))  # noqa: S104 - as every peer's default

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return scalar(cls, cls.parse)


def read_flag(value: object) -> object:
    """YAML 1.2's two booleans; `yes`, `on` and `1` are questions, not answers."""
    if isinstance(value, bool):
        return value
    if value in {"true", "false"}:
        return value == "true"
    raise ValueError(f'expected true or false, got "{value}"')


def read_count(value: object) -> object:
    """Decimal digits only: pydantic alone would take `1_000` and ` 5 `."""
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,18}", value):
        raise ValueError(f'expected a whole number, got "{value}"')
    return value


def read_percent(value: object) -> object:
    """A plain decimal number between 0 and 100: no exponent, no sign, no "%"."""
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,9})?", value):
        raise ValueError(f'expected a number from 0 to 100, got "{value}"')
    return value


def check_name(value: str) -> str:
    """Names end up in metric labels and in file names."""
    if not NAME.fullmatch(value):
        raise ValueError(f'expected letters, digits, "_", "-" and "." (64 at most), got "{value}"')
    return value


def split_url(value: str, form: str, instead: str) -> SplitResult:
    """The parts of an http address that can be logged: it should look like `form`, and credentials are given `instead`
    by settings of their own."""
    try:
        parts = urlsplit(value)
        valid = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        raise ValueError(f'not a valid URL: "{value}"') from None
    if not valid:
        raise ValueError(f'expected {form} or https://..., got "{value}"')
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"credentials do not belong in the URL: use {instead}")
    return parts


def check_url(value: str) -> str:
    """A base address."""
    parts = split_url(value, "http://host[:port][/path]", "username, password or token")
    if parts.query or parts.fragment:
        raise ValueError("a base URL has no ?query and no #fragment")
    return value.rstrip("/")


def check_selector(value: str) -> str:
    """A series selector of PromQL, patterns included."""
    try:
        Route(wanted=[parse_selector(value)])
    except BadInput as error:
        raise ValueError(str(error)) from None
    return value


def resolve(value: Path, info: ValidationInfo) -> Path:
    """Relative to the file that names it."""
    return folder_of(info) / value


Flag = Annotated[bool, BeforeValidator(read_flag), Kind("true or false")]
Count = Annotated[int, BeforeValidator(read_count), Kind("number")]
Percent = Annotated[float, BeforeValidator(read_percent), Kind("percentage")]
Name = Annotated[str, AfterValidator(check_name), Kind("name")]
HttpUrl = Annotated[str, AfterValidator(check_url), Kind("URL")]
Selector = Annotated[str, AfterValidator(check_selector), Kind("series selector")]
ConfigPath = Annotated[Path, AfterValidator(resolve), Kind("path")]
