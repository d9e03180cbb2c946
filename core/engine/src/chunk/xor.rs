//! XOR chunks (encoding 1): Gorilla's scheme as Prometheus writes it.
//!
//! ```text
//! n u16 | t0 varint, v0 64 bits | t1-t0 uvarint, v1 | (change of the time step, v)*
//! ```
//!
//! A value is told by its XOR with the one before, see [`Window`].

use super::bits::{BitReader, BitWriter};
use super::window::Window;
use super::BadChunk;
use crate::bytes::{unzigzag, zigzag};

/// The count in front does not go further.
pub const MAX_SAMPLES: u16 = u16::MAX;
/// Bytes of a sample at most: 4 + 64 bits of time, 13 + 64 of the value.
const MAX_SAMPLE_SIZE: usize = 19;
/// Number of bytes before the bit stream.
const HEADER_SIZE: usize = 2;

/// Widths of the changes of the time step, by the prefix that announces them: `10`, `110`, `1110`, `1111`.
const STEP_CLASSES: [(u64, u32, u32); 3] = [(0b10, 2, 14), (0b110, 3, 17), (0b1110, 4, 20)];

/// Appends samples to a chunk. Times must ascend; whoever appends sees to it.
#[derive(Debug, Clone)]
pub struct Appender {
    bytes: Vec<u8>,
    t: i64,
    step: u64,
    value: u64,
    samples: u16,
    window: Window,
    bits: BitWriter,
}

impl Appender {
    /// A chunk of one sample.
    pub fn new(t: i64, value: f64) -> Self {
        let mut bytes = Vec::with_capacity(48); // most series of a job get few samples
        let mut bits = BitWriter::default();
        bytes.extend_from_slice(&1u16.to_be_bytes());
        bits.put_uvarint(&mut bytes, zigzag(t));
        bits.put(&mut bytes, value.to_bits(), 64);
        Self {
            bytes,
            t,
            step: 0,
            value: value.to_bits(),
            samples: 1,
            window: Window::default(),
            bits,
        }
    }

    /// The chunk as it stands.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes allocated.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// The chunk, no longer to be appended to.
    pub fn into_bytes(self) -> Box<[u8]> {
        self.bytes.into_boxed_slice()
    }

    /// Samples so far.
    pub fn samples(&self) -> u16 {
        self.samples
    }

    /// The last sample.
    pub fn last(&self) -> (i64, f64) {
        (self.t, f64::from_bits(self.value))
    }

    /// Append a sample. Not for a chunk that holds [`MAX_SAMPLES`].
    pub fn append(&mut self, t: i64, value: f64) {
        self.make_room();
        let step = t.wrapping_sub(self.t) as u64;
        if self.samples == 1 {
            self.bits.put_uvarint(&mut self.bytes, step);
        } else {
            self.put_step_change(step.wrapping_sub(self.step) as i64);
        }
        self.put_value(value.to_bits());
        (self.t, self.step) = (t, step);
        self.samples = self.samples.saturating_add(1);
        if let Some(count) = self.bytes.first_chunk_mut::<HEADER_SIZE>() {
            *count = self.samples.to_be_bytes();
        }
    }

    /// Grow by half: a head has as many open chunks as series, and doubling would leave a third of their memory idle.
    fn make_room(&mut self) {
        if self.bytes.capacity() - self.bytes.len() < MAX_SAMPLE_SIZE {
            self.bytes.reserve_exact(MAX_SAMPLE_SIZE + self.bytes.len() / 2);
        }
    }

    fn put_step_change(&mut self, change: i64) {
        if change == 0 {
            return self.bits.put(&mut self.bytes, 0, 1);
        }
        for (prefix, prefix_length, width) in STEP_CLASSES {
            // Prometheus' ranges lean to the positive side: -(2^(n-1) - 1) ..= 2^(n-1).
            let half = 1i64 << (width - 1);
            if (1 - half..=half).contains(&change) {
                let low = change as u64 & ((1 << width) - 1);
                return self
                    .bits
                    .put(&mut self.bytes, prefix << width | low, prefix_length + width);
            }
        }
        self.bits.put(&mut self.bytes, 0b1111, 4);
        self.bits.put(&mut self.bytes, change as u64, 64);
    }

    fn put_value(&mut self, value: u64) {
        let xor = self.value ^ value;
        self.value = value;
        self.window.put(&mut self.bits, &mut self.bytes, xor);
    }
}

/// The samples of a chunk, oldest first. Bytes from a file may be anything: a bad chunk ends in an error, never in a panic.
#[derive(Debug, Clone)]
pub struct Samples<'a> {
    bits: BitReader<'a>,
    left: u16,
    read: u16,
    t: i64,
    step: u64,
    value: u64,
    window: Window,
}

impl<'a> Samples<'a> {
    /// Read `chunk` from its first sample.
    pub fn new(chunk: &'a [u8]) -> Result<Self, BadChunk> {
        let (count, stream) = chunk.split_first_chunk::<HEADER_SIZE>().ok_or(BadChunk)?;
        Ok(Self {
            bits: BitReader::new(stream),
            left: u16::from_be_bytes(*count),
            read: 0,
            t: 0,
            step: 0,
            value: 0,
            window: Window::default(),
        })
    }

