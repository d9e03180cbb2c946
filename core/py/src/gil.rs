//! When to let go of the GIL.

use pyo3::prelude::*;

/// Items (samples, metrics) or kilobytes from which work is long enough for other threads to profit from the GIL.
const LONG: usize = 1000;

/// Run `work` with the GIL released, unless `size` says that it is over in some microseconds: letting go and taking back costs more
/// than that when another thread waits for it.
pub(crate) fn detach_if_long<T: Send>(py: Python<'_>, size: usize, work: impl FnOnce() -> T + Send) -> T {
    if is_short(size) {
        work()
    } else {
        py.detach(work)
    }
}

/// True for work that is over in some microseconds.
pub(crate) fn is_short(size: usize) -> bool {
    size < LONG
}
