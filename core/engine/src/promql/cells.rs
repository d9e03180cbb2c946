//! Cells of a frame in the making: series x steps, of the series that have any.

use std::sync::Arc;

use crate::float_histogram::FloatHistogram;

/// A value.
#[derive(Debug, Clone)]
pub enum Sample {
    /// A float.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<FloatHistogram>),
}

impl From<f64> for Sample {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<FloatHistogram> for Sample {
    fn from(histogram: FloatHistogram) -> Self {
        Self::Histogram(Arc::new(histogram))
    }
}

/// Row after row.
#[derive(Debug, Default)]
pub struct Cells {
    /// Rows without anything stay.
    keeps_empty: bool,
    /// Numbers of the series that are left.
    pub rows: Vec<i64>,
    /// Where `present` is 0, nothing that counts.
    pub values: Vec<f64>,
    /// 1 where there is a float.
    pub present: Vec<u8>,
    /// Histograms, with their place among the cells.
    pub histograms: Vec<(i64, Arc<FloatHistogram>)>,
    /// What was wrong with series.
    pub notes: Vec<Noted>,
}

/// What was found wrong, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// The series, whether it is left or not.
    pub series: i64,
    /// What.
    pub note: Note,
    /// How often.
    pub times: i64,
}

/// What a caller may want to tell the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// Floats and histograms in one window.
    MixedSamples,
    /// Likewise, and only the floats counted.
    HistogramsIgnored,
    /// A gauge histogram was taken for a counter.
    NotCounter,
    /// And the other way round.
    NotGauge,
    /// Exponential and custom buckets.
    MixedBuckets,
    /// Bounds that not all had were dropped: in a sum.
    BoundsAdded,
    /// In a difference.
    BoundsSubtracted,
    /// In an aggregation.
    BoundsAggregated,
    /// Some histograms began anew and others went on.
    HintsCollided,
    /// A sample counts from before the one before it on, and yet not from its start.
    StartOverlap,
}

impl Note {
    /// As callers know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::MixedSamples => "mixed_samples",
            Self::HistogramsIgnored => "histograms_ignored",
            Self::NotCounter => "not_counter",
            Self::NotGauge => "not_gauge",
            Self::MixedBuckets => "mixed_buckets",
            Self::BoundsAdded => "bounds_added",
            Self::BoundsSubtracted => "bounds_subtracted",
            Self::BoundsAggregated => "bounds_aggregated",
            Self::HintsCollided => "hints_collided",
            Self::StartOverlap => "start_overlap",
        }
    }
}

/// The notes about one series.
#[derive(Debug, Default)]
pub struct Notes(Vec<(Note, i64)>);

impl Notes {
    /// Once more.
    pub fn add(&mut self, note: Note) {
        match self.0.iter_mut().find(|(known, _)| *known == note) {
            Some((_, times)) => *times += 1,
            None => self.0.push((note, 1)),
        }
    }
}

impl Cells {
    /// Room for `rows` of `steps` cells.
    pub fn with_room(rows: usize, steps: usize, keeps_empty: bool) -> Self {
        Self {
            keeps_empty,
            values: Vec::with_capacity(rows * steps),
            present: Vec::with_capacity(rows * steps),
            ..Self::default()
        }
    }

    /// One cell more of the row at hand.
    #[inline]
    pub fn push(&mut self, sample: Option<Sample>) {
        match sample {
            Some(Sample::Float(value)) => {
                self.values.push(value);
                self.present.push(1);
                return;
            }
            Some(Sample::Histogram(histogram)) => self.histograms.push((self.values.len() as i64, histogram)),
            None => {}
        }
        self.values.push(0.0);
        self.present.push(0);
    }

    /// One cell more, of a float or of nothing.
    #[inline]
    pub fn push_float(&mut self, value: Option<f64>) {
        self.values.push(value.unwrap_or(0.0));
        self.present.push(value.is_some().into());
    }

    /// The row of `series` is whole: it has `steps` cells. It goes if they are all empty, unless such rows stay.
    pub fn end_row(&mut self, series: usize, steps: usize, notes: &mut Notes) {
        let series = series as i64;
        let noted = notes.0.drain(..).map(|(note, times)| Noted { series, note, times });
        self.notes.extend(noted);
        let start = self.values.len().saturating_sub(steps);
        let has_floats = self.present.get(start..).unwrap_or_default().contains(&1);
        let has_histograms = self.histograms.last().is_some_and(|(cell, _)| *cell >= start as i64);
        if has_floats || has_histograms || self.keeps_empty {
            self.rows.push(series);
        } else {
            self.values.truncate(start);
            self.present.truncate(start);
        }
    }
}
