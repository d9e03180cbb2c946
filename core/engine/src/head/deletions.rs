//! Deletions: times of series that no reader sees any more, though their chunks still hold them.

use std::collections::{BTreeSet, HashMap};

use super::Head;
use crate::block::{Interval, Intervals};
use crate::labels::Labels;
use crate::postings;
use crate::regex::Matcher;
use crate::wal::{Records, TombstoneRow};

/// What is deleted, by slot.
#[derive(Default)]
pub(super) struct Deletions(HashMap<u32, Intervals>);

impl Deletions {
    /// The times of a series.
    pub fn of(&self, slot: u32) -> Intervals {
        self.0.get(&slot).cloned().unwrap_or_default()
    }

    /// The series has left the head.
    pub fn forget(&mut self, slot: u32) {
        self.0.remove(&slot);
    }

    /// Blocks have everything before `mint` ms, but for the samples of `late` slots that came out of order.
    pub fn truncate(&mut self, mint: i64, late: &BTreeSet<u32>) {
        self.0.retain(|slot, intervals| {
            late.contains(slot) || intervals.as_slice().last().is_some_and(|last| last.maxt >= mint)
        });
    }

    /// A sample came when its time had been deleted already: the deletion was not about it.
    pub fn spare(&mut self, slot: u32, t: i64) {
        if let Some(intervals) = self.0.get_mut(&slot) {
            intervals.spare(t);
        }
    }

    fn add(&mut self, slot: u32, mint: i64, maxt: i64) {
        self.0.entry(slot).or_default().add(Interval { mint, maxt });
    }
}

/// A deletion that is to be made durable.
#[derive(Debug, Default)]
pub struct Deletion {
    rows: Vec<TombstoneRow>,
}

impl Deletion {
    /// Of how many series samples go.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True when nothing is deleted.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What the log must hold before it counts; empty when nothing is deleted.
    pub fn records(&self) -> Records {
        let mut records = Records::default();
        records.tombstones(&self.rows);
        records
    }
}

impl Head {
    /// The deletion of the samples in `mint..=maxt` ms of the series that match: of those that are here, and of those that the log
    /// tells again at the next start though a block has had them, for that block may be gone by then. What comes later is not
    /// deleted by it.
    pub fn deletion(&self, matchers: &[Matcher], mint: i64, maxt: i64) -> Deletion {
        let Ok(slots) = postings::select(self, matchers);
        let told = self.accepts.min_valid.saturating_sub(1);
        let here = slots.into_iter().filter_map(|slot| {
            let series = self.series.get(slot as usize)?;
            let there = series.chunks_in(mint, maxt, false, &self.files);
            let last = there.iter().map(|chunk| chunk.maxt).max();
            Some((series.reference(), last.map_or(told, |last| last.max(told))))
        });
        let retired = self.retired.iter().filter(|(_, packed)| {
            let labels = Labels::trusted(packed);
            matchers
                .iter()
                .all(|matcher| matcher.matches(labels.get(matcher.name())))
        });
        let retired = retired.map(|(reference, _)| (reference, told));
        let rows = here.chain(retired).map(|(series, last)| TombstoneRow {
            series,
            mint,
            maxt: maxt.min(last),
        });
        Deletion {
            rows: rows.filter(|row| row.mint <= row.maxt).collect(),
        }
    }

    /// Let a deletion count. Its records must be durable.
    pub fn delete(&mut self, deletion: &Deletion) {
        self.replay_deletions(&deletion.rows);
    }

    /// What the log says to be deleted.
    pub(super) fn replay_deletions(&mut self, rows: &[TombstoneRow]) {
        for row in rows.iter().filter(|row| !row.evicts()) {
            if let Some(slot) = self.index.resolve(row.series, &self.series) {
                self.deletions.add(slot, row.mint, row.maxt);
            }
        }
    }
}
