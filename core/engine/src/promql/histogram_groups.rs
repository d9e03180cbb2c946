//! `sum` and `avg` of native histograms.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::float_histogram::{Accumulator, FloatHistogram};

/// The results, and what to tell of them.
#[derive(Debug, Default)]
pub struct Totals {
    /// One for each cell that has a result, ascending.
    pub cells: Vec<(i64, Arc<FloatHistogram>)>,
    /// Numbers of the histograms that go with none of those before them.
    pub incompatible: Vec<i64>,
    /// Bounds that not all had were dropped.
    pub bounds: bool,
    /// Some began anew and others went on.
    pub hints: bool,
}

/// The mean, or the sum, of the histograms for each cell; `cells` has one for each of them.
pub fn totals(mean: bool, histograms: &[Arc<FloatHistogram>], cells: &[i64]) -> Totals {
    let mut totals = Totals::default();
    let mut running: HashMap<i64, Option<Accumulator>> = HashMap::new();
    for (number, (histogram, cell)) in histograms.iter().zip(cells).enumerate() {
        let Some(total) = running.get_mut(cell) else {
            let start = if mean { Accumulator::mean } else { Accumulator::sum };
            running.insert(*cell, Some(start(histogram)));
            continue;
        };
        if total.as_mut().is_some_and(|total| total.add(histogram).is_err()) {
            totals.incompatible.push(number as i64);
            let dropped = total.take().map(|total| total.finish().1);
            totals.bounds |= dropped.is_some_and(|reconciled| reconciled.bounds);
        }
    }
    for (cell, total) in running {
        let Some(total) = total else { continue };
        let (histogram, reconciled) = total.finish();
        totals.bounds |= reconciled.bounds;
        totals.hints |= reconciled.hints;
        totals.cells.push((cell, Arc::new(histogram.compacted())));
    }
    totals.cells.sort_by_key(|(cell, _)| *cell);
    totals
}
