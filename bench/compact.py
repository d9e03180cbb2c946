"""What compaction costs: `python -m bench.compact [--series N]`: three blocks of two hours become one of six.

It runs in a process of its own, whose CPU time and peak memory are told; what it has in memory before it begins stands
beside them.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.blocks import RANGE, Shop, fill
from bench.workload import specs

BLOCKS = 4  # the newest one is never compacted


def peak() -> float:
    """The most memory that this process has had, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def compact(tsdb: Path) -> str:
    """Compact, and tell as a row of the table."""
    shop = Shop(tsdb)
    before, started = peak(), time.process_time()
    if not shop.compactor.compact((RANGE, 3 * RANGE)):
        raise SystemExit("there is nothing to compact")
    spent = time.process_time() - started
    stats = shop.blocks.loaded[0].meta.stats
    return f"| {stats.series:,} | {stats.samples:,} | {stats.chunks:,} | {spent:.2f} | {before:.0f} | {peak():.0f} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, nargs="+", default=[5_000])
    parser.add_argument("--directory", type=Path, help="compact the blocks in it, in this process")
    options = parser.parse_args()
    if options.directory:
        print(compact(options.directory))
        return
    print("| series | samples | chunks | CPU s | memory before, MB | peak, MB |\n|---|---|---|---|---|---|", flush=True)
    for series in options.series:
        with tempfile.TemporaryDirectory() as folder:
            tsdb = Path(folder) / "tsdb"
            fill(tsdb, specs(series), BLOCKS)
            command = [sys.executable, "-m", "bench.compact", "--directory", str(tsdb)]
            row = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
            print(row, flush=True)


if __name__ == "__main__":
    main()
