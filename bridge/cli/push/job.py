"""Runs a command in our place: its input and output are ours, its signals pass through, its end is measured."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType

__all__ = ["Outcome", "run_job"]

NOT_EXECUTABLE = 126  # as shells say it
NOT_FOUND = 127
SIGNALLED = 128


@dataclass(frozen=True)
class Outcome:
    """How a job went."""

    exit_code: int  # 128 + number when a signal ended it
    duration: float  # seconds
    end_time: float  # Unix seconds
    why: str = ""  # when it could not even start

    def metrics(self) -> list[str]:
        """As arguments of `pushbridge push`."""
        return [
            f"job_duration_seconds={self.duration:.6f}",
            f"job_exit_code={self.exit_code}",
            f"job_end_time_seconds={self.end_time:.3f}",
        ]


def run_job(command: Sequence[str]) -> Outcome:
    """Run it to its end."""
    started = time.monotonic()
    exit_code, why = run(command)
    return Outcome(exit_code, time.monotonic() - started, time.time(), why)


def run(command: Sequence[str]) -> tuple[int, str]:
    """The exit code as a shell would see it, and why the command did not start if it didn't."""
    with passing_signals() as children:
        try:
            process = subprocess.Popen(command)  # noqa: S603 - the user's own command, no shell between
        except FileNotFoundError as error:
            return NOT_FOUND, f"{command[0]}: {error.strerror}"
        except OSError as error:
            return NOT_EXECUTABLE, f"{command[0]}: {error.strerror}"
        children.append(process)
        code = process.wait()
    return (code if code >= 0 else SIGNALLED - code), ""


@contextlib.contextmanager
def passing_signals() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Pass SIGTERM and SIGHUP on to the child, so that we outlive it and can tell how it ended.

    SIGINT comes from a terminal, which sends it to the child as well: we only must not die of it.
    """
    children: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        for child in children:
            child.send_signal(number)

    def survive(_number: int, _frame: FrameType | None) -> None:
        pass

    # Functions, not SIG_IGN: a child inherits what is ignored, but not what is handled.
    handlers = {signal.SIGTERM: pass_on, signal.SIGHUP: pass_on, signal.SIGINT: survive}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield children
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
