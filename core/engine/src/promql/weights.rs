//! How many samples a query looks at, at each of its steps. A histogram counts as several.

use super::samples::{Samples, Series};
use crate::batch::is_stale;

/// How far a sample is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Until there is a later one: instant selectors.
    Latest,
    /// Whatever comes: windows.
    All,
}

/// What the samples weigh that are seen at each of the ascending `ats`: those less than `reach` ms old that are no stale
/// markers. Each sample is looked at once, however many steps see it.
pub fn weights(samples: &Samples, ats: &[i64], reach: i64, sight: Sight) -> Vec<i64> {
    let mut changes = vec![0; ats.len() + 1];
    for series in 0..samples.len() {
        let (floats, histograms) = (samples.floats(series), samples.histograms(series));
        let seen = Seen { ats, reach, sight };
        seen.add(&mut changes, &floats, histograms.times, |v| {
            if is_stale(*v) {
                0
            } else {
                1
            }
        });
        seen.add(&mut changes, &histograms, floats.times, |h| {
            if is_stale(h.sum) {
                0
            } else {
                h.weight() as i64
            }
        });
    }
    changes.pop();
    let mut sum = 0;
    for change in &mut changes {
        sum += *change;
        *change = sum;
    }
    changes
}

struct Seen<'a> {
    ats: &'a [i64],
    reach: i64,
    sight: Sight,
}

impl Seen<'_> {
    /// What these samples add at the first step that sees them, and take away at the first that no longer does; `others`
    /// are the times of the series' other samples.
    fn add<T>(&self, changes: &mut [i64], own: &Series<'_, T>, others: &[i64], weigh: impl Fn(&T) -> i64) {
        for (number, (time, value)) in own.iter().enumerate() {
            let mut end = time.saturating_add(self.reach);
            if self.sight == Sight::Latest {
                let next = own.times.get(number + 1);
                let other = others.get(others.partition_point(|other| *other <= time));
                end = [next, other]
                    .into_iter()
                    .flatten()
                    .fold(end, |end, next| end.min(*next));
            }
            let weight = weigh(value);
            let first = self.ats.partition_point(|at| *at < time);
            let behind = self.ats.partition_point(|at| *at < end);
            if let Some(change) = changes.get_mut(first) {
                *change += weight;
            }
            if let Some(change) = changes.get_mut(behind) {
                *change -= weight;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::samples::Made;
    use super::super::LabelSets;
    use super::*;

    fn samples() -> Samples {
        let mut floats = Made::default();
        for (time, value) in [(10, 1.0), (20, 2.0), (30, 3.0)] {
            floats.push(time, value);
        }
        floats.end_series();
        let mut histograms = Made::default();
        histograms.end_series();
        Samples::made(LabelSets::new(vec![Arc::from([])]), floats, histograms)
    }

    #[test]
    fn windows_are_left_open() {
        assert_eq!(
            weights(&samples(), &[9, 10, 20, 30, 40], 20, Sight::All),
            [0, 1, 2, 2, 1]
        );
    }

    #[test]
    fn only_the_latest_is_seen_by_instants() {
        assert_eq!(
            weights(&samples(), &[9, 10, 29, 30, 49, 50], 20, Sight::Latest),
            [0, 1, 1, 1, 1, 0]
        );
    }
}
