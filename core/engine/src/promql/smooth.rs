//! The `smoothed` instant selector, and `anchored` and `smoothed` ranges as they are.

use std::cell::RefCell;
use std::sync::Arc;

use super::cells::{Note, Notes, Sample};
use super::extended_rate::{between, between_histograms, edges};
use super::samples::{Made, Samples, Series};
use super::window::{apply, Function, Window, Windows};
use super::Cells;
use crate::float_histogram::FloatHistogram;
use crate::histogram::ResetHint;

/// The value of each series at each of `ats`, ms: on the line between the samples on both sides, none of them `delta` ms away or
/// more to the past, and not further than that to the future; that of the sample before when none comes after. Series without any stay if told so.
pub fn smooth(samples: &Samples, ats: &[i64], delta: i64, keeps_empty: bool) -> Cells {
    let windows = Windows {
        ends: ats,
        ats,
        range: delta,
        margins: (0, delta),
        keeps_empty,
    };
    apply(samples, &windows, Smooth)
}

struct Smooth;

impl Function for Smooth {
    fn of_floats(&self, window: &Window<'_>, _: &mut Notes) -> Option<f64> {
        let (previous, next) = around(&window.floats, window.end);
        Some(match (previous, next) {
            (_, Some((t, value))) if t == window.end => *value,
            (Some((t, value)), Some((later, next))) => between((t, *value), (later, *next), window.end, false),
            (Some((_, value)), None) => *value,
            (None, _) => return None,
        })
    }

    fn of_histograms(&self, window: &Window<'_>, notes: &mut Notes) -> Option<Sample> {
        if !window.floats.is_empty() {
            notes.add(Note::MixedSamples);
            return None;
        }
        match around(&window.histograms, window.end) {
            (_, Some((t, histogram))) if t == window.end => Some(Sample::Histogram(histogram.clone())),
            (Some((t, histogram)), Some((later, next))) => {
                if histogram.has_custom_buckets() != next.has_custom_buckets() {
                    notes.add(Note::MixedBuckets);
                    return None;
                }
                let counter = histogram.hint != ResetHint::Gauge || next.hint != ResetHint::Gauge;
                between_histograms((t, histogram), (later, next), window.end, counter, notes).map(Sample::from)
            }
            (Some((_, histogram)), None) => {
                let mut carried = histogram.as_ref().clone();
                carried.hint = ResetHint::Unknown;
                Some(carried.into())
            }
            (None, _) => None,
        }
    }
}

/// A sample and its time, if there is one.
type Neighbour<'a, T> = Option<(i64, &'a T)>;

/// The last sample before `at`, and the first one that is not.
fn around<'a, T>(samples: &Series<'a, T>, at: i64) -> (Neighbour<'a, T>, Neighbour<'a, T>) {
    let behind = samples.times.partition_point(|t| *t < at);
    let sample = |n: usize| Some((*samples.times.get(n)?, samples.values.get(n)?));
    (behind.checked_sub(1).and_then(sample), sample(behind))
}

/// The samples of each series in one window, without stale markers; `smoothed` or, Some(false), anchored they reach to its edges.
/// None when histograms would have to be extended.
pub fn cut(samples: &Samples, windows: &Windows<'_>, smoothed: Option<bool>) -> Option<Samples> {
    let kept = RefCell::new((Made::default(), Made::default()));
    let cells = apply(samples, windows, Cut { smoothed, kept: &kept });
    let (floats, histograms) = kept.into_inner();
    let refused = smoothed.is_some() && !histograms.times.is_empty();
    (!refused).then(|| Samples::made(samples.labels().take(&cells.rows), floats, histograms))
}

type Kept = (Made<f64>, Made<Arc<FloatHistogram>>);

/// Keeps what it sees; each series with anything has one cell.
struct Cut<'a> {
    smoothed: Option<bool>,
    kept: &'a RefCell<Kept>,
}

impl Function for Cut<'_> {
    fn of_floats(&self, window: &Window<'_>, _: &mut Notes) -> Option<f64> {
        let (floats, histograms) = &mut *self.kept.borrow_mut();
        match self.smoothed {
            None => window.floats.iter().for_each(|(t, value)| floats.push(t, *value)),
            Some(smoothed) => {
                let (left, inner, right) = edges(&window.floats, window.start, window.end, smoothed, false)?;
                floats.push(window.start, left);
                inner.iter().for_each(|(t, value)| floats.push(t, *value));
                floats.push(window.end, right);
            }
        }
        floats.end_series();
        histograms.end_series();
        Some(0.0)
    }

    fn of_histograms(&self, window: &Window<'_>, _: &mut Notes) -> Option<Sample> {
        let (floats, histograms) = &mut *self.kept.borrow_mut();
        window.floats.iter().for_each(|(t, value)| floats.push(t, *value));
        window
            .histograms
            .iter()
            .for_each(|(t, histogram)| histograms.push(t, histogram.clone()));
        floats.end_series();
        histograms.end_series();
        Some(Sample::Float(0.0))
    }
}
