//! Replay: the head is what its log says.

use std::collections::HashMap;

use super::Head;
use crate::labels::Labels;
use crate::sample::Value;
use crate::wal::{BatchReader, Damage, LogBatch, Reason, SeriesRef};

/// No log comes near it by counting; beyond, the next reference could overflow.
const MAX_REF: u64 = 1 << 62;

/// What a segment held.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replayed {
    /// Offset just after the last whole batch: from here on the log can be written again.
    pub end: usize,
    /// Why the rest cannot be read; `None` when nothing follows.
    pub damage: Option<Damage>,
    /// (offset after the batch, its event) in log order.
    pub events: Vec<(usize, Vec<u8>)>,
    /// Hold ticks.
    pub ticks: usize,
    /// Samples read, also those that were there already or whose series is not known.
    pub samples: usize,
    /// Series introduced.
    pub series: usize,
    /// Samples of series that the log does not introduce.
    pub unknown_refs: usize,
}

/// Replay is for a head with no staged batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StillStaged;

impl std::fmt::Display for StillStaged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the head has staged batches")
    }
}

impl std::error::Error for StillStaged {}

impl Head {
    /// Apply all whole batches of `segment` from byte `start`. Segments must come in order.
    pub fn replay(&mut self, segment: &[u8], start: usize) -> Result<Replayed, StillStaged> {
        if !self.pending.is_empty() {
            return Err(StillStaged);
        }
        let mut reader = BatchReader::new(segment, start);
        let mut batch = LogBatch::default();
        let mut replayed = Replayed {
            end: start,
            ..Replayed::default()
        };
        loop {
            match reader.next_batch(&mut batch) {
                Ok(true) if self.contradicts(&batch) => {
                    let (offset, reason) = (replayed.end, Reason::SeriesRef);
                    replayed.damage = Some(Damage { offset, reason });
                    break;
                }
                Ok(true) => self.apply(&batch, reader.offset(), &mut replayed),
                Ok(false) => break,
                Err(damage) => {
                    replayed.damage = Some(damage);
                    break;
                }
            }
        }
        Ok(replayed)
    }

    /// A reference means one series for ever: a log that gives it to two cannot be believed from there on.
    fn contradicts(&self, batch: &LogBatch) -> bool {
        let mut given = HashMap::new();
        batch.series().any(|(reference, packed)| {
            let known = self.labels(reference).or(given.insert(reference, packed));
            reference.0 > MAX_REF || known.is_some_and(|labels| labels != packed)
        })
    }

    fn apply(&mut self, batch: &LogBatch, end: usize, replayed: &mut Replayed) {
        replayed.end = end;
        for (reference, packed) in batch.series() {
            replayed.series += usize::from(self.introduce(reference, Labels::trusted(packed)));
        }
        let held = batch.header.is_some_and(|header| header.held);
        let floats = batch
            .floats
            .iter()
            .map(|&(series, t, value)| (series, t, Value::Float(value)));
        let histograms = batch.histograms.iter();
        let histograms = histograms.map(|(series, t, value)| (*series, *t, Value::Histogram(value.clone())));
        for (reference, t, value) in floats.chain(histograms) {
            match self.index.resolve(reference, &self.series) {
                Some(slot) => self.replay_sample(slot, t, value, held),
                None => {
                    // Its series record is lost. Given to another series, the reference would claim these samples for it.
                    self.last_ref = self.last_ref.max(reference.0.min(MAX_REF));
                    replayed.unknown_refs += 1;
                }
            }
        }
        self.replay_notes(batch);
        if let Some(t) = batch.tick {
            self.commit_tick(t);
            replayed.ticks += 1;
        }
        if !batch.event.is_empty() {
            replayed.events.push((end, batch.event.clone()));
        }
        replayed.samples += batch.samples();
        let before = batch.header.map_or(self.stats.seq, |header| header.seq);
        self.stats.seq = self.stats.seq.max(before.saturating_add(batch.samples() as u64));
        self.staged_seq = self.stats.seq;
    }

    /// True when the series is new; a known one gets another name, as after a restart of a Prometheus.
    fn introduce(&mut self, reference: SeriesRef, labels: Labels<'_>) -> bool {
        self.last_ref = self.last_ref.max(reference.0);
        let hash = self.index.hash(labels);
        match self.index.find(hash, labels, &self.series) {
            Some(slot) => {
                if self.index.resolve(reference, &self.series) != Some(slot) {
                    self.index.alias(reference, slot);
                }
                false
            }
            None => {
                self.create(hash, labels, reference);
                self.index.show(self.series.len() as u32, &self.series);
                true
            }
        }
    }

    /// A log that was repaired, or read twice, may tell a sample again: times only move on.
    fn replay_sample(&mut self, slot: u32, t: i64, value: Value, held: bool) {
        let Some(series) = self.series.get_mut(slot as usize) else {
            return;
        };
        if series.last().is_none_or(|(last, _)| t > *last) {
            series.set_last(Some((t, value.clone())));
            self.append(slot, t, value, held);
        }
    }
}
