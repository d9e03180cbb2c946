//! What a checkpoint of the log has to keep for this head.

use super::Head;
use crate::wal::SeriesRef;

impl Head {
    /// From which time on the log must keep samples of a series, when blocks have all that is older than `mint` ms; `None` when nobody
    /// can ask for the series any more.
    ///
    /// A pushed value that still stands must be found again however old it is, and so must a sample that came out of order: it is
    /// in no block as long as it is here.
    pub fn needed_from(&self, reference: SeriesRef, mint: i64) -> Option<i64> {
        let slot = self.index.resolve(reference, &self.series);
        let Some(series) = slot.and_then(|slot| self.series.get(slot as usize)) else {
            return self.labels(reference).map(|_| mint);
        };
        let in_order = series.in_order();
        let old = series.is_held() && in_order.maxt().is_some_and(|t| t < mint);
        let standing = old.then(|| in_order.last(&self.files)).flatten();
        let standing = standing.filter(|(_, value)| !value.is_stale());
        let late = series.late_in(i64::MIN, i64::MAX, false, &self.files);
        let late = late.iter().map(|chunk| chunk.mint).min();
        let from = standing.map(|(t, _)| t).into_iter().chain(late).min();
        Some(from.map_or(mint, |from| from.min(mint)))
    }
}
