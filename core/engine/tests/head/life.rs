//! Random lives of a head, out of order samples, mapped chunks, truncations and restarts at any point, against a model that is
//! a map from series to samples.

use std::collections::BTreeMap;

use engine::batch::{Batch, BATCH_TIME};
use engine::blob::Blob;
use engine::chunk::sequence::CHUNK_RANGE;
use engine::head::{Head, RefusedReason, Staged, Window};
use engine::head_chunks::HEADER;
use engine::wal::{Compression, Framer};
use proptest::prelude::*;

use crate::{push, select};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// Between two steps.
const PACE: i64 = 10 * MINUTE;

/// Series, minutes before the step's time (none: the batch's own time), value.
type Row = (u8, Option<i64>, u8);

#[derive(Debug, Clone)]
enum Step {
    Stage(Vec<Row>),
    /// The oldest staged batch.
    Commit,
    Rollback,
    /// Write closed chunks of up to so many bytes to the file with the number, which may be a new one.
    Map(usize, bool),
    /// Drop what is older than so many hours, in steps of so much work.
    Truncate(i64, usize),
    /// A part of a truncation, when one is under way.
    Work,
    /// Forget the head; read the files of chunks if the flag says so, then the log.
    Restart(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let row = (0u8..5, proptest::option::of(-20i64..400), 0u8..3);
    prop_oneof![
        10 => proptest::collection::vec(row, 0..5).prop_map(Step::Stage),
        8 => Just(Step::Commit),
        1 => Just(Step::Rollback),
        3 => (1usize..200, any::<bool>()).prop_map(|(size, cut)| Step::Map(size, cut)),
        2 => (1i64..6, 1usize..10).prop_map(|(hours, work)| Step::Truncate(hours, work)),
        2 => Just(Step::Work),
        1 => any::<bool>().prop_map(Step::Restart),
    ]
}

#[derive(Debug, Clone, Default)]
struct Series {
    /// Values by time. A late sample may come to a time that has one: then a reader sees either of them, by Prometheus' rule.
    samples: BTreeMap<i64, Vec<f64>>,
    /// Of the samples, those that came late.
    late: Vec<i64>,
    has_late: bool,
    last: Option<(i64, f64)>,
}

impl Series {
    fn newest(&self) -> Option<i64> {
        self.samples.keys().rev().find(|t| !self.late.contains(t)).copied()
    }
}

/// What a series should have, committed and when all that is staged will be.
#[derive(Debug, Clone, Default)]
struct Model {
    committed: BTreeMap<u8, Series>,
    staged: Vec<BTreeMap<u8, Series>>,
    seq: usize,
    staged_seq: Vec<usize>,
    window: i64,
    min_valid: Option<i64>,
}

impl Model {
    fn newest(&self) -> Option<i64> {
        self.committed
            .values()
            .filter_map(Series::newest)
            .max()
            .max(self.min_valid)
    }

    /// The samples stored, or why not.
    fn stage(&mut self, now: i64, rows: &[Row]) -> Result<usize, RefusedReason> {
        let mut series = self.staged.last().unwrap_or(&self.committed).clone();
        let recent = self.newest().map(|newest| newest - CHUNK_RANGE / 2);
        let min_valid = self.min_valid.max(recent).unwrap_or(i64::MIN);
        let late_from = self.newest().map_or(i64::MIN, |newest| newest - self.window);
        let old = |t: i64, last: i64| match self.window {
            0 if t < min_valid => Err(RefusedReason::OutOfBounds(min_valid, i64::MAX)),
            0 => Err(RefusedReason::OutOfOrder(last)),
            _ if t >= late_from => Ok(()),
            _ => Err(RefusedReason::TooOld(late_from)),
        };
        let time = |minutes: Option<i64>, own: i64| minutes.map_or(own, |minutes| now - minutes * MINUTE);
        for (_, minutes, _) in rows {
            let t = time(*minutes, now);
            if t < min_valid {
                old(t, i64::MAX)?;
            }
        }
        let untimed = rows.iter().filter(|row| row.1.is_none());
        let last = untimed.filter_map(|row| series.get(&row.0)?.last);
        let own = last.map(|(t, _)| t + 1).fold(now, i64::max);
        let mut stored = 0;
        for (name, minutes, value) in rows {
            let (t, value) = (time(*minutes, own), f64::from(*value));
            let series = series.entry(*name).or_default();
            match series.last {
                Some((last, _)) if t < last || t < min_valid => {
                    old(t, last)?;
                    series.has_late = true;
                    let there = series.samples.entry(t).or_default();
                    if there.is_empty() {
                        series.late.push(t);
                    }
                    there.push(value);
                }
                None if t < min_valid => {
                    old(t, i64::MAX)?;
                    series.samples.entry(t).or_default().push(value);
                    series.late.push(t);
                    series.has_late = true;
                }
                Some(last) if last == (t, value) => continue,
                Some((last, _)) if last == t => return Err(RefusedReason::Duplicate),
                _ => {
                    series.samples.entry(t).or_default().push(value);
                    series.last = Some((t, value));
                }
            }
            stored += 1;
        }
        self.staged.push(series);
        self.staged_seq.push(stored);
        Ok(stored)
    }

    fn commit(&mut self) {
        self.committed = self.staged.remove(0);
        self.seq += self.staged_seq.remove(0);
    }

    fn rollback(&mut self) {
        self.staged.clear();
        self.staged_seq.clear();
    }

