//! Series whose value stays the same: a point now and then says so as well as one for each sample.
//!
//! **The invariant.** A sample is left out only while the sink *shows* its value: the sink has taken a point of the same
//! value, less than a heartbeat before it, and nothing of another value in between. What is on its way is not taken, so
//! nothing relies on it, but for samples of the same piece of the log. These are what can end that, and what is done:
//!
//! * A line of a piece is refused, or too old for the sink. Then the piece says nothing to those behind it, and is sent
//!   whole: all its samples, and all that stands within a heartbeat behind those that came late.
//! * A sample comes late, before others that were left out. The next one behind it is sent again in its piece: it shows the
//!   same as all that were left out behind it up to the next change, which was sent. Where that one is refused too, see
//!   above: the piece is sent whole.
//! * The process ends, and what is remembered with it. Each series' first sample is sent, and is one that came late if the
//!   store has later ones that are not later than all that the sink was told of any series: they may have been left out.

use ahash::RandomState;
use hashbrown::HashMap;

use crate::family::Kind;
use crate::wal::SeriesRef;

/// Series remembered before those that are long silent are forgotten.
const ROOM: usize = 1 << 12;

/// A series as the sink knows it, whichever stored series become it.
pub type SinkSeries = u64;

/// What a point of a series shows: the bits of its number, and what kind of metric that is, which may decide the field.
/// `None`: nothing that another could repeat.
pub type Shown = Option<(u64, Option<Kind>)>;

/// What a float shows.
pub fn shown(value: f64, kind: Option<Kind>) -> Shown {
    value.is_finite().then(|| (value.to_bits(), kind))
}

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

/// The newest samples of a series that all show the same.
#[derive(Debug, Clone, Copy)]
struct Run {
    shown: Shown,
    /// From here on, in log order and in time, there is nothing else.
    begun: i64,
    /// Time of the newest sample.
    newest: i64,
    /// Time of the newest one that the sink has taken.
    taken: Option<i64>,
    /// Time of the newest one that was sent, and in which piece.
    sent: (i64, u64),
}

/// What one piece of the log tells the sink. Whoever sends it keeps this until the sink has answered.
#[derive(Debug, Default)]
pub struct Told {
    piece: u64,
    /// As of the [`Unchanged`] that began it.
    heartbeat: i64,
    /// Samples that show something new or show it again.
    sent: Vec<(SinkSeries, i64)>,
    /// Samples that came late: what stands behind them may have been left out.
    pub late: Vec<(SeriesRef, i64)>,
}

impl Told {
    /// Where samples may have been left out that its late ones came to stand before: behind one time and before another.
    /// None twice.
    pub fn behind_late(&self) -> Vec<(SeriesRef, i64, i64)> {
        let mut late = self.late.clone();
        late.sort_unstable();
        let mut times: Vec<(SeriesRef, i64, i64)> = Vec::new();
        for (series, t) in late {
            let end = t.saturating_add(self.heartbeat);
            match times.last_mut().filter(|last| last.0 == series && t < last.2) {
                Some(last) => last.2 = end,
                None => times.push((series, t, end)),
            }
        }
        times
    }
}

/// What a sink was sent last of each series.
#[derive(Debug)]
pub struct Unchanged {
    heartbeat: i64,
    runs: HashMap<SinkSeries, Run, RandomState>,
    /// Series that have native histograms, and when they last had one: their floats are all sent.
    mixed: HashMap<SinkSeries, i64, RandomState>,
    room: usize,
    /// Time of the newest sample of all series, also before the process began.
    reached: i64,
    /// The number of the newest piece.
    piece: u64,
    /// What pieces up to this one told is void.
    void: u64,
}

impl Unchanged {
    /// Nothing is known of what was sent, but that it was up to the time `reached`.
    pub fn new(heartbeat: i64, reached: i64) -> Self {
        Self {
            heartbeat,
            reached,
            runs: HashMap::default(),
            mixed: HashMap::default(),
            room: ROOM,
            piece: 0,
            void: 0,
        }
    }

