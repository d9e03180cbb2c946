"""What a sink lacks, sent again."""

from bridge.clock import Clock
from bridge.forward.history import History
from bridge.forward.outlet import SinkSettings
from bridge.forward.reconcile.points import spans_of
from bridge.forward.reconcile.run import HOUR, Report
from bridge.forward.replay import Replay, ReplayState

__all__ = ["Repair"]


class Repair:
    """Sends the hours again in which a sink lacks points, whole: what it has already overwrites itself.

    `run` waits for a sink that does not answer; `stop` ends it.
    """

    def __init__(self, settings: SinkSettings, history: History, reports: list[Report], clock: Clock) -> None:
        differing = [one for report in reports for one in report.differences]
        last = max((report.span[1] for report in reports), default=0)
        self.spans = spans_of(differing, HOUR, (0, last))
        begin, end = (self.spans[0][0], self.spans[-1][1]) if self.spans else (0, 0)
        state = ReplayState((begin, end), self.spans)
        self._replay = Replay(settings, history, state, save=self._note, clock=clock)

    @property
    def state(self) -> ReplayState:
        """How far it has come."""
        return self._replay.state

    async def run(self) -> bool:
        """False when it was stopped. Raises OSError and Unreadable."""
        return await self._replay.run()

    def stop(self) -> None:
        """Make `run` end soon."""
        self._replay.stop()

    async def _note(self, state: ReplayState) -> None:
        """Nothing to keep: what was not sent is found missing again."""
