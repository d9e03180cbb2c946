//! Series whose value stays the same: a point now and then says so as well as one for each sample.
//!
//! A sample is left out when the sink has its value already: from a sample that the sink has answered for, or from one of
//! the same piece, which is sent whole when any line of it is refused. What is still on its way in other pieces is
//! nothing to rely on.

use std::collections::VecDeque;

use ahash::RandomState;
use hashbrown::HashMap;

use crate::wal::SeriesRef;

/// Series remembered before those that are long silent are forgotten.
const ROOM: usize = 1 << 12;
/// Bits of no finite number: the next sample is another value in any case.
const NOTHING: u64 = u64::MAX;
/// Likewise: the series has native histograms too, so its floats are all sent.
const MIXED: u64 = u64::MAX - 1;

/// What is to be done with a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The sink has, or gets, a point that says the same.
    Repeats,
    /// It is sent.
    Sent,
    /// It is sent, and may come to stand before samples that were left out: so the first one behind it is told again, by
    /// [`Unchanged::told_again`].
    Late,
}

/// The newest samples of a series that are all of one value.
#[derive(Debug, Clone, Copy)]
struct Run {
    bits: u64,
    /// From here on, in log order and in time, there is no other value.
    begun: i64,
    /// Time of the newest sample.
    newest: i64,
    /// Time of the newest one that the sink has answered for.
    taken: Option<i64>,
    /// Time of the newest one that was sent, and in which piece.
    sent: (i64, u64),
}

/// What a sink was sent last of each series. Lost with the process: then the next sample of each series is sent.
#[derive(Debug)]
pub struct Unchanged {
    /// ms after which the same value is sent again.
    heartbeat: i64,
    runs: HashMap<SeriesRef, Run, RandomState>,
    room: usize,
    /// The number of the piece that is being encoded.
    piece: u64,
    /// What was sent of pieces that the sink has not answered for.
    under_way: VecDeque<(u64, Vec<(SeriesRef, i64)>)>,
}

impl Unchanged {
    /// Nothing is sent yet.
    pub fn new(heartbeat: i64) -> Self {
        Self {
            heartbeat,
            runs: HashMap::default(),
            room: ROOM,
            piece: 0,
            under_way: VecDeque::new(),
        }
    }

    /// The time behind `t` from which on nothing said before counts.
    pub fn end_of(&self, t: i64) -> i64 {
        t.saturating_add(self.heartbeat)
    }

    /// The samples that follow are of another piece; its number.
    pub fn begin(&mut self) -> u64 {
        self.piece += 1;
        self.under_way.push_back((self.piece, Vec::new()));
        self.piece
    }

    /// The sink has all that was sent of a piece. Pieces before it that it was not said of are sent in another way.
    pub fn taken(&mut self, piece: u64) {
        while self.under_way.front().is_some_and(|(number, _)| *number <= piece) {
            let Some((number, sent)) = self.under_way.pop_front() else {
                return;
            };
            for (series, t) in sent.into_iter().filter(|_| number == piece) {
                if let Some(run) = self.runs.get_mut(&series).filter(|run| run.begun <= t) {
                    run.taken = run.taken.max(Some(t));
                }
            }
        }
    }

    /// The sink is sent other things too, or all once more: nothing is known of it.
    pub fn forget_all(&mut self) {
        self.runs.clear();
        self.under_way.clear();
    }

    /// The series has native histograms.
    pub fn mix(&mut self, series: SeriesRef, t: i64) {
        let run = self.runs.entry(series).or_insert(Run {
            bits: MIXED,
            begun: t,
            newest: t,
            taken: None,
            sent: (t, 0),
        });
        run.bits = MIXED;
        run.newest = run.newest.max(t);
    }

    /// Look at a sample; samples of a series come in log order.
    pub fn look(&mut self, series: SeriesRef, t: i64, value: f64) -> Look {
        let bits = if value.is_finite() { value.to_bits() } else { NOTHING };
        let piece = self.piece;
        let Some(run) = self.runs.get_mut(&series) else {
            self.start(series, t, bits);
            return Look::Late; // nobody knows what was left out before
        };
        if t < run.newest {
            return Look::Late;
        }
        run.newest = t;
        if run.bits == MIXED {
            return Look::Sent;
        }
        if bits == NOTHING || bits != run.bits {
            (run.bits, run.begun, run.taken) = (bits, t, None);
        } else {
            let own = Some(run.sent.0).filter(|sent| run.sent.1 == piece && *sent < t);
            let said = own.max(run.taken);
            if said.is_some_and(|said| t.saturating_sub(said) < self.heartbeat) {
                return Look::Repeats;
            }
        }
        run.sent = (t, piece);
        self.note(series, t);
        Look::Sent
    }

