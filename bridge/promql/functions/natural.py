"""The order of texts in which people would put them: `node2` before `node10`."""

import re
from typing import TypeAlias

__all__ = ["natural_key"]

CHUNK = re.compile(r"[0-9]+|[^0-9]+")

Key: TypeAlias = list[tuple[int, int, str]]


def natural_key(text: str) -> Key:
    """Digits are compared as numbers, shorter ones with the same value first, and come before other characters."""
    return [(0, int(chunk), chunk) if chunk[0].isdigit() else (1, 0, chunk) for chunk in CHUNK.findall(text)]
