"""A reader of XOR chunks, written from the format alone: an oracle for chunks that leave through remote read."""

from __future__ import annotations

import struct

__all__ = ["xor_samples"]


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def ones(self, most: int) -> int:
        for count in range(most):
            if not self.take(1):
                return count
        return most

    def uvarint(self) -> int:
        value = shift = 0
        while (byte := self.take(8)) & 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
        return value | byte << shift


def xor_samples(data: bytes) -> list[tuple[int, float]]:
    """(time in ms, value) of all samples of a chunk of encoding 1."""
    (count,) = struct.unpack(">H", data[:2])
    bits = _Bits(data[2:])
    samples: list[tuple[int, int]] = []
    delta = lead = trail = 0
    for n in range(count):
        if n == 0:
            zigzag = bits.uvarint()
            samples.append((zigzag >> 1 ^ -(zigzag & 1), bits.take(64)))
            continue
        if n == 1:
            delta = bits.uvarint()
        elif width := (0, 14, 17, 20, 64)[bits.ones(4)]:
            change = bits.take(width)
            delta += change - (1 << width) if change > 1 << width - 1 else change
        time, value = samples[-1][0] + delta, samples[-1][1]
        if bits.take(1):
            if bits.take(1):
                lead, size = bits.take(5), bits.take(6) or 64
                trail = 64 - lead - size
            value ^= bits.take(64 - lead - trail) << trail
        samples.append((time, value))
    return [(time, struct.unpack(">d", value.to_bytes(8, "big"))[0]) for time, value in samples]
