//! Short cuts from what senders call a series to its place: they tell of the same series again and again.

use ahash::RandomState;
use hashbrown::HashTable;

use crate::batch::{Key, KeySeeds, Place};
use crate::wal::SeriesRef;

/// Entries that are there whatever the number of series.
const SPARE: usize = 1024;

/// Slot and reference by key. The labels are not compared: see [`Key`]. A slot may be empty or another series' by now, which is why
/// whoever uses it compares the reference.
#[derive(Default)]
pub struct KnownSeries {
    seeds: (RandomState, RandomState),
    table: HashTable<(Key, u32, SeriesRef)>,
}

impl KnownSeries {
    /// What keys are made with.
    pub fn seeds(&self) -> KeySeeds {
        KeySeeds::new(self.seeds.0.clone(), self.seeds.1.clone())
    }

    /// Where the series was when it was learned.
    pub fn find(&self, key: Key) -> Option<Place> {
        let found = self.table.find(key.0, |(other, ..)| *other == key);
        found.map(|(_, slot, reference)| (*slot, *reference))
    }

    /// Remember where a series is. `series` is the number of series: entries beyond twice of that are mostly of series that have
    /// left, and all are forgotten.
    pub fn learn(&mut self, key: Key, slot: u32, reference: SeriesRef, series: usize) {
        if self.table.len() > 2 * series + SPARE {
            self.table.clear();
        }
        match self.table.find_mut(key.0, |(other, ..)| *other == key) {
            Some(known) => (known.1, known.2) = (slot, reference),
            None => {
                self.table
                    .insert_unique(key.0, (key, slot, reference), |(key, ..)| key.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learned_last_counts() {
        let mut known = KnownSeries::default();
        let key = known.seeds().of(1, b"labels");
        assert_eq!(known.find(key), None);
        known.learn(key, 3, SeriesRef(7), 1);
        known.learn(key, 4, SeriesRef(9), 1);
        assert_eq!(known.find(key), Some((4, SeriesRef(9))));
        assert_eq!(known.find(known.seeds().of(2, b"labels")), None, "another domain");
    }

    #[test]
    fn there_are_never_many_more_entries_than_series() {
        let mut known = KnownSeries::default();
        for number in 0..100_000u32 {
            let key = known.seeds().of(1, &number.to_le_bytes());
            known.learn(key, number, SeriesRef(number.into()), 1000);
            assert_eq!(known.find(key), Some((number, SeriesRef(number.into()))));
            assert!(known.table.len() <= 2 * 1000 + SPARE + 1);
        }
    }
}
