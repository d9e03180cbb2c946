"""What compaction costs: `python -m bench.compact [--series N]`: three blocks of two hours become one of six.

It runs in a process of its own, whose CPU time and peak memory are told; what it has in memory before it begins stands
beside them. Beside it, when it is on PATH, a Prometheus that finds the same blocks and compacts them a minute after its
start; nothing is sent to it.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.blocks import RANGE, Shop, fill
from bench.server import Server
from bench.workload import STEP, specs

BLOCKS = 4  # the newest one is never compacted


def peak() -> float:
    """The most memory that this program has had, MB; `getrusage` would count that of the process which started it."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


def compact(tsdb: Path) -> str:
    """Compact, and tell as a row of the table."""
    shop = Shop(tsdb)
    before, started = peak(), time.process_time()
    if not shop.compactor.compact((RANGE, 3 * RANGE)):
        raise SystemExit("there is nothing to compact")
    spent = time.process_time() - started
    stats = shop.blocks.loaded[0].meta.stats
    return f"| {stats.series:,} | {stats.samples:,} | {stats.chunks:,} | {spent:.2f} | {before:.0f} | {peak():.0f} |"


def prometheus(tsdb: Path) -> str | None:
    """The same done by a Prometheus, as a row; what its first seconds have cost is left out."""
    program = shutil.which("prometheus")
    if program is None:
        return None

    def command(port: int, folder: Path) -> list[str]:
        (folder / "prometheus.yml").write_text("global: {}\n")
        return [
            program,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={tsdb}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{port}",
        ]

    with Server("prometheus", command, "/-/ready") as server:
        before, started = server.peak(), server.cpu()
        deadline = time.monotonic() + 180
        while len(list(tsdb.glob("*/meta.json"))) >= BLOCKS and time.monotonic() < deadline:
            time.sleep(0.5)
        time.sleep(5)  # until the old blocks are gone
        return f"| Prometheus | | | {server.cpu() - started:.2f} | {before:.0f} | {server.peak():.0f} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, nargs="+", default=[5_000])
    parser.add_argument("--directory", type=Path, help="compact the blocks in it, in this process")
    parser.add_argument("--points", type=int, default=RANGE // STEP, help="samples of a series in a block of two hours")
    options = parser.parse_args()
    if options.directory:
        print(compact(options.directory))
        return
    print("| series | samples | chunks | CPU s | memory before, MB | peak, MB |\n|---|---|---|---|---|---|", flush=True)
    for series in options.series:
        with tempfile.TemporaryDirectory() as folder:
            tsdb = Path(folder) / "tsdb"
            fill(tsdb, specs(series), BLOCKS, options.points)
            shutil.copytree(tsdb, Path(folder) / "theirs")
            command = [sys.executable, "-m", "bench.compact", "--directory", str(tsdb)]
            row = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
            print(row, flush=True)
            print(prometheus(Path(folder) / "theirs") or "", flush=True)


if __name__ == "__main__":
    main()
