//! Exemplars: the newest of all series, in a ring, by Prometheus' rules.

use std::sync::Arc;

use ahash::RandomState;
use hashbrown::HashMap;

use crate::labels::{self, Labels};
use crate::regex::Matcher;

/// Characters that names and values of an exemplar's labels have at most, together. OpenMetrics' number.
const MAX_CHARS: usize = 128;
/// Prometheus' default.
const CAPACITY: usize = 100_000;

/// An exemplar of some series.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    /// Time, ms.
    pub t: i64,
    /// The observed value.
    pub value: f64,
    /// Its own labels, packed.
    pub labels: Box<[u8]>,
}

impl Exemplar {
    /// What of two exemplars of one time comes later.
    fn rank(&self) -> (i64, u64, &[u8]) {
        // The order of floats as that of integers: of negative ones the other bits are turned around.
        let bits = self.value.to_bits();
        let order = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
        (self.t, order, &self.labels)
    }
}

/// Why an exemplar is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExemplarRefused {
    /// There is no room for any.
    Disabled,
    /// Its labels have more than 128 characters.
    TooLong,
    /// Its series has a newer one, and the window for late ones does not reach back that far.
    OutOfOrder,
}

/// What becomes of an exemplar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It is there already.
    Known,
    /// At this place among those of its series.
    At(usize),
}

/// Exemplars of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesExemplars {
    /// Packed labels of the series.
    pub series: Arc<[u8]>,
    /// In time order.
    pub exemplars: Vec<Exemplar>,
}

/// The ring. A full one loses the exemplar that came first, whatever its series.
#[derive(Debug)]
pub struct Exemplars {
    capacity: usize,
    /// Late exemplars are taken when they are newer than the newest of their series less this, ms.
    window: i64,
    entries: Vec<(Arc<[u8]>, Exemplar)>,
    /// The entry that is replaced next, once the ring is full.
    next: usize,
    /// By series: its entries, in time order.
    index: HashMap<Arc<[u8]>, Vec<usize>, RandomState>,
}

impl Default for Exemplars {
    fn default() -> Self {
        Self {
            capacity: CAPACITY,
            window: 0,
            entries: Vec::new(),
            next: 0,
            index: HashMap::default(),
        }
    }
}

