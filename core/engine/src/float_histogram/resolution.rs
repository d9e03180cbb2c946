//! Coarser schemas.

use super::tally::Tally;
use super::FloatHistogram;

impl<C: Tally> FloatHistogram<C> {
    /// Bring exponential buckets down to `schema`, unless they are as coarse already.
    pub(super) fn reduce_to(&mut self, schema: i32) {
        if self.has_custom_buckets() || schema >= self.schema {
            return;
        }
        let shift = self.schema.saturating_sub(schema).unsigned_abs();
        self.positive = self.positive.coarser(shift);
        self.negative = self.negative.coarser(shift);
        self.schema = schema;
    }

    /// A copy in `schema`, or in its own when that is coarser.
    pub fn reduced(&self, schema: i32) -> Self {
        let mut reduced = self.clone();
        reduced.reduce_to(schema);
        reduced
    }
}
