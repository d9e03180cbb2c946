//! A window becomes a block: its series in label order, step by step.

use std::vec::IntoIter;

use super::buffer::{Buffer, Window};
use super::run::Run;
use crate::block::{IndexPieces, Piece, Refusal, Stats, Writer};
use crate::labels::compare;

/// Bytes to be written.
#[derive(Debug)]
pub enum Step {
    /// To be appended to chunk files.
    Chunks(Vec<Piece>),
    /// To be appended to the index.
    Index(Vec<u8>),
    /// Everything is there.
    Done(Drained),
}

/// What stands at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drained {
    /// For `meta.json`.
    pub stats: Stats,
    /// Samples that came a second time, with the same value.
    pub repeated: u64,
    /// Samples left out because their series had another value at that time.
    pub contradicting: u64,
}

/// A window on its way into files.
pub struct Drain {
    stage: Stage,
    drained: Drained,
}

enum Stage {
    Series(Box<Writer>, IntoIter<Run>),
    Index(Box<IndexPieces>),
    /// Also after a failure: nothing more comes.
    Done,
}

impl Drain {
    /// Begin with a window that was taken out of `buffer`, whose series must stay known until the end.
    pub fn new(window: Window, buffer: &Buffer) -> Result<Self, Refusal> {
        let mut runs = window.runs;
        runs.sort_unstable_by(|a, b| compare(buffer.labels(a.series), buffer.labels(b.series)));
        Ok(Self {
            stage: Stage::Series(Box::new(Writer::new(&[])?), runs.into_iter()),
            drained: Drained::default(),
        })
    }

    /// Go on until about `max_bytes` of chunks are there, but by one series at least; or give a piece of the index.
    pub fn step(&mut self, buffer: &Buffer, max_bytes: usize) -> Result<Step, Refusal> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Series(writer, runs) => self.step_series(writer, runs, buffer, max_bytes),
            Stage::Index(mut index) => match index.next_piece()? {
                Some(piece) => {
                    self.stage = Stage::Index(index);
                    Ok(Step::Index(piece))
                }
                None => Ok(Step::Done(self.drained)),
            },
            Stage::Done => Ok(Step::Done(self.drained)),
        }
    }

    fn step_series(
        &mut self,
        mut writer: Box<Writer>,
        mut runs: IntoIter<Run>,
        buffer: &Buffer,
        max_bytes: usize,
    ) -> Result<Step, Refusal> {
        for run in runs.by_ref() {
            let labels = buffer.labels(run.series);
            let (chunks, doublets) = run.finish();
            self.drained.repeated += doublets.repeated;
            self.drained.contradicting += doublets.contradicting;
            writer.add(labels, &chunks, None)?;
            if writer.pending() >= max_bytes {
                let pieces = writer.drain();
                self.stage = Stage::Series(writer, runs);
                return Ok(Step::Chunks(pieces));
            }
        }
        let finished = writer.finish()?;
        self.drained.stats = finished.stats;
        self.stage = Stage::Index(Box::new(finished.index));
        Ok(Step::Chunks(finished.chunks))
    }
}
