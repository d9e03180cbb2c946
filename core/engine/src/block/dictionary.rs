//! Symbols and label pairs of a block that is being written, each kept once.
//!
//! The index tells symbols by their rank among all of them, which is known at the end only. Until then a series is a list
//! of pair numbers, given in the order of first use.

use ahash::RandomState;
use hashbrown::HashTable;

use super::Refusal;

/// A label name with a value, both by symbol number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub(super) name: u32,
    pub(super) value: u32,
    /// Series that have it.
    pub(super) series: u32,
}

/// See the head of this file.
#[derive(Default)]
pub(super) struct Dictionary {
    seed: RandomState,
    text: Vec<u8>,
    /// Where each symbol ends in `text`.
    ends: Vec<u32>,
    by_text: HashTable<u32>,
    pairs: Vec<Pair>,
    by_pair: HashTable<u32>,
}

impl Dictionary {
    /// No pairs, and one symbol: Prometheus names the list of all series by an empty pair, so its blocks have the empty
    /// symbol, and ours are the same to the byte.
    pub(super) fn new() -> Result<Self, Refusal> {
        let mut dictionary = Self::default();
        dictionary.intern("")?;
        Ok(dictionary)
    }

    /// The number of a pair, new or known, after counting one more series that has it.
    pub(super) fn count_pair(&mut self, name: &str, value: &str) -> Result<u32, Refusal> {
        let hash = self.seed.hash_one((name.as_bytes(), value.as_bytes()));
        let same = |&pair: &u32| {
            self.pairs.get(pair as usize).is_some_and(|pair| {
                self.symbol(pair.value) == value.as_bytes() && self.symbol(pair.name) == name.as_bytes()
            })
        };
        if let Some(&number) = self.by_pair.find(hash, same) {
            if let Some(pair) = self.pairs.get_mut(number as usize) {
                pair.series += 1;
            }
            return Ok(number);
        }
        let number = number_of(self.pairs.len(), "the number of label pairs")?;
        let pair = Pair {
            name: self.intern(name)?,
            value: self.intern(value)?,
            series: 1,
        };
        self.pairs.push(pair);
        let (seed, pairs, symbols) = (&self.seed, &self.pairs, Symbols(&self.text, &self.ends));
        self.by_pair.insert_unique(hash, number, |&number| {
            let pair = pairs.get(number as usize);
            pair.map_or(0, |pair| {
                seed.hash_one((symbols.bytes(pair.name), symbols.bytes(pair.value)))
            })
        });
        Ok(number)
    }

    fn intern(&mut self, text: &str) -> Result<u32, Refusal> {
        let hash = self.seed.hash_one(text.as_bytes());
        if let Some(&number) = self.by_text.find(hash, |&n| self.symbol(n) == text.as_bytes()) {
            return Ok(number);
        }
        let number = number_of(self.ends.len(), "the number of symbols")?;
        let end = number_of(self.text.len() + text.len(), "the size of the symbol table")?;
        self.text.extend_from_slice(text.as_bytes());
        self.ends.push(end);
        let (seed, symbols) = (&self.seed, Symbols(&self.text, &self.ends));
        self.by_text
            .insert_unique(hash, number, |&n| seed.hash_one(symbols.bytes(n)));
        Ok(number)
    }

    /// The bytes of a symbol.
    pub(super) fn symbol(&self, number: u32) -> &[u8] {
        Symbols(&self.text, &self.ends).bytes(number)
    }

    /// Symbols in use.
    pub(super) fn symbols(&self) -> u32 {
        self.ends.len() as u32
    }

    /// All pairs, by number.
    pub(super) fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// No more lookups: free the tables.
    pub(super) fn freeze(&mut self) {
        self.by_text = HashTable::new();
        self.by_pair = HashTable::new();
        self.text.shrink_to_fit();
    }
}

/// The two columns that symbols live in, apart from the tables that are changed while they are read.
struct Symbols<'a>(&'a [u8], &'a [u32]);

impl<'a> Symbols<'a> {
    fn bytes(&self, number: u32) -> &'a [u8] {
        let number = number as usize;
        let start = number
            .checked_sub(1)
            .and_then(|before| self.1.get(before))
            .map_or(0, |end| *end as usize);
        let end = self.1.get(number).map_or(start, |end| *end as usize);
        self.0.get(start..end).unwrap_or_default()
    }
}

fn number_of(n: usize, what: &'static str) -> Result<u32, Refusal> {
    u32::try_from(n).map_err(|_| Refusal::TooLarge(what, u32::MAX.into()))
}
