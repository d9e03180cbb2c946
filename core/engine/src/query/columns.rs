//! Series as columns: labels, times and values, each in one piece of memory.

use std::ops::Range;
use std::sync::Arc;

use super::limits::{Failed, Limits};
use crate::chunk::{xor, BadChunk, Chunk, Encoding};
use crate::histogram::Histogram;
use crate::labels::Labels;
use crate::merge::{forget_reset, join, Gathered, Part, Window};
use crate::sample::Value;

/// Samples of many series. Series are in label order, the samples of each in order of time, floats and histograms apart.
#[derive(Debug, Clone)]
pub struct Columns {
    labels: Vec<Arc<[u8]>>,
    /// Where the floats of each series begin, and where those of the last one end.
    offsets: Vec<i64>,
    histogram_offsets: Vec<i64>,
    timestamps: Vec<i64>,
    values: Vec<f64>,
    histograms: Vec<(i64, Arc<Histogram>)>,
    /// Of labels and histograms.
    bytes: usize,
}

/// Samples of one series, by time.
#[derive(Debug, Clone, Copy)]
pub enum Own<'c> {
    /// Times, ms, and values.
    Floats(&'c [i64], &'c [f64]),
    /// Native histograms with their times.
    Histograms(&'c [(i64, Arc<Histogram>)]),
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            labels: Vec::new(),
            offsets: vec![0],
            histogram_offsets: vec![0],
            timestamps: Vec::new(),
            values: Vec::new(),
            histograms: Vec::new(),
            bytes: 0,
        }
    }
}

