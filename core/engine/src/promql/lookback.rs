//! The latest sample of each series at each step.

use super::samples::Samples;
use crate::batch::is_stale;

/// Cells of the series that have any: row after row.
#[derive(Debug, Default)]
pub struct Cells {
    /// Numbers of the series that are left.
    pub rows: Vec<i64>,
    /// Where `present` is 0, nothing that counts.
    pub values: Vec<f64>,
    /// 1 where there is a float.
    pub present: Vec<u8>,
}

/// What of the latest sample is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Its value.
    Value,
    /// Its time, ms.
    Time,
}

/// The latest sample at or before each of `ats`, unless it is `lookback` ms old or older, or says that the series ends.
/// `ats` ascend.
pub fn lookback(samples: &Samples, ats: &[i64], lookback: i64, wanted: Wanted) -> Cells {
    let mut cells = Cells::default();
    for (row, floats) in samples.floats().enumerate() {
        let before = cells.values.len();
        let mut found = false;
        let mut left = floats.times.iter().zip(floats.values).peekable();
        let mut latest: Option<(i64, f64)> = None;
        for at in ats {
            while let Some((t, v)) = left.next_if(|(t, _)| *t <= at) {
                latest = Some((*t, *v));
            }
            let seen = latest.filter(|(t, v)| *t > at.saturating_sub(lookback) && !is_stale(*v));
            found |= seen.is_some();
            cells.present.push(seen.is_some().into());
            cells.values.push(seen.map_or(0.0, |(t, v)| match wanted {
                Wanted::Value => v,
                Wanted::Time => t as f64,
            }));
        }
        if found {
            cells.rows.push(row as i64);
        } else {
            cells.values.truncate(before);
            cells.present.truncate(before);
        }
    }
    cells
}
