//! Samples in log order.
//!
//! A record holds samples of one kind, so what came as float, histogram, float of many series is not in the order in which it came. What
//! counts is the order within a series, and layers keep it.

use super::{FloatRow, HistogramRow, SeriesRef};
use crate::sample::Value;

/// Floats, and histograms behind them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Layer {
    /// In the order of their records.
    pub floats: Vec<FloatRow>,
    /// Likewise.
    pub histograms: Vec<HistogramRow>,
}

impl Layer {
    /// (series, time in ms, value) in log order.
    pub fn iter(&self) -> impl Iterator<Item = (SeriesRef, i64, Value)> + '_ {
        let floats = self.floats.iter().map(|row| (row.0, row.1, Value::Float(row.2)));
        let histograms = self.histograms.iter();
        floats.chain(histograms.map(|row| (row.0, row.1, Value::Histogram(row.2.clone()))))
    }
}

/// Layers of samples, each of which comes behind the one before. There is one where no series went back from histograms to floats.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    first: Layer,
    more: Vec<Layer>,
}

impl Rows {
    /// The layers in log order; at least one.
    pub fn layers(&self) -> impl Iterator<Item = &Layer> {
        std::iter::once(&self.first).chain(&self.more)
    }

    /// (series, time in ms, value) in log order.
    pub fn iter(&self) -> impl Iterator<Item = (SeriesRef, i64, Value)> + '_ {
        self.layers().flat_map(Layer::iter)
    }

    /// Float samples in log order.
    pub fn floats(&self) -> impl Iterator<Item = &FloatRow> {
        self.layers().flat_map(|layer| &layer.floats)
    }

    /// Histogram samples in log order.
    pub fn histograms(&self) -> impl Iterator<Item = &HistogramRow> {
        self.layers().flat_map(|layer| &layer.histograms)
    }

    /// The series of each sample, in no order that counts.
    pub fn series(&self) -> impl Iterator<Item = SeriesRef> + '_ {
        self.floats().map(|row| row.0).chain(self.histograms().map(|row| row.0))
    }

    /// Samples of either kind.
    pub fn len(&self) -> usize {
        let lens = self.layers().map(|layer| layer.floats.len() + layer.histograms.len());
        lens.sum()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Have none. Room for those of one layer stays.
    pub fn clear(&mut self) {
        self.first.floats.clear();
        self.first.histograms.clear();
        self.more.clear();
    }

    /// Put all of `other` behind these.
    pub fn append(&mut self, other: &mut Self) {
        self.append_layer(&mut other.first);
        self.more.append(&mut other.more);
    }

    fn append_layer(&mut self, layer: &mut Layer) {
        if !layer.floats.is_empty() {
            self.floats_behind().append(&mut layer.floats);
        }
        self.histograms_behind().append(&mut layer.histograms);
    }

    /// Where floats are put behind all that is here.
    pub(super) fn floats_behind(&mut self) -> &mut Vec<FloatRow> {
        if !self.last().histograms.is_empty() {
            self.more.push(Layer::default());
        }
        &mut self.last().floats
    }

    /// Where histograms are put behind all that is here.
    pub(super) fn histograms_behind(&mut self) -> &mut Vec<HistogramRow> {
        &mut self.last().histograms
    }

    /// The n-th layer, or a new one behind the last.
    pub(super) fn layer(&mut self, n: usize) -> &mut Layer {
        if n > self.more.len() {
            self.more.push(Layer::default());
        }
        let above = n.checked_sub(1).and_then(|n| self.more.get_mut(n));
        above.unwrap_or(&mut self.first)
    }

    fn last(&mut self) -> &mut Layer {
        self.more.last_mut().unwrap_or(&mut self.first)
    }
}
