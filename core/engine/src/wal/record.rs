//! Records: what their bytes mean. The first byte tells the type.

use super::arrange::Kind;
use super::exemplar::{decode_labels, ExemplarRow};
use super::histogram::{decode_histogram, encode_histogram};
use super::metadata::encode_metadata;
use super::rows::Rows;
use super::tombstone::{encode_marker, encode_tombstone, MarkerRow, TombstoneRow};
use super::{FloatRow, HistogramRow, SeriesRef};
use crate::bytes::{put_uvarint, put_varint, Decoder, Truncated};
use crate::labels::Labels;
use crate::metadata::Metadata;

/// New series: their reference and label set.
pub const SERIES: u8 = 1;
/// Float samples.
pub const SAMPLES: u8 = 2;
/// Deleted ranges of time.
pub const TOMBSTONES: u8 = 3;
/// Exemplars.
pub const EXEMPLARS: u8 = 4;
/// In a write-behind log: which samples are in chunks.
pub const MARKERS: u8 = 5;
/// Types, units and helps.
pub const METADATA: u8 = 6;
/// Native histograms with integer counts.
pub const HISTOGRAMS: u8 = 7;
/// Native histograms with float counts.
pub const FLOAT_HISTOGRAMS: u8 = 8;
/// As 7, of histograms that carry their own bounds.
pub const CUSTOM_HISTOGRAMS: u8 = 9;
/// As 8, of histograms that carry their own bounds.
pub const CUSTOM_FLOAT_HISTOGRAMS: u8 = 10;
/// Float samples with start times.
pub const SAMPLES_ST: u8 = 11;
/// Native histograms with integer counts and start times.
pub const HISTOGRAMS_ST: u8 = 12;
/// Native histograms with float counts and start times.
pub const FLOAT_HISTOGRAMS_ST: u8 = 13;
/// All types that Prometheus has given out so far.
pub const PROMETHEUS_TYPES: std::ops::RangeInclusive<u8> = 1..=13;
/// Private: what belongs together as one batch.
pub const BATCH_HEADER: u8 = 0xB0;
/// Private: a time at which held series repeat their value.
pub const HOLD_TICK: u8 = 0xB1;

/// Private: nothing; it stands where damage was taken out.
pub const HOLE: u8 = 0xB2;

/// Which records histograms go into, in the order in which these are written.
const HISTOGRAM_RECORDS: [(Kind, u8); 4] = [
    (Kind::Histogram, HISTOGRAMS),
    (Kind::CustomHistogram, CUSTOM_HISTOGRAMS),
    (Kind::FloatHistogram, FLOAT_HISTOGRAMS),
    (Kind::CustomFloatHistogram, CUSTOM_FLOAT_HISTOGRAMS),
];

const VERSION: u8 = 1;
const FLAG_HELD: u8 = 1;
const FLAG_LATE: u8 = 2;

/// Why a record does not decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// It ends too early, or holds what its type cannot.
    Content,
    /// Its version is unknown.
    Version(u8),
}

impl From<Truncated> for Malformed {
    fn from(_: Truncated) -> Self {
        Self::Content
    }
}

/// What stands before the samples of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchHeader {
    /// The rows are push values, to be held.
    pub held: bool,
    /// Samples that the store accepted before this batch, over its whole life.
    pub seq: u64,
    /// Samples in this batch.
    pub samples: u64,
    /// Records of this batch after its header.
    pub records: u64,
    /// How many of them, at the end, hold samples that came out of order: older than others of their series, and accepted.
    pub late: u64,
}

