//! The samples that a selector found, or that a subquery made.

use std::sync::Arc;

use super::LabelSets;
use crate::batch::is_stale;
use crate::float_histogram::FloatHistogram;
use crate::histogram::ResetHint;
use crate::query::Columns;

/// Samples of many series, with their labels. Stale markers are among them.
#[derive(Debug, Clone)]
pub struct Samples {
    labels: LabelSets,
    floats: Floats,
    histograms: Histograms,
}

#[derive(Debug, Clone)]
enum Floats {
    Stored(Arc<Columns>),
    Made(Made<f64>),
}

/// Samples of one kind, made by whoever made the others.
#[derive(Debug, Clone)]
pub struct Made<T> {
    /// Where those of each series begin, and where those of the last one end.
    pub offsets: Vec<usize>,
    /// Of all series, ms.
    pub times: Vec<i64>,
    /// As many.
    pub values: Vec<T>,
    /// As many times at which what a sample counts began, ms, 0 where that is not known; or none at all.
    pub starts: Vec<i64>,
}

type Histograms = Made<Arc<FloatHistogram>>;

/// Samples of one kind of one series, in order of time.
#[derive(Debug)]
pub struct Series<'a, T> {
    /// Times, ms.
    pub times: &'a [i64],
    /// As many values.
    pub values: &'a [T],
    /// As many start times, ms; or none.
    pub starts: &'a [i64],
}

impl<T> Clone for Series<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Series<'_, T> {}

impl<'a, T> Series<'a, T> {
    /// The samples `from` up to `to`.
    pub fn cut(&self, from: usize, to: usize) -> Self {
        Self {
            times: self.times.get(from..to).unwrap_or_default(),
            values: self.values.get(from..to).unwrap_or_default(),
            starts: self.starts.get(from..to).unwrap_or_default(),
        }
    }

    /// Number of the first sample later than `from`, ms. `place` is what it was in the series before: here too, most often, and
    /// looking there first spares a search, each step of which would fetch memory.
    pub fn seek(&self, from: i64, place: &mut usize) -> usize {
        let is_behind = |n: usize| self.times.get(n).is_none_or(|time| *time > from);
        let fits = *place <= self.len() && is_behind(*place) && place.checked_sub(1).is_none_or(|n| !is_behind(n));
        if !fits {
            *place = self.times.partition_point(|time| *time <= from);
        }
        *place
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// True without any.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Each with its time.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (i64, &'a T)> + ExactSizeIterator + Clone {
        self.times.iter().copied().zip(self.values)
    }

    /// When what the n-th sample counts began, 0 where that is not known.
    pub fn start(&self, n: usize) -> i64 {
        self.starts.get(n).copied().unwrap_or(0)
    }
}

impl<T> Default for Made<T> {
    fn default() -> Self {
        Self {
            offsets: vec![0],
            times: Vec::new(),
            values: Vec::new(),
            starts: Vec::new(),
        }
    }
}

impl<T> Made<T> {
    /// One sample more of the series at hand.
    pub fn push(&mut self, time: i64, value: T) {
        self.times.push(time);
        self.values.push(value);
    }

    /// The series at hand has no more.
    pub fn end_series(&mut self) {
        self.offsets.push(self.values.len());
    }

    fn series(&self, n: usize) -> Series<'_, T> {
        let whole = Series {
            times: &self.times,
            values: &self.values,
            starts: &self.starts,
        };
        match (self.offsets.get(n), self.offsets.get(n + 1)) {
            (Some(from), Some(to)) => whole.cut(*from, *to),
            _ => whole.cut(0, 0),
        }
    }
}

impl Samples {
    /// What a selector found.
    pub fn stored(columns: Arc<Columns>) -> Self {
        let converted = columns.histograms().iter();
        let histograms = Made {
            offsets: columns
                .histogram_offsets()
                .iter()
                .map(|offset| *offset as usize)
                .collect(),
            times: converted.clone().map(|(t, _)| *t).collect(),
            values: converted
                .map(|(_, stored)| Arc::new(FloatHistogram::from_stored(stored)))
                .collect(),
            starts: Vec::new(),
        };
        Self {
            labels: LabelSets::new(columns.label_sets().to_vec()),
            floats: Floats::Stored(columns),
            histograms,
        }
    }

