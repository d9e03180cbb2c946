//! Truncation: what has reached a block leaves the head.
//!
//! It goes in steps, for a head may have a million series and writers wait for the lock. Between two steps the head is whole:
//! a series is there with all that it should have, or gone. Only postings lag: they may name slots that are empty, which every
//! reader passes over.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::sync::Arc;

use super::Head;
use crate::labels::Labels;

/// A truncation under way.
#[derive(Default)]
pub(super) struct Truncation {
    /// The first slot still to be looked at; none when there is nothing to do.
    next: Option<usize>,
    /// Oldest sample of the series that were looked at, and of all that came since.
    oldest: Option<i64>,
    /// Last segment of the log that can name a series which leaves.
    segment: u64,
    /// Slot and labels of series that left, as long as postings name them.
    left: Vec<(u32, Arc<[u8]>)>,
}

impl Truncation {
    /// A sample was appended meanwhile.
    pub fn note(&mut self, t: i64) {
        self.oldest = self.oldest.map(|oldest| oldest.min(t));
    }
}

impl Head {
    /// Begin to drop chunks that end before `mint` ms, then series that have none left; nothing older is accepted from now on.
    /// `segment` is the log segment that is being written: no later one names a series that leaves.
    ///
    /// Calls of [`Self::truncate_step`] do the work.
    pub fn truncate(&mut self, mint: i64, segment: u64) {
        self.accepts.min_valid = self.accepts.min_valid.max(mint);
        self.stats.range = self.stats.range.map(|(min, max)| (min.max(mint).min(max), max));
        self.truncation.next = Some(0);
        self.truncation.oldest = Some(i64::MAX);
        self.truncation.segment = segment;
        let passed = self.ticks.partition_point(|tick| *tick < self.accepts.min_valid);
        self.ticks.drain(..passed);
        self.deletions.truncate(self.accepts.min_valid, &self.late);
    }

    /// Do a part of it: about `work` series or entries of postings, though the longest list is walked in one go. True when more is
    /// to be done.
    pub fn truncate_step(&mut self, work: usize) -> bool {
        let mut done = 0;
        while let Some(next) = self.truncation.next.filter(|_| done < work) {
            done += self.truncate_series(next, work - done);
        }
        while done < work {
            let Some((slot, labels)) = self.truncation.left.pop() else {
                return false;
            };
            done += self.index.clean(slot, Labels::trusted(&labels), &self.series);
        }
        true
    }

    /// Look at `count` series from slot `first` on.
    fn truncate_series(&mut self, first: usize, count: usize) -> usize {
        let visible = self.index.visible();
        let series = self.series.from(first).map(|(slot, _)| slot);
        let slots: Vec<u32> = series.take_while(|slot| *slot < visible).take(count).collect();
        let staged = OnceCell::new();
        let before = self.retired.len();
        for &slot in &slots {
            if !self.drop_chunks(slot) {
                continue;
            }
            let rows = || self.pending.iter().flat_map(|batch| &batch.rows).map(|row| row.slot);
            if !staged.get_or_init(|| rows().collect::<HashSet<u32>>()).contains(&slot) {
                self.retire(slot);
            }
        }
        if self.retired.len() > before {
            self.routes.forget();
        }
        self.truncation.next = slots.last().map(|slot| *slot as usize + 1);
        if slots.len() < count {
            self.end_pass();
        }
        slots.len().max(1)
    }

    /// Drop the old chunks of a series; true when nothing is left.
    fn drop_chunks(&mut self, slot: u32) -> bool {
        let Some(series) = self.series.get_mut(slot as usize) else {
            return false;
        };
        let was_empty = series.is_empty();
        let dropped = series.truncate(self.accepts.min_valid, &mut self.files);
        self.stats.chunks -= dropped.chunks;
        self.stats.bytes -= dropped.bytes;
        if let Some(mint) = series.in_order().mint() {
            self.truncation.note(mint.max(self.accepts.min_valid));
        }
        if series.is_empty() && !was_empty {
            self.stats.series -= 1;
            self.stats.bytes -= series.overhead();
        }
        series.is_empty()
    }

    /// A series leaves. Whoever reads the log behind may still ask for its labels.
    fn retire(&mut self, slot: u32) {
        let Some(series) = self.series.remove(slot as usize) else {
            return;
        };
        self.index.remove(slot, &series);
        self.deletions.forget(slot);
        self.held -= usize::from(series.is_held());
        let labels = series.shared_labels();
        let segment = self.truncation.segment;
        self.retired.add(series.reference(), labels.clone(), segment);
        for reference in self.index.take_aliases(slot) {
            self.retired.add(reference, labels.clone(), segment);
        }
        self.truncation.left.push((slot, labels));
    }

    /// Every series has been looked at.
    fn end_pass(&mut self) {
        self.truncation.next = None;
        let oldest = self.truncation.oldest.take().unwrap_or(i64::MAX);
        self.stats.range = self.stats.range.filter(|(_, max)| oldest <= *max);
        self.stats.range = self.stats.range.map(|(min, max)| (min.max(oldest), max));
        self.index.shrink(&self.series);
        self.forget_metadata();
    }

    /// Forget the labels of series that left the head before log segment `segment` began, when that is the oldest there is.
    pub fn forget_retired(&mut self, segment: u64) {
        self.retired.forget(segment);
    }
}
