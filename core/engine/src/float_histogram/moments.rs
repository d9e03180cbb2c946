//! Mean, variance and standard deviation.

use super::tally::{Kahan, Tally};
use super::{Bucket, FloatHistogram};

impl FloatHistogram {
    /// The mean of the observations.
    pub fn average(&self) -> f64 {
        self.sum / self.count
    }

    /// Their variance, as if all in a bucket were in its middle: the geometric mean of its bounds, but zero in the zero bucket
    /// and the arithmetic mean in custom buckets.
    pub fn variance(&self) -> f64 {
        let mean = self.average();
        let mut squares = Kahan::default();
        for bucket in self.buckets().filter(|bucket| bucket.count != 0.0) {
            let distance = self.middle(&bucket) - mean;
            squares.add(bucket.count * distance * distance);
        }
        squares.total() / self.count
    }

    /// The standard deviation.
    pub fn deviation(&self) -> f64 {
        self.variance().sqrt()
    }

    fn middle(&self, bucket: &Bucket) -> f64 {
        if self.has_custom_buckets() {
            return (bucket.upper + bucket.lower) / 2.0;
        }
        if bucket.has_zero() {
            return 0.0;
        }
        let middle = (bucket.upper * bucket.lower).sqrt();
        if bucket.upper < 0.0 {
            -middle
        } else {
            middle
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::parse_literal;

    #[test]
    fn observations_are_in_the_middle_of_their_bucket() {
        for (text, average, variance) in [
            (
                "{{count:4 sum:8 offset:1 buckets:[0 4]}}",
                2.0,
                8.0 + 4.0 - 4.0 * 8f64.sqrt(),
            ),
            (
                "{{count:4 sum:-8 n_offset:1 n_buckets:[0 4]}}",
                -2.0,
                8.0 + 4.0 - 4.0 * 8f64.sqrt(),
            ),
            ("{{count:4 sum:4 z_bucket:4 z_bucket_w:0.5}}", 1.0, 1.0),
            (
                "{{schema:-53 count:4 sum:8 custom_values:[2 4] buckets:[0 4]}}",
                2.0,
                1.0,
            ),
        ] {
            let (histogram, _) = parse_literal(text).unwrap();
            assert_eq!(histogram.average(), average, "{text}");
            assert!(
                (histogram.variance() - variance).abs() < 1e-12,
                "{text}: {}",
                histogram.variance()
            );
            assert_eq!(histogram.deviation(), histogram.variance().sqrt());
        }
    }
}
