//! Samples of one point, that is of equal measurement, tags and time, gathered into one line.

use std::ops::Range;

use ahash::RandomState;
use hashbrown::HashTable;

use super::lines::Lines;
use super::tags::put_time;

/// Fields in a line at most: when a sink refuses it, each of them is tried.
const MAX_FIELDS: u32 = 256;

/// Points under way, in the order in which their first fields came.
#[derive(Default)]
pub struct Merger {
    hasher: RandomState,
    /// Series and fields, as written.
    text: Vec<u8>,
    points: Vec<Point>,
    fields: Vec<Field>,
    /// The newest point of each series and time.
    open: HashTable<usize>,
    /// Which fields the points have.
    known: HashTable<usize>,
}

struct Point {
    hash: u64,
    series: Range<usize>,
    t: i64,
    fields: u32,
    last: usize,
}

struct Field {
    hash: u64,
    point: usize,
    text: Range<usize>,
    /// Length of its key.
    key: usize,
    /// The field of the same point before it.
    before: Option<usize>,
}

impl Merger {
    /// Take a sample: `series` appends measurement and tags, `field` appends `key=value`.
    pub fn add(&mut self, t: i64, series: impl FnOnce(&mut Vec<u8>), field: impl FnOnce(&mut Vec<u8>)) {
        let series = append(&mut self.text, series);
        let hash = self.hasher.hash_one((written(&self.text, &series), t));
        let open = self.find(hash, t, &series);
        let series = match open.and_then(|point| self.points.get(point)) {
            Some(point) => {
                self.text.truncate(series.start);
                point.series.clone()
            }
            None => series,
        };
        let text = append(&mut self.text, field);
        let key = memchr::memrchr(b'=', written(&self.text, &text)).unwrap_or(0);
        match open.filter(|point| self.has_room(*point, &text, key)) {
            Some(point) => self.push(point, text, key),
            None => self.begin(
                Point {
                    hash,
                    series,
                    t,
                    fields: 0,
                    last: 0,
                },
                text,
                key,
            ),
        }
    }

    fn find(&self, hash: u64, t: i64, series: &Range<usize>) -> Option<usize> {
        let wanted = written(&self.text, series);
        let is_it = |point: &Point| point.t == t && written(&self.text, &point.series) == wanted;
        let found = self.open.find(hash, |&n| self.points.get(n).is_some_and(is_it));
        found.copied()
    }

    /// Another line is begun for what the point has already: two samples of one time that the schema takes for the same.
    fn has_room(&self, point: usize, text: &Range<usize>, key: usize) -> bool {
        let wanted = self.key(text, key);
        let is_it = |field: &Field| field.point == point && self.key(&field.text, field.key) == wanted;
        let hash = self.hasher.hash_one((point, wanted));
        let known = self.known.find(hash, |&n| self.fields.get(n).is_some_and(is_it));
        known.is_none() && self.points.get(point).is_some_and(|point| point.fields < MAX_FIELDS)
    }

    fn key(&self, text: &Range<usize>, key: usize) -> &[u8] {
        written(&self.text, text).get(..key).unwrap_or_default()
    }

    fn begin(&mut self, point: Point, text: Range<usize>, key: usize) {
        let (n, hash) = (self.points.len(), point.hash);
        let same = |&other: &usize| {
            let other = self.points.get(other);
            other.is_some_and(|other| other.t == point.t && other.series == point.series)
        };
        match self.open.find_mut(hash, same) {
            Some(open) => *open = n,
            None => {
                let points = &self.points;
                let rehash = |&other: &usize| points.get(other).map_or(hash, |point| point.hash);
                self.open.insert_unique(hash, n, rehash);
            }
        }
        self.points.push(point);
        self.push(n, text, key);
    }

    fn push(&mut self, point: usize, text: Range<usize>, key: usize) {
        let n = self.fields.len();
        let hash = self.hasher.hash_one((point, self.key(&text, key)));
        let Some(owner) = self.points.get_mut(point) else {
            return;
        };
        let before = (owner.fields > 0).then_some(owner.last);
        owner.fields += 1;
        owner.last = n;
        self.fields.push(Field {
            hash,
            point,
            text,
            key,
            before,
        });
        let fields = &self.fields;
        let rehash = |&other: &usize| fields.get(other).map_or(hash, |field| field.hash);
        self.known.insert_unique(hash, n, rehash);
    }

    /// Append a line for each point.
    pub fn write(self, lines: &mut Lines) {
        let mut fields = Vec::new();
        for point in &self.points {
            fields.clear();
            let mut next = Some(point.last);
            while let Some(field) = next.and_then(|n| self.fields.get(n)) {
                fields.push(&field.text);
                next = field.before;
            }
            let out = lines.body_mut();
            out.extend_from_slice(written(&self.text, &point.series));
            for (n, field) in fields.iter().rev().enumerate() {
                out.push(if n == 0 { b' ' } else { b',' });
                out.extend_from_slice(written(&self.text, field));
            }
            put_time(out, point.t);
            lines.end_line(point.fields);
        }
    }
}

fn append(text: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Range<usize> {
    let start = text.len();
    write(text);
    start..text.len()
}

fn written<'t>(text: &'t [u8], range: &Range<usize>) -> &'t [u8] {
    text.get(range.clone()).unwrap_or_default()
}
