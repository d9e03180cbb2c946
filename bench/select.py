"""What reading costs: `python -m bench.select [--series N] [--blocks N] [--dump]`.

A query selects series of the head and of blocks and reads the samples of five minutes; labels stay handles. Times are
medians. With `--dump` the dump of all blocks stands beside promtool's, where that is on PATH.
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.blocks import RANGE, START, Shop, fill
from bench.workload import STEP, specs
from bridge.buffer.blocks import Blocks
from bridge.buffer.querier import Querier
from bridge.native import Block

FIVE_MINUTES = 300_000
Call = Callable[[], object]
Matchers = list[tuple[str, str, str]]


def milliseconds(call: Call, times: int = 50) -> float:
    """The median of many calls, after one that warms up."""
    call()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1000


def queries(querier: Querier, labels: dict[str, str], end: int) -> dict[str, Call]:
    """What is measured, by name."""

    def select(matchers: Matchers) -> Call:
        return lambda: querier.select(matchers, end - FIVE_MINUTES, end)

    one: Matchers = [(name, "=", value) for name, value in labels.items()]
    prefix: Matchers = [("__name__", "=~", "node_disk_(reads|writes|read_bytes|io_seconds|merged|flushes)_total")]
    pattern: Matchers = [("__name__", "=~", "node_disk_.*"), ("device", "=~", "nvme[0-5]n.")]
    return {
        "one series by =": select(one),
        f"{len(querier.select(prefix, end - FIVE_MINUTES, end)):,} series by a set": select(prefix),
        f"{len(querier.select(pattern, end - FIVE_MINUTES, end)):,} series by =~": select(pattern),
        "label names": querier.label_names,
        "values of a label, with a matcher": lambda: querier.label_values("__name__", [("job", "=", "node")]),
    }


def cpu_of_children(command: list[str]) -> float:
    """CPU seconds that a program takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=20_000)
    parser.add_argument("--blocks", type=int, default=1)
    parser.add_argument("--points", type=int, default=RANGE // STEP, help="samples of a series in a block of two hours")
    parser.add_argument("--dump", action="store_true", help="dump all blocks too, beside promtool")
    options = parser.parse_args()
    of = specs(options.series)
    with tempfile.TemporaryDirectory() as folder:
        tsdb = Path(folder) / "tsdb"
        head = fill(tsdb, of, options.blocks, options.points)
        (tsdb / "wal").mkdir()
        blocks = Shop(tsdb).blocks
        end_of_blocks = START + options.blocks * RANGE
        labels = of[options.series // 2][0]
        print(f"| {options.series:,} series | head, ms | {options.blocks} blocks, ms |\n|---|---|---|")
        in_head = queries(Querier(head), labels, head.max_time or 0)
        in_blocks = queries(Querier(None, blocks), labels, end_of_blocks - 1)
        for (name, first), second in zip(in_head.items(), in_blocks.values(), strict=True):
            print(f"| {name} | {milliseconds(first):.3f} | {milliseconds(second):.3f} |", flush=True)
        if options.dump:
            print(f"\n{dumps(blocks, tsdb)}")


def dumps(blocks: Blocks[Block], tsdb: Path) -> str:
    """What a dump of everything costs, and promtool's of the same."""
    started = time.process_time()
    size = sum(map(len, Querier(None, blocks).dump()))
    told = f"dump of {size:,} bytes: {time.process_time() - started:.2f} CPU s"
    promtool = shutil.which("promtool")
    return f"{told}, promtool {cpu_of_children([promtool, 'tsdb', 'dump', str(tsdb)]):.2f}" if promtool else told


if __name__ == "__main__":
    main()
