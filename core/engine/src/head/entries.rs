//! What readers take out of the head: chunks, so that the lock is free again before anything is decoded.

use std::sync::Arc;

use super::series::Series;
use super::Head;
use crate::block::Intervals;
use crate::merge::{Entry, Holding, Part, Window};
use crate::postings;
use crate::query::{Entries, Failed, Limits};
use crate::regex::Matcher;

impl Head {
    /// What there is in `window` of the series that meet all of `matchers`. Closed chunks are shared, open ones copied: what
    /// comes later does not change it.
    pub fn entries(&self, matchers: &[Matcher], window: Window, limits: &Limits) -> Result<Entries, Failed> {
        let Ok(slots) = postings::select(self, matchers);
        let ticks = self.ticks_in(window);
        let mut entries = Vec::new();
        for series in slots.into_iter().filter_map(|slot| self.series.get(slot as usize)) {
            let entry = self.entry(series, window, &ticks);
            if !entry.part.chunks.is_empty() {
                entries.push(entry);
                limits.check_series(entries.len())?;
            }
        }
        Ok(Entries::new(entries, ticks))
    }

    /// All times at which held values are seen in `window`.
    fn ticks_in(&self, window: Window) -> Arc<[i64]> {
        if !window.held {
            return Arc::default();
        }
        let start = self.ticks.partition_point(|tick| *tick < window.mint);
        let end = self.ticks.partition_point(|tick| *tick <= window.maxt);
        self.ticks.get(start..end).unwrap_or_default().into()
    }

    fn entry(&self, series: &Series, window: Window, ticks: &Arc<[i64]>) -> Entry {
        let is_live = window.held && series.is_held() && !ticks.is_empty();
        // A value that stands may be older than the window; samples that came late are in chunks of their own.
        let mut chunks = series.chunks_in(window.mint, window.maxt, is_live, &self.files);
        chunks.sort_by_key(|chunk| chunk.mint);
        Entry {
            labels: series.shared_labels(),
            part: Part {
                chunks,
                deleted: Intervals::default(),
                holding: if window.held && series.is_held() {
                    let ticks = ticks.clone();
                    Holding::Live { ticks, standing: None }
                } else {
                    Holding::No
                },
            },
        }
    }
}
