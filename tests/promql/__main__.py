"""`python -m tests.promql FILE...`: run scripts of Prometheus' test language.

A line for each evaluation that fails, `file:line: query: got ..., wanted ...`; the last line counts.
"""

from __future__ import annotations

import sys
from pathlib import Path

import anyio

from tests.promql.run import lines, run_file


async def main(paths: list[Path]) -> int:
    passed = failed = 0
    for path in paths:
        outcomes = await run_file(path)
        problems = list(lines(path, outcomes))
        for problem in problems:
            print(problem)
        failed += len(problems)
        passed += len(outcomes) - len(problems)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(anyio.run(main, [Path(argument) for argument in sys.argv[1:]]))
