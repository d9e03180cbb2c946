//! Batches: the records of a segment grouped as they were appended.
//!
//! A batch is given out only when all of its records are there, so no reader ever sees half of one.
//! A record with no header before it (new series, a hold tick, all that a Prometheus wrote) is a batch of its own.

use std::ops::Range;

use super::exemplar::{decode_exemplars, ExemplarRow};
use super::metadata::{decode_metadata, MetadataRow};
use super::reader::Reader;
use super::record::{self, BatchHeader, Malformed};
use super::rows::Rows;
use super::start_times;
use super::tombstone::{decode_markers, decode_tombstones, MarkerRow, TombstoneRow};
use super::{Damage, Reason, SeriesRef};

/// One batch, decoded. Reused from batch to batch, so that reading a log does not allocate per batch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogBatch {
    /// The header, where there is one.
    pub header: Option<BatchHeader>,
    /// The header's event; empty when there is none.
    pub event: Vec<u8>,
    /// Samples that came in order.
    pub in_order: Rows,
    /// Samples that came late, behind them.
    pub late: Rows,
    /// Exemplars.
    pub exemplars: Vec<ExemplarRow>,
    /// Types, units and helps.
    pub metadata: Vec<MetadataRow>,
    /// Deleted ranges.
    pub tombstones: Vec<TombstoneRow>,
    /// Markers of a write-behind log.
    pub markers: Vec<MarkerRow>,
    /// The time of a hold tick, ms.
    pub tick: Option<i64>,
    series: Vec<(SeriesRef, Range<usize>)>,
    packed: Vec<u8>,
}

impl LogBatch {
    /// Series that the batch introduces, with their packed labels.
    pub fn series(&self) -> impl Iterator<Item = (SeriesRef, &[u8])> {
        self.series
            .iter()
            .filter_map(|(reference, range)| Some((*reference, self.packed.get(range.clone())?)))
    }

    /// Samples of either kind.
    pub fn samples(&self) -> usize {
        self.in_order.len() + self.late.len()
    }

    fn clear(&mut self) {
        self.header = None;
        self.tick = None;
        self.event.clear();
        self.in_order.clear();
        self.late.clear();
        self.exemplars.clear();
        self.metadata.clear();
        self.tombstones.clear();
        self.markers.clear();
        self.series.clear();
        self.packed.clear();
    }

    /// Add what a record tells; `late` says which samples its own are.
    fn decode(&mut self, record: &[u8], late: bool) -> Result<(), Malformed> {
        let Some((&kind, body)) = record.split_first() else {
            return Err(Malformed::Content);
        };
        let rows = if late { &mut self.late } else { &mut self.in_order };
        match kind {
            record::SERIES => record::decode_series(body, |reference, packed| {
                let start = self.packed.len();
                self.packed.extend_from_slice(packed);
                self.series.push((reference, start..self.packed.len()));
            }),
            record::SAMPLES => record::decode_samples(body, rows.floats_behind()),
            record::HISTOGRAMS | record::CUSTOM_HISTOGRAMS => {
                record::decode_histograms(body, false, rows.histograms_behind())
            }
            record::FLOAT_HISTOGRAMS | record::CUSTOM_FLOAT_HISTOGRAMS => {
                record::decode_histograms(body, true, rows.histograms_behind())
            }
            record::SAMPLES_ST => start_times::decode_samples(body, rows.floats_behind()),
            record::HISTOGRAMS_ST => start_times::decode_histograms(body, false, rows.histograms_behind()),
            record::FLOAT_HISTOGRAMS_ST => start_times::decode_histograms(body, true, rows.histograms_behind()),
            record::EXEMPLARS => decode_exemplars(body, &mut self.exemplars),
            record::METADATA => decode_metadata(body, &mut self.metadata),
            record::TOMBSTONES => decode_tombstones(body, &mut self.tombstones),
            record::MARKERS => decode_markers(body, &mut self.markers),
            record::BATCH_HEADER => {
                let (header, event) = record::decode_header(body)?;
                self.header = Some(header);
                self.event.extend_from_slice(event);
                Ok(())
            }
            record::HOLD_TICK => {
                self.tick = Some(record::decode_tick(body)?);
                Ok(())
            }
            _ => Ok(()), // what later versions add
        }
    }
}

