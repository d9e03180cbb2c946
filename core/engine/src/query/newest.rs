//! The newest sample of each series, without decoding more than it takes to find it.

use std::sync::Arc;

use super::limits::{Failed, Limits};
use crate::chunk::{xor, BadChunk, Chunk, Encoding};
use crate::labels::{compare, Labels};
use crate::merge::{join, Part, SeriesStream, Streams, Window};
use crate::sample::{Sample, Value};

/// A series and its newest sample.
#[derive(Debug, Clone)]
pub struct Newest {
    /// Packed.
    pub labels: Arc<[u8]>,
    /// When, ms.
    pub t: i64,
    /// What.
    pub value: Value,
}

/// The newest sample in `window` of each series that `places` give; series that have ended, or have none, are left out.
pub fn newest(places: Vec<Box<dyn SeriesStream>>, window: Window, limits: &Limits) -> Result<Vec<Newest>, Failed> {
    let mut streams = Streams::new(places);
    let mut found = Vec::new();
    while let Some(series) = streams.next_series()? {
        let sample = newest_of(&series.parts, window).map_err(|_| Failed::Chunk(series.labels.clone()))?;
        if let Some((t, value)) = sample.filter(|(_, value)| !value.is_stale()) {
            let labels = series.labels;
            found.push(Newest { labels, t, value });
            limits.check_series(found.len())?;
        }
    }
    Ok(found)
}

/// The series of several selectors, each once, in label order.
pub fn union_newest(sets: Vec<Vec<Newest>>) -> Vec<Newest> {
    let several = sets.len() > 1;
    let mut all: Vec<Newest> = sets.into_iter().flatten().collect();
    if several {
        all.sort_by(|a, b| compare(Labels::trusted(&a.labels), Labels::trusted(&b.labels)));
        all.dedup_by(|a, b| a.labels == b.labels);
    }
    all
}

fn newest_of(parts: &[Part], window: Window) -> Result<Option<Sample>, BadChunk> {
    match last_chunk(parts, window) {
        Some(None) => Ok(None),
        Some(Some((part, chunk))) => match part.last {
            Some((t, value)) if t == chunk.maxt && t <= window.maxt => Ok(Some((t, Value::Float(value)))),
            _ => last_of(chunk, window),
        },
        None => Ok(join(parts, window)?.pop().map(|(sample, _)| sample)),
    }
}

/// The chunk that has the newest sample in `window`, `Some(None)` when no chunk meets it; None when chunks alone don't tell.
fn last_chunk(parts: &[Part], window: Window) -> Option<Option<(&Part, &Chunk)>> {
    let mut last: Option<(&Part, &Chunk)> = None;
    let mut before = i64::MIN;
    for part in parts {
        if !part.holding.is_settled(window.held) {
            return None;
        }
        for chunk in part.chunks.iter().filter(|chunk| window.meets(chunk.mint, chunk.maxt)) {
            match last {
                Some((_, known)) if chunk.maxt <= known.maxt => before = before.max(chunk.maxt),
                _ => {
                    before = before.max(last.map_or(i64::MIN, |(_, known)| known.maxt));
                    last = Some((part, chunk));
                }
            }
        }
    }
    let Some((part, chunk)) = last else {
        return Some(None);
    };
    (before < chunk.mint && part.shows_plainly(chunk, window)).then_some(Some((part, chunk)))
}

fn last_of(chunk: &Chunk, window: Window) -> Result<Option<Sample>, BadChunk> {
    let mut last = None;
    if chunk.encoding == Encoding::Xor {
        for sample in xor::Samples::new(&chunk.data)? {
            let (t, value) = sample?;
            if t > window.maxt {
                break;
            }
            last = Some((t, value));
        }
        return Ok(last
            .filter(|(t, _)| *t >= window.mint)
            .map(|(t, value)| (t, Value::Float(value))));
    }
    let mut last = None;
    for sample in chunk.samples()? {
        let sample = sample?;
        if sample.0 > window.maxt {
            break;
        }
        last = Some(sample);
    }
    Ok(last.filter(|(t, _)| *t >= window.mint))
}
