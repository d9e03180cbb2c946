//! Admission: which rows of a batch the head takes, by Prometheus' append table.

use std::cell::OnceCell;
use std::collections::{HashMap, VecDeque};

use super::refusal::{Refusals, Refused, RefusedReason};
use super::series::Series;
use super::stage::{Pending, Row};
use super::Head;
use crate::batch::{Batch, BATCH_TIME};
use crate::sample::{Sample, Value};

/// Vectors that are used again from batch to batch.
#[derive(Default)]
pub(super) struct Scratch {
    /// For each row of the batch; none for one that is left out.
    slots: Vec<Option<u32>>,
    undo: Vec<(u32, Option<Sample>)>,
}

impl Head {
    /// Find or create the series of each row, into the scratch slots. Rows that no series could take are refused here,
    /// so that no series is created for their sake.
    pub(super) fn resolve(&mut self, batch: &Batch, refusals: &mut Refusals) -> Result<(), Refused> {
        self.scratch.undo.clear();
        let mut slots = std::mem::take(&mut self.scratch.slots);
        slots.clear();
        // Jobs repeat their label sets, other senders seldom send the same sets together again.
        let route = batch.held.then(|| self.routes.key(batch));
        if let Some(known) = route.and_then(|key| self.routes.find(key)) {
            slots.extend(known.iter().copied().map(Some));
            self.scratch.slots = slots;
            return Ok(());
        }
        let first_new = self.series.len();
        let mut outcome = Ok(());
        let floats = batch.floats().map(|row| (row.0, row.1, true));
        let histograms = batch.histograms().map(|row| (row.0, row.1, row.2.is_sound()));
        for (labels, t, sound) in floats.chain(histograms) {
            let t = if t == BATCH_TIME { batch.time } else { t };
            let reason = if labels.packed().is_empty() {
                Err(RefusedReason::Labels)
            } else if !sound {
                Err(RefusedReason::Histogram) // the log would not give it back
            } else {
                self.bounds.check(t)
            };
            match reason {
                Ok(()) => slots.push(Some(self.intern(labels))),
                Err(reason) => {
                    slots.push(None);
                    outcome = refusals.add(batch.partial, || Refused::new(reason, labels, t));
                }
            }
            if outcome.is_err() {
                break;
            }
        }
        if let (Some(key), true) = (route, first_new == self.series.len()) {
            if let Some(all) = slots.iter().copied().collect() {
                self.routes.learn(key, all, first_new);
            }
        }
        self.scratch.slots = slots;
        outcome
    }

    /// The batch's own time, moved on until it is newer than every series that gets a sample at it.
    pub(super) fn settle_time(&self, batch: &Batch) -> i64 {
        let times = batch
            .floats()
            .map(|row| row.1)
            .chain(batch.histograms().map(|row| row.1));
        let moved = times.zip(&self.scratch.slots).filter(|(t, _)| *t == BATCH_TIME);
        let last = |slot: u32| self.series.get(slot as usize)?.last().map(|last| last.0);
        let newest = moved.filter_map(|(_, slot)| last((*slot)?).map(|t| t.saturating_add(1)));
        newest.fold(batch.time, i64::max)
    }

    /// Append the rows to be stored to `rows`, and note them as the newest of their series.
    pub(super) fn check(
        &mut self,
        batch: &Batch,
        time: i64,
        rows: &mut Vec<Row>,
        refusals: &mut Refusals,
    ) -> Result<(), Refused> {
        let slots = std::mem::take(&mut self.scratch.slots);
        let pending = std::mem::take(&mut self.pending);
        let known = Known::new(&pending);
        let floats = batch
            .floats()
            .map(|(labels, t, value)| (labels, t, Value::Float(value)));
        let histograms = batch.histograms();
        let histograms = histograms.map(|(labels, t, value)| (labels, t, Value::Histogram(value.clone())));
        let mut outcome = Ok(());
        for ((labels, t, value), &slot) in floats.chain(histograms).zip(&slots) {
            let Some(slot) = slot else { continue };
            let t = if t == BATCH_TIME { time } else { t };
            match self.admit(slot, t, &value) {
                Ok(true) => rows.push(Row { slot, t, value }),
                Ok(false) => {}
                Err(RefusedReason::OutOfOrder(_))
                    if batch.partial && known.has(self.series.get(slot as usize), slot, t, &value) => {}
                Err(reason) => outcome = refusals.add(batch.partial, || Refused::new(reason, labels, t)),
            }
            if outcome.is_err() {
                break;
            }
        }
        self.scratch.slots = slots;
        self.pending = pending;
        outcome
    }

    /// The append table: true to store the sample, false when it says what is there already.
    fn admit(&mut self, slot: u32, t: i64, value: &Value) -> Result<bool, RefusedReason> {
        self.bounds.check(t)?;
        if matches!(value, Value::Histogram(histogram) if !histogram.is_sound()) {
            return Err(RefusedReason::Histogram); // where a short cut led past the check of new rows
        }
        let Some(series) = self.series.get_mut(slot as usize) else {
            return Ok(false);
        };
        match series.last() {
            Some((last, _)) if t < *last => Err(RefusedReason::OutOfOrder(*last)),
            Some((last, same)) if t == *last && same.same(value) => Ok(false),
            Some((last, _)) if t == *last => Err(RefusedReason::Duplicate),
            _ => {
                let before = series.set_last(Some((t, value.clone())));
                self.scratch.undo.push((slot, before));
                Ok(true)
            }
        }
    }

    /// Take back what the batch under check has done to its series.
    pub(super) fn restore(&mut self) {
        while let Some((slot, last)) = self.scratch.undo.pop() {
            if let Some(series) = self.series.get_mut(slot as usize) {
                series.set_last(last);
            }
        }
    }
}

/// Samples that are in the head already, staged ones included. Clients that lost an answer send everything again.
struct Known<'p> {
    pending: &'p VecDeque<Pending>,
    /// Staged samples by series and time, gathered when one is first asked for.
    staged: OnceCell<HashMap<(u32, i64), &'p Value>>,
}

impl<'p> Known<'p> {
    fn new(pending: &'p VecDeque<Pending>) -> Self {
        Self {
            pending,
            staged: OnceCell::new(),
        }
    }

    /// True when the series has this very sample.
    fn has(&self, series: Option<&Series>, slot: u32, t: i64, value: &Value) -> bool {
        let visible = series.into_iter().flat_map(|series| series.samples(t));
        let mut visible = visible.skip_while(|(u, _)| *u < t).take_while(|(u, _)| *u == t);
        let staged = self.staged.get_or_init(|| {
            let rows = self.pending.iter().flat_map(|batch| &batch.rows);
            rows.map(|row| ((row.slot, row.t), &row.value)).collect()
        });
        let staged = staged.get(&(slot, t));
        staged.is_some_and(|other| other.same(value)) || visible.any(|(_, other)| other.same(value))
    }
}
