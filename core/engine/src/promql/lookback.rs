//! The latest sample of each series at each step.

use super::cells::{Cells, Notes, Sample};
use super::samples::{Samples, Series};
use crate::batch::is_stale;

/// What of the latest sample is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Its value.
    Value,
    /// Its time, ms.
    Time,
    /// When what it counts began, ms; 0 where that is not known.
    Start,
}

/// The latest sample at or before each of `ats`, unless it is `delta` ms old or older, or says that the series ends.
/// `ats` ascend. Series that have nothing at any of them stay if told so.
pub fn lookback(samples: &Samples, ats: &[i64], delta: i64, wanted: Wanted, keeps_empty: bool) -> Cells {
    let mut cells = Cells::with_room(samples.len(), ats.len(), keeps_empty);
    let mut notes = Notes::default();
    let first = ats.first().copied().unwrap_or(0);
    let mut places = (0, 0);
    for series in 0..samples.len() {
        let (floats, histograms) = (samples.floats(series), samples.histograms(series));
        let floats = from_latest(&floats, first, &mut places.0);
        let histograms = from_latest(&histograms, first, &mut places.1);
        if histograms.is_empty() && wanted == Wanted::Value {
            push_floats(&floats, ats, delta, &mut cells);
        } else {
            let mut latest = (Latest::of(floats), Latest::of(histograms));
            for at in ats {
                let (float, histogram) = (latest.0.seek(*at), latest.1.seek(*at));
                let since = at.saturating_sub(delta);
                let sample = match (float, histogram) {
                    (float, Some((t, start, h))) if t > since && float.is_none_or(|(other, ..)| other < t) => {
                        (!is_stale(h.sum)).then(|| wanted_of(wanted, t, start, || Sample::Histogram(h.clone())))
                    }
                    (Some((t, start, v)), _) if t > since => {
                        (!is_stale(*v)).then(|| wanted_of(wanted, t, start, || Sample::Float(*v)))
                    }
                    _ => None,
                };
                cells.push(sample);
            }
        }
        cells.end_row(series, ats.len(), &mut notes);
    }
    cells
}

/// From the latest sample at or before `at` on.
fn from_latest<'a, T>(series: &Series<'a, T>, at: i64, place: &mut usize) -> Series<'a, T> {
    series.cut(series.seek(at, place).saturating_sub(1), series.len())
}

fn wanted_of(wanted: Wanted, time: i64, start: i64, value: impl FnOnce() -> Sample) -> Sample {
    match wanted {
        Wanted::Value => value(),
        Wanted::Time => Sample::Float(time as f64),
        Wanted::Start => Sample::Float(start as f64),
    }
}

/// The way of most series.
fn push_floats(floats: &Series<'_, f64>, ats: &[i64], delta: i64, cells: &mut Cells) {
    let mut left = floats.iter().peekable();
    let mut latest = (i64::MIN, 0.0);
    for at in ats {
        while let Some((t, v)) = left.next_if(|(t, _)| t <= at) {
            latest = (t, *v);
        }
        let (t, value) = latest;
        let seen = t > at.saturating_sub(delta) && !is_stale(value);
        cells.values.push(value);
        cells.present.push(seen.into());
    }
}

/// The latest sample of a series, for times that ascend.
struct Latest<'a, T> {
    series: Series<'a, T>,
    /// How many samples are not later.
    passed: usize,
}

impl<'a, T> Latest<'a, T> {
    fn of(series: Series<'a, T>) -> Self {
        Self { series, passed: 0 }
    }

    /// Its time, start time and value.
    fn seek(&mut self, at: i64) -> Option<(i64, i64, &'a T)> {
        while self.series.times.get(self.passed).is_some_and(|t| *t <= at) {
            self.passed += 1;
        }
        let last = self.passed.checked_sub(1)?;
        let time = self.series.times.get(last)?;
        Some((*time, self.series.start(last), self.series.values.get(last)?))
    }
}
