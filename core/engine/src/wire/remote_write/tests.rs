//! Requests that are whole, and requests that are not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use ahash::RandomState;
use proptest::prelude::*;

use super::schema::{exemplar, histogram, sample, span, v1, v2};
use super::*;
use crate::batch::KeySeeds;
use crate::wire::message::{put_bytes, put_double, put_message, put_number};

fn seeds() -> KeySeeds {
    KeySeeds::new(RandomState::with_seed(1), RandomState::with_seed(2))
}

fn read_within(message: &[u8], version: Version, rules: &Rules) -> Result<Decoded, WriteError> {
    let given = Given {
        newest: 1_000_000,
        unheard: &[("eu".into(), "b".into())],
        seeds: &seeds(),
        known: &|_| Vec::new(),
    };
    decode(message, version, rules, &given)
}

fn read(message: &[u8], version: Version) -> Result<Decoded, WriteError> {
    read_within(message, version, &Rules::default())
}

fn put_sample(out: &mut Vec<u8>, number: u32, t: i64, v: f64) {
    put_message(out, number, |out| {
        put_double(out, sample::VALUE, v);
        put_number(out, sample::TIME, t as u64);
    });
}

fn put_histogram(out: &mut Vec<u8>, number: u32, t: i64) {
    put_message(out, number, |out| {
        put_number(out, histogram::COUNT, 3);
        put_double(out, histogram::SUM, 1.5);
        put_message(out, histogram::POSITIVE_SPANS, |out| put_number(out, span::LENGTH, 2));
        put_bytes(out, histogram::POSITIVE_DELTAS, &[2, 2]);
        put_number(out, histogram::TIME, t as u64);
    });
}

type Labels<'l> = &'l [(&'l str, &'l str)];

fn put_labels(out: &mut Vec<u8>, number: u32, labels: Labels<'_>) {
    for (name, value) in labels {
        put_message(out, number, |out| {
            put_bytes(out, v1::label::NAME, name.as_bytes());
            put_bytes(out, v1::label::VALUE, value.as_bytes());
        });
    }
}

/// A series of each kind of row, with these labels.
fn request_1(labels: Labels<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    put_message(&mut out, v1::request::TIMESERIES, |out| {
        put_labels(out, v1::series::LABELS, labels);
        put_sample(out, v1::series::SAMPLES, 1000, 1.5);
        put_message(out, v1::series::EXEMPLARS, |out| {
            put_labels(out, v1::exemplar::LABELS, &[("trace", "t")]);
            put_double(out, exemplar::VALUE, 1.5);
            put_number(out, exemplar::TIME, 1000);
        });
        put_histogram(out, v1::series::HISTOGRAMS, 2000);
    });
    put_message(&mut out, v1::request::METADATA, |out| {
        put_number(out, v1::metadata::KIND, 1);
        put_bytes(out, v1::metadata::FAMILY, b"up");
        put_bytes(out, v1::metadata::HELP, b"Help.");
    });
    out
}

/// The same in 2.0. The symbols come last: their place is not given.
fn request_2(labels: Labels<'_>) -> Vec<u8> {
    let mut symbols = vec!["", "trace", "t", "Help."];
    let mut references = Vec::new();
    for text in labels.iter().flat_map(|(name, value)| [*name, *value]) {
        references.push(symbols.len() as u8);
        symbols.push(text);
    }
    let mut out = Vec::new();
    put_message(&mut out, v2::request::TIMESERIES, |out| {
        put_bytes(out, v2::series::LABELS, &references);
        put_sample(out, v2::series::SAMPLES, 1000, 1.5);
        put_histogram(out, v2::series::HISTOGRAMS, 2000);
        put_message(out, v2::series::EXEMPLARS, |out| {
            put_bytes(out, v2::exemplar::LABELS, &[1, 2]);
            put_double(out, exemplar::VALUE, 1.5);
            put_number(out, exemplar::TIME, 1000);
        });
        put_message(out, v2::series::METADATA, |out| {
            put_number(out, v2::metadata::KIND, 1);
            put_number(out, v2::metadata::HELP, 3);
        });
    });
    for symbol in symbols {
        put_bytes(&mut out, v2::request::SYMBOLS, symbol.as_bytes());
    }
    out
}

