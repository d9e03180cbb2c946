//! Points by measurement, field and stretch of time: what a sink that has all of these lines counts.

use std::collections::{BTreeMap, HashSet};

use super::{scan, Lines};

/// Counts the points of lines. A point that comes again is the same point: it counts once, as InfluxDB keeps it once.
#[derive(Debug)]
pub struct Tally {
    width: i64,
    hasher: ahash::RandomState,
    /// Hashes of the points so far: 64 bits, so that among a million points two that look alike are one chance in 10^7.
    seen: HashSet<u64, ahash::RandomState>,
    counts: BTreeMap<(String, String, i64), u64>,
}

impl Tally {
    /// A tally of stretches of `width` ms, which begin at multiples of it.
    pub fn new(width: i64) -> Self {
        Self {
            width: width.max(1),
            hasher: ahash::RandomState::new(),
            seen: HashSet::default(),
            counts: BTreeMap::new(),
        }
    }

    /// Count the points of lines with times in ms. What is no line is left out.
    pub fn add(&mut self, lines: &Lines) {
        for i in 0..lines.len() {
            let text = lines.line(i).and_then(|line| std::str::from_utf8(line).ok());
            if let Some(line) = text.and_then(|text| scan::line(text).ok()) {
                self.add_line(&line);
            }
        }
    }

    fn add_line(&mut self, line: &scan::Line<'_>) {
        let Ok(time) = line.time.parse::<i64>() else {
            return;
        };
        let start = time.div_euclid(self.width).saturating_mul(self.width);
        for (field, _) in scan::fields(line.fields).flatten() {
            let point = (line.measurement, line.tags, field, time);
            if !self.seen.insert(self.hasher.hash_one(point)) {
                continue;
            }
            let key = (plain(line.measurement), plain(field), start);
            *self.counts.entry(key).or_default() += 1;
        }
    }

    /// Forget which points were seen, once none of them can come again: memory grows with them.
    pub fn forget_points(&mut self) {
        self.seen.clear();
    }

    /// (measurement, field, start in ms, points) in order, names as the sink has them.
    pub fn counts(&self) -> impl Iterator<Item = (&str, &str, i64, u64)> {
        let rows = self.counts.iter();
        rows.map(|((measurement, field, start), count)| (measurement.as_str(), field.as_str(), *start, *count))
    }
}

/// A name without the backslashes that only keep separators in it.
pub(super) fn plain(raw: &str) -> String {
    if !raw.contains('\\') {
        return raw.to_owned();
    }
    let mut name = String::with_capacity(raw.len());
    let mut rest = raw.chars().peekable();
    while let Some(c) = rest.next() {
        let escapes = c == '\\' && matches!(rest.peek(), Some(',' | ' ' | '='));
        if !escapes {
            name.push(c);
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn counted(tally: &Tally) -> Vec<(&str, &str, i64, u64)> {
        tally.counts().collect()
    }

    #[test]
    fn points_are_counted_by_measurement_field_and_hour() {
        let mut tally = Tally::new(HOUR);
        tally.add(&Lines::from_text(
            b"up,job=a value=1 0\nup,job=b value=1 0\nup,job=a value=1 3599999\nup,job=a value=1 3600000\nm a=1,b=2i -1",
        ));
        assert_eq!(
            counted(&tally),
            [
                ("m", "a", -HOUR, 1),
                ("m", "b", -HOUR, 1),
                ("up", "value", 0, 3),
                ("up", "value", HOUR, 1)
            ]
        );
    }

    #[test]
    fn the_same_point_counts_once_until_points_are_forgotten() {
        let mut tally = Tally::new(HOUR);
        let lines = Lines::from_text(b"up value=1 5\nup value=2 5\nup other=1 5");
        tally.add(&lines);
        assert_eq!(counted(&tally), [("up", "other", 0, 1), ("up", "value", 0, 1)]);
        tally.forget_points();
        tally.add(&lines);
        assert_eq!(counted(&tally), [("up", "other", 0, 2), ("up", "value", 0, 2)]);
    }

    #[test]
    fn names_are_those_that_the_sink_has() {
        let mut tally = Tally::new(HOUR);
        tally.add(&Lines::from_text(
            b"a\\ b\\,c,x=y f\\=g=1 7\nC:\\dir v=1 7\nbroken\nno_time v=1",
        ));
        assert_eq!(counted(&tally), [("C:\\dir", "v", 0, 1), ("a b,c", "f=g", 0, 1)]);
    }
}