/// Encoded records, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Records {
    /// The records in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(self.ends.iter().copied())
            .filter_map(|(start, end)| self.bytes.get(start..end))
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True when there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Add all of `other` after these.
    pub fn append(&mut self, other: &Self) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.iter().map(|end| start + end));
    }

    fn close(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// A series record; nothing when there are no new series.
    pub fn series<'a>(&mut self, series: impl Iterator<Item = (SeriesRef, Labels<'a>)>) {
        let mut series = series.peekable();
        if series.peek().is_none() {
            return;
        }
        self.bytes.push(SERIES);
        for (reference, labels) in series {
            self.bytes.extend_from_slice(&reference.0.to_be_bytes());
            put_uvarint(&mut self.bytes, labels.count() as u64);
            self.bytes.extend_from_slice(labels.packed());
        }
        self.close();
    }

    /// A batch header with its event.
    pub fn header(&mut self, header: &BatchHeader, event: &[u8]) {
        let late = if header.late > 0 { FLAG_LATE } else { 0 };
        let flags = late | if header.held { FLAG_HELD } else { 0 };
        self.bytes.extend_from_slice(&[BATCH_HEADER, VERSION, flags]);
        put_uvarint(&mut self.bytes, header.seq);
        put_uvarint(&mut self.bytes, header.samples);
        put_uvarint(&mut self.bytes, header.records);
        if header.late > 0 {
            put_uvarint(&mut self.bytes, header.late);
        }
        self.bytes.extend_from_slice(event);
        self.close();
    }

    /// A hold tick at `t` ms.
    pub fn tick(&mut self, t: i64) {
        self.bytes.extend_from_slice(&[HOLD_TICK, VERSION]);
        put_varint(&mut self.bytes, t);
        self.close();
    }

    /// Samples records of at most `run` rows; none when there are no rows.
    pub fn samples(&mut self, mut rows: impl Iterator<Item = FloatRow> + Clone, run: usize) {
        loop {
            let part = rows.clone().take(run.max(1));
            let count = part.clone().count();
            let Some((base, base_t, _)) = part.clone().nth(middle(count)) else {
                return;
            };
            self.base(SAMPLES, base, base_t);
            for (reference, t, value) in part {
                self.delta(base, base_t, reference, t);
                self.bytes.extend_from_slice(&value.to_bits().to_be_bytes());
            }
            self.close();
            rows.nth(count - 1);
        }
    }

    /// Samples and histograms records of all `rows`, layer by layer; `run` is as above.
    pub fn rows(&mut self, rows: &Rows, run: usize) {
        for layer in rows.layers() {
            self.samples(layer.floats.iter().copied(), run);
            self.histograms(&layer.histograms);
        }
    }

    /// An exemplars record; nothing when there are no rows.
    pub fn exemplars(&mut self, rows: &[ExemplarRow]) {
        let Some(first) = rows.first() else { return };
        self.base(EXEMPLARS, first.series, first.t);
        for row in rows {
            self.delta(first.series, first.t, row.series, row.t);
            self.bytes.extend_from_slice(&row.value.to_bits().to_be_bytes());
            let labels = Labels::trusted(&row.labels);
            put_uvarint(&mut self.bytes, labels.count() as u64);
            self.bytes.extend_from_slice(labels.packed());
        }
        self.close();
    }

    /// A metadata record; nothing when there are no rows.
    pub fn metadata<'a>(&mut self, rows: impl Iterator<Item = (SeriesRef, &'a Metadata)>) {
        self.each(METADATA, rows, |(reference, metadata), out| {
            encode_metadata(reference, metadata, out);
        });
    }

    /// A tombstones record; nothing when there are no rows.
    pub fn tombstones(&mut self, rows: &[TombstoneRow]) {
        self.each(TOMBSTONES, rows.iter(), encode_tombstone);
    }

    /// A markers record, for a write-behind log; nothing when there are no rows.
    pub fn markers(&mut self, rows: &[MarkerRow]) {
        self.each(MARKERS, rows.iter(), encode_marker);
    }

    fn each<T>(&mut self, kind: u8, rows: impl Iterator<Item = T>, encode: impl Fn(T, &mut Vec<u8>)) {
        let mut rows = rows.peekable();
        if rows.peek().is_none() {
            return;
        }
        self.bytes.push(kind);
        rows.for_each(|row| encode(row, &mut self.bytes));
        self.close();
    }

    /// One histogram record for each of the four kinds that occur in `rows`.
    pub fn histograms(&mut self, rows: &[HistogramRow]) {
        for (kind, record) in HISTOGRAM_RECORDS {
            let mut rows = rows.iter().filter(|row| Kind::of(&row.2) == kind).peekable();
            let Some(&&(base, base_t, _)) = rows.peek() else {
                continue;
            };
            self.base(record, base, base_t);
            for (reference, t, value) in rows {
                self.delta(base, base_t, *reference, *t);
                encode_histogram(value, &mut self.bytes);
            }
            self.close();
        }
    }

    /// Rows tell reference and time as differences from the first one's, which stands before them.
    fn base(&mut self, kind: u8, reference: SeriesRef, t: i64) {
        self.bytes.push(kind);
        self.bytes.extend_from_slice(&reference.0.to_be_bytes());
        self.bytes.extend_from_slice(&t.to_be_bytes());
    }

    fn delta(&mut self, base: SeriesRef, base_t: i64, reference: SeriesRef, t: i64) {
        put_varint(&mut self.bytes, reference.0.wrapping_sub(base.0) as i64);
        put_varint(&mut self.bytes, t.wrapping_sub(base_t));
    }
}

