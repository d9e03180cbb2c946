//! A metric as the float series that the store keeps.

use crate::exposition::samples::{each_sample, Totals};
use crate::family::{Exemplar, Family, Metric, Text, Value};
use crate::float::push_open_metrics;

/// Takes what a series' name has behind the family's, its `le` or `quantile` label, its value, and an exemplar of it.
pub type Emit<'e> = dyn FnMut(&str, Option<(&str, &str)>, f64, Option<&Exemplar>) + 'e;

/// Emit every float series of a metric, bounds as Prometheus 3 stores them (`1.0`, `+Inf`). A native histogram without classic buckets has none.
pub fn flatten(family: &Family, metric: &Metric, emit: &mut Emit<'_>) {
    if matches!(&metric.value, Value::Histogram(h) if h.native.is_some() && h.buckets.is_empty()) {
        return;
    }
    let mut text = Text::default();
    each_sample(metric, Totals::of(family.kind), &mut |sample| {
        let label = sample.bound.map(|(name, bound)| {
            text.clear();
            push_open_metrics(&mut text, bound);
            (name, text.as_str())
        });
        emit(sample.suffix, label, sample.value.as_f64(), sample.exemplar);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::{Bucket, Histogram, Kind, Native, Summary};

    fn shown(kind: Kind, value: Value) -> Vec<String> {
        let family = Family {
            name: "f".into(),
            help: None,
            kind,
            unit: Text::default(),
            metrics: vec![Metric {
                labels: vec![],
                value,
                timestamp_ms: None,
                created_ms: Some(1),
            }],
        };
        let mut out = Vec::new();
        for metric in &family.metrics {
            flatten(&family, metric, &mut |suffix, label, value, _| {
                out.push(format!("{suffix} {label:?} {value}"))
            });
        }
        out
    }

    fn histogram(uppers: &[f64]) -> Histogram {
        let bucket = |upper: &f64| Bucket {
            upper: *upper,
            cumulative: 1,
            cumulative_float: 0.0,
            exemplar: None,
        };
        Histogram {
            count: 2,
            sum: 3.5,
            buckets: uppers.iter().map(bucket).collect(),
            ..Histogram::default()
        }
    }

    #[test]
    fn bounds_have_the_form_that_prometheus_stores() {
        let value = Value::Histogram(Box::new(histogram(&[-0.0, 0.005, 1.0, 250_000.0, 1e6])));
        let want = [
            "_bucket Some((\"le\", \"0.0\")) 1",
            "_bucket Some((\"le\", \"0.005\")) 1",
            "_bucket Some((\"le\", \"1.0\")) 1",
            "_bucket Some((\"le\", \"250000.0\")) 1",
            "_bucket Some((\"le\", \"1e+06\")) 1",
            "_bucket Some((\"le\", \"+Inf\")) 2",
            "_sum None 3.5",
            "_count None 2",
        ];
        assert_eq!(shown(Kind::Histogram, value), want);
    }

    #[test]
    fn a_bucket_for_infinity_is_added_only_where_it_lacks() {
        let value = Value::Histogram(Box::new(histogram(&[f64::INFINITY])));
        let want = ["_bucket Some((\"le\", \"+Inf\")) 1", "_gsum None 3.5", "_gcount None 2"];
        assert_eq!(shown(Kind::GaugeHistogram, value), want);
    }

    #[test]
    fn native_histograms_are_float_series_only_with_classic_buckets() {
        let mut both = histogram(&[1.0]);
        both.native = Some(Box::new(Native::default()));
        assert_eq!(
            shown(Kind::Histogram, Value::Histogram(Box::new(both.clone()))).len(),
            4
        );
        both.buckets.clear();
        assert_eq!(shown(Kind::Histogram, Value::Histogram(Box::new(both))), [""; 0]);
    }

    #[test]
    fn other_values() {
        let summary = Summary {
            count: 4,
            sum: 2.0,
            quantiles: vec![(0.5, 1.5)],
        };
        let want = [
            "_ Some((\"quantile\", \"0.5\")) 1.5".replace('_', ""),
            "_sum None 2".into(),
            "_count None 4".into(),
        ];
        assert_eq!(shown(Kind::Summary, Value::Summary(Box::new(summary))), want);
        assert_eq!(shown(Kind::Counter, Value::Counter(1.0, None)), [" None 1"]);
        assert_eq!(shown(Kind::Gauge, Value::Missing), [""; 0]);
    }
}
