//! Samples on their way into the log: into as few layers as keep the order within each series.

use ahash::RandomState;
use hashbrown::HashMap;

use super::rows::{Layer, Rows};
use super::SeriesRef;
use crate::histogram::{Histogram, CUSTOM_BUCKETS};
use crate::sample::Value;

/// What has records of its own, in the order of the records of a layer: the one in which Prometheus writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Kind {
    /// A number.
    #[default]
    Float,
    /// A native histogram with integer counts.
    Histogram,
    /// The same with bounds of its own.
    CustomHistogram,
    /// A native histogram with float counts.
    FloatHistogram,
    /// The same with bounds of its own.
    CustomFloatHistogram,
}

impl Kind {
    /// The kind of a histogram.
    pub fn of(histogram: &Histogram) -> Self {
        match (histogram.is_float(), histogram.schema == CUSTOM_BUCKETS) {
            (false, false) => Self::Histogram,
            (true, false) => Self::FloatHistogram,
            (false, true) => Self::CustomHistogram,
            (true, true) => Self::CustomFloatHistogram,
        }
    }
}

/// Rows being laid out for the log.
///
/// A series goes up the kinds within a layer, and into the next one where it would go down. Layers belong to series: how many others
/// change their kind, and where among them, makes no more of them.
#[derive(Debug, Default)]
pub struct Arranged {
    rows: Rows,
    len: usize,
    /// The kind of all rows, unless they are mixed.
    kind: Kind,
    mixed: bool,
    /// Once they are mixed: the layer and the kind of the newest row of each series that is not in the first layer with floats only.
    places: HashMap<SeriesRef, (usize, Kind), RandomState>,
}

impl Arranged {
    /// Put a sample behind those of its series.
    pub fn push(&mut self, series: SeriesRef, t: i64, value: &Value) {
        match value {
            Value::Float(value) => self.layer(series, Kind::Float).floats.push((series, t, *value)),
            Value::Histogram(value) => {
                let layer = self.layer(series, Kind::of(value));
                layer.histograms.push((series, t, value.clone()));
            }
        }
    }

    /// What was pushed.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// How many were.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when none was.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Where the next row of a series goes.
    fn layer(&mut self, series: SeriesRef, kind: Kind) -> &mut Layer {
        let layer = if self.mixed || kind != self.kind {
            self.place(series, kind)
        } else {
            0 // nearly always
        };
        self.len += 1;
        self.rows.layer(layer)
    }

    /// The layer of the next row of a series, where rows are mixed or begin to be.
    fn place(&mut self, series: SeriesRef, kind: Kind) -> usize {
        if self.is_empty() {
            self.kind = kind;
            return 0;
        }
        if !self.mixed {
            self.mixed = true;
            let histograms = self.rows.histograms().map(|row| (row.0, (0, self.kind)));
            self.places.extend(histograms);
        }
        match self.places.get_mut(&series) {
            Some((layer, newest)) => {
                *layer += usize::from(kind < *newest);
                *newest = kind;
                *layer
            }
            None => {
                if kind != Kind::Float {
                    self.places.insert(series, (0, kind));
                }
                0
            }
        }
    }
}
