//! `*_over_time`: what the samples of a window come to.

use super::cells::{Cells, Note, Notes, Sample};
use super::kahan::{KahanSum, Mean};
use super::quantile::quantile;
use super::samples::Samples;
use super::window::{apply, Function, OfBoth, OfFloats, Window, Windows};
use crate::float_histogram::Accumulator;

/// The function of this name; `parameters` are its other arguments, each with a number for each step. None for any other name.
pub fn over_time(name: &str, samples: &Samples, windows: &Windows<'_>, parameters: &[&[f64]]) -> Option<Cells> {
    let first = parameters.first().copied().unwrap_or_default();
    Some(match name {
        "sum_over_time" => apply(samples, windows, Total::Sum),
        "avg_over_time" => apply(samples, windows, Total::Mean),
        "count_over_time" => apply(samples, windows, OfBoth(count)),
        "present_over_time" | "absent_over_time" => apply(samples, windows, OfBoth(one)),
        "first_over_time" => apply(samples, windows, OfBoth(oldest)),
        "last_over_time" => apply(samples, windows, OfBoth(latest)),
        "ts_of_first_over_time" => apply(samples, windows, OfBoth(oldest_time)),
        "ts_of_last_over_time" => apply(samples, windows, OfBoth(latest_time)),
        "min_over_time" => apply(samples, windows, floats(|w| extreme(w, |v, least| v < least).1)),
        "max_over_time" => apply(samples, windows, floats(|w| extreme(w, |v, most| v > most).1)),
        "ts_of_min_over_time" => apply(
            samples,
            windows,
            floats(|w| seconds(extreme(w, |v, least| v <= least).0)),
        ),
        "ts_of_max_over_time" => apply(samples, windows, floats(|w| seconds(extreme(w, |v, most| v >= most).0))),
        "stdvar_over_time" => apply(samples, windows, floats(variance)),
        "stddev_over_time" => apply(samples, windows, floats(|w| variance(w).sqrt())),
        "mad_over_time" => apply(samples, windows, floats(median_deviation)),
        "quantile_over_time" => {
            let of = |w: &Window<'_>| {
                let q = first.get(w.step).copied().unwrap_or(f64::NAN);
                quantile(q, &mut w.floats.values.to_vec())
            };
            apply(samples, windows, floats(of))
        }
        _ => return None,
    })
}

fn floats<F: Fn(&Window<'_>) -> f64>(function: F) -> OfFloats<F> {
    OfFloats { function, least: 1 }
}

/// Milliseconds as seconds.
fn seconds(time: i64) -> f64 {
    time as f64 / 1000.0
}

fn one(_: &Window<'_>) -> Sample {
    Sample::Float(1.0)
}

fn count(window: &Window<'_>) -> Sample {
    Sample::Float((window.floats.len() + window.histograms.len()) as f64)
}

/// The oldest sample; of two at once the histogram.
fn oldest(window: &Window<'_>) -> Sample {
    match (window.floats.iter().next(), window.histograms.iter().next()) {
        (Some((float, value)), Some((histogram, _))) if float < histogram => Sample::Float(*value),
        (_, Some((_, histogram))) => Sample::Histogram(histogram.clone()),
        (Some((_, value)), None) => Sample::Float(*value),
        (None, None) => Sample::Float(0.0),
    }
}

/// The latest sample; of two at once the histogram.
fn latest(window: &Window<'_>) -> Sample {
    match (window.floats.iter().next_back(), window.histograms.iter().next_back()) {
        (Some((float, value)), Some((histogram, _))) if histogram < float => Sample::Float(*value),
        (_, Some((_, histogram))) => Sample::Histogram(histogram.clone()),
        (Some((_, value)), None) => Sample::Float(*value),
        (None, None) => Sample::Float(0.0),
    }
}

fn oldest_time(window: &Window<'_>) -> Sample {
    let times = [window.floats.times.first(), window.histograms.times.first()];
    Sample::Float(seconds(times.into_iter().flatten().copied().min().unwrap_or(0)))
}

fn latest_time(window: &Window<'_>) -> Sample {
    let times = [window.floats.times.last(), window.histograms.times.last()];
    Sample::Float(seconds(times.into_iter().flatten().copied().max().unwrap_or(0)))
}

/// The value that beats all before it, and its time. Anything beats a NaN.
fn extreme(window: &Window<'_>, beats: impl Fn(f64, f64) -> bool) -> (i64, f64) {
    let mut samples = window.floats.iter().map(|(t, v)| (t, *v));
    let first = samples.next().unwrap_or((0, f64::NAN));
    samples.fold(first, |best, (t, v)| {
        if beats(v, best.1) || best.1.is_nan() {
            (t, v)
        } else {
            best
        }
    })
}

/// Welford's method, with compensated sums.
fn variance(window: &Window<'_>) -> f64 {
    let (mut mean, mut squares, mut count) = (KahanSum::default(), KahanSum::default(), 0.0);
    for value in window.floats.values {
        count += 1.0;
        let delta = value - mean.total();
        mean.add(delta / count);
        squares.add(delta * (value - mean.total()));
    }
    squares.total() / count
}

/// The median of how far the values are from their median.
fn median_deviation(window: &Window<'_>) -> f64 {
    let mut values = window.floats.values.to_vec();
    if values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let median = quantile(0.5, &mut values);
    for value in &mut values {
        *value = (*value - median).abs();
    }
    quantile(0.5, &mut values)
}

/// What all samples make together. Floats and histograms make nothing.
enum Total {
    Sum,
    Mean,
}

impl Function for Total {
    #[inline]
    fn of_floats(&self, window: &Window<'_>, _: &mut Notes) -> Option<f64> {
        let (first, rest) = window.floats.values.split_first()?;
        Some(match self {
            Self::Sum => {
                let mut sum = KahanSum::of(*first);
                rest.iter().for_each(|value| sum.add(*value));
                sum.total()
            }
            Self::Mean => Mean::of_all(*first, rest).value(),
        })
    }

    fn of_histograms(&self, window: &Window<'_>, notes: &mut Notes) -> Option<Sample> {
        if !window.floats.is_empty() {
            notes.add(Note::MixedSamples);
            return None;
        }
        let (first, rest) = window.histograms.values.split_first()?;
        let mut total = match self {
            Self::Sum => Accumulator::sum(first),
            Self::Mean => Accumulator::mean(first),
        };
        if rest.iter().any(|histogram| total.add(histogram).is_err()) {
            notes.add(Note::MixedBuckets);
            return None;
        }
        let (total, settled) = total.finish();
        if settled.hints {
            notes.add(Note::HintsCollided);
        }
        if settled.bounds {
            notes.add(Note::BoundsAggregated);
        }
        Some(total.into())
    }
}
