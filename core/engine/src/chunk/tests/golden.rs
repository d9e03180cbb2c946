//! Samples, and the chunks that Prometheus 3.14's chunkenc makes of them.
//!
//! `prometheus.txt` has a line for each: `i` and `f` a histogram as in the log, `x` a float, with its time; `n` when the chunk
//! is full before the next sample; `c` a chunk.

use super::{assert_same, read};
use crate::bytes::Decoder;
use crate::chunk::histogram::Cut;
use crate::chunk::{count, Appender, Encoding};
use crate::sample::{Sample, Value};
use crate::wal::histogram::decode_histogram;

/// Those of Prometheus, by what they are of.
pub(super) struct Scenario {
    pub name: &'static str,
    /// In order; true for a sample before which the chunk is full.
    pub samples: Vec<(bool, Sample)>,
    pub chunks: Vec<(Encoding, Vec<u8>)>,
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    let mut is_full = false;
    for line in include_str!("prometheus.txt").lines() {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        if kind == "scenario" {
            scenarios.push(Scenario {
                name: rest,
                samples: Vec::new(),
                chunks: Vec::new(),
            });
            continue;
        }
        let scenario = scenarios.last_mut().unwrap();
        if kind == "n" {
            is_full = true;
            continue;
        }
        let (number, hex) = rest.split_once(' ').unwrap();
        let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        let bytes: Vec<u8> = digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
        if kind == "c" {
            let encoding = Encoding::from_byte(number.parse().unwrap()).unwrap();
            scenario.chunks.push((encoding, bytes));
            continue;
        }
        let mut decoder = Decoder::new(&bytes);
        let value = match kind {
            "x" => Value::Float(decoder.f64_be().unwrap()),
            _ => Value::Histogram(decode_histogram(&mut decoder, kind == "f").unwrap().unwrap().into()),
        };
        let sample = (number.parse().unwrap(), value);
        scenario.samples.push((std::mem::take(&mut is_full), sample));
    }
    scenarios
}

#[test]
fn what_prometheus_writes_is_read() {
    for scenario in scenarios() {
        let mut samples = Vec::new();
        for (encoding, chunk) in &scenario.chunks {
            let read = read(*encoding, chunk).unwrap();
            assert_eq!(
                read.len(),
                usize::from(count(*encoding, chunk).unwrap()),
                "{}",
                scenario.name
            );
            samples.extend(read);
        }
        let wanted: Vec<Sample> = scenario.samples.into_iter().map(|(_, sample)| sample).collect();
        assert_same(&samples, &wanted);
    }
}

#[test]
fn histogram_chunks_are_those_of_prometheus_to_the_byte() {
    let written = |scenario: &Scenario| matches!(scenario.chunks[0].0, Encoding::Histogram | Encoding::FloatHistogram);
    let scenarios: Vec<Scenario> = scenarios().into_iter().filter(written).collect();
    assert_eq!(scenarios.len(), 7);
    for Scenario { name, samples, chunks } in scenarios {
        let mut wanted = chunks.iter();
        let mut open: Option<Appender> = None;
        let mut close = |open: Appender| {
            let (encoding, bytes) = wanted.next().unwrap();
            assert_eq!((open.encoding(), open.bytes()), (*encoding, bytes.as_slice()), "{name}");
        };
        for (is_full, (t, value)) in samples {
            let fresh = match &mut open {
                None => Appender::new(t, &value),
                Some(open) if is_full => Appender::with_header(t, &value, open.header_after(&value)),
                Some(open) => match open.append(t, &value) {
                    Ok(()) => continue,
                    Err(Cut(header)) => Appender::with_header(t, &value, header),
                },
            };
            open.replace(fresh).into_iter().for_each(&mut close);
        }
        open.into_iter().for_each(close);
        assert_eq!(wanted.count(), 0);
    }
}
