//! Bit streams, most significant bit first, the last byte padded with zeros.

use super::window::Window;
use super::BadChunk;

/// Size classes of varbit numbers: (bits of the prefix, bits of the number).
const VARBIT_CLASSES: [(u32, u32); 7] = [(2, 3), (3, 6), (4, 9), (5, 12), (6, 18), (7, 25), (8, 56)];
const VARBIT_WIDEST: (u32, u32) = (8, 64);

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

    /// Append a number by its size class, as Prometheus' `varbit` does: small ones of either sign are short.
    pub fn put_varbit(&mut self, out: &mut Vec<u8>, v: i64) {
        if v == 0 {
            return self.put(out, 0, 1);
        }
        let (length, width) = VARBIT_CLASSES
            .into_iter()
            .find(|(_, width)| {
                let half = 1i64 << (width - 1);
                (1 - half..=half).contains(&v)
            })
            .unwrap_or(VARBIT_WIDEST);
        self.put_class(out, length, width, v as u64);
    }

    /// As [`Self::put_varbit`], for numbers without a sign.
    pub fn put_varbit_unsigned(&mut self, out: &mut Vec<u8>, v: u64) {
        if v == 0 {
            return self.put(out, 0, 1);
        }
        let class = VARBIT_CLASSES.into_iter().find(|(_, width)| v >> width == 0);
        let (length, width) = class.unwrap_or(VARBIT_WIDEST);
        self.put_class(out, length, width, v);
    }

    /// Ones that announce the class, ended by a zero unless it is the widest; then the lowest `width` bits.
    fn put_class(&mut self, out: &mut Vec<u8>, length: u32, width: u32, v: u64) {
        let ones = if width == 64 { 0xff } else { (1 << length) - 2 };
        self.put(out, ones, length);
        self.put(out, v, width);
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

    /// Bits not read yet.
    pub fn remaining(&self) -> usize {
        8 * self.rest.len() + self.valid as usize
    }

    /// A number told by its size class; each class leans to the positive side.
    pub fn varbit(&mut self) -> Result<i64, BadChunk> {
        let width = self.varbit_width()?;
        let raw = self.take(width)? as i64;
        Ok(match width {
            0 | 64 => raw,
            _ if raw > 1 << (width - 1) => raw - (1 << width),
            _ => raw,
        })
    }

    /// As [`Self::varbit`], for numbers without a sign.
    pub fn varbit_unsigned(&mut self) -> Result<u64, BadChunk> {
        let width = self.varbit_width()?;
        self.take(width)
    }

    fn varbit_width(&mut self) -> Result<u32, BadChunk> {
        if !self.bit()? {
            return Ok(0);
        }
        for (_, width) in VARBIT_CLASSES {
            if !self.bit()? {
                return Ok(width);
            }
        }
        Ok(VARBIT_WIDEST.1)
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

/// A byte vector with its [`BitWriter`].
#[derive(Debug, Clone, Default)]
pub struct BitBuffer {
    /// Whole bytes; the last one may have bits free.
    pub bytes: Vec<u8>,
    writer: BitWriter,
}

impl BitBuffer {
    /// A stream after the bytes of a header.
    pub fn after(header: &[u8]) -> Self {
        Self {
            bytes: header.to_vec(),
            writer: BitWriter::default(),
        }
    }

    /// See [`BitWriter::put`].
    pub fn put(&mut self, value: u64, count: u32) {
        self.writer.put(&mut self.bytes, value, count);
    }

    /// See [`BitWriter::put_varbit`].
    pub fn put_varbit(&mut self, v: i64) {
        self.writer.put_varbit(&mut self.bytes, v);
    }

    /// See [`BitWriter::put_varbit_unsigned`].
    pub fn put_varbit_unsigned(&mut self, v: u64) {
        self.writer.put_varbit_unsigned(&mut self.bytes, v);
    }

    /// See [`Window::put`].
    pub fn put_xor(&mut self, window: &mut Window, xor: u64) {
        window.put(&mut self.writer, &mut self.bytes, xor);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number() -> impl Strategy<Value = i64> {
        (any::<i64>(), 0..64u32).prop_map(|(v, shift)| v >> shift)
    }

    proptest! {
        #[test]
        fn varbits_round_trip_at_any_position(numbers in proptest::collection::vec((number(), 1..9u32), 0..40)) {
            let mut buffer = BitBuffer::default();
            for (v, shift) in &numbers {
                buffer.put(0, *shift);
                buffer.put_varbit(*v);
                buffer.put_varbit_unsigned(*v as u64);
            }
            let mut reader = BitReader::new(&buffer.bytes);
            for (v, shift) in &numbers {
                prop_assert_eq!(reader.take(*shift), Ok(0));
                prop_assert_eq!(reader.varbit(), Ok(*v));
                prop_assert_eq!(reader.varbit_unsigned(), Ok(*v as u64));
            }
            prop_assert!(reader.remaining() < 8);
        }
    }

    /// Each class at both ends of its range, as bits.
    #[test]
    fn varbits_are_those_of_prometheus() {
        let bits = |v: i64| {
            let mut buffer = BitBuffer::default();
            buffer.put_varbit(v);
            let mut reader = BitReader::new(&buffer.bytes);
            let mut text = String::new();
            while reader.remaining() > 0 {
                text.push(if reader.bit().unwrap() { '1' } else { '0' });
            }
            text
        };
        assert_eq!(bits(0), "00000000");
        assert_eq!(bits(-3), "10101000");
        assert_eq!(bits(4), "10100000");
        assert_eq!(bits(5), "1100001010000000");
        assert_eq!(bits(-4), "1101111000000000");
        assert_eq!(bits(32), "1101000000000000");
        assert_eq!(bits(-255), "1110100000001000");
        assert_eq!(bits(2048), "111101000000000000000000");
        assert_eq!(bits(131_072), "111110100000000000000000");
        assert_eq!(bits(16_777_216), "11111101000000000000000000000000");
        assert_eq!(bits(1 << 55), format!("111111101{}", "0".repeat(55)));
        assert_eq!(bits(i64::MIN), format!("111111111{}", "0".repeat(63)));
    }
}
