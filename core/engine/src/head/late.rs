//! Samples that come out of order: their window, and their way into blocks of their own.

use std::sync::Arc;

use super::entries::SeriesChunks;
use super::mapped::ChunkFiles;
use super::series::Series;
use super::Head;
use crate::merge::Window;
use crate::query::Entries;
use crate::sample::Value;

/// The samples that came out of order up to one moment: what blocks of them are made from.
#[derive(Debug, Default)]
pub struct LateCut {
    /// By slot.
    series: Vec<(u32, SeriesChunks)>,
}

impl LateCut {
    /// Oldest and newest sample, ms; none when there are no samples.
    pub fn range(&self) -> Option<(i64, i64)> {
        let chunks = || self.series.iter().flat_map(|(_, series)| &series.late);
        let mint = chunks().map(|chunk| chunk.mint).min();
        mint.zip(chunks().map(|chunk| chunk.maxt).max())
    }

    /// What a block of `window` is made from.
    pub fn entries(&self, window: Window) -> Entries {
        let ticks = Arc::default();
        let series = self.series(window.mint, window.maxt);
        Entries::new(series.map(|series| series.into_entry(&ticks)).collect(), ticks.clone())
    }

    /// Series with samples in `mint..=maxt`, with the chunks that have them.
    fn series(&self, mint: i64, maxt: i64) -> impl Iterator<Item = SeriesChunks> + '_ {
        let series = self.series.iter().map(move |(_, series)| {
            let within = series
                .late
                .iter()
                .filter(|chunk| chunk.maxt >= mint && chunk.mint <= maxt);
            SeriesChunks {
                late: within.cloned().collect(),
                ..series.clone()
            }
        });
        series.filter(|series| !series.late.is_empty())
    }
}

impl Head {
    /// Accept samples out of order when they are not older than the newest of the head less `window` ms; 0 refuses them all.
    pub fn set_out_of_order_window(&mut self, window: i64) {
        self.accepts.window = window.max(0);
    }

    /// Make a sample of `slot` visible that is older than others of it.
    pub(super) fn insert_late(&mut self, slot: u32, t: i64, value: Value) {
        if self.deletions.of(slot).contains(t) {
            let series = self.series.get(slot as usize);
            if series.is_some_and(|series| series.samples_at(t, &self.files).next().is_none()) {
                self.deletions.spare(slot, t);
            }
        }
        self.change_late(slot, |series, _| series.late_mut().insert(t, value));
        self.late.insert(slot);
    }

    /// All that came out of order, to be written into blocks. Cheap: chunks are shared, only what is in buffers is copied.
    pub fn cut_late(&mut self) -> LateCut {
        let slots: Vec<u32> = self.late.iter().copied().collect();
        let mut cut = LateCut::default();
        for slot in slots {
            self.change_late(slot, |series, _| series.late_mut().flush());
            let Some(series) = self.series.get(slot as usize) else {
                continue;
            };
            let chunks = SeriesChunks {
                reference: series.reference(),
                labels: series.shared_labels(),
                chunks: Vec::new(),
                late: series.late_in(i64::MIN, i64::MAX, false, &self.files),
                deleted: self.deletions.of(slot),
                held: false,
                last: None,
            };
            cut.series.push((slot, chunks));
        }
        cut
    }

    /// Blocks have what `cut` has: it leaves the head, which keeps what came since.
    pub fn drop_late(&mut self, cut: &LateCut) {
        for (slot, cut) in &cut.series {
            let series = self.series.get(*slot as usize);
            if series.is_none_or(|series| series.reference() != cut.reference) {
                continue;
            }
            self.change_late(*slot, |series, files| {
                series.late_mut().drop_first(cut.late.len(), files);
                series.tidy_late();
            });
            if self
                .series
                .get(*slot as usize)
                .is_some_and(|series| series.late().is_none())
            {
                self.late.remove(slot);
            }
        }
    }

    /// Change the late samples of a series, and what the head tells of it.
    fn change_late(&mut self, slot: u32, change: impl FnOnce(&mut Series, &mut ChunkFiles)) {
        let Some(series) = self.series.get_mut(slot as usize) else {
            return;
        };
        let (was_empty, before) = (series.is_empty(), series.late_size());
        change(series, &mut self.files);
        let after = series.late_size();
        self.stats.chunks = (self.stats.chunks + after.0).saturating_sub(before.0);
        self.stats.bytes = (self.stats.bytes + after.1).saturating_sub(before.1);
        match (was_empty, series.is_empty()) {
            (true, false) => {
                self.stats.series += 1;
                self.stats.bytes += series.overhead();
            }
            (false, true) => {
                self.stats.series -= 1;
                self.stats.bytes -= series.overhead();
            }
            _ => {}
        }
        if series.enqueue() {
            self.to_map.push_back(slot);
        }
    }
}
