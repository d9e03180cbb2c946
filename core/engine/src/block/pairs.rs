//! The postings offset table of an index: where the list of each label pair is.

use std::ops::Range;

use super::contents::{damage, section};
use super::{Damage, Reason, CRC_SIZE};
use crate::bytes::{Decoder, Truncated};

/// Of so many values of a name one has its offset kept, see [`super::symbols`].
const STRIDE: usize = 8;

/// Offsets into the table; names and values stay in the file.
#[derive(Debug)]
pub(super) struct Pairs {
    /// Where the section's body lies in the index.
    body: Range<usize>,
    /// Ascending; the empty name, which has the list of all series, comes first.
    names: Vec<Name>,
    /// In the body, of entries of each name in the order of their values.
    offsets: Vec<u32>,
    /// One offset for so many entries; 1 when the entries of the table are not sorted, as in version 1.
    stride: usize,
    count: usize,
}

#[derive(Debug)]
struct Name {
    /// In `offsets`.
    start: usize,
    values: usize,
}

/// An entry `2 uv, name, value, offset of the list uv`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    pub(super) list: u64,
}

impl<'a> Pair<'a> {
    fn take(table: &mut Decoder<'a>) -> Result<Self, Reason> {
        let undecodable = |Truncated| Reason::Undecodable;
        if table.uvarint().map_err(undecodable)? != 2 {
            return Err(Reason::Undecodable);
        }
        let name = table.prefixed().map_err(undecodable)?;
        let value = table.prefixed().map_err(undecodable)?;
        let list = table.uvarint().map_err(undecodable)?;
        let text = |bytes: &'a [u8]| std::str::from_utf8(bytes).map_err(|_| Reason::NotUtf8);
        Ok(Self {
            name: text(name)?,
            value: text(value)?,
            list,
        })
    }
}

impl Pairs {
    /// Read the table that begins at `offset`, and check all of it.
    pub(super) fn read(index: &[u8], offset: usize) -> Result<Self, Damage> {
        let body = section(index, offset)?;
        let bytes = index.get(body.clone()).unwrap_or_default();
        let mut rest = Decoder::new(bytes);
        let bad = |rest: &Decoder<'_>, reason| damage(body.end - rest.len()..body.end, reason);
        let count = rest.u32_be().map_err(|Truncated| bad(&rest, Reason::Undecodable))? as usize;
        let mut pairs = Self {
            body: body.clone(),
            names: Vec::new(),
            offsets: Vec::new(),
            stride: STRIDE,
            count,
        };
        let mut last: Option<Pair<'_>> = None;
        let mut sorted = true;
        for _ in 0..count {
            let at = bytes.len() - rest.len();
            let pair = Pair::take(&mut rest).map_err(|reason| bad(&rest, reason))?;
            sorted &= last.is_none_or(|last| (last.name, last.value) < (pair.name, pair.value));
            pairs.push(at as u32, last.is_some_and(|last| last.name == pair.name));
            last = Some(pair);
        }
        if !rest.is_empty() {
            return Err(bad(&rest, Reason::Undecodable));
        }
        if !sorted {
            pairs.sort(bytes);
        }
        pairs.offsets.shrink_to_fit();
        Ok(pairs)
    }

    /// One more entry, of the name before or of a new one.
    fn push(&mut self, offset: u32, same_name: bool) {
        let start = self.offsets.len();
        if !same_name {
            self.names.push(Name { start, values: 0 });
        }
        if let Some(name) = self.names.last_mut() {
            if name.values % self.stride == 0 {
                self.offsets.push(offset);
            }
            name.values += 1;
        }
    }

