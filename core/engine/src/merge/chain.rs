//! Samples of one series from several places, as one run: one sample a time.
//!
//! Of several samples at one time Prometheus keeps one by a rule that nobody would choose, but by which its queries,
//! its dumps and its compaction agree: whoever gave the last sample loses the tie to the others, among which the shape
//! of a binary heap decides. The same rule stands here, so that the same directory reads the same.

use std::sync::Arc;

use super::heap::{Heap, Ranked};
use crate::chunk::BadChunk;
use crate::histogram::ResetHint;
use crate::sample::{Sample, Value};

/// What samples come from; times ascend.
pub trait Samples: Iterator<Item = Result<Sample, BadChunk>> {}

impl<I: Iterator<Item = Result<Sample, BadChunk>>> Samples for I {}

/// Merges some [`Samples`], each of which ascends.
pub struct Chain<I> {
    /// Not begun yet; the first in front.
    fresh: Vec<I>,
    /// Whoever gave the last sample.
    current: Option<I>,
    waiting: Heap<Waiting<I>>,
    last: Option<i64>,
}

/// Whoever has a sample that comes later.
struct Waiting<I> {
    sample: Sample,
    place: I,
}

impl<I> Ranked for Waiting<I> {
    fn is_before(&self, other: &Self) -> bool {
        self.sample.0 < other.sample.0
    }
}

impl<I: Samples> Chain<I> {
    /// The order of `places` takes part in who wins a tie.
    pub fn new(places: Vec<I>) -> Self {
        Self {
            fresh: places,
            current: None,
            waiting: Heap::default(),
            last: None,
        }
    }

    fn begin(&mut self) -> Result<(), BadChunk> {
        let mut places = std::mem::take(&mut self.fresh).into_iter();
        self.current = places.next();
        for mut place in places {
            if let Some(sample) = place.next().transpose()? {
                self.waiting.push(Waiting { sample, place });
            }
        }
        Ok(())
    }

    /// The next sample, and whether it follows the last one in the same place.
    fn advance(&mut self) -> Result<Option<(Sample, bool)>, BadChunk> {
        let mut consecutive = !self.is_fresh();
        if self.is_fresh() {
            self.begin()?;
        }
        while let Some(mut place) = self.current.take() {
            if let Some(sample) = place.next().transpose()? {
                if Some(sample.0) == self.last {
                    self.current = Some(place);
                    continue;
                }
                if self.waiting.first().is_none_or(|first| sample.0 < first.sample.0) {
                    self.current = Some(place);
                    return Ok(Some((sample, consecutive)));
                }
                self.waiting.push(Waiting { sample, place });
            }
            let Some(Waiting { sample, place }) = self.waiting.pop() else {
                break;
            };
            self.current = Some(place);
            consecutive = false;
            if Some(sample.0) != self.last {
                return Ok(Some((sample, false)));
            }
        }
        Ok(None)
    }

    fn is_fresh(&self) -> bool {
        !self.fresh.is_empty()
    }
}

impl<I: Samples> Iterator for Chain<I> {
    type Item = Result<Sample, BadChunk>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.advance().transpose()? {
            Ok(((t, mut value), consecutive)) => {
                self.last = Some(t);
                if !consecutive {
                    forget_reset(&mut value);
                }
                Some(Ok((t, value)))
            }
            Err(bad) => {
                (self.fresh, self.current) = (Vec::new(), None);
                Some(Err(bad))
            }
        }
    }
}

/// The sample before is another one than the writer knew: whoever reads has to compare.
pub fn forget_reset(value: &mut Value) {
    if let Value::Histogram(histogram) = value {
        if !matches!(histogram.hint, ResetHint::Unknown | ResetHint::Gauge) {
            Arc::make_mut(histogram).hint = ResetHint::Unknown;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Place = std::vec::IntoIter<Result<Sample, BadChunk>>;

    fn place(times: &[i64], value: f64) -> Place {
        let samples: Vec<_> = times.iter().map(|t| Ok((*t, Value::Float(value)))).collect();
        samples.into_iter()
    }

    fn merged(places: Vec<Place>) -> Vec<(i64, f64)> {
        let float = |sample: Result<Sample, BadChunk>| match sample.unwrap() {
            (t, Value::Float(value)) => (t, value),
            (t, Value::Histogram(_)) => (t, f64::NAN),
        };
        Chain::new(places).map(float).collect()
    }

    #[test]
    fn who_wins_a_tie_is_who_wins_in_prometheus() {
        let same = merged(vec![place(&[1, 2, 3], 1.0), place(&[1, 2, 3], 2.0)]);
        assert_eq!(same, [(1, 2.0), (2, 2.0), (3, 2.0)]);
        let taking_turns = merged(vec![place(&[1, 3, 5], 1.0), place(&[2, 3, 4], 2.0)]);
        assert_eq!(taking_turns, [(1, 1.0), (2, 2.0), (3, 1.0), (4, 2.0), (5, 1.0)]);
        let one_is_over = merged(vec![place(&[1], 1.0), place(&[1, 2], 2.0), place(&[1, 2, 3], 3.0)]);
        assert_eq!(one_is_over.iter().map(|(t, _)| *t).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn damage_ends_it() {
        let broken = vec![Ok((1, Value::Float(1.0))), Err(BadChunk), Ok((3, Value::Float(1.0)))];
        let mut chain = Chain::new(vec![broken.into_iter(), place(&[2, 4], 2.0)]);
        assert!(chain.next().unwrap().is_ok());
        assert!(chain.next().unwrap().is_err());
        assert!(chain.next().is_none());
    }

    proptest! {
        #[test]
        fn each_time_is_there_once(places in proptest::collection::vec(proptest::collection::btree_set(0i64..60, 0..40), 0..6)) {
            let mut wanted: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
            for (value, times) in places.iter().enumerate() {
                times.iter().for_each(|t| wanted.entry(*t).or_default().push(value as f64));
            }
            let of = |(value, times): (usize, &std::collections::BTreeSet<i64>)| {
                place(&times.iter().copied().collect::<Vec<_>>(), value as f64)
            };
            let found = merged(places.iter().enumerate().map(of).collect());
            prop_assert_eq!(found.iter().map(|(t, _)| *t).collect::<Vec<_>>(), wanted.keys().copied().collect::<Vec<_>>());
            for (t, value) in found {
                prop_assert!(wanted.get(&t).unwrap().contains(&value));
            }
        }
    }
}
