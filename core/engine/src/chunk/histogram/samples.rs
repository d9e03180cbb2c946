//! Reading histogram chunks, those with start timestamps too.

use super::kind::Kind;
use super::layout::Layout;
use super::row::Row;
use super::{header_hint, HEADER_SIZE};
use crate::chunk::bits::BitReader;
use crate::chunk::start::StartTimes;
use crate::chunk::BadChunk;
use crate::histogram::{Histogram, ResetHint};

/// In encodings 5 and 6 the two highest bits of the count are the reset header.
pub const START_COUNT_MASK: u16 = 0x3fff;

/// The samples of a chunk, oldest first, in the schema that they have there.
#[derive(Debug, Clone)]
pub struct Samples<'a, K: Kind> {
    bits: BitReader<'a>,
    start: Option<StartTimes>,
    header: ResetHint,
    count: u16,
    read: u16,
    /// After the first sample.
    state: Option<(Layout, Row<K>)>,
}

impl<'a, K: Kind> Samples<'a, K> {
    /// Read a chunk of encoding 2 or 3.
    pub fn new(chunk: &'a [u8]) -> Result<Self, BadChunk> {
        let (&[high, low, flags], stream) = chunk.split_first_chunk::<HEADER_SIZE>().ok_or(BadChunk)?;
        Ok(Self::over(stream, u16::from_be_bytes([high, low]), flags, None))
    }

    /// Read a chunk of encoding 5 or 6.
    pub fn with_start_times(chunk: &'a [u8]) -> Result<Self, BadChunk> {
        let (&[high, low, start], stream) = chunk.split_first_chunk::<HEADER_SIZE>().ok_or(BadChunk)?;
        let count = u16::from_be_bytes([high, low]) & START_COUNT_MASK;
        Ok(Self::over(stream, count, high, Some(StartTimes::from_byte(start))))
    }

    fn over(stream: &'a [u8], count: u16, flags: u8, start: Option<StartTimes>) -> Self {
        Self {
            bits: BitReader::new(stream),
            start,
            header: header_hint(flags),
            count,
            read: 0,
            state: None,
        }
    }

    fn read_sample(&mut self) -> Result<(i64, Histogram), BadChunk> {
        let hint = self.hint();
        let (layout, row) = match &mut self.state {
            Some((layout, row)) => {
                row.read(&mut self.bits)?;
                (layout, row)
            }
            None => {
                let layout = Layout::read(&mut self.bits)?;
                let row = Row::read_first(&layout, &mut self.bits)?;
                let (layout, row) = self.state.insert((layout, row));
                (layout, row)
            }
        };
        if let Some(start) = &self.start {
            start.skip(self.read, &mut self.bits)?;
        }
        self.read = self.read.saturating_add(1);
        Ok((row.t(), row.histogram(layout, hint)))
    }

    /// Within a chunk of counters none is reset. The header says what came before the first one; but whether the chunk
    /// that it speaks of is still there, nobody can tell.
    fn hint(&self) -> ResetHint {
        match self.header {
            ResetHint::Gauge => ResetHint::Gauge,
            _ if self.read > 0 => ResetHint::NotReset,
            _ => ResetHint::Unknown,
        }
    }
}

impl<K: Kind> Iterator for Samples<'_, K> {
    type Item = Result<(i64, Histogram), BadChunk>;

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
