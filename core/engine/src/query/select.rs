//! What series there are, and their samples.

use std::sync::Arc;

use super::columns::Columns;
use super::limits::{Failed, Limits};
use crate::labels::{compare, Labels};
use crate::merge::{Entry, Gathered, SeriesStream, Streams, Window};

/// Samples in `window` of the series that `places` give; those without any are left out.
pub fn select(places: Vec<Box<dyn SeriesStream>>, window: Window, limits: &Limits) -> Result<Columns, Failed> {
    let mut streams = Streams::new(places);
    let mut columns = Columns::default();
    while let Some(series) = streams.next_series()? {
        columns.push(&series, window, limits)?;
    }
    Ok(columns)
}

/// Likewise of one place, in the order in which it gives them.
pub fn select_unordered(
    entries: impl Iterator<Item = Entry>,
    window: Window,
    limits: &Limits,
) -> Result<Columns, Failed> {
    let mut columns = Columns::default();
    for Entry { labels, part } in entries {
        let parts = vec![part];
        columns.push(&Gathered { labels, parts }, window, limits)?;
    }
    Ok(columns)
}

/// The label sets that `places` give, packed, in their order: whether there are samples left of each in `window` is told by
/// chunks alone, none is decoded.
pub fn series(places: Vec<Box<dyn SeriesStream>>, window: Window, limits: &Limits) -> Result<Vec<Arc<[u8]>>, Failed> {
    let mut streams = Streams::new(places);
    let mut found = Vec::new();
    while let Some(series) = streams.next_series()? {
        if series.parts.iter().any(|part| part.shows_something(window)) {
            found.push(series.labels);
            limits.check_series(found.len())?;
        }
    }
    Ok(found)
}

/// Label sets that are in any of `sets`, in label order.
pub fn union(sets: Vec<Vec<Arc<[u8]>>>) -> Vec<Arc<[u8]>> {
    let mut all: Vec<Arc<[u8]>> = sets.into_iter().flatten().collect();
    all.sort_by(|a, b| compare(Labels::trusted(a), Labels::trusted(b)));
    all.dedup();
    all
}
