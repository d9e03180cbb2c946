//! Slices that many families share the allocation of.

use std::ops::{Deref, Range};
use std::sync::Arc;

/// A part of an allocation. The families of one push keep their bytes in one, so a push makes a few allocations and not some for
/// each family; it is freed when none of them is current any more.
#[derive(Debug, Clone)]
pub struct Shared<T> {
    all: Arc<[T]>,
    range: Range<usize>,
}

impl<T> Shared<T> {
    /// The part of `all` in `range`; empty where that reaches beyond its end.
    pub fn new(all: &Arc<[T]>, range: Range<usize>) -> Self {
        Self {
            all: Arc::clone(all),
            range,
        }
    }
}

impl<T> From<Vec<T>> for Shared<T> {
    fn from(all: Vec<T>) -> Self {
        let range = 0..all.len();
        Self { all: all.into(), range }
    }
}

impl<T> Deref for Shared<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.all.get(self.range.clone()).unwrap_or_default()
    }
}
