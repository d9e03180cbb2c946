//! Custom buckets of different bounds.

use std::sync::Arc;

use super::bounds::intersection;
use super::tally::Tally;
use super::{Buckets, FloatHistogram};

impl<C: Tally> FloatHistogram<C> {
    /// Add the buckets of `other`; true when the bounds differ, and only those that both have are left.
    pub(super) fn combine_custom(&mut self, other: &FloatHistogram, signed: impl Fn(f64) -> C) -> bool {
        if self.custom == other.custom {
            self.positive.absorb(&other.positive.map(signed));
            return false;
        }
        let shared: Arc<[f64]> = intersection(&self.custom, &other.custom).into();
        let mut sum = regrouped(&self.positive, &self.custom, &shared);
        sum.absorb(&regrouped(&other.positive.map(signed), &other.custom, &shared));
        sum.compact();
        (self.positive, self.custom) = (sum, shared);
        true
    }

    /// True when, in the buckets between bounds that both have, some count is less than in `previous`.
    pub(super) fn custom_shrank_since(&self, previous: &Self) -> bool {
        let shared = intersection(&self.custom, &previous.custom);
        let mut now = regrouped(&self.positive, &self.custom, &shared);
        let before = regrouped(&previous.positive, &previous.custom, &shared);
        now.absorb(&before.map(|count| count.scaled(|v| -v)));
        now.counts().iter().any(|change| change.total() < 0.0)
    }
}

/// `buckets` between `bounds` as buckets between `coarser` bounds, all of which are among the former.
fn regrouped<C: Tally>(buckets: &Buckets<C>, bounds: &[f64], coarser: &[f64]) -> Buckets<C> {
    let mut target = 0;
    let mut regrouped = Buckets::default();
    for (index, count) in buckets.iter() {
        match usize::try_from(index).ok().and_then(|index| bounds.get(index)) {
            Some(upper) => {
                while coarser.get(target).is_some_and(|bound| bound < upper) {
                    target += 1;
                }
            }
            None => target = coarser.len(),
        }
        regrouped.push(i32::try_from(target).unwrap_or(i32::MAX), count);
    }
    regrouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_goes_to_the_one_that_ends_at_its_bound_or_behind() {
        let buckets: Buckets = (0..5).map(|index| (index, f64::from(1 << index))).collect();
        let coarser = regrouped(&buckets, &[1.0, 2.0, 3.0, 4.0], &[2.0, 3.0]);
        assert_eq!(coarser, [(0, 3.0), (1, 4.0), (2, 24.0)].into_iter().collect());
        assert_eq!(
            regrouped(&buckets, &[1.0, 2.0, 3.0, 4.0], &[]),
            [(0, 31.0)].into_iter().collect()
        );
    }
}
