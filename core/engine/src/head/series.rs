//! One series: its labels, its samples, and the newest of them that is staged.

use std::sync::Arc;

use super::chunks::{self, FloatChunks};
use crate::chunk::Chunk;
use crate::compact::encode;
use crate::histogram::Histogram;
use crate::labels::Labels;
use crate::sample::{Sample, Value};
use crate::wal::SeriesRef;

/// A series.
#[derive(Debug)]
pub struct Series {
    reference: SeriesRef,
    labels: Box<[u8]>,
    floats: FloatChunks,
    /// Boxed: most series have none.
    histograms: Option<Box<Histograms>>,
    /// What the next sample is checked against: the newest one, staged ones included.
    last: Option<Sample>,
    held: bool,
}

/// Native histograms, oldest first, not compressed.
#[derive(Debug, Default)]
struct Histograms {
    samples: Vec<(i64, Arc<Histogram>)>,
}

impl Series {
    /// A series without samples.
    pub fn new(reference: SeriesRef, labels: Labels<'_>) -> Self {
        Self {
            reference,
            labels: labels.packed().into(),
            floats: FloatChunks::default(),
            histograms: None,
            last: None,
            held: false,
        }
    }

    /// What the log calls it.
    pub fn reference(&self) -> SeriesRef {
        self.reference
    }

    /// Its labels.
    pub fn labels(&self) -> Labels<'_> {
        Labels::trusted(&self.labels)
    }

    /// The newest sample, staged ones included.
    pub fn last(&self) -> Option<&Sample> {
        self.last.as_ref()
    }

    /// Let `last` be what the next sample is checked against; what was so before.
    pub fn set_last(&mut self, last: Option<Sample>) -> Option<Sample> {
        std::mem::replace(&mut self.last, last)
    }

    /// The newest visible sample.
    pub fn last_visible(&self) -> Option<Sample> {
        let float = self.floats.last().map(|(t, value)| (t, Value::Float(value)));
        let histogram = self.histograms().last();
        let histogram = histogram.map(|(t, value)| (*t, Value::Histogram(value.clone())));
        float.into_iter().chain(histogram).max_by_key(|(t, _)| *t)
    }

    /// Values are repeated at hold ticks.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Once a push has touched a series, it stays held.
    pub fn hold(&mut self, held: bool) {
        self.held |= held;
    }

    /// Number of chunks. Native histograms, as long as they are not compressed, count as one.
    pub fn chunks(&self) -> usize {
        self.floats.len() + usize::from(self.histograms.is_some())
    }

    /// Append a visible sample, newer than all others; the bytes that it takes.
    pub fn append(&mut self, t: i64, value: Value) -> usize {
        match value {
            Value::Float(value) => self.floats.append(t, value),
            Value::Histogram(value) => {
                let bytes = std::mem::size_of::<(i64, Histogram)>() + value.heap();
                self.histograms.get_or_insert_default().samples.push((t, value));
                bytes
            }
        }
    }

    /// What is visible in `mint..=maxt`, as chunks; with `before`, also the last sample before `mint`.
    pub fn chunks_in(&self, mint: i64, maxt: i64, before: bool) -> Vec<Chunk> {
        let samples = self.samples(mint).filter(|(t, _)| (before || *t >= mint) && *t <= maxt);
        encode(samples.map(Ok)).unwrap_or_default()
    }

    fn histograms(&self) -> &[(i64, Arc<Histogram>)] {
        self.histograms.as_ref().map_or(&[], |histograms| &histograms.samples)
    }

    /// Visible samples in time order, beginning not later than with the last one before `mint`.
    pub fn samples(&self, mint: i64) -> Samples<'_> {
        let mut floats = self.floats.samples(mint);
        Samples {
            float: floats.next(),
            floats,
            histograms: self.histograms(),
        }
    }
}

/// Floats and histograms of a series, merged.
pub struct Samples<'a> {
    floats: chunks::Samples<'a>,
    float: Option<(i64, f64)>,
    histograms: &'a [(i64, Arc<Histogram>)],
}

impl Iterator for Samples<'_> {
    type Item = Sample;

    fn next(&mut self) -> Option<Sample> {
        if let Some(((t, value), rest)) = self.histograms.split_first() {
            if self.float.is_none_or(|(u, _)| *t < u) {
                self.histograms = rest;
                return Some((*t, Value::Histogram(value.clone())));
            }
        }
        let (t, value) = std::mem::replace(&mut self.float, self.floats.next())?;
        Some((t, Value::Float(value)))
    }
}
