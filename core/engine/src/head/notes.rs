//! Exemplars and metadata on their way through the head, beside the samples of their batch.

use std::sync::Arc;

use super::exemplars::{Exemplar, SeriesExemplars};
use super::Head;
use crate::batch::{Batch, BATCH_TIME};
use crate::labels::Labels;
use crate::metadata::Metadata;
use crate::regex::Matcher;
use crate::wal::{ExemplarRow, LogBatch, MetadataRow, SeriesRef};

/// What a staged batch tells besides samples, as far as it is new.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) metadata: Vec<MetadataRow>,
    pub(super) exemplars: Vec<ExemplarRow>,
    /// Exemplars that break a rule.
    pub(super) refused: usize,
}

impl Notes {
    pub(super) fn is_empty(&self) -> bool {
        self.metadata.is_empty() && self.exemplars.is_empty()
    }
}

impl Head {
    /// Keep at most `capacity` exemplars, none if 0, and late ones only within `window` ms.
    pub fn set_exemplar_limits(&mut self, capacity: usize, window: i64) {
        self.exemplars.set_limits(capacity, window);
    }

    /// Exemplars in `mint..=maxt` ms of the series that match all of `matchers`; series in label order.
    pub fn exemplars(&self, matchers: &[Matcher], mint: i64, maxt: i64) -> Vec<SeriesExemplars> {
        self.exemplars.select(matchers, mint, maxt)
    }

    /// Labels of each series that something is told of, and what; in no order.
    pub fn metadata(&self) -> impl Iterator<Item = (Labels<'_>, &Arc<Metadata>)> {
        let told = self.metadata.iter();
        told.filter_map(|(series, metadata)| Some((Labels::trusted(self.labels(series)?), metadata)))
    }

    /// How many exemplars there are.
    pub fn exemplar_count(&self) -> usize {
        self.exemplars.len()
    }

    /// Drop what is told of series that are no longer there.
    pub fn forget_metadata(&mut self) {
        let (index, slots) = (&self.index, &self.series);
        self.metadata.retain(|series| index.resolve(series, slots).is_some());
    }

    /// What of a batch's notes is new; those of series that are not there are left out. `time` is the batch's settled one.
    pub(super) fn note(&self, batch: &Batch, time: i64) -> Notes {
        let mut notes = Notes::default();
        if batch.has_no_notes() {
            return notes;
        }
        for (labels, metadata) in batch.metadata() {
            let Some(series) = self.reference_of(labels) else {
                continue;
            };
            if self.told(series) != Some(metadata) {
                notes.metadata.push((series, metadata.clone()));
            }
        }
        for row in batch.exemplars() {
            let Some(series) = self.reference_of(row.series) else {
                continue;
            };
            let own = row.labels.packed();
            // Without a time of its own it is the same observation until another takes its place.
            if row.t == BATCH_TIME && self.exemplars.repeats(row.series.packed(), row.value, own) {
                continue;
            }
            let exemplar = Exemplar {
                t: if row.t == BATCH_TIME { time } else { row.t },
                value: row.value,
                labels: own.into(),
            };
            match self.exemplars.check(row.series.packed(), &exemplar) {
                Ok(true) => notes.exemplars.push(exemplar.of(series)),
                Ok(false) => {}
                Err(_) => notes.refused += 1,
            }
        }
        notes
    }

    /// The newest metadata of a series, staged ones included.
    fn told(&self, series: SeriesRef) -> Option<&Arc<Metadata>> {
        let staged = self.pending.iter().rev().flat_map(|batch| &batch.notes.metadata);
        let staged = staged
            .filter(|(other, _)| *other == series)
            .map(|(_, metadata)| metadata);
        staged.into_iter().next().or_else(|| self.metadata.get(series))
    }

    fn reference_of(&self, labels: Labels<'_>) -> Option<SeriesRef> {
        let slot = self.index.find(self.index.hash(labels), labels, &self.series)?;
        Some(self.series.get(slot as usize)?.reference())
    }

    /// Show what was noted.
    pub(super) fn take_notes(&mut self, notes: Notes) {
        for (series, metadata) in notes.metadata {
            self.metadata.set(series, metadata);
        }
        for row in notes.exemplars {
            self.take_exemplar(&row);
        }
    }

    /// The same for what a log tells, whose references may be second names.
    pub(super) fn replay_notes(&mut self, batch: &LogBatch) {
        for (reference, metadata) in &batch.metadata {
            let slot = self.index.resolve(*reference, &self.series);
            if let Some(series) = slot.and_then(|slot| self.series.get(slot as usize)) {
                self.metadata.set(series.reference(), metadata.clone());
            }
        }
        batch.exemplars.iter().for_each(|row| self.take_exemplar(row));
    }

    fn take_exemplar(&mut self, row: &ExemplarRow) {
        let Some(labels) = self.labels(row.series).map(<[u8]>::to_vec) else {
            return;
        };
        let exemplar = Exemplar {
            t: row.t,
            value: row.value,
            labels: row.labels.clone(),
        };
        // One that was staged when another came first may be late by now; a log may tell one twice.
        let _ = self.exemplars.add(&labels, exemplar);
    }
}

impl Exemplar {
    fn of(self, series: SeriesRef) -> ExemplarRow {
        ExemplarRow {
            series,
            t: self.t,
            value: self.value,
            labels: self.labels,
        }
    }
}
