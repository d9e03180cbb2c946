//! Start timestamps in chunks of encodings 4 to 6. They are read over: what they say is not kept.

use super::bits::BitReader;
use super::BadChunk;

/// Where a chunk's start timestamps are, from the header byte that tells it.
#[derive(Debug, Clone, Copy)]
pub struct StartTimes {
    /// The first sample has one.
    first_known: bool,
    /// Index of the first sample from which on each has one; 0 when there is no such sample.
    all_from: u8,
}

impl StartTimes {
    /// Decode the header byte.
    pub fn from_byte(byte: u8) -> Self {
        Self {
            first_known: byte & 0x80 != 0,
            all_from: byte & 0x7f,
        }
    }

    /// Read over the start timestamp that may follow sample `index`.
    pub fn skip(&self, index: u16, bits: &mut BitReader<'_>) -> Result<(), BadChunk> {
        if index == 0 {
            if self.first_known {
                bits.uvarint()?;
            }
        } else if self.all_from > 0 && index >= u16::from(self.all_from) {
            bits.varbit()?;
        }
        Ok(())
    }
}
