//! What readers take out of the head: the chunks of the series that match, as they all are at one moment.
//!
//! Chunks share the memory of the head or of its files, only open ones are copied; to decode them takes no lock. A truncation may
//! take chunks away later. They are in a block then: who reads both asks the head first and which blocks there are after that.

use std::sync::Arc;

use super::series::Series;
use super::Head;
use crate::block::Intervals;
use crate::chunk::Chunk;
use crate::merge::{Entry, Holding, Part, Window};
use crate::postings;
use crate::query::{Entries, Failed, Limits};
use crate::regex::Matcher;
use crate::sample::Value;
use crate::wal::SeriesRef;

/// The chunks of one series.
#[derive(Debug, Clone)]
pub(super) struct SeriesChunks {
    /// What the log calls it.
    pub(super) reference: SeriesRef,
    /// Packed.
    pub(super) labels: Arc<[u8]>,
    /// Chunks that reach into the window, by time and without overlap; for a reader of held values, with the sample before it.
    pub(super) chunks: Vec<Chunk>,
    /// Chunks of samples that came late, which may overlap all others. Which of several samples at one time is seen is decided by
    /// [`crate::merge::join`].
    pub(super) late: Vec<Chunk>,
    /// What no reader sees of them any more.
    pub(super) deleted: Intervals,
    /// Its values are repeated at hold ticks, and that is asked for.
    pub(super) held: bool,
    /// The newest sample that came in order, when that is a number and at hand.
    pub(super) last: Option<(i64, f64)>,
}

impl Head {
    /// What there is in `window` of the series that meet all of `matchers`. What comes later does not change it.
    pub fn entries(&self, matchers: &[Matcher], window: Window, limits: &Limits) -> Result<Entries, Failed> {
        let Ok(slots) = postings::select(self, matchers);
        let ticks = self.ticks_in(window);
        let mut entries = Vec::new();
        for slot in slots {
            let series = self.series.get(slot as usize);
            if let Some(chunks) = series.and_then(|series| self.chunks_of(slot, series, window)) {
                entries.push(chunks.into_entry(&ticks));
                limits.check_series(entries.len())?;
            }
        }
        Ok(Entries::new(entries, ticks))
    }

    /// Hold ticks in the window, ascending; none for a reader that does not ask for held values.
    fn ticks_in(&self, window: Window) -> Arc<[i64]> {
        let start = self.ticks.partition_point(|tick| *tick < window.mint);
        let end = self.ticks.partition_point(|tick| *tick <= window.maxt);
        let ticks = self.ticks.get(start..end).filter(|_| window.held);
        ticks.unwrap_or_default().into()
    }

    /// None when the series has nothing in the window.
    fn chunks_of(&self, slot: u32, series: &Series, window: Window) -> Option<SeriesChunks> {
        let Window { mint, maxt, held } = window;
        let held = held && series.is_held();
        let chunks = series.in_order().chunks(mint, maxt, held, &self.files);
        let late = series.late_in(mint, maxt, held, &self.files);
        (!chunks.is_empty() || !late.is_empty()).then(|| SeriesChunks {
            reference: series.reference(),
            labels: series.shared_labels(),
            chunks,
            late,
            deleted: self.deletions.of(slot),
            held,
            last: last_of(series),
        })
    }
}

/// The newest sample that came in order and that readers may see, when it is a number: [`Series::last`] may be staged yet.
fn last_of(series: &Series) -> Option<(i64, f64)> {
    match series.last() {
        Some((t, Value::Float(value))) if series.in_order().maxt() == Some(*t) => Some((*t, *value)),
        _ => None,
    }
}

impl SeriesChunks {
    /// As one place of many that have samples of a series. `ticks` are those of the window.
    pub(super) fn into_entry(self, ticks: &Arc<[i64]>) -> Entry {
        let mut chunks = self.chunks;
        chunks.extend(self.late);
        chunks.sort_by_key(|chunk| chunk.mint);
        let holding = if self.held {
            let ticks = ticks.clone();
            Holding::Live { ticks, standing: None }
        } else {
            Holding::No
        };
        Entry {
            labels: self.labels,
            part: Part {
                chunks,
                deleted: self.deleted,
                holding,
                last: self.last,
            },
        }
    }
}
