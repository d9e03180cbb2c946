//! Staging: a batch is checked, named and encoded here before the log has it, and shown after.

use std::ops::Range;

use super::notes::{ExemplarRefusals, Notes};
use super::refusal::{Refusals, Refused};
use super::room::Room;
use super::Head;
use crate::batch::Batch;
use crate::sample::Value;
use crate::wal::{Arranged, BatchHeader, Records};

/// A batch that is checked and waits for its records to be durable.
#[derive(Debug)]
pub struct Staged {
    /// For [`Head::commit`].
    pub id: u64,
    /// What the log must hold before the commit. Empty when the batch says nothing new.
    pub records: Records,
    /// Those of its samples that came out of order, as records for the write-behind log.
    pub late: Records,
    /// Samples accepted over the store's life before this batch.
    pub seq: u64,
    /// Samples of the batch that are stored: those that repeat what is there already are not.
    pub samples: usize,
    /// The time that rows at [`crate::batch::BATCH_TIME`] got, ms.
    pub time: i64,
    /// Series that did not exist before.
    pub series_created: usize,
    /// Rows of a partial batch that were left out.
    pub refusals: Refusals,
    /// Exemplars that were left out.
    pub exemplars_refused: ExemplarRefusals,
}

/// A staged batch as the head keeps it.
#[derive(Debug)]
pub(super) struct Pending {
    id: u64,
    pub(super) rows: Vec<Row>,
    /// Series up to this slot become visible with it.
    slots_end: u32,
    held: bool,
    pub(super) notes: Notes,
}

/// A sample to be stored.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) slot: u32,
    pub(super) t: i64,
    pub(super) value: Value,
    /// Older than the newest of its series.
    pub(super) late: bool,
}

impl Row {
    pub(super) fn new(slot: u32, t: i64, value: Value, late: bool) -> Self {
        Self { slot, t, value, late }
    }
}

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
        self.stage_within(batch, Room::default())
    }

    /// The same, and samples of series for which there is no room are left out.
    pub fn stage_within(&mut self, batch: &Batch, room: Room) -> Result<Staged, Refused> {
        let first_new = self.series.len();
        let mut rows = Vec::with_capacity(batch.len());
        let mut refusals = Refusals::default();
        let (limits, room) = (self.limits(), self.left(room));
        let checked = self.resolve(batch, &limits, room, &mut refusals).and_then(|()| {
            let time = self.settle_time(batch);
            let checked = self.check(batch, time, &limits, &mut rows, &mut refusals);
            checked.map(|()| time)
        });
        match checked {
            Ok(time) => {
                if rows.is_empty() {
                    self.forget_series(first_new); // no record will name them, and the next batch must
                }
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

    fn accept(&mut self, batch: &Batch, time: i64, rows: Vec<Row>, first_new: usize) -> Staged {
        let (id, seq, samples) = (self.next_stage, self.staged_seq, rows.len());
        let notes = self.note(batch, time);
        let (in_order, late) = self.encode_rows(&rows);
        let staged = Staged {
            id,
            records: self.encode(batch, rows.len(), (&in_order, &late), &notes, first_new),
            late,
            seq,
            samples,
            time,
            series_created: self.series.len() - first_new,
            refusals: Refusals::default(),
            exemplars_refused: notes.refused.clone(),
        };
        self.next_stage += 1;
        self.staged_seq += samples as u64;
        self.pending.push_back(Pending {
            id,
            rows,
            slots_end: self.series.len() as u32,
            held: batch.held,
            notes,
        });
        staged
    }

    fn encode(
        &self,
        batch: &Batch,
        samples: usize,
        (in_order, late): (&Records, &Records),
        notes: &Notes,
        first_new: usize,
    ) -> Records {
        let mut records = Records::default();
        if samples == 0 && batch.event.is_none() && notes.is_empty() {
            return records;
        }
        let created = self.series.from(first_new);
        records.series(created.map(|(_, series)| (series.reference(), series.labels())));
        let mut body = Records::default();
        body.metadata(notes.metadata.iter().map(|(series, metadata)| (*series, &**metadata)));
        body.append(in_order);
        body.exemplars(&notes.exemplars);
        let header = BatchHeader {
            held: batch.held,
            seq: self.staged_seq,
            samples: samples as u64,
            records: (body.len() + late.len()) as u64,
            late: late.len() as u64,
        };
        records.header(&header, batch.event.as_deref().unwrap_or_default());
        records.append(&body);
        records.append(late);
        records
    }

    /// Records of the rows that came in order, and of those that came late.
    fn encode_rows(&self, rows: &[Row]) -> (Records, Records) {
        let (mut in_order, mut late) = (Arranged::default(), Arranged::default());
        for row in rows {
            if let Some(series) = self.series.get(row.slot as usize) {
                let arranged = if row.late { &mut late } else { &mut in_order };
                arranged.push(series.reference(), row.t, &row.value);
            }
        }
        let records = |arranged: &Arranged| {
            let mut records = Records::default();
            records.rows(arranged.rows(), self.compression.run());
            records
        };
        (records(&in_order), records(&late))
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
            if row.late {
                self.insert_late(row.slot, row.t, row.value);
            } else {
                self.append(row.slot, row.t, &row.value, batch.held);
            }
        }
        self.take_notes(batch.notes);
        Ok(())
    }

    /// Drop every staged batch, as after a write that failed: series go back to their visible state, new ones go away.
    pub fn rollback(&mut self) {
        for batch in std::mem::take(&mut self.pending) {
            for row in batch.rows {
                if let Some(series) = self.series.get_mut(row.slot as usize) {
                    series.reset_last(&self.files);
                }
            }
        }
        self.staged_seq = self.stats.seq;
        self.routes.forget();
        self.forget_series(self.index.visible() as usize);
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
