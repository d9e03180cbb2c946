//! Bytes that Python owns, borrowed without a copy while the GIL is released.
//!
//! The one file with `unsafe` in it. What makes it sound:
//! - The buffer protocol keeps the memory where it is while a `PyBuffer` lives: a bytearray cannot be resized and
//!   an mmap cannot be closed meanwhile (both raise BufferError). [`Bytes`] owns the `PyBuffer`, and the slice borrows from it.
//! - The buffer is asked for as C-contiguous bytes, so `len_bytes` bytes from its pointer on are one piece of memory.
//! - Nobody writes to it meanwhile: that is the caller's promise, in the docstring of each function that takes a buffer.
//!   Segments are read up to an offset behind which nothing is rewritten; request bodies are `bytes`.

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyBufferError;
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
