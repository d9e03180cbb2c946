//! `irate` and `idelta`: how much the last two samples of a window differ.

use super::cells::{Note, Notes, Sample};
use super::histogram_rate::subtract;
use super::rate::stamp;
use super::starts::Stamp;
use super::window::{Function, Window};
use crate::histogram::ResetHint;

/// One of the two.
#[derive(Debug)]
pub struct InstantRate {
    /// `irate`: of a counter, per second.
    pub rate: bool,
    /// Heed start times.
    pub starts: bool,
}

impl InstantRate {
    fn is_reset(&self, current: Stamp, previous: Stamp) -> bool {
        self.starts && current.is_reset_since(previous)
    }
}

impl Function for InstantRate {
    #[inline]
    fn of_floats(&self, window: &Window<'_>, _: &mut Notes) -> Option<f64> {
        let floats = &window.floats;
        let last = floats.len().checked_sub(1)?;
        let previous = last.checked_sub(1)?;
        let (before, after) = (*floats.values.get(previous)?, *floats.values.get(last)?);
        let (before_at, after_at) = (stamp(floats, previous), stamp(floats, last));
        let apart = after_at.time - before_at.time;
        if apart == 0 {
            return None;
        }
        if !self.rate {
            return Some(after - before);
        }
        let anew = after < before || self.is_reset(after_at, before_at);
        Some(if anew { after } else { after - before } / (apart as f64 / 1000.0))
    }

    fn of_histograms(&self, window: &Window<'_>, notes: &mut Notes) -> Option<Sample> {
        let (floats, histograms) = (&window.floats, &window.histograms);
        let last = histograms.len().checked_sub(1)?;
        // Among the last two samples is a float when one is as late as the last histogram but one.
        let previous = last.checked_sub(1);
        let before_last = previous.and_then(|n| histograms.times.get(n));
        let latest_float = floats.times.last();
        if latest_float.is_some_and(|t| before_last.is_none_or(|histogram| t > histogram)) {
            let both_floats = floats.len() > 1 && floats.times.get(floats.len() - 2) > histograms.times.last();
            if both_floats {
                return self.of_floats(window, notes).map(Sample::Float);
            }
            notes.add(Note::MixedSamples);
            return None;
        }
        let (before, after) = (histograms.values.get(previous?)?, histograms.values.get(last)?);
        let (before_at, after_at) = (stamp(histograms, previous?), stamp(histograms, last));
        let apart = after_at.time - before_at.time;
        if apart == 0 {
            return None;
        }
        let gauges = [before, after].map(|histogram| histogram.hint == ResetHint::Gauge);
        if self.rate && gauges.contains(&true) {
            notes.add(Note::NotCounter);
        }
        if !self.rate && gauges.contains(&false) {
            notes.add(Note::NotGauge);
        }
        let mut grown = after.as_ref().clone();
        if !self.rate || (!self.is_reset(after_at, before_at) && !after.is_reset_since(before)) {
            subtract(&mut grown, before, notes)?;
        }
        grown.hint = ResetHint::Gauge;
        grown.compact();
        Some(
            if self.rate {
                grown.divided(apart as f64 / 1000.0)
            } else {
                grown
            }
            .into(),
        )
    }
}
