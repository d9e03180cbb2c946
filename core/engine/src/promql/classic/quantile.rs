//! Quantiles, interpolated as if observations were spread evenly in their bucket.

use super::buckets::{Buckets, Dents};
use super::{Answers, Classic, Table};

/// That counts of a histogram had to be made to ascend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mended {
    /// Its number.
    pub histogram: usize,
    /// The first and the last step at which they had to.
    pub steps: (usize, usize),
    /// At how many.
    pub count: usize,
    /// The lowest and the highest bound whose count was raised.
    pub bounds: (f64, f64),
    /// The most by which one was.
    pub depth: f64,
}

impl Mended {
    fn note(all: &mut Vec<Self>, histogram: usize, step: usize, dents: Dents) {
        match all.last_mut().filter(|last| last.histogram == histogram) {
            Some(last) => {
                last.steps.1 = step;
                last.count += 1;
                last.bounds = (last.bounds.0.min(dents.bounds.0), last.bounds.1.max(dents.bounds.1));
                last.depth = last.depth.max(dents.depth);
            }
            None => all.push(Self {
                histogram,
                steps: (step, step),
                count: 1,
                bounds: dents.bounds,
                depth: dents.depth,
            }),
        }
    }
}

impl Classic {
    /// The quantile of each histogram at each step, `qs` one number a step; and what had to be mended.
    pub fn quantiles(&self, table: Table<'_>, qs: &[f64]) -> (Answers, Vec<Mended>) {
        let mut mended = Vec::new();
        let answers = self.answers(table, |histogram, step, buckets| {
            let q = qs.get(step).copied().unwrap_or(f64::NAN);
            let (value, dents) = quantile(q, buckets);
            if let Some(dents) = dents {
                Mended::note(&mut mended, histogram, step, dents);
            }
            value
        });
        (answers, mended)
    }
}

fn quantile(q: f64, mut buckets: Buckets<'_>) -> (f64, Option<Dents>) {
    if q.is_nan() {
        return (f64::NAN, None);
    }
    if !(0.0..=1.0).contains(&q) {
        return (f64::INFINITY * q.signum(), None);
    }
    if buckets.observations().is_none() {
        return (f64::NAN, None);
    }
    let dents = buckets.mend();
    (quantile_of(q, buckets.as_slice()).unwrap_or(f64::NAN), dents)
}

/// `None` without observations, or where all of them are in one bucket, which is open.
fn quantile_of(q: f64, buckets: &[(f64, f64)]) -> Option<f64> {
    let ((_, observations), closed) = buckets.split_last()?;
    let (last, _) = closed.last()?;
    if *observations == 0.0 {
        return None;
    }
    let rank = q * observations;
    let place = first_with(closed, rank);
    let Some((upper, count)) = closed.get(place) else {
        return Some(*last);
    };
    let (lower, below) = match place.checked_sub(1).and_then(|before| closed.get(before)) {
        Some((lower, below)) => (*lower, *below),
        None if *upper <= 0.0 => return Some(*upper),
        None => (0.0, 0.0),
    };
    Some(lower + (upper - lower) * ((rank - below) / (count - below)))
}

/// The first bucket with `rank` observations, by bisection: where a count is no number the answer depends on the way.
fn first_with(buckets: &[(f64, f64)], rank: f64) -> usize {
    let (mut low, mut high) = (0, buckets.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if buckets.get(middle).is_some_and(|(_, count)| *count >= rank) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    const INFINITE: f64 = f64::INFINITY;

    fn of(q: f64, buckets: &[(f64, f64)]) -> f64 {
        quantile(q, Buckets::new(&mut buckets.to_vec())).0
    }

    #[test]
    fn the_rank_is_interpolated_in_its_bucket() {
        let buckets = [(1.0, 4.0), (2.0, 4.0), (4.0, 8.0), (INFINITE, 10.0)];
        for (q, want) in [
            (0.0, 0.0),
            (0.1, 0.25),
            (0.4, 1.0),
            (0.6, 3.0),
            (0.8, 4.0),
            (0.9, 4.0),
            (1.0, 4.0),
            (-0.1, -INFINITE),
            (1.1, INFINITE),
        ] {
            assert_eq!(of(q, &buckets), want, "{q}");
        }
        assert_eq!(of(0.1, &[(-2.0, 4.0), (4.0, 8.0), (INFINITE, 8.0)]), -2.0);
        assert_eq!(of(0.75, &[(-2.0, 4.0), (4.0, 8.0), (INFINITE, 8.0)]), 1.0);
    }

    #[test]
    fn some_buckets_have_no_quantile() {
        for buckets in [&[(1.0, 4.0)][..], &[(INFINITE, 4.0)], &[(1.0, 0.0), (INFINITE, 0.0)]] {
            assert!(of(0.5, buckets).is_nan(), "{buckets:?}");
        }
        assert!(of(f64::NAN, &[(1.0, 4.0), (INFINITE, 4.0)]).is_nan());
    }

    proptest! {
        #[test]
        fn any_counts_have_an_answer(q in any::<f64>(), mut buckets in vec((any::<f64>(), any::<f64>()), 1..6)) {
            buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            of(q, &buckets);
        }

        #[test]
        fn a_quantile_is_between_the_bounds(q in 0.0..=1.0f64, counts in vec(0..9u32, 3)) {
            let bounds = [1.0, 2.0, INFINITE];
            let up_to = counts.iter().scan(0.0, |sum, count| { *sum += f64::from(*count); Some(*sum) });
            let buckets: Vec<(f64, f64)> = bounds.into_iter().zip(up_to).collect();
            let value = of(q, &buckets);
            prop_assert!(value.is_nan() == counts.iter().all(|count| *count == 0));
            prop_assert!(value.is_nan() || (0.0..=2.0).contains(&value));
        }
    }
}
