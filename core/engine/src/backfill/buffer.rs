//! Samples on their way into blocks, compressed, by window and series.

use std::collections::BTreeMap;

use super::dictionary::Dictionary;
use super::run::Run;
use crate::labels::Labels;

/// The number of a series in a [`Buffer`], until everything is taken out of it.
pub type SeriesNumber = u32;

/// A time so close to the ends of 64 bits that no window can hold it; or more series than 32 bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRange;

impl std::fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the time is out of range")
    }
}

impl std::error::Error for OutOfRange {}

/// Samples of all series by window.
#[derive(Debug)]
pub struct Buffer {
    range: i64,
    labels: Dictionary,
    /// Where each series' last sample went.
    places: Vec<Place>,
    windows: BTreeMap<i64, Window>,
    /// Windows begun so far.
    begun: u64,
    /// Grows whenever series numbers lose their meaning.
    generation: u64,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    window: u64,
    run: u32,
}

/// The samples of `start..start + range` ms.
#[derive(Debug, Default)]
pub struct Window {
    /// Tells it from an earlier one of the same range; never 0.
    id: u64,
    pub(super) runs: Vec<Run>,
    /// The runs of series that came back from another window.
    by_series: hashbrown::HashMap<SeriesNumber, u32, ahash::RandomState>,
    samples: u64,
    bytes: usize,
}

impl Window {
    /// Samples so far, those that will turn out to be doublets included.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Memory in use, roughly.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Buffer {
    /// An empty buffer whose windows begin at multiples of `range` ms, which is positive.
    pub fn new(range: i64) -> Self {
        Self {
            range: range.max(1),
            labels: Dictionary::default(),
            places: Vec::new(),
            windows: BTreeMap::new(),
            begun: 0,
            generation: 0,
        }
    }

    /// The number of a label set.
    pub fn series(&mut self, labels: Labels<'_>) -> Result<SeriesNumber, OutOfRange> {
        let number = self.labels.number(labels.packed()).ok_or(OutOfRange)?;
        if self.places.len() < self.labels.len() {
            self.places.push(Place { window: 0, run: 0 });
        }
        Ok(number)
    }

    /// The label set with this number.
    pub fn labels(&self, series: SeriesNumber) -> Labels<'_> {
        Labels::trusted(self.labels.get(series))
    }

    /// Changes whenever the numbers that [`Self::series`] gave are no longer good.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Add a sample of a series. Times may come in any order; of two samples at the same time the first stays.
    pub fn append(&mut self, series: SeriesNumber, t: i64, value: f64) -> Result<(), OutOfRange> {
        let start = t.div_euclid(self.range).checked_mul(self.range).ok_or(OutOfRange)?;
        start.checked_add(self.range).ok_or(OutOfRange)?;
        let place = self.places.get_mut(series as usize).ok_or(OutOfRange)?;
        let window = self.windows.entry(start).or_insert_with(|| {
            self.begun += 1;
            Window {
                id: self.begun,
                ..Window::default()
            }
        });
        if place.window != window.id {
            *place = Place {
                window: window.id,
                run: window.run_of(series),
            };
        }
        window.samples += 1;
        let run = window.runs.get_mut(place.run as usize).ok_or(OutOfRange)?;
        window.bytes += run.append(t, value);
        Ok(())
    }

    /// Memory in use, roughly.
    pub fn bytes(&self) -> usize {
        let windows: usize = self.windows.values().map(|window| window.bytes).sum();
        windows + self.known_bytes()
    }

    /// Memory of the label sets alone, which only goes when the last window is taken out.
    pub fn known_bytes(&self) -> usize {
        self.labels.bytes() + self.places.capacity() * std::mem::size_of::<Place>()
    }

    /// Start and content of all windows, oldest first.
    pub fn windows(&self) -> impl Iterator<Item = (i64, &Window)> {
        self.windows.iter().map(|(start, window)| (*start, window))
    }

    /// Take a window out. A later sample of its range begins it anew.
    pub fn take(&mut self, start: i64) -> Option<Window> {
        self.windows.remove(&start)
    }

    /// Forget all series when no window needs them any more.
    pub fn forget_series(&mut self) {
        if self.windows.is_empty() {
            self.labels = Dictionary::default();
            self.places = Vec::new();
            self.generation += 1;
        }
    }
}

impl Window {
    fn run_of(&mut self, series: SeriesNumber) -> u32 {
        let fresh = self.runs.len() as u32; // no more than there are series
        let run = *self.by_series.entry(series).or_insert(fresh);
        if run == fresh {
            self.runs.push(Run::new(series));
            self.bytes += Run::FIXED_BYTES;
        }
        run
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_at_multiples_also_before_1970() {
        let mut buffer = Buffer::new(100);
        let series = buffer.series(Labels::trusted(b"\x01a\x01b")).unwrap();
        for t in [-101, -100, -1, 0, 99, 100] {
            buffer.append(series, t, 1.0).unwrap();
        }
        let windows: Vec<(i64, u64)> = buffer
            .windows()
            .map(|(start, window)| (start, window.samples()))
            .collect();
        assert_eq!(windows, [(-200, 1), (-100, 2), (0, 2), (100, 1)]);
        assert_eq!(buffer.append(series, i64::MIN, 1.0), Err(OutOfRange));
        assert_eq!(buffer.append(series, i64::MAX, 1.0), Err(OutOfRange));
        assert_eq!(buffer.append(series + 1, 0, 1.0), Err(OutOfRange));
    }

    #[test]
    fn a_window_that_was_taken_begins_anew() {
        let mut buffer = Buffer::new(100);
        let series = buffer.series(Labels::trusted(b"\x01a\x01b")).unwrap();
        buffer.append(series, 1, 1.0).unwrap();
        assert_eq!(buffer.take(0).unwrap().samples(), 1);
        assert!(buffer.take(0).is_none());
        buffer.append(series, 2, 1.0).unwrap();
        assert_eq!(buffer.take(0).unwrap().samples(), 1);
        let before = buffer.generation();
        buffer.forget_series();
        assert_ne!(buffer.generation(), before);
        assert!(buffer.labels(series).packed().is_empty());
    }
}
