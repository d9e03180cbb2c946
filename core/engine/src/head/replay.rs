//! Replay: the head is what its log says.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ops::Range;

use super::Head;
use crate::labels::Labels;
use crate::sample::Value;
use crate::wal::{has_headers, BatchReader, Damage, LogBatch, Reason, SeriesRef};

/// No log comes near it by counting; beyond, the next reference could overflow.
pub(super) const MAX_REF: u64 = 1 << 62;

/// Bytes of events that are handed over at a time: a segment may have more of them than of anything else.
const MAX_EVENTS: usize = 4 << 20;

/// What a segment held.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replayed {
    /// Offset just after the last whole batch: from here on the log can be written again.
    pub end: usize,
    /// The rest is still to be read, from `end` on: what was read has enough events.
    pub more: bool,
    /// Why the rest cannot be read; `None` when nothing follows.
    pub damage: Option<Damage>,
    /// Ranges that could not be read, each between two batches that could, and why.
    pub skipped: Vec<(Range<usize>, Reason)>,
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
    /// Apply all whole batches of `segment` from byte `start`, or those up to some MiB of events. Segments must come in order.
    pub fn replay(&mut self, segment: &[u8], start: usize) -> Result<Replayed, StillStaged> {
        self.replay_segment(segment, start, false)
    }

    /// The same, but read on behind damage, at the next batch that is whole. For segments whose end is not what a crash has left: there
    /// nothing that comes after a hole is believed.
    pub fn replay_past_damage(&mut self, segment: &[u8], start: usize) -> Result<Replayed, StillStaged> {
        self.replay_segment(segment, start, true)
    }

    fn replay_segment(&mut self, segment: &[u8], start: usize, go_on: bool) -> Result<Replayed, StillStaged> {
        if !self.pending.is_empty() {
            return Err(StillStaged);
        }
        let mut reader = BatchReader::new(segment, start);
        let headers = OnceCell::new();
        let mut batch = LogBatch::default();
        let mut events = 0;
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
                Ok(true) => {
                    self.apply(&batch, reader.offset(), &mut replayed);
                    events += batch.event.len();
                    if events >= MAX_EVENTS {
                        replayed.more = true;
                        break;
                    }
                }
                Ok(false) => break,
                Err(damage) => {
                    let from = reader.offset();
                    let headers = || *headers.get_or_init(|| has_headers(segment));
                    match go_on.then(|| reader.skip(headers())).flatten() {
                        Some(to) => replayed.skipped.push((from..to, damage.reason)),
                        None => {
                            replayed.damage = Some(damage);
                            break;
                        }
                    }
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
        let mut near = Near::default();
        for (rows, late) in [(&batch.in_order, false), (&batch.late, true)] {
            rows.iter()
                .for_each(|(reference, t, value)| match near.resolve(self, reference) {
                    Some(slot) if late => self.insert_late(slot, t, value),
                    Some(slot) => self.replay_sample(slot, t, value, held),
                    None => {
                        // Its series record is lost. Given to another series, the reference would claim these samples for it.
                        self.last_ref = self.last_ref.max(reference.0.min(MAX_REF));
                        replayed.unknown_refs += 1;
                    }
                });
        }
        self.replay_notes(batch);
        self.replay_deletions(&batch.tombstones);
        if let Some(t) = batch.tick.filter(|t| *t >= self.accepts.min_valid) {
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

    /// True when the series is new.
    fn introduce(&mut self, reference: SeriesRef, labels: Labels<'_>) -> bool {
        self.last_ref = self.last_ref.max(reference.0);
        let hash = self.index.hash(labels);
        let known = self.index.find(hash, labels, &self.series);
        let slot = match known {
            Some(slot) => {
                if self.index.resolve(reference, &self.series) != Some(slot) {
                    self.rename(slot, reference);
                }
                slot
            }
            None => {
                let slot = self.create(hash, labels, reference);
                self.index.show(slot + 1, &self.series);
                slot
            }
        };
        self.claim(reference, slot);
        known.is_none()
    }

    /// The log gives another reference to a series, which had left the head before. What is written from now on goes by the new one,
    /// so that chunks of a later reference are later ones.
    fn rename(&mut self, slot: u32, reference: SeriesRef) {
        if let Some(series) = self.series.get_mut(slot as usize) {
            let old = series.rename(reference);
            self.index.rename(slot, old, &self.series);
        }
    }

    /// A log that was repaired, or read twice, may tell a sample again, and mapped chunks have what it tells of their time: times
    /// only move on. What is in blocks counts only as the value that a held series begins with.
    fn replay_sample(&mut self, slot: u32, t: i64, value: Value, held: bool) {
        if t < self.accepts.min_valid {
            if held {
                self.recovery.standing.insert(slot, (t, value));
            }
            return;
        }
        if !self.recovery.standing.is_empty() {
            self.stand(slot);
        }
        self.replay_newer(slot, t, value, held);
    }

    fn replay_newer(&mut self, slot: u32, t: i64, value: Value, held: bool) {
        let Some(series) = self.series.get_mut(slot as usize) else {
            return;
        };
        if series.last().is_none_or(|(last, _)| t > *last) {
            self.append(slot, t, &value, held);
            if let Some(series) = self.series.get_mut(slot as usize) {
                series.set_last(Some((t, value)));
            }
        }
    }

    /// Let a held series begin with the value that it had before the samples of the head.
    fn stand(&mut self, slot: u32) {
        if let Some((t, value)) = self
            .recovery
            .standing
            .remove(&slot)
            .filter(|(_, value)| !value.is_stale())
        {
            self.replay_newer(slot, t, value, true);
        }
    }

    /// The log has been read. Values that are held go on; chunks of series that it does not name are forgotten.
    pub fn end_replay(&mut self) {
        let standing: Vec<u32> = self.recovery.standing.keys().copied().collect();
        standing.into_iter().for_each(|slot| self.stand(slot));
        self.forget_unclaimed();
    }
}

/// Finds series by reference. The rows of a batch mostly come in the order in which their series were created, and references were
/// given in that order: then the way from one series to the next is the same in slots.
#[derive(Default)]
struct Near {
    slot: u32,
    reference: SeriesRef,
}

impl Near {
    fn resolve(&mut self, head: &Head, reference: SeriesRef) -> Option<u32> {
        let step = reference.0.wrapping_sub(self.reference.0);
        let guess = self.slot.wrapping_add(step as u32);
        let there = head
            .series
            .get(guess as usize)
            .is_some_and(|series| series.reference() == reference);
        let slot = if there {
            guess
        } else {
            head.index.resolve(reference, &head.series)?
        };
        *self = Self { slot, reference };
        Some(slot)
    }
}
