//! Requests as JSON, and what they become, in the way of `promtool tsdb dump`; and damaged ones.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::float::push_go;
use crate::labels::{format_labels, Labels};

const NOW: i64 = 1_700_000_000_000;

/// A request of one metric, whose data are `data`, of a resource with `resource` attributes.
fn request(resource: &str, metric: &str) -> String {
    format!(
        r#"{{"resourceMetrics":[{{"resource":{{"attributes":[{resource}]}},"scopeMetrics":[{{
            "scope":{{"name":"scope","version":"1"}},"metrics":[{metric}]}}]}}]}}"#
    )
}

fn attribute(key: &str, value: &str) -> String {
    format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#)
}

fn rows(batch: &Batch) -> Vec<String> {
    let line = |labels: Labels<'_>, value: &dyn Fn(&mut String), t: i64| {
        let mut line = String::new();
        format_labels(labels, &mut line);
        line.push(' ');
        value(&mut line);
        line.push_str(&format!(" {t}"));
        line
    };
    let floats = batch.floats().map(|(labels, t, v)| {
        let print = |out: &mut String| {
            if crate::batch::is_stale(v) {
                out.push_str("stale");
            } else {
                push_go(out, v);
            }
        };
        line(labels, &print, t)
    });
    let histograms = batch.histograms().map(|(labels, t, h)| {
        let stale = if h.is_stale() { " stale" } else { "" };
        line(
            labels,
            &|out| out.push_str(&format!("histogram {}{stale}", h.schema)),
            t,
        )
    });
    floats.chain(histograms).collect()
}

fn read(settings: &Settings, json: &str) -> (Batch, Tally) {
    decode(json.as_bytes(), Form::Json, settings, None, NOW, 1 << 20).unwrap()
}

const GAUGE: &str = r#"{"name":"cpu.use","unit":"1","description":"How much.","gauge":{"dataPoints":[
    {"timeUnixNano":"1700000000000000000","asInt":"3","attributes":[{"key":"http.method","value":{"stringValue":"GET"}}]},
    {"timeUnixNano":1700000000001999999,"asDouble":"NaN","flags":0},
    {"timeUnixNano":"1700000000002000000","flags":1}]}}"#;

#[test]
fn a_gauge_with_its_resource() {
    let resource = [
        attribute("service.name", "shop"),
        attribute("service.namespace", "eu"),
        attribute("service.instance.id", "i-1"),
        attribute("os.type", "linux"),
    ];
    let (batch, tally) = read(&Settings::default(), &request(&resource.join(","), GAUGE));
    assert_eq!(
        rows(&batch),
        [
            r#"{__name__="cpu_use_ratio", http_method="GET", instance="i-1", job="eu/shop"} 3 1700000000000"#,
            r#"{__name__="cpu_use_ratio", instance="i-1", job="eu/shop"} NaN 1700000000001"#,
            r#"{__name__="cpu_use_ratio", instance="i-1", job="eu/shop"} stale 1700000000002"#,
            r#"{__name__="target_info", instance="i-1", job="eu/shop", os_type="linux"} 1 1700000000000"#,
            r#"{__name__="target_info", instance="i-1", job="eu/shop", os_type="linux"} 1 1700000000002"#,
        ]
    );
    assert_eq!((tally.points, tally.refused), (3, 0));
    let (_, metadata) = batch.metadata().next().unwrap();
    assert_eq!((metadata.type_name(), metadata.help.as_str()), ("gauge", "How much."));
}

