//! `rate`, `increase` and `delta`: how much a window's samples grew, as if they reached from edge to edge.

use super::cells::{Note, Notes, Sample};
use super::histogram_rate;
use super::samples::Series;
use super::starts::Stamp;
use super::window::{Function, Window};

/// One of the three.
#[derive(Debug, Default)]
pub struct Rate {
    /// Growth of a counter: it never falls, but begins anew.
    pub counter: bool,
    /// Per second.
    pub per_second: bool,
    /// Heed start times.
    pub starts: bool,
    /// How often the series at hand has fallen, up to each of its samples.
    falls: Vec<u32>,
}

impl Rate {
    /// Of a counter or a gauge, in all or per second.
    pub fn new(counter: bool, per_second: bool, starts: bool) -> Self {
        Self {
            counter,
            per_second,
            starts,
            falls: Vec::new(),
        }
    }

    fn float_growth(&self, window: &Window<'_>, notes: &mut Notes) -> Option<f64> {
        let floats = &window.floats;
        let (first, last) = (floats.values.first()?, floats.values.last()?);
        let mut growth = last - first;
        if !self.counter {
            return Some(growth);
        }
        let has_starts = self.starts && !floats.starts.is_empty();
        let falls = |n: usize| self.falls.get(window.skipped + n);
        if !has_starts && falls(0) == falls(floats.len() - 1) {
            return Some(growth);
        }
        let mut overlapped = false;
        for (n, (before, after)) in floats.values.iter().zip(floats.values.iter().skip(1)).enumerate() {
            let (previous, current) = (stamp(floats, n), stamp(floats, n + 1));
            if has_starts && !overlapped && current.overlaps(previous) {
                notes.add(Note::StartOverlap);
                overlapped = true;
            }
            if after < before || (has_starts && current.is_reset_since(previous)) {
                growth += before;
            }
        }
        Some(growth)
    }

    /// By what growth has to be multiplied: to the edges if samples are so near to them that the series seems to go on, and
    /// otherwise by half the usual distance of samples, but not to before a counter was zero: `zero` is the value at the first
    /// sample and the growth, where both say that it was.
    fn factor(&self, window: &Window<'_>, times: &[i64], begun: Option<i64>, zero: Option<(f64, f64)>) -> Option<f64> {
        let (first, last) = (*times.first()?, *times.last()?);
        let apart = |from: i64, to: i64| to.saturating_sub(from) as f64;
        let mut sampled = apart(first, last);
        let between = match times.len() - 1 {
            0 => 0.0,
            gaps => sampled / gaps as f64,
        };
        let near = between * 1.1;
        let mut to_start = apart(window.start, first);
        match begun {
            Some(begun) => {
                to_start = 0.0;
                sampled = apart(begun, last);
            }
            None if times.len() == 1 => return None,
            None => {
                if to_start >= near {
                    to_start = between / 2.0;
                }
                // A division less than asking for the time of zero each time.
                if let Some((value, growth)) = zero.filter(|(value, growth)| sampled * value < to_start * growth) {
                    to_start = sampled * (value / growth);
                }
            }
        }
        let mut to_end = apart(last, window.end);
        if to_end >= near {
            to_end = between / 2.0;
        }
        let factor = if sampled == 0.0 {
            1.0
        } else {
            (sampled + to_start + to_end) / sampled
        };
        Some(if self.per_second {
            factor / (apart(window.start, window.end) / 1000.0)
        } else {
            factor
        })
    }

    /// When the counter began, if that was in the window and before its first sample.
    fn begun<T>(&self, window: &Window<'_>, samples: &Series<'_, T>) -> Option<i64> {
        let (begun, first) = (samples.start(0), *samples.times.first()?);
        (self.starts && self.counter && begun != 0 && begun > window.start && begun < first).then_some(begun)
    }
}

/// Time and start time of the n-th sample.
pub fn stamp<T>(samples: &Series<'_, T>, n: usize) -> Stamp {
    Stamp {
        time: samples.times.get(n).copied().unwrap_or(0),
        start: samples.start(n),
    }
}

impl Function for Rate {
    fn begin(&mut self, floats: &Series<'_, f64>) {
        self.falls.clear();
        if self.counter {
            let mut falls = 0;
            let mut before = f64::NEG_INFINITY;
            self.falls.extend(floats.values.iter().map(|value| {
                falls += u32::from(*value < before);
                before = *value;
                falls
            }));
        }
    }

    #[inline]
    fn of_floats(&self, window: &Window<'_>, notes: &mut Notes) -> Option<f64> {
        let floats = &window.floats;
        let begun = self.begun(window, floats);
        if floats.len() < 2 && begun.is_none() {
            return None;
        }
        let first = *floats.values.first()?;
        let growth = self.float_growth(window, notes)?;
        let zero = (self.counter && growth > 0.0 && first >= 0.0).then_some((first, growth));
        let factor = self.factor(window, floats.times, begun, zero)?;
        Some(if begun.is_some() {
            (growth + first) * factor
        } else {
            growth * factor
        })
    }

    fn of_histograms(&self, window: &Window<'_>, notes: &mut Notes) -> Option<Sample> {
        let histograms = &window.histograms;
        if !window.floats.is_empty() {
            notes.add(Note::MixedSamples);
            return None;
        }
        let first = histograms.values.first()?;
        let begun = self.begun(window, histograms);
        let growth = match histograms.len() {
            1 => None,
            _ => Some(histogram_rate::growth(histograms, self.counter, self.starts, notes)?),
        };
        let counts = growth.as_ref().map(|growth| (first.count, growth.count));
        let zero = counts.filter(|(before, growth)| self.counter && *growth > 0.0 && *before >= 0.0);
        let factor = self.factor(window, histograms.times, begun, zero)?;
        let growth = match (growth, begun) {
            (Some(mut growth), Some(_)) => {
                histogram_rate::add(&mut growth, first, notes)?;
                growth
            }
            (Some(growth), None) => growth,
            (None, _) => first.as_ref().clone(),
        };
        Some(growth.scaled(factor).into())
    }
}
