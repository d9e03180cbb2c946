//! All samples as text, one a line, as `promtool tsdb dump` prints them.

use std::fmt::Write;

use super::select::Window;
use super::Head;
use crate::float::push_go;
use crate::labels::{quote, Labels};
use crate::regex::Matcher;
use crate::sample::Value;

/// A dump under way. It fixes at its start which samples it shows, so that it sees each batch whole or not at all
/// though the head takes more of them between two pieces.
pub struct Dump {
    window: Window,
    /// In label order: slot, and time of the newest sample to show.
    series: std::vec::IntoIter<(u32, i64)>,
    /// The series that the last piece ended in, and the oldest time still to be shown of it.
    cut: Option<(u32, i64, i64)>,
}

impl Head {
    /// Begin a dump of the samples in `window` of the series that match all of `matchers`.
    pub fn dump(&self, matchers: &[Matcher], window: Window) -> Dump {
        let newest = self.stats.range.map_or(i64::MIN, |(_, max)| max);
        let newest_tick = self.ticks.last().copied().unwrap_or(i64::MIN);
        let slots = self.matching(matchers).into_iter();
        let series = slots.filter_map(|slot| Some((slot, self.series.get(slot as usize)?.last_visible()?.0)));
        Dump {
            series: series.collect::<Vec<_>>().into_iter(),
            window: Window {
                maxt: window.maxt.min(newest.max(newest_tick)),
                ..window
            },
            cut: None,
        }
    }

    /// Append the next lines to `out`, until it is at least `size` bytes long or the dump is at its end.
    /// Native histograms are left out, as in promtool.
    pub fn dump_piece(&self, dump: &mut Dump, out: &mut String, size: usize) {
        while out.len() < size {
            let whole = |(slot, until)| (slot, until, dump.window.mint);
            let Some((slot, until, mint)) = dump.cut.take().or_else(|| dump.series.next().map(whole)) else {
                return;
            };
            let window = Window { mint, ..dump.window };
            dump.cut = self.dump_series(slot, until, window, out, size);
        }
    }

    /// What is left of the series when `out` is full.
    fn dump_series(
        &self,
        slot: u32,
        until: i64,
        window: Window,
        out: &mut String,
        size: usize,
    ) -> Option<(u32, i64, i64)> {
        let series = self.series.get(slot as usize)?;
        let mut labels = String::new();
        push_labels(series.labels(), &mut labels);
        for (t, value) in self.samples(series, window, until) {
            let Value::Float(value) = value else {
                continue;
            };
            if out.len() >= size {
                return Some((slot, until, t));
            }
            out.push_str(&labels);
            out.push(' ');
            push_go(out, value);
            let _ = writeln!(out, " {t}");
        }
        None
    }
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
