//! What a series costs in memory, counted by the allocator: a node exporter's series, as in the benchmarks.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::batch::Batch;
use engine::head::Head;
use engine::labels::pack;

/// The system's allocator with a count of the bytes in use, each allocation rounded up as malloc does.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

fn rounded(size: usize) -> usize {
    (size + 8).next_multiple_of(16).max(32)
}

// SAFETY: every call goes on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(rounded(layout.size()), Ordering::Relaxed);
        System.alloc(layout)
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(rounded(layout.size()), Ordering::Relaxed);
        System.dealloc(place, layout)
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that a series with about ten labels and 120 samples may take, its share of the index included.
const LIMIT: usize = 1000;
const INSTANCES: usize = 8;
const PER_INSTANCE: usize = 500;
const ROUNDS: usize = 120;

#[derive(Clone, Copy)]
enum Kind {
    Seconds,
    Count,
    Pages,
    Constant,
}

struct Random(u64);

impl Random {
    /// Below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// The next value of a series. Counters of seconds tell hundredths; every fifth counter stands still.
    fn next(&mut self, kind: Kind, series: usize, value: f64) -> f64 {
        let moves = series % 5 != 0;
        match kind {
            Kind::Seconds if moves => ((value * 100.0).round() + 100.0 + self.below(1000) as f64) / 100.0,
            Kind::Count if moves => value + self.below(1 << (series % 16)) as f64,
            Kind::Pages => value + (self.below(400) as f64 - 200.0) * 4096.0,
            _ => value,
        }
    }
}

/// Of 500: seconds, counts, gauges of pages, constants.
fn kind(series: usize) -> Kind {
    match series % 500 {
        0..162 => Kind::Seconds,
        162..342 => Kind::Count,
        342..411 => Kind::Pages,
        _ => Kind::Constant,
    }
}

/// An instance's scrape: all its series at `t`.
fn scrape(instance: usize, t: i64, values: &[f64]) -> Batch {
    let mut batch = Batch::new(t);
    let address = format!("10.24.{}.{}:9100", instance / 250, instance % 250);
    let pod = format!("node-exporter-{instance:04}-g000");
    let cluster = format!("prod-{}", instance % 4);
    for (series, value) in values.iter().enumerate() {
        let name = format!("node_memory_or_network_bytes_{}_total", series / 16);
        let (part, mode) = (format!("cpu{}", series % 16), format!("/data/{}", series % 8));
        let mut labels = [
            ("__name__", name.as_str()),
            ("job", "node"),
            ("cluster", &cluster),
            ("env", "production"),
            ("region", "eu-west-1"),
            ("team", "payments"),
            ("instance", &address),
            ("pod", &pod),
            ("device", &part),
            ("mountpoint", &mode),
        ];
        pack(&mut labels, batch.arena()).unwrap();
        batch.push_float(t, *value);
    }
    batch
}

#[test]
fn an_active_series_takes_less_than_a_kilobyte() {
    let mut random = Random(1);
    let mut values: Vec<f64> = (0..INSTANCES * PER_INSTANCE)
        .map(|_| random.below(10_000_000) as f64)
        .collect();
    let mut head = Head::new();
    let before = IN_USE.load(Ordering::Relaxed);
    for round in 0..ROUNDS {
        let t = 1_700_000_000_000 + round as i64 * 15_000;
        for (series, value) in values.iter_mut().enumerate() {
            *value = random.next(kind(series), series, *value);
        }
        for (instance, values) in values.chunks(PER_INSTANCE).enumerate() {
            let staged = head.stage(&scrape(instance, t, values)).unwrap();
            head.commit(staged.id).unwrap();
        }
    }
    let taken = IN_USE.load(Ordering::Relaxed) - before;
    let series = head.stats().series;
    assert_eq!(series, INSTANCES * PER_INSTANCE);
    println!(
        "{} bytes a series, of them labels and samples {}",
        taken / series,
        head.stats().bytes / series
    );
    assert!(taken / series <= LIMIT, "{} bytes a series", taken / series);
}
