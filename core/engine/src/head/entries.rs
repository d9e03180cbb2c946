//! What readers take out of the head: chunks, so that the lock is free again before anything is decoded.

use std::sync::Arc;

use super::{Head, SeriesChunks};
use crate::merge::{Entry, Holding, Part, Window};
use crate::query::{Entries, Failed, Limits};
use crate::regex::Matcher;

impl Head {
    /// What there is in `window` of the series that meet all of `matchers`. Closed chunks are shared, open ones copied: what
    /// comes later does not change it.
    pub fn entries(&self, matchers: &[Matcher], window: Window, limits: &Limits) -> Result<Entries, Failed> {
        let mut selection = self.pick(matchers, window);
        limits.check_series(selection.len())?;
        let entries = self.collect(&mut selection, usize::MAX);
        let ticks = selection.ticks();
        let entries = entries.into_iter().map(|series| series.into_entry(ticks));
        Ok(Entries::new(entries.collect(), ticks.clone()))
    }
}

impl SeriesChunks {
    /// As one place of many that have samples of a series. `ticks` are those of its [`Selection`](super::Selection).
    pub fn into_entry(self, ticks: &Arc<[i64]>) -> Entry {
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
            },
        }
    }
}