    /// Find all entries again and keep the offset of each, in order: old indexes do not have them in order.
    fn sort(&mut self, bytes: &[u8]) {
        let mut rest = Decoder::new(bytes.get(4..).unwrap_or_default());
        let mut entries = Vec::with_capacity(self.count.min(bytes.len()));
        loop {
            let at = (bytes.len() - rest.len()) as u32;
            let Ok(pair) = Pair::take(&mut rest) else { break };
            entries.push((pair.name, pair.value, at));
        }
        entries.sort_unstable();
        (self.names, self.offsets, self.stride) = (Vec::new(), Vec::new(), 1);
        let mut last = None;
        for (name, _, at) in entries {
            self.push(at, last == Some(name));
            last = Some(name);
        }
    }

    /// How many pairs there are, the empty one included.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Where the section ends.
    pub(super) fn end(&self) -> usize {
        self.body.end + CRC_SIZE
    }

    /// All pairs in the order of the table, the empty one first.
    pub(super) fn iter<'a>(&self, index: &'a [u8]) -> impl Iterator<Item = Pair<'a>> {
        let mut rest = Decoder::new(index.get(self.body.start + 4..self.body.end).unwrap_or_default());
        std::iter::from_fn(move || Pair::take(&mut rest).ok())
    }

    /// All label names, ascending.
    pub(super) fn names<'a>(&'a self, index: &'a [u8]) -> impl Iterator<Item = &'a str> {
        let first = |name: &Name| self.pair(index, name.start).map(|(pair, _)| pair.name);
        self.names.iter().filter_map(first).filter(|name| !name.is_empty())
    }

    /// All pairs with this name, ascending by value.
    pub(super) fn of_name<'a>(&'a self, index: &'a [u8], name: &str) -> impl Iterator<Item = Pair<'a>> {
        let found = self.find_name(index, name);
        let (start, values) = found.map_or((0, 0), |name| (name.start, name.values));
        let mut rest = Decoder::new(&[]);
        (0..values).map_while(move |n| {
            if n % self.stride != 0 {
                return Pair::take(&mut rest).ok();
            }
            let (pair, behind) = self.pair(index, start + n / self.stride)?;
            rest = behind;
            Some(pair)
        })
    }

    /// How many values a name has.
    pub(super) fn value_count(&self, index: &[u8], name: &str) -> usize {
        self.find_name(index, name).map_or(0, |name| name.values)
    }

    /// Where the list of a pair begins; `None` when no series has it.
    pub(super) fn find(&self, index: &[u8], name: &str, value: &str) -> Option<u64> {
        let name = self.find_name(index, name)?;
        let known = self
            .offsets
            .get(name.start..name.start + name.values.div_ceil(self.stride))?;
        let value_at = |place: usize| self.pair(index, place).map_or("", |(pair, _)| pair.value);
        // The last entry with a known offset that is not greater.
        let mut low = 0;
        let mut high = known.len();
        while low < high {
            let middle = low + (high - low) / 2;
            if value_at(name.start + middle) <= value {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let nearest = low.checked_sub(1)?;
        let (mut pair, mut rest) = self.pair(index, name.start + nearest)?;
        for _ in 1..self.stride.min(name.values - nearest * self.stride) {
            if pair.value >= value {
                break;
            }
            pair = Pair::take(&mut rest).ok()?;
        }
        (pair.value == value).then_some(pair.list)
    }

    fn find_name(&self, index: &[u8], name: &str) -> Option<&Name> {
        let text = |candidate: &Name| self.pair(index, candidate.start).map_or("", |(pair, _)| pair.name);
        let found = self
            .names
            .binary_search_by(|candidate| text(candidate).cmp(name))
            .ok()?;
        self.names.get(found)
    }

    /// The entry at `offsets[place]` and what follows it.
    fn pair<'a>(&self, index: &'a [u8], place: usize) -> Option<(Pair<'a>, Decoder<'a>)> {
        let offset = *self.offsets.get(place)? as usize;
        let mut rest = Decoder::new(index.get(self.body.clone())?.get(offset..)?);
        let pair = Pair::take(&mut rest).ok()?;
        Some((pair, rest))
    }
}
