"""What a sink is sent, whatever its kind: samples that can be counted, fitted into requests, divided and put together.

Each sample of a payload has a line, a text that stands for it: line protocol where that is what is sent, else as near
to it as people can read. Dead letters are such lines.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar, runtime_checkable

from bridge.native import Columns, Head, LogSlice

__all__ = ["Abridged", "Encoder", "Load", "Merged", "Payload", "Tally", "samples_in", "samples_of"]


class Load(Protocol):
    """What a request is made of: samples, or what is known beside them. Implemented by the core."""

    def __len__(self) -> int:
        """How many of them."""

    @property
    def size(self) -> int:
        """Bytes that they take in a request before compression, about."""


class Payload(Load, Protocol):
    """Samples of one sink in the order in which they are sent. Implemented by the core."""

    @property
    def newest(self) -> int | None:
        """Time of the newest one, ms, unchanged ones included; None when there is none, and when read from lines."""

    @property
    def unrepresentable(self) -> Mapping[str, int]:
        """Samples that the sink cannot be sent, by reason. Stays with the whole: parts have none."""

    def line(self, index: int) -> bytes:
        """The text of one sample. Raises IndexError."""

    def series(self, index: int) -> bytes:
        """What names its series in such a text. Raises IndexError."""

    def slice(self, start: int, stop: int) -> Self:
        """Samples `start` to `stop`, as far as there are any."""

    def fit(self, start: int, max_samples: int, max_bytes: int) -> int:
        """How many samples from `start` on stay within both bounds: at least one while there is any."""

    def split_by_series(self, series: set[bytes]) -> tuple[Self, Self]:
        """(samples of these series, all others), in order."""

    def split_by_text(self, lines: set[bytes]) -> tuple[Self, Self]:
        """(samples with these lines, all others), in order."""

    def concat(self, parts: Sequence[Self]) -> Self:
        """Samples of several of this kind, one after the other; nothing of this one."""


P_contra = TypeVar("P_contra", contravariant=True)


class Tally(Protocol[P_contra]):
    """Counts the points of payloads of one kind as their sink would. Implemented by the core."""

    def add(self, payload: P_contra, /) -> None:
        """Count those of a payload; one that was counted already is the same point."""

    def forget_points(self) -> None:
        """What comes from now on is later than all that came."""

    @property
    def counts(self) -> list[tuple[str, str, int, int]]:
        """(measurement, field, start of the stretch in ms, points)."""


@runtime_checkable
class Merged(Protocol):
    """A payload whose lines may stand for several samples, which are fields of one point, or for none, where one sample
    takes several lines. What it is said to have in samples elsewhere are its lines then."""

    @property
    def samples(self) -> int:
        """How many samples all lines stand for."""

    def weight(self, index: int) -> int:
        """How many samples a line stands for. Raises IndexError."""

    def singly(self) -> Payload:
        """The same samples, none of them in one line with another."""


def samples_in(payload: Payload) -> int:
    """How many samples a payload stands for."""
    return payload.samples if isinstance(payload, Merged) else len(payload)


def samples_of(payload: Payload, index: int) -> int:
    """How many samples a line of it stands for."""
    return payload.weight(index) if isinstance(payload, Merged) else 1


@dataclass(frozen=True, slots=True)
class Abridged:
    """What goes with a payload that leaves samples out because others of it, or what was sent before, say the same.

    Attributes:
        whole: makes a payload with all samples, to be sent instead when any of the payload is refused. Blocks.
        taken: to be called when the sink has all of the payload, in the order of the log.
    """

    whole: Callable[[], Payload]
    taken: Callable[[], None]


class Encoder(Protocol):
    """How stored samples become payloads of one kind of sink. Methods may be called in any thread."""

    @property
    def reach(self) -> int:
        """How long behind a sample others may have been left out that must be sent when it comes late, ms."""

    def begin(self, newest: int | None) -> None:
        """Slices come next. Of what was sent before, the newest sample was at `newest` ms; None: nothing was sent."""

    def encode_slice(self, head: Head, piece: LogSlice) -> Payload:
        """The samples of a piece of the log, whose references `head` knows."""

    def abridged(self, head: Head, piece: LogSlice) -> Abridged | None:
        """To be asked after `encode_slice` of the same: what goes with that payload, if samples may be left out."""

    def encode_columns(self, columns: Columns, start: int, stop: int, head: Head | None) -> Payload:
        """Samples `start` to `stop` of history, in an order that stays the same; `head` knows what metrics are."""

    def read(self, lines: Sequence[str]) -> Payload:
        """The samples of dead letters. Raises ValueError for a text that is no line."""
