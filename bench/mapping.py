"""What each mapping costs: reading a log, lines, gzip: `python -m bench.mapping`. CPU seconds per million samples.

The samples are those of pushes: of each job 20 counters and gauges and 4 histograms of 10 buckets, all with types.
"""

import argparse
import time

from isal import igzip_lib

from bridge.forward import MAPPINGS
from bridge.native import Framer, Head, LineMapping, PushTable, Route, encode_lines, parse_families

SLICE = 5000
BOUNDS = (0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60)


def text(job: int, now: int) -> str:
    """A push."""
    lines = []
    for n in range(20):
        kind = "counter" if n % 2 else "gauge"
        name = f"job_{kind}_{n}" + ("_total" if n % 2 else "")
        lines += [f"# TYPE {name} {kind}", f'{name}{{instance="host-{job}",path="/a/b"}} {now * n + 0.5 * (n % 3)}']
    for n in range(4):
        name = f"job_seconds_{n}"
        lines.append(f"# TYPE {name} histogram")
        lines += [f'{name}_bucket{{instance="host-{job}",le="{le}"}} {now + i}' for i, le in enumerate(BOUNDS)]
        lines += [f'{name}_bucket{{instance="host-{job}",le="+Inf"}} {now + 99}']
        lines += [
            f'{name}_sum{{instance="host-{job}"}} {now * 1.25}',
            f'{name}_count{{instance="host-{job}"}} {now + 99}',
        ]
    return "\n".join(lines) + "\n"


def fill(samples: int) -> tuple[Head, bytes]:
    """A head, and the log of about so many samples."""
    head, table, framer = Head(), PushTable(), Framer(0, 1 << 30, "none")
    job = now = 0
    while head.seq < samples:
        job, now = (job + 1) % 200, now + 1
        families = parse_families(text(job, now).encode(), "text", utf8=True, lenient=False)
        ticket = table.stage([("job", f"j{job}")], families, now=1_700_000_000_000 + now, ttl=0, replace=False)
        staged = head.stage(ticket.batch)
        framer.add(staged)
        staged.commit()
        ticket.commit()
    return head, framer.take()


def main() -> None:
    """Print a row in markdown for each mapping."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=500_000)
    options = parser.parse_args()
    head, log = fill(options.samples)
    print("| mapping | CPU s per million | of that gzip | lines a sample | bytes a sample | gzipped |")
    print("|---|---|---|---|---|---|")
    for known in MAPPINGS:
        mapping, at, lines, size, packed, zipping = LineMapping(known.name), 0, 0, 0, 0, 0.0
        started = time.process_time()
        while at < len(log) and (piece := head.read_log(log, at, len(log), SLICE)).samples:
            at = piece.end
            encoded = encode_lines(head, piece, mapping, Route())
            body, before = encoded.body, time.process_time()
            packed += len(igzip_lib.compress(body, level=1, flag=igzip_lib.COMP_GZIP))
            zipping += time.process_time() - before
            lines, size = lines + len(encoded), size + len(body)
        cpu, each = time.process_time() - started, head.seq / 1e6
        print(
            f"| `{known.name}` | {cpu / each:.2f} | {zipping / each:.2f} | {lines / head.seq:.2f} "
            f"| {size / head.seq:.0f} | {packed / head.seq:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
