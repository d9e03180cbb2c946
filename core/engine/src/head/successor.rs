//! What a series has next: for who sent a sample that came late, and must say again what holds behind it.

use super::Head;
use crate::sample::Value;
use crate::wal::SeriesRef;

impl Head {
    /// The visible samples of a series behind `t` and before `end` ms, by time, as far as they are in memory: floats; `None`
    /// for what is none.
    pub fn numbers_behind(&self, reference: SeriesRef, t: i64, end: i64) -> Vec<(i64, Option<f64>)> {
        let slot = self.index.resolve(reference, &self.series);
        let Some(series) = slot.and_then(|slot| self.series.get(slot as usize)) else {
            return Vec::new();
        };
        let behind = |u: i64| t < u && u < end;
        let chunks = series.chunks_in(t, end, false, &self.files);
        let samples = chunks.iter().flat_map(super::in_order::decoded);
        let mut found: Vec<_> = samples
            .filter(|(u, _)| behind(*u))
            .map(|(u, value)| match value {
                Value::Float(v) => (u, Some(v)),
                _ => (u, None),
            })
            .collect();
        found.sort_by_key(|(u, _)| *u);
        found
    }
}
