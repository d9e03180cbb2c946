//! The series of a block to be, one by one.

use super::chunks::{join_parts, Joined};
use super::Failed;
use crate::chunk::Chunk;
use crate::merge::{text, SeriesStream, Streams, Window};

/// A series of the block to be.
#[derive(Debug, Clone, Default)]
pub struct Merged {
    /// Packed.
    pub labels: std::sync::Arc<[u8]>,
    /// Ascending and apart; at least one.
    pub chunks: Vec<Chunk>,
    /// Of a held series: the ticks at which it has a sample of its own.
    pub own: Option<Vec<i64>>,
}

/// Joins what inputs have of each series.
pub struct Merge {
    streams: Streams,
    window: Window,
    ticks: Vec<i64>,
}

impl Merge {
    /// Samples from `mint` to before `maxt` ms; see [`Streams`] for the order of inputs.
    pub fn new(inputs: Vec<Box<dyn SeriesStream>>, mint: i64, maxt: i64) -> Self {
        let window = Window {
            mint,
            maxt: maxt.saturating_sub(1),
            held: true,
        };
        let streams = Streams::new(inputs);
        let mut ticks = streams.ticks().to_vec();
        ticks.retain(|tick| window.covers(*tick, *tick));
        Self { streams, window, ticks }
    }

    /// The hold ticks whose samples are in the result; ascending.
    pub fn ticks(&self) -> &[i64] {
        &self.ticks
    }

    /// The next series that has samples; in label order.
    pub fn next_series(&mut self) -> Result<Option<Merged>, Failed> {
        while let Some(series) = self.streams.next_series()? {
            let joined = join_parts(&series.parts, self.window, &self.ticks);
            let Joined { chunks, own } = joined.map_err(|_| Failed::Chunk(text(&series.labels)))?;
            if !chunks.is_empty() {
                return Ok(Some(Merged {
                    labels: series.labels,
                    chunks,
                    own,
                }));
            }
        }
        Ok(None)
    }
}
