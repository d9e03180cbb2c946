"""Hours of a store's life in minutes, against a model: `python -m tests.soak.run --minutes 20`.

A store in a process of its own ingests under a clock that runs ahead: blocks are cut, compacted, deleted from and
deleted, the process is killed at random, and random queries are compared with a map in memory. One difference ends it.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.soak.model import Difference, Model, Row

MINUTE = 60_000
HOUR = 60 * MINUTE
RETENTION = 72 * HOUR
WINDOW = 30 * MINUTE  # of samples out of order
SERIES = 60


class Killed(Exception):
    """The store's process is no more."""


class Soak:
    """One run."""

    def __init__(self, data: Path, seed: int) -> None:
        self.data = data
        self.chance = random.Random(seed)
        self.model = Model()
        self.done: Counter[str] = Counter()
        self.now = 1_700_000_000_000
        self._process: subprocess.Popen[str] | None = None
        self._doubtful: list[Row] = []
        self._oldest = 0  # segment of the log
        self._counted: Counter[str] = Counter()  # by the process that lives

    def turn(self) -> None:
        """Some minutes of the store's life."""
        try:
            self._live()
        except Killed:
            self.done["kills"] += 1
            self._settle_doubts()

    def finish(self) -> None:
        """Compare all of it, before and after a graceful end."""
        for _ in range(2):
            self._query(".*", range(SERIES), self.now - RETENTION + 6 * HOUR, self.now)
            self._ask("close")
            self._end()

    def _live(self) -> None:
        self.now += self.chance.choice([15_000, MINUTE, MINUTE, 5 * MINUTE])
        self._append()
        if self.chance.random() < 0.1:
            self._append_late()
        if self.chance.random() < 0.5:
            answer = self._ask("maintain")
            self.done["maintenance"] += 1
            self._count(answer)
        if self.chance.random() < 0.2:
            self._query_some()
        if self.chance.random() < 0.005:
            self._delete()
        if self.chance.random() < 0.002:
            self._ask("clean")
            self.done["cleanings"] += 1
        if self.chance.random() < 0.002:
            self._ask("close")
            self._end()
            self.done["restarts"] += 1
        if self.chance.random() < 0.01:
            self.model.forget(self.now - RETENTION - 12 * HOUR)

    def _count(self, answer: dict[str, int]) -> None:
        """Note what upkeep has done; its counters begin anew with each process."""
        self.done["most blocks"] = max(self.done["most blocks"], answer.pop("blocks"))
        oldest = answer.pop("log")
        self.done["log cuts"] += oldest > self._oldest
        self._oldest = oldest
        for name, count in answer.items():
            self.done[name] += int(count - self._counted[name])
            self._counted[name] = int(count)

    # -- what is done -------------------------------------------------------------------------------------------------

    def _append(self) -> None:
        rows: list[Row] = []
        for series in range(SERIES):
            # Some series come and go, so that blocks differ in what they name.
            if series % 3 == 0 and (self.now // (3 * HOUR) + series) % 4 == 0:
                continue
            newest = self.model.newest(series) or 0
            t = self.now - self.chance.randrange(5_000)
            if t > newest:
                rows.append((series, t, self._value()))
        self._store_rows(rows)

    def _append_late(self) -> None:
        t = self.now - self.chance.randrange(WINDOW - 6 * MINUTE)
        series = self.chance.sample(range(SERIES), 5)
        self._store_rows([(s, t, self._value()) for s in sorted(series) if not self.model.has(s, t)])
        self.done["late batches"] += 1

    def _value(self) -> float:
        return self.chance.choice([0.0, 1.5, -2.25, self.chance.random(), float(self.chance.randrange(1 << 40))])

    def _store_rows(self, rows: list[Row]) -> None:
        if not rows:
            return
        self._doubtful = rows
        answer = self._ask("append", rows)
        self._doubtful = []
        if "refused" in answer:
            raise Difference(f"refused at {self.now}: {answer['refused']}")
        self.model.add(rows)
        self.done["batches"] += 1

    def _settle_doubts(self) -> None:
        """What was under way when the process died is there as a whole or not at all."""
        rows, self._doubtful = self._doubtful, []
        if not rows:
            return
        times = [t for _, t, _ in rows]
        found = self._select(".*", min(times), max(times))
        there = [row for row in rows if (row[1], row[2]) in found.get(row[0], [])]
        if there and len(there) != len(rows):
            raise Difference(f"{len(there)} of {len(rows)} samples of a batch are there")
        self.model.add(there)

    def _query_some(self) -> None:
        asked = self.chance.choice([range(SERIES), [self.chance.randrange(SERIES)], range(10, 20)])
        maxt = self.now - self.chance.randrange(RETENTION - 6 * HOUR)
        mint = max(maxt - self.chance.choice([MINUTE, HOUR, 24 * HOUR]), self.now - RETENTION + 6 * HOUR)
        pattern = "|".join(str(series) for series in asked) if len(asked) < SERIES else ".*"
        self._query(pattern, asked, mint, maxt)

    def _query(self, pattern: str, asked: Any, mint: int, maxt: int) -> None:
        self.model.compare(self._select(pattern, mint, maxt), asked, mint, maxt)
        self.done["queries"] += 1

    def _select(self, pattern: str, mint: int, maxt: int) -> dict[int, list[tuple[int, float]]]:
        answer = self._ask("select", pattern, mint, maxt)
        return {int(series): [(t, v) for t, v in samples] for series, samples in answer.items()}

    def _delete(self) -> None:
        series = self.chance.sample(range(SERIES), 3)
        mint = self.now - self.chance.randrange(RETENTION)
        # Late samples may still come to what is newer: whether they count as deleted is nobody's promise.
        maxt = min(mint + self.chance.choice([MINUTE, HOUR, 10 * HOUR]), self.now - WINDOW)
        try:
            self._ask("delete", "|".join(map(str, series)), mint, maxt)
        except Killed:
            self._start()
            self._ask("delete", "|".join(map(str, series)), mint, maxt)  # whoever got no answer asks again
            self.done["kills"] += 1
        self.model.delete(series, mint, maxt)
        self.done["deletions"] += 1

    # -- the process --------------------------------------------------------------------------------------------------

    def _ask(self, what: str, *arguments: Any) -> Any:
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):  # it may have been killed just after its last answer
            process.stdin.write(json.dumps({"now": self.now, "do": what, "with": arguments}) + "\n")
            process.stdin.flush()
        if what != "select" and self.chance.random() < 0.004:
            time.sleep(self.chance.random() * self.chance.choice([0.001, 0.01, 0.05]))
            process.kill()
        line = process.stdout.readline()
        if not line.endswith("\n"):
            code = self._end()
            if code != -9:
                raise Difference(f"the store's process ended with {code}")
            raise Killed
        return json.loads(line)

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.soak.child", str(self.data)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self._process

    def _end(self) -> int:
        process, self._process = self._process, None
        self._counted.clear()
        assert process is not None
        with suppress(BrokenPipeError):
            process.communicate()
        return process.returncode


def main() -> None:
    """Soak, and print what was done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--turns", type=int, default=1 << 60)
    options = parser.parse_args()
    data = Path(tempfile.mkdtemp(prefix="soak-"))
    print(f"seed {options.seed}, data in {data}, to be looked at when this fails", flush=True)
    soak = Soak(data, options.seed)
    started = told = time.monotonic()
    for _ in range(options.turns):
        soak.turn()
        now = time.monotonic()
        if now - told > 10:
            told = now
            print(f"{now - started:.0f} s", soak.model.samples, "samples,", dict(soak.done), flush=True)
        if now - started > options.minutes * 60:
            break
    soak.finish()
    shutil.rmtree(data)
    print("no difference:", dict(soak.done))


if __name__ == "__main__":
    main()
