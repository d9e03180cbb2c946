//! Stored samples to those that are sent.

use std::ops::Range;
use std::sync::Arc;

use ahash::RandomState;
use hashbrown::HashMap;

use super::route::{Fate, Router};
use super::samples::{Exemplar, Item, Samples, Table, Unsendable};
use crate::head::Head;
use crate::histogram::CUSTOM_BUCKETS;
use crate::labels::Labels;
use crate::query::{Columns, Own};
use crate::sample::Value;
use crate::wal::{LogSlice, SeriesRef};

/// What a sink is sent of what it could be.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Native histograms.
    pub histograms: bool,
    /// Those with custom buckets among them.
    pub custom_buckets: bool,
    /// Exemplars.
    pub exemplars: bool,
    /// Types, units and helps, with each series.
    pub metadata: bool,
    /// Only samples from this time on, ms.
    pub since: i64,
}

struct Gatherer<'s> {
    wanted: Wanted,
    seed: &'s RandomState,
    table: Table,
    items: Vec<Item>,
    unsendable: Unsendable,
}

impl Gatherer<'_> {
    fn push(&mut self, series: u32, t: i64, value: Value) {
        match &value {
            _ if t < self.wanted.since => self.unsendable.too_old += 1,
            Value::Histogram(_) if !self.wanted.histograms => self.unsendable.native_histogram += 1,
            Value::Histogram(histogram) if histogram.schema == CUSTOM_BUCKETS && !self.wanted.custom_buckets => {
                self.unsendable.custom_buckets += 1;
            }
            _ => self.items.push(Item {
                series,
                t,
                value,
                exemplars: 0..0,
            }),
        }
    }

    /// Put the samples of each series together, oldest first.
    fn finish(mut self) -> Samples {
        let in_order = |a: &Item, b: &Item| (a.series, a.t) <= (b.series, b.t);
        if !self.items.is_sorted_by(in_order) {
            self.items.sort_by_key(|item| (item.series, item.t));
        }
        Samples::new(self.table, self.items, self.unsendable)
    }
}

/// Where a series of the log ends up.
#[derive(Debug, Clone, Copy)]
enum Place {
    Series(u32),
    Filtered,
    Unknown,
}

/// The samples of `slice`, which `head` knows the series of.
pub fn of_slice(head: &Head, slice: &LogSlice, router: &mut Router, seed: &RandomState, wanted: Wanted) -> Samples {
    let mut gatherer = Gatherer {
        wanted,
        seed,
        table: Table::with_capacity(slice.samples()),
        items: Vec::with_capacity(slice.samples()),
        unsendable: Unsendable::default(),
    };
    let mut places: HashMap<SeriesRef, Place, RandomState> =
        HashMap::with_capacity_and_hasher(slice.samples(), RandomState::new());
    let mut place = |gatherer: &mut Gatherer<'_>, series: SeriesRef| {
        *places
            .entry(series)
            .or_insert_with(|| place_of(head, series, router, gatherer))
    };
    for (series, t, value) in slice.rows().iter() {
        match place(&mut gatherer, series) {
            Place::Series(series) => gatherer.push(series, t, value),
            Place::Filtered => gatherer.unsendable.filtered += 1,
            Place::Unknown => gatherer.unsendable.unknown_series += 1,
        }
    }
    let mut exemplars: Vec<(u32, Exemplar)> = Vec::new();
    if wanted.exemplars {
        for row in slice.exemplars() {
            if let Some(Place::Series(series)) = places.get(&row.series) {
                let exemplar = Exemplar {
                    t: row.t,
                    value: row.value,
                    labels: row.labels.clone(),
                };
                exemplars.push((*series, exemplar));
            }
        }
    }
    let mut samples = gatherer.finish();
    samples.attach(exemplars);
    samples
}

fn place_of(head: &Head, series: SeriesRef, router: &mut Router, gatherer: &mut Gatherer<'_>) -> Place {
    let labels = || head.labels(series).map(Labels::trusted);
    let fate = if router.route().is_plain() {
        Some(Fate::Same) // who knows it is asked once, below
    } else {
        router.fate(series, labels)
    };
    let number = match fate {
        None => return Place::Unknown,
        Some(Fate::Filtered) => return Place::Filtered,
        Some(Fate::Changed(labels)) => gatherer.table.intern(labels, gatherer.seed),
        Some(Fate::Same) => match head.shared_labels(series) {
            Some(labels) => gatherer.table.intern(labels, gatherer.seed),
            None => return Place::Unknown,
        },
    };
    if gatherer.wanted.metadata {
        if let Some(entry) = gatherer.table.series.get_mut(number as usize) {
            entry.metadata = head.metadata_of(series).cloned();
        }
    }
    Place::Series(number)
}

/// Samples `range` of `columns`, see [`Columns::in_range`].
pub fn of_columns(
    columns: &Columns,
    range: Range<usize>,
    router: &Router,
    seed: &RandomState,
    wanted: Wanted,
) -> Samples {
    let mut gatherer = Gatherer {
        wanted,
        seed,
        table: Table::default(),
        items: Vec::with_capacity(range.len()),
        unsendable: Unsendable::default(),
    };
    for (labels, own) in columns.in_range(range) {
        match own {
            Own::Floats(times, values) => {
                let rows = times.iter().zip(values).map(|(t, v)| (*t, Value::Float(*v)));
                gatherer.push_series(labels, router, rows);
            }
            Own::Histograms(rows) => {
                let rows = rows.iter().map(|(t, v)| (*t, Value::Histogram(v.clone())));
                gatherer.push_series(labels, router, rows);
            }
        }
    }
    gatherer.finish()
}

impl Gatherer<'_> {
    fn push_series(&mut self, labels: Labels<'_>, router: &Router, rows: impl ExactSizeIterator<Item = (i64, Value)>) {
        let labels: Arc<[u8]> = match router.route().fate(labels) {
            Fate::Same => labels.packed().into(),
            Fate::Changed(labels) => labels,
            Fate::Filtered => {
                self.unsendable.filtered += rows.len() as u64;
                return;
            }
        };
        let number = self.table.intern(labels, self.seed);
        rows.for_each(|(t, value)| self.push(number, t, value));
    }
}
