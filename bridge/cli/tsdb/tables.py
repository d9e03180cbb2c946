"""Tables and figures as promtool prints them, so that what reads its output reads ours."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from bridge.buffer import FoundBlock

__all__ = ["block_table", "go_duration", "show_size", "show_time"]

HEADER = ("BLOCK ULID", "MIN TIME", "MAX TIME", "DURATION", "NUM SAMPLES", "NUM CHUNKS", "NUM SERIES", "SIZE")
MIN_WIDTH, PADDING = 13, 2
UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def block_table(blocks: Iterable[FoundBlock], *, human_readable: bool) -> Iterable[str]:
    """Lines of `promtool tsdb list`."""
    rows: list[Sequence[str]] = [HEADER]
    for block in blocks:
        meta, stats = block.meta, block.meta.stats
        times = (show_time(t, human_readable=human_readable) for t in (meta.mint, meta.maxt))
        counts = map(str, (stats.samples, stats.chunks, stats.series))
        size = show_size(block.size, human_readable=human_readable)
        rows.append((meta.ulid, *times, go_duration(meta.maxt - meta.mint), *counts, size))
    return _aligned(rows)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(MIN_WIDTH, PADDING + max(map(len, column))) for column in zip(*rows, strict=True)]
    for *cells, last in rows:
        yield "".join(cell.ljust(width) for cell, width in zip(cells, widths[:-1], strict=True)) + last


def show_time(t: int, *, human_readable: bool) -> str:
    """Milliseconds, or a date to the second as Go prints it."""
    if not human_readable:
        return str(t)
    seconds = abs(t) // 1000 * (1 if t >= 0 else -1)  # Go divides towards zero
    try:
        return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S} +0000 UTC"
    except OverflowError:
        return str(t)


def show_size(size: int, *, human_readable: bool) -> str:
    """Bytes, or `34KiB330B`."""
    if not human_readable or size < len(UNITS):
        return str(size) if not human_readable else f"{size}B"
    parts = []
    for unit in UNITS:
        size, part = divmod(size, 1024)
        if part:
            parts.append(f"{part}{unit}")
    return "".join(reversed(parts))


def go_duration(ms: int) -> str:
    """Milliseconds as Go's `time.Duration` prints them: `1h45m27.842s`."""
    if ms == 0:
        return "0s"
    sign, ms = ("-", -ms) if ms < 0 else ("", ms)
    if ms < 1000:
        return f"{sign}{ms}ms"
    minutes, rest = divmod(ms, 60_000)
    seconds = f"{rest // 1000}.{rest % 1000:03d}".rstrip("0").rstrip(".") + "s"
    if not minutes:
        return sign + seconds
    hours, minutes = divmod(minutes, 60)
    return sign + (f"{hours}h" if hours else "") + f"{minutes}m" + seconds