    /// What stands behind a sample at `t` that came late, or was the first one: it was sent again. `None`: it is not known.
    pub fn told_again(&mut self, series: SeriesRef, t: i64, next: Option<(i64, f64)>) {
        let piece = self.piece;
        let Some(run) = self.runs.get_mut(&series).filter(|run| run.bits != MIXED) else {
            return;
        };
        let Some((next, value)) = next else {
            if t < run.newest && t >= run.begun {
                run.bits = NOTHING;
            }
            return;
        };
        if next > run.newest {
            self.start(series, next, value.to_bits());
        } else if next >= run.begun && value.to_bits() != run.bits {
            run.bits = NOTHING; // it came late itself, and is still to be looked at
        } else if next >= run.begun {
            run.begun = next;
            run.taken = run.taken.filter(|taken| *taken >= next);
            if run.sent.0 < next {
                run.sent = (next, piece);
            }
            self.note(series, next);
        }
    }

    /// A run that begins with a sample that is sent.
    fn start(&mut self, series: SeriesRef, t: i64, bits: u64) {
        if self.runs.len() >= self.room {
            self.forget(t);
        }
        let run = Run {
            bits,
            begun: t,
            newest: t,
            taken: None,
            sent: (t, self.piece),
        };
        self.runs.insert(series, run);
        self.note(series, t);
    }

    fn note(&mut self, series: SeriesRef, t: i64) {
        if let Some((_, sent)) = self.under_way.back_mut() {
            sent.push((series, t));
        }
    }

