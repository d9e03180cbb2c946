//! Sums that keep what rounding loses, in Neumaier's variant of Kahan's method.

/// A running sum and what it lacks.
#[derive(Debug, Clone, Copy, Default)]
pub struct KahanSum {
    /// As floats add up.
    pub sum: f64,
    /// What has to be added to that.
    pub lost: f64,
}

impl KahanSum {
    /// A sum of one.
    pub fn of(value: f64) -> Self {
        Self { sum: value, lost: 0.0 }
    }

    /// Add one more.
    #[inline]
    pub fn add(&mut self, value: f64) {
        let total = self.sum + value;
        let lost = if self.sum.abs() >= value.abs() {
            (self.sum - total) + value
        } else {
            (value - total) + self.sum
        };
        self.lost = if total.is_infinite() { 0.0 } else { self.lost + lost };
        self.sum = total;
    }

    /// The sum; an infinite one has lost nothing.
    #[inline]
    pub fn total(self) -> f64 {
        self.sum + self.lost
    }
}

/// A mean that does not overflow where the sum of the values does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mean {
    running: KahanSum,
    count: f64,
    /// `running` is the mean itself: the sum is too large for a float.
    incremental: bool,
}

impl Mean {
    /// A mean of one.
    pub fn of(value: f64) -> Self {
        Self {
            running: KahanSum::of(value),
            count: 1.0,
            incremental: false,
        }
    }

    /// A mean of `first` and the `rest`: as if they were added one by one, but in a plain loop while their sum is finite.
    #[inline]
    pub fn of_all(first: f64, rest: &[f64]) -> Self {
        let mut running = KahanSum::of(first);
        rest.iter().for_each(|value| running.add(*value));
        if running.sum.is_finite() {
            return Self {
                running,
                count: (rest.len() + 1) as f64,
                incremental: false,
            };
        }
        let mut mean = Self::of(first);
        rest.iter().for_each(|value| mean.add(*value));
        mean
    }

    /// One value more.
    #[inline]
    pub fn add(&mut self, value: f64) {
        self.count += 1.0;
        if !self.incremental {
            let mut sum = self.running;
            sum.add(value);
            if !sum.sum.is_infinite() {
                self.running = sum;
                return;
            }
            self.incremental = true;
            self.running.sum /= self.count - 1.0;
            self.running.lost /= self.count - 1.0;
        }
        let kept = (self.count - 1.0) / self.count;
        self.running.sum *= kept;
        self.running.lost *= kept;
        self.running.add(value / self.count);
    }

    /// The mean of all.
    pub fn value(self) -> f64 {
        if self.incremental {
            self.running.total()
        } else {
            self.running.sum / self.count + self.running.lost / self.count
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_beside_large_ones_count() {
        let mut sum = KahanSum::default();
        for value in [1.0, 1e100, 1.0, -1e100] {
            sum.add(value);
        }
        assert_eq!(sum.total(), 2.0);
        sum.add(f64::INFINITY);
        assert_eq!(sum.total(), f64::INFINITY);
    }

    #[test]
    fn a_mean_is_finite_where_the_sum_is_not() {
        let mut mean = Mean::of(f64::MAX);
        for _ in 0..3 {
            mean.add(f64::MAX);
        }
        assert!((mean.value() / f64::MAX - 1.0).abs() < 1e-15);
        let mut mean = Mean::of(f64::INFINITY);
        mean.add(1.0);
        assert_eq!(mean.value(), f64::INFINITY);
        mean.add(f64::NEG_INFINITY);
        assert!(mean.value().is_nan());
    }

    #[test]
    fn all_at_once_are_as_one_by_one() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        for (first, rest) in [
            (-0.0, &[][..]),
            (1.0, &[1e100, 1.0, -1e100]),
            (f64::MAX, &[f64::MAX; 2]),
            (inf, &[1.0]),
            (1.0, &[nan]),
            (1.0, &[inf, -inf]),
        ] {
            let mut mean = Mean::of(first);
            rest.iter().for_each(|value| mean.add(*value));
            let all = Mean::of_all(first, rest).value();
            assert!(all.to_bits() == mean.value().to_bits() || (all.is_nan() && mean.value().is_nan()));
        }
    }
}
