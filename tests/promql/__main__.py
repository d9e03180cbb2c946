"""`python -m tests.promql [--block-steps N] FILE...`: run scripts of Prometheus' test language.

A line for each evaluation that fails, `file:line: query: got ..., wanted ...`; the last line counts.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import anyio

from tests.promql.run import lines, run_file


async def main(paths: list[Path], block_steps: int) -> int:
    passed = failed = 0
    for path in paths:
        outcomes = await run_file(path, block_steps)
        problems = list(lines(path, outcomes))
        for problem in problems:
            print(problem)
        failed += len(problems)
        passed += len(outcomes) - len(problems)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--block-steps", type=int, default=0, help="Steps of a range that are evaluated at a time.")
    parser.add_argument("paths", type=Path, nargs="*")
    given = parser.parse_args()
    sys.exit(anyio.run(main, given.paths, given.block_steps))
