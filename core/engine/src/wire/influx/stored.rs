//! Stored samples to lines.

use std::ops::Range;

use super::encode::{encode, Options, Point};
use super::lines::Lines;
use crate::labels::Labels;
use crate::query::Columns;

/// Lines of samples `range` of `columns`: floats are counted through all series first, histograms behind them.
pub fn encode_columns(columns: &Columns, range: Range<usize>, options: Options) -> Lines {
    let mut lines = Lines::default();
    let floats = columns.values().len();
    let (times, values) = (columns.timestamps(), columns.values());
    let end = range.end.min(floats);
    for (labels, own) in series(columns, columns.offsets(), range.start.min(end)..end) {
        let rows = times.get(own.clone()).into_iter().flatten();
        let rows = rows.zip(values.get(own).into_iter().flatten());
        encode(
            rows.map(|(t, value)| (labels, *t, Point::Float(*value))),
            options,
            &mut lines,
        );
    }
    let behind = |n: usize| n.saturating_sub(floats).min(columns.histograms().len());
    let histograms = behind(range.start)..behind(range.end);
    for (labels, own) in series(columns, columns.histogram_offsets(), histograms) {
        encode(own.map(|_| (labels, 0, Point::Histogram)), options, &mut lines);
    }
    lines
}

/// The series that have samples in `range`, and which of those are theirs; `offsets` tell where each series begins.
fn series<'a>(
    columns: &'a Columns,
    offsets: &'a [i64],
    range: Range<usize>,
) -> impl Iterator<Item = (Option<Labels<'a>>, Range<usize>)> {
    let first = offsets
        .partition_point(|&offset| offset as usize <= range.start)
        .saturating_sub(1);
    let bounds = offsets.get(first..).unwrap_or_default().windows(2);
    bounds.enumerate().map_while(move |(n, bounds)| match bounds {
        [begin, end] if (*begin as usize) < range.end => {
            let own = (*begin as usize).max(range.start)..(*end as usize).min(range.end);
            Some((columns.labels(first + n), own))
        }
        _ => None,
    })
}
