//! Functions of what each series has in a window of time, at each step.

use std::sync::Arc;

use super::cells::{Cells, Note, Notes, Sample};
use super::samples::{Samples, Series};
use crate::batch::is_stale;
use crate::float_histogram::FloatHistogram;

/// Where the windows are. Both slices are of one length, and ascend.
#[derive(Debug, Clone, Copy)]
pub struct Windows<'a> {
    /// The last time in each window, ms.
    pub ends: &'a [i64],
    /// When the step is for which it is, ms: another time with `offset` and `@`.
    pub ats: &'a [i64],
    /// How far a window reaches back, ms; what is exactly so old is outside.
    pub range: i64,
    /// How much further samples are wanted on both sides, for the value at the window's edges, ms.
    pub margins: (i64, i64),
    /// Series that have nothing in any window stay.
    pub keeps_empty: bool,
}

impl Windows<'_> {
    /// The samples of a series that are in any window, or in its margins; `places` are those of the series before.
    fn reach<'a, T>(&self, series: &Series<'a, T>, places: &mut (usize, usize)) -> Series<'a, T> {
        let (Some(first), Some(last)) = (self.ends.first(), self.ends.last()) else {
            return series.cut(0, 0);
        };
        let from = first.saturating_sub(self.range).saturating_sub(self.margins.0);
        let to = last.saturating_add(self.margins.1);
        series.cut(series.seek(from, &mut places.0), series.seek(to, &mut places.1))
    }
}

/// The samples of one series in one window, or in its margins.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    /// The floats.
    pub floats: Series<'a, f64>,
    /// The histograms.
    pub histograms: Series<'a, Arc<FloatHistogram>>,
    /// The window begins behind this time, ms.
    pub start: i64,
    /// And ends with this one.
    pub end: i64,
    /// When the step is, ms.
    pub at: i64,
    /// Its number.
    pub step: usize,
    /// How many floats of the series come before these.
    pub skipped: usize,
}

/// What makes one sample of a window.
pub trait Function {
    /// These are the floats of the series that comes next.
    fn begin(&mut self, _floats: &Series<'_, f64>) {}

    /// Of a window with floats only, and at least one.
    fn of_floats(&self, window: &Window<'_>, notes: &mut Notes) -> Option<f64>;

    /// Of a window with at least one histogram.
    fn of_histograms(&self, window: &Window<'_>, notes: &mut Notes) -> Option<Sample>;
}

/// The function at each step, of each series.
pub fn apply<F: Function>(samples: &Samples, windows: &Windows<'_>, mut function: F) -> Cells {
    let mut cells = Cells::with_room(samples.len(), windows.ends.len(), windows.keeps_empty);
    let mut notes = Notes::default();
    let (mut floats_left, mut histograms_left) = (Scratch::default(), Scratch::default());
    let (mut float_places, mut histogram_places) = ((0, 0), (0, 0));
    for number in 0..samples.len() {
        let floats = floats_left.without(windows.reach(&samples.floats(number), &mut float_places), |value| {
            is_stale(*value)
        });
        let histograms = histograms_left
            .without(windows.reach(&samples.histograms(number), &mut histogram_places), |h| {
                is_stale(h.sum)
            });
        function.begin(&floats);
        let (mut of_floats, mut of_histograms) = (Cursor::default(), Cursor::default());
        for (step, (end, at)) in windows.ends.iter().zip(windows.ats).enumerate() {
            let start = end.saturating_sub(windows.range);
            let (from, to) = (
                start.saturating_sub(windows.margins.0),
                end.saturating_add(windows.margins.1),
            );
            let (first, behind) = of_floats.advance(floats.times, from, to);
            let mut window = Window {
                floats: floats.cut(first, behind),
                histograms: histograms.cut(0, 0),
                start,
                end: *end,
                at: *at,
                step,
                skipped: first,
            };
            if !histograms.is_empty() {
                let (first, behind) = of_histograms.advance(histograms.times, from, to);
                window.histograms = histograms.cut(first, behind);
            }
            if !window.histograms.is_empty() {
                cells.push(function.of_histograms(&window, &mut notes));
            } else if !window.floats.is_empty() {
                cells.push_float(function.of_floats(&window, &mut notes));
            } else {
                cells.push_float(None);
            }
        }
        cells.end_row(number, windows.ends.len(), &mut notes);
    }
    cells
}

/// Samples of a series without the stale markers.
struct Scratch<T> {
    times: Vec<i64>,
    values: Vec<T>,
    starts: Vec<i64>,
}

impl<T> Default for Scratch<T> {
    fn default() -> Self {
        Self {
            times: Vec::new(),
            values: Vec::new(),
            starts: Vec::new(),
        }
    }
}

impl<T: Clone> Scratch<T> {
    fn without<'a>(&'a mut self, series: Series<'a, T>, stale: impl Fn(&T) -> bool) -> Series<'a, T> {
        if !series.values.iter().any(&stale) {
            return series;
        }
        self.times.clear();
        self.values.clear();
        self.starts.clear();
        for (n, (time, value)) in series.iter().enumerate().filter(|(_, (_, value))| !stale(value)) {
            self.times.push(time);
            self.values.push(value.clone());
            self.starts.extend(series.starts.get(n));
        }
        Series {
            times: &self.times,
            values: &self.values,
            starts: &self.starts,
        }
    }
}

/// The samples in a window that moves on.
#[derive(Debug, Default)]
struct Cursor {
    first: usize,
    behind: usize,
}

impl Cursor {
    /// Numbers of the first sample after `from`, and of the first one after `to`.
    #[inline]
    fn advance(&mut self, times: &[i64], from: i64, to: i64) -> (usize, usize) {
        while times.get(self.behind).is_some_and(|t| *t <= to) {
            self.behind += 1;
        }
        while self.first < self.behind && times.get(self.first).is_some_and(|t| *t <= from) {
            self.first += 1;
        }
        (self.first, self.behind)
    }
}

/// A function of floats that does not look at histograms: beside floats they are noted, alone they are nothing.
pub struct OfFloats<F> {
    /// The function.
    pub function: F,
    /// As many floats it needs.
    pub least: usize,
}

impl<F: Fn(&Window<'_>) -> f64> Function for OfFloats<F> {
    #[inline]
    fn of_floats(&self, window: &Window<'_>, _: &mut Notes) -> Option<f64> {
        (window.floats.len() >= self.least).then(|| (self.function)(window))
    }

    fn of_histograms(&self, window: &Window<'_>, notes: &mut Notes) -> Option<Sample> {
        if window.floats.is_empty() {
            return None;
        }
        notes.add(Note::HistogramsIgnored);
        self.of_floats(window, notes).map(Sample::Float)
    }
}

/// A function for which a sample is a sample.
pub struct OfBoth<F>(pub F);

impl<F: Fn(&Window<'_>) -> Sample> Function for OfBoth<F> {
    fn of_floats(&self, window: &Window<'_>, _: &mut Notes) -> Option<f64> {
        match (self.0)(window) {
            Sample::Float(value) => Some(value),
            Sample::Histogram(_) => None,
        }
    }

    fn of_histograms(&self, window: &Window<'_>, _: &mut Notes) -> Option<Sample> {
        Some((self.0)(window))
    }
}
