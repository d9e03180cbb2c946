//! Many streams of series in label order, as one.

use std::cmp::Ordering;
use std::sync::Arc;

use super::part::Part;
use crate::labels::{compare, format_labels, Labels};

/// A series of one place.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// Packed.
    pub labels: Arc<[u8]>,
    /// What the place has of it.
    pub part: Part,
}

/// Why a place cannot be read.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Series in strictly ascending label order.
pub trait SeriesStream: Send {
    /// The hold ticks whose samples it gives; ascending.
    fn ticks(&self) -> Arc<[i64]>;

    /// The next series. It may be one of which nothing is left.
    fn next_series(&mut self) -> Result<Option<Entry>, Fault>;
}

/// Why streams cannot be merged. They are counted from 0, in the order in which they were given.
#[derive(Debug)]
pub struct Broken {
    /// Which of them.
    pub place: usize,
    /// Why.
    pub cause: Fault,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.cause.fmt(f)
    }
}

impl std::error::Error for Broken {}

/// A stream that breaks its promise.
#[derive(Debug)]
struct Unsorted(String);

impl std::fmt::Display for Unsorted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "series {} comes too late in the order of labels", self.0)
    }
}

impl std::error::Error for Unsorted {}

/// Series of several places, those of one label set together.
///
/// The order of places takes part in which of several samples at one time is kept, see [`Chain`](super::Chain): blocks by
/// their first time, then the head.
pub struct Streams {
    places: Vec<Place>,
}

struct Place {
    stream: Box<dyn SeriesStream>,
    next: Option<Entry>,
}

/// A label set, and what the places have of it.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    /// Packed.
    pub labels: Arc<[u8]>,
    /// In the order of the places; at least one.
    pub parts: Vec<Part>,
}

impl Streams {
    /// Read the first series of each.
    pub fn new(streams: Vec<Box<dyn SeriesStream>>) -> Result<Self, Broken> {
        let places = streams.into_iter().map(|stream| Place { stream, next: None });
        let mut streams = Self {
            places: places.collect(),
        };
        for place in 0..streams.places.len() {
            streams.take(place)?;
        }
        Ok(streams)
    }

    /// The hold ticks of all places, ascending.
    pub fn ticks(&self) -> Vec<i64> {
        let mut ticks: Vec<i64> = self
            .places
            .iter()
            .flat_map(|place| place.stream.ticks().to_vec())
            .collect();
        ticks.sort_unstable();
        ticks.dedup();
        ticks
    }

    /// The next label set.
    pub fn next_series(&mut self) -> Result<Option<Gathered>, Broken> {
        let Some(labels) = self.smallest() else {
            return Ok(None);
        };
        let mut parts = Vec::with_capacity(1);
        for place in 0..self.places.len() {
            if self.labels_at(place) == Some(&labels) {
                parts.extend(self.take(place)?.map(|entry| entry.part));
            }
        }
        Ok(Some(Gathered { labels, parts }))
    }

    fn labels_at(&self, place: usize) -> Option<&Arc<[u8]>> {
        Some(&self.places.get(place)?.next.as_ref()?.labels)
    }

    fn smallest(&self) -> Option<Arc<[u8]>> {
        let all = (0..self.places.len()).filter_map(|place| self.labels_at(place));
        all.min_by(|a, b| order(a, b)).cloned()
    }

    /// What stands at a place; its next series comes there instead.
    fn take(&mut self, at: usize) -> Result<Option<Entry>, Broken> {
        let Some(place) = self.places.get_mut(at) else {
            return Ok(None);
        };
        let next = place
            .stream
            .next_series()
            .map_err(|cause| Broken { place: at, cause })?;
        if let (Some(last), Some(next)) = (&place.next, &next) {
            if order(&last.labels, &next.labels) != Ordering::Less {
                let cause = Box::new(Unsorted(text(&next.labels)));
                return Err(Broken { place: at, cause });
            }
        }
        Ok(std::mem::replace(&mut place.next, next))
    }
}

fn order(a: &[u8], b: &[u8]) -> Ordering {
    compare(Labels::trusted(a), Labels::trusted(b))
}

/// Packed labels as Prometheus prints them.
pub fn text(labels: &[u8]) -> String {
    let mut text = String::new();
    format_labels(Labels::trusted(labels), &mut text);
    text
}
