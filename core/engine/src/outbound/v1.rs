//! Remote write 1.0: `prometheus.WriteRequest`, where each series names its labels in full.

use super::histogram::put_histogram;
use super::message::{put_double, put_label, put_message, put_number};
use super::samples::{Exemplar, Samples};
use crate::labels::Labels;
use crate::sample::Value;

/// The message, not compressed yet.
pub fn encode_v1(samples: &Samples) -> Vec<u8> {
    let mut out = Vec::with_capacity(samples.size());
    for run in samples.messages() {
        let Some(first) = run.first() else { continue };
        put_message(&mut out, 1, |out| {
            put_labels(out, samples.labels(first));
            for item in run {
                if let Value::Float(v) = &item.value {
                    put_message(out, 2, |out| {
                        put_double(out, 1, *v);
                        put_number(out, 2, item.t as u64);
                    });
                }
            }
            for exemplar in run.iter().flat_map(|item| samples.exemplars(item)) {
                put_message(out, 3, |out| put_exemplar(out, exemplar));
            }
            for item in run {
                if let Value::Histogram(histogram) = &item.value {
                    put_message(out, 4, |out| put_histogram(out, item.t, histogram));
                }
            }
        });
    }
    out
}

fn put_labels(out: &mut Vec<u8>, labels: Labels<'_>) {
    let mut texts = labels.texts();
    while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
        put_label(out, 1, name, value);
    }
}

fn put_exemplar(out: &mut Vec<u8>, exemplar: &Exemplar) {
    put_labels(out, Labels::trusted(&exemplar.labels));
    put_double(out, 2, exemplar.value);
    put_number(out, 3, exemplar.t as u64);
}
