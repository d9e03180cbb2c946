//! Random histories, against a model that is a map from series to samples.

use std::collections::BTreeMap;

use engine::batch::{Batch, BATCH_TIME};
use engine::head::{Head, Staged};
use engine::wal::{Compression, Framer};
use proptest::prelude::*;

use crate::{dump, push, EVER};

#[derive(Debug, Clone)]
enum Step {
    /// Rows of (series, time; none: the batch's, value).
    Stage(Vec<(u8, Option<i64>, u8)>),
    /// The oldest staged batch.
    Commit,
    Rollback,
    /// Forget the head and replay the log.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let row = (0u8..6, proptest::option::of(0i64..40), 0u8..3);
    prop_oneof![
        6 => proptest::collection::vec(row, 0..5).prop_map(Step::Stage),
        5 => Just(Step::Commit),
        1 => Just(Step::Rollback),
        1 => Just(Step::Restart),
    ]
}

type Samples = BTreeMap<u8, BTreeMap<i64, f64>>;

#[derive(Default)]
struct Model {
    committed: Samples,
    /// What would be there if all staged batches were committed, and after each of them.
    staged: Vec<Samples>,
}

impl Model {
    fn newest(&self) -> &Samples {
        self.staged.last().unwrap_or(&self.committed)
    }

    /// None: refused.
    fn stage(&mut self, time: i64, rows: &[(u8, Option<i64>, u8)]) -> Option<usize> {
        let mut samples = self.newest().clone();
        let last = |samples: &Samples, series: &u8| {
            samples
                .get(series)
                .and_then(|s| s.last_key_value())
                .map(|(t, v)| (*t, *v))
        };
        let untimed = rows.iter().filter(|(_, t, _)| t.is_none());
        let settled = untimed
            .filter_map(|(s, ..)| last(&samples, s))
            .map(|(t, _)| t + 1)
            .fold(time, i64::max);
        let mut stored = 0;
        for (series, t, value) in rows {
            let (t, value) = (t.unwrap_or(settled), f64::from(*value));
            match last(&samples, series) {
                Some((u, _)) if t < u => return None,
                Some((u, v)) if t == u && v == value => continue,
                Some((u, _)) if t == u => return None,
                _ => stored += 1,
            }
            samples.entry(*series).or_default().insert(t, value);
        }
        self.staged.push(samples);
        Some(stored)
    }

    fn dump(&self) -> String {
        let rows = self
            .committed
            .iter()
            .flat_map(|(s, samples)| samples.iter().map(move |(t, v)| (s, t, v)));
        rows.map(|(s, t, v)| format!("{{__name__=\"m\", i=\"{s}\"}} {v} {t}\n"))
            .collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_head_does_what_the_model_does(steps in proptest::collection::vec(step(), 1..60)) {
        let (mut head, mut model) = (Head::new(), Model::default());
        let mut log = Framer::new(0, usize::MAX, Compression::Snappy);
        let mut waiting: Vec<Staged> = Vec::new();
        for (time, step) in steps.into_iter().enumerate() {
            match step {
                Step::Stage(rows) => {
                    let mut batch = Batch::new(time as i64);
                    batch.held = time % 2 == 0;
                    for (series, t, value) in &rows {
                        push(&mut batch, &series.to_string(), t.unwrap_or(BATCH_TIME), f64::from(*value));
                    }
                    let staged = head.stage(&batch);
                    prop_assert_eq!(staged.as_ref().ok().map(|s| s.samples), model.stage(time as i64, &rows));
                    waiting.extend(staged);
                }
                Step::Commit if !waiting.is_empty() => {
                    let staged = waiting.remove(0);
                    prop_assert_eq!(staged.seq, head.stats().seq);
                    log.add(&staged.records);
                    prop_assert!(head.commit(staged.id).is_ok());
                    model.committed = model.staged.remove(0);
                }
                Step::Commit => {}
                Step::Rollback => {
                    head.rollback();
                    model.staged.clear();
                    waiting.clear();
                }
                Step::Restart => {
                    model.staged.clear();
                    waiting.clear();
                    head.rollback();
                    let stats = head.stats();
                    head = Head::new();
                    let replayed = head.replay(log.framed(), 0).unwrap();
                    prop_assert_eq!((replayed.damage, replayed.unknown_refs), (None, 0));
                    prop_assert_eq!(head.stats(), stats);
                }
            }
            prop_assert_eq!(dump(&head, &[], EVER), model.dump());
            prop_assert_eq!(head.stats().seq as usize, model.committed.values().map(BTreeMap::len).sum::<usize>());
        }
    }
}