    /// Time of the newest sample that has been looked at.
    pub fn reached(&self) -> i64 {
        self.reached
    }

    /// ms after which the same value is sent again.
    pub fn heartbeat(&self) -> i64 {
        self.heartbeat
    }

    /// The samples that follow are of another piece.
    pub fn begin(&mut self) -> Told {
        self.piece += 1;
        Told {
            piece: self.piece,
            heartbeat: self.heartbeat,
            ..Told::default()
        }
    }

    /// The sink has all that was sent of a piece. Pieces are said so in log order, or never.
    pub fn taken(&mut self, told: &Told) {
        if told.piece <= self.void {
            return;
        }
        for (series, t) in &told.sent {
            if let Some(run) = self.runs.get_mut(series).filter(|run| run.begun <= *t) {
                run.taken = Some(*t);
            }
        }
    }

    /// The sink is sent other things too, or all once more: nothing is known of it.
    pub fn forget_all(&mut self) {
        self.runs.clear();
        self.void = self.piece;
    }

    /// The series has a native histogram at `t`.
    pub fn mix(&mut self, series: SinkSeries, t: i64) {
        let newest = self.mixed.entry(series).or_insert(t);
        *newest = t.max(*newest);
    }

    /// Look at a sample of a piece; those of a series come in log order. `newest` tells, of a series that nothing is known of,
    /// when the last sample is that the store has behind it up to [`Self::reached`].
    pub fn look(
        &mut self,
        told: &mut Told,
        series: SinkSeries,
        t: i64,
        shown: Shown,
        newest: impl FnOnce(i64) -> Option<i64>,
    ) -> Look {
        if !self.runs.contains_key(&series) {
            self.start(series, newest(self.reached).map_or((t, shown), |newest| (newest, None)));
        }
        self.reached = self.reached.max(t);
        let Some(run) = self.runs.get_mut(&series).filter(|run| t >= run.newest) else {
            return Look::Late;
        };
        run.newest = t;
        if shown.is_none() || shown != run.shown {
            (run.shown, run.begun, run.taken) = (shown, t, None);
        } else {
            let own = Some(run.sent.0).filter(|_| run.sent.1 == told.piece);
            let said = own.max(run.taken);
            let shows = said.is_some_and(|said| t.saturating_sub(said) < self.heartbeat);
            if shows && !self.mixed.contains_key(&series) {
                return Look::Repeats;
            }
        }
        run.sent = (t, told.piece);
        told.sent.push((series, t));
        Look::Sent
    }

    /// What the store has behind a sample at `t` that came late, within a heartbeat: it is sent again in the same piece. `None`:
    /// it is not known.
    pub fn told_again(&mut self, told: &mut Told, series: SinkSeries, t: i64, next: Option<(i64, Shown)>) {
        let (next, shown) = next.unwrap_or((t, None));
        let Some(run) = self.runs.get_mut(&series).filter(|run| next >= run.begun) else {
            return; // the run lies behind both
        };
        if shown != run.shown {
            run.shown = None; // nobody knows what the sink shows behind it, so the next one is sent
            return;
        }
        run.begun = next;
        run.taken = run.taken.filter(|taken| *taken >= next);
        run.sent = run.sent.max((next, told.piece));
        told.sent.push((series, next));
    }

    /// A run whose newest sample is at `t`; that is still to be sent.
    fn start(&mut self, series: SinkSeries, (t, shown): (i64, Shown)) {
        if self.runs.len() >= self.room {
            self.forget(t);
        }
        let run = Run {
            shown,
            begun: t,
            newest: t,
            taken: None,
            sent: (t, 0), // of no piece
        };
        self.runs.insert(series, run);
    }

    /// Forget series that have not had a sample for two heartbeats: their next one is sent in any case.
    fn forget(&mut self, t: i64) {
        let oldest = t.saturating_sub(self.heartbeat.saturating_mul(2));
        self.runs.retain(|_, run| run.newest >= oldest);
        self.mixed.retain(|_, newest| *newest >= oldest);
        self.room = (self.runs.len() * 2).max(ROOM);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod model;
#[cfg(test)]
mod tests;
