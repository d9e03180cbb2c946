//! A store and a sink as simple as can be, and whatever may happen between them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const A: SinkSeries = 1;

/// What happens to a sink of one series.
#[derive(Debug, Clone)]
enum Step {
    /// A sample is stored, so many ms behind the newest one, or before it.
    Append(i64, Option<u8>),
    /// So many samples of the log become a piece and leave.
    Leave(usize),
    /// The oldest piece under way is answered for; points at multiples of this time are refused.
    Land(i64),
    /// The process ends; of what is under way, every so many-th piece has arrived.
    Restart(usize),
    /// All that is stored is sent.
    Settle,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let value = proptest::option::weighted(0.9, 0u8..3);
    let step = prop_oneof![
        8 => (1i64..40, value.clone()).prop_map(|(ahead, value)| Step::Append(ahead, value)),
        3 => (-150i64..0, value).prop_map(|(ago, value)| Step::Append(ago, value)),
        4 => (1usize..6).prop_map(Step::Leave),
        4 => prop_oneof![3 => Just(i64::MAX), 1 => 2i64..6].prop_map(Step::Land),
        1 => (1usize..4).prop_map(Step::Restart),
        1 => Just(Step::Settle),
    ];
    proptest::collection::vec(step, 0..60)
}

/// A piece under way: its samples, and the points that are sent first.
struct Flight {
    told: Told,
    rows: std::ops::Range<usize>,
    points: Vec<(i64, u8)>,
}

type Miss = (i64, u8, Option<(i64, u8)>);

/// The log of one series, and what a sink has of it.
struct Model {
    heartbeat: i64,
    unchanged: Unchanged,
    log: Vec<(i64, Option<u8>)>,
    /// Samples of the log that have left, and that the sink has answered for; time of the newest of those.
    left: usize,
    landed: usize,
    reached: i64,
    flights: Vec<Flight>,
    at_sink: BTreeMap<i64, u8>,
    dead: BTreeSet<i64>,
}

impl Model {
    fn new(heartbeat: i64) -> Self {
        Self {
            heartbeat,
            unchanged: Unchanged::new(heartbeat, i64::MIN),
            log: Vec::new(),
            left: 0,
            landed: 0,
            reached: i64::MIN,
            flights: Vec::new(),
            at_sink: Default::default(),
            dead: Default::default(),
        }
    }

    /// Stored samples behind `t` and before `end`, in order of time.
    fn behind(&self, t: i64, end: i64) -> Vec<(i64, Option<u8>)> {
        let mut found: Vec<_> = self
            .log
            .iter()
            .filter(|row| t < row.0 && row.0 < end)
            .copied()
            .collect();
        found.sort_unstable();
        found
    }

    fn shown(value: Option<u8>) -> Shown {
        shown(value.map_or(f64::NAN, f64::from), None)
    }

    fn leave(&mut self, count: usize) {
        let rows = self.left..self.log.len().min(self.left + count);
        let (mut told, mut points) = (self.unchanged.begin(), Vec::new());
        for (t, value) in self.log.get(rows.clone()).unwrap().to_vec() {
            let newest = self
                .behind(t, self.unchanged.reached().saturating_add(1))
                .last()
                .map(|row| row.0);
            let look = self.unchanged.look(&mut told, A, t, Self::shown(value), |_| newest);
            if look != Look::Repeats {
                points.extend(value.map(|value| (t, value)));
            }
            if look == Look::Late {
                told.late.push((SeriesRef(1), t));
                let next = self.behind(t, t + self.heartbeat).first().copied();
                let again = next.map(|(t, value)| (t, Self::shown(value)));
                self.unchanged.told_again(&mut told, A, t, again);
                points.extend(next.and_then(|(t, value)| Some((t, value?))));
            }
        }
        self.left = rows.end;
        self.flights.push(Flight { told, rows, points });
    }

    /// Times of the points that the sink refuses.
    fn send(&mut self, points: &[(i64, u8)], refused: i64) -> Vec<i64> {
        let (bad, good): (Vec<(i64, u8)>, Vec<_>) = points.iter().partition(|row| row.0 % refused == 0);
        self.at_sink.extend(good);
        bad.into_iter().map(|row| row.0).collect()
    }

    fn land(&mut self, refused: i64) {
        if self.flights.is_empty() {
            return;
        }
        let flight = self.flights.remove(0);
        if self.send(&flight.points, refused).is_empty() {
            self.unchanged.taken(&flight.told);
        } else {
            let own = self.log.get(flight.rows.clone()).unwrap().to_vec();
            let behind = flight.told.behind_late();
            let late = behind.iter().flat_map(|(_, t, end)| self.behind(*t, *end));
            let whole: Vec<_> = own
                .into_iter()
                .chain(late)
                .filter_map(|(t, value)| Some((t, value?)))
                .collect();
            let dead = self.send(&whole, refused);
            self.dead.extend(dead);
        }
        self.landed = flight.rows.end;
        let newest = self.log.get(flight.rows).unwrap().iter().map(|row| row.0).max();
        self.reached = self.reached.max(newest.unwrap_or(i64::MIN));
    }

    fn restart(&mut self, arrived: usize) {
        for (n, flight) in std::mem::take(&mut self.flights).into_iter().enumerate() {
            if n % arrived == 0 {
                self.at_sink.extend(flight.points);
            }
        }
        self.left = self.landed;
        self.unchanged = Unchanged::new(self.heartbeat, self.reached);
    }

    fn settle(&mut self) {
        self.leave(usize::MAX / 2);
        while !self.flights.is_empty() {
            self.land(i64::MAX);
        }
    }

    /// Stored numbers that the sink does not show, and what it shows.
    fn misses(&self) -> Vec<Miss> {
        let stored = self.log.iter().filter_map(|(t, value)| Some((*t, (*value)?)));
        let alive = stored.filter(|(t, _)| !self.dead.contains(t));
        let looked = alive.map(|(t, v)| (t, v, self.at_sink.range(..=t).next_back().map(|(t, v)| (*t, *v))));
        looked
            .filter(|(t, v, last)| !last.is_some_and(|(u, w)| w == *v && (u == *t || t - u < self.heartbeat)))
            .collect()
    }
}

proptest! {
    /// Late samples, refusals beside them, pieces that arrive and are not known to, restarts: in the end the sink shows all.
    #[test]
    fn whatever_happens_the_sink_shows_what_is_stored(steps in steps(), heartbeat in 1i64..200) {
        let mut model = Model::new(heartbeat);
        let mut now = 1_000;
        for step in steps {
            match step {
                Step::Append(by, value) => {
                    let t = now + by;
                    now = now.max(t);
                    if model.log.iter().all(|row| row.0 != t) {
                        model.log.push((t, value));
                    }
                }
                Step::Leave(count) => model.leave(count),
                Step::Land(refused) => model.land(refused),
                Step::Restart(arrived) => model.restart(arrived),
                Step::Settle => {
                    model.settle();
                    prop_assert_eq!(model.misses(), []);
                }
            }
        }
        model.settle();
        prop_assert_eq!(model.misses(), []);
    }
}
