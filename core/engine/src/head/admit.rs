//! Admission: which rows of a batch the head takes, by Prometheus' append table.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::refusal::{Refusals, Refused, RefusedReason};
use super::series::Series;
use super::stage::{Pending, Row};
use super::{Bounds, Head};
use crate::batch::{is_stale, Batch, Subject, BATCH_TIME};
use crate::chunk::sequence::CHUNK_RANGE;
use crate::sample::{Sample, Value};

/// Vectors that are used again from batch to batch.
#[derive(Default)]
pub(super) struct Scratch {
    /// For each row of the batch; none for one that is left out.
    slots: Vec<Option<u32>>,
    undo: Vec<(u32, Option<Sample>)>,
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Admitted {
    /// It is stored as the newest of its series.
    Newest,
    /// It is stored among older ones.
    Late,
    /// It says what is there already.
    Known,
}

/// Which times are accepted, as of the beginning of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    bounds: Bounds,
    /// The oldest time of a sample that is to be the newest of its series, ms.
    min_valid: i64,
    /// The oldest time of one that is not; none where those are refused.
    late_from: Option<i64>,
}

impl Limits {
    /// Refuse what no series could take.
    fn check(&self, t: i64) -> Result<(), RefusedReason> {
        self.bounds.check(t)?;
        if t < self.min_valid {
            self.late(t, i64::MAX)?;
        }
        Ok(())
    }

    /// What becomes of a sample that cannot be the newest of its series, where `last` is.
    fn late(&self, t: i64, last: i64) -> Result<Admitted, RefusedReason> {
        match self.late_from {
            Some(oldest) if t >= oldest => Ok(Admitted::Late),
            Some(oldest) => Err(RefusedReason::TooOld(oldest)),
            None if t < self.min_valid => Err(RefusedReason::OutOfBounds(self.min_valid, self.bounds.max)),
            None => Err(RefusedReason::OutOfOrder(last)),
        }
    }
}

impl Head {
    /// What is accepted now. Samples that begin a series or go on with one must not be older than what is in blocks, nor half a
    /// chunk range older than the newest of the head, so that a range which is cut into a block gets no more of them.
    pub(super) fn limits(&self) -> Limits {
        let newest = self
            .stats
            .range
            .map_or(self.accepts.min_valid, |(_, max)| max.max(self.accepts.min_valid));
        Limits {
            bounds: self.accepts.bounds,
            min_valid: self.accepts.min_valid.max(newest.saturating_sub(CHUNK_RANGE / 2)),
            late_from: (self.accepts.window > 0).then(|| newest.saturating_sub(self.accepts.window)),
        }
    }

