//! Blocks made of other blocks, of the head and of rows, against a plain model.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod held;
mod model;
mod overlap;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use engine::block::{Interval, Intervals};
use engine::chunk::{xor, Chunk, Encoding};
use engine::compact::{Merge, Merged};
use engine::labels::pack;
use engine::merge::{Entry, Fault, Holding, Part, SeriesStream};
use engine::sample::Value;

/// Series that are given.
struct Given {
    entries: VecDeque<Entry>,
    ticks: Vec<i64>,
}

impl SeriesStream for Given {
    fn ticks(&self) -> Arc<[i64]> {
        self.ticks.clone().into()
    }

    fn next_series(&mut self) -> Result<Option<Entry>, Fault> {
        Ok(self.entries.pop_front())
    }
}

/// `{i="<name>"}`, packed.
fn labels(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    pack(&mut [("i", name)], &mut out).unwrap();
    out
}

fn floats(samples: &[(i64, f64)]) -> Chunk {
    let ((t, value), rest) = samples.split_first().unwrap();
    let mut appender = xor::Appender::new(*t, *value);
    rest.iter().for_each(|(t, value)| appender.append(*t, *value));
    Chunk {
        mint: *t,
        maxt: appender.last().0,
        encoding: Encoding::Xor,
        data: appender.into_bytes().into_vec().into(),
    }
}

/// Intervals with both ends included.
fn deleted(intervals: &[(i64, i64)]) -> Intervals {
    let mut out = Intervals::default();
    let interval = |(mint, maxt): &(i64, i64)| Interval {
        mint: *mint,
        maxt: *maxt,
    };
    intervals.iter().map(interval).for_each(|interval| out.add(interval));
    out
}

/// A part of these chunks, nothing deleted or held.
fn part(chunks: &[&[(i64, f64)]]) -> Part {
    Part {
        chunks: chunks.iter().map(|samples| floats(samples)).collect(),
        ..Part::default()
    }
}

fn stream(entries: Vec<(&str, Part)>) -> Box<dyn SeriesStream> {
    let ticks = entries.iter().flat_map(|(_, part)| match &part.holding {
        Holding::No => Vec::new(),
        Holding::Live { ticks, .. } | Holding::Stored { ticks, .. } => ticks.to_vec(),
    });
    let mut ticks: Vec<i64> = ticks.collect();
    ticks.sort_unstable();
    ticks.dedup();
    let entry = |(name, part): (&str, Part)| Entry {
        labels: labels(name).into(),
        part,
    };
    Box::new(Given {
        entries: entries.into_iter().map(entry).collect(),
        ticks,
    })
}

/// All series that come out of `streams`, by labels.
fn merged(streams: Vec<Box<dyn SeriesStream>>, mint: i64, maxt: i64) -> BTreeMap<Vec<u8>, Merged> {
    let mut merge = Merge::new(streams, mint, maxt);
    let mut out = BTreeMap::new();
    while let Some(series) = merge.next_series().unwrap() {
        let mut last = None;
        for chunk in &series.chunks {
            assert!(last < Some(chunk.mint) && chunk.mint <= chunk.maxt);
            last = Some(chunk.maxt);
            let times: Vec<i64> = samples(std::slice::from_ref(chunk)).iter().map(|(t, _)| *t).collect();
            assert_eq!((times.first(), times.last()), (Some(&chunk.mint), Some(&chunk.maxt)));
        }
        assert!(out.insert(series.labels.to_vec(), series).is_none());
    }
    out
}

/// What float chunks hold.
fn samples(chunks: &[Chunk]) -> Vec<(i64, f64)> {
    let decoded = chunks.iter().flat_map(|chunk| chunk.samples().unwrap());
    let float = |sample| match sample {
        Ok((t, Value::Float(value))) => (t, value),
        other => panic!("{other:?}"),
    };
    decoded.map(float).collect()
}
