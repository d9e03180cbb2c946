//! Ways to a series: by label set, by reference, by label pair.

use std::collections::BTreeSet;

use ahash::RandomState;
use hashbrown::{HashMap, HashTable};

use super::series::Series;
use super::slots::Slots;
use crate::labels::Labels;
use crate::wal::SeriesRef;

/// Label sets are chosen by strangers: the hash is seeded, and a hit is always compared.
#[derive(Default)]
pub struct Index {
    seed: RandomState,
    /// (hash, slot) of every series, staged ones included.
    by_labels: HashTable<(u32, u32)>,
    /// Slot of every series, by its reference.
    by_ref: HashTable<u32>,
    /// Slots of series that the log knows under a second reference.
    aliases: HashMap<SeriesRef, u32, RandomState>,
    /// The same, by slot.
    aliased: BTreeSet<(u32, SeriesRef)>,
    /// name -> value -> slots in ascending order, of visible series only.
    postings: HashMap<Box<str>, Values, RandomState>,
    visible: u32,
}

/// The values of one label name, and the slots of the series that have each.
pub type Values = HashMap<Box<str>, Vec<u32>, RandomState>;

impl Index {
    /// Number of visible series: slots from here on are staged.
    pub fn visible(&self) -> u32 {
        self.visible
    }

    /// Number of series, staged ones included.
    pub fn len(&self) -> usize {
        self.by_ref.len()
    }

    /// The values of `name`.
    pub fn values(&self, name: &str) -> Option<&Values> {
        self.postings.get(name)
    }

    /// Label names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.postings.keys().map(AsRef::as_ref)
    }

    /// What a label set is found by. Half a hash is enough: it makes the table's entry small and its growth cheap.
    pub fn hash(&self, labels: Labels<'_>) -> u32 {
        self.seed.hash_one(labels.packed()) as u32
    }

    /// The slot of a label set.
    pub fn find(&self, hash: u32, labels: Labels<'_>, series: &Slots) -> Option<u32> {
        let same =
            |&(h, slot): &(u32, u32)| h == hash && series.get(slot as usize).is_some_and(|s| s.labels() == labels);
        self.by_labels.find(spread(hash), same).map(|&(_, slot)| slot)
    }

    /// The slot of a reference.
    pub fn resolve(&self, reference: SeriesRef, series: &Slots) -> Option<u32> {
        let same = |&slot: &u32| series.get(slot as usize).is_some_and(|s| s.reference() == reference);
        let found = self.by_ref.find(self.seed.hash_one(reference), same).copied();
        found.or_else(|| self.aliases.get(&reference).copied())
    }

    /// Add the newest series, which is already in `series`; it stays invisible.
    pub fn insert(&mut self, hash: u32, slot: u32, reference: SeriesRef, series: &Slots) {
        self.by_labels
            .insert_unique(spread(hash), (hash, slot), |&(h, _)| spread(h));
        self.insert_ref(slot, reference, series);
    }

    fn insert_ref(&mut self, slot: u32, reference: SeriesRef, series: &Slots) {
        let seed = &self.seed;
        let rehash = |&slot: &u32| series.get(slot as usize).map_or(0, |s| seed.hash_one(s.reference()));
        self.by_ref.insert_unique(seed.hash_one(reference), slot, rehash);
    }

    /// The series at `slot`, which was `old`, is called by its present reference now; the old one leads to it too.
    pub fn rename(&mut self, slot: u32, old: SeriesRef, series: &Slots) {
        if let Ok(entry) = self.by_ref.find_entry(self.seed.hash_one(old), |&s| s == slot) {
            entry.remove();
        }
        self.aliases.insert(old, slot);
        self.aliased.insert((slot, old));
        let Some(new) = series.get(slot as usize).map(Series::reference) else {
            return;
        };
        self.aliases.remove(&new);
        self.aliased.remove(&(slot, new));
        self.insert_ref(slot, new, series);
    }

    /// Forget the second references of a series that has left: those.
    pub fn take_aliases(&mut self, slot: u32) -> Vec<SeriesRef> {
        let of_slot = (slot, SeriesRef(0))..=(slot, SeriesRef(u64::MAX));
        let references: Vec<SeriesRef> = self.aliased.range(of_slot).map(|(_, reference)| *reference).collect();
        for reference in &references {
            self.aliases.remove(reference);
            self.aliased.remove(&(slot, *reference));
        }
        references
    }

    /// Forget a series that was staged, or that has left. What [`Self::clean`] has not cleaned yet still lists it.
    pub fn remove(&mut self, slot: u32, series: &Series) {
        let hash = self.hash(series.labels());
        if let Ok(entry) = self.by_labels.find_entry(spread(hash), |&(_, s)| s == slot) {
            entry.remove();
        }
        let hash = self.seed.hash_one(series.reference());
        if let Ok(entry) = self.by_ref.find_entry(hash, |&s| s == slot) {
            entry.remove();
        }
    }

    /// Take slots without a series out of the lists of `labels`, those of a series that was at `slot`. Returns how many entries
    /// were looked at: lists are walked once for all series that left together.
    pub fn clean(&mut self, slot: u32, labels: Labels<'_>, series: &Slots) -> usize {
        let mut looked = 0;
        for (name, value) in labels.iter() {
            looked += 1;
            let Some(values) = self.postings.get_mut(name) else {
                continue;
            };
            let Some(list) = values.get_mut(value) else { continue };
            if list.binary_search(&slot).is_err() {
                continue; // with an earlier series
            }
            looked += list.len();
            list.retain(|slot| series.get(*slot as usize).is_some());
            list.shrink_to(2 * list.len());
            if list.is_empty() {
                values.remove(value);
                values.shrink_to(2 * values.len());
            }
            if values.is_empty() {
                self.postings.remove(name);
            }
        }
        looked
    }

    /// Give back room that only series took which have left.
    pub fn shrink(&mut self, series: &Slots) {
        let (seed, live) = (&self.seed, self.by_ref.len());
        if live < self.by_ref.capacity() / 4 {
            self.by_labels.shrink_to(2 * live, |&(h, _)| spread(h));
            let rehash = |&slot: &u32| series.get(slot as usize).map_or(0, |s| seed.hash_one(s.reference()));
            self.by_ref.shrink_to(2 * live, rehash);
        }
    }

    /// Let readers find the series up to slot `end`. Slots only grow here, so postings stay sorted by appending.
    pub fn show(&mut self, end: u32, series: &Slots) {
        while self.visible < end {
            let labels = series
                .get(self.visible as usize)
                .map(Series::labels)
                .unwrap_or_default();
            for (name, value) in labels.iter() {
                let seed = &self.seed;
                let values = entry(&mut self.postings, name, || Values::with_hasher(seed.clone()));
                entry(values, value, Vec::new).push(self.visible);
            }
            self.visible += 1;
        }
    }
}

/// The value of `key`, made when missing; the key is copied only then.
fn entry<'m, V>(map: &'m mut HashMap<Box<str>, V, RandomState>, key: &str, make: impl FnOnce() -> V) -> &'m mut V {
    map.entry_ref(key).or_insert_with(make)
}

/// The table wants bits at both ends of 64.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
