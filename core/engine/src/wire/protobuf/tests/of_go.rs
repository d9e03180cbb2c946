//! The messages in hexadecimal were written by Go's protobuf (client_model 0.6.2).

use super::super::{decode_family, encode_family, ProtobufError};
use super::{bytes, family, label, metric};
use crate::family::{Bucket, Buckets, Exemplar, Family, Histogram, Kind, Native, Summary, Value};
use crate::float::NORMAL_NAN;

fn exemplar(value: f64, timestamp_ms: Option<i64>) -> Exemplar {
    Exemplar {
        labels: Vec::new(),
        value,
        timestamp_ms,
    }
}

fn histogram(count: u64, count_float: f64, sum: f64) -> Histogram {
    Histogram {
        count,
        count_float,
        sum,
        ..Histogram::default()
    }
}

/// Compares by `Debug`, to which NaN equals NaN.
fn check(hex: &str, want: &Family) {
    let message = bytes(hex);
    assert_eq!(
        format!("{:?}", decode_family(&message)),
        format!("{:?}", Ok::<_, ProtobufError>(want))
    );
    let mut written = Vec::new();
    encode_family(want, &mut written);
    assert_eq!(written, message);
}

#[test]
fn simple_families_are_those_of_go() {
    let mut counted = metric(Value::Counter(
        3.0,
        Some(Box::new(Exemplar {
            labels: vec![label("t", "x")],
            ..exemplar(0.5, Some(-1))
        })),
    ));
    counted.labels = vec![label("job", "Björn"), label("a", "")];
    counted.timestamp_ms = Some(-5);
    counted.created_ms = Some(1500);
    let mut counter = family("jobs_total", Some(""), Kind::Counter, vec![counted]);
    counter.unit = "jobs".into();
    check(
        "0a0a6a6f62735f746f74616c12001800225c0a0d0a036a6f621206426ac3b6726e0a050a016112001a390900000000000008401224\
         0a060a017412017811000000000000e03f1a1108ffffffffffffffffff0110c08faedc031a0808011080cab5ee0130fbffffffffffffff\
         ff012a046a6f6273",
        &counter,
    );
    let gauges = vec![metric(Value::Gauge(f64::NEG_INFINITY)), metric(Value::Missing)];
    check(
        "0a01671801220b120909000000000000f0ff2200",
        &family("g", None, Kind::Gauge, gauges),
    );
    let mut timed = metric(Value::Untyped(0.0));
    timed.timestamp_ms = Some(1000);
    let untyped = family("u", Some("h"), Kind::Untyped, vec![timed]);
    check("0a01751201681803220e2a0909000000000000000030e807", &untyped);
}

#[test]
fn summaries_are_those_of_go() {
    let mut counted = metric(Value::Summary(Box::new(Summary {
        count: 300,
        sum: 1.5,
        quantiles: vec![(0.5, 2.0), (0.9, NORMAL_NAN)],
    })));
    counted.created_ms = Some(0);
    check(
        "0a017318022238223608ac0211000000000000f83f1a1209000000000000e03f1100000000000000401a1209cdccccccccccec3f1101\
         0000000000f87f2200",
        &family("s", None, Kind::Summary, vec![counted]),
    );
}

#[test]
fn classic_histograms_are_those_of_go() {
    let bucket = |upper, cumulative, cumulative_float, exemplar: Option<Exemplar>| Bucket {
        upper,
        cumulative,
        cumulative_float,
        exemplar: exemplar.map(Box::new),
    };
    let whole = Histogram {
        buckets: vec![
            bucket(1.0, 3, 0.0, Some(exemplar(0.7, None))),
            bucket(f64::INFINITY, 20, 0.0, None),
        ],
        ..histogram(20, 0.0, 99.23)
    };
    let float = Histogram {
        buckets: vec![bucket(1.0, 0, 2.5, None)],
        ..histogram(0, 2.5, 1.0)
    };
    let mut started = metric(Value::Histogram(Box::new(whole)));
    started.created_ms = Some(2000);
    check(
        "0a0168180422363a340814111f85eb51b8ce58401a16080311000000000000f03f1a0911666666666666e63f1a0b081411000000000000\
         f07f7a02080222283a2611000000000000f03f1a1211000000000000f03f210000000000000440210000000000000440",
        &family("h", None, Kind::Histogram, vec![started, metric(Value::Histogram(Box::new(float)))]),
    );
}

#[test]
fn native_histograms_are_those_of_go() {
    let integer = Native {
        schema: -4,
        zero_threshold: 0.001,
        zero_count: 2,
        negative: Buckets {
            spans: vec![(-3, 2)],
            deltas: vec![1, -1],
            counts: vec![],
        },
        positive: Buckets {
            spans: vec![(0, 1), (4, 1)],
            deltas: vec![300, -2],
            counts: vec![],
        },
        exemplars: vec![exemplar(1.0, Some(1234))],
        ..Native::default()
    };
    let float = Native {
        schema: 8,
        zero_count_float: 0.5,
        positive: Buckets {
            spans: vec![(0, 2)],
            deltas: vec![],
            counts: vec![1.5, -2.0],
        },
        ..Native::default()
    };
    let metrics =
        [(histogram(20, 0.0, 0.0), integer), (histogram(0, 20.0, 0.0), float)].map(|(mut histogram, native)| {
            histogram.native = Some(Box::new(native));
            metric(Value::Histogram(Box::new(histogram)))
        });
    check(
        "0a016e1805224a3a480814110000000000000000280731fca9f1d24d62503f38024a0408051002500250016204080010016204080810\
         0168d804680382011211000000000000f03f1a07080110809dca6f22403a3e110000000000000000210000000000003440281031000000\
         000000000041000000000000e03f62040800100271000000000000f83f7100000000000000c0",
        &family("n", None, Kind::GaugeHistogram, metrics.into()),
    );
}
