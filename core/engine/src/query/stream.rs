//! Series that have been collected already.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::labels::{compare, Labels};
use crate::merge::{Entry, Fault, SeriesStream};

/// Series of the head as they were when its lock was held.
#[derive(Debug, Default)]
pub struct Entries {
    /// As they came, until the first one is asked for.
    unsorted: Vec<Entry>,
    sorted: std::vec::IntoIter<Entry>,
    ticks: Arc<[i64]>,
}

impl Entries {
    /// Entries in any order; `ticks` are those of all of them.
    pub fn new(entries: Vec<Entry>, ticks: Arc<[i64]>) -> Self {
        Self {
            unsorted: entries,
            sorted: Vec::new().into_iter(),
            ticks,
        }
    }

    /// How many there are to come.
    pub fn count(&self) -> usize {
        self.unsorted.len() + self.sorted.len()
    }

    /// All of them, in any order: sorting takes a third of the time of reading them.
    pub fn unordered(self) -> impl Iterator<Item = Entry> {
        self.sorted.chain(self.unsorted)
    }
}

/// Packed labels, ordered as label sets are.
#[derive(PartialEq, Eq)]
struct Key(Arc<[u8]>);

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(Labels::trusted(&self.0), Labels::trusted(&other.0))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl SeriesStream for Entries {
    fn ticks(&self) -> Arc<[i64]> {
        self.ticks.clone()
    }

    fn next_series(&mut self) -> Result<Option<Entry>, Fault> {
        if !self.unsorted.is_empty() {
            let mut entries = std::mem::take(&mut self.unsorted);
            // By keys: an entry is large, and is moved once so.
            entries.sort_by_cached_key(|entry| Key(entry.labels.clone()));
            self.sorted = entries.into_iter();
        }
        Ok(self.sorted.next())
    }
}
