//! What start times tell of counters.

/// A sample: its time, and when what it counts began; 0 where that is not known. Both ms.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// Its time.
    pub time: i64,
    /// Its start time.
    pub start: i64,
}

impl Stamp {
    /// The counter began anew after `previous`.
    pub fn is_reset_since(self, previous: Self) -> bool {
        if self.start == 0 || self.start >= self.time || self.start < previous.time {
            return false;
        }
        // A sample that counts from the one before it on is a difference, unless that one's own start is not known either.
        self.start > previous.time || (previous.start != 0 && previous.start < previous.time)
    }

    /// It counts from before `previous` on, and yet not from where that one does.
    pub fn overlaps(self, previous: Self) -> bool {
        self.start != 0 && self.start < previous.time && self.start != previous.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: i64, start: i64) -> Stamp {
        Stamp { time, start }
    }

    #[test]
    fn a_counter_that_began_later_is_another() {
        assert!(at(30, 25).is_reset_since(at(20, 5)));
        assert!(!at(30, 5).is_reset_since(at(20, 5)), "the same counter");
        assert!(!at(30, 0).is_reset_since(at(20, 5)), "not known");
        assert!(!at(30, 30).is_reset_since(at(20, 5)), "not known to its writer");
        assert!(!at(30, 40).is_reset_since(at(20, 5)), "nonsense");
    }

    #[test]
    fn differences_begin_where_the_last_one_ended() {
        assert!(at(30, 20).is_reset_since(at(20, 10)));
        assert!(!at(30, 20).is_reset_since(at(20, 0)));
        assert!(!at(30, 20).is_reset_since(at(20, 20)));
        assert!(!at(30, 20).is_reset_since(at(20, 25)));
    }

    #[test]
    fn counts_must_not_overlap() {
        assert!(at(30, 15).overlaps(at(20, 10)));
        assert!(
            !at(30, 10).overlaps(at(20, 10)) && !at(30, 20).overlaps(at(20, 10)) && !at(30, 0).overlaps(at(20, 10))
        );
    }
}
