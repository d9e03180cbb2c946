"""The engine in force. It is made when somebody asks for it: see `bridge.promql`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from anyio import to_thread

if TYPE_CHECKING:
    from bridge.promql import Engine

__all__ = ["Engines"]


class Engines:
    """One at a time, as `make` makes it. Belongs to the event loop."""

    def __init__(self, make: "Callable[[], Engine]") -> None:
        self._make = make
        self._engine: Engine | None = None

    async def current(self) -> "Engine":
        """The one that evaluates the next query."""
        if self._engine is None:
            self._engine = await to_thread.run_sync(self._make)
        return self._engine

    def renew(self) -> None:
        """Settings have changed: the next query wants another."""
        self._engine = None
