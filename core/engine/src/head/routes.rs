//! Short cuts from a whole batch to its series: a job pushes the same label sets again and again.

use ahash::RandomState;
use hashbrown::HashMap;

use crate::batch::Batch;

/// Slots by batch, for batches whose series were all there.
///
/// A batch is known again by 128 bits of seeded hashes over its label sets, and the labels are not compared: that
/// would cost the cache misses that are to be saved. Strangers choose the labels, not the seeds; two batches that share
/// the bits by chance are not to be expected in the life of a store.
#[derive(Default)]
pub struct Routes {
    seeds: (RandomState, RandomState),
    slots: HashMap<(u64, u64), Box<[u32]>, RandomState>,
    held: usize,
}

/// What a batch is known again by.
pub type Key = (u64, u64);

impl Routes {
    /// The key of a batch.
    pub fn key(&self, batch: &Batch) -> Key {
        let labels = batch.label_sets();
        (self.seeds.0.hash_one(&labels), self.seeds.1.hash_one(&labels))
    }

    /// The slot of each row.
    pub fn find(&self, key: Key) -> Option<&[u32]> {
        self.slots.get(&key).map(|slots| &**slots)
    }

    /// Remember where the rows went. `series` is the number of series: groups have each series once, so slots beyond
    /// twice of that are of batches that no longer come, and all are forgotten.
    pub fn learn(&mut self, key: Key, slots: Box<[u32]>, series: usize) {
        if self.held + slots.len() > 2 * series {
            self.forget();
        }
        self.held += slots.len();
        if let Some(before) = self.slots.insert(key, slots) {
            self.held -= before.len();
        }
    }

    /// Slots have changed their meaning.
    pub fn forget(&mut self) {
        self.slots.clear();
        self.held = 0;
    }
}