    fn read_sample(&mut self) -> Result<(i64, f64), BadChunk> {
        match self.read {
            0 => {
                self.t = unzigzag(self.bits.uvarint()?);
                self.value = self.bits.take(64)?;
            }
            1 => {
                self.step = self.bits.uvarint()?;
                self.read_value()?;
            }
            _ => {
                self.step = self.step.wrapping_add(self.read_step_change()? as u64);
                self.read_value()?;
            }
        }
        self.t = self.t.wrapping_add(self.step as i64);
        self.read = self.read.saturating_add(1);
        Ok((self.t, f64::from_bits(self.value)))
    }

    fn read_step_change(&mut self) -> Result<i64, BadChunk> {
        if !self.bits.bit()? {
            return Ok(0);
        }
        for (_, _, width) in STEP_CLASSES {
            if !self.bits.bit()? {
                let raw = self.bits.take(width)? as i64;
                let half = 1i64 << (width - 1);
                return Ok(if raw > half { raw - 2 * half } else { raw });
            }
        }
        self.bits.take(64).map(|raw| raw as i64)
    }

    fn read_value(&mut self) -> Result<(), BadChunk> {
        self.value ^= self.window.read(&mut self.bits)?;
        Ok(())
    }
}

impl Iterator for Samples<'_> {
    type Item = Result<(i64, f64), BadChunk>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let sample = self.read_sample();
        if sample.is_err() {
            self.left = 0;
        }
        Some(sample)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left.into()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Samples that meet every class of time step and value, and the chunk that Prometheus 2.54's chunkenc makes of them.
    const SAMPLES: [(i64, u64); 18] = [
        (1_700_000_000_000, 0x3ff8_0000_0000_0000),
        (1_700_000_015_000, 0x3ff8_0000_0000_0000),
        (1_700_000_030_000, 0x3ff8_0000_0000_0000),
        (1_700_000_045_001, 0x4000_0000_0000_0000),
        (1_700_000_068_194, 0x7ff0_0000_0000_0000),
        (1_700_000_083_196, 0xfff0_0000_0000_0000),
        (1_700_000_090_006, 0x7ff0_0000_0000_0002),
        (1_700_000_105_009, 0x7ff8_0000_0000_0001),
        (1_700_000_185_548, 0x0000_0000_0000_0000),
        (1_700_000_200_552, 0x8000_0000_0000_0000),
        (1_700_000_215_556, 0x7e37_e43c_8800_759c),
        (1_700_000_296_097, 0x0000_0000_0000_0001),
        (1_700_000_900_926, 0x0000_0000_0000_0001),
        (1_700_000_981_468, 0xffff_ffff_ffff_ffff),
        (1_700_001_062_010, 0x4028_8000_0000_0000),
        (1_700_001_666_841, 0x4029_0000_0000_0000),
        (2_799_513_899_448, 0x4029_8000_0000_0000),
        (2_799_514_504_279, 0x3fb9_9999_9999_999a),
    ];
    const CHUNK: &str = "001280a0abfef9623ff800000000000098751000384cfffa0009ffa8007003de000c1fc000000000000001c2001d9a40\
        00000000001e800061ffffc000000000000e8000e006c1f7f1bf21e44003acfc2000387ffc6fc8791000eb3bd00000e80001c1ffffffffff\
        fffffff6002ff5dffffffffffffc00000000002000060001800000000000f000001000000000080002000000000003ffffffc00000000027\
        f9019999999999a0";

    fn chunk(samples: &[(i64, u64)]) -> Vec<u8> {
        let (first, rest) = samples.split_first().unwrap();
        let mut appender = Appender::new(first.0, f64::from_bits(first.1));
        rest.iter().for_each(|(t, v)| appender.append(*t, f64::from_bits(*v)));
        appender.into_bytes().into_vec()
    }

    fn read(chunk: &[u8]) -> Result<Vec<(i64, u64)>, BadChunk> {
        Samples::new(chunk)?
            .map(|sample| sample.map(|(t, v)| (t, v.to_bits())))
            .collect()
    }

    #[test]
    fn writes_what_prometheus_writes() {
        let hex: String = chunk(&SAMPLES).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, CHUNK);
        assert_eq!(read(&chunk(&SAMPLES)).unwrap(), SAMPLES);
    }

    fn steps() -> impl Strategy<Value = Vec<(i64, u64)>> {
        let step = prop_oneof![Just(15_000i64), -9000..9000i64, -600_000..600_000i64, any::<i64>()];
        let value = prop_oneof![(0..50u32).prop_map(|v| f64::from(v).to_bits()), any::<u64>()];
        proptest::collection::vec((step, value), 1..300)
    }

    proptest! {
        #[test]
        fn round_trips(steps in steps(), start in any::<i64>()) {
            let mut t = start;
            let samples: Vec<(i64, u64)> = steps
                .iter()
                .map(|(step, v)| { t = t.wrapping_add(*step); (t, *v) })
                .collect();
            prop_assert_eq!(read(&chunk(&samples)).unwrap(), samples);
        }

        #[test]
        fn any_bytes_end_in_samples_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn a_chunk_that_is_cut_says_so(steps in steps(), cut in any::<prop::sample::Index>()) {
            let mut t = 0i64;
            let samples: Vec<(i64, u64)> = steps.iter().map(|(s, v)| { t = t.wrapping_add(*s); (t, *v) }).collect();
            let whole = chunk(&samples);
            let cut = whole.get(..cut.index(whole.len())).unwrap();
            prop_assert_eq!(read(cut), Err(BadChunk));
        }
    }
}
