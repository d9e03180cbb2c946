//! Checkpoints: what of some segments is still needed, written again so that they can go.
//!
//! A checkpoint holds the series that are still known, and of these the samples, histograms, exemplars, deletions and hold ticks that
//! no block has yet. It ends with the newest metadata of each series and a header that tells how many samples the
//! store had accepted up to there; events are those that the caller adds, for every reader is past the others.

use std::sync::Arc;

use ahash::RandomState;
use hashbrown::HashMap;

use super::{
    Arranged, BatchHeader, BatchReader, Compression, Damage, ExemplarRow, LogBatch, Records, SeriesRef, TombstoneRow,
};
use crate::labels::Labels;
use crate::metadata::Metadata;

/// Rows that are gathered into one batch.
const GATHER: usize = 8192;

/// How much was kept and how much was not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CheckpointStats {
    /// Series kept.
    pub series: usize,
    /// Series left out.
    pub series_dropped: usize,
    /// Samples of either kind kept.
    pub samples: usize,
    /// Samples left out.
    pub samples_dropped: usize,
}

/// A checkpoint being made of batches that are fed to it in log order, an older checkpoint's first.
pub struct Checkpoint {
    mint: i64,
    compression: Compression,
    /// Samples accepted over the store's life, up to where it was fed.
    seq: u64,
    /// Series kept, each with the oldest time that is.
    kept: HashMap<SeriesRef, i64, RandomState>,
    told: HashMap<SeriesRef, Arc<Metadata>, RandomState>,
    gathered: Gathered,
    out: Records,
    stats: CheckpointStats,
}

/// Rows of several batches that become one.
#[derive(Default)]
struct Gathered {
    held: bool,
    seq: u64,
    in_order: Arranged,
    late: Arranged,
    exemplars: Vec<ExemplarRow>,
}

impl Gathered {
    fn samples(&self) -> usize {
        self.in_order.len() + self.late.len()
    }

    fn len(&self) -> usize {
        self.samples() + self.exemplars.len()
    }
}

impl Checkpoint {
    /// Keep what is not older than `mint` ms, and lay samples out for `compression`.
    pub fn new(mint: i64, compression: Compression) -> Self {
        Self {
            mint,
            compression,
            seq: 0,
            kept: HashMap::default(),
            told: HashMap::default(),
            gathered: Gathered::default(),
            out: Records::default(),
            stats: CheckpointStats::default(),
        }
    }

    /// How much so far.
    pub fn stats(&self) -> CheckpointStats {
        self.stats
    }

    /// Read some `budget` bytes of `segment` from the batch boundary `start` on; where to go on, or `None` at the end.
    ///
    /// `keep` tells from which time on a series is still needed, if at all: an older one than the checkpoint's where its last value
    /// still stands.
    pub fn feed(
        &mut self,
        segment: &[u8],
        start: usize,
        budget: usize,
        keep: impl Fn(SeriesRef) -> Option<i64>,
    ) -> Result<Option<usize>, Damage> {
        let mut reader = BatchReader::new(segment, start);
        let mut batch = LogBatch::default();
        while reader.offset() < start.saturating_add(budget) {
            if !reader.next_batch(&mut batch)? {
                return Ok(None);
            }
            self.take(&batch, &keep);
        }
        Ok(Some(reader.offset()))
    }

    /// Write what stands at the end of a checkpoint.
    pub fn finish(&mut self, events: &[Vec<u8>]) {
        self.flush();
        let told = self.told.iter().filter(|(series, _)| self.kept.contains_key(*series));
        let mut told: Vec<_> = told.map(|(series, metadata)| (*series, metadata)).collect();
        told.sort_unstable_by_key(|(series, _)| *series);
        self.out
            .metadata(told.iter().map(|(series, metadata)| (*series, &***metadata)));
        let header = BatchHeader {
            seq: self.seq,
            ..BatchHeader::default()
        };
        self.out.header(&header, &[]);
        events.iter().for_each(|event| self.out.header(&header, event));
    }

