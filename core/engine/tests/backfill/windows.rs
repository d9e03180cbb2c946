//! Samples in any order, at any time.

use std::collections::BTreeMap;

use engine::backfill::Buffer;
use engine::labels::{pack, Labels};
use proptest::prelude::*;

use crate::dump;

const RANGE: i64 = 1000;

fn labels(number: usize) -> Vec<u8> {
    let mut packed = Vec::new();
    pack(&mut [("__name__", "m"), ("n", &number.to_string())], &mut packed).unwrap();
    packed
}

proptest! {
    #[test]
    fn of_samples_at_one_time_the_first_stays(
        samples in proptest::collection::vec((0..12usize, -2500..2500i64, 0..3i32), 1..400)
    ) {
        let mut buffer = Buffer::new(RANGE);
        let mut model = BTreeMap::<(i64, String, i64), i32>::new();
        let (mut repeated, mut contradicting) = (0, 0);
        for (series, t, value) in samples {
            let number = buffer.series(Labels::trusted(&labels(series))).unwrap();
            buffer.append(number, t, f64::from(value)).unwrap();
            let key = (t.div_euclid(RANGE), format!(r#"{{__name__="m", n="{series}"}}"#), t);
            match model.get(&key) {
                Some(first) if *first == value => repeated += 1,
                Some(_) => contradicting += 1,
                None => _ = model.insert(key, value),
            }
        }
        let starts: Vec<i64> = buffer.windows().map(|(start, _)| start).collect();
        let mut lines = Vec::new();
        for start in starts {
            let dumped = dump(&mut buffer, start);
            repeated -= dumped.drained.repeated;
            contradicting -= dumped.drained.contradicting;
            let (first, last) = dumped.drained.stats.range.unwrap();
            prop_assert!(start <= first && first <= last && last < start + RANGE);
            lines.extend(dumped.lines);
        }
        prop_assert_eq!((repeated, contradicting), (0, 0));
        let wanted: Vec<String> = model.iter().map(|((_, labels, t), value)| format!("{labels} {value} {t}")).collect();
        prop_assert_eq!(lines, wanted);
    }
}

#[test]
fn memory_is_told_and_given_back() {
    let mut buffer = Buffer::new(RANGE);
    let empty = buffer.bytes();
    for series in 0..1000 {
        let number = buffer.series(Labels::trusted(&labels(series))).unwrap();
        (0..2000).for_each(|t| buffer.append(number, t, t as f64 * 1.1).unwrap());
    }
    let (full, known) = (buffer.bytes(), buffer.known_bytes());
    assert!(full > 1000 * 2000 * 2 && full < 1000 * 2000 * 16, "{full}");
    buffer.take(0).unwrap();
    assert!(buffer.bytes() < full * 3 / 5);
    buffer.forget_series();
    assert_eq!(buffer.known_bytes(), known, "a window still needs the series");
    buffer.take(RANGE).unwrap();
    buffer.forget_series();
    assert_eq!(buffer.bytes(), empty);
}
