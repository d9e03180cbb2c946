//! The head: every series and its recent samples, in memory, rebuilt from the log at start.
//!
//! A batch goes through it in two steps. [`Head::stage`] checks it and encodes its log records; when those are durable,
//! [`Head::commit`] makes the samples visible. Between the two the batch counts in order checks and nowhere else.
//!
//! Invariant that both steps and the rollback rest on: batches commit in stage order, so series become visible in the order
//! in which they were created, and one watermark (`Index::visible`) tells visible slots from staged ones.

mod admit;
mod attach;
mod cardinality;
mod checkpoint;
mod deletions;
mod entries;
mod exemplars;
mod in_order;
mod index;
mod known;
mod late;
mod map;
mod mapped;
mod metadata;
mod notes;
mod out_of_order;
mod postings;
mod refusal;
mod replay;
mod retired;
mod room;
mod routes;
mod series;
mod slots;
mod stage;
mod successor;
mod truncate;

pub use crate::merge::Window;
pub use attach::Attached;
pub use cardinality::{Cardinality, Count};
pub use deletions::Deletion;
pub use exemplars::{Exemplar, SeriesExemplars};
pub use late::LateCut;
pub use map::ClosedChunks;
pub use notes::ExemplarRefusals;
pub use refusal::{Refusals, Refused, RefusedReason};
pub use replay::{Replayed, StillStaged};
pub use room::Room;
pub use stage::{NotStaged, Staged};

use std::collections::{BTreeSet, VecDeque};

use crate::batch::{Key, KeySeeds, Place};
use crate::chunk::sequence::{range_end, CHUNK_RANGE};
use crate::labels::Labels;
use crate::sample::Value;
use crate::wal::{Compression, SeriesRef};
use index::Index;
use series::Series;

/// Series and samples in memory.
#[derive(Default)]
pub struct Head {
    index: Index,
    routes: routes::Routes,
    known: known::KnownSeries,
    series: slots::Slots,
    retired: retired::Retired,
    truncation: truncate::Truncation,
    recovery: attach::Recovery,
    deletions: deletions::Deletions,
    /// Where mapped chunks are.
    files: mapped::ChunkFiles,
    /// Slots of series with chunks that wait to be mapped, each once.
    to_map: VecDeque<u32>,
    /// Slots of series with samples that came out of order.
    late: BTreeSet<u32>,
    pending: VecDeque<stage::Pending>,
    scratch: admit::Scratch,
    accepts: Accepts,
    stats: Stats,
    /// Times of hold ticks, ascending.
    ticks: Vec<i64>,
    /// Series whose values are held.
    held: usize,
    last_ref: u64,
    next_stage: u64,
    staged_seq: u64,
    compression: Compression,
    exemplars: exemplars::Exemplars,
    metadata: metadata::MetadataTable,
}

/// Times that are accepted, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The oldest, ms.
    pub min: i64,
    /// The newest, ms.
    pub max: i64,
}

impl Bounds {
    fn check(&self, t: i64) -> Result<(), RefusedReason> {
        if t < self.min || t > self.max {
            return Err(RefusedReason::OutOfBounds(self.min, self.max));
        }
        Ok(())
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            min: i64::MIN,
            max: i64::MAX,
        }
    }
}

/// Which times are accepted, as far as the samples that are there don't decide it.
struct Accepts {
    bounds: Bounds,
    /// Samples before this time are in blocks, ms.
    min_valid: i64,
    /// How much older than the newest sample of the head one that comes out of order may be, ms; 0 refuses them all.
    window: i64,
}

impl Default for Accepts {
    fn default() -> Self {
        Self {
            bounds: Bounds::default(),
            min_valid: i64::MIN,
            window: 0,
        }
    }
}

/// What the head holds; only what is committed counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Samples accepted over the store's life.
    pub seq: u64,
    /// Series with at least one sample.
    pub series: usize,
    /// Chunks of all series.
    pub chunks: usize,
    /// Oldest and newest sample, ms.
    pub range: Option<(i64, i64)>,
    /// Bytes of labels and samples, without the index over them.
    pub bytes: usize,
}

impl Head {
    /// An empty head.
    pub fn new() -> Self {
        Self::default()
    }

    /// Refuse samples outside of `bounds` from now on.
    pub fn set_bounds(&mut self, bounds: Bounds) {
        self.accepts.bounds = bounds;
    }

    /// Samples before `t` ms are in blocks: neither the log nor anybody else brings them in.
    pub fn set_min_valid(&mut self, t: i64) {
        self.accepts.min_valid = t;
    }

