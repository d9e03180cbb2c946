//! Which series match, and their samples in a range of time.

use super::hold::Held;
use super::index::Index;
use super::series::{Sample, Series};
use super::Head;
use crate::labels::Labels;
use crate::regex::Matcher;

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
        let slots = matching_slots(&self.index, matchers);
        let mut series: Vec<(u32, Labels<'_>)> = slots
            .iter()
            .filter_map(|&slot| Some((slot, self.series.get(slot as usize)?.labels())))
            .collect();
        series.sort_unstable_by(|(_, a), (_, b)| compare(*a, *b));
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

/// Order of label sets in Prometheus: pair by pair, a set before those that continue it.
fn compare(a: Labels<'_>, b: Labels<'_>) -> std::cmp::Ordering {
    a.iter().cmp(b.iter())
}

/// Slots that match, ascending.
///
/// A matcher that "" satisfies also holds for series without the label, which no postings list names: such a
/// matcher takes away the series whose value it rejects, the others intersect the series whose value they accept.
fn matching_slots(index: &Index, matchers: &[Matcher]) -> Vec<u32> {
    let (subtract, keep): (Vec<&Matcher>, Vec<&Matcher>) = matchers.iter().partition(|matcher| matcher.matches(""));
    let mut lists = keep.iter().map(|matcher| accepted(index, matcher));
    let first = match lists.next() {
        Some(list) => list,
        None => (0..index.visible()).collect(),
    };
    let kept = lists.fold(first, |kept, list| retain(kept, &list, true));
    let rejected = subtract.iter().map(|matcher| rejected(index, matcher));
    rejected.fold(kept, |kept, list| retain(kept, &list, false))
}

fn accepted(index: &Index, matcher: &Matcher) -> Vec<u32> {
    let Some(values) = index.values(matcher.name()) else {
        return Vec::new();
    };
    match matcher.candidates() {
        Some(candidates) => union(candidates.into_iter().filter_map(|value| values.get(value))),
        None => union(
            values
                .iter()
                .filter(|(value, _)| matcher.matches(value))
                .map(|(_, list)| list),
        ),
    }
}

fn rejected(index: &Index, matcher: &Matcher) -> Vec<u32> {
    let values = index.values(matcher.name()).into_iter().flatten();
    union(
        values
            .filter(|(value, _)| !matcher.matches(value))
            .map(|(_, list)| list),
    )
}

/// Lists of one label name never share a slot: a series has one value.
fn union<'a>(lists: impl Iterator<Item = &'a Vec<u32>>) -> Vec<u32> {
    let mut slots: Vec<u32> = lists.flatten().copied().collect();
    slots.sort_unstable();
    slots.dedup();
    slots
}

/// The slots of `list` that are (or are not) in `other`; both ascend.
fn retain(mut list: Vec<u32>, other: &[u32], present: bool) -> Vec<u32> {
    let mut rest = other;
    list.retain(|slot| {
        let passed = rest.iter().take_while(|other| *other < slot).count();
        rest = rest.get(passed..).unwrap_or_default();
        (rest.first() == Some(slot)) == present
    });
    list
}
