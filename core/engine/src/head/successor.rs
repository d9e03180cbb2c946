//! What a series has next: for who sent a sample that came late, and must say again what holds behind it.

use super::Head;
use crate::sample::Value;
use crate::wal::SeriesRef;

impl Head {
    /// The first visible sample of a series behind `t` and before `end` ms, as far as it is in memory, where that is a finite
    /// number: no other is ever left out as a repetition.
    pub fn number_after(&self, reference: SeriesRef, t: i64, end: i64) -> Option<(i64, f64)> {
        let slot = self.index.resolve(reference, &self.series)?;
        let series = self.series.get(slot as usize)?;
        let first = t.checked_add(1).filter(|first| *first < end)?;
        let chunks = series.chunks_in(first, end - 1, false, &self.files);
        let samples = chunks.iter().flat_map(super::in_order::decoded);
        let behind = samples.filter(|(u, _)| (first..end).contains(u));
        match behind.min_by_key(|(u, _)| *u)? {
            (t, Value::Float(value)) if value.is_finite() => Some((t, value)),
            _ => None,
        }
    }
}
