//! Histograms of every kind, and what Prometheus 3.14's own code makes of them.
//!
//! A line of `prometheus-3.14.txt` is `operation|histogram|operand|result`. Sums that Prometheus gets wrong are not among them: it
//! counts a bucket twice that, after a change of schema, reaches into the zero bucket that it was put into before. Neither are
//! quantiles of histograms that have observed NaN, where it interpolates in the last bucket in place of the one it found.

use engine::float_histogram::{parse_literal, FloatHistogram};

fn of(text: &str) -> FloatHistogram {
    match parse_literal(text) {
        Ok((histogram, _)) => histogram,
        Err(bad) => unreachable!("{text}: {bad}"),
    }
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

fn close(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-11 * a.abs().max(b.abs()).max(1e-3)
}

/// The two in all but the last bits.
fn alike(a: &FloatHistogram, b: &FloatHistogram) -> bool {
    let numbers = |h: &FloatHistogram| {
        let buckets = h.positive.iter().chain(h.negative.iter()).map(|(_, count)| count);
        let numbers = [h.count, h.sum, h.zero_count, h.zero_threshold];
        numbers.into_iter().chain(buckets).collect::<Vec<_>>()
    };
    let indices = |h: &FloatHistogram| {
        let index = |(index, _)| index;
        (
            h.positive.iter().map(index).collect::<Vec<_>>(),
            h.negative.iter().map(index).collect::<Vec<_>>(),
        )
    };
    let (x, y) = (numbers(a), numbers(b));
    (a.schema, a.hint, &a.custom, indices(a)) == (b.schema, b.hint, &b.custom, indices(b))
        && x.iter().zip(&y).all(|(x, y)| close(*x, *y))
}

fn is_right(operation: &str, histogram: &str, operand: &str, want: &str) -> Result<(), String> {
    let h = of(histogram);
    let told = |right: bool, got: String| if right { Ok(()) } else { Err(got) };
    let histogram = |got: FloatHistogram| told(alike(&got, &of(want).compacted()), got.literal());
    match operation {
        "+" | "-" => {
            let other = of(operand);
            let combined = if operation == "+" {
                h.plus(&other)
            } else {
                h.minus(&other)
            };
            let Ok((mut got, reconciled)) = combined else {
                return told(want == "incompatible", "incompatible".to_owned());
            };
            let (notes, want) = want.split_at(want.find('{').unwrap_or(0));
            let want = of(want).compacted();
            if operation == "-" {
                // In the file as the sum's; the operator makes a gauge of every difference.
                got.hint = want.hint;
            }
            let told_notes = format!("{} {} ", reconciled.hints, reconciled.bounds);
            told(
                alike(&got, &want) && told_notes == notes,
                format!("{told_notes}{}", got.literal()),
            )
        }
        "reset" => {
            let got = of(operand).is_reset_since(&h).to_string();
            told(got == want, got)
        }
        "</" => histogram(h.below(number(operand)).compacted()),
        ">/" => histogram(h.above(number(operand)).compacted()),
        "quantile" => {
            let got = h.quantile(number(operand));
            let note = match (got.is_among_nans, got.is_skewed) {
                (true, _) => "result",
                (_, true) => "skew",
                _ => "",
            };
            let (value, want_note) = want.split_once(' ').unwrap_or_default();
            told(close(got.value, number(value)) && note == want_note, format!("{got:?}"))
        }
        "fraction" => {
            let (lower, upper) = operand.split_once(' ').unwrap_or_default();
            let got = h.fraction(number(lower), number(upper));
            let (value, note) = want.split_once(' ').unwrap_or_default();
            told(
                close(got.0, number(value)) && got.1 == (note == "nans"),
                format!("{got:?}"),
            )
        }
        "variance" => told(close(h.variance(), number(want)), h.variance().to_string()),
        "text" => told(h.to_string() == want, h.to_string()),
        other => Err(format!("no such operation: {other}")),
    }
}

#[test]
fn histograms_are_those_of_prometheus() {
    let mut wrong = Vec::new();
    for line in include_str!("prometheus-3.14.txt").lines() {
        let fields: Vec<&str> = line.splitn(4, '|').collect();
        let [operation, histogram, operand, want] = fields.as_slice() else {
            unreachable!("{line}");
        };
        if let Err(got) = is_right(operation, histogram, operand, want) {
            wrong.push(format!("{line}\n  got {got}"));
        }
    }
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
}
