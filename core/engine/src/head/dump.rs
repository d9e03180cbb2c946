//! All samples as text, one a line, as `promtool tsdb dump` prints them.

use std::fmt::Write;

use super::snapshot::{Selection, SeriesChunks};
use super::Head;
use crate::float::push_go;
use crate::labels::{quote, Labels};
use crate::merge::Window;
use crate::regex::Matcher;
use crate::sample::Value;

/// A dump under way. It fixes at its start which samples it shows, so that it sees each batch whole or not at all
/// though the head takes more of them between two pieces.
pub struct Dump {
    /// In label order.
    selection: Selection,
    /// The series that the last piece ended in, and the oldest time still to be shown of it.
    cut: Option<(SeriesChunks, i64)>,
}

impl Head {
    /// Begin a dump of the samples in `window` of the series that match all of `matchers`.
    pub fn dump(&self, matchers: &[Matcher], window: Window) -> Dump {
        let mut selection = self.pick(matchers, window);
        selection.sort();
        Dump { selection, cut: None }
    }

    /// Append the next lines to `out`, until it is at least `size` bytes long or the dump is at its end.
    /// Native histograms are left out, as in promtool.
    pub fn dump_piece(&self, dump: &mut Dump, out: &mut String, size: usize) {
        let ticks = dump.selection.ticks().clone();
        while out.len() < size {
            let window = dump.selection.window();
            let whole = || Some((self.collect(&mut dump.selection, 1).pop()?, window.mint));
            let Some((series, mint)) = dump.cut.take().or_else(whole) else {
                return;
            };
            let window = Window { mint, ..window };
            let rest = dump_series(&series, window, &ticks, out, size);
            dump.cut = rest.map(|mint| (series, mint));
        }
    }
}

/// The time of the first sample that is left when `out` is full.
fn dump_series(series: &SeriesChunks, window: Window, ticks: &[i64], out: &mut String, size: usize) -> Option<i64> {
    let mut labels = String::new();
    push_labels(Labels::trusted(&series.labels), &mut labels);
    for (t, value) in series.samples(window, ticks) {
        let Value::Float(value) = value else {
            continue;
        };
        if out.len() >= size {
            return Some(t);
        }
        out.push_str(&labels);
        out.push(' ');
        push_go(out, value);
        let _ = writeln!(out, " {t}");
    }
    None
}

/// As promtool prints them: names as they are, whatever they hold, values quoted.
fn push_labels(labels: Labels<'_>, out: &mut String) {
    out.push('{');
    for (i, (name, value)) in labels.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        out.push_str(name);
        out.push('=');
        quote(value, out);
    }
    out.push('}');
}