/// The row whose reference the others are told from. One in the middle makes more of the differences short; where all of them are
/// short anyway it is the first, as in Prometheus.
fn middle(rows: usize) -> usize {
    if rows > 64 {
        rows / 2
    } else {
        0
    }
}

/// Each series of a series record's body, its labels checked, in packed form.
pub fn decode_series(body: &[u8], mut each: impl FnMut(SeriesRef, &[u8])) -> Result<(), Malformed> {
    let mut decoder = Decoder::new(body);
    let mut packed = Vec::new();
    while !decoder.is_empty() {
        let reference = SeriesRef(decoder.u64_be()?);
        decode_labels(&mut decoder, &mut packed)?;
        each(reference, &packed);
    }
    Ok(())
}

/// Append the rows of a samples record's body to `rows`.
pub fn decode_samples(body: &[u8], rows: &mut Vec<FloatRow>) -> Result<(), Malformed> {
    decode_rows(body, |reference, t, decoder| {
        rows.push((reference, t, decoder.f64_be()?));
        Ok(())
    })
}

/// Append the rows of a histogram record's body to `rows`, without those of schemas that nobody knows the meaning of.
pub fn decode_histograms(body: &[u8], floats: bool, rows: &mut Vec<HistogramRow>) -> Result<(), Malformed> {
    decode_rows(body, |reference, t, decoder| {
        let histogram = decode_histogram(decoder, floats)?;
        rows.extend(histogram.map(|histogram| (reference, t, histogram.into())));
        Ok(())
    })
}

/// Rows that tell reference and time as differences from the base before them.
pub(super) fn decode_rows(
    body: &[u8],
    mut each: impl FnMut(SeriesRef, i64, &mut Decoder<'_>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut decoder = Decoder::new(body);
    if decoder.is_empty() {
        return Ok(()); // Prometheus never writes one, but reads it
    }
    let base = decoder.u64_be()?;
    let base_t = decoder.u64_be()? as i64;
    while !decoder.is_empty() {
        let reference = SeriesRef(base.wrapping_add(decoder.varint()? as u64));
        let t = base_t.wrapping_add(decoder.varint()?);
        each(reference, t, &mut decoder)?;
    }
    Ok(())
}

/// A batch header's body, and its event.
pub fn decode_header(body: &[u8]) -> Result<(BatchHeader, &[u8]), Malformed> {
    let mut decoder = versioned(body)?;
    let flags = decoder.u8()?;
    let header = BatchHeader {
        held: flags & FLAG_HELD != 0,
        seq: decoder.uvarint()?,
        samples: decoder.uvarint()?,
        records: decoder.uvarint()?,
        late: if flags & FLAG_LATE != 0 { decoder.uvarint()? } else { 0 },
    };
    Ok((header, decoder.rest()))
}

/// A hold tick's body: its time, ms.
pub fn decode_tick(body: &[u8]) -> Result<i64, Malformed> {
    Ok(versioned(body)?.varint()?)
}

fn versioned(body: &[u8]) -> Result<Decoder<'_>, Malformed> {
    let mut decoder = Decoder::new(body);
    match decoder.u8()? {
        VERSION => Ok(decoder),
        other => Err(Malformed::Version(other)),
    }
}
