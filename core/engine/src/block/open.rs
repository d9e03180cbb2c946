//! A block that is open for reading.

use super::{ChunkFiles, Damage, Held, HeldSeries, Index, Interval, Tombstones};
use crate::blob::Blob;

/// The files of a block. Whoever opens them keeps them mapped as long as the block, or a chunk of it, lives.
#[derive(Debug)]
pub struct Block {
    index: Index,
    chunks: ChunkFiles,
    tombstones: Tombstones,
    held: Held,
}

impl Block {
    /// Open a block from its files: `chunks` in the order of their names; without `tombstones` nothing is deleted, without
    /// `held` every sample is real.
    pub fn open(index: Blob, chunks: Vec<Blob>, tombstones: Option<Blob>, held: Option<Blob>) -> Result<Self, Damage> {
        Ok(Self {
            index: Index::open(index)?,
            chunks: ChunkFiles::open(chunks)?,
            tombstones: tombstones
                .map(|file| Tombstones::read(&file))
                .transpose()?
                .unwrap_or_default(),
            held: held.map(Held::open).transpose()?.unwrap_or_default(),
        })
    }

    /// Names, values, postings and series.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Chunks, by what the index says of them.
    pub fn chunks(&self) -> &ChunkFiles {
        &self.chunks
    }

    /// What is deleted, by reference of the series.
    pub fn tombstones(&self) -> &Tombstones {
        &self.tombstones
    }

    /// Which samples are virtual, by ordinal of the series.
    pub fn held(&self) -> &Held {
        &self.held
    }

    /// What is virtual in a series; `None` when all of its samples are real.
    pub fn held_series(&self, reference: u32) -> Result<Option<HeldSeries<'_>>, Damage> {
        if self.held.ordinals().len() == 0 {
            return Ok(None);
        }
        let ordinal = self.index.all()?.place_of(reference);
        Ok(ordinal.and_then(|ordinal| self.held.series(ordinal as u32)))
    }

    /// The tombstones as they are after deleting `interval` of these series: of each, what lies in the times of its chunks.
    pub fn delete(&self, references: impl Iterator<Item = u32>, interval: Interval) -> Result<Tombstones, Damage> {
        let mut tombstones = self.tombstones.clone();
        let (mut labels, mut chunks) = (Vec::new(), Vec::new());
        for reference in references {
            self.index.series(reference, &mut labels, &mut chunks)?;
            let times = chunks.first().zip(chunks.last()).map(|(first, last)| Interval {
                mint: first.mint,
                maxt: last.maxt,
            });
            if let Some(clamped) = times.and_then(|times| interval.clamp(times)) {
                tombstones.add(reference.into(), clamped);
            }
        }
        Ok(tombstones)
    }
}