#[test]
fn what_is_promoted() {
    let resource = [attribute("service.name", "s"), attribute("os.type", "linux")].join(",");
    let settings = Settings {
        escape: false,
        suffixes: false,
        promote: Promote::AllBut(vec!["service.name".into()]),
        keep_identifying: true,
        scope_metadata: true,
        ..Settings::default()
    };
    let (batch, _) = read(&settings, &request(&resource, GAUGE));
    let lines = rows(&batch);
    let scope = r#""os.type"="linux", otel_scope_name="scope", otel_scope_version="1""#;
    assert_eq!(
        lines.first().unwrap(),
        &format!(r#"{{__name__="cpu.use", "http.method"="GET", job="s", {scope}}} 3 1700000000000"#)
    );
    assert_eq!(
        lines.last().unwrap(),
        r#"{__name__="target_info", job="s", "os.type"="linux", "service.name"="s"} 1 1700000000002"#
    );
}

#[test]
fn target_info_stands_at_every_time_between() {
    let points = r#"{"name":"g","gauge":{"dataPoints":[{"timeUnixNano":"1700000000000000000","asInt":1},
        {"timeUnixNano":"1700000400000000000","asInt":1}]}}"#;
    let resource = [attribute("service.name", "s"), attribute("a", "1")].join(",");
    let (batch, _) = read(&Settings::default(), &request(&resource, points));
    let times: Vec<i64> = batch.floats().skip(2).map(|(_, t, _)| t - NOW).collect();
    assert_eq!(times, [0, 150_000, 300_000, 400_000]);
    let old = points.replace("1700000000000000000", "1");
    let (batch, _) = read(&Settings::default(), &request(&resource, &old));
    assert_eq!(batch.len(), 2 + 1001);
}

const HISTOGRAM: &str = r#"{"name":"wait","unit":"s","histogram":{"aggregationTemporality":2,"dataPoints":[
    {"timeUnixNano":"1700000000000000000","count":"6","sum":1.5,"bucketCounts":["1","2","3"],"explicitBounds":[0.005,5],
     "exemplars":[{"timeUnixNano":"1699999999000000000","asDouble":4.5,"traceId":"0102030405060708090a0b0c0d0e0f10"},
                  {"asDouble":9}]}]}}"#;

#[test]
fn a_histogram_is_classic_or_has_custom_buckets() {
    let (batch, _) = read(&Settings::default(), &request("", HISTOGRAM));
    assert_eq!(
        rows(&batch),
        [
            r#"{__name__="wait_seconds_sum"} 1.5 1700000000000"#,
            r#"{__name__="wait_seconds_count"} 6 1700000000000"#,
            r#"{__name__="wait_seconds_bucket", le="0.005"} 1 1700000000000"#,
            r#"{__name__="wait_seconds_bucket", le="5"} 3 1700000000000"#,
            r#"{__name__="wait_seconds_bucket", le="+Inf"} 6 1700000000000"#,
        ]
    );
    let exemplars: Vec<_> = batch.exemplars().collect();
    let le: Vec<_> = exemplars
        .iter()
        .map(|e| (e.series.labels().get("le"), e.value, e.t - NOW))
        .collect();
    assert_eq!(le, [("5", 4.5, -1000), ("+Inf", 9.0, 0)]);
    assert_eq!(
        exemplars.first().unwrap().labels.get("trace_id"),
        "0102030405060708090a0b0c0d0e0f10"
    );
    let settings = Settings {
        custom_buckets: true,
        ..Settings::default()
    };
    let (batch, _) = read(&settings, &request("", HISTOGRAM));
    assert_eq!(
        rows(&batch),
        [r#"{__name__="wait_seconds"} histogram -53 1700000000000"#]
    );
    assert_eq!(batch.exemplars().len(), 2);
}

#[test]
fn exponential_histograms_and_summaries() {
    let exponential = r#"{"name":"e","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[
        {"timeUnixNano":"1700000000000000000","count":3,"scale":9,"positive":{"offset":-1,"bucketCounts":["1","2"]}},
        {"timeUnixNano":"1700000001000000000","flags":1},
        {"timeUnixNano":"1700000002000000000","count":3,"scale":-9}]}}"#;
    let (batch, tally) = read(&Settings::default(), &request("", exponential));
    assert_eq!(
        rows(&batch),
        [
            r#"{__name__="e"} histogram 8 1700000000000"#,
            r#"{__name__="e"} histogram 0 stale 1700000001000"#
        ]
    );
    assert_eq!(tally.reasons, [r#"metric "e": scale must be from -4 to 52, was -9"#]);
    assert_eq!((tally.points, tally.refused), (3, 1));
    let summary = r#"{"name":"q","summary":{"dataPoints":[{"timeUnixNano":"1700000000000000000","count":"2","sum":3,
        "quantileValues":[{"quantile":0.5,"value":1},{"quantile":1,"value":2.5}]}]}}"#;
    let (batch, _) = read(&Settings::default(), &request("", summary));
    assert_eq!(
        rows(&batch),
        [
            r#"{__name__="q_sum"} 3 1700000000000"#,
            r#"{__name__="q_count"} 2 1700000000000"#,
            r#"{__name__="q", quantile="0.5"} 1 1700000000000"#,
            r#"{__name__="q", quantile="1"} 2.5 1700000000000"#,
        ]
    );
}