/// Reads batches from a borrowed segment, from any batch boundary on.
pub struct BatchReader<'a> {
    reader: Reader<'a>,
    end: usize,
}

impl<'a> BatchReader<'a> {
    /// A reader of `segment` that begins at byte `start`, which must be a batch boundary.
    pub fn new(segment: &'a [u8], start: usize) -> Self {
        Self {
            reader: Reader::new(segment, start),
            end: start,
        }
    }

    /// The offset just after the last whole batch.
    pub fn offset(&self) -> usize {
        self.end
    }

    /// Read the next batch into `batch`; false at the clean end. On damage `batch` holds nothing of meaning.
    pub fn next_batch(&mut self, batch: &mut LogBatch) -> Result<bool, Damage> {
        batch.clear();
        if self.read_record(batch, false)?.is_none() {
            return Ok(false);
        }
        if let Some(header) = batch.header {
            self.read_body(&header, batch)?;
        }
        self.end = self.reader.offset();
        Ok(true)
    }

    /// After damage: go to where the next batch surely begins, and say where that is; `None` when there is none.
    ///
    /// Where batches have headers (`headers`), a record that belongs to one whose header is lost is passed over.
    pub fn skip(&mut self, headers: bool) -> Option<usize> {
        self.reader.seek(self.end);
        while self.reader.skip().is_some() {
            loop {
                let start = self.reader.offset();
                match self.reader.next_record() {
                    Ok(Some(record)) if !headers || begins_batch(record) => {
                        self.reader.seek(start);
                        self.end = start;
                        return Some(start);
                    }
                    Ok(Some(_)) => {}
                    Ok(None) => return None,
                    Err(_) => break,
                }
            }
        }
        None
    }

    fn read_body(&mut self, header: &BatchHeader, batch: &mut LogBatch) -> Result<(), Damage> {
        let offset = self.end;
        let damage = |reason| Damage { offset, reason };
        for left in (0..header.records).rev() {
            match self.read_record(batch, left < header.late)? {
                None | Some(record::SERIES | record::BATCH_HEADER | record::HOLD_TICK) => {
                    return Err(damage(Reason::BatchCut));
                }
                Some(_) => {}
            }
        }
        if batch.samples() as u64 != header.samples {
            return Err(damage(Reason::BatchCount));
        }
        Ok(())
    }

    /// Decode the next record into `batch`; its type, or `None` at the clean end.
    fn read_record(&mut self, batch: &mut LogBatch, late: bool) -> Result<Option<u8>, Damage> {
        let offset = self.reader.offset();
        let Some(record) = self.reader.next_record()? else {
            return Ok(None);
        };
        let kind = record.first().copied().unwrap_or_default();
        batch.decode(record, late).map_err(|malformed| Damage {
            offset,
            reason: match malformed {
                Malformed::Content => Reason::Record(kind),
                Malformed::Version(version) => Reason::Version(version),
            },
        })?;
        Ok(Some(kind))
    }
}

/// True for a record that never stands within a batch.
fn begins_batch(record: &[u8]) -> bool {
    let kinds = [
        record::SERIES,
        record::TOMBSTONES,
        record::BATCH_HEADER,
        record::HOLD_TICK,
        record::HOLE,
    ];
    record.first().is_some_and(|kind| kinds.contains(kind))
}

/// True when any batch of a segment has a header, so that those without one are parts of a harmed batch.
pub fn has_headers(segment: &[u8]) -> bool {
    let mut reader = Reader::new(segment, 0);
    loop {
        let kind = reader.next_record().map(|record| Some(record?.first().copied()));
        match kind {
            Ok(Some(Some(record::BATCH_HEADER))) => return true,
            Ok(Some(_)) => {}
            Ok(None) => return false,
            Err(_) if reader.skip().is_none() => return false,
            Err(_) => {}
        }
    }
}
