//! Bytes that Python owns, borrowed without a copy while the GIL is released, for a call or for as long as the core needs them.
//!
//! And the other way round: columns of results that Python borrows.
//!
//! The one file with `unsafe` in it. What makes [`Bytes`] sound:
//! - The buffer protocol keeps the memory where it is while a `PyBuffer` lives: a bytearray cannot be resized and
//!   an mmap cannot be closed meanwhile (both raise BufferError). [`Bytes`] owns the `PyBuffer`, and the slice borrows from it.
//! - The buffer is asked for as C-contiguous bytes, so `len_bytes` bytes from its pointer on are one piece of memory.
//! - Nobody writes to it meanwhile: that is the caller's promise, in the docstring of each function that takes a buffer.
//!   Segments are read up to an offset behind which nothing is rewritten; request bodies are `bytes`; files of blocks are
//!   renamed into their place when they are whole, and deleted by name only.
//!
//! A [`Blob`] outlives the call. Its keeper is a Python object that owns the buffer, because a thread of the core may drop the
//! last blob without the GIL, even under a lock for which a thread with the GIL waits: PyO3 then notes that the object is free
//! and lets it go when some thread has the GIL, while a buffer would wait for the GIL there and then.
//!
//! What makes [`PyColumn`] sound: it owns a share of columns that never change, and `PyBuffer_FillInfo` makes every view own
//! the object. Views are read-only.

use std::ffi::c_int;
use std::sync::Arc;

use engine::blob::Blob;
use engine::query::Columns;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;

/// A borrowed bytes-like object: bytes, bytearray, memoryview, mmap.
pub struct Bytes(PyBuffer<u8>);

impl Bytes {
    /// The bytes. Holds without the GIL, for as long as `self`.
    #[allow(unsafe_code)]
    pub fn as_slice(&self) -> &[u8] {
        let length = self.0.len_bytes();
        if length == 0 {
            return &[]; // an empty buffer may have no pointer
        }
        // SAFETY: see the head of this file.
        unsafe { std::slice::from_raw_parts(self.0.buf_ptr().cast::<u8>(), length) }
    }
}

impl Bytes {
    /// The same bytes for as long as somebody reads them: meanwhile a mapping cannot be closed.
    pub fn into_blob(self, py: Python<'_>) -> PyResult<Blob> {
        let kept = Kept(Py::new(py, Export(self))?);
        Ok(Blob::new(Arc::new(kept)))
    }
}

/// A buffer as a Python object.
#[pyclass(frozen, module = "bridge._core")]
struct Export(Bytes);

/// Keeps a buffer from anywhere, with the GIL or without.
struct Kept(Py<Export>);

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        self.0.get().0.as_slice()
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Bytes {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let buffer = PyBuffer::<u8>::get(&object)?;
        if !buffer.is_c_contiguous() {
            return Err(PyBufferError::new_err("the buffer is not contiguous"));
        }
        Ok(Self(buffer))
    }
}

/// A column of a result.
#[derive(Debug, Clone, Copy)]
pub enum Column {
    /// i64
    Timestamps,
    /// f64
    Values,
    /// i64
    Offsets,
}

/// Numbers of eight bytes in the machine's order, as a bytes-like object.
#[pyclass(frozen, module = "bridge._core")]
pub struct PyColumn {
    columns: Arc<Columns>,
    which: Column,
}

impl PyColumn {
    /// A column of `columns`.
    pub fn new(columns: Arc<Columns>, which: Column) -> Self {
        Self { columns, which }
    }

    fn place(&self) -> (*const u8, usize) {
        fn place<T>(numbers: &[T]) -> (*const u8, usize) {
            (numbers.as_ptr().cast(), size_of_val(numbers))
        }
        match self.which {
            Column::Timestamps => place(self.columns.timestamps()),
            Column::Values => place(self.columns.values()),
            Column::Offsets => place(self.columns.offsets()),
        }
    }
}

#[pymethods]
impl PyColumn {
    #[allow(unsafe_code)]
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        let (start, length) = slf.get().place();
        // SAFETY: Python gives a view to be filled; the bytes are there while the object is, see the head of this file.
        let filled = unsafe {
            ffi::PyBuffer_FillInfo(
                view,
                slf.as_ptr(),
                start.cast_mut().cast(),
                length as ffi::Py_ssize_t,
                1,
                flags,
            )
        };
        match filled {
            0 => Ok(()),
            _ => Err(PyErr::fetch(slf.py())),
        }
    }
}
