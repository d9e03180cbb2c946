//! A block that is built in steps.

use super::merge::Merge;
use super::Failed;
use crate::block::{Finished, IndexPieces, Piece, Stats, Writer};
use crate::labels::Labels;

/// Builds a block out of a [`Merge`]. First chunk files come out of it, then the index, then the rest.
pub struct Builder {
    merge: Merge,
    stage: Stage,
}

enum Stage {
    Series(Box<Writer>),
    Index(Box<IndexPieces>, Outcome),
    /// Also after a failure: nothing more comes.
    Done(Outcome),
}

/// What stands at the end.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The file `held`; None when no series is held.
    pub held: Option<Vec<u8>>,
    /// For `meta.json`.
    pub stats: Stats,
}

/// Bytes to be written.
#[derive(Debug)]
pub enum Step {
    /// To be appended to chunk files.
    Chunks(Vec<Piece>),
    /// To be appended to the index.
    Index(Vec<u8>),
    /// Everything is there.
    Done,
}

impl Builder {
    /// A block of all series that `merge` gives. `segment_size` bounds a chunk file.
    pub fn new(merge: Merge, segment_size: u64) -> Result<Self, Failed> {
        let writer = Writer::with_segment_size(merge.ticks(), segment_size)?;
        Ok(Self {
            merge,
            stage: Stage::Series(Box::new(writer)),
        })
    }

    /// Go on until about `max_bytes` of chunks are there, but by one series at least; or give a piece of the index.
    pub fn step(&mut self, max_bytes: usize) -> Result<Step, Failed> {
        match std::mem::replace(&mut self.stage, Stage::Done(Outcome::default())) {
            Stage::Series(writer) => self.step_series(writer, max_bytes),
            Stage::Index(mut pieces, outcome) => match pieces.next_piece()? {
                Some(piece) => {
                    self.stage = Stage::Index(pieces, outcome);
                    Ok(Step::Index(piece))
                }
                None => {
                    self.stage = Stage::Done(outcome);
                    Ok(Step::Done)
                }
            },
            Stage::Done(outcome) => {
                self.stage = Stage::Done(outcome);
                Ok(Step::Done)
            }
        }
    }

    fn step_series(&mut self, mut writer: Box<Writer>, max_bytes: usize) -> Result<Step, Failed> {
        while let Some(series) = self.merge.next_series()? {
            writer.add(Labels::trusted(&series.labels), &series.chunks, series.own.as_deref())?;
            if writer.pending() >= max_bytes {
                let pieces = writer.drain();
                self.stage = Stage::Series(writer);
                return Ok(Step::Chunks(pieces));
            }
        }
        let Finished {
            chunks,
            index,
            held,
            stats,
        } = writer.finish()?;
        let outcome = Outcome { held, stats };
        self.stage = if stats.series == 0 {
            Stage::Done(outcome)
        } else {
            Stage::Index(Box::new(index), outcome)
        };
        Ok(Step::Chunks(chunks))
    }

    /// What has been built; whole after [`Step::Done`].
    pub fn outcome(&self) -> Outcome {
        match &self.stage {
            Stage::Series(writer) => Outcome {
                held: None,
                stats: writer.stats(),
            },
            Stage::Index(_, outcome) | Stage::Done(outcome) => outcome.clone(),
        }
    }
}
