//! What a bucket counts with.

/// A number that others are added to.
pub trait Tally: Copy + Default + PartialEq {
    /// One that has only `v` so far.
    fn of(v: f64) -> Self;
    /// Add `v`.
    fn add(&mut self, v: f64);
    /// Add all that another one has.
    fn absorb(&mut self, other: Self);
    /// Nothing in it: not even an error that is to be made good.
    fn is_zero(self) -> bool;
    /// Apply `f` to each part.
    fn scaled(self, f: impl Fn(f64) -> f64) -> Self;
    /// What it comes to.
    fn total(self) -> f64;
    /// The sum went beyond the largest float.
    fn has_overflowed(self) -> bool;
}

impl Tally for f64 {
    fn of(v: f64) -> Self {
        v
    }

    fn add(&mut self, v: f64) {
        *self += v;
    }

    fn absorb(&mut self, other: Self) {
        *self += other;
    }

    fn is_zero(self) -> bool {
        self == 0.0
    }

    fn scaled(self, f: impl Fn(f64) -> f64) -> Self {
        f(self)
    }

    fn total(self) -> f64 {
        self
    }

    fn has_overflowed(self) -> bool {
        self.is_infinite()
    }
}

/// A sum that keeps what rounding takes from it: Kahan's algorithm as Neumaier improved it, and as Prometheus does it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Kahan {
    sum: f64,
    lost: f64,
}

impl Tally for Kahan {
    fn of(v: f64) -> Self {
        Self { sum: v, lost: 0.0 }
    }

    fn add(&mut self, v: f64) {
        let sum = self.sum + v;
        if sum.is_infinite() {
            self.lost = 0.0;
        } else if self.sum.abs() >= v.abs() {
            self.lost += (self.sum - sum) + v;
        } else {
            self.lost += (v - sum) + self.sum;
        }
        self.sum = sum;
    }

    fn absorb(&mut self, other: Self) {
        self.add(other.sum);
        if other.lost != 0.0 {
            self.add(other.lost);
        }
    }

    fn is_zero(self) -> bool {
        self.sum == 0.0 && self.lost == 0.0
    }

    fn scaled(self, f: impl Fn(f64) -> f64) -> Self {
        Self {
            sum: f(self.sum),
            lost: f(self.lost),
        }
    }

    fn total(self) -> f64 {
        self.sum + self.lost
    }

    fn has_overflowed(self) -> bool {
        self.sum.is_infinite()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_are_not_lost_beside_large_ones() {
        let mut plain = 0.0;
        let mut kept = Kahan::default();
        for v in [1.0, 1e100, 1.0, -1e100] {
            Tally::add(&mut plain, v);
            kept.add(v);
        }
        assert_eq!((plain, kept.total()), (0.0, 2.0));
    }

    #[test]
    fn what_was_lost_is_forgotten_beyond_the_largest_float() {
        let mut sum = Kahan::of(f64::MAX);
        sum.add(1.0);
        sum.add(f64::MAX);
        assert!(sum.has_overflowed());
        assert_eq!(sum.total(), f64::INFINITY);
    }

    #[test]
    fn one_sum_absorbs_another_with_what_it_lost() {
        let mut small = Kahan::of(1e100);
        small.add(1.0);
        let mut sum = Kahan::of(-1e100);
        sum.absorb(small);
        assert_eq!(sum.total(), 1.0);
    }
}
