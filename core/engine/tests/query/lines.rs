//! Columns as lines, whole and in pieces.

use engine::outbound::Route;
use engine::sample::Value;
use engine::wire::influx::{encode_columns, Natives, Options, Reason};

use crate::histograms::histogram;
use crate::{block, labels, read, Rowset, EVER};

#[test]
fn pieces_of_any_size_have_every_sample_once() {
    let rows: Rowset = [
        (
            labels("a"),
            vec![(1, Value::Float(1.0)), (2, histogram(1)), (3, Value::Float(3.5))],
        ),
        (labels("b"), vec![(1, histogram(1)), (2, histogram(2))]),
        (labels("c"), vec![(7, Value::Float(f64::INFINITY))]),
        (labels("d"), (0..9).map(|t| (t, Value::Float(t as f64))).collect()),
    ]
    .into();
    let columns = read(&[block(rows)], None, EVER);
    let options = Options {
        natives: Natives::Omit,
        ..Options::default()
    };
    let encode = |range| encode_columns(&columns, range, &options, &Route::default(), |_| None);
    let whole = encode(0..columns.samples());
    assert_eq!(
        (
            whole.len(),
            whole.unrepresentable.count(Reason::NativeHistogram),
            whole.unrepresentable.count(Reason::Inf)
        ),
        (11, 3, 1)
    );
    assert_eq!(whole.line(0), Some(b"m,i=a value=1 1".as_slice()));
    assert_eq!(whole.line(1), Some(b"m,i=a value=3.5 3".as_slice()));
    assert_eq!(whole.line(10), Some(b"m,i=d value=8 8".as_slice()));
    for size in 1..=columns.samples() + 1 {
        let (mut text, mut lost) = (Vec::new(), 0);
        for start in (0..columns.samples()).step_by(size) {
            let stop = (start + size).min(columns.samples());
            let piece = encode(start..stop);
            let missing: u64 = piece.unrepresentable.by_reason().map(|(_, count)| count).sum();
            assert_eq!(piece.len() + missing as usize, stop - start);
            text.extend_from_slice(piece.body());
            lost += missing;
        }
        assert_eq!((text.as_slice(), lost), (whole.body(), 4));
    }
    assert!(encode(99..200).is_empty());
}
