//! All samples as text, one a line, as `promtool tsdb dump` prints them.

use std::fmt::Write;

use super::limits::Failed;
use crate::float::push_go;
use crate::labels::{quote, Labels};
use crate::merge::{join, Gathered, SeriesStream, Streams, Window};
use crate::sample::{Sample, Value};

/// A dump under way: series in label order. Which samples it shows is settled when its places are collected.
pub struct Dump {
    streams: Streams,
    window: Window,
    /// The series that the last piece ended in: how its lines begin, and what is left of it.
    open: Option<(String, std::vec::IntoIter<Sample>)>,
}

impl Dump {
    /// What `places` have in `window`.
    pub fn new(places: Vec<Box<dyn SeriesStream>>, window: Window) -> Self {
        Self {
            streams: Streams::new(places),
            window,
            open: None,
        }
    }

    /// Append lines to `out` until it is at least `size` bytes long, or there are no more. Native histograms are left out,
    /// as in promtool.
    pub fn piece(&mut self, out: &mut String, size: usize) -> Result<(), Failed> {
        while out.len() < size {
            let Some((labels, samples)) = &mut self.open else {
                match self.streams.next_series()? {
                    Some(series) => self.open = Some(self.read(&series)?),
                    None => return Ok(()),
                }
                continue;
            };
            match samples.next() {
                Some((t, Value::Float(value))) => push_line(out, labels, t, value),
                Some((_, Value::Histogram(_))) => {}
                None => self.open = None,
            }
        }
        Ok(())
    }

    fn read(&self, series: &Gathered) -> Result<(String, std::vec::IntoIter<Sample>), Failed> {
        let seen = join(&series.parts, self.window).map_err(|_| Failed::Chunk(series.labels.clone()))?;
        let samples: Vec<Sample> = seen.into_iter().map(|(sample, _)| sample).collect();
        let mut labels = String::new();
        push_labels(Labels::trusted(&series.labels), &mut labels);
        Ok((labels, samples.into_iter()))
    }
}

fn push_line(out: &mut String, labels: &str, t: i64, value: f64) {
    out.push_str(labels);
    out.push(' ');
    push_go(out, value);
    let _ = writeln!(out, " {t}");
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