    /// Find or create the series of each row, into the scratch slots. Rows that no series could take are refused here,
    /// so that no series is created for their sake.
    pub(super) fn resolve(
        &mut self,
        batch: &Batch,
        limits: &Limits,
        mut room: usize,
        refusals: &mut Refusals,
    ) -> Result<(), Refused> {
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
        for head in batch.heads() {
            let t = if head.t == BATCH_TIME { batch.time } else { head.t };
            let checked = if head.sound {
                limits.check(t)
            } else {
                Err(RefusedReason::Histogram) // the log would not give it back
            };
            match checked.and_then(|()| self.place(head.subject, &mut room)) {
                Ok(slot) => slots.push(Some(slot)),
                Err(reason) => {
                    slots.push(None);
                    if !head.start || reason == RefusedReason::Stale {
                        outcome = self.refuse(refusals, batch.partial, reason, (head.subject, t, head.histogram));
                    }
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

    /// The slot of a subject, whose series is created when it is new and there is room for it.
    fn place(&mut self, subject: Subject<'_>, room: &mut usize) -> Result<u32, RefusedReason> {
        match subject {
            Subject::Labels(labels) if labels.packed().is_empty() => Err(RefusedReason::Labels),
            Subject::Labels(labels) => self.intern(labels, room),
            Subject::Keyed(labels, key) => {
                let slot = self.intern(labels, room)?;
                if let Some(series) = self.series.get(slot as usize) {
                    self.known.learn(key, slot, series.reference(), self.index.len());
                }
                Ok(slot)
            }
            Subject::Known { slot, reference } => match self.series.get(slot as usize) {
                Some(series) if series.reference() == reference => Ok(slot),
                _ => Err(RefusedReason::Stale),
            },
        }
    }

    /// Count a row that breaks a rule, or refuse the batch for it.
    fn refuse(
        &self,
        refusals: &mut Refusals,
        partial: bool,
        reason: RefusedReason,
        (subject, t, histogram): (Subject<'_>, i64, bool),
    ) -> Result<(), Refused> {
        refusals.add(partial, reason, || {
            let series = match subject {
                Subject::Known { slot, .. } => self.series.get(slot as usize),
                _ => None,
            };
            let known = series.map(|series| series.labels().packed());
            Refused::new(reason, subject, known.unwrap_or_default(), t)
        })?;
        refusals.histograms += usize::from(histogram);
        Ok(())
    }

    /// The batch's own time, moved on until it is newer than every series that gets a sample at it.
    pub(super) fn settle_time(&self, batch: &Batch) -> i64 {
        let moved = batch
            .heads()
            .zip(&self.scratch.slots)
            .filter(|(head, _)| head.t == BATCH_TIME);
        let last = |slot: u32| self.series.get(slot as usize)?.last().map(|last| last.0);
        let newest = moved.filter_map(|(_, slot)| last((*slot)?).map(|t| t.saturating_add(1)));
        newest.fold(batch.time, i64::max)
    }

    /// Append the rows to be stored to `rows`, and note them as the newest of their series.
    pub(super) fn check(
        &mut self,
        batch: &Batch,
        time: i64,
        limits: &Limits,
        rows: &mut Vec<Row>,
        refusals: &mut Refusals,
    ) -> Result<(), Refused> {
        let slots = std::mem::take(&mut self.scratch.slots);
        let pending = std::mem::take(&mut self.pending);
        let mut known = Known::new(&pending);
        let resent = batch.partial || batch.resent;
        let mut outcome = Ok(());
        for (row, &slot) in batch.rows().zip(&slots) {
            let Some(slot) = slot else { continue };
            let t = if row.t == BATCH_TIME { time } else { row.t };
            let histogram = matches!(row.value, Value::Histogram(_));
            let value = self.typed(slot, row.value);
            let admitted = match self.admit(slot, t, &value, limits) {
                Ok(Admitted::Late) | Err(_) if row.start => Ok(Admitted::Known),
                // Clients that lost an answer send everything again.
                Ok(Admitted::Late) | Err(RefusedReason::OutOfOrder(_))
                    if resent && known.has(rows, self.stored(slot, t), (slot, t), &value) =>
                {
                    Ok(Admitted::Known)
                }
                admitted => admitted,
            };
            match admitted {
                Ok(Admitted::Known) => {}
                Ok(Admitted::Newest) => rows.push(Row::new(slot, t, value, false)),
                Ok(Admitted::Late) => rows.push(Row::new(slot, t, value, true)),
                Err(reason) => {
                    outcome = self.refuse(refusals, batch.partial, reason, (row.subject, t, histogram));
                }
            }
            if outcome.is_err() {
                break;
            }
        }
        self.scratch.slots = slots;
        self.pending = pending;
        outcome
    }

    /// A series of histograms ends with a histogram, whoever says that it ends.
    fn typed(&self, slot: u32, value: Value) -> Value {
        let ends = matches!(value, Value::Float(value) if is_stale(value));
        let last = self.series.get(slot as usize).filter(|_| ends).and_then(Series::last);
        match last {
            Some((_, Value::Histogram(last))) => Value::Histogram(Arc::new(last.stale_marker())),
            _ => value,
        }
    }

    /// The append table.
    fn admit(&mut self, slot: u32, t: i64, value: &Value, limits: &Limits) -> Result<Admitted, RefusedReason> {
        limits.bounds.check(t)?;
        if matches!(value, Value::Histogram(histogram) if !histogram.is_sound()) {
            return Err(RefusedReason::Histogram); // a short cut led here past `resolve`
        }
        let Some(series) = self.series.get_mut(slot as usize) else {
            return Ok(Admitted::Known);
        };
        match series.last() {
            Some((last, _)) if t < *last || t < limits.min_valid => limits.late(t, *last),
            None if t < limits.min_valid => limits.late(t, i64::MAX),
            Some((last, same)) if t == *last && same.same(value) => Ok(Admitted::Known),
            Some((last, _)) if t == *last => Err(RefusedReason::Duplicate),
            _ => {
                let before = series.set_last(Some((t, value.clone())));
                self.scratch.undo.push((slot, before));
                Ok(Admitted::Newest)
            }
        }
    }

    /// Samples of a series at `t`.
    fn stored(&self, slot: u32, t: i64) -> impl Iterator<Item = Sample> + '_ {
        let series = self.series.get(slot as usize).into_iter();
        series.flat_map(move |series| series.samples_at(t, &self.files))
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

/// Samples that are in the head already, staged ones and those of the batch under check included.
struct Known<'p> {
    pending: &'p VecDeque<Pending>,
    /// Staged samples by series, time and whether they came late; gathered when one is first asked for.
    staged: HashMap<(u32, i64, bool), Value>,
    /// Gathered so far: whether the pending batches are, and how many rows of the one under check.
    gathered: (bool, usize),
}

impl<'p> Known<'p> {
    fn new(pending: &'p VecDeque<Pending>) -> Self {
        Self {
            pending,
            staged: HashMap::new(),
            gathered: (false, 0),
        }
    }

    /// True when the series has this very sample; `own` are the rows of the batch so far, `stored` the samples that are visible at its
    /// time.
    fn has(
        &mut self,
        own: &[Row],
        mut stored: impl Iterator<Item = Sample>,
        (slot, t): (u32, i64),
        value: &Value,
    ) -> bool {
        let (pending, rows) = self.gathered;
        if !pending {
            self.gather(self.pending.iter().flat_map(|batch| &batch.rows));
        }
        self.gather(own.iter().skip(rows));
        self.gathered = (true, own.len());
        let staged = [false, true].map(|late| self.staged.get(&(slot, t, late)));
        staged.into_iter().flatten().any(|other| other.same(value)) || stored.any(|(_, other)| other.same(value))
    }

    /// Of late samples at one time the head keeps the first.
    fn gather<'r>(&mut self, rows: impl Iterator<Item = &'r Row>) {
        for row in rows {
            let key = (row.slot, row.t, row.late);
            self.staged.entry(key).or_insert_with(|| row.value.clone());
        }
    }
}
