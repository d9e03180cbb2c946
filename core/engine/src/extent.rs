//! The times of many samples as a few disjoint spans.
//!
//! What a sink missed in the log is found again in history by time. One span from the first to the last time would do,
//! were it not for the lone sample from last year: with it, all of the year would be sent again.

/// Spans that are kept apart at most: a kilobyte in the state database.
const MOST: usize = 64;

/// Spans this close, in ms, are one: no more than a few samples fit between them.
const CLOSE: i64 = 60_000;

/// Disjoint spans of time in ms, both ends inclusive, ascending. Never less than what was added, and rarely much more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extent {
    spans: Vec<(i64, i64)>,
    /// The span that was added to last, where the next sample is most likely to belong.
    recent: usize,
}

impl Extent {
    /// The spans.
    pub fn spans(&self) -> &[(i64, i64)] {
        &self.spans
    }

    /// Take in all times from `mint` to `maxt`; nothing when there are none.
    pub fn cover(&mut self, mint: i64, maxt: i64) {
        let recent = self.spans.get(self.recent);
        if mint > maxt || recent.is_some_and(|&(first, last)| first <= mint && maxt <= last) {
            return;
        }
        let begin = self
            .spans
            .partition_point(|&(_, last)| last < mint.saturating_sub(CLOSE));
        let end = self
            .spans
            .partition_point(|&(first, _)| first <= maxt.saturating_add(CLOSE));
        let near = self.spans.get(begin..end).unwrap_or_default();
        let joined = near.iter().fold((mint, maxt), join);
        self.spans.splice(begin..end, [joined]);
        self.recent = begin;
        if self.spans.len() > MOST {
            self.join_closest();
        }
    }

    fn join_closest(&mut self) {
        let distances = self.spans.windows(2).enumerate().filter_map(|(i, pair)| match pair {
            [(_, last), (first, _)] => Some((first.abs_diff(*last), i)),
            _ => None,
        });
        let Some((_, at)) = distances.min() else { return };
        let pair = self.spans.get(at..at + 2).unwrap_or_default();
        let joined = pair.iter().copied().reduce(|a, b| join(a, &b));
        self.spans.splice(at..at + 2, joined);
        self.recent = at;
    }
}

fn join(a: (i64, i64), b: &(i64, i64)) -> (i64, i64) {
    (a.0.min(b.0), a.1.max(b.1))
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(times: &[i64]) -> Extent {
        let mut extent = Extent::default();
        for &t in times {
            extent.cover(t, t);
        }
        extent
    }

    #[test]
    fn close_times_are_one_span_and_a_lone_one_stays_alone() {
        let found = of(&[100_000, 130_000, 115_000, 40_000, 1_000_000, -5]);
        assert_eq!(found.spans(), [(-5, 130_000), (1_000_000, 1_000_000)]);
        assert_eq!(
            of(&[i64::MIN, i64::MAX]).spans(),
            [(i64::MIN, i64::MIN), (i64::MAX, i64::MAX)]
        );
    }

    #[test]
    fn nothing_covers_nothing() {
        let mut extent = Extent::default();
        extent.cover(2, 1);
        assert!(extent.spans().is_empty());
    }

    #[test]
    fn too_many_spans_are_joined_where_least_is_lost() {
        let mut times: Vec<i64> = (0..64).map(|n| n * 1_000_000).collect();
        times.push(500_000 + 70_000);
        let found = of(&times);
        assert_eq!(found.spans().len(), MOST);
        assert!(found.spans().contains(&(570_000, 1_000_000)));
    }

    proptest! {
        #[test]
        fn every_time_is_covered_by_few_disjoint_spans(
            times in prop::collection::vec(prop_oneof![any::<i64>(), -10_000_000i64..10_000_000], 0..300)
        ) {
            let found = of(&times);
            prop_assert!(found.spans().len() <= MOST);
            prop_assert!(found.spans().windows(2).all(|pair| pair[0].1.saturating_add(CLOSE) < pair[1].0));
            prop_assert!(found.spans().iter().all(|(first, last)| times.contains(first) && times.contains(last)));
            for t in times {
                prop_assert!(found.spans().iter().any(|&(first, last)| first <= t && t <= last));
            }
        }
    }
}
