//! Stored samples to lines: those of the log, and those of history.

use std::ops::Range;
use std::sync::Arc;

use super::encode::{Encoder, Point, Row};
use super::lines::{Lines, Reason};
use super::mapping::Options;
use super::unchanged::{shown, Look, Told, Unchanged};
use crate::family::Kind;
use crate::head::Head;
use crate::histogram::Histogram;
use crate::labels::Labels;
use crate::outbound::{Fate, Route, Router};
use crate::query::{Columns, Own};
use crate::wal::{ExemplarRow, SeriesRef};

/// What a sink remembers of the series of the log.
#[derive(Debug)]
pub struct Memory<'m> {
    /// Which of them it is sent.
    pub router: &'m mut Router,
    /// What it was sent of them last, when it is not sent the same again, and what this piece tells it.
    pub unchanged: Option<(&'m mut Unchanged, &'m mut Told)>,
}

/// Give `encoder` float samples of the log, whose series `head` knows; they must come in log order.
pub fn encode_floats(encoder: &mut Encoder<'_>, head: &Head, rows: &[(SeriesRef, i64, f64)], memory: &mut Memory<'_>) {
    for &(series, t, value) in rows {
        let Some(fate) = fate_in_log(encoder, head, series, memory.router) else {
            continue;
        };
        let mut row = float_of(encoder, head, &fate, series, (t, value));
        let mut again = None;
        if let Some((unchanged, told)) = memory.unchanged.as_mut().filter(|_| encoder.reaches(t)) {
            let key = memory.router.sink_series(series, row.labels);
            let newest = |end: i64| Some(head.numbers_behind(series, t, end.saturating_add(1)).last()?.0);
            match unchanged.look(told, key, t, shown(value, row.kind), newest) {
                Look::Repeats => {
                    encoder.leave_out_unchanged(t);
                    continue;
                }
                Look::Late => {
                    told.late.push((series, t));
                    let next = head
                        .numbers_behind(series, t, t.saturating_add(unchanged.heartbeat()))
                        .first()
                        .copied();
                    let told_next = next.map(|(t, v)| (t, v.and_then(|v| shown(v, row.kind))));
                    unchanged.told_again(told, key, t, told_next);
                    again = next.and_then(|(t, v)| Some((t, v?)));
                }
                Look::Sent => {}
            }
        }
        encoder.add(&row);
        if let Some((t, value)) = again {
            (row.t, row.point) = (t, Point::Float(value));
            encoder.add_again(&row);
        }
    }
}

/// Give `encoder` the numbers that `head` has in these times of series, first and last excluded: what may have been left out.
pub fn encode_behind(encoder: &mut Encoder<'_>, head: &Head, times: &[(SeriesRef, i64, i64)], router: &mut Router) {
    for &(series, t, end) in times {
        let Some(fate) = router.fate(series, || head.labels(series).map(Labels::trusted)) else {
            continue;
        };
        for (t, value) in head.numbers_behind(series, t, end) {
            if let Some(value) = value {
                encoder.add_again(&float_of(encoder, head, &fate, series, (t, value)));
            }
        }
    }
}

/// Say which series have native histograms, before their floats are looked at.
pub fn note_histograms(head: &Head, rows: &[(SeriesRef, i64, Arc<Histogram>)], memory: &mut Memory<'_>) {
    let Some((unchanged, _)) = memory.unchanged.as_mut() else {
        return;
    };
    for (series, t, _) in rows {
        let own = head.labels(*series).map(Labels::trusted);
        if let Some(fate) = memory.router.fate(*series, || own) {
            unchanged.mix(memory.router.sink_series(*series, sent_as(&fate, own)), *t);
        }
    }
}

/// The same with native histograms.
pub fn encode_histograms(
    encoder: &mut Encoder<'_>,
    head: &Head,
    rows: &[(SeriesRef, i64, Arc<Histogram>)],
    memory: &mut Memory<'_>,
) {
    for (series, t, histogram) in rows {
        let Some(fate) = fate_in_log(encoder, head, *series, memory.router) else {
            continue;
        };
        encoder.add(&Row {
            labels: sent_as(&fate, head.labels(*series).map(Labels::trusted)),
            kind: None,
            t: *t,
            point: Point::Histogram(histogram),
        });
    }
}

