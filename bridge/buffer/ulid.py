"""ULIDs, the names of blocks: 48 bits of time (ms) and 80 bits of entropy in 26 characters of Crockford's base 32.

Their text sorts as they were made. The first character carries three bits only: beyond `7` there is no ULID.
"""

import re
from collections.abc import Callable
from typing import NewType

__all__ = ["ZERO", "Entropy", "Ulid", "is_ulid", "new_ulid", "parse_ulid", "ulid_time"]

Ulid = NewType("Ulid", str)
"""Always in its canonical form, upper case."""

Entropy = Callable[[int], bytes]
"""Gives so many random bytes, as `os.urandom` does."""

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 26
TIME_BITS, ENTROPY_BITS = 48, 80
STRICT = re.compile(f"[0-7][{ALPHABET}]{{{LENGTH - 1}}}")

ZERO = Ulid("0" * LENGTH)


def new_ulid(now_ms: int, entropy: Entropy) -> Ulid:
    """A name for something made now. A time that 48 bits cannot hold, after the year 10889, becomes the nearest one."""
    time = min(max(now_ms, 0), (1 << TIME_BITS) - 1)
    number = time << ENTROPY_BITS | int.from_bytes(entropy(ENTROPY_BITS // 8))
    return Ulid("".join(ALPHABET[number >> shift & 31] for shift in range(5 * (LENGTH - 1), -1, -5)))


def parse_ulid(text: str) -> Ulid:
    """Strictly: 26 characters of the alphabet, in either case. Raises ValueError."""
    canonical = text.upper() if text.isascii() else text
    if STRICT.fullmatch(canonical) is None:
        raise ValueError(f'not a ULID: "{text:.40}"')
    return Ulid(canonical)


def is_ulid(name: str) -> bool:
    """Whether it is one in its canonical form, as directories of blocks are named."""
    return STRICT.fullmatch(name) is not None


def ulid_time(ulid: Ulid) -> int:
    """When it was made, ms since 1970."""
    time = 0
    for character in ulid[:10]:
        time = time << 5 | ALPHABET.index(character)
    return time
