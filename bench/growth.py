"""How queries grow: `python -m bench.growth [--series N ...] [--steps N ...]`.

Each store holds a quarter of an hour at 15 s of so many series, remote-written. Each question is a range query over all
of it, of ever more steps. CPU is that of the server's process, the median of several requests; memory is what the
process peaked at while it answered, less what it had before.
"""

import argparse
import time
from dataclasses import replace

from bench.history import histories, write_requests
from bench.load import Connection
from bench.query import QUESTIONS, STEP, Question, fill, request
from bench.server import Server, bridge
from bench.workload import specs

NAMES = ["rate", "sum by rate, 240 steps", "count all"]
REPETITIONS = 5


def measured(server: Server, question: Question, end: float) -> str:
    """CPU in ms, the peak over what was there before in MiB, and bytes of the answer in MB, as cells of a row."""
    data = request(question, end, server.name)
    costs, peaks, size = [], [], 0
    for _ in range(REPETITIONS):
        connection = Connection(server.port)
        server.forget_peak()
        used, had = server.cpu(), server.rss()
        status, size = connection.request(data)
        if status != 200:
            return f"HTTP {status} | |"
        costs.append(server.cpu() - used)
        peaks.append(server.peak() - had)
        connection.close()
        time.sleep(0.2)
    return f"{sorted(costs)[REPETITIONS // 2] * 1e3:.0f} | {max(peaks):.0f} | {size / 1e6:.2f}"


def main() -> None:
    """Print one row in markdown for each store, question and number of steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, nargs="*", default=[20_000, 50_000, 100_000, 200_000])
    parser.add_argument("--steps", type=int, nargs="*", default=[61, 241, 961])
    options = parser.parse_args()
    questions = [question for question in QUESTIONS if question.name in NAMES]
    print("| query | series | steps | CPU ms | peak over before, MiB | answer, MB |\n|---|---|---|---|---|---|")
    for series in options.series:
        of = specs(series)
        start = (int(time.time()) - 930) * 1000 // STEP * STEP
        with bridge("promql: {max_samples: 1000000000}\n") as server:
            fill(server, write_requests(of, histories(of, 61), start, STEP))
            for question in questions:
                for steps in options.steps:
                    asked = replace(question, step=question.span / (steps - 1))
                    row = measured(server, asked, start / 1000 + question.span)
                    print(f"| {question.params['query']} | {series:,} | {steps} | {row} |", flush=True)


if __name__ == "__main__":
    main()