    /// Records that were not cleared yet.
    pub fn records(&self) -> &Records {
        &self.out
    }

    /// Forget the records: they are in the caller's hands.
    pub fn clear(&mut self) {
        self.out = Records::default();
    }

    fn take(&mut self, batch: &LogBatch, keep: &impl Fn(SeriesRef) -> Option<i64>) {
        self.take_series(batch, keep);
        let before = batch.header.map_or(self.seq, |header| header.seq);
        let held = batch.header.is_some_and(|header| header.held);
        if self.gathered.len() >= GATHER || self.gathered.held != held {
            self.flush();
        }
        if self.gathered.len() == 0 {
            (self.gathered.held, self.gathered.seq) = (held, before);
        }
        self.seq = self.seq.max(before.saturating_add(batch.samples() as u64));
        let kept = &self.kept;
        let wanted = |series: SeriesRef, t: i64| kept.get(&series).is_some_and(|from| t >= *from);
        let taken = self.gathered.samples();
        let Gathered { in_order, late, .. } = &mut self.gathered;
        for (rows, gathered) in [(&batch.in_order, in_order), (&batch.late, late)] {
            let rows = rows.iter().filter(|(series, t, _)| wanted(*series, *t));
            rows.for_each(|(series, t, value)| gathered.push(series, t, &value));
        }
        let taken = self.gathered.samples() - taken;
        self.stats.samples += taken;
        self.stats.samples_dropped += batch.samples() - taken;
        let rows = batch.exemplars.iter();
        let rows = rows.filter(|row| row.t >= self.mint && kept.contains_key(&row.series));
        self.gathered.exemplars.extend(rows.cloned());
        for (series, metadata) in &batch.metadata {
            self.told.insert(*series, metadata.clone());
        }
        self.take_times(batch);
    }

    fn take_series(&mut self, batch: &LogBatch, keep: &impl Fn(SeriesRef) -> Option<i64>) {
        let mut new = Vec::new();
        for (series, packed) in batch.series() {
            if self.kept.contains_key(&series) {
                continue;
            }
            match keep(series) {
                Some(from) => {
                    self.kept.insert(series, from.min(self.mint));
                    new.push((series, Labels::trusted(packed)));
                }
                None => self.stats.series_dropped += 1,
            }
        }
        self.stats.series += new.len();
        self.out.series(new.into_iter());
    }

    /// Deletions and ticks stay where they were among the samples.
    fn take_times(&mut self, batch: &LogBatch) {
        let tombstones = batch.tombstones.iter();
        let kept = |row: &&TombstoneRow| self.kept.get(&row.series).is_some_and(|from| row.maxt >= *from);
        let tombstones = tombstones.filter(kept);
        let tombstones: Vec<_> = tombstones.copied().collect();
        let tick = batch.tick.filter(|t| *t >= self.mint);
        if !tombstones.is_empty() || tick.is_some() {
            self.flush();
        }
        self.out.tombstones(&tombstones);
        tick.into_iter().for_each(|t| self.out.tick(t));
    }

    /// Write the gathered rows as one batch.
    fn flush(&mut self) {
        let gathered = std::mem::take(&mut self.gathered);
        if gathered.len() == 0 {
            return;
        }
        let (mut body, mut late) = (Records::default(), Records::default());
        body.rows(gathered.in_order.rows(), self.compression.run());
        body.exemplars(&gathered.exemplars);
        late.rows(gathered.late.rows(), self.compression.run());
        let header = BatchHeader {
            held: gathered.held,
            seq: gathered.seq,
            samples: gathered.samples() as u64,
            records: (body.len() + late.len()) as u64,
            late: late.len() as u64,
        };
        self.out.header(&header, &[]);
        self.out.append(&body);
        self.out.append(&late);
    }
}
