"""Tables of cases: a line each, `left → right`, in groups under `##` headings; what comes before the first is prose."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def read_table(name: str) -> list[tuple[str, str]]:
    """The cases of a file beside this one, with ⏎ made a new line again."""
    _, *groups = (HERE / name).read_text().split("\n## ")
    lines = (line for group in groups for line in group.split("\n")[1:] if line)
    return [(left, right) for left, right in (line.replace("⏎", "\n").split(" → ") for line in lines)]
