//! XOR2 chunks (encoding 4): floats with start timestamps, time step and value announced together. Read only.
//!
//! ```text
//! n u16, start header(1) | t0 varint, v0 64 bits | t1-t0 uvarint, v1 | (step and v)*
//! ```
//!
//! Step and value: `0` same step, same value; `10` same step, another value; `110`, `1110`, `11110` the step changes by a
//! number of 13, 20 or 64 bits, then the value; `11111` same step, stale. A value alone: `0` the same, `10` and `110` its
//! XOR in the last or in a new window, `111` stale. The XOR is with the last value that is not stale.

use super::bits::BitReader;
use super::start::StartTimes;
use super::window::Window;
use super::BadChunk;
use crate::batch::{is_stale, STALE_NAN_BITS};
use crate::bytes::unzigzag;

/// Number of bytes before the bit stream: the count, and where start timestamps are.
const HEADER_SIZE: usize = 3;

/// Widths of the changes of the time step, by the number of ones before the `0` of their prefix, less two.
const STEP_WIDTHS: [u32; 3] = [13, 20, 64];

/// The samples of a chunk, oldest first.
#[derive(Debug, Clone)]
pub struct Samples<'a> {
    bits: BitReader<'a>,
    start: StartTimes,
    count: u16,
    read: u16,
    t: i64,
    step: u64,
    /// The last value that is not stale.
    value: u64,
    window: Window,
}

impl<'a> Samples<'a> {
    /// Read `chunk` from its first sample.
    pub fn new(chunk: &'a [u8]) -> Result<Self, BadChunk> {
        let (&[high, low, start], stream) = chunk.split_first_chunk::<HEADER_SIZE>().ok_or(BadChunk)?;
        Ok(Self {
            bits: BitReader::new(stream),
            start: StartTimes::from_byte(start),
            count: u16::from_be_bytes([high, low]),
            read: 0,
            t: 0,
            step: 0,
            value: 0,
            window: Window::default(),
        })
    }

    fn read_sample(&mut self) -> Result<(i64, f64), BadChunk> {
        let value = match self.read {
            0 => {
                self.t = unzigzag(self.bits.uvarint()?);
                let first = self.bits.take(64)?;
                if !is_stale(f64::from_bits(first)) {
                    self.value = first;
                }
                first
            }
            1 => {
                self.step = self.bits.uvarint()?;
                self.read_value()?
            }
            _ => self.read_step_and_value()?,
        };
        self.t = self.t.wrapping_add(self.step as i64);
        self.start.skip(self.read, &mut self.bits)?;
        self.read = self.read.saturating_add(1);
        Ok((self.t, f64::from_bits(value)))
    }

    fn read_step_and_value(&mut self) -> Result<u64, BadChunk> {
        if !self.bits.bit()? {
            return Ok(self.value);
        }
        if !self.bits.bit()? {
            return self.read_changed();
        }
        for width in STEP_WIDTHS {
            if !self.bits.bit()? {
                let unused = 64 - width;
                let change = (self.bits.take(width)? << unused) as i64 >> unused;
                self.step = self.step.wrapping_add(change as u64);
                return self.read_value();
            }
        }
        Ok(STALE_NAN_BITS)
    }

    fn read_value(&mut self) -> Result<u64, BadChunk> {
        if !self.bits.bit()? {
            return Ok(self.value);
        }
        if !self.bits.bit()? {
            self.value ^= self.window.read_again(&mut self.bits)?;
        } else if !self.bits.bit()? {
            self.value ^= self.window.read_new(&mut self.bits)?;
        } else {
            return Ok(STALE_NAN_BITS);
        }
        Ok(self.value)
    }

    fn read_changed(&mut self) -> Result<u64, BadChunk> {
        self.value ^= if self.bits.bit()? {
            self.window.read_new(&mut self.bits)?
        } else {
            self.window.read_again(&mut self.bits)?
        };
        Ok(self.value)
    }
}

impl Iterator for Samples<'_> {
    type Item = Result<(i64, f64), BadChunk>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.read >= self.count {
            return None;
        }
        let sample = self.read_sample();
        if sample.is_err() {
            self.count = 0;
        }
        Some(sample)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.count.saturating_sub(self.read).into()))
    }
}