    /// Forget series that have not had a sample for two heartbeats: their next one is sent in any case.
    fn forget(&mut self, t: i64) {
        let oldest = t.saturating_sub(self.heartbeat.saturating_mul(2));
        self.runs.retain(|_, run| run.newest >= oldest);
        self.room = (self.runs.len() * 2).max(ROOM);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: SeriesRef = SeriesRef(1);

    /// Times that are sent of rows in order, all in one piece.
    fn sent(unchanged: &mut Unchanged, rows: &[(i64, f64)]) -> Vec<i64> {
        let is_sent = |row: &&(i64, f64)| unchanged.look(A, row.0, row.1) != Look::Repeats;
        rows.iter().filter(is_sent).map(|row| row.0).collect()
    }

    #[test]
    fn a_constant_series_costs_a_point_a_heartbeat() {
        let rows: Vec<_> = (0..100).map(|n| (n * 10, 7.0)).collect();
        assert_eq!(sent(&mut Unchanged::new(100), &rows).len(), 10);
    }

    #[test]
    fn every_change_is_sent_and_what_comes_behind_no_number_too() {
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
        assert_eq!(sent(&mut Unchanged::new(100), &rows), [1, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn what_is_on_its_way_is_nothing_to_rely_on() {
        let mut unchanged = Unchanged::new(100);
        let first = unchanged.begin();
        assert_eq!(sent(&mut unchanged, &[(1, 1.0), (2, 1.0)]), [1]);
        let second = unchanged.begin();
        assert_eq!(sent(&mut unchanged, &[(3, 1.0), (4, 1.0)]), [3]);
        unchanged.taken(first);
        unchanged.begin();
        assert_eq!(sent(&mut unchanged, &[(5, 1.0), (6, 2.0)]), [6]);
        unchanged.taken(second);
        unchanged.begin();
        assert_eq!(
            sent(&mut unchanged, &[(7, 2.0), (8, 1.0)]),
            [7, 8],
            "what is taken is of a run that is over"
        );
    }

    #[test]
    fn a_piece_that_was_not_taken_says_nothing() {
        let mut unchanged = Unchanged::new(100);
        unchanged.begin();
        assert_eq!(sent(&mut unchanged, &[(1, 1.0)]), [1]);
        let second = unchanged.begin();
        unchanged.taken(second);
        assert_eq!(sent(&mut unchanged, &[(2, 1.0)]), [2]);
    }

    #[test]
    fn what_stands_behind_a_late_sample_is_told_again() {
        let mut unchanged = Unchanged::new(100);
        let piece = unchanged.begin();
        assert_eq!(sent(&mut unchanged, &[(10, 1.0), (12, 1.0)]), [10]);
        unchanged.taken(piece);
        let piece = unchanged.begin();
        assert_eq!(unchanged.look(A, 11, 2.0), Look::Late);
        unchanged.told_again(A, 11, Some((12, 1.0)));
        assert_eq!(sent(&mut unchanged, &[(13, 1.0)]), [0; 0], "of the same piece");
        unchanged.begin();
        assert_eq!(sent(&mut unchanged, &[(14, 1.0), (15, 1.0)]), [14]);
        unchanged.taken(piece);
        unchanged.begin();
        assert_eq!(sent(&mut unchanged, &[(16, 1.0)]), [0; 0]);
        assert_eq!(unchanged.look(A, 15, 2.0), Look::Late);
        unchanged.told_again(A, 15, None);
        assert_eq!(
            sent(&mut unchanged, &[(17, 1.0)]),
            [17],
            "nobody knows what the sink shows"
        );
    }

    #[test]
    fn floats_of_a_series_with_histograms_are_all_sent() {
        let mut unchanged = Unchanged::new(100);
        unchanged.mix(A, 3);
        assert_eq!(sent(&mut unchanged, &[(4, 1.0), (5, 1.0), (4, 1.0)]), [4, 5, 4]);
    }

    #[test]
    fn silent_series_are_forgotten() {
        let mut unchanged = Unchanged::new(10);
        for n in 0..100_000 {
            let piece = unchanged.begin();
            assert_ne!(unchanged.look(SeriesRef(n), n as i64, 1.0), Look::Repeats);
            unchanged.taken(piece);
        }
        assert!(unchanged.runs.len() <= ROOM);
        assert!(unchanged.under_way.is_empty());
    }

    /// Samples that are encoded together, and which of them are sent.
    struct Piece {
        number: u64,
        all: Vec<(i64, u8)>,
        sent: Vec<(i64, u8)>,
    }

    impl Piece {
        fn numbered(number: u64) -> Self {
            Self {
                number,
                all: Vec::new(),
                sent: Vec::new(),
            }
        }
    }

    proptest! {
        /// Pieces are taken late, or never and then sent whole: at each sample the sink shows its value.
        #[test]
        fn what_was_last_sent_is_what_the_series_has(
            rows in proptest::collection::vec((1i64..40, 0u8..3, any::<bool>(), 0u8..3), 0..60),
            heartbeat in 1i64..100,
        ) {
            let mut unchanged = Unchanged::new(heartbeat);
            let mut samples = Vec::new();
            let mut pieces = vec![Piece::numbered(unchanged.begin())];
            let (mut at_sink, mut refused) = (Vec::new(), Vec::new());
            let mut t = 0;
            for (step, value, cut, fate) in rows {
                t += step;
                samples.push((t, value));
                let look = unchanged.look(A, t, f64::from(value));
                if let Some(piece) = pieces.last_mut() {
                    piece.all.push((t, value));
                    piece.sent.extend((look != Look::Repeats).then_some((t, value)));
                }
                if cut {
                    pieces.push(Piece::numbered(unchanged.begin()));
                }
                while pieces.len() > 1 && fate > 0 {
                    let Piece { number, all, sent } = pieces.remove(0);
                    if fate == 1 {
                        unchanged.taken(number);
                        at_sink.extend(sent);
                    } else {
                        refused.extend(all.first().map(|row| row.0));
                        at_sink.extend(all.into_iter().skip(1));
                    }
                    if fate == 2 {
                        break;
                    }
                }
            }
            let landed: i64 = pieces.first().and_then(|piece| piece.all.first()).map_or(i64::MAX, |row| row.0);
            for (t, value) in samples.iter().filter(|(t, _)| *t < landed && !refused.contains(t)) {
                let shown = at_sink.iter().filter(|(u, _)| u <= t).max_by_key(|(u, _)| *u);
                let says = shown.is_some_and(|(u, v)| v == value && t - u < heartbeat.max(1));
                prop_assert!(says, "{t} {value} {at_sink:?}");
            }
        }
    }
}
