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
        let text = |name: &Name| self.first(index, name).map(|pair| pair.name);
        self.names.iter().filter_map(text).filter(|name| !name.is_empty())
    }

    /// The pairs with this name whose values are not smaller than `first`, ascending.
    pub(super) fn of_name<'a>(
        &'a self,
        index: &'a [u8],
        name: &str,
        first: &'a str,
    ) -> impl Iterator<Item = Pair<'a>> + 'a {
        let (known, values) = self
            .find_name(index, name)
            .map_or((&[][..], 0), |name| self.known(name));
        let is_smaller = |offset: &u32| self.entry(index, *offset).is_some_and(|(pair, _)| pair.value < first);
        // The first value that is not smaller may stand between the entry before and this one.
        let nearest = known.partition_point(is_smaller).saturating_sub(1);
        let mut rest = Decoder::new(&[]);
        let pairs = (nearest * self.stride..values).map_while(move |n| {
            if n % self.stride != 0 {
                return Pair::take(&mut rest).ok();
            }
            let (pair, behind) = self.entry(index, *known.get(n / self.stride)?)?;
            rest = behind;
            Some(pair)
        });
        pairs.skip_while(move |pair| pair.value < first)
    }

    /// How many values a name has.
    pub(super) fn value_count(&self, index: &[u8], name: &str) -> usize {
        self.find_name(index, name).map_or(0, |name| name.values)
    }

    /// Where the list of a pair begins; `None` when no series has it.
    pub(super) fn find(&self, index: &[u8], name: &str, value: &str) -> Option<u64> {
        let pair = self.of_name(index, name, value).next()?;
        (pair.value == value).then_some(pair.list)
    }

    fn find_name(&self, index: &[u8], name: &str) -> Option<&Name> {
        let text = |candidate: &Name| self.first(index, candidate).map_or("", |pair| pair.name);
        let found = self
            .names
            .binary_search_by(|candidate| text(candidate).cmp(name))
            .ok()?;
        self.names.get(found)
    }

    /// The offsets that are known of a name's entries, and how many entries it has.
    fn known(&self, name: &Name) -> (&[u32], usize) {
        let places = name.start..name.start + name.values.div_ceil(self.stride);
        (self.offsets.get(places).unwrap_or_default(), name.values)
    }

    /// The first entry of a name.
    fn first<'a>(&self, index: &'a [u8], name: &Name) -> Option<Pair<'a>> {
        self.entry(index, *self.offsets.get(name.start)?).map(|(pair, _)| pair)
    }

    /// The entry at this offset in the body, and what follows it.
    fn entry<'a>(&self, index: &'a [u8], offset: u32) -> Option<(Pair<'a>, Decoder<'a>)> {
        let mut rest = Decoder::new(index.get(self.body.clone())?.get(offset as usize..)?);
        let pair = Pair::take(&mut rest).ok()?;
        Some((pair, rest))
    }
}