fn sum(temporality: u8, time: u64, value: u64) -> String {
    let metric = format!(
        r#"{{"name":"n","sum":{{"aggregationTemporality":{temporality},"isMonotonic":true,"dataPoints":[
        {{"startTimeUnixNano":"1","timeUnixNano":"{time}","asInt":"{value}"}}]}}}}"#
    );
    request("", &metric)
}

#[test]
fn deltas_are_refused_or_added_up() {
    let (batch, tally) = read(&Settings::default(), &sum(1, 1_000_000_000, 3));
    assert_eq!((batch.len(), tally.refused), (0, 1));
    let (_, tally) = read(&Settings::default(), &sum(0, 1_000_000_000, 3));
    assert_eq!(tally.reasons, [r#"metric "n": no aggregation temporality"#]);
    let mut deltas = Deltas::default();
    let mut add = |time, value| {
        let json = sum(1, time, value);
        let read = decode(
            json.as_bytes(),
            Form::Json,
            &Settings::default(),
            Some(&mut deltas),
            NOW,
            1 << 20,
        );
        rows(&read.unwrap().0)
    };
    assert_eq!(add(1_000_000_000, 3), [r#"{__name__="n_total"} 3 1000"#]);
    assert_eq!(add(2_000_000_000, 4), [r#"{__name__="n_total"} 7 2000"#]);
    assert_eq!(add(2_000_000_000, 4), [r#"{__name__="n_total"} 7 2000"#]);
    assert!(add(1_500_000_000, 1).is_empty());
}

#[test]
fn what_counts_begins_with_nothing_where_it_says_so() {
    let settings = Settings {
        start_samples: true,
        ..Settings::default()
    };
    let starts = |metric: &str| {
        let (batch, _) = read(&settings, &request("", metric));
        let starts = batch.heads().filter(|row| row.start);
        starts
            .map(|row| (row.subject.labels().get("__name__").to_owned(), row.t))
            .collect::<Vec<_>>()
    };
    let counter = r#"{"name":"n","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[
        {"startTimeUnixNano":"1699999999000000000","timeUnixNano":"1700000000000000000","asInt":3},
        {"startTimeUnixNano":"1700000001000000000","timeUnixNano":"1700000001000000000","asInt":4}]}}"#;
    assert_eq!(starts(counter), [("n_total".into(), NOW - 1000)]);
    assert!(starts(&counter.replace("true", "false")).is_empty());
    let told = r#"{"startTimeUnixNano":"1699999999000000000","timeUnixNano""#;
    assert_eq!(starts(&HISTOGRAM.replacen(r#"{"timeUnixNano""#, told, 1)).len(), 5);
    let native = HISTOGRAM
        .replacen(r#"{"timeUnixNano""#, told, 1)
        .replace("histogram", "exponentialHistogram");
    assert_eq!(
        starts(&native.replace(r#""count":"6""#, r#""count":"0""#)),
        [("wait_seconds".into(), NOW - 1000)]
    );
}

#[test]
fn points_that_cannot_be_taken_are_told() {
    for (metric, reason) in [
        (
            r#"{"name":"..","gauge":{"dataPoints":[{"timeUnixNano":"1"}]}}"#,
            r#"metric "..": ".." cannot be made a name"#,
        ),
        (
            r#"{"name":"g","gauge":{"dataPoints":[{"asInt":1}]}}"#,
            r#"metric "g": a point without a time"#,
        ),
        (r#"{"name":"g"}"#, r#"metric "g": no data of a known type"#),
        (
            r#"{"name":"g","gauge":{"dataPoints":[{"timeUnixNano":"1","attributes":[{"key":""}]}]}}"#,
            r#"metric "g": attribute "" cannot be made a name"#,
        ),
    ] {
        let (batch, tally) = read(&Settings::default(), &request("", metric));
        assert_eq!(
            (batch.len(), tally.reasons.first().map(String::as_str)),
            (0, Some(reason))
        );
    }
}

#[test]
fn reasons_are_short_whatever_names_are_long() {
    let metric = format!(r#"{{"name":"{}"}}"#, "ü".repeat(100_000));
    let (_, tally) = read(&Settings::default(), &request("", &metric));
    let [reason] = tally.reasons.as_slice() else {
        unreachable!("one metric, one reason");
    };
    assert!(reason.chars().count() < 310 && reason.ends_with("..."));
}

#[test]
fn labels_are_bounded() {
    let resource = [attribute("service.name", "s"), attribute("a", &"x".repeat(1000))].join(",");
    let settings = Settings {
        promote: Promote::AllBut(Vec::new()),
        ..Settings::default()
    };
    let json = request(&resource, GAUGE);
    let read = decode(json.as_bytes(), Form::Json, &settings, None, NOW, 2000);
    assert_eq!(read.map(|(_, tally)| tally), Err(Refused::TooLong(2000)));
}

#[test]
fn bad_json_is_told_with_its_place() {
    for (text, what, at) in [
        ("", "expected an object", 0),
        ("{} x", "something behind the value", 3),
        (r#"{"resourceMetrics":{}}"#, "expected a list", 19),
        (
            r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":1}]}]}]}"#,
            "expected a string",
            57,
        ),
    ] {
        let read = decode(text.as_bytes(), Form::Json, &Settings::default(), None, NOW, 1 << 20);
        assert_eq!(read.map(|(_, tally)| tally), Err(Refused::Json(what, at)), "{text}");
    }
}

proptest! {
    #[test]
    fn damaged_messages_are_read_or_refused(
        which in 0usize..4, at in any::<prop::sample::Index>(), flip in 1u8.., cut in any::<bool>(),
        escape in any::<bool>(), custom_buckets in any::<bool>(),
    ) {
        let resource = [attribute("service.name", "s"), attribute("a", "1")].join(",");
        let metric = match which {
            0 => GAUGE.to_owned(),
            1 => HISTOGRAM.to_owned(),
            2 => HISTOGRAM.replace("histogram", "exponentialHistogram"),
            _ => HISTOGRAM.replace("\"aggregationTemporality\":2", "\"aggregationTemporality\":1"),
        };
        let mut message = schema::to_protobuf(request(&resource, &metric).as_bytes()).unwrap();
        let at = at.index(message.len());
        if cut {
            message.truncate(at);
        } else if let Some(byte) = message.get_mut(at) {
            *byte ^= flip;
        }
        let settings = Settings { escape, suffixes: escape, custom_buckets, scope_metadata: true, ..Settings::default() };
        let mut deltas = Deltas::default();
        for _ in 0..2 {
            if let Ok((batch, _)) = decode(&message, Form::Protobuf, &settings, Some(&mut deltas), NOW, 1 << 20) {
                for (labels, ..) in batch.floats() {
                    prop_assert!(Labels::checked(labels.packed()).is_ok());
                }
                prop_assert!(batch.histograms().all(|(_, _, histogram)| histogram.is_sound()));
            }
        }
    }
}
