//! From families to series: the rows that a push leaves in the store.

use std::sync::Arc;

use crate::batch::{Batch, BATCH_TIME, STALE_NAN_BITS};
use crate::bytes::put_prefixed;
use crate::exposition::series::flatten;
use crate::family::{Exemplar, Family, Kind, Label, Metric, Value};
use crate::histogram::Histogram;
use crate::labels::{pack, Labels, METRIC_NAME};
use crate::metadata::Metadata;

use super::group::GroupKey;

/// Append every series of `family`, whose metrics are stripped, to the batch, at the samples' own times where they have one, with
/// their exemplars, and with what the family is said to be if `told`. Returns how many.
pub fn push_family(family: &Family, key: &GroupKey, told: bool, batch: &mut Batch) -> u32 {
    let mut rows = 0;
    let metadata = Metadata::of(family).filter(|_| told).map(Arc::new);
    let mut own = Vec::new();
    for metric in &family.metrics {
        let t = metric.timestamp_ms.unwrap_or(BATCH_TIME);
        each_series(family, metric, &mut |name, extra, value| {
            pack_series(name, key.with(&metric.labels), extra, batch.arena());
            match value {
                SeriesValue::Float(v, exemplar) => {
                    batch.push_float(t, v);
                    let told = exemplar.map(|e| (e, e.timestamp_ms.unwrap_or(t)));
                    told.into_iter().for_each(|(e, t)| push_exemplar(e, t, &mut own, batch));
                }
                SeriesValue::Native(h, exemplars) => {
                    batch.push_histogram(t, Arc::new(h));
                    // Without a time they could not be told from those of the next push.
                    let told = exemplars.iter().filter_map(|e| Some((e, e.timestamp_ms?)));
                    let mut told: Vec<_> = told.collect();
                    told.sort_by(|(a, at), (b, bt)| at.cmp(bt).then(a.value.total_cmp(&b.value)));
                    told.into_iter().for_each(|(e, t)| push_exemplar(e, t, &mut own, batch));
                }
            }
            metadata
                .iter()
                .for_each(|metadata| batch.push_metadata(metadata.clone()));
            rows += 1;
        });
    }
    rows
}

/// Append an exemplar of the last row; one whose labels are no label set is left out.
fn push_exemplar(exemplar: &Exemplar, t: i64, own: &mut Vec<u8>, batch: &mut Batch) {
    own.clear();
    let labels = exemplar.labels.iter();
    let mut pairs: Vec<_> = labels
        .map(|label| (label.name.as_str(), label.value.as_str()))
        .collect();
    if pack(&mut pairs, own).is_ok() {
        batch.push_exemplar(t, exemplar.value, Labels::trusted(own));
    }
}

/// Append a stale marker for every series of `old` that is not in `kept`, the packed label sets that live on.
pub fn push_stale(old: &Family, key: &GroupKey, kept: &dyn Fn(&[u8]) -> bool, batch: &mut Batch) {
    let mut packed = Vec::new();
    for metric in &old.metrics {
        each_series(old, metric, &mut |name, extra, _| {
            packed.clear();
            pack_series(name, key.with(&metric.labels), extra, &mut packed);
            if !kept(&packed) {
                batch.arena().extend_from_slice(&packed);
                batch.push_float(BATCH_TIME, f64::from_bits(STALE_NAN_BITS));
            }
        });
    }
}

/// The packed label set of every series of a family.
pub fn series_of(family: &Family, key: &GroupKey, emit: &mut dyn FnMut(&[u8])) {
    let mut packed = Vec::new();
    for metric in &family.metrics {
        each_series(family, metric, &mut |name, extra, _| {
            packed.clear();
            pack_series(name, key.with(&metric.labels), extra, &mut packed);
            emit(&packed);
        });
    }
}

enum SeriesValue<'f> {
    Float(f64, Option<&'f Exemplar>),
    Native(Histogram, &'f [Exemplar]),
}

type EmitSeries<'e> = dyn FnMut(SeriesName<'_>, Option<(&str, &str)>, SeriesValue<'_>) + 'e;

#[derive(Clone, Copy)]
struct SeriesName<'a> {
    base: &'a str,
    suffix: &'a str,
}

fn each_series(family: &Family, metric: &Metric, emit: &mut EmitSeries<'_>) {
    let base = family.name.as_str();
    flatten(family, metric, &mut |suffix, extra, value, exemplar| {
        emit(SeriesName { base, suffix }, extra, SeriesValue::Float(value, exemplar));
    });
    if let Value::Histogram(received) = &metric.value {
        if let Some(stored) = Histogram::received(received, family.kind == Kind::GaugeHistogram) {
            let exemplars = received.native.as_deref().map_or(&[][..], |native| &native.exemplars);
            emit(
                SeriesName { base, suffix: "" },
                None,
                SeriesValue::Native(stored, exemplars),
            );
        }
    }
}

/// Pack name, sorted labels and an extra label (`le`, `quantile`) in name order; empty values are left out, and a label that the
/// extra one replaces too.
fn pack_series<'l>(
    name: SeriesName<'_>,
    labels: impl Iterator<Item = &'l Label>,
    extra: Option<(&str, &str)>,
    out: &mut Vec<u8>,
) {
    let mut name_due = true;
    let mut extra_due = extra;
    for label in labels {
        if name_due && label.name.as_str() > METRIC_NAME {
            put_name(name, out);
            name_due = false;
        }
        if let Some((extra_name, extra_value)) = extra_due {
            if label.name.as_str() >= extra_name {
                put_prefixed(out, extra_name.as_bytes());
                put_prefixed(out, extra_value.as_bytes());
                extra_due = None;
            }
        }
        if label.value.is_empty() || extra.is_some_and(|(n, _)| n == label.name) {
            continue;
        }
        put_prefixed(out, label.name.as_bytes());
        put_prefixed(out, label.value.as_bytes());
    }
    if name_due {
        put_name(name, out);
    }
    if let Some((extra_name, extra_value)) = extra_due {
        put_prefixed(out, extra_name.as_bytes());
        put_prefixed(out, extra_value.as_bytes());
    }
}

fn put_name(name: SeriesName<'_>, out: &mut Vec<u8>) {
    put_prefixed(out, METRIC_NAME.as_bytes());
    crate::bytes::put_uvarint(out, (name.base.len() + name.suffix.len()) as u64);
    out.extend_from_slice(name.base.as_bytes());
    out.extend_from_slice(name.suffix.as_bytes());
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::family::Text;

    #[test]
    fn packs_in_name_order() {
        let label = |n: &str, v: &str| Label {
            name: Text::from(n),
            value: Text::from(v),
        };
        let labels = [
            label("A", "1"),
            label("instance", ""),
            label("job", "j"),
            label("z", "9"),
        ];
        let mut out = Vec::new();
        pack_series(
            SeriesName {
                base: "h",
                suffix: "_bucket",
            },
            labels.iter(),
            Some(("le", "+Inf")),
            &mut out,
        );
        let pairs: Vec<_> = Labels::checked(&out).unwrap().iter().collect();
        assert_eq!(
            pairs,
            [
                ("A", "1"),
                ("__name__", "h_bucket"),
                ("job", "j"),
                ("le", "+Inf"),
                ("z", "9")
            ]
        );
        out.clear();
        let clash = [label("le", "mine")];
        pack_series(
            SeriesName { base: "h", suffix: "" },
            clash.iter(),
            Some(("le", "1.0")),
            &mut out,
        );
        let pairs: Vec<_> = Labels::checked(&out).unwrap().iter().collect();
        assert_eq!(pairs, [("__name__", "h"), ("le", "1.0")]);
    }
}
