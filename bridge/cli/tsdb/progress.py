"""How far a long command has come, on standard error: a bar on a terminal, else a line now and then."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bridge.cli.tsdb.tables import show_size
from bridge.clock import Clock, SystemClock

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

__all__ = ["Progress"]

STEP_SECONDS = 10.0
"""Between two lines; a command that is quicker prints none."""


class Progress:
    """Bytes done of `total`, None when nobody knows how many come."""

    def __init__(self, what: str, total: int | None, clock: Clock | None = None) -> None:
        self._what = what
        self._total = total
        self._clock = clock or SystemClock()
        self._done = 0
        self._told_at = self._clock.monotonic()
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._begin_bar()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def expect(self, total: int) -> None:
        """So many bytes will have to be done."""
        self._total = total
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, total=total)

    def advance(self, size: int) -> None:
        """So many more bytes are done."""
        self._done += size
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, size)
        elif self._clock.monotonic() - self._told_at >= STEP_SECONDS:
            self._told_at = self._clock.monotonic()
            print(self._line(), file=sys.stderr, flush=True)

    def _line(self) -> str:
        done = show_size(self._done >> 20 << 20, human_readable=True)
        if not self._total:
            return f"{self._what}: {done}"
        return f"{self._what}: {100 * self._done // self._total} % of {show_size(self._total, human_readable=True)}"

    def _begin_bar(self) -> None:
        from rich.console import Console  # noqa: PLC0415 - a tenth of a second that only a terminal needs
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
        from rich.progress import Progress as Bar  # noqa: PLC0415

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(self._what, total=self._total)
        self._bar.start()
