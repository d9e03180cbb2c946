//! XORs of floats: most have zeros on both sides, and only the bits between are told.
//!
//! `0` no difference; `10` bits in the last window; `11` lead(5) length(6) bits, which is a window from then on.

use super::bits::{BitReader, BitWriter};
use super::BadChunk;

/// Leading zeros are told in 5 bits.
const MAX_LEADING: u32 = 31;

/// The bits of the last XOR that were told explicitly; length 0 when there is none yet.
#[derive(Debug, Clone, Copy, Default)]
pub struct Window {
    leading: u8,
    length: u8,
}

impl Window {
    /// Append `xor`.
    pub fn put(&mut self, bits: &mut BitWriter, out: &mut Vec<u8>, xor: u64) {
        if xor == 0 {
            return bits.put(out, 0, 1);
        }
        let leading = xor.leading_zeros().min(MAX_LEADING) as u8;
        let trailing = xor.trailing_zeros() as u8;
        if self.length > 0 && leading >= self.leading && trailing >= self.trailing() {
            bits.put(out, 0b10, 2);
        } else {
            let length = 64 - leading - trailing;
            // 64 does not fit into 6 bits: it is told as 0, which cannot occur.
            let told = u64::from(leading) << 6 | u64::from(length & 63);
            bits.put(out, 0b11 << 11 | told, 13);
            *self = Self { leading, length };
        }
        bits.put(out, xor >> self.trailing(), self.length.into());
    }

    /// The next XOR.
    pub fn read(&mut self, bits: &mut BitReader<'_>) -> Result<u64, BadChunk> {
        if !bits.bit()? {
            return Ok(0);
        }
        if bits.bit()? {
            self.read_new(bits)
        } else {
            self.read_again(bits)
        }
    }

    /// An XOR with a window of its own, after the bits that say so.
    pub fn read_new(&mut self, bits: &mut BitReader<'_>) -> Result<u64, BadChunk> {
        let leading = bits.take(5)? as u8;
        let length = match bits.take(6)? as u8 {
            0 => 64,
            length => length,
        };
        if leading + length > 64 {
            return Err(BadChunk);
        }
        *self = Self { leading, length };
        self.read_again(bits)
    }

    /// An XOR in the last window, after the bits that say so.
    pub fn read_again(&mut self, bits: &mut BitReader<'_>) -> Result<u64, BadChunk> {
        if self.length == 0 {
            self.length = 64; // so do chunks begin to which a Prometheus appends after it has loaded them
        }
        Ok(bits.take(self.length.into())? << self.trailing())
    }

    fn trailing(&self) -> u8 {
        64 - self.leading - self.length
    }
}
