//! Staging: a batch is checked, named and encoded here before the log has it, and shown after.

use std::ops::Range;

use super::series::{Sample, Value};
use super::Head;
use crate::batch::{Batch, BATCH_TIME};
use crate::labels::{format_labels, Labels};
use crate::wal::{BatchHeader, Records};

/// A batch that is checked and waits for its records to be durable.
#[derive(Debug)]
pub struct Staged {
    /// For [`Head::commit`].
    pub id: u64,
    /// What the log must hold before the commit. Empty when the batch says nothing new.
    pub records: Records,
    /// Samples accepted over the store's life before this batch.
    pub seq: u64,
    /// Samples of the batch that are stored: those that repeat what is there already are not.
    pub samples: usize,
    /// The time that rows at [`BATCH_TIME`] got, ms.
    pub time: i64,
    /// Series that did not exist before.
    pub series_created: usize,
    /// Rows of a partial batch that were left out.
    pub refusals: Refusals,
}

/// Rows that break a rule.
#[derive(Debug, Default)]
pub struct Refusals {
    /// How many.
    pub count: usize,
    /// The first of them.
    pub first: Option<Refused>,
}

impl Refusals {
    /// Leave a row out of a partial batch; any other batch is refused for it.
    fn add(&mut self, partial: bool, refused: Refused) -> Result<(), Refused> {
        if !partial {
            return Err(refused);
        }
        self.count += 1;
        self.first.get_or_insert(refused);
        Ok(())
    }
}

/// A staged batch as the head keeps it.
#[derive(Debug)]
pub(super) struct Pending {
    id: u64,
    rows: Vec<Row>,
    /// Series up to this slot become visible with it.
    slots_end: u32,
    held: bool,
}

#[derive(Debug)]
struct Row {
    slot: u32,
    t: i64,
    value: Value,
}

/// Vectors that are used again from batch to batch.
#[derive(Default)]
pub(super) struct Scratch {
    /// For each row of the batch; none for one that is left out.
    slots: Vec<Option<u32>>,
    undo: Vec<(u32, Option<Sample>)>,
}

/// Why a batch is refused. Nothing has changed then.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// The kind of reason.
    pub reason: RefusedReason,
    /// The series, as PromQL writes it.
    pub series: String,
    /// Time of the refused sample, ms.
    pub t: i64,
}

/// The closed set of reasons for which samples are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedReason {
    /// Older than the series' newest sample, whose time this is.
    OutOfOrder(i64),
    /// The series has another value at this time.
    Duplicate,
    /// Outside of the times that the head accepts.
    OutOfBounds(i64, i64),
    /// No labels at all.
    Labels,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { series, t, .. } = self;
        match self.reason {
            RefusedReason::OutOfOrder(last) => {
                write!(
                    f,
                    "out of order sample: {series} at {t}, the series' newest is at {last}"
                )
            }
            RefusedReason::Duplicate => {
                write!(f, "duplicate sample for timestamp: {series} has another value at {t}")
            }
            RefusedReason::OutOfBounds(min, max) => {
                write!(f, "out of bounds: {series} at {t}, accepted are {min} to {max}")
            }
            RefusedReason::Labels => f.write_str("a sample without labels"),
        }
    }
}

impl std::error::Error for Refused {}

/// The batch is not the oldest staged one: it was committed or rolled back already, or another has to go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotStaged;

impl std::fmt::Display for NotStaged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not the oldest staged batch")
    }
}

impl std::error::Error for NotStaged {}

impl Head {
    /// Check a batch against everything before it, staged batches included, and encode its records.
    pub fn stage(&mut self, batch: &Batch) -> Result<Staged, Refused> {
        let first_new = self.series.len();
        let mut rows = Vec::with_capacity(batch.len());
        let mut refusals = Refusals::default();
        let checked = self.resolve(batch, &mut refusals).and_then(|()| {
            let time = self.settle_time(batch);
            self.check(batch, time, &mut rows, &mut refusals).map(|()| time)
        });
        match checked {
            Ok(time) => {
                let staged = self.accept(batch, time, rows, first_new);
                Ok(Staged { refusals, ..staged })
            }
            Err(refused) => {
                self.restore();
                self.forget_series(first_new);
                Err(refused)
            }
        }
    }

