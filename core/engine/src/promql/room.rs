//! How long the label sets may be that a query makes. `label_replace` can make a value of many copies of another one, so a short
//! query is enough for sets of any length.

use crate::query::{Failed, Limit};

/// Bytes that label sets may take, and how many of them are taken.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    most: usize,
    taken: usize,
}

impl Room {
    /// For so many bytes.
    pub fn new(most: usize) -> Self {
        Self { most, taken: 0 }
    }

    /// A set is about to be made that is no longer than this. Fails when it does not fit.
    pub fn take(&mut self, bytes: usize) -> Result<(), Failed> {
        self.taken = self.taken.saturating_add(bytes);
        if self.taken > self.most {
            let what = Limit::Bytes;
            return Err(Failed::TooMany { what, limit: self.most });
        }
        Ok(())
    }

    /// What all sets take at most.
    pub fn taken(&self) -> usize {
        self.taken
    }
}
