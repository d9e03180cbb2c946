"""Where every sample before a sink's cursor went.

The identity: `seq = sent + unrepresentable + expired + dead_lettered`, so that with `pending = accepted - seq` every
accepted sample is in exactly one place. `seq` is what the log says; the others are what this sink has counted.

History knows times and not the order of the log. A sink that catches up from it is sent all of a time, and what of that
is more than was missed counts as `resent`, outside of the identity.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bridge.buffer import Cursor, Position
from bridge.forward.parcel import CatchUp

__all__ = ["Account", "Landing"]


@dataclass(frozen=True, slots=True)
class Landing:
    """What became of one parcel.

    Attributes:
        position: where in the log to read on behind it.
        seq: samples accounted for behind it.
        sent: samples that the sink has answered for.
        unrepresentable: samples that the sink cannot be sent, by reason.
        dead_lettered: samples that the sink refused for good.
        newest: time of the newest sample sent, ms.
        from_history: the samples were read from history.
        catching_up: what is left of history behind it.
        expired: samples that are older than what the sink keeps.
        exemplars_lost: exemplars that left the log before they were read.
    """

    position: Position
    seq: int
    sent: int = 0
    unrepresentable: Mapping[str, int] = field(default_factory=dict)
    dead_lettered: int = 0
    newest: int | None = None
    from_history: bool = False
    catching_up: CatchUp | None = None
    expired: int = 0
    exemplars_lost: int = 0

    @property
    def samples(self) -> int:
        """All of them."""
        return self.sent + sum(self.unrepresentable.values()) + self.expired + self.dead_lettered

    def without(self, excess: int) -> "Landing":
        """The same with `excess` samples less, first of those that were sent."""
        sent = max(self.sent - excess, 0)
        excess -= self.sent - sent
        unrepresentable = {}
        for reason, count in self.unrepresentable.items():
            unrepresentable[reason] = max(count - excess, 0)
            excess -= count - unrepresentable[reason]
        expired = max(self.expired - excess, 0)
        dead = self.dead_lettered - (excess - (self.expired - expired))
        return replace(self, sent=sent, unrepresentable=unrepresentable, expired=expired, dead_lettered=dead)


@dataclass(frozen=True, slots=True)
class Account:
    """A sink's progress, saved as one row: everything before `position` is accounted for, but what it catches up.

    Attributes:
        position: where to read on in the log.
        seq: samples accounted for: those accepted by the store up to `position`, less what is still to be caught up.
        sent: samples that the sink has answered for.
        unrepresentable: samples that the sink cannot be sent, by reason.
        expired: samples that are older than what the sink keeps, or were no longer stored when they could be sent.
        dead_lettered: samples that the sink refused for good, whether sent again later or not.
        newest: time of the newest sample sent, ms.
        resent: samples sent though they were in the account already: they lay in the time of what was missed.
        catching_up: what is to be sent from history before the log is read on.
        launched: samples up to here may be under way, or have arrived though nobody knows.
        until: while it catches up: so may those of history up to this time, ms.
        exemplars_lost: exemplars that left the log before they were read, and are not sent; they are no samples.
    """

    position: Position
    seq: int = 0
    sent: int = 0
    unrepresentable: Mapping[str, int] = field(default_factory=dict)
    expired: int = 0
    dead_lettered: int = 0
    newest: int | None = None
    resent: int = 0
    catching_up: CatchUp | None = None
    launched: int = 0
    until: int | None = None
    exemplars_lost: int = 0

    @property
    def certain(self) -> int:
        """Samples accounted for that are not sent again after a crash now."""
        return self.seq if self.catching_up is None else max(self.seq - self.catching_up.counted - 1, 0)

    @property
    def holds(self) -> bool:
        """The identity of promise 3."""
        return self.seq == self.sent + sum(self.unrepresentable.values()) + self.expired + self.dead_lettered

    def after(self, landing: Landing) -> "Account":
        """The account behind `landing`. What neither the log nor history had on the way there counts as expired."""
        excess = max(landing.samples - (landing.seq - self.seq), 0) if landing.from_history else 0
        landing = landing.without(excess)
        caught_up = landing.from_history and landing.catching_up is None
        reasons = sorted({*self.unrepresentable, *landing.unrepresentable})
        return Account(
            position=landing.position,
            seq=landing.seq,
            sent=self.sent + landing.sent,
            unrepresentable={
                reason: self.unrepresentable.get(reason, 0) + landing.unrepresentable.get(reason, 0)
                for reason in reasons
            },
            expired=self.expired + landing.expired + max(landing.seq - self.seq - landing.samples, 0),
            dead_lettered=self.dead_lettered + landing.dead_lettered,
            newest=max((t for t in (self.newest, landing.newest) if t is not None), default=None),
            resent=self.resent + excess,
            catching_up=landing.catching_up,
            launched=self.launched,
            until=None if caught_up else self.until,
            exemplars_lost=self.exemplars_lost + landing.exemplars_lost,
        )

    def to_cursor(self) -> Cursor:
        """As the store keeps it."""
        counters = {
            "sent": self.sent,
            "unrepresentable": dict(self.unrepresentable),
            "expired": self.expired,
            "dead_lettered": self.dead_lettered,
            "newest": self.newest,
            "resent": self.resent,
            "catching_up": self.catching_up.to_json() if self.catching_up is not None else None,
            "launched": self.launched,
            "until": self.until,
            "exemplars_lost": self.exemplars_lost,
        }
        return Cursor(self.position, self.seq, counters)

    @classmethod
    def from_cursor(cls, cursor: Cursor) -> "Account":
        """The inverse of `to_cursor`; what an older or newer version counted otherwise is left out."""
        counters = cursor.counters
        catching_up = counters.get("catching_up")
        return cls(
            position=cursor.position,
            seq=cursor.seq,
            sent=counters.get("sent", 0),
            unrepresentable=counters.get("unrepresentable", {}),
            expired=counters.get("expired", 0),
            dead_lettered=counters.get("dead_lettered", 0),
            newest=counters.get("newest"),
            resent=counters.get("resent", 0),
            catching_up=CatchUp.from_json(catching_up) if catching_up is not None else None,
            launched=counters.get("launched", 0),
            until=counters.get("until"),
            exemplars_lost=counters.get("exemplars_lost", 0),
        )
