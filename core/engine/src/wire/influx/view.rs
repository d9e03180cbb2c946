//! What a sink shows: at each time the value of its last point, as long as that is young enough.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::tally::plain;
use super::{scan, Lines};

/// Points of a sink, and stored ones that it need not have because it shows their values all the same.
#[derive(Debug)]
pub struct SinkView {
    /// ms for which a point is shown.
    heartbeat: i64,
    /// ms; what is counted together.
    width: i64,
    hasher: ahash::RandomState,
    /// The sink's points by series and field, in order of time: hashes of names, as in [`super::Tally`].
    points: HashMap<u64, Vec<(i64, f64)>, ahash::RandomState>,
    refused: HashSet<(u64, i64), ahash::RandomState>,
    /// Since the last [`Self::move_on`].
    counted: HashSet<(u64, i64), ahash::RandomState>,
    unchanged: BTreeMap<(String, String, i64), u64>,
}

impl SinkView {
    /// A sink without points.
    pub fn new(heartbeat: i64, width: i64) -> Self {
        Self {
            heartbeat,
            width: width.max(1),
            hasher: ahash::RandomState::new(),
            points: HashMap::default(),
            refused: HashSet::default(),
            counted: HashSet::default(),
            unchanged: BTreeMap::new(),
        }
    }

    /// The sink has these points of a series: ms and numbers, NaN for what is none. They are later than all that it has.
    pub fn hold(
        &mut self,
        measurement: &str,
        tags: &[(String, String)],
        field: &str,
        rows: impl Iterator<Item = (i64, f64)>,
    ) {
        let mut tags: Vec<_> = tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        tags.sort_unstable();
        let points = self
            .points
            .entry(self.hasher.hash_one((measurement, tags, field)))
            .or_default();
        points.extend(rows);
        points.sort_by_key(|(t, _)| *t);
    }

    /// The sink has refused these, and whether it shows them is no matter.
    pub fn refuse(&mut self, lines: &Lines) {
        for (point, ..) in self.points_of(lines) {
            self.refused.insert(point);
        }
    }

    /// Count those stored points that the sink has not, and shows.
    pub fn count_unchanged(&mut self, lines: &Lines) {
        for (point, value, place) in self.points_of(lines) {
            let is_unsent = !self.refused.contains(&point) && self.shows_unsent(point, value);
            if is_unsent && self.counted.insert(point) {
                *self.unchanged.entry(place).or_default() += 1;
            }
        }
    }

    /// Whether it has no point there and shows `value` because of one before.
    fn shows_unsent(&self, (series, t): (u64, i64), value: f64) -> bool {
        let points = self.points.get(&series).map(Vec::as_slice).unwrap_or_default();
        let before = points.partition_point(|(u, _)| *u <= t).checked_sub(1);
        let last = before.and_then(|n| points.get(n));
        last.is_some_and(|&(u, told)| u < t && t.saturating_sub(u) < self.heartbeat && told == value)
    }

    /// What comes from now on is later than all that came: of that only what the sink shows last is kept.
    pub fn move_on(&mut self) {
        self.counted.clear();
        for points in self.points.values_mut() {
            points.drain(..points.len().saturating_sub(1));
        }
    }

    /// (measurement, field, start of the stretch in ms, points) in order, names as the sink has them.
    pub fn unchanged(&self) -> impl Iterator<Item = (&str, &str, i64, u64)> {
        let rows = self.unchanged.iter();
        rows.map(|((measurement, field, start), count)| (measurement.as_str(), field.as_str(), *start, *count))
    }

    /// The points of lines with times in ms: (series and time, number, where it is counted).
    fn points_of(&self, lines: &Lines) -> Vec<Stored> {
        let texts = (0..lines.len()).filter_map(|i| std::str::from_utf8(lines.line(i)?).ok());
        let lines = texts.filter_map(|text| scan::line(text).ok());
        lines.flat_map(|line| self.points_in(&line)).collect()
    }

