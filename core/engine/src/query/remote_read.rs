//! Answers to remote read, series by series: chunks as they are stored, or samples.

use std::sync::Arc;
use std::vec::IntoIter;

use super::columns::{plain_chunks, Columns};
use super::limits::{Failed, Limits};
use crate::chunk::{BadChunk, Chunk, Encoding};
use crate::compact::encode;
use crate::labels::Labels;
use crate::merge::{join, Gathered, SeriesStream, Streams, Window};
use crate::wire::remote_read::{put_frame, put_series, External};

/// Bytes of labels and chunks in a frame, about.
const FRAME: usize = 1 << 20;

/// Frames of chunks under way: series in label order.
pub struct ChunkRead {
    streams: Streams,
    window: Window,
    query: u64,
    external: External,
    /// The series that the last piece ended in, and what is left of it.
    open: Option<(Arc<[u8]>, IntoIter<Chunk>)>,
}

impl ChunkRead {
    /// What `places` have in `window`, as the answer to query number `query` of a request.
    pub fn new(places: Vec<Box<dyn SeriesStream>>, window: Window, query: u64, external: External) -> Self {
        Self {
            streams: Streams::new(places),
            window,
            query,
            external,
            open: None,
        }
    }

    /// Append frames to `out` until it is at least `size` bytes long, or there are no more.
    pub fn piece(&mut self, out: &mut Vec<u8>, size: usize) -> Result<(), Failed> {
        while out.len() < size {
            match &mut self.open {
                Some((labels, chunks)) if chunks.len() > 0 => {
                    let labels = (Labels::trusted(labels), &self.external);
                    put_frame(out, self.query, labels, chunks, FRAME);
                }
                _ => match self.streams.next_series()? {
                    Some(series) => {
                        let chunks = chunks(&series, self.window).map_err(|_| Failed::Chunk(series.labels.clone()))?;
                        self.open = Some((series.labels, chunks.into_iter()));
                    }
                    None => break,
                },
            }
        }
        Ok(())
    }
}

/// Chunks that have what is to be seen of a series in `window`, and maybe samples before and behind it: those that are
/// stored wherever they can simply be read one behind the other.
fn chunks(series: &Gathered, window: Window) -> Result<Vec<Chunk>, BadChunk> {
    let Some(plain) = plain_chunks(&series.parts, window) else {
        return encode(join(&series.parts, window)?.into_iter().map(|(sample, _)| Ok(sample)));
    };
    let mut chunks = Vec::with_capacity(plain.len());
    for (_, chunk) in plain {
        match chunk.encoding {
            Encoding::Xor | Encoding::Histogram | Encoding::FloatHistogram => chunks.push(chunk.clone()),
            // Most clients do not know those with start timestamps.
            _ => chunks.extend(encode(chunk.samples()?)?),
        }
    }
    Ok(chunks)
}

/// Samples under way: series in label order.
pub struct SampleRead {
    streams: Streams,
    window: Window,
    external: External,
    limits: Limits,
    /// Samples that may still come.
    left: usize,
}

impl SampleRead {
    /// What `places` have in `window`, as long as it is not more than `limits` allow.
    pub fn new(places: Vec<Box<dyn SeriesStream>>, window: Window, external: External, limits: Limits) -> Self {
        Self {
            streams: Streams::new(places),
            window,
            external,
            left: limits.samples,
            limits,
        }
    }

    /// Append `TimeSeries` fields to `out` until it is at least `size` bytes long, or there are no more.
    pub fn piece(&mut self, out: &mut Vec<u8>, size: usize) -> Result<(), Failed> {
        while out.len() < size {
            let Some(series) = self.streams.next_series()? else {
                break;
            };
            let mut columns = Columns::default();
            let left = Limits {
                samples: self.left,
                ..self.limits
            };
            let pushed = columns.push(&series, self.window, &left);
            pushed.map_err(|failed| failed.in_terms_of(&self.limits))?;
            self.left -= columns.samples();
            put_series(out, &columns, &self.external);
        }
        Ok(())
    }
}
