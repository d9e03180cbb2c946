//! The samples of one series cut into chunks where Prometheus' head cuts them.

use super::histogram::Cut;
use super::{xor, Appender, Chunk};
use crate::sample::{Sample, Value};

/// No chunk crosses a multiple of this, so that a block of two hours takes whole ones. ms.
pub const CHUNK_RANGE: i64 = 2 * 3600 * 1000;
/// Samples that a chunk of floats should have.
const TARGET_SAMPLES: u16 = 120;
/// Beyond this the next float, at its largest 19 bytes, could lead over 1 KiB.
const MAX_FLOAT_BYTES: usize = 1024 - 19;
/// Size that a chunk of histograms should have.
const TARGET_BYTES: usize = 1024;
/// Samples that a chunk of histograms has at least, whatever their size.
const MIN_HISTOGRAMS: u16 = 10;

/// The open end of a series' chunks: takes samples in time order and gives finished chunks.
#[derive(Debug, Clone, Default)]
pub struct Sequence {
    open: Option<OpenChunk>,
}

/// The chunk that samples are appended to.
#[derive(Debug, Clone)]
struct OpenChunk {
    mint: i64,
    /// A sample from this time on begins another chunk, ms.
    cut_at: i64,
    appender: Appender,
}

impl Sequence {
    /// Append a sample newer than all others, its histogram sound; the chunk that had to end before it, if one had.
    pub fn append(&mut self, t: i64, value: &Value) -> Option<Chunk> {
        if let Value::Float(value) = value {
            return self.append_float(t, *value);
        }
        let appender = match &mut self.open {
            None => Appender::new(t, value),
            Some(open) if open.is_full_for_histogram(t) => {
                Appender::with_header(t, value, open.appender.header_after(value))
            }
            Some(open) => match open.append_histogram(t, value) {
                Ok(()) => return None,
                Err(Cut(header)) => Appender::with_header(t, value, header),
            },
        };
        self.begin(t, appender)
    }

    /// As [`Self::append`].
    pub fn append_float(&mut self, t: i64, value: f64) -> Option<Chunk> {
        if let Some(open) = &mut self.open {
            if open.append_float(t, value) {
                return None;
            }
        }
        self.begin(t, Appender::Floats(xor::Appender::new(t, value)))
    }

    /// True when no chunk is open.
    pub fn is_empty(&self) -> bool {
        self.open.is_none()
    }

    /// Time of the open chunk's first sample, ms.
    pub fn first_time(&self) -> Option<i64> {
        self.open.as_ref().map(|open| open.mint)
    }

    /// Time of the last sample, ms.
    pub fn last_time(&self) -> Option<i64> {
        self.open.as_ref().map(|open| open.appender.last_time())
    }

    /// The last sample.
    pub fn last(&self) -> Option<Sample> {
        self.open.as_ref().map(|open| open.appender.last())
    }

    /// Encoded size of the open chunk.
    pub fn bytes(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.appender.bytes().len())
    }

    /// A copy of the open chunk, as if it ended here.
    pub fn chunk(&self) -> Option<Chunk> {
        self.open.as_ref().map(OpenChunk::to_chunk)
    }

    /// End the open chunk, so that the next sample begins another.
    pub fn finish(&mut self) -> Option<Chunk> {
        self.open.take().map(OpenChunk::into_chunk)
    }

    fn begin(&mut self, t: i64, appender: Appender) -> Option<Chunk> {
        let mut fresh = OpenChunk {
            mint: t,
            cut_at: range_end(t),
            appender,
        };
        fresh.plan_histograms(0);
        self.open.replace(fresh).map(OpenChunk::into_chunk)
    }
}

impl OpenChunk {
    fn to_chunk(&self) -> Chunk {
        Chunk {
            mint: self.mint,
            maxt: self.appender.last_time(),
            encoding: self.appender.encoding(),
            data: self.appender.bytes().to_vec().into(),
        }
    }

    fn into_chunk(self) -> Chunk {
        self.appender.into_chunk(self.mint)
    }

    /// False when the sample belongs into another chunk.
    fn append_float(&mut self, t: i64, value: f64) -> bool {
        let Appender::Floats(chunk) = &mut self.appender else {
            return false;
        };
        let samples = chunk.samples();
        if samples == TARGET_SAMPLES / 4 {
            self.cut_at = even_end(self.mint, chunk.last().0, self.cut_at, 4.0);
        }
        // Twice the target: the guess at a quarter was wrong, for samples come faster since.
        if t >= self.cut_at || samples >= 2 * TARGET_SAMPLES || chunk.bytes().len() > MAX_FLOAT_BYTES {
            return false;
        }
        chunk.append(t, value);
        true
    }

    /// True when a histogram at `t` belongs into another chunk, whatever it holds. A chunk of floats takes none anyway.
    fn is_full_for_histogram(&self, t: i64) -> bool {
        let is_large = t >= self.cut_at || self.appender.bytes().len() >= 2 * TARGET_BYTES;
        is_large && (self.appender.samples() >= MIN_HISTOGRAMS || t >= range_end(self.mint))
    }

    fn append_histogram(&mut self, t: i64, value: &Value) -> Result<(), Cut> {
        let before = self.appender.bytes().len();
        self.appender.append(t, value)?;
        self.plan_histograms(before);
        Ok(())
    }

    /// Settle where to end a chunk of histograms when it has just become, from `before` bytes, a quarter full.
    fn plan_histograms(&mut self, before: usize) {
        let bytes = self.appender.bytes().len();
        let is_quarter = before < TARGET_BYTES / 4 && bytes >= TARGET_BYTES / 4;
        if is_quarter && !matches!(self.appender, Appender::Floats(_)) {
            let ratio = TARGET_BYTES as f64 / bytes as f64;
            self.cut_at = even_end(self.mint, self.appender.last_time(), self.cut_at, ratio);
        }
    }
}

/// The multiple of [`CHUNK_RANGE`] after `t`.
pub fn range_end(t: i64) -> i64 {
    t.div_euclid(CHUNK_RANGE)
        .saturating_mul(CHUNK_RANGE)
        .saturating_add(CHUNK_RANGE)
}

/// Where to end a chunk that is full by the `ratio`th part after `mint..=maxt`, so that the chunks up to `end` become about
/// equally long.
fn even_end(mint: i64, maxt: i64, end: i64, ratio: f64) -> i64 {
    let span = end.saturating_sub(mint) as f64;
    let full = ratio * (maxt.saturating_sub(mint) as f64 + 1.0);
    let chunks = (span / full).floor();
    if chunks <= 1.0 {
        end
    } else {
        mint.saturating_add((span / chunks) as i64)
    }
}
