//! The samples of one series from all places that have some.

use super::chain::Chain;
use super::part::{Part, Seen, Window};
use crate::chunk::BadChunk;
use crate::sample::Sample;

/// What `parts` show of a series in `window`, one sample a time. A sample of its own wins over a held one.
///
/// The order of `parts` takes part in which of several samples at one time is kept, see [`Chain`]: blocks by their first
/// time, then the head.
pub fn join(parts: &[Part], window: Window) -> Result<Vec<Seen>, BadChunk> {
    let (mut own, mut held) = (Vec::new(), Vec::new());
    for part in parts {
        let (virtual_ones, real): (Vec<Seen>, Vec<Seen>) = part.read(window)?.into_iter().partition(|(_, held)| *held);
        own.push(real);
        held.push(virtual_ones);
    }
    let (own, held) = (one_run(own)?, one_run(held)?);
    if held.is_empty() {
        return Ok(own.into_iter().map(|sample| (sample, false)).collect());
    }
    let mut out = Vec::with_capacity(own.len() + held.len());
    let mut held = held.into_iter().peekable();
    for sample in own {
        while let Some(before) = held.next_if(|(t, _)| *t < sample.0) {
            out.push((before, true));
        }
        held.next_if(|(t, _)| *t == sample.0);
        out.push((sample, false));
    }
    out.extend(held.map(|sample| (sample, true)));
    Ok(out)
}

fn one_run(mut runs: Vec<Vec<Seen>>) -> Result<Vec<Sample>, BadChunk> {
    runs.retain(|run| !run.is_empty());
    let samples = |run: Vec<Seen>| run.into_iter().map(|(sample, _)| sample);
    if let [_] | [] = runs.as_slice() {
        return Ok(runs.pop().map(|run| samples(run).collect()).unwrap_or_default());
    }
    Chain::new(runs.into_iter().map(|run| samples(run).map(Ok)).collect()).collect()
}