    /// The first series that is seen otherwise.
    fn differs(&self, seen: &BTreeMap<u8, Vec<(i64, f64)>>) -> Option<String> {
        let oldest = self.min_valid.unwrap_or(i64::MIN);
        let wanted = self
            .committed
            .iter()
            .map(|(name, series)| (name, series.samples.range(oldest..)));
        let mut wanted = wanted.filter(|(_, samples)| samples.clone().next().is_some());
        let mut seen = seen.iter();
        loop {
            match (wanted.next(), seen.next()) {
                (None, None) => return None,
                (Some((name, samples)), Some((found, rows))) if name == found => {
                    let samples: Vec<_> = samples.collect();
                    let is = |((t, values), (u, v)): (&(&i64, &Vec<f64>), &(i64, f64))| *t == u && values.contains(v);
                    if samples.len() != rows.len() || !samples.iter().zip(rows).all(is) {
                        return Some(format!("{name}: {samples:?}, seen {rows:?}"));
                    }
                }
                (wanted, seen) => return Some(format!("{:?}, seen {:?}", wanted.map(|w| w.0), seen.map(|s| s.0))),
            }
        }
    }
}

/// What a reader sees, by the series' number.
fn seen(head: &Head, window: Window) -> BTreeMap<u8, Vec<(i64, f64)>> {
    let found = select(head, &[], window);
    let series = (0..found.len()).map(|n| {
        let (times, values) = found.floats_of(n);
        let name = found.labels(n).unwrap().get("i").parse().unwrap();
        (name, times.iter().copied().zip(values.iter().copied()).collect())
    });
    series.collect()
}

/// A head, its log and its files of chunks.
struct Store {
    head: Head,
    log: Framer,
    files: Vec<Vec<u8>>,
    staged: Vec<Staged>,
    working: Option<usize>,
}

impl Store {
    fn new(window: i64) -> Self {
        let mut head = Head::new();
        head.set_out_of_order_window(window);
        Self {
            head,
            log: Framer::new(0, usize::MAX, Compression::Snappy),
            files: Vec::new(),
            staged: Vec::new(),
            working: None,
        }
    }

    fn map(&mut self, size: usize, cut: bool) {
        let chunks = self.head.closed_chunks(size);
        if chunks.is_empty() {
            return;
        }
        if cut || self.files.is_empty() {
            self.files.push(HEADER.to_vec());
        }
        let number = self.files.len() as u32;
        let file = self.files.last_mut().unwrap();
        let offset = file.len();
        file.extend_from_slice(&chunks.bytes);
        self.head.mapped(&chunks, number, offset, Blob::from(file.clone()));
    }

    fn restart(&mut self, window: i64, min_valid: Option<i64>, attach: bool) {
        self.staged.clear();
        self.working = None;
        self.head = Head::new();
        self.head.set_out_of_order_window(window);
        self.head.set_min_valid(min_valid.unwrap_or(i64::MIN));
        if !attach {
            self.files.clear();
        }
        for (number, file) in (1..).zip(&self.files) {
            self.head.attach(number, Blob::from(file.clone())).unwrap();
        }
        let replayed = self.head.replay(self.log.framed(), 0).unwrap();
        assert_eq!((replayed.damage, replayed.unknown_refs), (None, 0));
        self.head.end_replay();
    }
}

fn live(window: i64, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut store = Store::new(window);
    let mut model = Model {
        window,
        ..Model::default()
    };
    let mut now = 1_700_000_000_000;
    for step in steps {
        now += PACE;
        match step {
            Step::Stage(rows) => {
                let mut batch = Batch::new(now);
                for (series, minutes, value) in &rows {
                    let t = minutes.map_or(BATCH_TIME, |minutes| now - minutes * MINUTE);
                    push(&mut batch, &series.to_string(), t, f64::from(*value));
                }
                let staged = store.head.stage(&batch);
                let outcome = staged
                    .as_ref()
                    .map(|staged| staged.samples)
                    .map_err(|refused| refused.reason);
                prop_assert_eq!(outcome, model.stage(now, &rows));
                store.staged.extend(staged);
            }
            Step::Commit if !store.staged.is_empty() => {
                let staged = store.staged.remove(0);
                prop_assert_eq!(staged.seq, store.head.stats().seq);
                store.log.add(&staged.records);
                prop_assert!(store.head.commit(staged.id).is_ok());
                model.commit();
            }
            Step::Commit => {}
            Step::Rollback => {
                store.head.rollback();
                store.staged.clear();
                model.rollback();
            }
            Step::Map(size, cut) => store.map(size, cut),
            Step::Truncate(hours, work) => {
                let mint = now - hours * HOUR;
                store.head.truncate(mint, 0);
                model.min_valid = model.min_valid.max(Some(mint));
                store.working = Some(work);
            }
            Step::Work => {
                if let Some(work) = store.working {
                    store.working = store.head.truncate_step(work).then_some(work);
                }
            }
            Step::Restart(attach) => {
                model.rollback();
                store.restart(window, model.min_valid, attach);
            }
        }
        let window = Window {
            mint: model.min_valid.unwrap_or(i64::MIN),
            maxt: i64::MAX,
            held: false,
        };
        prop_assert_eq!(model.differs(&seen(&store.head, window)), None);
        prop_assert_eq!(store.head.stats().seq as usize, model.seq);
    }
    while store.working.is_some_and(|work| store.head.truncate_step(work)) {}
    store.head.rollback();
    if let Some(min_valid) = model.min_valid {
        store.head.truncate(min_valid, 0);
        while store.head.truncate_step(3) {}
        let left = |series: &&Series| series.newest() >= Some(min_valid) || series.has_late;
        prop_assert_eq!(store.head.stats().series, model.committed.values().filter(left).count());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_head_lives_as_the_model_does(steps in proptest::collection::vec(step(), 1..120)) {
        live(0, steps)?;
    }

    #[test]
    fn a_head_with_a_window_lives_as_the_model_does(steps in proptest::collection::vec(step(), 1..120)) {
        live(3 * HOUR, steps)?;
    }
}
