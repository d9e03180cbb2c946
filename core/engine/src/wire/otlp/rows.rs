//! The batch that comes of a request, row by row.

use std::sync::Arc;

use super::exemplars::Exemplar;
use super::labels::{Extra, PointLabels};
use super::Refused;
use crate::batch::{Batch, STALE_NAN_BITS};
use crate::histogram::{Histogram, ResetHint};
use crate::labels::Labels;
use crate::metadata::Metadata;

/// A batch being made.
pub struct Rows {
    pub(super) batch: Batch,
    /// What is told of each series.
    metadata: Option<Arc<Metadata>>,
    limit: usize,
}

/// A row's time, and whether its series begins or ends there.
#[derive(Debug, Clone, Copy)]
pub struct At {
    /// ms.
    pub t: i64,
    /// When the series began with nothing, ms, if that is to be stored.
    pub start: Option<i64>,
    /// The row is a stale marker.
    pub ended: bool,
}

impl At {
    /// The same without a beginning.
    pub fn unbegun(self) -> Self {
        Self { start: None, ..self }
    }
}

/// What a series of such histograms begins with.
fn empty_as(histogram: &Histogram) -> Histogram {
    Histogram {
        hint: ResetHint::Reset,
        schema: histogram.schema,
        zero_threshold: histogram.zero_threshold,
        custom: histogram.custom.clone(),
        ..Histogram::default()
    }
}

impl Rows {
    /// None yet. `limit` bounds the bytes of labels.
    pub fn new(now: i64, limit: usize) -> Self {
        let mut batch = Batch::new(now);
        batch.partial = true;
        Self {
            batch,
            metadata: None,
            limit,
        }
    }

    /// What is told of the series of the rows that follow.
    pub fn tell(&mut self, metadata: Arc<Metadata>) {
        self.metadata = Some(metadata);
    }

    /// A number.
    pub fn float(
        &mut self,
        labels: &PointLabels<'_>,
        name: (&str, &str),
        extra: Option<(Extra, &str)>,
        at: At,
        value: f64,
    ) {
        labels.put(name, extra, self.batch.arena());
        self.batch.begin_unkeyed();
        if let Some(start) = at.start {
            self.batch.add_start(start);
        }
        let stale = f64::from_bits(STALE_NAN_BITS);
        self.batch.add_float(at.t, if at.ended { stale } else { value });
        self.note();
    }

    /// A native histogram.
    pub fn histogram(&mut self, labels: &PointLabels<'_>, name: &str, at: At, value: Histogram) {
        labels.put((name, ""), None, self.batch.arena());
        self.batch.begin_unkeyed();
        if let Some(start) = at.start {
            self.batch.add_histogram_start(start, Arc::new(empty_as(&value)));
        }
        let value = if at.ended { value.stale_marker() } else { value };
        self.batch.add_histogram(at.t, Arc::new(value));
        self.note();
    }

    fn note(&mut self) {
        if let Some(metadata) = &self.metadata {
            self.batch.push_metadata(metadata.clone());
        }
    }

    /// An exemplar of the last row; `t` is when it was, unless it tells that itself.
    pub fn exemplar(&mut self, exemplar: &Exemplar, t: i64) {
        let t = if exemplar.t == 0 { t } else { exemplar.t };
        self.batch
            .push_exemplar(t, exemplar.value, Labels::trusted(&exemplar.labels));
    }

    /// Labels are repeated for each row, and so can be many times the body.
    pub fn check(&mut self) -> Result<(), Refused> {
        if self.batch.arena().len() > self.limit {
            return Err(Refused::TooLong(self.limit));
        }
        Ok(())
    }
}
