"""What the engine costs by itself, without HTTP and disk: `python -m bench.engine [--series N]`.

Appending is staging, encoding the log's records, framing and committing; replay is reading them back.
"""

import argparse
import ctypes
import gc
import os
import re
import time
from pathlib import Path

from bench.workload import batches, specs
from bridge.buffer.framing import new_framer
from bridge.config import Wal
from bridge.native import Head

SEGMENT = 1 << 40  # one segment: what is measured is the engine


def rss() -> int:
    """Bytes of memory that this process has, after giving back what it can."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    status = Path(f"/proc/{os.getpid()}/status").read_text()
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def measure(series: int, rounds: int, compression: str) -> str:
    """One row of the table."""
    of = specs(series)
    framer, head = new_framer(Wal(compression=compression).model_copy(update={"segment_size": SEGMENT})), Head()
    head.set_compression(compression)  # as the store does when it opens
    log = bytearray()
    spent = 0.0
    samples = 0
    before = rss()
    for batch in batches(of, rounds, 1_700_000_000_000):
        started = time.process_time()
        staged = head.stage(batch)
        framer.add(staged)
        data = framer.take()
        staged.commit()
        spent += time.process_time() - started
        samples += staged.samples
        log += data
    del batch, staged, data
    grown = rss() - before - len(log)
    del head
    again = Head()
    started = time.process_time()
    again.replay(log)
    replayed = time.process_time() - started
    million = samples / 1e6
    return (
        f"| {series:,} | {compression} | {samples:,} | {spent / million:.2f} | {len(log) / samples:.2f} "
        f"| {grown / series:,.0f} | {replayed / million:.2f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, nargs="+", default=[20_000])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--compression", nargs="+", default=["snappy"])
    options = parser.parse_args()
    columns = (
        "series",
        "log",
        "samples",
        "append, CPU s per M",
        "log bytes per sample",
        "memory bytes per series",
        "replay, CPU s per M",
    )
    print("|", " | ".join(columns), "|")
    print("|" + "---|" * len(columns))
    for series in options.series:
        for compression in options.compression:
            print(measure(series, options.rounds, compression), flush=True)


if __name__ == "__main__":
    main()
