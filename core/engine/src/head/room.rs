//! How many series there may be.

use super::Head;

/// Bounds on the series that a batch may create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Series in all, those of the batch included.
    pub series: usize,
    /// Series that the batch creates.
    pub new: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            series: usize::MAX,
            new: usize::MAX,
        }
    }
}

impl Head {
    /// How many series a batch may create within `room`.
    pub(super) fn left(&self, room: Room) -> usize {
        room.series.saturating_sub(self.index.len()).min(room.new)
    }
}
