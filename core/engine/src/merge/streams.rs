//! Many streams of series in label order, as one.

use std::cmp::Ordering;
use std::sync::Arc;

use super::heap::{Heap, Ranked};
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
/// The order of places (blocks by their first time, then the head) takes part in which of several samples at one time is
/// kept, see [`Chain`](super::Chain).
pub struct Streams {
    /// Places with their next series.
    waiting: Heap<Waiting>,
    /// Places whose series has just been given.
    given: Vec<Place>,
    ticks: Vec<i64>,
}

struct Place {
    number: usize,
    stream: Box<dyn SeriesStream>,
    /// What it gave last.
    last: Arc<[u8]>,
}

struct Waiting {
    entry: Entry,
    place: Place,
}

impl Ranked for Waiting {
    fn is_before(&self, other: &Self) -> bool {
        order(&self.entry.labels, &other.entry.labels).is_lt()
    }
}

/// A label set, and what the places have of it.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    /// Packed.
    pub labels: Arc<[u8]>,
    /// At least one.
    pub parts: Vec<Part>,
}

impl Streams {
    /// Merge what `streams` give.
    pub fn new(streams: Vec<Box<dyn SeriesStream>>) -> Self {
        let mut ticks: Vec<i64> = streams.iter().flat_map(|stream| stream.ticks().to_vec()).collect();
        ticks.sort_unstable();
        ticks.dedup();
        let place = |(number, stream)| Place {
            number,
            stream,
            last: Arc::default(),
        };
        Self {
            waiting: Heap::default(),
            given: streams.into_iter().enumerate().map(place).collect(),
            ticks,
        }
    }

    /// The hold ticks of all places, ascending.
    pub fn ticks(&self) -> &[i64] {
        &self.ticks
    }

    /// The next label set.
    pub fn next_series(&mut self) -> Result<Option<Gathered>, Broken> {
        for place in std::mem::take(&mut self.given) {
            if let Some(waiting) = place.advance()? {
                self.waiting.push(waiting);
            }
        }
        let Some(first) = self.waiting.first() else {
            return Ok(None);
        };
        let labels = first.entry.labels.clone();
        let mut parts = Vec::with_capacity(1);
        while let Some(Waiting { entry, mut place }) = self.waiting.pop_if(|next| next.entry.labels == labels) {
            parts.push(entry.part);
            place.last = entry.labels;
            self.given.push(place);
        }
        Ok(Some(Gathered { labels, parts }))
    }
}

impl Place {
    /// It with its next series; None when it has no more.
    fn advance(mut self) -> Result<Option<Waiting>, Broken> {
        let broken = |cause: Fault| Broken {
            place: self.number,
            cause,
        };
        let Some(entry) = self.stream.next_series().map_err(broken)? else {
            return Ok(None);
        };
        if !self.last.is_empty() && order(&self.last, &entry.labels) != Ordering::Less {
            return Err(broken(Box::new(Unsorted(text(&entry.labels)))));
        }
        Ok(Some(Waiting { entry, place: self }))
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
