//! Reading: chunks of the series that match, as they all were at one moment.
//!
//! [`Head::pick`] fixes which samples are shown, and is quick. [`Head::collect`] gathers their chunks in pieces, between which
//! the head may change: what was appended since is left out, so a reader sees each batch whole or not at all. Chunks share the
//! memory of the head or of its files, only open ones are copied; to decode them takes no lock.
//!
//! A truncation may take chunks away before they are collected. They are in a block then: who reads both collects the head first
//! and asks which blocks there are after that.

use std::sync::Arc;

use super::hold::Held;
use super::in_order::decoded;
use super::out_of_order::encode;
use super::series::{merge, Series};
use super::Head;
use crate::block::Intervals;
use crate::chunk::Chunk;
use crate::labels::{self, Labels};
use crate::merge::Window;
use crate::postings;
use crate::regex::Matcher;
use crate::sample::Sample;
use crate::wal::SeriesRef;

/// Series that match and which of their samples to show.
#[derive(Debug)]
pub struct Selection {
    window: Window,
    /// Those that are not collected yet.
    series: std::vec::IntoIter<Picked>,
    ticks: Arc<[i64]>,
}

#[derive(Debug)]
struct Picked {
    slot: u32,
    labels: Arc<[u8]>,
    /// Newest sample that came in order.
    until: i64,
    late: Vec<Chunk>,
}

/// The chunks of one series.
#[derive(Debug, Clone)]
pub struct SeriesChunks {
    /// What the log calls it.
    pub reference: SeriesRef,
    /// Packed.
    pub labels: Arc<[u8]>,
    /// Chunks that reach into the window, by time and without overlap; for a reader of held values, with the sample before it.
    pub chunks: Vec<Chunk>,
    /// Chunks of samples that came late, which may overlap all others. Of samples at one time the first counts.
    pub late: Vec<Chunk>,
    /// What no reader sees of them any more.
    pub deleted: Intervals,
    /// Its values are repeated at hold ticks, and that is asked for.
    pub held: bool,
}

impl Selection {
    /// Put the series into label order. Takes no lock.
    pub fn sort(&mut self) {
        let order = |a: &Picked, b: &Picked| labels::compare(Labels::trusted(&a.labels), Labels::trusted(&b.labels));
        self.series.as_mut_slice().sort_unstable_by(order);
    }

    /// Series that are not collected yet.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// True when all are collected.
    pub fn is_empty(&self) -> bool {
        self.series.len() == 0
    }

    /// Hold ticks in the window, ascending; none for a reader that does not ask for held values.
    pub fn ticks(&self) -> &Arc<[i64]> {
        &self.ticks
    }

    /// The window.
    pub fn window(&self) -> Window {
        self.window
    }
}

impl Head {
    /// The series that match all of `matchers` and have samples in `window`, in no order.
    pub fn pick(&self, matchers: &[Matcher], window: Window) -> Selection {
        let Ok(slots) = postings::select(self, matchers);
        let picked = slots.into_iter().filter_map(|slot| self.pick_series(slot, window));
        let start = self.ticks.partition_point(|tick| *tick < window.mint);
        let end = self.ticks.partition_point(|tick| *tick <= window.maxt);
        let ticks = self.ticks.get(start..end).filter(|_| window.held).unwrap_or_default();
        Selection {
            window,
            series: picked.collect::<Vec<_>>().into_iter(),
            ticks: ticks.into(),
        }
    }

    fn pick_series(&self, slot: u32, window: Window) -> Option<Picked> {
        let series = self.series.get(slot as usize)?;
        let before = window.held && series.is_held();
        let late = series.late_in(window.mint, window.maxt, before, &self.files);
        let (mint, maxt) = (series.in_order().mint(), series.in_order().maxt());
        let misses = mint.is_none_or(|mint| mint > window.maxt) || (!before && maxt < Some(window.mint));
        (!misses || !late.is_empty()).then(|| Picked {
            slot,
            labels: series.shared_labels(),
            until: maxt.unwrap_or(i64::MIN),
            late,
        })
    }

    /// The chunks of the next series of a selection, until they have about `size` bytes; none at the end.
    pub fn collect(&self, selection: &mut Selection, size: usize) -> Vec<SeriesChunks> {
        let mut collected = Vec::new();
        let mut bytes = 0;
        while bytes < size {
            let Some(picked) = selection.series.next() else {
                break;
            };
            let Some(series) = self.series.get(picked.slot as usize) else {
                continue; // it left: a block has it
            };
            let series = self.chunks_of(series, picked, selection.window);
            bytes += size_of::<SeriesChunks>();
            bytes += series.chunks.iter().map(|chunk| chunk.data.len()).sum::<usize>();
            collected.push(series);
        }
        collected
    }

    fn chunks_of(&self, series: &Series, picked: Picked, window: Window) -> SeriesChunks {
        let Window { mint, maxt, held } = window;
        let before = held && series.is_held();
        let chunks = series
            .in_order()
            .chunks(mint, maxt.min(picked.until), before, &self.files);
        SeriesChunks {
            reference: series.reference(),
            labels: picked.labels,
            chunks: chunks
                .into_iter()
                .flat_map(|chunk| until(chunk, picked.until))
                .collect(),
            late: picked.late,
            deleted: self.deletions.of(picked.slot),
            held: before,
        }
    }
}

/// The chunk without samples newer than `newest`, which are there when it was collected after more had come.
fn until(chunk: Chunk, newest: i64) -> Vec<Chunk> {
    if chunk.maxt <= newest {
        return vec![chunk];
    }
    let samples = decoded(&chunk).into_iter().take_while(|(t, _)| *t <= newest);
    encode(&samples.collect::<Vec<_>>())
}

impl SeriesChunks {
    /// The samples in `window`, in time order; with `ticks`, those that are held too.
    pub fn samples<'a>(&self, window: Window, ticks: &'a [i64]) -> impl Iterator<Item = Sample> + 'a {
        let Window { mint, maxt, .. } = window;
        let ticks = if self.held { ticks } else { &[] };
        let in_order = self.chunks.clone().into_iter().flat_map(|chunk| decoded(&chunk));
        let samples = merge(in_order, self.late.iter().flat_map(decoded).collect());
        Held::new(samples, ticks)
            .skip_while(move |(t, _)| *t < mint)
            .take_while(move |(t, _)| *t <= maxt)
    }
}
