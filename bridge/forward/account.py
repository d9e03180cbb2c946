"""Where every sample before a sink's cursor went.

The identity: `seq = sent + unrepresentable + expired + dead_lettered`, so that with `pending = accepted - seq` every
accepted sample is in exactly one place. `seq` is what the log says; the others are what this sink has counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.buffer import Cursor, Position

__all__ = ["Account", "Landing"]


@dataclass(frozen=True, slots=True)
class Landing:
    """What became of one slice of the log.

    Attributes:
        position: where the slice ends.
        seq: samples accepted by the store up to there.
        sent: samples that the sink has answered for.
        unrepresentable: samples that no line can carry, by reason.
        dead_lettered: samples whose lines the sink refused for good.
        newest: time of the newest sample sent, ms.
    """

    position: Position
    seq: int
    sent: int = 0
    unrepresentable: Mapping[str, int] = field(default_factory=dict)
    dead_lettered: int = 0
    newest: int | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A sink's progress, saved as one row: everything before `position` is accounted for.

    Attributes:
        position: where to read on.
        seq: samples accepted by the store up to `position`.
        sent: samples that the sink has answered for.
        unrepresentable: samples that no line can carry, by reason.
        expired: samples that had left the log before the sink could be sent them.
        dead_lettered: samples whose lines the sink refused for good, whether sent again later or not.
        newest: time of the newest sample sent, ms.
    """

    position: Position
    seq: int = 0
    sent: int = 0
    unrepresentable: Mapping[str, int] = field(default_factory=dict)
    expired: int = 0
    dead_lettered: int = 0
    newest: int | None = None

    @property
    def holds(self) -> bool:
        """The identity of promise 3."""
        return self.seq == self.sent + sum(self.unrepresentable.values()) + self.expired + self.dead_lettered

    def after(self, landing: Landing) -> "Account":
        """The account behind `landing`. What the log no longer had on the way there counts as expired."""
        seen = landing.sent + sum(landing.unrepresentable.values()) + landing.dead_lettered
        reasons = sorted({*self.unrepresentable, *landing.unrepresentable})
        return Account(
            position=landing.position,
            seq=landing.seq,
            sent=self.sent + landing.sent,
            unrepresentable={
                reason: self.unrepresentable.get(reason, 0) + landing.unrepresentable.get(reason, 0)
                for reason in reasons
            },
            expired=self.expired + max(landing.seq - self.seq - seen, 0),
            dead_lettered=self.dead_lettered + landing.dead_lettered,
            newest=max((t for t in (self.newest, landing.newest) if t is not None), default=None),
        )

    def to_cursor(self) -> Cursor:
        """As the store keeps it."""
        counters = {
            "sent": self.sent,
            "unrepresentable": dict(self.unrepresentable),
            "expired": self.expired,
            "dead_lettered": self.dead_lettered,
            "newest": self.newest,
        }
        return Cursor(self.position, self.seq, counters)

    @classmethod
    def from_cursor(cls, cursor: Cursor) -> "Account":
        """The inverse of `to_cursor`; what an older or newer version counted otherwise is left out."""
        counters = cursor.counters
        return cls(
            position=cursor.position,
            seq=cursor.seq,
            sent=counters.get("sent", 0),
            unrepresentable=counters.get("unrepresentable", {}),
            expired=counters.get("expired", 0),
            dead_lettered=counters.get("dead_lettered", 0),
            newest=counters.get("newest"),
        )
