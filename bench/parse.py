"""What an expression costs before it is evaluated: `python -m bench.parse`.

Microseconds of CPU, the least of many rounds: for the tokens alone, for parsing and checking, for printing.
"""

import time
from collections.abc import Callable

from bridge.promql import format_expr, parse_expr
from bridge.promql.lexer import tokenize

QUERIES = (
    'sum(rate(http_requests_total{code=~"5.."}[5m]))',
    'histogram_quantile(0.99, sum by (le, job) (rate(request_seconds_bucket{job="api"}[5m]))) > 0.5 and up == 1',
    'sum by (instance, mode) (rate(node_cpu_seconds_total{mode!="idle"}[5m])) / on (instance) group_left cpus',
)
ROUNDS = 20
CALLS = 100


def microseconds(call: Callable[[], object]) -> float:
    """The least of many rounds."""
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(CALLS):
            call()
        taken.append((time.process_time() - started) / CALLS)
    return min(taken) * 1e6


def main() -> None:
    """Print a line for each query."""
    print("characters  tokens  parse  print")
    for query in QUERIES:
        parsed = parse_expr(query)
        times = (
            microseconds(lambda query=query: tokenize(query)),
            microseconds(lambda query=query: parse_expr(query)),
            microseconds(lambda parsed=parsed: format_expr(parsed)),
        )
        print(f"{len(query):10}  {times[0]:6.0f}  {times[1]:5.0f}  {times[2]:5.0f}")


if __name__ == "__main__":
    main()
