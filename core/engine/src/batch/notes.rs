//! What a batch tells of its series besides samples.

use std::ops::Range;
use std::sync::Arc;

use super::subject::Spot;
use super::{Batch, Subject};
use crate::family::Text;
use crate::labels::Labels;
use crate::metadata::Metadata;

/// Exemplars and metadata of a batch. Their series are named as those of rows are; the exemplars' own labels are here, so that a
/// repeated push has the same arena however its exemplars differ.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Notes {
    own: Vec<u8>,
    exemplars: Vec<ExemplarNote>,
    metadata: Vec<(Spot, Arc<Metadata>)>,
    families: Vec<FamilyMetadata>,
}

#[derive(Debug, Clone, PartialEq)]
struct ExemplarNote {
    series: Spot,
    own: Range<usize>,
    t: i64,
    value: f64,
}

/// An exemplar of a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exemplar<'b> {
    /// Whose it is.
    pub series: Subject<'b>,
    /// Its own labels.
    pub labels: Labels<'b>,
    /// ms, or [`super::BATCH_TIME`].
    pub t: i64,
    /// The observed value.
    pub value: f64,
}

/// What all series of a family are, whichever there are.
#[derive(Debug, Clone, PartialEq)]
pub struct FamilyMetadata {
    /// The family's name, without the suffixes of its series.
    pub name: Text,
    /// What it is.
    pub metadata: Arc<Metadata>,
}

impl Batch {
    /// An exemplar, with labels of its own, of the label set just appended to the arena; when nothing was, of the last row's series.
    pub fn push_exemplar(&mut self, t: i64, value: f64, own: Labels<'_>) {
        let series = self.noted();
        let start = self.notes.own.len();
        self.notes.own.extend_from_slice(own.packed());
        let own = start..self.notes.own.len();
        self.notes.exemplars.push(ExemplarNote { series, own, t, value });
    }

    /// What the label set just appended to the arena is; when nothing was, the last row's series.
    pub fn push_metadata(&mut self, metadata: Arc<Metadata>) {
        let series = self.noted();
        self.notes.metadata.push((series, metadata));
    }

    /// What all series of a family are.
    pub fn push_family(&mut self, family: FamilyMetadata) {
        self.notes.families.push(family);
    }

    /// In insertion order.
    pub fn exemplars(&self) -> impl ExactSizeIterator<Item = Exemplar<'_>> {
        self.notes.exemplars.iter().map(|note| Exemplar {
            series: self.subject(note.series),
            labels: Labels::trusted(self.notes.own.get(note.own.clone()).unwrap_or_default()),
            t: note.t,
            value: note.value,
        })
    }

    /// (series, metadata) in insertion order.
    pub fn metadata(&self) -> impl ExactSizeIterator<Item = (Subject<'_>, &Arc<Metadata>)> {
        let rows = self.notes.metadata.iter();
        rows.map(|(series, metadata)| (self.subject(*series), metadata))
    }

    /// In insertion order.
    pub fn families(&self) -> &[FamilyMetadata] {
        &self.notes.families
    }

    /// True when there are samples only.
    pub fn has_no_notes(&self) -> bool {
        self.notes.exemplars.is_empty() && self.notes.metadata.is_empty() && self.notes.families.is_empty()
    }
}
