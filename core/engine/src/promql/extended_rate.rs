//! `rate`, `increase` and `delta` of `anchored` and `smoothed` ranges: growth between the window's very edges.
//!
//! Anchored, the value at an edge is that of the latest sample there. Smoothed, it lies on the line between the samples on both sides.

use std::sync::Arc;

use super::cells::{Note, Notes, Sample};
use super::histogram_rate::{add, check_counters, subtract};
use super::samples::Series;
use super::window::{Function, Window};
use crate::float_histogram::FloatHistogram;
use crate::histogram::ResetHint;

/// One of the three.
#[derive(Debug)]
pub struct ExtendedRate {
    /// Growth of a counter.
    pub counter: bool,
    /// Per second.
    pub per_second: bool,
    /// Else anchored.
    pub smoothed: bool,
}

/// The samples that count: the first one at or before the window's start if there is any, and the last one.
pub fn bounds(times: &[i64], start: i64, end: i64, smoothed: bool) -> Option<(usize, usize)> {
    let last = times.len().checked_sub(1)?;
    let before_last = times.get(..last).unwrap_or_default();
    let first = before_last.partition_point(|t| *t <= start).saturating_sub(1);
    let last = if smoothed {
        before_last.partition_point(|t| *t < end)
    } else {
        last
    };
    let behind = times.get(last).is_some_and(|t| *t <= start);
    let ahead = smoothed && times.get(first).is_some_and(|t| *t > end);
    (!behind && !ahead).then_some((first, last))
}

/// The value at `at` on the line between two samples; of a counter that began anew between them, from zero.
pub fn between(a: (i64, f64), b: (i64, f64), at: i64, counter: bool) -> f64 {
    let from = if counter && b.1 < a.1 { 0.0 } else { a.1 };
    from + (b.1 - from) * (at - a.0) as f64 / (b.0 - a.0) as f64
}

/// Likewise of histograms.
pub fn between_histograms(
    a: (i64, &FloatHistogram),
    b: (i64, &FloatHistogram),
    at: i64,
    counter: bool,
    notes: &mut Notes,
) -> Option<FloatHistogram> {
    if at == a.0 {
        return Some(a.1.clone());
    }
    if at == b.0 {
        return Some(b.1.clone());
    }
    let fraction = (at - a.0) as f64 / (b.0 - a.0) as f64;
    if counter && b.1.is_reset_since(a.1) {
        return Some(b.1.scaled(fraction));
    }
    let mut value = b.1.clone();
    subtract(&mut value, a.1, notes)?;
    value = value.scaled(fraction);
    add(&mut value, a.1, notes)?;
    Some(value)
}

/// The floats at the edges of a window and those between.
pub fn edges<'a>(
    floats: &Series<'a, f64>,
    start: i64,
    end: i64,
    smoothed: bool,
    counter: bool,
) -> Option<(f64, Series<'a, f64>, f64)> {
    let (first, last) = bounds(floats.times, start, end, smoothed)?;
    let at = |n: usize| Some((*floats.times.get(n)?, *floats.values.get(n)?));
    let (oldest, latest) = (at(first)?, at(last)?);
    let left = match at(first + 1) {
        Some(next) if smoothed && oldest.0 < start => between(oldest, next, start, counter),
        _ => oldest.1,
    };
    let right = match last.checked_sub(1).and_then(at) {
        Some(previous) if smoothed && latest.0 > end => between(previous, latest, end, counter),
        _ => latest.1,
    };
    let inner_first = first + usize::from(oldest.0 <= start);
    let inner_behind = last + usize::from(latest.0 < end);
    Some((left, floats.cut(inner_first, inner_behind.max(inner_first)), right))
}

impl ExtendedRate {
    fn seconds(window: &Window<'_>) -> f64 {
        (window.end - window.start) as f64 / 1000.0
    }