    /// What something else made: as many series as there are labels.
    pub fn made(labels: LabelSets, floats: Made<f64>, histograms: Made<Arc<FloatHistogram>>) -> Self {
        Self {
            labels,
            floats: Floats::Made(floats),
            histograms,
        }
    }

    /// What a subquery made at `times` (ms, ascending): series x times, and the histograms with their places among those.
    pub fn of_cells(
        labels: LabelSets,
        times: &[i64],
        values: &[f64],
        present: &[u8],
        histograms: impl Iterator<Item = (i64, Arc<FloatHistogram>)>,
    ) -> Self {
        let (mut floats, mut others) = (Made::default(), Made::default());
        let mut histograms = histograms.peekable();
        let steps = times.len().max(1);
        for (row, (values, present)) in values.chunks_exact(steps).zip(present.chunks_exact(steps)).enumerate() {
            for (time, (value, there)) in times.iter().zip(values.iter().zip(present)) {
                if *there != 0 {
                    floats.push(*time, *value);
                }
            }
            let behind = ((row + 1) * steps) as i64;
            while let Some((cell, mut histogram)) = histograms.next_if(|(cell, _)| *cell < behind) {
                if matches!(histogram.hint, ResetHint::Reset | ResetHint::NotReset) {
                    // It was about the sample before it, which need not be the one before it here.
                    Arc::make_mut(&mut histogram).hint = ResetHint::Unknown;
                }
                others.push(times.get(cell as usize % steps).copied().unwrap_or(0), histogram);
            }
            floats.end_series();
            others.end_series();
        }
        Self::made(labels, floats, others)
    }

    /// The same samples of series with other labels, as many.
    pub fn relabeled(&self, labels: LabelSets) -> Self {
        Self { labels, ..self.clone() }
    }

    /// The same series in the order of their labels.
    pub fn sorted(&self) -> Self {
        let Some(order) = self.labels.order() else {
            return self.clone();
        };
        let (mut floats, mut histograms) = (Made::default(), Made::default());
        for row in &order {
            self.floats(*row as usize)
                .iter()
                .for_each(|(t, value)| floats.push(t, *value));
            self.histograms(*row as usize)
                .iter()
                .for_each(|(t, histogram)| histograms.push(t, histogram.clone()));
            floats.end_series();
            histograms.end_series();
        }
        Self::made(self.labels.take(&order), floats, histograms)
    }

    /// Histograms without their buckets, for what asks for counts and sums alone. A reset that nothing is told of is looked for
    /// here, while there are buckets, unless the histogram before is `reach` ms old or older.
    pub fn without_buckets(&self, reach: i64) -> Self {
        let mut values = Vec::with_capacity(self.histograms.values.len());
        for n in 0..self.len() {
            let mut before: Option<(i64, &FloatHistogram)> = None;
            for (time, histogram) in self.histograms.series(n).iter() {
                let near = before.filter(|(earlier, _)| time.saturating_sub(*earlier) < reach);
                values.push(Arc::new(counted(histogram, near.map(|(_, before)| before))));
                if !is_stale(histogram.sum) {
                    before = Some((time, histogram));
                }
            }
        }
        let histograms = Made {
            offsets: self.histograms.offsets.clone(),
            times: self.histograms.times.clone(),
            values,
            starts: self.histograms.starts.clone(),
        };
        Self {
            labels: self.labels.clone(),
            floats: self.floats.clone(),
            histograms,
        }
    }

    /// Labels of the series.
    pub fn labels(&self) -> &LabelSets {
        &self.labels
    }

