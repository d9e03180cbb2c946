//! Encoded lines, addressable one by one: what a sink sends, halves and sets aside.

use std::ops::Range;

use super::scan::{key_end, whole_fields};

/// Why a sample has no line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// NaN that is no stale marker.
    Nan,
    /// An infinite value.
    Inf,
    /// A stale marker: InfluxDB has no notion of the end of a series.
    Stale,
    /// A native histogram.
    NativeHistogram,
    /// A time outside 1677..2262, which nanoseconds in 64 bits cannot say.
    TimeRange,
    /// The log names a series whose record is lost: nobody knows its labels any more.
    UnknownSeries,
    /// The same as was sent before, and not long ago.
    Unchanged,
    /// Older than what the sink keeps.
    Expired,
    /// Of a series that the sink's selectors or rules leave out.
    Filtered,
}

impl Reason {
    /// All of them, with the names by which metrics and cursors know them.
    const NAMES: [(Self, &'static str); 9] = [
        (Self::Nan, "nan"),
        (Self::Inf, "inf"),
        (Self::Stale, "stale"),
        (Self::NativeHistogram, "native_histogram"),
        (Self::TimeRange, "time_range"),
        (Self::UnknownSeries, "unknown_series"),
        (Self::Unchanged, "unchanged"),
        (Self::Expired, "expired"),
        (Self::Filtered, "filtered"),
    ];
}

/// How many samples have no line, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unrepresentable([u64; Reason::NAMES.len()]);

impl Unrepresentable {
    /// Count `samples` more.
    pub fn add(&mut self, reason: Reason, samples: u64) {
        if let Some(count) = self.0.get_mut(reason as usize) {
            *count += samples;
        }
    }

    /// Count those of another too.
    pub fn add_all(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(&other.0) {
            *count += more;
        }
    }

    /// How many have none for this reason.
    pub fn count(&self, reason: Reason) -> u64 {
        self.0.get(reason as usize).copied().unwrap_or_default()
    }

    /// Every reason's name and count.
    pub fn by_reason(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Reason::NAMES.iter().map(|(reason, name)| (*name, self.count(*reason)))
    }
}

/// Lines of line protocol, each ended by a newline.
///
/// A line stands for one sample, for several where they are fields of one point, or for none where it goes with another
/// line that does: so that whoever counts samples need not know how they became lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    body: Vec<u8>,
    /// For each line, the offset just after its newline.
    ends: Vec<usize>,
    /// For each line, the samples that it stands for.
    weights: Vec<u32>,
    /// All of those.
    samples: u64,
    /// Samples that gave no line.
    pub unrepresentable: Unrepresentable,
    /// The newest time among the lines, and among samples that are unchanged, ms.
    pub newest: Option<i64>,
}

impl AsRef<[u8]> for Lines {
    fn as_ref(&self) -> &[u8] {
        self.body()
    }
}