/// The same with exemplars. Those of series that are left out, or that nobody knows, are left out as well.
pub fn encode_exemplars(encoder: &mut Encoder<'_>, head: &Head, rows: &[ExemplarRow], memory: &mut Memory<'_>) {
    for exemplar in rows {
        let own = head.labels(exemplar.series).map(Labels::trusted);
        let fate = memory.router.fate(exemplar.series, || own);
        let sent = fate.as_ref().filter(|fate| **fate != Fate::Filtered);
        if let Some(labels) = sent.and_then(|fate| sent_as(fate, own)) {
            encoder.add_exemplar(labels, head.kind(exemplar.series), exemplar);
        }
    }
}

/// What becomes of a sample of `series`; `None`, and counted, when it is left out.
fn fate_in_log(encoder: &mut Encoder<'_>, head: &Head, series: SeriesRef, router: &mut Router) -> Option<Fate> {
    if router.route().is_plain() {
        return Some(Fate::Same);
    }
    let labels = || head.labels(series).map(Labels::trusted);
    let reason = match router.fate(series, labels) {
        Some(Fate::Filtered) => Reason::Filtered,
        None => Reason::UnknownSeries,
        Some(fate) => return Some(fate),
    };
    encoder.leave_out(reason);
    None
}

/// A float sample of a series on its way.
fn float_of<'a>(
    encoder: &Encoder<'_>,
    head: &'a Head,
    fate: &'a Fate,
    series: SeriesRef,
    (t, value): (i64, f64),
) -> Row<'a> {
    let needs_kind = encoder.options().mapping.needs_kind();
    Row {
        labels: sent_as(fate, head.labels(series).map(Labels::trusted)),
        kind: needs_kind.then(|| head.kind(series)).flatten(),
        t,
        point: Point::Float(value),
    }
}

/// The labels that a series is sent under, which are its own if they are not changed.
fn sent_as<'a>(fate: &'a Fate, own: Option<Labels<'a>>) -> Option<Labels<'a>> {
    match fate {
        Fate::Changed(packed) => Some(Labels::trusted(packed)),
        Fate::Same | Fate::Filtered => own,
    }
}

/// Lines of samples `range` of `columns`, see [`Columns::in_range`], of the series that `route` sends. `kind` tells what kind of metric a stored series is of, where that is known.
pub fn encode_columns(
    columns: &Columns,
    range: Range<usize>,
    options: &Options,
    route: &Route,
    kind: impl Fn(Labels<'_>) -> Option<Kind>,
) -> Lines {
    let mut encoder = Encoder::new(options);
    for (labels, own) in columns.in_range(range) {
        let fate = route.fate(labels);
        match own {
            Own::Floats(times, values) => {
                let kind = options.mapping.needs_kind().then(|| kind(labels)).flatten();
                let rows = times.iter().zip(values).map(|(t, v)| (*t, Point::Float(*v)));
                add_series(&mut encoder, &fate, labels, kind, rows);
            }
            Own::Histograms(rows) => {
                let rows = rows.iter().map(|(t, v)| (*t, Point::Histogram(v)));
                add_series(&mut encoder, &fate, labels, None, rows);
            }
        }
    }
    encoder.finish()
}

/// Give `encoder` samples of one series.
fn add_series<'a>(
    encoder: &mut Encoder<'_>,
    fate: &Fate,
    own: Labels<'_>,
    kind: Option<Kind>,
    rows: impl Iterator<Item = (i64, Point<'a>)>,
) {
    if *fate == Fate::Filtered {
        rows.for_each(|_| encoder.leave_out(Reason::Filtered));
        return;
    }
    let labels = sent_as(fate, Some(own));
    rows.for_each(|(t, point)| encoder.add(&Row { labels, kind, t, point }));
}