    /// Find or create the series of each row, into the scratch slots. Rows that no series could take are refused here,
    /// so that no series is created for their sake.
    fn resolve(&mut self, batch: &Batch, refusals: &mut Refusals) -> Result<(), Refused> {
        self.scratch.undo.clear();
        let mut slots = std::mem::take(&mut self.scratch.slots);
        slots.clear();
        let mut outcome = Ok(());
        let labels = batch.floats().map(|row| (row.0, row.1));
        for (labels, t) in labels.chain(batch.histograms().map(|row| (row.0, row.1))) {
            let t = if t == BATCH_TIME { batch.time } else { t };
            let reason = if labels.packed().is_empty() {
                Err(RefusedReason::Labels)
            } else {
                self.bounds.check(t)
            };
            match reason {
                Ok(()) => slots.push(Some(self.intern(labels))),
                Err(reason) => {
                    slots.push(None);
                    outcome = refusals.add(batch.partial, refusal(reason, labels, t));
                }
            }
            if outcome.is_err() {
                break;
            }
        }
        self.scratch.slots = slots;
        outcome
    }

    /// The batch's own time, moved on until it is newer than every series that gets a sample at it.
    fn settle_time(&self, batch: &Batch) -> i64 {
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
    fn check(&mut self, batch: &Batch, time: i64, rows: &mut Vec<Row>, refusals: &mut Refusals) -> Result<(), Refused> {
        let slots = std::mem::take(&mut self.scratch.slots);
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
                Err(RefusedReason::OutOfOrder(_)) if batch.partial && self.has(slot, t, &value) => {}
                Err(reason) => outcome = refusals.add(batch.partial, refusal(reason, labels, t)),
            }
            if outcome.is_err() {
                break;
            }
        }
        self.scratch.slots = slots;
        outcome
    }

    /// The append table: true to store the sample, false when it says what is there already.
    fn admit(&mut self, slot: u32, t: i64, value: &Value) -> Result<bool, RefusedReason> {
        self.bounds.check(t)?;
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

    /// True when a series has this very sample, staged ones included. Clients that lost an answer send everything again.
    fn has(&self, slot: u32, t: i64, value: &Value) -> bool {
        let is_it = |u: i64, other: &Value| u == t && other.same(value);
        let visible = self
            .series
            .get(slot as usize)
            .into_iter()
            .flat_map(|series| series.samples(t));
        let staged = self.pending.iter().flat_map(|batch| &batch.rows);
        visible.take_while(|(u, _)| *u <= t).any(|(u, other)| is_it(u, &other))
            || staged
                .filter(|row| row.slot == slot)
                .any(|row| is_it(row.t, &row.value))
    }

    fn accept(&mut self, batch: &Batch, time: i64, rows: Vec<Row>, first_new: usize) -> Staged {
        let (id, seq, samples) = (self.next_stage, self.staged_seq, rows.len());
        let staged = Staged {
            id,
            records: self.encode(batch, &rows, first_new),
            seq,
            samples,
            time,
            series_created: self.series.len() - first_new,
            refusals: Refusals::default(),
        };
        self.next_stage += 1;
        self.staged_seq += samples as u64;
        self.pending.push_back(Pending {
            id,
            rows,
            slots_end: self.series.len() as u32,
            held: batch.held,
        });
        staged
    }

    fn encode(&self, batch: &Batch, rows: &[Row], first_new: usize) -> Records {
        let mut records = Records::default();
        if rows.is_empty() && batch.event.is_none() {
            return records;
        }
        let created = self.series.get(first_new..).unwrap_or_default();
        records.series(created.iter().map(|series| (series.reference(), series.labels())));
        let mut body = Records::default();
        let reference = |row: &Row| self.series.get(row.slot as usize).map(|s| s.reference());
        body.samples(rows.iter().filter_map(|row| match row.value {
            Value::Float(value) => Some((reference(row)?, row.t, value)),
            Value::Histogram(_) => None,
        }));
        let histograms = rows.iter().filter_map(|row| match &row.value {
            Value::Histogram(value) => Some((reference(row)?, row.t, value.clone())),
            Value::Float(_) => None,
        });
        body.histograms(&histograms.collect::<Vec<_>>());
        let header = BatchHeader {
            held: batch.held,
            seq: self.staged_seq,
            samples: rows.len() as u64,
            records: body.len() as u64,
        };
        records.header(&header, batch.event.as_deref().unwrap_or_default());
        records.append(&body);
        records
    }

    /// Show the oldest staged batch to readers. Its records must be durable.
    pub fn commit(&mut self, id: u64) -> Result<(), NotStaged> {
        let batch = match self.pending.front() {
            Some(batch) if batch.id == id => self.pending.pop_front(),
            _ => None,
        };
        let batch = batch.ok_or(NotStaged)?;
        self.index.show(batch.slots_end, &self.series);
        self.stats.seq += batch.rows.len() as u64;
        for row in batch.rows {
            self.append(row.slot, row.t, row.value, batch.held);
        }
        Ok(())
    }

    /// Drop every staged batch, as after a write that failed: series go back to their visible state, new ones go away.
    pub fn rollback(&mut self) {
        for batch in std::mem::take(&mut self.pending) {
            for row in batch.rows {
                if let Some(series) = self.series.get_mut(row.slot as usize) {
                    let visible = series.last_visible();
                    series.set_last(visible);
                }
            }
        }
        self.staged_seq = self.stats.seq;
        self.forget_series(self.index.visible() as usize);
    }

    /// Take back what the batch under check has done to its series.
    fn restore(&mut self) {
        while let Some((slot, last)) = self.scratch.undo.pop() {
            if let Some(series) = self.series.get_mut(slot as usize) {
                series.set_last(last);
            }
        }
    }

    /// Remove series from slot `first` on. Their references are not given again.
    fn forget_series(&mut self, first: usize) {
        let Range { start, end } = first..self.series.len();
        for slot in (start..end).rev() {
            if let Some(series) = self.series.pop() {
                self.index.remove(slot as u32, &series);
            }
        }
    }
}

