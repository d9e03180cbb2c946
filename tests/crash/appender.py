"""A process that appends without end and prints what was acknowledged: made to be killed.

python -m tests.crash.appender DATA FIRST
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from pathlib import Path

import uvloop

from tests.buffer.samples import batch, open_store

CALLERS = 8


async def main(data: Path, first: int) -> None:
    store = open_store(data)
    numbers = itertools.count(first)

    async def caller() -> None:
        while True:
            number = next(numbers)
            await store.append(batch(number, padding=2_000, event=number % 3 == 0))
            os.write(1, f"acknowledged {number}\n".encode())  # unbuffered, so that nothing said is lost with us

    await asyncio.gather(*(caller() for _ in range(CALLERS)))


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), int(sys.argv[2])))