fn request(version: Version, labels: Labels<'_>) -> Vec<u8> {
    match version {
        Version::V1 => request_1(labels),
        Version::V2 => request_2(labels),
    }
}

const VERSIONS: [Version; 2] = [Version::V1, Version::V2];
const UP: Labels<'static> = &[("job", "a"), ("__name__", "up"), ("zone", "")];

fn series_of(decoded: &Decoded) -> Vec<Vec<(String, String)>> {
    let subjects = decoded.batch.heads().map(|head| head.subject.labels());
    subjects
        .map(|labels| labels.iter().map(|(n, v)| (n.into(), v.into())).collect())
        .collect()
}

#[test]
fn both_versions_say_the_same() {
    for version in VERSIONS {
        let decoded = read(&request(version, UP), version).unwrap();
        let every = Counts {
            samples: 1,
            histograms: 1,
            exemplars: 1,
        };
        assert_eq!((decoded.counts, &decoded.tally), (every, &Tally::default()));
        let labels = vec![("__name__".into(), "up".into()), ("job".into(), "a".into())];
        assert_eq!(series_of(&decoded), vec![labels.clone(), labels]);
        let told = decoded.batch.metadata().len() + decoded.batch.families().len();
        assert_eq!((decoded.batch.exemplars().len(), told), (1, 1));
        assert_eq!(decoded.batch.partial, version == Version::V2);
    }
}

#[test]
fn a_series_of_invalid_labels_is_left_out() {
    let invalid: [Labels<'_>; 5] = [
        &[],
        &[("job", "a")],
        &[("__name__", "")],
        &[("__name__", "up"), ("", "a")],
        &[("a", "1"), ("__name__", "up"), ("a", "")],
    ];
    for (labels, version) in invalid.into_iter().flat_map(|l| VERSIONS.map(|v| (l, v))) {
        let decoded = read(&request(version, labels), version).unwrap();
        assert_eq!((decoded.batch.len(), decoded.counts), (0, Counts::default()));
        assert_eq!(decoded.tally.counts[0].0, "labels");
        assert_eq!(decoded.tally.errors, usize::from(version == Version::V2));
    }
}

#[test]
fn the_label_of_a_replica_is_taken_off_and_one_that_is_not_heard_left_out() {
    let replicas = Some(ReplicaLabels {
        cluster: "cluster".into(),
        replica: "r".into(),
    });
    let rules = Rules {
        replicas,
        ..Rules::default()
    };
    for version in VERSIONS {
        let of = |replica| request(version, &[("__name__", "up"), ("cluster", "eu"), ("r", replica)]);
        let heard = read_within(&of("a"), version, &rules).unwrap();
        assert!(series_of(&heard)[0].iter().all(|(name, _)| name != "r"));
        let unheard = read_within(&of("b"), version, &rules).unwrap();
        assert_eq!((unheard.batch.len(), unheard.unheard.samples), (0, 1));
        assert_eq!(replicas_of(&of("b"), version, &rules), [("eu".into(), "b".into())]);
        let alone = request(version, &[("__name__", "up"), ("r", "b")]);
        assert_eq!(read_within(&alone, version, &rules).unwrap().counts.samples, 1);
        assert_eq!(replicas_of(&alone, version, &rules), []);
    }
}

fn replicas_of(message: &[u8], version: Version, rules: &Rules) -> Vec<Replica> {
    super::replicas(message, version, rules).unwrap()
}