fn refusal(reason: RefusedReason, labels: Labels<'_>, t: i64) -> Refused {
    let mut series = String::new();
    format_labels(labels, &mut series);
    Refused { reason, series, t }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::head::Bounds;
    use crate::labels::pack;

    fn batch(rows: &[(&str, i64, f64)]) -> Batch {
        let mut batch = Batch::new(100);
        batch.partial = true;
        for (name, t, value) in rows {
            pack(&mut [("__name__", name)], batch.arena()).unwrap();
            batch.push_float(*t, *value);
        }
        batch
    }

    #[test]
    fn a_partial_batch_leaves_out_what_breaks_a_rule() {
        let mut head = Head::new();
        head.set_bounds(Bounds { min: 0, max: 1000 });
        let first = head.stage(&batch(&[("a", 50, 1.0), ("b", 50, 1.0)])).unwrap();
        head.commit(first.id).unwrap();

        let rows = [
            ("a", 49, 1.0),
            ("", 60, 1.0),
            ("new", 2000, 1.0),
            ("b", 50, 2.0),
            ("b", 51, 2.0),
            ("c", BATCH_TIME, 3.0),
        ];
        let staged = head.stage(&batch(&rows)).unwrap();
        assert_eq!(
            (staged.samples, staged.series_created, staged.refusals.count),
            (2, 1, 4)
        );
        assert_eq!(staged.refusals.first.unwrap().reason, RefusedReason::Labels);
        head.commit(staged.id).unwrap();
        assert_eq!((head.stats().series, head.stats().seq), (3, 4));

        let mut strict = batch(&rows);
        strict.partial = false;
        assert_eq!(head.stage(&strict).unwrap_err().reason, RefusedReason::Labels);
    }

    #[test]
    fn a_partial_batch_sent_again_is_taken_again() {
        let rows = [("a", 50, 1.0), ("b", 50, 1.0), ("a", 51, 2.0), ("a", 52, 3.0)];
        let mut head = Head::new();
        let first = head.stage(&batch(&rows)).unwrap();
        let while_staged = head.stage(&batch(&rows)).unwrap();
        assert_eq!((while_staged.samples, while_staged.refusals.count), (0, 0));
        head.commit(first.id).unwrap();
        head.commit(while_staged.id).unwrap();
        let after = head.stage(&batch(&rows)).unwrap();
        assert_eq!((after.samples, after.refusals.count), (0, 0));
        let changed = head
            .stage(&batch(&[("a", 51, 2.5), ("a", 49, 1.0), ("a", 51, 2.0)]))
            .unwrap();
        assert_eq!((changed.samples, changed.refusals.count), (0, 2));
    }
}