    /// How many series.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// True without any series.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// What all samples weigh against the limits; a histogram is more than a float.
    pub fn weight(&self) -> usize {
        let floats = match &self.floats {
            Floats::Stored(columns) => columns.values().len(),
            Floats::Made(made) => made.values.len(),
        };
        floats
            + self
                .histograms
                .values
                .iter()
                .map(|histogram| histogram.weight())
                .sum::<usize>()
    }

    /// The floats of a series.
    pub fn floats(&self, n: usize) -> Series<'_, f64> {
        let columns = match &self.floats {
            Floats::Made(made) => return made.series(n),
            Floats::Stored(columns) => columns,
        };
        let whole = Series {
            times: columns.timestamps(),
            values: columns.values(),
            starts: &[],
        };
        match (columns.offsets().get(n), columns.offsets().get(n + 1)) {
            (Some(from), Some(to)) => whole.cut(*from as usize, *to as usize),
            _ => whole.cut(0, 0),
        }
    }

    /// The histograms of a series.
    pub fn histograms(&self, n: usize) -> Series<'_, Arc<FloatHistogram>> {
        self.histograms.series(n)
    }

    /// There are histograms.
    pub fn has_histograms(&self) -> bool {
        !self.histograms.values.is_empty()
    }
}

/// What a histogram counts, without its buckets.
fn counted(histogram: &FloatHistogram, before: Option<&FloatHistogram>) -> FloatHistogram {
    let is_told = histogram.hint != ResetHint::Unknown || is_stale(histogram.sum);
    let hint = match before.filter(|_| !is_told) {
        Some(before) if histogram.is_reset_since(before) => ResetHint::Reset,
        Some(_) => ResetHint::NotReset,
        None => histogram.hint,
    };
    FloatHistogram {
        hint,
        schema: histogram.schema,
        count: histogram.count,
        sum: histogram.sum,
        ..FloatHistogram::default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::batch::STALE_NAN_BITS;

    #[test]
    fn samples_after_a_time_are_found_wherever_they_were_before() {
        let series = Series {
            times: &[10, 20, 30],
            values: &[1, 2, 3],
            starts: &[],
        };
        for (from, found) in [(0, 0), (10, 1), (19, 1), (20, 2), (30, 3), (40, 3)] {
            for mut place in 0..5 {
                assert_eq!(series.seek(from, &mut place), found, "{from}");
                assert_eq!(place, found);
            }
        }
    }
    use crate::float_histogram::parse_literal;

    #[test]
    fn resets_are_found_while_there_are_buckets() {
        let stale = FloatHistogram {
            sum: f64::from_bits(STALE_NAN_BITS),
            ..FloatHistogram::default()
        };
        let of = |text: &str| parse_literal(text).unwrap().0;
        let mut histograms = Made::default();
        for (time, histogram) in [
            (0, of("{{count:2 sum:1 buckets:[2]}}")),
            (10, of("{{count:3 sum:2 buckets:[0 3]}}")),
            (20, stale),
            (30, of("{{count:3 sum:3 buckets:[0 3]}}")),
            (40, of("{{count:9 sum:4 counter_reset_hint:gauge buckets:[9]}}")),
            (500, of("{{schema:2 count:1 sum:5 buckets:[1]}}")),
        ] {
            histograms.push(time, Arc::new(histogram));
        }
        histograms.end_series();
        let mut floats = Made::default();
        floats.end_series();
        let labels = LabelSets::new(vec![Arc::from([])]);
        let counts = Samples::made(labels, floats, histograms).without_buckets(100);
        let literals: Vec<String> = counts.histograms(0).values.iter().map(|h| h.literal()).collect();
        assert_eq!(
            literals,
            [
                "{{count:2 sum:1}}",
                "{{count:3 sum:2 counter_reset_hint:reset}}",
                "{{sum:NaN}}",
                "{{count:3 sum:3 counter_reset_hint:not_reset}}",
                "{{count:9 sum:4 counter_reset_hint:gauge}}",
                "{{schema:2 count:1 sum:5}}",
            ]
        );
    }
}
