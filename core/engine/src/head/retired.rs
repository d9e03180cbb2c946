//! Labels of series that have left the head, for as long as the log still names them.

use std::collections::VecDeque;
use std::sync::Arc;

use ahash::RandomState;
use hashbrown::HashMap;

use crate::wal::SeriesRef;

/// Labels by reference, in the order in which their series left.
#[derive(Default)]
pub struct Retired {
    labels: HashMap<SeriesRef, Arc<[u8]>, RandomState>,
    /// (last log segment that may name the series, reference); segments ascend.
    order: VecDeque<(u64, SeriesRef)>,
}

impl Retired {
    /// Packed labels of a series that has left.
    pub fn labels(&self, reference: SeriesRef) -> Option<&[u8]> {
        self.labels.get(&reference).map(|labels| &**labels)
    }

    /// The same, to be kept.
    pub fn shared_labels(&self, reference: SeriesRef) -> Option<Arc<[u8]>> {
        self.labels.get(&reference).cloned()
    }

    /// Keep the labels of a series that no segment after `segment` names.
    pub fn add(&mut self, reference: SeriesRef, labels: Arc<[u8]>, segment: u64) {
        let newest = self.order.back().map_or(segment, |(newest, _)| segment.max(*newest));
        self.labels.insert(reference, labels);
        self.order.push_back((newest, reference));
    }

    /// Forget series that no segment from `segment` on names; how many.
    pub fn forget(&mut self, segment: u64) -> usize {
        let gone = self.order.partition_point(|(last, _)| *last < segment);
        for (_, reference) in self.order.drain(..gone) {
            self.labels.remove(&reference);
        }
        if self.labels.len() < self.labels.capacity() / 4 {
            self.labels.shrink_to_fit();
            self.order.shrink_to_fit();
        }
        gone
    }

    /// References and packed labels, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (SeriesRef, &[u8])> {
        self.labels.iter().map(|(reference, labels)| (*reference, &**labels))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }
}
