//! The float samples of one series: closed chunks and the open one, cut where Prometheus cuts them.

use crate::chunk::xor::{self, Appender};

/// No chunk crosses a multiple of this, so that a block of two hours takes whole ones. ms.
const CHUNK_RANGE: i64 = 2 * 3600 * 1000;
/// Samples that a chunk should have.
const TARGET_SAMPLES: u16 = 120;
/// Beyond this the next sample, at its largest 19 bytes, could lead over 1 KiB.
const MAX_BYTES: usize = 1024 - 19;

/// A chunk that gets no more samples.
#[derive(Debug)]
pub struct Chunk {
    /// Time of the last sample, ms.
    pub maxt: i64,
    /// XOR encoded.
    pub data: Box<[u8]>,
}

/// The chunk that samples are appended to.
#[derive(Debug)]
struct OpenChunk {
    mint: i64,
    /// A sample from this time on begins another chunk, ms.
    cut_at: i64,
    appender: Appender,
}

/// Chunks in time order; times ascend over all of them.
#[derive(Debug, Default)]
pub struct FloatChunks {
    closed: Vec<Chunk>,
    open: Option<OpenChunk>,
}

impl FloatChunks {
    /// The newest sample.
    pub fn last(&self) -> Option<(i64, f64)> {
        self.open.as_ref().map(|open| open.appender.last())
    }

    /// Number of chunks.
    pub fn len(&self) -> usize {
        self.closed.len() + usize::from(self.open.is_some())
    }

    /// Append a sample newer than all others; the bytes that it takes.
    pub fn append(&mut self, t: i64, value: f64) -> usize {
        if let Some(open) = &mut self.open {
            if !open.ends_before(t) {
                let before = open.appender.bytes().len();
                open.appender.append(t, value);
                return open.appender.bytes().len() - before;
            }
        }
        self.cut(t, value)
    }

    fn cut(&mut self, t: i64, value: f64) -> usize {
        let appender = Appender::new(t, value);
        let bytes = appender.bytes().len();
        let fresh = OpenChunk {
            mint: t,
            cut_at: range_end(t),
            appender,
        };
        let Some(full) = self.open.replace(fresh) else {
            return bytes;
        };
        self.closed.push(Chunk {
            maxt: full.appender.last().0,
            data: full.appender.into_bytes(),
        });
        bytes + std::mem::size_of::<Chunk>()
    }

    /// Samples in time order, beginning not later than with the last one before `mint`.
    pub fn samples(&self, mint: i64) -> Samples<'_> {
        let first = self.closed.partition_point(|chunk| chunk.maxt < mint).saturating_sub(1);
        let first = match &self.open {
            Some(open) if open.mint < mint => self.closed.len(),
            _ => first,
        };
        Samples {
            closed: self.closed.get(first..).unwrap_or_default().iter(),
            open: self.open.as_ref().map(|open| open.appender.bytes()),
            current: None,
        }
    }
}

impl OpenChunk {
    /// True when a sample at `t` belongs into another chunk.
    fn ends_before(&mut self, t: i64) -> bool {
        let samples = self.appender.samples();
        if samples == TARGET_SAMPLES / 4 {
            self.cut_at = even_end(self.mint, self.appender.last().0, self.cut_at);
        }
        // Twice the target: the guess at a quarter was wrong, for samples come faster since.
        t >= self.cut_at || samples >= 2 * TARGET_SAMPLES || self.appender.bytes().len() > MAX_BYTES
    }
}

/// The multiple of [`CHUNK_RANGE`] after `t`.
fn range_end(t: i64) -> i64 {
    t.div_euclid(CHUNK_RANGE)
        .saturating_mul(CHUNK_RANGE)
        .saturating_add(CHUNK_RANGE)
}

/// Where to end a chunk, a quarter full after `mint..=maxt`, so that the chunks up to `end` become about equally long.
fn even_end(mint: i64, maxt: i64, end: i64) -> i64 {
    let span = end.saturating_sub(mint) as f64;
    let full = 4.0 * (maxt.saturating_sub(mint) as f64 + 1.0);
    let chunks = (span / full).floor();
    if chunks <= 1.0 {
        end
    } else {
        mint.saturating_add((span / chunks) as i64)
    }
}

/// Iterator over the samples of some chunks.
pub struct Samples<'a> {
    closed: std::slice::Iter<'a, Chunk>,
    open: Option<&'a [u8]>,
    current: Option<xor::Samples<'a>>,
}