    fn points_in(&self, line: &scan::Line<'_>) -> Vec<Stored> {
        let Ok(t) = line.time.parse::<i64>() else {
            return Vec::new();
        };
        let measurement = plain(line.measurement);
        let tags = scan::tags(line.tags).flatten();
        let mut tags: Vec<_> = tags.map(|(key, value)| (plain(key), plain(value))).collect();
        tags.sort_unstable();
        let tags: Vec<_> = tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let start = t.div_euclid(self.width).saturating_mul(self.width);
        let fields = scan::fields(line.fields).flatten();
        let points = fields.map(|(field, value)| {
            let field = plain(field);
            let series = self.hasher.hash_one((measurement.as_str(), &tags, field.as_str()));
            let value = value.parse().unwrap_or(f64::NAN); // text is never left out
            ((series, t), value, (measurement.clone(), field, start))
        });
        points.collect()
    }
}

type Stored = ((u64, i64), f64, (String, String, i64));

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn view(points: &[(i64, f64)]) -> SinkView {
        let mut view = SinkView::new(100, HOUR);
        let tags = [("b".to_owned(), "x y".to_owned()), ("a".to_owned(), "1".to_owned())];
        view.hold("m n", &tags, "value", points.iter().copied());
        view
    }

    fn counted(view: &mut SinkView, rows: &[(i64, &str)]) -> u64 {
        let text: String = rows
            .iter()
            .map(|(t, value)| format!("m\\ n,a=1,b=x\\ y value={value} {t}\n"))
            .collect();
        view.count_unchanged(&Lines::from_text(text.as_bytes()));
        view.unchanged().map(|row| row.3).sum()
    }

    #[test]
    fn a_value_is_shown_for_a_heartbeat_and_up_to_the_next_point() {
        let rows = [(10, "7"), (11, "7"), (109, "7"), (110, "7")];
        assert_eq!(counted(&mut view(&[(10, 7.0)]), &rows), 2);
        assert_eq!(counted(&mut view(&[(10, 7.0), (50, 8.0)]), &rows), 1);
        assert_eq!(counted(&mut view(&[(10, 7.0), (60, 7.0)]), &rows), 3);
    }

    #[test]
    fn nothing_is_shown_before_the_first_point_nor_another_value() {
        assert_eq!(
            counted(&mut view(&[(10, 7.0)]), &[(9, "7"), (11, "8"), (12, "\"7\"")]),
            0
        );
        assert_eq!(
            counted(&mut view(&[(10, f64::NAN)]), &[(11, "\"NaN\"")]),
            0,
            "text is never left out"
        );
    }

    #[test]
    fn a_point_counts_once_and_a_refused_one_not_at_all() {
        let mut view = view(&[(10, 7.0)]);
        view.refuse(&Lines::from_text(b"m\\ n,a=1,b=x\\ y value=7 12\n"));
        assert_eq!(counted(&mut view, &[(11, "7"), (11, "7"), (12, "7")]), 1);
    }

    #[test]
    fn series_fields_and_hours_are_told_apart() {
        let mut view = view(&[(10, 7.0)]);
        view.hold("m", &[], "a=b", [(HOUR - 1, 1.0)].into_iter());
        view.count_unchanged(&Lines::from_text(
            b"m\\ n,a=2,b=x\\ y value=7 11\nm\\ n,a=1,b=x\\ y other=7,value=7 11\nm a\\=b=1 3600000\nbroken\nm a\\=b=1",
        ));
        let counted: Vec<_> = view.unchanged().collect();
        assert_eq!(counted, [("m", "a=b", HOUR, 1), ("m n", "value", 0, 1)]);
    }

    #[test]
    fn what_is_shown_last_is_shown_on() {
        let mut view = view(&[(20, 8.0), (10, 7.0)]);
        view.move_on();
        view.move_on();
        assert_eq!(counted(&mut view, &[(11, "7"), (21, "8")]), 1);
    }
}
