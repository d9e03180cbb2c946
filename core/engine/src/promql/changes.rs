//! `changes` and `resets`: how often a series became another.

use std::sync::Arc;

use super::cells::{Notes, Sample};
use super::samples::Series;
use super::starts::Stamp;
use super::window::{Function, Window};
use crate::float_histogram::FloatHistogram;

/// One of the two.
#[derive(Debug)]
pub struct Changes {
    /// `resets`: only a counter that began anew counts.
    pub resets: bool,
    /// Heed start times.
    pub starts: bool,
    /// The latest sample at the window's start or before it is one of the window's.
    pub anchored: bool,
}

/// One sample.
#[derive(Clone, Copy)]
enum Value<'a> {
    Float(f64),
    Histogram(&'a FloatHistogram),
}

impl Changes {
    fn counts(&self, (previous, before): (Stamp, Value<'_>), (current, after): (Stamp, Value<'_>)) -> bool {
        let anew = self.starts && current.is_reset_since(previous);
        match (before, after) {
            (Value::Float(before), Value::Float(after)) if self.resets => after < before || anew,
            (Value::Histogram(before), Value::Histogram(after)) if self.resets => anew || after.is_reset_since(before),
            (Value::Float(before), Value::Float(after)) => after != before && !(after.is_nan() && before.is_nan()),
            (Value::Histogram(before), Value::Histogram(after)) => !after.same(before),
            _ => true,
        }
    }

    /// What counts of the window: all of it, or what is behind the start and one sample before that.
    fn samples<'a>(&self, window: &Window<'a>) -> Option<(Series<'a, f64>, Series<'a, Arc<FloatHistogram>>)> {
        let (floats, histograms) = (window.floats, window.histograms);
        if !self.anchored {
            return Some((floats, histograms));
        }
        let before = |times: &[i64]| times.partition_point(|t| *t <= window.start);
        let (mut first_float, mut first_histogram) = (before(floats.times), before(histograms.times));
        if first_float == floats.len() && first_histogram == histograms.len() {
            return None;
        }
        let time = |times: &[i64], n: usize| n.checked_sub(1).and_then(|n| times.get(n).copied());
        match (time(floats.times, first_float), time(histograms.times, first_histogram)) {
            (Some(float), histogram) if histogram.is_none_or(|histogram| float >= histogram) => first_float -= 1,
            (_, Some(_)) => first_histogram -= 1,
            _ => {}
        }
        Some((
            floats.cut(first_float, floats.len()),
            histograms.cut(first_histogram, histograms.len()),
        ))
    }
}

impl Function for Changes {
    fn of_floats(&self, window: &Window<'_>, _: &mut Notes) -> Option<f64> {
        let (floats, _) = self.samples(window)?;
        if !self.starts || floats.starts.is_empty() {
            let pairs = floats.values.iter().zip(floats.values.iter().skip(1));
            let count = if self.resets {
                pairs.filter(|(before, after)| after < before).count()
            } else {
                pairs
                    .filter(|(before, after)| after != before && !(after.is_nan() && before.is_nan()))
                    .count()
            };
            return Some(count as f64);
        }
        let stamped = |n: usize| {
            let stamp = super::rate::stamp(&floats, n);
            Some((stamp, Value::Float(*floats.values.get(n)?)))
        };
        let pairs = (1..floats.len()).filter_map(|n| Some((stamped(n - 1)?, stamped(n)?)));
        Some(pairs.filter(|(before, after)| self.counts(*before, *after)).count() as f64)
    }

    fn of_histograms(&self, window: &Window<'_>, _: &mut Notes) -> Option<Sample> {
        let (floats, histograms) = self.samples(window)?;
        let stamped = |time, start| Stamp { time, start };
        let floats = floats
            .iter()
            .enumerate()
            .map(|(n, (t, v))| (stamped(t, floats.start(n)), Value::Float(*v)));
        let histograms = histograms
            .iter()
            .enumerate()
            .map(|(n, (t, h))| (stamped(t, histograms.start(n)), Value::Histogram(h.as_ref())));
        let mut samples: Vec<(Stamp, Value<'_>)> = floats.chain(histograms).collect();
        samples.sort_by_key(|(stamp, _)| stamp.time);
        let pairs = samples.iter().zip(samples.iter().skip(1));
        Some(Sample::Float(
            pairs.filter(|(before, after)| self.counts(**before, **after)).count() as f64,
        ))
    }
}