    /// The range of the next block, [from, to) ms, once there are samples or ticks of held values half a range beyond it: no more can
    /// come into it by then, but for those that come out of order.
    pub fn next_block(&self) -> Option<(i64, i64)> {
        let (min, max) = self.extent()?;
        (max.saturating_sub(min) > CHUNK_RANGE / 2 * 3).then(|| (min, range_end(min)))
    }

    /// Oldest and newest time at which there is something to be seen: samples that came in order, and ticks when values are held.
    pub fn extent(&self) -> Option<(i64, i64)> {
        let ticks = self.ticks.first().zip(self.ticks.last()).filter(|_| self.held > 0);
        let ticks = ticks.map(|(first, last)| (*first, *last));
        match (self.stats.range, ticks) {
            (Some((min, max)), Some((first, last))) => Some((min.min(first), max.max(last))),
            (range, ticks) => range.or(ticks),
        }
    }

    /// Lay out log records for the compression that they will get.
    pub fn set_compression(&mut self, compression: Compression) {
        self.compression = compression;
    }

    /// What is in it.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// The packed labels of a series by what the log calls it.
    pub fn labels(&self, reference: SeriesRef) -> Option<&[u8]> {
        let slot = self.index.resolve(reference, &self.series);
        let series = slot.and_then(|slot| self.series.get(slot as usize));
        let retired = || self.retired.labels(reference);
        series.map(|series| series.labels().packed()).or_else(retired)
    }

    /// The same, to be kept.
    pub fn shared_labels(&self, reference: SeriesRef) -> Option<std::sync::Arc<[u8]>> {
        let slot = self.index.resolve(reference, &self.series);
        let series = slot.and_then(|slot| self.series.get(slot as usize));
        let retired = || self.retired.shared_labels(reference);
        series.map(series::Series::shared_labels).or_else(retired)
    }

    /// Note that held series repeat their value at `t` ms. The tick must be durable.
    pub fn commit_tick(&mut self, t: i64) {
        if let Err(place) = self.ticks.binary_search(&t) {
            self.ticks.insert(place, t);
        }
    }

    /// What senders' names of series are turned into keys with.
    pub fn key_seeds(&self) -> KeySeeds {
        self.known.seeds()
    }

    /// Slot and reference of a series that was staged under this key. It may have left since.
    pub fn known(&self, key: Key) -> Option<Place> {
        self.known.find(key)
    }

    /// Find or create; the slot. `room` is how many may be created.
    fn intern(&mut self, labels: Labels<'_>, room: &mut usize) -> Result<u32, RefusedReason> {
        let hash = self.index.hash(labels);
        match self.index.find(hash, labels, &self.series) {
            Some(slot) => Ok(slot),
            None if self.series.is_full() => Err(RefusedReason::Full),
            None if *room == 0 => Err(RefusedReason::TooManySeries),
            None => {
                *room -= 1;
                self.last_ref += 1;
                Ok(self.create(hash, labels, SeriesRef(self.last_ref)))
            }
        }
    }

    fn create(&mut self, hash: u32, labels: Labels<'_>, reference: SeriesRef) -> u32 {
        let slot = self.series.len() as u32;
        self.series.push(Series::new(reference, labels));
        self.index.insert(hash, slot, reference, &self.series);
        slot
    }

    /// Make a sample of `slot` visible that is newer than all others of it.
    fn append(&mut self, slot: u32, t: i64, value: &Value, held: bool) {
        let Some(series) = self.series.get_mut(slot as usize) else {
            return;
        };
        if series.is_empty() {
            self.stats.series += 1;
            self.stats.bytes += series.overhead();
        }
        self.held += usize::from(held && !series.is_held());
        series.hold(held);
        let chunks = series.in_order().len();
        self.stats.bytes += series.append(t, value);
        self.stats.chunks += series.in_order().len() - chunks;
        if series.enqueue() {
            self.to_map.push_back(slot);
        }
        self.extend_range(t, t);
    }

    /// Samples from `mint` to `maxt` are there.
    fn extend_range(&mut self, mint: i64, maxt: i64) {
        if maxt < self.accepts.min_valid {
            return; // a value that is held beyond the end of the newest block
        }
        let mint = mint.max(self.accepts.min_valid);
        let (min, max) = self.stats.range.unwrap_or((mint, maxt));
        self.stats.range = Some((min.min(mint), max.max(maxt)));
        self.truncation.note(mint);
    }
}
