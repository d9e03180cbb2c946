//! The symbol table of an index: the texts of all label names and values, each once, ascending.

use std::ops::Range;

use super::contents::{damage, section};
use super::{Damage, Reason, CRC_SIZE};
use crate::bytes::{Decoder, Truncated};

/// Of so many symbols one has its offset kept: a lookup steps over half as many, a symbol costs half a byte of memory.
const STRIDE: usize = 8;

/// Offsets into the table; the texts stay in the file.
#[derive(Debug)]
pub(super) struct Symbols {
    /// Where the section's body lies in the index.
    body: Range<usize>,
    count: usize,
    /// In the body, of every [`STRIDE`]th symbol.
    offsets: Vec<u32>,
    /// In version 1 a series names a symbol by its offset in the file, later by its number.
    by_offset: bool,
}

impl Symbols {
    /// Read the table that begins at `offset`: all of it is checked, so that a text is UTF-8 and numbers sort as texts do.
    pub(super) fn read(index: &[u8], offset: usize, version: u8) -> Result<Self, Damage> {
        let body = section(index, offset)?;
        let bytes = index.get(body.clone()).unwrap_or_default();
        let mut rest = Decoder::new(bytes);
        let bad = |rest: &Decoder<'_>, reason| damage(body.end - rest.len()..body.end, reason);
        let count = rest.u32_be().map_err(|Truncated| bad(&rest, Reason::Undecodable))? as usize;
        let mut offsets = Vec::with_capacity(count.min(bytes.len()).div_ceil(STRIDE));
        let mut last: Option<&[u8]> = None;
        for number in 0..count {
            if number % STRIDE == 0 {
                offsets.push((bytes.len() - rest.len()) as u32);
            }
            let symbol = rest.prefixed().map_err(|Truncated| bad(&rest, Reason::Undecodable))?;
            if last.is_some_and(|last| last >= symbol) {
                return Err(bad(&rest, Reason::Unsorted));
            }
            if std::str::from_utf8(symbol).is_err() {
                return Err(bad(&rest, Reason::NotUtf8));
            }
            last = Some(symbol);
        }
        if !rest.is_empty() {
            return Err(bad(&rest, Reason::Undecodable));
        }
        Ok(Self {
            body,
            count,
            offsets,
            by_offset: version == 1,
        })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Where the section ends.
    pub(super) fn end(&self) -> usize {
        self.body.end + CRC_SIZE
    }

    /// All texts, ascending.
    pub(super) fn iter<'a>(&self, index: &'a [u8]) -> impl Iterator<Item = &'a str> {
        let mut rest = Decoder::new(
            index
                .get(self.body.clone())
                .and_then(|body| body.get(4..))
                .unwrap_or_default(),
        );
        std::iter::from_fn(move || std::str::from_utf8(rest.prefixed().ok()?).ok())
    }

    /// The text that a series means by `symbol`; `None` when there is none.
    pub(super) fn get<'a>(&self, index: &'a [u8], symbol: u64) -> Option<&'a str> {
        let symbol = usize::try_from(symbol).ok()?;
        let (start, steps) = if self.by_offset {
            let first = self.body.start + 4;
            (symbol.checked_sub(self.body.start).filter(|_| symbol >= first)?, 0)
        } else if symbol < self.count {
            (*self.offsets.get(symbol / STRIDE)? as usize, symbol % STRIDE)
        } else {
            return None;
        };
        let mut rest = Decoder::new(index.get(self.body.clone())?.get(start..)?);
        for _ in 0..steps {
            rest.prefixed().ok()?;
        }
        std::str::from_utf8(rest.prefixed().ok()?).ok()
    }
}
