//! Rows, for blocks that are made of text.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::encode::encode;
use crate::labels::{compare, Labels};
use crate::merge::{Entry, Fault, Part, SeriesStream};
use crate::sample::Sample;

/// Samples by series, in memory.
#[derive(Debug, Default)]
pub struct Rows(std::vec::IntoIter<(Vec<u8>, Vec<Sample>)>);

impl Rows {
    /// Series in any order, by packed labels; their samples too. Of several samples at one time the last one counts.
    pub fn new(series: BTreeMap<Vec<u8>, Vec<Sample>>) -> Self {
        let mut series: Vec<_> = series.into_iter().collect();
        series.sort_by(|(a, _), (b, _)| compare(Labels::trusted(a), Labels::trusted(b)));
        Self(series.into_iter())
    }
}

impl SeriesStream for Rows {
    fn ticks(&self) -> Arc<[i64]> {
        Arc::default()
    }

    fn next_series(&mut self) -> Result<Option<Entry>, Fault> {
        let Some((labels, mut samples)) = self.0.next() else {
            return Ok(None);
        };
        samples.reverse(); // so that the last one of a time comes first, and stays
        samples.sort_by_key(|(t, _)| *t);
        samples.dedup_by_key(|(t, _)| *t);
        let part = Part {
            chunks: encode(samples.into_iter().map(Ok))?,
            ..Part::default()
        };
        let labels = labels.into();
        Ok(Some(Entry { labels, part }))
    }
}
