//! Series whose value stays the same: a point now and then says so as well as one for each sample.

use ahash::RandomState;
use hashbrown::HashMap;

use crate::wal::SeriesRef;

/// Series remembered before those that are long silent are forgotten.
const ROOM: usize = 1 << 12;

/// What was last sent of each series. Lost with the process: then the next sample of each series is sent.
#[derive(Debug)]
pub struct Unchanged {
    /// ms after which the same value is sent again.
    heartbeat: i64,
    sent: HashMap<SeriesRef, (i64, u64), RandomState>,
    room: usize,
}

impl Unchanged {
    /// Nothing is sent yet.
    pub fn new(heartbeat: i64) -> Self {
        Self {
            heartbeat,
            sent: HashMap::default(),
            room: ROOM,
        }
    }

    /// True for a sample that need not be sent: the series had this value before, and that was sent within a heartbeat.
    /// All others are taken to be sent from now on. Late samples always are, and so is the one behind them.
    pub fn repeats(&mut self, series: SeriesRef, t: i64, value: f64) -> bool {
        if !value.is_finite() {
            self.sent.remove(&series);
            return false;
        }
        let now = (t, value.to_bits());
        if let Some((sent, bits)) = self.sent.get_mut(&series) {
            if t <= *sent {
                self.sent.remove(&series);
                return false;
            }
            let repeats = *bits == now.1 && t.saturating_sub(*sent) < self.heartbeat;
            if !repeats {
                (*sent, *bits) = now;
            }
            return repeats;
        }
        if self.sent.len() >= self.room {
            self.forget(t);
        }
        self.sent.insert(series, now);
        false
    }

    /// Forget series that have not had a sample for two heartbeats: their next one is sent in any case.
    fn forget(&mut self, t: i64) {
        let oldest = t.saturating_sub(self.heartbeat.saturating_mul(2));
        self.sent.retain(|_, (sent, _)| *sent >= oldest);
        self.room = (self.sent.len() * 2).max(ROOM);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: SeriesRef = SeriesRef(1);

    #[test]
    fn a_constant_series_costs_a_point_a_heartbeat() {
        let mut unchanged = Unchanged::new(100);
        let sent = (0..100).filter(|n| !unchanged.repeats(A, n * 10, 7.0)).count();
        assert_eq!(sent, 10);
    }

    #[test]
    fn every_change_is_sent_and_what_comes_after_a_gap_too() {
        let mut unchanged = Unchanged::new(100);
        let rows = [
            (1, 1.0),
            (2, 1.0),
            (3, 2.0),
            (4, 1.0),
            (5, f64::NAN),
            (6, 1.0),
            (7, -0.0),
            (8, 0.0),
            (9, 0.0),
        ];
        let sent: Vec<i64> = rows
            .iter()
            .filter(|(t, v)| !unchanged.repeats(A, *t, *v))
            .map(|row| row.0)
            .collect();
        assert_eq!(sent, [1, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn late_samples_are_sent_and_the_next_one_too() {
        let mut unchanged = Unchanged::new(100);
        let rows = [(10, 1.0), (11, 1.0), (5, 2.0), (12, 1.0), (13, 1.0)];
        let sent: Vec<i64> = rows
            .iter()
            .filter(|(t, v)| !unchanged.repeats(A, *t, *v))
            .map(|row| row.0)
            .collect();
        assert_eq!(sent, [10, 5, 12]);
    }

    #[test]
    fn silent_series_are_forgotten() {
        let mut unchanged = Unchanged::new(10);
        for n in 0..100_000 {
            assert!(!unchanged.repeats(SeriesRef(n), n as i64, 1.0));
        }
        assert!(unchanged.sent.len() <= ROOM);
    }

    proptest! {
        #[test]
        fn what_was_last_sent_is_what_the_series_has(
            rows in proptest::collection::vec((1i64..40, 0u8..3), 0..60),
            heartbeat in 1i64..100,
        ) {
            let mut unchanged = Unchanged::new(heartbeat);
            let (mut t, mut last) = (0, None);
            for (step, value) in rows {
                t += step;
                if !unchanged.repeats(A, t, f64::from(value)) {
                    last = Some((t, value));
                }
                let (sent, seen) = last.unwrap_or((i64::MIN, 9));
                prop_assert!(seen == value && t - sent < heartbeat.max(1));
            }
        }
    }
}
