//! InfluxDB line protocol, by the mapping of [`crate::wire::influx`], in pieces of any length.

use super::buffer::Buffer;
use super::openmetrics::{BadLine, MAX_LINE};
use crate::batch::BATCH_TIME;
use crate::wire::influx::{parse, whole_lines, BadLines, ParseError, Precision};

/// Lines parsed in one go: their label sets are spelled out for each field.
const PIECE: usize = 256 << 10;

/// A reader that is fed with pieces of any length.
#[derive(Debug)]
pub struct LineProtocol {
    precision: Precision,
    /// Time of lines without one, ms.
    now: i64,
    /// A line that has begun.
    begun: Vec<u8>,
    /// Lines read.
    number: u64,
    /// Text fields so far: they are no samples.
    skipped: u64,
}

impl LineProtocol {
    /// Timestamps are in `precision`; a line without one is at `now` ms.
    pub fn new(precision: Precision, now: i64) -> Self {
        Self {
            precision,
            now,
            begun: Vec::new(),
            number: 0,
            skipped: 0,
        }
    }

    /// Text fields left out so far.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Memory in use, roughly.
    pub fn bytes(&self) -> usize {
        self.begun.capacity()
    }

    /// Read on. After an error the reader is of no use any more.
    pub fn feed(&mut self, piece: &[u8], buffer: &mut Buffer) -> Result<(), BadLine> {
        for piece in piece.chunks(PIECE) {
            self.begun.extend_from_slice(piece);
            // Unless a line has ended, the same bytes would be looked at again for each piece of a long one.
            if memchr::memchr(b'\n', piece).is_some() {
                self.take_lines(buffer)?;
            }
            if self.begun.len() > MAX_LINE {
                return Err(BadLine {
                    number: self.number + 1,
                    reason: format!("the line is longer than {MAX_LINE} bytes, or a quote is not closed"),
                });
            }
        }
        Ok(())
    }

    /// The text ends here; its last line may lack a line feed.
    pub fn finish(&mut self, buffer: &mut Buffer) -> Result<(), BadLine> {
        let begun = std::mem::take(&mut self.begun);
        self.parse(&begun, buffer)
    }

    fn take_lines(&mut self, buffer: &mut Buffer) -> Result<(), BadLine> {
        let (bytes, lines) = whole_lines(&self.begun);
        let begun = std::mem::take(&mut self.begun);
        let (whole, rest) = begun.split_at_checked(bytes).unwrap_or((&begun, &[]));
        self.parse(whole, buffer)?;
        self.begun = rest.to_vec();
        self.number += lines as u64;
        Ok(())
    }

    fn parse(&mut self, lines: &[u8], buffer: &mut Buffer) -> Result<(), BadLine> {
        let parsed = parse(lines, self.precision, self.now, usize::MAX).map_err(|error| self.bad(error))?;
        self.skipped += parsed.skipped;
        for (labels, t, value) in parsed.batch.floats() {
            let t = if t == BATCH_TIME { parsed.batch.time } else { t };
            let added = buffer.series(labels).and_then(|series| buffer.append(series, t, value));
            added.map_err(|error| BadLine {
                number: self.number + 1,
                reason: format!("at this line or soon after it: {error}"),
            })?;
        }
        Ok(())
    }

    fn bad(&self, error: ParseError) -> BadLine {
        let (number, reason) = match &error {
            ParseError::BadLines(BadLines { told, .. }) => match told.first() {
                Some((number, line, reason)) => (*number as u64, format!("{reason}: {line:.200}")),
                None => (1, error.to_string()),
            },
            ParseError::TooLong(_) => (1, error.to_string()),
        };
        BadLine {
            number: self.number + number,
            reason,
        }
    }
}
