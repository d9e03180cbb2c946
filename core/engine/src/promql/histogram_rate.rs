//! How much native histograms grew.

use std::sync::Arc;

use super::cells::{Note, Notes};
use super::rate::stamp;
use super::samples::Series;
use crate::float_histogram::FloatHistogram;
use crate::histogram::ResetHint;

type Histograms<'a> = Series<'a, Arc<FloatHistogram>>;

/// Growth from the first to the last of at least two histograms, as a gauge; None when they have nothing in common. A counter that
/// began anew grew by what it was before, too.
pub fn growth(histograms: &Histograms<'_>, counter: bool, starts: bool, notes: &mut Notes) -> Option<FloatHistogram> {
    let (first, last) = (histograms.values.first()?, histograms.values.last()?);
    let is_reset = |n: usize, current: &FloatHistogram, previous: &FloatHistogram| {
        (starts && stamp(histograms, n).is_reset_since(stamp(histograms, n - 1))) || current.is_reset_since(previous)
    };
    let nothing;
    let mut previous = first.as_ref();
    if counter {
        check_counters(histograms, notes);
        let second = histograms.values.get(1)?;
        if is_reset(1, second, previous) {
            // What went before counts for nothing, whatever its buckets.
            nothing = FloatHistogram {
                schema: second.schema,
                custom: second.custom.clone(),
                ..FloatHistogram::default()
            };
            previous = &nothing;
        }
    } else if [first, last].iter().any(|histogram| histogram.hint != ResetHint::Gauge) {
        notes.add(Note::NotGauge);
    }
    let mut schema = last.schema.min(previous.schema);
    let between = histograms.values.get(1..histograms.len() - 1).unwrap_or_default();
    let custom = previous.has_custom_buckets();
    let mut compatible = last.has_custom_buckets() == custom;
    if counter {
        for histogram in between {
            schema = schema.min(histogram.schema);
            compatible &= histogram.has_custom_buckets() == custom;
        }
    }
    if !compatible {
        notes.add(Note::MixedBuckets);
        return None;
    }
    let mut grown = last.reduced(schema);
    subtract(&mut grown, previous, notes)?;
    if counter {
        let mut overlapped = false;
        for (n, current) in histograms.values.iter().enumerate().skip(1) {
            if starts && !overlapped && stamp(histograms, n).overlaps(stamp(histograms, n - 1)) {
                notes.add(Note::StartOverlap);
                overlapped = true;
            }
            if is_reset(n, current, previous) {
                add(&mut grown, previous, notes)?;
            }
            previous = current;
        }
    }
    grown.hint = ResetHint::Gauge;
    grown.compact();
    Some(grown)
}

/// Note a gauge among what should be counters.
pub fn check_counters(histograms: &Histograms<'_>, notes: &mut Notes) {
    if histograms
        .values
        .iter()
        .any(|histogram| histogram.hint == ResetHint::Gauge)
    {
        notes.add(Note::NotCounter);
    }
}

/// Add, and note what had to be settled.
pub fn add(to: &mut FloatHistogram, other: &FloatHistogram, notes: &mut Notes) -> Option<()> {
    settle(to.add(other), Note::BoundsAdded, notes)
}

/// Subtract, and note what had to be settled.
pub fn subtract(from: &mut FloatHistogram, other: &FloatHistogram, notes: &mut Notes) -> Option<()> {
    settle(from.subtract(other), Note::BoundsSubtracted, notes)
}

fn settle<E>(result: Result<crate::float_histogram::Reconciled, E>, bounds: Note, notes: &mut Notes) -> Option<()> {
    match result {
        Ok(reconciled) => {
            if reconciled.bounds {
                notes.add(bounds);
            }
            Some(())
        }
        Err(_) => {
            notes.add(Note::MixedBuckets);
            None
        }
    }
}