impl Columns {
    /// Series.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The labels of the n-th series.
    pub fn labels(&self, series: usize) -> Option<Labels<'_>> {
        self.labels.get(series).map(|packed| Labels::trusted(packed))
    }

    /// The labels of all series, packed.
    pub fn label_sets(&self) -> &[Arc<[u8]>] {
        &self.labels
    }

    /// Times of all floats, ms.
    pub fn timestamps(&self) -> &[i64] {
        &self.timestamps
    }

    /// All floats.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Floats of series n are at `offsets[n]..offsets[n + 1]`.
    pub fn offsets(&self) -> &[i64] {
        &self.offsets
    }

    /// Histograms of series n are at `histogram_offsets[n]..histogram_offsets[n + 1]`.
    pub fn histogram_offsets(&self) -> &[i64] {
        &self.histogram_offsets
    }

    /// All histograms.
    pub fn histograms(&self) -> &[(i64, Arc<Histogram>)] {
        &self.histograms
    }

    /// Times, ms, and values of the floats of the n-th series.
    pub fn floats_of(&self, series: usize) -> (&[i64], &[f64]) {
        let range = place_of(&self.offsets, series);
        let times = self.timestamps.get(range.clone()).unwrap_or_default();
        (times, self.values.get(range).unwrap_or_default())
    }

    /// Histograms of the n-th series, with their times in ms.
    pub fn histograms_of(&self, series: usize) -> &[(i64, Arc<Histogram>)] {
        let range = place_of(&self.histogram_offsets, series);
        self.histograms.get(range).unwrap_or_default()
    }

    /// The series that have samples in `range`, and which of those are theirs: floats, and then histograms. Samples are counted series by
    /// series, and in each by time: who reads range after range gets none of a series behind a newer one.
    pub fn in_range(&self, range: Range<usize>) -> impl Iterator<Item = (Labels<'_>, Own<'_>)> {
        let first = self.series_at(range.start);
        let parts = self.labels.iter().enumerate().skip(first);
        let parts = parts.map_while(move |(series, packed)| {
            let begin = self.begin_of(series);
            (begin < range.end).then(|| {
                let among = |at: usize| self.first_of(series, at.saturating_sub(begin));
                let ((floats, histograms), to) = (among(range.start), among(range.end));
                (Labels::trusted(packed), floats..to.0, histograms..to.1, series)
            })
        });
        parts.flat_map(|(labels, floats, histograms, series)| {
            let (times, values) = self.floats_of(series);
            let times = times.get(floats.clone()).unwrap_or_default();
            let floats = Own::Floats(times, values.get(floats).unwrap_or_default());
            let histograms = self.histograms_of(series).get(histograms).unwrap_or_default();
            let floats = (!times.is_empty()).then_some((labels, floats));
            let histograms = (!histograms.is_empty()).then_some((labels, Own::Histograms(histograms)));
            floats.into_iter().chain(histograms)
        })
    }

    /// Samples of all series before `series`.
    fn begin_of(&self, series: usize) -> usize {
        let at = |offsets: &[i64]| offsets.get(series).map_or(0, |offset| *offset as usize);
        at(&self.offsets) + at(&self.histogram_offsets)
    }

    /// The series whose sample is the n-th of all.
    fn series_at(&self, n: usize) -> usize {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = from + (to - from) / 2;
            if self.begin_of(middle + 1) <= n {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from
    }

    /// How many floats, and how many histograms, the first `count` samples of a series are.
    fn first_of(&self, series: usize, count: usize) -> (usize, usize) {
        let ((times, _), histograms) = (self.floats_of(series), self.histograms_of(series));
        let count = count.min(times.len() + histograms.len());
        // Too few floats are those whose next one is older than the newest histogram.
        let (mut from, mut to) = (count.saturating_sub(histograms.len()), count.min(times.len()));
        while from < to {
            let middle = from + (to - from) / 2;
            let newest = histograms.get(count - middle - 1).map(|(t, _)| t);
            if times.get(middle) < newest {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        (from, count - from)
    }

    /// Samples of both kinds.
    pub fn samples(&self) -> usize {
        self.values.len() + self.histograms.len()
    }

    /// Memory that they take, about.
    pub fn bytes(&self) -> usize {
        self.bytes + self.values.len() * (size_of::<i64>() + size_of::<f64>())
    }

    /// Add what is to be seen of a series, unless that is nothing.
    pub(super) fn push(&mut self, series: &Gathered, window: Window, limits: &Limits) -> Result<(), Failed> {
        let before = self.samples();
        let read = match plain_chunks(&series.parts, window) {
            Some(chunks) => self.push_chunks(&chunks, window, limits),
            None => self.push_joined(&series.parts, window),
        };
        read.map_err(|_| Failed::Chunk(series.labels.clone()))?;
        if self.samples() > before {
            self.bytes += series.labels.len();
            self.labels.push(series.labels.clone());
            self.offsets.push(self.values.len() as i64);
            self.histogram_offsets.push(self.histograms.len() as i64);
        }
        limits.check(self.len(), self.samples(), self.bytes())
    }

    /// Stops early beyond the limits, which are checked behind.
    fn push_chunks(&mut self, chunks: &[(bool, &Chunk)], window: Window, limits: &Limits) -> Result<(), BadChunk> {
        for (follows, chunk) in chunks {
            match chunk.encoding {
                Encoding::Xor => self.push_floats(chunk, window)?,
                _ => self.push_others(chunk, *follows, window)?,
            }
            if self.samples() > limits.samples || self.bytes() > limits.bytes {
                break;
            }
        }
        Ok(())
    }

    fn push_floats(&mut self, chunk: &Chunk, window: Window) -> Result<(), BadChunk> {
        for sample in xor::Samples::new(&chunk.data)? {
            let (t, value) = sample?;
            if t > window.maxt {
                break;
            }
            if t >= window.mint {
                self.timestamps.push(t);
                self.values.push(value);
            }
        }
        Ok(())
    }

    fn push_others(&mut self, chunk: &Chunk, follows: bool, window: Window) -> Result<(), BadChunk> {
        for (place, sample) in chunk.samples()?.enumerate() {
            let (t, mut value) = sample?;
            if place == 0 && !follows {
                forget_reset(&mut value);
            }
            if window.covers(t, t) {
                self.push_sample(t, value);
            }
        }
        Ok(())
    }

    fn push_joined(&mut self, parts: &[Part], window: Window) -> Result<(), BadChunk> {
        for ((t, value), _) in join(parts, window)? {
            self.push_sample(t, value);
        }
        Ok(())
    }

    fn push_sample(&mut self, t: i64, value: Value) {
        match value {
            Value::Float(value) => {
                self.timestamps.push(t);
                self.values.push(value);
            }
            Value::Histogram(histogram) => {
                self.bytes += size_of::<Histogram>() + histogram.heap();
                self.histograms.push((t, histogram));
            }
        }
    }
}

fn place_of(offsets: &[i64], series: usize) -> Range<usize> {
    let at = |n: usize| offsets.get(n).map_or(0, |offset| *offset as usize);
    at(series)..at(series + 1)
}

/// The chunks that meet `window`, each with whether the one before it is of the same part; None when they cannot simply
/// be read one behind the other.
pub(super) fn plain_chunks(parts: &[Part], window: Window) -> Option<Vec<(bool, &Chunk)>> {
    let mut chunks: Vec<(bool, &Chunk)> = Vec::with_capacity(parts.iter().map(|part| part.chunks.len()).sum());
    for part in parts {
        // A value that stands is seen at ticks even where no chunk is.
        if !part.holding.is_settled(window.held) {
            return None;
        }
        let mut follows = false;
        for chunk in part.chunks.iter().filter(|chunk| window.meets(chunk.mint, chunk.maxt)) {
            let is_behind = chunks.last().is_none_or(|(_, last)| last.maxt < chunk.mint);
            if !is_behind || !part.shows_plainly(chunk, window) {
                return None;
            }
            chunks.push((follows || chunks.is_empty(), chunk));
            follows = true;
        }
    }
    Some(chunks)
}