#[test]
fn a_label_behind_the_samples_counts_as_well() {
    let mut message = Vec::new();
    put_message(&mut message, v1::request::TIMESERIES, |out| {
        put_labels(out, v1::series::LABELS, &[("__name__", "up")]);
        put_sample(out, v1::series::SAMPLES, 1000, 1.5);
        put_labels(out, v1::series::LABELS, &[("job", "late")]);
    });
    let given = Given {
        newest: i64::MAX,
        unheard: &[],
        seeds: &seeds(),
        known: &|keys| {
            assert_eq!(keys, [None], "a key of the first label alone would mean another series");
            Vec::new()
        },
    };
    let decoded = decode(&message, Version::V1, &Rules::default(), &given).unwrap();
    let labels = vec![("__name__".into(), "up".into()), ("job".into(), "late".into())];
    assert_eq!(series_of(&decoded), [labels]);
}

#[test]
fn keys_tell_label_sets_apart_and_rules_too() {
    let key = |version, labels, rules: &Rules| {
        let message = request(version, labels);
        let request = super::request::Request::parse(&message, version, &Limits::default()).unwrap();
        request.keys(&seeds(), rules.domain(version))[0].unwrap()
    };
    for version in VERSIONS {
        let rules = Rules::default();
        let this = key(version, UP, &rules);
        assert_eq!(this, key(version, UP, &rules));
        assert_ne!(
            this,
            key(version, &[("job", "a"), ("__name__", "up"), ("zone", "x")], &rules)
        );
        assert_ne!(
            this,
            key(version, &[("job", ""), ("__name__", "up"), ("zone", "a")], &rules)
        );
        let strict = Rules {
            limits: Limits {
                labels: 1,
                ..Limits::default()
            },
            ..Rules::default()
        };
        assert_ne!(
            this,
            key(version, UP, &strict),
            "what was checked by other rules is checked again"
        );
    }
}

#[test]
fn a_cut_request_is_refused_or_has_whole_series() {
    for version in VERSIONS {
        let whole = request(version, UP);
        for end in 0..whole.len() {
            // What is left of a message may be one, with fewer symbols or without metadata; the series is whole or not there.
            if let Ok(decoded) = read(&whole[..end], version) {
                assert!([0, 2].contains(&decoded.batch.len()), "{version:?} {end}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for version in VERSIONS {
            let _ = read(&bytes, version);
            let _ = super::replicas(&bytes, version, &Rules::default());
        }
    }

    #[test]
    fn flipped_bytes_are_read_or_refused(at in any::<prop::sample::Index>(), flip in 1u8..) {
        for version in VERSIONS {
            let mut message = request(version, UP);
            let at = at.index(message.len());
            message[at] ^= flip;
            if let Ok(decoded) = read(&message, version) {
                prop_assert_eq!(decoded.batch.len(), decoded.counts.samples + decoded.counts.histograms);
                let sets = decoded.batch.heads().map(|head| head.subject.labels());
                for labels in sets {
                    prop_assert!(crate::labels::Labels::checked(labels.packed()).is_ok());
                    prop_assert!(!labels.get("__name__").is_empty());
                }
            }
        }
    }

    #[test]
    fn labels_come_out_sorted_whatever_their_order(
        labels in proptest::collection::btree_map("[a-z_]{1,4}", "[a-z]{0,4}", 0..8).prop_map(|map| {
            map.into_iter().chain([("__name__".to_owned(), "m".to_owned())]).collect::<Vec<_>>()
        }).prop_shuffle()
    ) {
        let pairs: Vec<(&str, &str)> = labels.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let mut wanted: Vec<(String, String)> = labels.iter().filter(|(_, v)| !v.is_empty()).cloned().collect();
        wanted.sort();
        for version in VERSIONS {
            let decoded = read(&request(version, &pairs), version).unwrap();
            prop_assert_eq!(&series_of(&decoded)[0], &wanted);
        }
    }

    #[test]
    fn snappy_blocks_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        use crate::wire::compression::{block_length, unsnappy_block};
        if let Ok(out) = unsnappy_block(&bytes, 1 << 20) {
            prop_assert_eq!(block_length(&bytes), Ok(out.len()));
        }
    }
}
