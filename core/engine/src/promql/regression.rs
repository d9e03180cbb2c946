//! Lines through the floats of a window, and smoothing.

use super::kahan::KahanSum;
use super::samples::Series;
use super::window::{OfFloats, Window};

/// `deriv`: the slope per second.
pub fn deriv() -> OfFloats<impl Fn(&Window<'_>) -> f64> {
    let slope = |window: &Window<'_>| {
        let around = window.floats.times.first().copied().unwrap_or(0);
        line(&window.floats, around).0
    };
    OfFloats {
        function: slope,
        least: 2,
    }
}

/// `predict_linear`: the line's value so many seconds after the step; a number for each step.
pub fn predict_linear(seconds: &[f64]) -> OfFloats<impl Fn(&Window<'_>) -> f64 + '_> {
    let predict = |window: &Window<'_>| {
        let (slope, intercept) = line(&window.floats, window.at);
        slope * seconds.get(window.step).copied().unwrap_or(f64::NAN) + intercept
    };
    OfFloats {
        function: predict,
        least: 2,
    }
}

/// `double_exponential_smoothing` by a factor for values and one for trends; numbers for each step.
pub fn smoothing<'a>(factors: &'a [f64], trends: &'a [f64]) -> OfFloats<impl Fn(&Window<'_>) -> f64 + 'a> {
    let at = |numbers: &[f64], step: usize| numbers.get(step).copied().unwrap_or(f64::NAN);
    OfFloats {
        function: move |window: &Window<'_>| {
            smooth(window.floats.values, at(factors, window.step), at(trends, window.step))
        },
        least: 2,
    }
}

/// Least squares: the slope per second, and the value at the time `at`, ms.
fn line(floats: &Series<'_, f64>, at: i64) -> (f64, f64) {
    let [mut sum_x, mut sum_y, mut sum_xy, mut sum_xx] = [KahanSum::default(); 4];
    let first = floats.values.first().copied().unwrap_or(f64::NAN);
    if floats.values.iter().all(|value| *value == first) {
        return if first.is_infinite() {
            (f64::NAN, f64::NAN)
        } else {
            (0.0, first)
        };
    }
    for (time, y) in floats.iter() {
        let x = time.saturating_sub(at) as f64 / 1000.0;
        sum_x.add(x);
        sum_y.add(*y);
        sum_xy.add(x * y);
        sum_xx.add(x * x);
    }
    let count = floats.len() as f64;
    let [x, y, xy, xx] = [sum_x, sum_y, sum_xy, sum_xx].map(KahanSum::total);
    let slope = (xy - x * y / count) / (xx - x * x / count);
    (slope, y / count - slope * x / count)
}

/// Holt's linear method.
fn smooth(values: &[f64], factor: f64, trend_factor: f64) -> f64 {
    let mut values = values.iter();
    let (Some(first), Some(second)) = (values.next(), values.clone().next()) else {
        return f64::NAN;
    };
    let (mut before, mut smoothed) = (0.0, *first);
    let mut trend = second - first;
    for (n, value) in values.enumerate() {
        if n > 0 {
            trend = trend_factor * (smoothed - before) + (1.0 - trend_factor) * trend;
        }
        (before, smoothed) = (smoothed, factor * value + (1.0 - factor) * (smoothed + trend));
    }
    smoothed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_through_points_on_it() {
        let floats = Series {
            times: &[0, 10_000, 20_000],
            values: &[1.0, 21.0, 41.0],
            starts: &[],
        };
        assert_eq!(line(&floats, 30_000), (2.0, 61.0));
        assert_eq!(line(&floats.cut(1, 2), 0), (0.0, 21.0));
    }

    #[test]
    fn smoothing_follows_a_trend() {
        assert_eq!(smooth(&[1.0, 2.0, 3.0, 4.0], 0.5, 0.5), 4.0);
        assert_eq!(smooth(&[1.0, 1.0, 3.0], 0.5, 0.1), 2.0);
    }
}
