//! Exemplars and metadata on their way through the head, beside the samples of their batch.

use std::sync::Arc;

use super::exemplars::{Exemplar, ExemplarRefused, SeriesExemplars};
use super::refusal::{Refused, RefusedReason};
use super::series::Series;
use super::Head;
use crate::batch::{self, Batch, FamilyMetadata, Subject, BATCH_TIME};
use crate::family::Kind;
use crate::labels::{Labels, METRIC_NAME};
use crate::metadata::Metadata;
use crate::regex::Matcher;
use crate::wal::{ExemplarRow, LogBatch, MetadataRow, SeriesRef};

/// What a staged batch tells besides samples, as far as it is new.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) metadata: Vec<MetadataRow>,
    pub(super) exemplars: Vec<ExemplarRow>,
    pub(super) refused: ExemplarRefusals,
}

/// Exemplars that are left out of their batch.
#[derive(Debug, Clone, Default)]
pub struct ExemplarRefusals {
    /// How many.
    pub count: usize,
    /// How many of them are older than others of their series.
    pub out_of_order: usize,
    /// The first of those.
    pub first: Option<Refused>,
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

    /// The same, to be kept.
    pub fn shared_metadata(&self) -> Vec<(Arc<[u8]>, Arc<Metadata>)> {
        let told = self.metadata.iter();
        told.filter_map(|(series, metadata)| Some((self.shared_labels(series)?, metadata.clone())))
            .collect()
    }

    /// What is told of a series of the log.
    pub fn metadata_of(&self, reference: SeriesRef) -> Option<&Arc<Metadata>> {
        self.metadata.get(reference).or_else(|| {
            let slot = self.index.resolve(reference, &self.series)?;
            self.metadata.get(self.series.get(slot as usize)?.reference())
        })
    }

    /// What kind of metric a series of the log is of, where that is told.
    pub fn kind(&self, reference: SeriesRef) -> Option<Kind> {
        self.metadata_of(reference).map(|metadata| metadata.kind)
    }

    /// The same for a series by its labels. Of one that is not there any more, another one of its name tells.
    pub fn kind_of(&self, labels: Labels<'_>) -> Option<Kind> {
        let own = || {
            let slot = self.index.find(self.index.hash(labels), labels, &self.series)?;
            self.kind(self.series.get(slot as usize)?.reference())
        };
        let others = || {
            let slots = self.index.values(METRIC_NAME)?.get(labels.get(METRIC_NAME))?;
            let reference = |slot: &u32| Some(self.series.get(*slot as usize)?.reference());
            slots
                .iter()
                .filter_map(reference)
                .find_map(|reference| self.kind(reference))
        };
        own().or_else(others)
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
        for (subject, metadata) in batch.metadata() {
            let series = self.noted_series(subject);
            self.note_metadata(series.map(Series::reference), metadata, &mut notes);
        }
        for family in batch.families() {
            for slot in self.slots_of_family(family) {
                let series = self.series.get(slot as usize);
                self.note_metadata(series.map(Series::reference), &family.metadata, &mut notes);
            }
        }
        for row in batch.exemplars() {
            self.note_exemplar(row, time, &mut notes);
        }
        notes
    }

    fn note_metadata(&self, series: Option<SeriesRef>, metadata: &Arc<Metadata>, notes: &mut Notes) {
        let Some(series) = series else { return };
        if self.told(series) != Some(metadata) {
            notes.metadata.push((series, metadata.clone()));
        }
    }

    fn note_exemplar(&self, row: batch::Exemplar<'_>, time: i64, notes: &mut Notes) {
        let Some(series) = self.noted_series(row.series) else {
            notes.refused.count += 1;
            return;
        };
        let (labels, own) = (series.labels(), row.labels.packed());
        // Without a time of its own it is the same observation until another takes its place.
        if row.t == BATCH_TIME && self.exemplars.repeats(labels.packed(), row.value, own) {
            return;
        }
        let exemplar = Exemplar {
            t: if row.t == BATCH_TIME { time } else { row.t },
            value: row.value,
            labels: own.into(),
        };
        match self.exemplars.check(labels.packed(), &exemplar) {
            Ok(true) => notes.exemplars.push(exemplar.of(series.reference())),
            Ok(false) => {}
            Err(ExemplarRefused::OutOfOrder) => {
                notes.refused.count += 1;
                notes.refused.out_of_order += 1;
                let refused = || Refused::new(RefusedReason::LateExemplar, Subject::Labels(labels), &[], exemplar.t);
                notes.refused.first.get_or_insert_with(refused);
            }
            Err(_) => notes.refused.count += 1,
        }
    }

    /// The visible series of a family: those of its name, and of its name with the suffixes of its type.
    fn slots_of_family<'h>(&'h self, family: &'h FamilyMetadata) -> impl Iterator<Item = u32> + 'h {
        let names = self.index.values(METRIC_NAME);
        let suffixes = std::iter::once(&"").chain(family_suffixes(family.metadata.kind));
        let lists = suffixes.filter_map(move |suffix| {
            let mut name = family.name.clone();
            name.push_str(suffix);
            names?.get(name.as_str())
        });
        lists.flatten().copied()
    }

    /// The newest metadata of a series, staged ones included.
    fn told(&self, series: SeriesRef) -> Option<&Arc<Metadata>> {
        let staged = self.pending.iter().rev().flat_map(|batch| &batch.notes.metadata);
        let staged = staged
            .filter(|(other, _)| *other == series)
            .map(|(_, metadata)| metadata);
        staged.into_iter().next().or_else(|| self.metadata.get(series))
    }

    fn noted_series(&self, subject: Subject<'_>) -> Option<&Series> {
        if let Subject::Known { slot, reference } = subject {
            let series = self.series.get(slot as usize)?;
            return (series.reference() == reference).then_some(series);
        }
        let labels = subject.labels();
        let slot = self.index.find(self.index.hash(labels), labels, &self.series)?;
        self.series.get(slot as usize)
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

/// What the names of a family's series end in, beside those that are called as it is.
fn family_suffixes(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Counter => &["_total"],
        Kind::Histogram | Kind::GaugeHistogram => &["_bucket", "_sum", "_count", "_gsum", "_gcount"],
        Kind::Summary => &["_sum", "_count"],
        Kind::Info => &["_info"],
        Kind::Gauge | Kind::Untyped | Kind::StateSet => &[],
    }
}
