//! Which series match, and their samples in a range of time.

use super::hold::Held;
use super::series::Series;
use super::Head;
use crate::labels;
use crate::postings;
use crate::regex::Matcher;
use crate::sample::Sample;

/// Which samples of a series a reader asks for.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// The oldest time wanted, ms.
    pub mint: i64,
    /// The newest time wanted, ms.
    pub maxt: i64,
    /// Show pushed values again at hold ticks.
    pub held: bool,
}

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
        let slots = self.matching(matchers).into_iter();
        let series = slots.filter_map(|slot| self.series.get(slot as usize));
        let found = series.map(|series| SeriesSamples {
            labels: series.labels().packed().to_vec(),
            samples: self.samples(series, window, window.maxt).collect(),
        });
        found.filter(|series| !series.samples.is_empty()).take(limit).collect()
    }

    /// Slots of the series that match, in label order.
    pub(super) fn matching(&self, matchers: &[Matcher]) -> Vec<u32> {
        let Ok(slots) = postings::select(self, matchers);
        let labels = |slot: u32| self.series.get(slot as usize).map(Series::labels);
        let mut series: Vec<_> = slots
            .into_iter()
            .filter_map(|slot| Some((slot, labels(slot)?)))
            .collect();
        series.sort_unstable_by(|(_, a), (_, b)| labels::compare(*a, *b));
        series.into_iter().map(|(slot, _)| slot).collect()
    }

    /// Samples of one series in `window`, seen as if none newer than `until` were there yet.
    pub(super) fn samples<'a>(
        &'a self,
        series: &'a Series,
        window: Window,
        until: i64,
    ) -> impl Iterator<Item = Sample> + 'a {
        let Window { mint, maxt, held } = window;
        let ticks: &[i64] = if held && series.is_held() { &self.ticks } else { &[] };
        let visible = series.samples(mint).take_while(move |(t, _)| *t <= until);
        Held::new(visible, ticks)
            .skip_while(move |(t, _)| *t < mint)
            .take_while(move |(t, _)| *t <= maxt)
    }
}
