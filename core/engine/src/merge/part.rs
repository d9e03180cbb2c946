//! What one place (the head, a block) has of a series.

use std::sync::Arc;

use super::chain::{forget_reset, Chain};
use crate::block::{Interval, Intervals};
use crate::chunk::{BadChunk, Chunk};
use crate::sample::Sample;

/// Times that are wanted, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The oldest, ms.
    pub mint: i64,
    /// The newest, ms.
    pub maxt: i64,
    /// Show pushed values again at hold ticks.
    pub held: bool,
}

impl Window {
    /// True when some time from `mint` to `maxt` is wanted.
    pub fn meets(&self, mint: i64, maxt: i64) -> bool {
        mint <= self.maxt && maxt >= self.mint
    }

    /// True when all times from `mint` to `maxt` are wanted.
    pub fn covers(&self, mint: i64, maxt: i64) -> bool {
        self.mint <= mint && maxt <= self.maxt
    }
}

/// How the values of a pushed series stand between its samples.
#[derive(Debug, Clone, Default)]
pub enum Holding {
    /// Not at all.
    #[default]
    No,
    /// They are seen again at these ticks; those that a block will store.
    Live {
        /// Times, ascending.
        ticks: Arc<[i64]>,
        /// The sample before the first one in the chunks.
        standing: Option<Sample>,
    },
    /// They are stored as samples at these ticks.
    Stored {
        /// Times, ascending.
        ticks: Arc<[i64]>,
        /// Ticks at which there is a sample of its own instead; ascending.
        own: Vec<i64>,
    },
}

/// What one place has of a series.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// Ascending by first time. In the head they may overlap.
    pub chunks: Vec<Chunk>,
    /// What is deleted.
    pub deleted: Intervals,
    /// Of a pushed series.
    pub holding: Holding,
    /// A sample of which it is known, without decoding, that it is the last one of a chunk.
    pub last: Option<(i64, f64)>,
}

/// A sample, and whether it is a held one.
pub type Seen = (Sample, bool);

impl Part {
    /// What is to be seen of it in `window`.
    pub fn read(&self, window: Window) -> Result<Vec<Seen>, BadChunk> {
        let live = matches!(self.holding, Holding::Live { .. }) && window.held;
        let wanted = |chunk: &&Chunk| chunk.mint <= window.maxt && (live || chunk.maxt >= window.mint);
        let mut samples = Vec::new();
        decode(self.chunks.iter().filter(wanted), &mut samples)?;
        let mut seen = self.holding.apply(samples, window.held);
        let mut gap = false;
        seen.retain_mut(|((t, value), _)| {
            let stays = !self.deleted.contains(*t);
            if stays && std::mem::take(&mut gap) {
                forget_reset(value);
            }
            gap |= !stays;
            stays && window.covers(*t, *t)
        });
        Ok(seen)
    }

    /// True when the samples of `chunk` that lie in `window` are what is to be seen of it.
    pub fn shows_plainly(&self, chunk: &Chunk, window: Window) -> bool {
        self.holding.is_settled(window.held) && !self.deleted.touches(times(chunk))
    }

    /// True when samples of it lie in `window`, as far as chunks and deletions tell without being decoded.
    pub fn shows_something(&self, window: Window) -> bool {
        let from = if self.holding.is_settled(window.held) {
            window.mint
        } else {
            i64::MIN
        };
        let met = |chunk: &&Chunk| chunk.mint <= window.maxt && chunk.maxt >= from;
        self.chunks
            .iter()
            .filter(met)
            .any(|chunk| !self.deleted.covers(times(chunk)))
    }
}

fn times(chunk: &Chunk) -> Interval {
    Interval {
        mint: chunk.mint,
        maxt: chunk.maxt,
    }
}

impl Holding {
    /// True when the samples in the chunks are those to be seen.
    pub fn is_settled(&self, held: bool) -> bool {
        match self {
            Self::No => true,
            Self::Live { ticks, .. } => !held || ticks.is_empty(),
            Self::Stored { ticks, .. } => held || ticks.is_empty(),
        }
    }

    fn apply(&self, samples: Vec<Sample>, held: bool) -> Vec<Seen> {
        match self {
            Self::Live { ticks, standing } if held => hold(samples, ticks, standing.clone()),
            Self::No | Self::Live { .. } => samples.into_iter().map(|sample| (sample, false)).collect(),
            Self::Stored { ticks, own } => {
                let (mut ticks, mut own) = (Passing(ticks), Passing(own));
                let seen = samples.into_iter().map(|sample| {
                    let is_held = ticks.has(sample.0) && !own.has(sample.0);
                    (sample, is_held)
                });
                seen.filter(|(_, is_held)| held || !is_held).collect()
            }
        }
    }
}

/// Repeat values at the ticks strictly between a sample and the next one. A stale marker ends that.
fn hold(samples: Vec<Sample>, ticks: &[i64], standing: Option<Sample>) -> Vec<Seen> {
    let mut out = Vec::with_capacity(samples.len() + ticks.len());
    let mut standing = standing.filter(|(_, value)| !value.is_stale());
    let mut ticks = ticks.iter().copied().peekable();
    let mut repeat = |standing: &Option<Sample>, until: Option<i64>, out: &mut Vec<Seen>| {
        while let Some(tick) = ticks.next_if(|tick| until.is_none_or(|until| *tick < until)) {
            if let Some((_, value)) = standing.as_ref().filter(|(t, _)| *t < tick) {
                out.push(((tick, value.clone()), true));
            }
        }
        ticks.next_if(|tick| Some(*tick) == until);
    };
    for sample in samples {
        repeat(&standing, Some(sample.0), &mut out);
        standing = Some(sample.clone()).filter(|(_, value)| !value.is_stale());
        out.push((sample, false));
    }
    repeat(&standing, None, &mut out);
    out
}

/// All samples of `chunks`, which ascend by first time: one sample a time.
pub fn decode<'c>(chunks: impl Iterator<Item = &'c Chunk>, out: &mut Vec<Sample>) -> Result<(), BadChunk> {
    let mut chunks = chunks.peekable();
    while let Some(first) = chunks.next() {
        let mut newest = first.maxt;
        let mut overlapping = vec![first.samples()?];
        while let Some(next) = chunks.next_if(|next| next.mint <= newest) {
            newest = newest.max(next.maxt);
            overlapping.push(next.samples()?);
        }
        let one = if overlapping.len() == 1 {
            overlapping.pop()
        } else {
            None
        };
        match one {
            Some(samples) => append(samples, out)?,
            None => append(Chain::new(overlapping), out)?,
        }
    }
    Ok(())
}

fn append(samples: impl Iterator<Item = Result<Sample, BadChunk>>, out: &mut Vec<Sample>) -> Result<(), BadChunk> {
    for sample in samples {
        out.push(sample?);
    }
    Ok(())
}

/// Times that are asked for ascending times.
struct Passing<'a>(&'a [i64]);

impl Passing<'_> {
    fn has(&mut self, t: i64) -> bool {
        let passed = self.0.partition_point(|time| *time < t);
        self.0 = self.0.get(passed..).unwrap_or_default();
        self.0.first() == Some(&t)
    }
}
