//! Reading every byte of a block: each checksum, each order, each reference, each sample.
//!
//! Damage does not end the search. What lies behind it is found again where the format allows it: sections by the table of
//! contents, series by their alignment and checksum, chunks by the series that name them.

mod chunks;
mod index;
mod postings;
mod sections;

use super::chunk_files::check_header;
use super::contents::Contents;
use super::{Damage, Held, Reason, Stats, Tombstones};
use crate::blob::Blob;
use chunks::ChunkWalk;

/// Damage beyond so many ranges is only counted: a file of noise must not fill the memory.
const MAX_DAMAGE: usize = 10_000;

/// What was found.
#[derive(Debug, Default)]
pub struct Verification {
    /// Ranges that cannot be believed, by file and offset.
    pub damage: Vec<Damage>,
    /// Ranges beyond those in `damage`.
    pub omitted: u64,
    /// What stands in the block, damaged parts left out; for a comparison with `meta.json`.
    pub stats: Stats,
    /// Chunks that lie on both sides of a multiple of two hours. Prometheus' head does not write such; it reads them.
    pub crossing: u64,
}

impl Verification {
    fn report(&mut self, damage: Damage) {
        if self.damage.len() < MAX_DAMAGE {
            self.damage.push(damage);
        } else {
            self.omitted += 1;
        }
    }
}

/// Read all files of a block, whatever is in them. Arguments as for [`super::Block::open`].
pub fn verify(index: &Blob, chunks: &[Blob], tombstones: Option<&Blob>, held: Option<&Blob>) -> Verification {
    let mut found = Verification::default();
    for (number, file) in chunks.iter().enumerate() {
        let _ = check_header(file, number).map_err(|damage| found.report(damage));
    }
    let mut walk = ChunkWalk::new(chunks);
    let series = match Contents::read(index) {
        Ok(contents) => Some(index::verify(index, &contents, &mut walk, &mut found)),
        Err(damage) => {
            found.report(damage);
            walk.without_index(&mut found);
            None
        }
    };
    if let Some(file) = tombstones {
        match Tombstones::read(file) {
            Ok(stones) => series
                .iter()
                .for_each(|series| series.check_tombstones(&stones, file.len(), &mut found)),
            Err(damage) => found.report(damage),
        }
    }
    if let Some(file) = held {
        match Held::open(file.clone()) {
            Ok(held) => series
                .iter()
                .for_each(|series| series.check_held(&held, file.len(), &mut found)),
            Err(damage) => found.report(damage),
        }
    }
    found.damage.sort_by_key(|damage| (damage.file, damage.offset));
    found
}

/// The series that were found, by reference, ascending.
struct Found {
    references: Vec<u32>,
    /// None is missing because of damage.
    whole: bool,
}

impl Found {
    fn check_tombstones(&self, stones: &Tombstones, length: usize, found: &mut Verification) {
        let unknown =
            |reference: u64| u32::try_from(reference).map_or(true, |r| self.references.binary_search(&r).is_err());
        let stray = stones
            .iter()
            .map(|(reference, _)| reference)
            .find(|reference| self.whole && unknown(*reference));
        if let Some(reference) = stray {
            found.report(Damage {
                file: super::File::Tombstones,
                offset: 0,
                length: length as u64,
                reason: Reason::NoSeries(reference),
            });
        }
    }

    fn check_held(&self, held: &Held, length: usize, found: &mut Verification) {
        let stray = held
            .ordinals()
            .find(|ordinal| self.whole && *ordinal as usize >= self.references.len());
        if let Some(ordinal) = stray {
            found.report(Damage {
                file: super::File::Held,
                offset: 0,
                length: length as u64,
                reason: Reason::NoSeries(ordinal.into()),
            });
        }
    }
}
