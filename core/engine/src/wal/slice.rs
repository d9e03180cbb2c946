//! A slice of the log: what a sink gets to forward.

use crate::extent::Extent;

use super::{has_headers, BatchReader, Damage, ExemplarRow, LogBatch, Rows};

/// The samples of some whole batches.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogSlice {
    rows: Rows,
    samples: usize,
    exemplars: Vec<ExemplarRow>,
    /// Offset after the last batch of the slice.
    pub end: usize,
    /// Samples accepted over the store's life up to the end of the slice.
    pub seq: u64,
}

impl LogSlice {
    /// Read whole batches of `segment` from `start`, never past `stop`: as many as have `max_samples` at most, and more only
    /// until there are `least`, which is never less than one.
    /// `seq` counts on over batches that carry no header. Damage ends the slice; it is an error only when no batch comes before it.
    pub fn read(
        segment: &[u8],
        start: usize,
        stop: usize,
        (least, max_samples): (usize, usize),
        seq: u64,
    ) -> Result<Self, Damage> {
        let segment = segment.get(..stop).unwrap_or(segment);
        let mut reader = BatchReader::new(segment, start);
        let mut batch = LogBatch::default();
        let mut slice = Self {
            end: start,
            seq,
            ..Self::default()
        };
        let least = least.max(1);
        while slice.samples() < max_samples.max(least) {
            match reader.next_batch(&mut batch) {
                Ok(true) if slice.samples() >= least && slice.samples() + batch.samples() > max_samples => break,
                Ok(true) => slice.push(&mut batch, reader.offset()),
                Ok(false) => break,
                Err(damage) if slice.end == start => return Err(damage),
                Err(_) => break,
            }
        }
        Ok(slice)
    }

    /// Where behind the batch boundary `start`, at which damage was found, the next batch begins; `None` when none does before `stop`.
    pub fn resume(segment: &[u8], start: usize, stop: usize) -> Option<usize> {
        let segment = segment.get(..stop).unwrap_or(segment);
        BatchReader::new(segment, start).skip(has_headers(segment))
    }

    fn push(&mut self, batch: &mut LogBatch, end: usize) {
        let before = batch.header.map_or(self.seq, |header| header.seq);
        self.seq = before.saturating_add(batch.samples() as u64);
        self.samples += batch.samples();
        self.rows.append(&mut batch.in_order);
        self.rows.append(&mut batch.late);
        self.exemplars.append(&mut batch.exemplars);
        self.end = end;
    }

    /// The samples in log order.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Exemplars of the batches, which are no samples.
    pub fn exemplars(&self) -> &[ExemplarRow] {
        &self.exemplars
    }

    /// (how many exemplars, time of the oldest, time of the newest), ms; `None` when there are none.
    pub fn exemplar_extent(&self) -> Option<(usize, i64, i64)> {
        let times = self.exemplars.iter().map(|row| row.t);
        Some((self.exemplars.len(), times.clone().min()?, times.max()?))
    }

    /// Samples of either kind.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Add the times of all samples to `extent`.
    pub fn extend(&self, extent: &mut Extent) {
        let floats = self.rows.floats().map(|row| row.1);
        let histograms = self.rows.histograms().map(|row| row.1);
        for t in floats.chain(histograms) {
            extent.cover(t, t);
        }
    }
}