    fn histogram_growth(&self, window: &Window<'_>, notes: &mut Notes) -> Option<FloatHistogram> {
        let histograms = &window.histograms;
        let (first, last) = bounds(histograms.times, window.start, window.end, self.smoothed)?;
        let counted = histograms.cut(first, last + 1);
        let custom = counted.values.first()?.has_custom_buckets();
        if counted
            .values
            .iter()
            .any(|histogram| histogram.has_custom_buckets() != custom)
        {
            notes.add(Note::MixedBuckets);
            return None;
        }
        if self.counter {
            check_counters(&counted, notes);
        }
        let at = |n: usize| Some((*histograms.times.get(n)?, histograms.values.get(n)?.as_ref()));
        let (oldest, latest) = (at(first)?, at(last)?);
        let left = match at(first + 1) {
            Some(next) if self.smoothed && oldest.0 < window.start => {
                between_histograms(oldest, next, window.start, self.counter, notes)?
            }
            _ => oldest.1.clone(),
        };
        let right = match last.checked_sub(1).and_then(at) {
            Some(previous) if self.smoothed && latest.0 > window.end => {
                between_histograms(previous, latest, window.end, self.counter, notes)?
            }
            _ => latest.1.clone(),
        };
        if !self.counter && [&left, &right].iter().any(|edge| edge.hint != ResetHint::Gauge) {
            notes.add(Note::NotGauge);
        }
        let mut growth = right.clone();
        subtract(&mut growth, &left, notes)?;
        if self.counter {
            let lost = self.lost(&counted, window.start, &left, &right, notes)?;
            if let Some(lost) = lost {
                add(&mut growth, &lost, notes)?;
            }
        }
        growth.hint = ResetHint::Gauge;
        Some(growth)
    }

    /// What a counter had been each time before it began anew between the edges. The samples are those at and between the edges.
    fn lost(
        &self,
        samples: &Series<'_, Arc<FloatHistogram>>,
        start: i64,
        left: &FloatHistogram,
        right: &FloatHistogram,
        notes: &mut Notes,
    ) -> Option<Option<FloatHistogram>> {
        let mut previous = left;
        let mut inner = 1;
        if let ([first, second, ..], Some(oldest)) = (samples.values, samples.times.first()) {
            if self.smoothed && *oldest < start && second.is_reset_since(first) {
                // The value at the edge lies on a line from zero, past this reset already.
                previous = second;
                inner = 2;
            }
        }
        // The last sample is the right edge, or gave the edge its hint.
        if inner > samples.len().saturating_sub(1) {
            return Some(None);
        }
        let mut lost: Option<FloatHistogram> = None;
        let mut lose = |what: &FloatHistogram, notes: &mut Notes| match &mut lost {
            Some(lost) => add(lost, what, notes),
            None => {
                lost = Some(what.clone());
                Some(())
            }
        };
        for histogram in samples.values.get(inner..samples.len() - 1).unwrap_or_default() {
            if histogram.is_reset_since(previous) {
                lose(previous, notes)?;
            }
            previous = histogram;
        }
        if right.is_reset_since(previous) {
            lose(previous, notes)?;
        }
        Some(lost)
    }
}

impl Function for ExtendedRate {
    fn of_floats(&self, window: &Window<'_>, _: &mut Notes) -> Option<f64> {
        let (left, inner, right) = edges(&window.floats, window.start, window.end, self.smoothed, self.counter)?;
        let mut growth = right - left;
        if self.counter {
            let mut previous = left;
            for value in inner.values.iter().chain([&right]) {
                if *value < previous {
                    growth += previous;
                }
                previous = *value;
            }
        }
        Some(if self.per_second {
            growth / Self::seconds(window)
        } else {
            growth
        })
    }

    fn of_histograms(&self, window: &Window<'_>, notes: &mut Notes) -> Option<Sample> {
        if !window.floats.is_empty() {
            notes.add(Note::MixedSamples);
            return None;
        }
        let mut growth = self.histogram_growth(window, notes)?;
        if self.per_second {
            growth = growth.divided(Self::seconds(window));
        }
        growth.hint = ResetHint::Gauge;
        Some(growth.compacted().into())
    }
}
