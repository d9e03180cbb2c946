"""What PromQL costs: `python -m bench.promql [--series N] [--rounds N] [--profile QUERY]`.

A head holds a quarter of an hour at 15 s of N series. Each query is a range query over it, as a dashboard asks; the
last ones are heavier. CPU is that of the process, medians of many runs; HTTP is not in it, the JSON of the result is.
"""

import argparse
import asyncio
import cProfile
import pstats
import statistics
import time
from collections.abc import Sequence

from bench.blocks import START
from bench.workload import STEP, batch, rows, specs
from bridge.buffer.querier import Querier, Selector
from bridge.native import Columns, Head
from bridge.promql.engine import Engine
from bridge.promql.evaluation import Read

QUERIES = [
    "rate(node_network_receive_bytes_total[2m])",
    "sum by (mode) (rate(node_cpu_seconds_total[2m]))",
    "histogram_quantile(0.95, sum by (le, handler) (rate(http_request_duration_seconds_bucket[2m])))",
    "avg_over_time(node_filesystem_avail_bytes[5m])",
    "topk(5, sum by (instance) (rate(node_disk_read_bytes_total[2m])))",
    'count({__name__=~"node_.+"})',
    "sum by (mode) (rate(node_cpu_seconds_total[5m]))",
    "node_filesystem_avail_bytes / on (instance, device) node_filesystem_size_bytes",
    "max_over_time(rate(node_network_receive_bytes_total[1m])[5m:15s])",
]


def filled(series: int, rounds: int) -> Head:
    """A head with so many samples of each series."""
    head = Head()
    for turn in rows(specs(series), rounds, START):
        head.stage(batch(turn)).commit()
    return head


async def measure(engine: Engine, query: str, end: int, steps: int) -> tuple[float, float, int]:
    """CPU and wall milliseconds of a run, and the bytes of its JSON."""
    cpu, wall, size = [], [], 0
    began = time.perf_counter()
    while len(cpu) < 5 or (time.perf_counter() - began < 2 and len(cpu) < 30):
        used, started = time.process_time(), time.perf_counter()
        result = await engine.range(query, end - (steps - 1) * STEP, end, STEP)
        size = len(result.json())
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - used)
    return statistics.median(cpu) * 1000, statistics.median(wall) * 1000, size


def main() -> None:
    """Print the table, or the profile of one query."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--steps", type=int, default=61)
    parser.add_argument("--profile", metavar="QUERY")
    options = parser.parse_args()
    querier = Querier(filled(options.series, options.rounds))
    end = START + (options.rounds - 1) * STEP

    def select(reads: Sequence[Read], max_samples: int) -> list[Columns]:
        del max_samples
        wanted = [Selector(read.matchers, read.mint, read.maxt) for read in reads]
        return [selection.columns for selection in querier.select_many(wanted, ordered=False)]

    engine = Engine(select)
    if options.profile:
        with cProfile.Profile() as profile:
            profile.runcall(asyncio.run, measure(engine, options.profile, end, options.steps))
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    print(f"| {options.series:,} series, {options.steps} steps | CPU ms | wall ms | JSON bytes |\n|---|---|---|---|")
    for query in QUERIES:
        cpu, wall, size = asyncio.run(measure(engine, query, end, options.steps))
        print(f"| {query} | {cpu:.1f} | {wall:.1f} | {size:,} |")


if __name__ == "__main__":
    main()
