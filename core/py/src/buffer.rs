//! Bytes that Python owns, borrowed without a copy while the GIL is released, for a call or for as long as the core needs them.
//!
//! And the other way round: columns of results, and computed numbers, that Python borrows.
//!
//! The one file with `unsafe` in it. What makes [`Bytes`] sound:
//! - The buffer protocol keeps the memory where it is while a `PyBuffer` lives: a bytearray cannot be resized and
//!   an mmap cannot be closed meanwhile (both raise BufferError). [`Bytes`] owns the `PyBuffer`, and the slice borrows from it.
//! - The buffer is asked for as C-contiguous bytes, so `len_bytes` bytes from its pointer on are one piece of memory.
//! - Nobody writes to it meanwhile: that is the caller's promise, in the docstring of each function that takes a buffer.
//!   Segments are read up to an offset behind which nothing is rewritten; request bodies are `bytes`; files of blocks are
//!   renamed into their place when they are whole, and deleted by name only; arrays of numbers are those of a query's frames,
//!   which are not written to once they are made.
//! - The same holds for [`Slice`], whose buffer PyO3 has checked to be of aligned items of its type.
//!
//! A [`Blob`] outlives the call. Its keeper is a Python object that owns the buffer, because a thread of the core may drop the
//! last blob without the GIL, even under a lock for which a thread with the GIL waits: PyO3 then notes that the object is free
//! and lets it go when some thread has the GIL, while a buffer would wait for the GIL there and then.
//!
//! What makes [`PyColumn`], [`PyNumbers`] and [`PyText`] sound: they own, or own a share of, memory that never changes, and
//! `PyBuffer_FillInfo` makes every view own the object. Views are read-only.

use std::ffi::c_int;
use std::sync::Arc;

use engine::blob::Blob;
use engine::query::Columns;
use pyo3::buffer::{Element, PyBuffer};
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyMemoryView;

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

/// A borrowed array of numbers, of any shape, row after row.
pub struct Slice<T: Element>(PyBuffer<T>);

impl<T: Element> Slice<T> {
    /// The numbers. Holds without the GIL, for as long as `self`.
    #[allow(unsafe_code)]
    pub fn as_slice(&self) -> &[T] {
        let count = self.0.item_count();
        if count == 0 {
            return &[]; // an empty buffer may have no pointer
        }
        // SAFETY: see the head of this file.
        unsafe { std::slice::from_raw_parts(self.0.buf_ptr().cast::<T>(), count) }
    }
}

impl<'a, 'py, T: Element> FromPyObject<'a, 'py> for Slice<T> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let buffer = PyBuffer::<T>::get(&object)?;
        if !buffer.is_c_contiguous() {
            return Err(PyBufferError::new_err("the array is not contiguous"));
        }
        Ok(Self(buffer))
    }
}

/// Numbers as Python reads them.
pub type View<'py> = Bound<'py, PyMemoryView>;

/// Numbers that the core has computed.
#[derive(Debug)]
pub enum Numbers {
    /// f64
    Floats(Vec<f64>),
    /// i64
    Integers(Vec<i64>),
    /// u32
    Groups(Vec<u32>),
    /// Of one byte: truth values
    Flags(Vec<u8>),
}

impl Numbers {
    /// As bytes that Python reads, in the machine's order.
    pub fn view(self, py: Python<'_>) -> PyResult<View<'_>> {
        PyMemoryView::from(Bound::new(py, PyNumbers(self))?.as_any())
    }
}

/// Computed numbers as a bytes-like object.
#[pyclass(frozen, name = "Numbers", module = "bridge._core")]
struct PyNumbers(Numbers);

#[pymethods]
impl PyNumbers {
    #[allow(unsafe_code)]
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        let place = match &slf.get().0 {
            Numbers::Floats(numbers) => place(numbers),
            Numbers::Integers(numbers) => place(numbers),
            Numbers::Groups(numbers) => place(numbers),
            Numbers::Flags(numbers) => place(numbers),
        };
        // SAFETY: Python gives a view to be filled; the numbers are there while the object is, see the head of this file.
        unsafe { fill(slf.as_any(), place, view, flags) }
    }
}

/// Bytes that somebody in the core owns a share of.
pub type Text = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// Such bytes as Python reads them, without a copy.
pub fn view_of(py: Python<'_>, text: Text) -> PyResult<View<'_>> {
    PyMemoryView::from(Bound::new(py, PyText(text))?.as_any())
}

/// A text as a bytes-like object.
#[pyclass(frozen, name = "Text", module = "bridge._core")]
struct PyText(Text);

#[pymethods]
impl PyText {
    #[allow(unsafe_code)]
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        let place = place((*slf.get().0).as_ref());
        // SAFETY: Python gives a view to be filled; the bytes are there while the object is, see the head of this file.
        unsafe { fill(slf.as_any(), place, view, flags) }
    }
}

fn place<T>(numbers: &[T]) -> (*const u8, usize) {
    (numbers.as_ptr().cast(), size_of_val(numbers))
}

/// Fill `view` with the memory at `place`, which lives as long as `owner` and never changes.
#[allow(unsafe_code)]
unsafe fn fill(
    owner: &Bound<'_, PyAny>,
    place: (*const u8, usize),
    view: *mut ffi::Py_buffer,
    flags: c_int,
) -> PyResult<()> {
    let (start, length) = place;
    // SAFETY: the caller's promise.
    let filled = unsafe {
        ffi::PyBuffer_FillInfo(
            view,
            owner.as_ptr(),
            start.cast_mut().cast(),
            length as ffi::Py_ssize_t,
            1,
            flags,
        )
    };
    match filled {
        0 => Ok(()),
        _ => Err(PyErr::fetch(owner.py())),
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
        let place = slf.get().place();
        // SAFETY: Python gives a view to be filled; the bytes are there while the object is, see the head of this file.
        unsafe { fill(slf.as_any(), place, view, flags) }
    }
}