impl Iterator for Samples<'_> {
    type Item = (i64, f64);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            // These chunks were made here, so none of them is bad.
            if let Some(sample) = self.current.as_mut().and_then(|chunk| chunk.next()?.ok()) {
                return Some(sample);
            }
            let bytes = match self.closed.next() {
                Some(chunk) => &chunk.data,
                None => self.open.take()?,
            };
            self.current = xor::Samples::new(bytes).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chunk lengths of a series with the given steps and values.
    fn lengths(start: i64, count: usize, step: impl Fn(usize) -> i64, mut value: impl FnMut() -> f64) -> Vec<usize> {
        let mut chunks = FloatChunks::default();
        let mut t = start;
        for i in 0..count {
            chunks.append(t, value());
            t += step(i);
        }
        let closed = chunks.closed.iter().map(|chunk| chunk.data.as_ref());
        let bytes = closed.chain(chunks.open.as_ref().map(|open| open.appender.bytes()));
        bytes
            .map(|bytes| xor::Samples::new(bytes).map_or(0, Iterator::count))
            .collect()
    }

    /// The lengths on the right were read from the head of Prometheus 2.54.
    #[test]
    fn cuts_where_prometheus_cuts() {
        let start = 1_700_000_000_000;
        let one = || 1.0;
        assert_eq!(
            lengths(start, 1000, |_| 15_000, one),
            [143, 142, 142, 120, 120, 120, 120, 93]
        );
        assert_eq!(
            lengths(start, 1000, |_| 1000, one),
            [117, 117, 117, 117, 117, 117, 117, 117, 64]
        );
        assert_eq!(lengths(start, 400, |_| 60_000, one), [107, 120, 120, 53]);
        assert_eq!(lengths(start, 10, |_| 3_600_000, one), [2, 2, 2, 2, 2]);
        let faster = |i| if i < 40 { 15_000 } else { 100 };
        assert_eq!(
            lengths(start, 1500, faster, one),
            [240, 117, 117, 117, 117, 117, 117, 117, 117, 117, 117, 90]
        );
        let slower = |i| if i < 40 { 100 } else { 45_000 };
        assert_eq!(lengths(start, 300, slower, one), [41, 142, 117]);
        assert_eq!(lengths(1_699_999_200_000, 100, |_| 120_000, one), [60, 40]);
    }

    #[test]
    fn a_chunk_of_large_samples_is_cut_by_its_size() {
        let mut state = 1u64;
        let random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            f64::from_bits(state)
        };
        let faster = |i| if i < 40 { 15_000 } else { 100 };
        let lengths = lengths(1_700_000_000_000, 500, faster, random);
        assert!(
            lengths.first().is_some_and(|first| (80..120).contains(first)),
            "{lengths:?}"
        );
    }

    #[test]
    fn no_chunk_crosses_a_range_even_before_1970() {
        let mut chunks = FloatChunks::default();
        for t in [
            -CHUNK_RANGE - 1,
            -1,
            0,
            CHUNK_RANGE - 1,
            CHUNK_RANGE,
            i64::MAX - 1,
            i64::MAX,
        ] {
            chunks.append(t, 1.0);
        }
        let ends: Vec<i64> = chunks.closed.iter().map(|chunk| chunk.maxt).collect();
        assert_eq!(ends, [-CHUNK_RANGE - 1, -1, CHUNK_RANGE - 1, CHUNK_RANGE, i64::MAX - 1]);
    }

    #[test]
    fn samples_begin_with_the_last_one_before() {
        let mut chunks = FloatChunks::default();
        (0..1000).for_each(|i| {
            chunks.append(i * 15_000, i as f64);
        });
        for mint in [0, 1, 15_000 * 140, 15_000 * 480, 15_000 * 999, i64::MAX] {
            let before = chunks.samples(mint).take_while(|(t, _)| *t < mint).last();
            let wanted = (0..1000).map(|i| i * 15_000).take_while(|t| *t < mint).last();
            assert_eq!(before.map(|(t, _)| t), wanted, "{mint}");
            let after = chunks.samples(mint).filter(|(t, _)| *t >= mint).count();
            assert_eq!(after, (0..1000).filter(|i| i * 15_000 >= mint).count(), "{mint}");
        }
    }
}
