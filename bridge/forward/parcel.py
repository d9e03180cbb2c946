"""What is on its way to a sink, and what it will have come to when it has arrived."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bridge.buffer import Position, Spans
from bridge.forward.payload import Abridged, Payload

__all__ = ["CatchUp", "Parcel"]


@dataclass(frozen=True, slots=True)
class CatchUp:
    """How far a sink has come in a part of the log that went before it was read.

    Attributes:
        seq: samples accepted by the store up to the end of that part, where the log is read on.
        spans: times that are still to be read from history.
        counted: samples at their beginning that are in the account already: a window of which only a part had arrived
            is read again from its beginning after a crash.
        exemplars: those of the part, which history does not have.
    """

    seq: int
    spans: Spans
    counted: int = 0
    exemplars: int = 0

    def to_json(self) -> dict[str, Any]:
        """As the cursor keeps it."""
        return {"seq": self.seq, "spans": self.spans, "counted": self.counted, "exemplars": self.exemplars}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "CatchUp":
        """The inverse of `to_json`."""
        spans = tuple((first, last) for first, last in content["spans"])
        return cls(content["seq"], spans, content["counted"], content.get("exemplars", 0))


@dataclass(frozen=True, slots=True)
class Parcel:
    """Samples ready to be sent.

    Attributes:
        payload: the samples, as far as the sink can be sent them.
        unrepresentable: the others, by reason.
        position: where in the log to read on behind it.
        seq: samples accounted for behind it.
        from_history: they were read from history, where samples are that the account knows already.
        catching_up: what is left of history behind it, before the log is read on.
        doubtful: some of them may have been sent before, nobody knows which.
        until: of history: the end of the window that they are of, ms.
        abridged: samples may be left out of it that others repeat.
        exemplars_lost: exemplars that are nowhere any more, and so are never sent.
    """

    payload: Payload
    unrepresentable: Mapping[str, int]
    position: Position
    seq: int
    from_history: bool = False
    catching_up: CatchUp | None = None
    doubtful: bool = False
    until: int | None = None
    abridged: Abridged | None = None
    exemplars_lost: int = 0

    def whole(self) -> "Parcel":
        """The same with all samples. Blocks."""
        if self.abridged is None:
            return self
        payload = self.abridged.whole()
        return replace(self, payload=payload, unrepresentable=payload.unrepresentable, abridged=None)
