//! Columns: how one number is told from sample to sample.

use std::fmt::Debug;

use crate::chunk::bits::{BitBuffer, BitReader};
use crate::chunk::window::Window;
use crate::chunk::BadChunk;

/// A number that each sample of a chunk has, as the last sample told it.
pub trait Column: Copy + Debug + Default {
    /// What it holds. Counts of whole observations are here, as everywhere in such a chunk, the bits of a u64.
    type Number: Copy + Debug + Default + PartialOrd;

    /// A column of which nothing is told yet.
    fn starting_at(number: Self::Number) -> Self;
    /// The last number.
    fn number(&self) -> Self::Number;
    /// Tell the next number by what has changed.
    fn put(&mut self, number: Self::Number, out: &mut BitBuffer);
    /// Read the next number.
    fn read(&mut self, bits: &mut BitReader<'_>) -> Result<(), BadChunk>;
}

/// An integer, told by the change of its change.
#[derive(Debug, Clone, Copy, Default)]
pub struct Integer {
    number: i64,
    change: i64,
}

impl Column for Integer {
    type Number = i64;

    fn starting_at(number: i64) -> Self {
        Self { number, change: 0 }
    }

    fn number(&self) -> i64 {
        self.number
    }

    fn put(&mut self, number: i64, out: &mut BitBuffer) {
        let change = number.wrapping_sub(self.number);
        out.put_varbit(change.wrapping_sub(self.change));
        *self = Self { number, change };
    }

    fn read(&mut self, bits: &mut BitReader<'_>) -> Result<(), BadChunk> {
        self.change = self.change.wrapping_add(bits.varbit()?);
        self.number = self.number.wrapping_add(self.change);
        Ok(())
    }
}

impl Integer {
    /// The number that is the shortest to tell next: it goes on as before.
    pub fn unchanged(&self) -> i64 {
        self.number.wrapping_add(self.change)
    }
}

/// A float, told by its XOR with the one before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Float {
    number: f64,
    window: Window,
}

impl Column for Float {
    type Number = f64;

    fn starting_at(number: f64) -> Self {
        Self {
            number,
            window: Window::default(),
        }
    }

    fn number(&self) -> f64 {
        self.number
    }

    fn put(&mut self, number: f64, out: &mut BitBuffer) {
        out.put_xor(&mut self.window, self.number.to_bits() ^ number.to_bits());
        self.number = number;
    }

    fn read(&mut self, bits: &mut BitReader<'_>) -> Result<(), BadChunk> {
        self.number = f64::from_bits(self.number.to_bits() ^ self.window.read(bits)?);
        Ok(())
    }
}
