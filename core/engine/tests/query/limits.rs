//! A query that would take too much says so.

use engine::query::{select, series, Failed, Limit, Limits};
use engine::sample::Value;

use crate::{block, head, labels, places, Rowset, EVER};

fn ten_series() -> Rowset {
    let samples = || (0..100).map(|t| (t, Value::Float(1.0))).collect();
    (0..10).map(|n| (labels(&n.to_string()), samples())).collect()
}

fn told(failed: Result<impl Sized, Failed>) -> (Limit, usize) {
    match failed {
        Err(Failed::TooMany { what, limit }) => (what, limit),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("there is no limit"),
    }
}

#[test]
fn each_limit_is_told_by_name() {
    let (block, head) = ([block(ten_series())], head(&ten_series(), false));
    let all = Limits::default();
    for (limits, wanted) in [
        (Limits { series: 9, ..all }, (Limit::Series, 9)),
        (Limits { samples: 999, ..all }, (Limit::Samples, 999)),
        (Limits { bytes: 16_000, ..all }, (Limit::Bytes, 16_000)),
    ] {
        assert_eq!(told(select(places(&block, None, &[], EVER), EVER, &limits)), wanted);
        assert_eq!(told(select(places(&[], Some(&head), &[], EVER), EVER, &limits)), wanted);
    }
    let enough = Limits {
        series: 10,
        samples: 1000,
        bytes: 16_300,
    };
    assert_eq!(
        select(places(&block, Some(&head), &[], EVER), EVER, &enough)
            .unwrap()
            .samples(),
        1000
    );
    let few = Limits { series: 3, ..all };
    assert_eq!(
        told(series(places(&block, None, &[], EVER), EVER, &few)),
        (Limit::Series, 3)
    );
    assert_eq!(told(head.entries(&[], EVER, &few)), (Limit::Series, 3));
    assert_eq!(
        Failed::TooMany {
            what: Limit::Series,
            limit: 3
        }
        .to_string(),
        "the query takes more than 3 series"
    );
}
