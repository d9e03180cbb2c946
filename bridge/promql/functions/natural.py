"""The order of texts in which people would put them: `node2` before `node10`."""

import re
from typing import TypeAlias

__all__ = ["natural_key"]

CHUNK = re.compile(r"[0-9]+|[^0-9]+")

Key: TypeAlias = list[tuple[int, int, str]]


def natural_key(text: str) -> Key:
    """Digits are compared as numbers, and come before other characters."""
    return [number(chunk) if "0" <= chunk[0] <= "9" else (1, 0, chunk) for chunk in CHUNK.findall(text)]


def number(digits: str) -> tuple[int, int, str]:
    """The longer one of two numbers is the larger one, whatever their length."""
    significant = digits.lstrip("0")
    return 0, len(significant), significant
