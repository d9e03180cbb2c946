//! Encoded lines, addressable one by one: what a sink sends, halves and sets aside.

use std::ops::Range;

/// Samples that line protocol cannot carry, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unrepresentable {
    /// NaN that is no stale marker.
    pub nan: u64,
    /// Infinite values.
    pub inf: u64,
    /// Stale markers: InfluxDB has no notion of the end of a series.
    pub stale: u64,
    /// Native histograms.
    pub native_histogram: u64,
    /// Times outside 1677..2262, which nanoseconds in 64 bits cannot say.
    pub time_range: u64,
    /// The log names a series whose record is lost: nobody knows its labels any more.
    pub unknown_series: u64,
}

impl Unrepresentable {
    /// The counts under the names by which metrics and cursors know them.
    pub fn by_reason(&self) -> [(&'static str, u64); 6] {
        [
            ("nan", self.nan),
            ("inf", self.inf),
            ("stale", self.stale),
            ("native_histogram", self.native_histogram),
            ("time_range", self.time_range),
            ("unknown_series", self.unknown_series),
        ]
    }
}

/// Lines of line protocol, each ended by a newline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    body: Vec<u8>,
    /// For each line, the offset just after its newline.
    ends: Vec<usize>,
    /// Samples that gave no line.
    pub unrepresentable: Unrepresentable,
    /// The newest time among the lines, ms.
    pub newest: Option<i64>,
}

impl Lines {
    /// Take finished lines, as a dead letter keeps them; blank ones are left out.
    pub fn from_text(text: &[u8]) -> Self {
        let mut lines = Self::default();
        for line in text.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            lines.body.extend_from_slice(line);
            lines.end_line();
        }
        lines
    }

    /// Where the next line is written before [`Self::end_line`].
    pub fn body_mut(&mut self) -> &mut Vec<u8> {
        &mut self.body
    }

    /// End the line just written.
    pub fn end_line(&mut self) {
        self.body.push(b'\n');
        self.ends.push(self.body.len());
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
        for i in range.start..range.end.min(self.len()) {
            part.copy(self, i);
        }
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

    /// Lines of several, one after the other. What was unrepresentable stays with the wholes.
    pub fn concat<'a>(parts: impl Iterator<Item = &'a Self>) -> Self {
        let mut whole = Self::default();
        for part in parts {
            (0..part.len()).for_each(|i| whole.copy(part, i));
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
        Some(line.get(..super::scan::key_end(line)).unwrap_or(line))
    }

    fn copy(&mut self, from: &Self, i: usize) {
        if let Some(line) = from.line(i) {
            self.body.extend_from_slice(line);
            self.end_line();
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
