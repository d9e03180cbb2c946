//! Names of metrics, labels and units as Prometheus 3 derives them from those of OpenTelemetry: the rules of
//! `prometheus/otlptranslator` 1.0, which follow "Prometheus and OpenMetrics Compatibility" of OpenTelemetry's specification.

/// What OpenTelemetry (UCUM) calls a unit, and what Prometheus does.
const UNITS: [(&str, &str); 24] = [
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tibibytes"),
    ("KBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
];

/// The same behind a slash.
const PER_UNITS: [(&str, &str); 7] = [
    ("s", "second"),
    ("m", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("w", "week"),
    ("mo", "month"),
    ("y", "year"),
];

/// As far as names depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Gets `_total`.
    Counter,
    /// Gets `_ratio` when its unit is 1.
    Gauge,
    /// Gets neither.
    Other,
}

/// A name of which nothing is left, or only underscores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoName(String);

impl std::fmt::Display for NoName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} cannot be made a name", self.0)
    }
}

/// How metrics are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricNamer {
    /// Only `[a-zA-Z0-9_:]`; else any UTF-8.
    pub escape: bool,
    /// Add unit and type.
    pub suffixes: bool,
}

impl MetricNamer {
    /// The name of a metric.
    pub fn name(self, name: &str, unit: &str, kind: Kind) -> Result<String, NoName> {
        let made = match (self.escape, self.suffixes) {
            (true, true) => with_suffixes(name, unit, kind),
            (true, false) => starting_well(
                pieces(name, |c| is_metric_char(c) || c == '_')
                    .collect::<Vec<_>>()
                    .join("_"),
            ),
            (false, true) => utf8_with_suffixes(name, unit, kind),
            (false, false) => name.to_owned(),
        };
        let only_underscores = self.escape && made != name && made.chars().all(|c| c == '_');
        if made.is_empty() || only_underscores {
            return Err(NoName(name.to_owned()));
        }
        Ok(made)
    }
}

fn is_metric_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == ':'
}

fn pieces(name: &str, good: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    name.split(move |c| !good(c)).filter(|piece| !piece.is_empty())
}

fn starting_well(name: String) -> String {
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return format!("_{name}");
    }
    name
}

fn with_suffixes(name: &str, unit: &str, kind: Kind) -> String {
    let mut words: Vec<String> = pieces(name, is_metric_char).map(str::to_owned).collect();
    let (main, per) = unit_words(unit);
    add_unit(&mut words, clean_unit(&main), clean_unit(&per));
    let mut last = |word: &str| {
        words.retain(|other| other != word);
        words.push(word.to_owned());
    };
    if kind == Kind::Counter {
        last("total");
    }
    if unit == "1" && kind == Kind::Gauge {
        last("ratio");
    }
    starting_well(words.join("_"))
}

fn add_unit(words: &mut Vec<String>, mut main: String, mut per: String) {
    let has = |word: &str| words.iter().any(|other| other == word);
    if has(&main) {
        main.clear();
    }
    if per == "per_" {
        per.clear();
    } else {
        per = per.strip_suffix('_').unwrap_or(&per).to_owned();
        if has(&per) {
            per.clear();
        }
    }
    if !per.is_empty() {
        main = main.strip_suffix('_').unwrap_or(&main).to_owned();
    }
    words.extend([main, per].into_iter().filter(|word| !word.is_empty()));
}

fn utf8_with_suffixes(name: &str, unit: &str, kind: Kind) -> String {
    let mut name = name.to_owned();
    let mut suffixes = Vec::new(); // the last one is nearest to the name
    let mut move_behind = |name: &mut String, suffix: &str| {
        if name.ends_with(suffix) && name.len() > suffix.len() + 1 {
            name.truncate(name.len() - suffix.len());
            name.pop(); // what stood between
        }
        suffixes.push(suffix.to_owned());
    };
    if unit == "1" && kind == Kind::Gauge {
        move_behind(&mut name, "ratio");
    }
    if kind == Kind::Counter {
        move_behind(&mut name, "total");
    }
    let (main, per) = unit_words(unit);
    if !per.is_empty() {
        move_behind(&mut name, &per);
    }
    if !main.is_empty() && !name.ends_with(&main) {
        name = format!("{name}_{main}");
    }
    for suffix in suffixes.iter().rev() {
        name = format!("{name}_{suffix}");
    }
    name
}

/// The words for what stands before and behind the slash of a unit; annotations in braces are none.
fn unit_words(unit: &str) -> (String, String) {
    let known = |table: &[(&str, &str)], unit: &str| {
        let found = table.iter().find(|(other, _)| *other == unit);
        found.map_or(unit, |(_, word)| word).to_owned()
    };
    let plain = |unit: &'static [(&str, &str)], text: &str| match text.trim() {
        text if text.contains(['{', '}']) => String::new(),
        text => known(unit, text),
    };
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let main = match plain(&UNITS, main).as_str() {
        "1" => String::new(),
        "%" => "percent".to_owned(),
        word => word.to_owned(),
    };
    let per = match plain(&PER_UNITS, per).as_str() {
        "" => String::new(),
        word => format!("per_{word}"),
    };
    (main, per)
}

fn clean_unit(unit: &str) -> String {
    let mut clean = String::with_capacity(unit.len());
    for c in unit.chars() {
        let c = if is_metric_char(c) { c } else { '_' };
        if c != '_' || !clean.ends_with('_') {
            clean.push(c);
        }
    }
    clean.strip_prefix('_').unwrap_or(&clean).to_owned()
}

