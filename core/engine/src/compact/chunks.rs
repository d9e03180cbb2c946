//! The chunks of one series from several inputs, as the chunks of one block.
//!
//! What can be copied is copied: a chunk that no other overlaps, that lies in the window and that no deletion meets.
//! All others are decoded, merged as Prometheus merges them, and encoded anew.

use super::encode::encode;
use crate::chunk::{BadChunk, Chunk};
use crate::merge::{join, Chain, Heap, Holding, Part, Ranked, Window};

/// What becomes of a series.
#[derive(Debug, Clone, Default)]
pub struct Joined {
    /// Ascending and apart.
    pub chunks: Vec<Chunk>,
    /// Of a held series: the ticks at which it has a sample of its own.
    pub own: Option<Vec<i64>>,
}

/// Join the parts of one series. `ticks` are those of all inputs, as far as they lie in the window.
pub fn join_parts(parts: &[Part], window: Window, ticks: &[i64]) -> Result<Joined, BadChunk> {
    if parts.iter().all(|part| matches!(part.holding, Holding::No)) {
        let chunks = join_chunks(parts, window)?;
        return Ok(Joined { chunks, own: None });
    }
    if parts.iter().all(|part| is_settled(part, ticks)) && !overlap(parts) {
        return Ok(Joined {
            chunks: join_chunks(parts, window)?,
            own: Some(stored_own(parts, window)),
        });
    }
    let seen = join(parts, window)?;
    let own = seen
        .iter()
        .filter(|((t, _), held)| !held && ticks.binary_search(t).is_ok());
    Ok(Joined {
        own: Some(own.map(|((t, _), _)| *t).collect()),
        chunks: encode(seen.into_iter().map(|(sample, _)| Ok(sample)))?,
    })
}

/// True when a part's own account of its samples at ticks holds for the ticks of all parts too.
fn is_settled(part: &Part, ticks: &[i64]) -> bool {
    let known: &[i64] = match &part.holding {
        Holding::No => &[],
        Holding::Stored { ticks, .. } => ticks,
        Holding::Live { .. } => return false,
    };
    part.chunks.iter().all(|chunk| {
        let from = ticks.partition_point(|tick| *tick < chunk.mint);
        let mut inside = ticks.iter().skip(from).take_while(|tick| **tick <= chunk.maxt);
        inside.all(|tick| known.binary_search(tick).is_ok())
    })
}

/// True when chunks of two parts may have samples at one time.
fn overlap(parts: &[Part]) -> bool {
    let all = || {
        parts
            .iter()
            .enumerate()
            .flat_map(|(place, part)| part.chunks.iter().map(move |chunk| (place, chunk)))
    };
    let mut ranges: Vec<(i64, i64)> = all().map(|(_, chunk)| (chunk.mint, chunk.maxt)).collect();
    ranges.sort_unstable();
    ranges.windows(2).any(|pair| matches!(pair, [a, b] if b.0 <= a.1))
}

fn stored_own(parts: &[Part], window: Window) -> Vec<i64> {
    let own = parts.iter().flat_map(|part| match &part.holding {
        Holding::Stored { own, .. } => own.as_slice(),
        Holding::No | Holding::Live { .. } => &[],
    });
    let mut own: Vec<i64> = own.copied().filter(|t| window.covers(*t, *t)).collect();
    own.sort_unstable();
    own.dedup();
    own
}

/// The chunks of one part that are still to come; there is at least one.
struct Rest {
    first: Chunk,
    others: std::vec::IntoIter<Chunk>,
}

impl Rest {
    fn of(mut chunks: std::vec::IntoIter<Chunk>) -> Option<Self> {
        let first = chunks.next()?;
        Some(Self { first, others: chunks })
    }
}

impl Ranked for Rest {
    fn is_before(&self, other: &Self) -> bool {
        (self.first.mint, self.first.maxt) < (other.first.mint, other.first.maxt)
    }
}

/// As Prometheus' compacting merger: chunks that overlap become one run, copies of a chunk count once.
fn join_chunks(parts: &[Part], window: Window) -> Result<Vec<Chunk>, BadChunk> {
    let mut waiting = Heap::default();
    for part in parts {
        Rest::of(visible_chunks(part, window)?.into_iter())
            .into_iter()
            .for_each(|rest| waiting.push(rest));
    }
    let take = |waiting: &mut Heap<Rest>, until: i64| {
        let Rest { first, others } = waiting.pop_if(|rest| rest.first.mint <= until)?;
        Rest::of(others).into_iter().for_each(|rest| waiting.push(rest));
        Some(first)
    };
    let mut out = Vec::new();
    while let Some(first) = take(&mut waiting, i64::MAX) {
        let mut newest = first.maxt;
        let mut overlapping: Vec<Chunk> = Vec::new();
        while let Some(next) = take(&mut waiting, newest) {
            if !is_copy(overlapping.last().unwrap_or(&first), &next) {
                newest = newest.max(next.maxt);
                overlapping.push(next);
            }
        }
        if overlapping.is_empty() {
            out.push(first);
            continue;
        }
        overlapping.push(first); // last, for the sake of ties
        let runs = overlapping.iter().map(|chunk| chunk.samples());
        out.extend(encode(Chain::new(runs.collect::<Result<_, _>>()?))?);
    }
    Ok(out)
}

/// The chunks of a part without what lies outside of the window or is deleted.
fn visible_chunks(part: &Part, window: Window) -> Result<Vec<Chunk>, BadChunk> {
    let mut visible = Vec::with_capacity(part.chunks.len());
    for chunk in part.chunks.iter().filter(|chunk| window.meets(chunk.mint, chunk.maxt)) {
        if window.covers(chunk.mint, chunk.maxt) && part.shows_plainly(chunk, window) {
            visible.push(chunk.clone());
            continue;
        }
        let alone = Part {
            chunks: vec![chunk.clone()],
            deleted: part.deleted.clone(),
            holding: Holding::No,
            last: None,
        };
        visible.extend(encode(alone.read(window)?.into_iter().map(|(sample, _)| Ok(sample)))?);
    }
    visible.sort_by_key(|chunk| (chunk.mint, chunk.maxt)); // deletions may change which one begins first
    Ok(visible)
}

fn is_copy(a: &Chunk, b: &Chunk) -> bool {
    (a.mint, a.maxt, a.encoding) == (b.mint, b.maxt, b.encoding) && *a.data == *b.data
}
