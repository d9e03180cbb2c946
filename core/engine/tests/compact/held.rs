//! Held samples: made real in a block, told apart from pushed ones in every block after it.

use std::collections::{BTreeMap, BTreeSet};

use engine::batch::STALE_NAN_BITS;
use engine::merge::{join, Holding, Part, Window};
use engine::sample::Value;
use proptest::prelude::*;

use crate::{labels, merged, part, samples, stream};

const EVER: (i64, i64) = (i64::MIN, i64::MAX);

fn live(part: Part, ticks: &[i64], standing: Option<(i64, f64)>) -> Part {
    let standing = standing.map(|(t, value)| (t, Value::Float(value)));
    let ticks = ticks.into();
    Part {
        holding: Holding::Live { ticks, standing },
        ..part
    }
}

fn stored(part: Part, ticks: &[i64], own: &[i64]) -> Part {
    Part {
        holding: Holding::Stored {
            ticks: ticks.into(),
            own: own.to_vec(),
        },
        ..part
    }
}

#[test]
fn the_head_s_ticks_become_samples() {
    let stale = f64::from_bits(STALE_NAN_BITS);
    let head = live(
        part(&[&[(12, 1.0), (15, 2.0), (31, stale)]]),
        &[5, 10, 15, 20, 30, 40],
        Some((3, 9.0)),
    );
    let out = merged(vec![stream(vec![("x", head)])], 5, 100);
    let series = &out[&labels("x")];
    let found: Vec<_> = samples(&series.chunks)
        .into_iter()
        .map(|(t, v)| (t, v.to_bits()))
        .collect();
    let wanted = [
        (5, 9.0),
        (10, 9.0),
        (12, 1.0),
        (15, 2.0),
        (20, 2.0),
        (30, 2.0),
        (31, stale),
    ];
    assert_eq!(found, wanted.map(|(t, v)| (t, v.to_bits())));
    assert_eq!(series.own.as_deref(), Some(&[15][..]));
}

#[test]
fn a_series_that_only_stands_is_there_too() {
    let head = live(Part::default(), &[5, 10], Some((3, 9.0)));
    let out = merged(vec![stream(vec![("x", head)])], EVER.0, EVER.1);
    assert_eq!(samples(&out[&labels("x")].chunks), [(5, 9.0), (10, 9.0)]);
    let ended = live(Part::default(), &[5, 10], Some((3, f64::from_bits(STALE_NAN_BITS))));
    assert!(merged(vec![stream(vec![("x", ended)])], EVER.0, EVER.1).is_empty());
}

#[test]
fn blocks_apart_are_copied() {
    let a = stored(part(&[&[(1, 1.0), (2, 1.0)]]), &[2], &[]);
    let b = stored(part(&[&[(3, 1.0), (4, 2.0)]]), &[3, 4], &[4]);
    let out = merged(vec![stream(vec![("x", a)]), stream(vec![("x", b)])], EVER.0, EVER.1);
    let series = &out[&labels("x")];
    assert_eq!(series.chunks.len(), 2);
    assert_eq!(series.own.as_deref(), Some(&[4][..]));
}

/// Times of a series' own samples, the ticks of the block, and at which of them it has an own sample or a held one.
fn pieces() -> impl Strategy<Value = (BTreeSet<i64>, BTreeSet<i64>, Vec<bool>)> {
    let times = || proptest::collection::btree_set(0i64..60, 0..20);
    (times(), times(), proptest::collection::vec(any::<bool>(), 60))
}

proptest! {
    #[test]
    fn own_and_held_samples_stay_apart(
        inputs in proptest::collection::vec((pieces(), 1usize..9), 1..4),
        (mint, maxt) in (0i64..30, 30i64..70),
    ) {
        let (mut wanted_own, mut wanted_held) = (BTreeSet::new(), BTreeSet::new());
        let mut streams = Vec::new();
        for ((times, ticks, shown), chunk) in &inputs {
            let own: Vec<i64> = times.intersection(ticks).copied().collect();
            let held = ticks.difference(times).copied().filter(|t| shown[*t as usize]);
            let held: BTreeSet<i64> = held.collect();
            let all: BTreeMap<i64, f64> = times.iter().chain(&held).map(|t| (*t, *t as f64)).collect();
            let all: Vec<(i64, f64)> = all.into_iter().collect();
            let ticks: Vec<i64> = ticks.iter().copied().collect();
            let chunks: Vec<&[(i64, f64)]> = all.chunks(*chunk).collect();
            streams.push(stream(vec![("x", stored(part(&chunks), &ticks, &own))]));
            wanted_own.extend(times.iter().filter(|t| (mint..maxt).contains(*t)));
            wanted_held.extend(held.iter().filter(|t| (mint..maxt).contains(*t)));
        }
        let wanted_all: Vec<i64> = wanted_own.union(&wanted_held).copied().collect();
        let ticks: BTreeSet<i64> = streams.iter().flat_map(|stream| stream.ticks().to_vec()).collect();
        let ticks: Vec<i64> = ticks.into_iter().filter(|t| (mint..maxt).contains(t)).collect();
        let out = merged(streams, mint, maxt);
        let Some(series) = out.get(&labels("x")) else {
            prop_assert!(wanted_all.is_empty());
            return Ok(());
        };
        let part = Part {
            chunks: series.chunks.clone(),
            holding: Holding::Stored { ticks: ticks.into(), own: series.own.clone().unwrap() },
            ..Part::default()
        };
        for (held, wanted) in [(true, wanted_all), (false, wanted_own.iter().copied().collect())] {
            let window = Window { mint: EVER.0, maxt: EVER.1, held };
            let seen = join(std::slice::from_ref(&part), window).unwrap();
            prop_assert_eq!(seen.iter().map(|((t, _), _)| *t).collect::<Vec<_>>(), wanted);
            prop_assert!(seen.iter().all(|((t, _), held)| *held != wanted_own.contains(t)));
        }
    }
}
