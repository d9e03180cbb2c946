//! Whose the rows of a batch are: label sets in its arena, or series that the head is known to have.

use std::hash::{BuildHasher, Hash, Hasher};

use ahash::RandomState;

use super::Batch;
use crate::labels::Labels;
use crate::wal::SeriesRef;

/// What a label set is known again by, without looking at it: 128 bits of seeded hashes over what a sender calls it. Strangers
/// choose the labels, not the seeds; two series that share the bits by chance are not to be expected in the life of a store.
pub type Key = (u64, u64);

/// Where a series is in the head, and what it is called there.
pub type Place = (u32, SeriesRef);

/// What keys are made with.
#[derive(Debug, Clone)]
pub struct KeySeeds(RandomState, RandomState);

impl KeySeeds {
    /// With these seeds.
    pub fn new(first: RandomState, second: RandomState) -> Self {
        Self(first, second)
    }

    /// The key of `name`, which means a label set within `domain` and may mean another one elsewhere.
    pub fn of(&self, domain: u64, name: &[u8]) -> Key {
        let hash = |seed: &RandomState| {
            let mut hasher = seed.build_hasher();
            hasher.write_u64(domain);
            hasher.write(name);
            hasher.finish()
        };
        (hash(&self.0), hash(&self.1))
    }

    /// The key of a name that is told by the keys of its parts.
    pub fn combine(&self, domain: u64, parts: &[Key]) -> Key {
        let hash = |seed: &RandomState, part: fn(&Key) -> u64| {
            let mut hasher = seed.build_hasher();
            hasher.write_u64(domain);
            parts.iter().for_each(|key| hasher.write_u64(part(key)));
            hasher.finish()
        };
        (hash(&self.0, |key| key.0), hash(&self.1, |key| key.1))
    }
}

/// A series as a batch names it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Subject<'b> {
    /// By its labels; by no labels at all when nobody gave any.
    Labels(Labels<'b>),
    /// By its labels, and by a key under which the head is to know it again.
    Keyed(Labels<'b>, Key),
    /// By its place in the head, as of when the batch was made.
    Known {
        /// Where it is.
        slot: u32,
        /// What it is called there, if it is there still.
        reference: SeriesRef,
    },
}

impl<'b> Subject<'b> {
    /// Its labels, as far as the batch knows them.
    pub fn labels(self) -> Labels<'b> {
        match self {
            Self::Labels(labels) | Self::Keyed(labels, _) => labels,
            Self::Known { .. } => Labels::default(),
        }
    }
}

/// Where a batch has a subject.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Spot {
    /// A range of the arena.
    Arena(u32, u32),
    /// The number of a range of the arena that has a key.
    Keyed(u32),
    /// The number of a known series.
    Known(u32),
}

impl Spot {
    pub(super) fn hash(self, state: &mut impl Hasher) {
        match self {
            Self::Arena(_, end) => end.hash(state),
            Self::Keyed(number) => (u32::MAX, number).hash(state),
            Self::Known(number) => (u32::MAX - 1, number).hash(state),
        }
    }
}

impl Default for Spot {
    fn default() -> Self {
        Self::Arena(0, 0)
    }
}

/// The subjects of a batch beside its arena.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Subjects {
    /// Whose the next row is.
    pub(super) current: Spot,
    /// Up to here the arena belongs to rows.
    claimed: u32,
    /// Ranges of the arena, and their keys.
    keyed: Vec<(u32, u32, Key)>,
    /// Slots and references.
    known: Vec<Place>,
}

impl Batch {
    /// The next rows are of the label set just appended to the arena, which the head will know again by `key`.
    pub fn begin(&mut self, key: Key) {
        let (start, end) = (self.subjects.claimed, self.arena.len() as u32);
        self.subjects.claimed = end;
        self.subjects.current = Spot::Keyed(self.subjects.keyed.len() as u32);
        self.subjects.keyed.push((start, end, key));
    }

    /// The next rows are of the label set just appended to the arena.
    pub fn begin_unkeyed(&mut self) {
        self.claim();
    }

    /// The next rows are of a series that the head has.
    pub fn begin_known(&mut self, slot: u32, reference: SeriesRef) {
        self.subjects.current = Spot::Known(self.subjects.known.len() as u32);
        self.subjects.known.push((slot, reference));
    }

    /// Whatever was appended to the arena since the last label set, nothing included, is the next one.
    pub(super) fn claim(&mut self) {
        let end = self.arena.len() as u32;
        self.subjects.current = Spot::Arena(self.subjects.claimed, end);
        self.subjects.claimed = end;
    }

    /// The label set just appended to the arena, else the last row's series.
    pub(super) fn noted(&mut self) -> Spot {
        if self.arena.len() as u32 > self.subjects.claimed {
            self.claim();
        }
        self.subjects.current
    }

    pub(super) fn subject(&self, place: Spot) -> Subject<'_> {
        match place {
            Spot::Arena(start, end) => Subject::Labels(self.packed(start, end)),
            Spot::Keyed(number) => match self.subjects.keyed.get(number as usize) {
                Some(&(start, end, key)) => Subject::Keyed(self.packed(start, end), key),
                None => Subject::Labels(Labels::default()),
            },
            Spot::Known(number) => match self.subjects.known.get(number as usize) {
                Some(&(slot, reference)) => Subject::Known { slot, reference },
                None => Subject::Labels(Labels::default()),
            },
        }
    }

    fn packed(&self, start: u32, end: u32) -> Labels<'_> {
        let packed = self.arena.get(start as usize..end as usize);
        Labels::trusted(packed.unwrap_or_default())
    }
}