impl Exemplars {
    /// Keep at most `capacity` exemplars, the ones that came last, and take late ones within `window` ms.
    pub fn set_limits(&mut self, capacity: usize, window: i64) {
        self.window = window;
        if capacity == self.capacity {
            return;
        }
        let mut entries = std::mem::take(&mut self.entries);
        let oldest = self.next.min(entries.len());
        entries.rotate_left(oldest);
        let skipped = entries.len().saturating_sub(capacity);
        (self.capacity, self.next) = (capacity, 0);
        self.index.clear();
        for (series, exemplar) in entries.into_iter().skip(skipped) {
            let place = self.times(&series, exemplar.t);
            self.insert(series, exemplar, place);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether [`Self::add`] would keep it; false when it is there already.
    pub fn check(&self, series: &[u8], exemplar: &Exemplar) -> Result<bool, ExemplarRefused> {
        self.place(series, exemplar).map(|place| place != Place::Known)
    }

    /// True when the newest exemplar of the series has this value and these labels.
    pub fn repeats(&self, series: &[u8], value: f64, own: &[u8]) -> bool {
        let newest = self.newest(series);
        newest.is_some_and(|newest| newest.value.to_bits() == value.to_bits() && *newest.labels == *own)
    }

    /// Keep an exemplar; one that is there already is not kept twice.
    pub fn add(&mut self, series: &[u8], exemplar: Exemplar) -> Result<(), ExemplarRefused> {
        if let Place::At(place) = self.place(series, &exemplar)? {
            let name = self.index.get_key_value(series).map(|(name, _)| name.clone());
            self.insert(name.unwrap_or_else(|| series.into()), exemplar, place);
        }
        Ok(())
    }

    /// Those of the series that match all of `matchers`, with times in `mint..=maxt`; series in label order.
    pub fn select(&self, matchers: &[Matcher], mint: i64, maxt: i64) -> Vec<SeriesExemplars> {
        let wanted = |series: &[u8]| {
            let labels = Labels::trusted(series);
            matchers.iter().all(|m| m.matches(labels.get(m.name())))
        };
        let of = |entries: &Vec<usize>| -> Vec<Exemplar> {
            let exemplars = entries.iter().filter_map(|entry| Some(&self.entries.get(*entry)?.1));
            exemplars.filter(|e| (mint..=maxt).contains(&e.t)).cloned().collect()
        };
        let found = self.index.iter().filter(|(series, _)| wanted(series));
        let mut found: Vec<_> = found
            .map(|(series, entries)| SeriesExemplars {
                series: series.clone(),
                exemplars: of(entries),
            })
            .filter(|series| !series.exemplars.is_empty())
            .collect();
        found.sort_unstable_by(|a, b| labels::compare(Labels::trusted(&a.series), Labels::trusted(&b.series)));
        found
    }

    fn newest(&self, series: &[u8]) -> Option<&Exemplar> {
        let newest = self.index.get(series)?.last()?;
        Some(&self.entries.get(*newest)?.1)
    }

    fn place(&self, series: &[u8], exemplar: &Exemplar) -> Result<Place, ExemplarRefused> {
        if self.capacity == 0 {
            return Err(ExemplarRefused::Disabled);
        }
        let chars = |text: &str| text.chars().count();
        let own = Labels::trusted(&exemplar.labels).iter();
        if own.map(|(name, value)| chars(name) + chars(value)).sum::<usize>() > MAX_CHARS {
            return Err(ExemplarRefused::TooLong);
        }
        let Some(newest) = self.newest(series) else {
            return Ok(Place::At(0));
        };
        if newest == exemplar {
            return Ok(Place::Known);
        }
        let late = exemplar.t < newest.t;
        if late && exemplar.t <= newest.t.saturating_sub(self.window) || !late && exemplar.rank() < newest.rank() {
            return Err(ExemplarRefused::OutOfOrder);
        }
        let place = self.times(series, exemplar.t);
        let before = |place: usize| Some(self.entries.get(*self.index.get(series)?.get(place)?)?.1.t);
        if late && place.checked_sub(1).and_then(before) == Some(exemplar.t) {
            return Ok(Place::Known); // as Prometheus: one a time is enough to tell a repetition, where many may come late
        }
        Ok(Place::At(place))
    }

    /// Where among the entries of the series those newer than `t` begin.
    fn times(&self, series: &[u8], t: i64) -> usize {
        let entries = self.index.get(series).map_or(&[][..], Vec::as_slice);
        entries.partition_point(|entry| self.entries.get(*entry).is_some_and(|(_, e)| e.t <= t))
    }

    fn insert(&mut self, series: Arc<[u8]>, exemplar: Exemplar, place: usize) {
        let mut place = place;
        let entry = if self.entries.len() < self.capacity {
            self.entries.push((series.clone(), exemplar));
            self.entries.len() - 1
        } else {
            let entry = self.next;
            let Some(slot) = self.entries.get_mut(entry) else {
                return;
            };
            let (old, _) = std::mem::replace(slot, (series.clone(), exemplar));
            self.next = (self.next + 1) % self.capacity;
            if let Some(gone) = self.forget(&old, entry) {
                place -= usize::from(old == series && gone < place);
            }
            entry
        };
        let entries = self.index.entry(series).or_default();
        entries.insert(place.min(entries.len()), entry);
    }

    /// Take an entry out of its series' list; where it stood.
    fn forget(&mut self, series: &Arc<[u8]>, entry: usize) -> Option<usize> {
        let entries = self.index.get_mut(series)?;
        let place = entries.iter().position(|e| *e == entry)?;
        entries.remove(place);
        if entries.is_empty() {
            self.index.remove(series);
        }
        Some(place)
    }
}
