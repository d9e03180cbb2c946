//! Samples of the series that match, decoded: for tools and tests. Queries read chunks.

use super::Head;
use crate::merge::Window;
use crate::regex::Matcher;
use crate::sample::Sample;

/// Samples of one series.
#[derive(Debug, Clone)]
pub struct SeriesSamples {
    /// Packed labels.
    pub labels: Vec<u8>,
    /// In time order.
    pub samples: Vec<Sample>,
}

impl Head {
    /// Samples in `window` of the series that match all of `matchers`: series in label order, at most `limit` (0 means all),
    /// those without a sample left out.
    pub fn select(&self, matchers: &[Matcher], window: Window, limit: usize) -> Vec<SeriesSamples> {
        let limit = if limit == 0 { usize::MAX } else { limit };
        let mut selection = self.pick(matchers, window);
        selection.sort();
        let ticks = selection.ticks().clone();
        let series = std::iter::from_fn(|| self.collect(&mut selection, 1).pop());
        let found = series.map(|series| SeriesSamples {
            samples: series.samples(window, &ticks).collect(),
            labels: series.labels.to_vec(),
        });
        found.filter(|series| !series.samples.is_empty()).take(limit).collect()
    }
}
