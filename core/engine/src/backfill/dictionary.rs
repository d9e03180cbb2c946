//! Byte strings and their numbers, in the order in which they were first seen.

use ahash::RandomState;
use hashbrown::HashTable;

/// Numbers byte strings from 0. All bytes lie in one arena.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    arena: Vec<u8>,
    /// Where each string ends; it begins where the one before it ends.
    ends: Vec<usize>,
    table: HashTable<u32>,
    hasher: RandomState,
}

impl Dictionary {
    /// How many strings there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Memory in use, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.arena.capacity() + 8 * self.ends.capacity() + 5 * self.table.capacity()
    }

    /// The string with this number; empty when there is none.
    pub(super) fn get(&self, number: u32) -> &[u8] {
        get(&self.arena, &self.ends, number)
    }

    /// The number of a string, if it has one.
    pub(super) fn find(&self, string: &[u8]) -> Option<u32> {
        let hash = self.hasher.hash_one(string);
        self.table.find(hash, |number| self.get(*number) == string).copied()
    }

    /// The number of a string, a new one if need be. `None` when there are no more numbers.
    pub(super) fn number(&mut self, string: &[u8]) -> Option<u32> {
        if let Some(known) = self.find(string) {
            return Some(known);
        }
        let number = u32::try_from(self.ends.len()).ok()?;
        self.arena.extend_from_slice(string);
        self.ends.push(self.arena.len());
        let Self {
            arena,
            ends,
            table,
            hasher,
        } = self;
        let hash = |number: &u32| hasher.hash_one(get(arena, ends, *number));
        table.insert_unique(hash(&number), number, hash);
        Some(number)
    }
}

fn get<'a>(arena: &'a [u8], ends: &[usize], number: u32) -> &'a [u8] {
    let number = number as usize;
    let start = match number.checked_sub(1) {
        None => 0,
        Some(previous) => ends.get(previous).copied().unwrap_or(arena.len()),
    };
    ends.get(number)
        .and_then(|end| arena.get(start..*end))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_each_string_once() {
        let mut dictionary = Dictionary::default();
        for round in 0..2 {
            for i in 0..1000u32 {
                assert_eq!(dictionary.number(format!("s{i}").as_bytes()), Some(i), "round {round}");
            }
        }
        assert_eq!(dictionary.len(), 1000);
        assert_eq!(dictionary.get(999), b"s999");
        assert_eq!(dictionary.get(1000), b"");
        assert_eq!(dictionary.find(b"s1000"), None);
    }
}
