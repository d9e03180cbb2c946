//! Bit streams, most significant bit first, the last byte padded with zeros.

use super::BadChunk;

/// Appends bits to a byte vector that it is lent for each write; remembers only how much of the last byte is free.
#[derive(Debug, Clone, Copy, Default)]
pub struct BitWriter {
    free: u8,
}

impl BitWriter {
    /// Append the lowest `count` (1..=64) bits of `value`.
    pub fn put(&mut self, out: &mut Vec<u8>, value: u64, count: u32) {
        let mut left = count;
        let mut aligned = value << (64 - count);
        if self.free > 0 {
            let free = u32::from(self.free);
            if let Some(last) = out.last_mut() {
                *last |= (aligned >> (64 - free)) as u8;
            }
            if left < free {
                self.free = (free - left) as u8;
                return;
            }
            aligned = aligned.checked_shl(free).unwrap_or(0);
            left -= free;
            self.free = 0;
        }
        while left > 0 {
            out.push((aligned >> 56) as u8);
            aligned <<= 8;
            self.free = 8u32.saturating_sub(left) as u8;
            left = left.saturating_sub(8);
        }
    }

    /// Append LEB128, at any bit position.
    pub fn put_uvarint(&mut self, out: &mut Vec<u8>, mut v: u64) {
        while v >= 0x80 {
            self.put(out, (v & 0x7f) | 0x80, 8);
            v >>= 7;
        }
        self.put(out, v, 8);
    }
}

/// Reads bits from a borrowed slice.
#[derive(Debug, Clone)]
pub struct BitReader<'a> {
    rest: &'a [u8],
    buffer: u64,
    valid: u32,
}

impl<'a> BitReader<'a> {
    /// A reader over all of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            buffer: 0,
            valid: 0,
        }
    }

    /// The next `count` (0..=64) bits as an unsigned number.
    pub fn take(&mut self, count: u32) -> Result<u64, BadChunk> {
        if count <= self.valid {
            self.valid -= count;
            return Ok((self.buffer >> self.valid) & mask(count));
        }
        let missing = count - self.valid;
        let high = self.buffer & mask(self.valid);
        self.fill()?;
        if missing > self.valid {
            return Err(BadChunk);
        }
        self.valid -= missing;
        let low = (self.buffer >> self.valid) & mask(missing);
        Ok(high.checked_shl(missing).unwrap_or(0) | low)
    }

    /// The next bit.
    pub fn bit(&mut self) -> Result<bool, BadChunk> {
        self.take(1).map(|b| b == 1)
    }

    /// LEB128, at any bit position.
    pub fn uvarint(&mut self) -> Result<u64, BadChunk> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(8)?;
            if shift == 63 && byte > 1 {
                return Err(BadChunk);
            }
            value |= (byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(BadChunk)
    }

    /// Replace the buffer, all of which is used, by up to eight more bytes.
    fn fill(&mut self) -> Result<(), BadChunk> {
        if let Some((word, rest)) = self.rest.split_first_chunk::<8>() {
            (self.buffer, self.valid, self.rest) = (u64::from_be_bytes(*word), 64, rest);
            return Ok(());
        }
        if self.rest.is_empty() {
            return Err(BadChunk);
        }
        self.buffer = self.rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        self.valid = 8 * self.rest.len() as u32;
        self.rest = &[];
        Ok(())
    }
}

fn mask(count: u32) -> u64 {
    u64::MAX.checked_shr(64 - count).unwrap_or(0)
}