/// The unit in a metric's metadata.
pub fn unit_name(unit: &str) -> String {
    let (main, per) = unit_words(unit);
    let (main, per) = (clean_unit(&main), clean_unit(&per));
    let both = match (main.as_str(), per.as_str()) {
        ("", per) => per.to_owned(),
        (main, "") => main.to_owned(),
        (main, per) => format!("{main}_{per}"),
    };
    let both = both.strip_prefix('_').unwrap_or(&both);
    both.strip_suffix('_').unwrap_or(both).to_owned()
}

/// How labels are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelNamer {
    /// Only `[a-zA-Z0-9_]`; else any UTF-8.
    pub escape: bool,
    /// With `escape`: a name that begins with one underscore gets `key` before it.
    pub key_before_underscore: bool,
    /// With `escape`: several underscores in a row stay.
    pub keep_underscores: bool,
}

impl LabelNamer {
    /// The name of a label.
    pub fn name(self, name: &str) -> Result<String, NoName> {
        let mut made = if self.escape {
            self.escaped(name)
        } else {
            name.to_owned()
        };
        if self.escape {
            if made.starts_with(|c: char| c.is_ascii_digit()) {
                made.insert_str(0, "key_");
            } else if self.key_before_underscore && made.starts_with('_') && !made.starts_with("__") {
                made.insert_str(0, "key");
            }
        }
        if made.chars().all(|c| c == '_') {
            return Err(NoName(name.to_owned()));
        }
        Ok(made)
    }

    fn escaped(self, name: &str) -> String {
        let escape = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        if self.keep_underscores {
            return name.chars().map(escape).collect();
        }
        let reserved = name.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"));
        let mut out = String::with_capacity(name.len());
        for c in reserved.unwrap_or(name).chars().map(escape) {
            if c != '_' || !out.ends_with('_') {
                out.push(c);
            }
        }
        if reserved.is_some() {
            return format!("__{out}__");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(escape: bool, suffixes: bool, name: &str, unit: &str, kind: Kind) -> String {
        let namer = MetricNamer { escape, suffixes };
        namer.name(name, unit, kind).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn metrics_get_unit_and_type() {
        for (name, unit, kind, wanted) in [
            ("http.server.duration", "s", Kind::Other, "http_server_duration_seconds"),
            ("requests.count", "1", Kind::Counter, "requests_count_total"),
            ("total.requests", "", Kind::Counter, "requests_total"),
            ("memory.usage", "By", Kind::Gauge, "memory_usage_bytes"),
            ("memory_bytes", "By", Kind::Gauge, "memory_bytes"),
            ("cpu.utilization", "1", Kind::Gauge, "cpu_utilization_ratio"),
            ("ratio.of.it", "1", Kind::Gauge, "of_it_ratio"),
            ("system.io", "foo/bar", Kind::Other, "system_io_foo_per_bar"),
            ("broken", "/", Kind::Other, "broken"),
            ("speed", "m/s", Kind::Gauge, "speed_meters_per_second"),
            ("disk", "{operation}/s", Kind::Gauge, "disk_per_second"),
            ("jobs", "{job}", Kind::Other, "jobs"),
            ("load", "%", Kind::Gauge, "load_percent"),
            ("5xx rate", "", Kind::Other, "_5xx_rate"),
            ("a::b", "", Kind::Other, "a::b"),
            ("__weird__name__", "", Kind::Other, "weird_name"),
            ("odd", "a b__c", Kind::Other, "odd_a_b_c"),
            ("ünï", "", Kind::Other, "n"),
        ] {
            assert_eq!(named(true, true, name, unit, kind), wanted, "{name} {unit}");
        }
    }

    #[test]
    fn other_strategies() {
        assert_eq!(named(true, false, "a.b__c-d", "s", Kind::Counter), "a_b__c_d");
        assert_eq!(named(true, false, "1.a", "s", Kind::Counter), "_1_a");
        assert_eq!(named(false, false, "a.b ü", "s", Kind::Counter), "a.b ü");
        assert_eq!(named(false, true, "a.b", "s", Kind::Counter), "a.b_seconds_total");
        assert_eq!(
            named(false, true, "a.b.total", "By/s", Kind::Counter),
            "a.b_bytes_per_second_total"
        );
        assert_eq!(named(false, true, "a.seconds", "s", Kind::Other), "a.seconds");
        assert_eq!(named(false, true, "cpu.ratio", "1", Kind::Gauge), "cpu_ratio");
        assert_eq!(
            named(true, true, "...", "", Kind::Other),
            "\"...\" cannot be made a name"
        );
        assert_eq!(named(false, false, "", "", Kind::Other), "\"\" cannot be made a name");
        assert_eq!(named(true, false, "_", "", Kind::Other), "_");
    }

    #[test]
    fn units() {
        for (unit, wanted) in [
            ("s", "seconds"),
            ("By/s", "bytes_per_second"),
            ("1", ""),
            ("{x}", ""),
            ("1/m", "per_minute"),
            ("a-b", "a_b"),
        ] {
            assert_eq!(unit_name(unit), wanted);
        }
    }

    #[test]
    fn labels() {
        let named = |key_before_underscore, keep_underscores, name: &str| {
            let namer = LabelNamer {
                escape: true,
                key_before_underscore,
                keep_underscores,
            };
            namer.name(name).unwrap_or_else(|error| error.to_string())
        };
        for (name, wanted) in [
            ("http.method", "http_method"),
            ("5xx", "key_5xx"),
            ("_a", "key_a"),
            ("__a", "__a"),
            ("__a__", "__a__"),
            ("a..b", "a__b"),
            ("é", "key_"),
        ] {
            assert_eq!(named(true, true, name), wanted);
        }
        for (name, wanted) in [("_a", "_a"), ("a..b", "a_b"), ("__a..b__", "__a_b__"), ("__a", "_a")] {
            assert_eq!(named(false, false, name), wanted);
        }
        assert_eq!(named(true, true, ""), "\"\" cannot be made a name");
    }
}
