//! The buckets of one classic histogram at one step.

/// Counts that differ by less, relatively, differ by rounding.
const TOLERANCE: f64 = 1e-12;

/// (upper bound, observations up to it), ascending, bounds all different.
#[derive(Debug)]
pub(super) struct Buckets<'a>(&'a mut [(f64, f64)]);

/// Buckets that had fewer observations than the one before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dents {
    /// The lowest of their bounds, and the highest.
    pub bounds: (f64, f64),
    /// The most that one was short of.
    pub depth: f64,
}

impl<'a> Buckets<'a> {
    /// Of sorted buckets, of which there is one at least; counts for the same bound are added.
    pub fn new(sorted: &'a mut Vec<(f64, f64)>) -> Self {
        sorted.dedup_by(|(bound, count), (kept, sum)| {
            let same = bound == kept;
            if same {
                *sum += *count;
            }
            same
        });
        Self(sorted)
    }

    /// All of them.
    pub fn as_slice(&self) -> &[(f64, f64)] {
        self.0
    }

    /// All observations; None unless the last bucket is open.
    pub fn observations(&self) -> Option<f64> {
        let (bound, count) = self.0.last()?;
        (*bound == f64::INFINITY).then_some(*count)
    }

    /// Make counts ascend: small differences go unnoticed, others are told of.
    pub fn mend(&mut self) -> Option<Dents> {
        let mut dents: Option<Dents> = None;
        let mut highest = self.0.first()?.1;
        for (bound, count) in self.0.iter_mut().skip(1) {
            let depth = highest - *count;
            if is_rounding(highest, *count) {
                *count = highest;
            } else if depth > 0.0 {
                *count = highest;
                let so_far = dents.unwrap_or(Dents {
                    bounds: (f64::INFINITY, f64::NEG_INFINITY),
                    depth: 0.0,
                });
                dents = Some(Dents {
                    bounds: (so_far.bounds.0.min(*bound), so_far.bounds.1.max(*bound)),
                    depth: so_far.depth.max(depth),
                });
            } else {
                highest = *count;
            }
        }
        dents
    }
}

/// True for numbers that are equal but for rounding, and for two that are not numbers.
fn is_rounding(a: f64, b: f64) -> bool {
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    let (difference, size) = ((a - b).abs(), a.abs() + b.abs());
    if a == 0.0 || b == 0.0 || size < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / size.min(f64::MAX) < TOLERANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mend(counts: &[f64]) -> (Vec<f64>, Option<Dents>) {
        let mut buckets: Vec<(f64, f64)> = (1..).map(f64::from).zip(counts.iter().copied()).collect();
        let mut buckets = Buckets::new(&mut buckets);
        let dents = buckets.mend();
        (buckets.0.iter().map(|(_, count)| *count).collect(), dents)
    }

    #[test]
    fn dents_are_filled_and_told_of_but_not_those_of_rounding() {
        assert_eq!(mend(&[1.0, 2.0, 2.0]), (vec![1.0, 2.0, 2.0], None));
        assert_eq!(mend(&[3.0, 3.0 - 1e-15, 3.0 + 1e-15]), (vec![3.0; 3], None));
        let dents = Dents {
            bounds: (2.0, 4.0),
            depth: 3.0,
        };
        assert_eq!(
            mend(&[5.0, 4.0, 7.0, 4.0, 8.0]),
            (vec![5.0, 5.0, 7.0, 7.0, 8.0], Some(dents))
        );
    }

    #[test]
    fn counts_for_one_bound_are_added() {
        let mut twice = vec![(1.0, 2.0), (1.0, 3.0), (f64::INFINITY, 7.0)];
        let buckets = Buckets::new(&mut twice);
        assert_eq!(buckets.as_slice(), [(1.0, 5.0), (f64::INFINITY, 7.0)]);
        assert_eq!(buckets.observations(), Some(7.0));
        assert_eq!(Buckets::new(&mut vec![(1.0, 2.0)]).observations(), None);
    }
}