impl Lines {
    /// Take finished lines, as a dead letter keeps them, each as one sample; blank ones are left out.
    pub fn from_text(text: &[u8]) -> Self {
        let mut lines = Self::default();
        for line in text.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            lines.body.extend_from_slice(line);
            lines.end_line(1);
        }
        lines
    }

    /// Where the next line is written before [`Self::end_line`].
    pub fn body_mut(&mut self) -> &mut Vec<u8> {
        &mut self.body
    }

    /// End the line just written, which stands for `samples`.
    pub fn end_line(&mut self, samples: u32) {
        self.body.push(b'\n');
        self.ends.push(self.body.len());
        self.weights.push(samples);
        self.samples += u64::from(samples);
    }

    /// Let all lines but the first `before` stand for no sample.
    pub fn weigh_nothing(&mut self, before: usize) {
        for weight in self.weights.iter_mut().skip(before) {
            self.samples -= u64::from(std::mem::take(weight));
        }
    }

    /// Let the last line stand for `samples` more, if it is not one of the first `before`.
    pub fn weigh_last(&mut self, before: usize, samples: u32) -> bool {
        match self.weights.last_mut().filter(|_| self.ends.len() > before) {
            Some(weight) => {
                *weight += samples;
                self.samples += u64::from(samples);
                true
            }
            None => false,
        }
    }

    /// How many samples all lines stand for.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// How many samples line `i` stands for.
    pub fn weight(&self, i: usize) -> Option<u32> {
        self.weights.get(i).copied()
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True when there is no line.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All lines, as sent.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Line `i` without its newline.
    pub fn line(&self, i: usize) -> Option<&[u8]> {
        let start = self.start(i)?;
        let end = *self.ends.get(i)?;
        self.body.get(start..end.saturating_sub(1))
    }

    fn start(&self, i: usize) -> Option<usize> {
        match i.checked_sub(1) {
            None => Some(0),
            Some(before) => self.ends.get(before).copied(),
        }
    }

    /// Lines `range`, as far as there are any. What was unrepresentable stays with the whole.
    pub fn slice(&self, range: Range<usize>) -> Self {
        let mut part = Self::default();
        part.copy_all(self, range);
        part
    }

    /// How many lines from `from` on fit `max_lines` and `max_bytes`; at least one while any is left.
    pub fn fit(&self, from: usize, max_lines: usize, max_bytes: usize) -> usize {
        let Some(start) = self.start(from).filter(|_| from < self.len()) else {
            return 0;
        };
        let window = self
            .ends
            .get(from..self.len().min(from.saturating_add(max_lines)))
            .unwrap_or_default();
        window.partition_point(|end| end - start <= max_bytes).max(1)
    }

    /// (lines whose series is `wanted`, all others), order kept.
    pub fn split_by_series(&self, wanted: impl Fn(&[u8]) -> bool) -> (Self, Self) {
        self.split(|i| self.series(i).is_some_and(&wanted))
    }

    /// (lines that are `wanted`, all others), order kept.
    pub fn split_by_text(&self, wanted: impl Fn(&[u8]) -> bool) -> (Self, Self) {
        self.split(|i| self.line(i).is_some_and(&wanted))
    }

    /// The same samples, each in a line of its own: of a point that is refused, each field may be the reason.
    pub fn singly(&self) -> Self {
        let mut single = Self::default();
        for i in 0..self.len() {
            let line = self.line(i).filter(|_| self.weight(i) > Some(1));
            match line.and_then(|line| std::str::from_utf8(line).ok()) {
                Some(line) => single.put_fields(line),
                None => single.copy(self, i),
            }
        }
        single
    }

    fn put_fields(&mut self, line: &str) {
        let (series, rest) = line.split_at_checked(key_end(line.as_bytes())).unwrap_or((line, ""));
        let (fields, time) = rest.rsplit_once(' ').unwrap_or((rest, ""));
        for field in whole_fields(fields.trim_start_matches(' ')) {
            for part in [series, " ", field, " ", time] {
                self.body.extend_from_slice(part.as_bytes());
            }
            self.end_line(1);
        }
    }

    /// Lines of several, one after the other. What was unrepresentable stays with the wholes.
    pub fn concat<'a>(parts: impl Iterator<Item = &'a Self>) -> Self {
        let mut whole = Self::default();
        for part in parts {
            whole.copy_all(part, 0..part.len());
        }
        whole
    }

    fn split(&self, wanted: impl Fn(usize) -> bool) -> (Self, Self) {
        let (mut found, mut others) = (Self::default(), Self::default());
        for i in 0..self.len() {
            let part = if wanted(i) { &mut found } else { &mut others };
            part.copy(self, i);
        }
        (found, others)
    }

    /// The series of line `i`: measurement and tags, escapes and all.
    pub fn series(&self, i: usize) -> Option<&[u8]> {
        let line = self.line(i)?;
        Some(line.get(..key_end(line)).unwrap_or(line))
    }

    fn copy_all(&mut self, from: &Self, range: Range<usize>) {
        let range = range.start.min(from.len())..range.end.min(from.len());
        let (Some(ends), Some(weights)) = (from.ends.get(range.clone()), from.weights.get(range.clone())) else {
            return; // it ends before it begins
        };
        let (Some(start), Some(end)) = (from.start(range.start), ends.last()) else {
            return;
        };
        let before = self.body.len();
        self.body
            .extend_from_slice(from.body.get(start..*end).unwrap_or_default());
        self.ends.extend(ends.iter().map(|end| end - start + before));
        self.weights.extend_from_slice(weights);
        self.samples += weights.iter().map(|weight| u64::from(*weight)).sum::<u64>();
    }

    fn copy(&mut self, from: &Self, i: usize) {
        if let Some(line) = from.line(i) {
            self.body.extend_from_slice(line);
            self.end_line(from.weight(i).unwrap_or(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn five() -> Lines {
        Lines::from_text(b"a v=1 1\nb,x=\\ y v=2 2\n\nc v=3 3\na v=4 4\nd v=5 5")
    }

    #[test]
    fn slices_keep_lines() {
        let part = five().slice(1..3);
        assert_eq!(part.body(), b"b,x=\\ y v=2 2\nc v=3 3\n");
        assert_eq!(part.line(1), Some(b"c v=3 3".as_slice()));
        assert!(five().slice(4..99).len() == 1 && five().slice(9..12).is_empty());
        let (end, start) = (1, 3);
        assert!(five().slice(start..end).is_empty());
    }

    #[test]
    fn parts_make_a_whole_again() {
        let lines = five();
        let parts = [lines.slice(0..2), Lines::default(), lines.slice(2..9)];
        assert_eq!(Lines::concat(parts.iter()), lines);
    }

    #[test]
    fn fits_by_lines_and_by_bytes_but_always_one() {
        let lines = five();
        assert_eq!(lines.fit(0, 2, 1000), 2);
        assert_eq!(lines.fit(0, 9, 8 + 14), 2);
        assert_eq!(lines.fit(0, 9, 3), 1);
        assert_eq!(lines.fit(5, 9, 1000), 0);
    }

    #[test]
    fn a_point_falls_into_its_fields() {
        let mut lines = Lines::default();
        lines
            .body_mut()
            .extend_from_slice(br#"m,a=b\ c x\,\ y=1,z="a, b",w=true 7"#);
        lines.end_line(3);
        lines.body_mut().extend_from_slice(b"n v=1,w=2 8");
        lines.end_line(0);
        assert_eq!(
            (lines.samples(), lines.weight(0), lines.weight(1)),
            (3, Some(3), Some(0))
        );
        let single = lines.singly();
        assert_eq!(
            std::str::from_utf8(single.body()),
            Ok("m,a=b\\ c x\\,\\ y=1 7\nm,a=b\\ c z=\"a, b\" 7\nm,a=b\\ c w=true 7\nn v=1,w=2 8\n")
        );
        assert_eq!((single.samples(), single.weight(3)), (3, Some(0)));
        assert_eq!(single.singly(), single);
    }

    #[test]
    fn splits_keep_every_line_once() {
        let (suspects, others) = five().split_by_series(|key| key == b"a" || key == b"b,x=\\ y");
        assert_eq!(suspects.body(), b"a v=1 1\nb,x=\\ y v=2 2\na v=4 4\n");
        assert_eq!(others.body(), b"c v=3 3\nd v=5 5\n");
        let (found, others) = others.split_by_text(|line| line == b"d v=5 5" || line == b"c");
        assert_eq!(
            (found.body(), others.body()),
            (b"d v=5 5\n".as_slice(), b"c v=3 3\n".as_slice())
        );
    }
}
