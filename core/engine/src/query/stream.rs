//! Series that have been collected already.

use std::sync::Arc;

use crate::labels::{compare, Labels};
use crate::merge::{Entry, Fault, SeriesStream};

/// Series of the head as they were when its lock was held.
#[derive(Debug, Default)]
pub struct Entries {
    entries: std::vec::IntoIter<Entry>,
    ticks: Arc<[i64]>,
}

impl Entries {
    /// Entries in any order; `ticks` are those of all of them.
    pub fn new(mut entries: Vec<Entry>, ticks: Arc<[i64]>) -> Self {
        entries.sort_unstable_by(|a, b| compare(Labels::trusted(&a.labels), Labels::trusted(&b.labels)));
        Self {
            entries: entries.into_iter(),
            ticks,
        }
    }
}

impl SeriesStream for Entries {
    fn ticks(&self) -> Arc<[i64]> {
        self.ticks.clone()
    }

    fn next_series(&mut self) -> Result<Option<Entry>, Fault> {
        Ok(self.entries.next())
    }
}
