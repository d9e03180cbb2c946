//! A block that is open for reading.

use super::{ChunkFiles, Damage, File, Held, HeldSeries, Index, Interval, Reason, Tombstones};
use crate::blob::Blob;

/// The files of a block. Whoever opens them keeps them mapped as long as the block, or a chunk of it, lives.
#[derive(Debug)]
pub struct Block {
    index: Index,
    chunks: ChunkFiles,
    tombstones: Tombstones,
    held: Held,
    /// Of the held series, in the order of `held`: looking one up must not read the list of all series.
    held_references: Vec<u32>,
}

impl Block {
    /// Open a block from its files: `chunks` in the order of their names; without `tombstones` nothing is deleted, without
    /// `held` every sample is real.
    pub fn open(index: Blob, chunks: Vec<Blob>, tombstones: Option<Blob>, held: Option<Blob>) -> Result<Self, Damage> {
        let index = Index::open(index)?;
        let tombstones = tombstones.map(|file| Tombstones::read(&file)).transpose()?;
        let held = held.map(Held::open).transpose()?.unwrap_or_default();
        Ok(Self {
            held_references: references(&index, &held)?,
            index,
            chunks: ChunkFiles::open(chunks)?,
            tombstones: tombstones.unwrap_or_default(),
            held,
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
    pub fn held_series(&self, reference: u32) -> Option<HeldSeries<'_>> {
        let place = self.held_references.binary_search(&reference).ok()?;
        self.held.nth(place)
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

fn references(index: &Index, held: &Held) -> Result<Vec<u32>, Damage> {
    if held.ordinals().len() == 0 {
        return Ok(Vec::new());
    }
    let all = index.all()?;
    let reference = |ordinal: u32| {
        all.get(ordinal as usize).ok_or(Damage {
            file: File::Held,
            offset: 0,
            length: 0,
            reason: Reason::NoSeries(ordinal.into()),
        })
    };
    held.ordinals().map(reference).collect()
}
