//! Stored samples to lines.

use std::ops::Range;

use super::encode::{Encoder, Point, Row};
use super::lines::Lines;
use super::mapping::Options;
use crate::family::Kind;
use crate::labels::Labels;
use crate::query::Columns;

/// Lines of samples `range` of `columns`: floats are counted through all series first, histograms behind them. `kind` tells
/// what kind of metric a series is of, where that is known.
pub fn encode_columns(
    columns: &Columns,
    range: Range<usize>,
    options: &Options,
    kind: impl Fn(Labels<'_>) -> Option<Kind>,
) -> Lines {
    let mut encoder = Encoder::new(options);
    let floats = columns.values().len();
    let (times, values) = (columns.timestamps(), columns.values());
    let end = range.end.min(floats);
    let of_series = |labels: Option<Labels<'_>>| labels.filter(|_| options.mapping.needs_kind()).and_then(&kind);
    let rows = series(columns, columns.offsets(), range.start.min(end)..end).flat_map(|(labels, own)| {
        let kind = of_series(labels);
        let rows = times.get(own.clone()).into_iter().flatten();
        rows.zip(values.get(own).into_iter().flatten())
            .map(move |(t, value)| Row {
                labels,
                kind,
                t: *t,
                point: Point::Float(*value),
            })
    });
    encoder.add_all(rows);
    let behind = |n: usize| n.saturating_sub(floats).min(columns.histograms().len());
    let histograms = behind(range.start)..behind(range.end);
    let rows = series(columns, columns.histogram_offsets(), histograms).flat_map(|(labels, own)| {
        let rows = columns.histograms().get(own).into_iter().flatten();
        rows.map(move |(t, histogram)| Row {
            labels,
            kind: None,
            t: *t,
            point: Point::Histogram(histogram),
        })
    });
    encoder.add_all(rows);
    encoder.finish()
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
