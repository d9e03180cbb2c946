//! The chunks of one series from several inputs, as the chunks of one block.
//!
//! What can be copied is copied: a chunk that no other overlaps, that lies in the window and that no deletion meets.
//! All others are decoded, merged as Prometheus merges them, and encoded anew.

use super::encode::encode;
use crate::chunk::{BadChunk, Chunk};
use crate::merge::{join, Chain, Holding, Part, Window};

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

/// As Prometheus' compacting merger: chunks that overlap become one run, copies of a chunk count once.
fn join_chunks(parts: &[Part], window: Window) -> Result<Vec<Chunk>, BadChunk> {
    let mut rest = visible_chunks(parts, window)?.into_iter().peekable();
    let mut out = Vec::with_capacity(rest.len());
    while let Some(first) = rest.next() {
        let mut newest = first.maxt;
        let mut overlapping: Vec<Chunk> = Vec::new();
        while let Some(next) = rest.next_if(|next| next.mint <= newest) {
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

/// Chunks by their first time, without what lies outside of the window or is deleted.
fn visible_chunks(parts: &[Part], window: Window) -> Result<Vec<Chunk>, BadChunk> {
    let mut all = Vec::new();
    for part in parts {
        for chunk in part.chunks.iter().filter(|chunk| window.meets(chunk.mint, chunk.maxt)) {
            if window.covers(chunk.mint, chunk.maxt) && part.shows_plainly(chunk, window) {
                all.push(chunk.clone());
                continue;
            }
            let alone = Part {
                chunks: vec![chunk.clone()],
                deleted: part.deleted.clone(),
                holding: Holding::No,
            };
            all.extend(encode(alone.read(window)?.into_iter().map(|(sample, _)| Ok(sample)))?);
        }
    }
    all.sort_by_key(|chunk| (chunk.mint, chunk.maxt));
    Ok(all)
}

fn is_copy(a: &Chunk, b: &Chunk) -> bool {
    (a.mint, a.maxt, a.encoding) == (b.mint, b.maxt, b.encoding) && *a.data == *b.data
}
