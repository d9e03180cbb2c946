//! Where the pieces of a line begin and end. Nothing is unescaped here.
//!
//! As in influxd, a separator is escaped exactly when the byte before it is a backslash.

/// A line's pieces, still escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// Measurement.
    pub measurement: &'a str,
    /// `a=b,c=d`, or nothing.
    pub tags: &'a str,
    /// `x=1,y="s"`
    pub fields: &'a str,
    /// Timestamp, or nothing.
    pub time: &'a str,
}

/// The offset of the first unescaped byte that `stops`, or the length.
fn unescaped(text: &[u8], stops: impl Fn(u8) -> bool) -> usize {
    let mut previous = 0;
    for (i, &b) in text.iter().enumerate() {
        if previous != b'\\' && stops(b) {
            return i;
        }
        previous = b;
    }
    text.len()
}

/// Where a line's series (measurement and tags) ends: its first unescaped space.
pub fn key_end(line: &[u8]) -> usize {
    unescaped(line, |b| b == b' ')
}

/// Cut a line, without its newline, into pieces.
pub fn line(text: &str) -> Result<Line<'_>, &'static str> {
    let (key, rest) = split(text, key_end(text.as_bytes()));
    let (measurement, tags) = split(key, unescaped(key.as_bytes(), |b| b == b','));
    if measurement.is_empty() {
        return Err("missing measurement");
    }
    if tags.is_empty() && key.len() > measurement.len() {
        return Err("missing tag key");
    }
    let rest = rest.trim_start_matches(' ');
    let (fields, rest) = split(rest, fields_end(rest.as_bytes())?);
    if fields.is_empty() {
        return Err("missing fields");
    }
    let time = rest.trim_matches(' ');
    if time.contains(' ') {
        return Err("point is invalid");
    }
    Ok(Line {
        measurement,
        tags,
        fields,
        time,
    })
}

/// `text` before `at`, and after the separator there.
fn split(text: &str, at: usize) -> (&str, &str) {
    let (head, tail) = text.split_at_checked(at).unwrap_or((text, ""));
    (head, tail.get(1..).unwrap_or_default())
}

/// Fields end at the first space outside of quotes.
fn fields_end(text: &[u8]) -> Result<usize, &'static str> {
    let mut quoted = false;
    let mut previous = 0;
    for (i, &b) in text.iter().enumerate() {
        match b {
            b'"' if opens_or_closes(quoted, previous) => quoted = !quoted,
            b' ' if !quoted && previous != b'\\' => return Ok(i),
            _ => {}
        }
        previous = step(quoted, previous, b);
    }
    if quoted {
        return Err("unbalanced quotes");
    }
    Ok(text.len())
}

/// A quote opens text right after `=`, and closes it unless escaped.
fn opens_or_closes(quoted: bool, previous: u8) -> bool {
    if quoted {
        previous != b'\\'
    } else {
        previous == b'='
    }
}

/// What the next byte sees as previous: inside text an escaped backslash escapes nothing.
fn step(quoted: bool, previous: u8, b: u8) -> u8 {
    if quoted && previous == b'\\' && b == b'\\' {
        0
    } else {
        b
    }
}

/// The lines of a body: newlines inside quoted text do not end one, so a quote that nothing closes takes all that
/// follows into its line (looking for another end would cost a scan of the rest for each such line). Yields (number from 1, line without newline and CR).
pub fn lines(body: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = body;
    let mut number = 1;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (line, after) = split(rest, line_end(rest.as_bytes()));
        let this = number;
        number += 1 + line.bytes().filter(|&b| b == b'\n').count();
        rest = after;
        Some((this, line.strip_suffix('\r').unwrap_or(line)))
    })
}

/// How many bytes and lines of `body` stand in lines that end in it. What follows may be the beginning of one.
pub fn whole_lines(body: &[u8]) -> (usize, usize) {
    let (mut bytes, mut lines) = (0, 0);
    while let Some(rest) = body.get(bytes..).filter(|rest| !rest.is_empty()) {
        let end = line_end(rest);
        let Some(line) = rest.get(..end).filter(|_| end < rest.len()) else {
            break;
        };
        bytes += end + 1;
        lines += 1 + memchr::memchr_iter(b'\n', line).count();
    }
    (bytes, lines)
}

fn line_end(text: &[u8]) -> usize {
    let newline = memchr::memchr(b'\n', text).unwrap_or(text.len());
    let line = text.get(..newline).unwrap_or_default();
    if line.starts_with(b"#") || memchr::memchr(b'"', line).is_none() {
        return newline;
    }
    let (mut fields, mut quoted, mut previous) = (false, false, 0);
    for (i, &b) in text.iter().enumerate() {
        match b {
            b'\n' if !quoted => return i,
            b' ' if previous != b'\\' => fields = true,
            b'"' if fields && opens_or_closes(quoted, previous) => quoted = !quoted,
            _ => {}
        }
        previous = step(quoted, previous, b);
    }
    text.len()
}

/// `key=value` pairs of a tag set, each still escaped.
pub fn tags(text: &str) -> impl Iterator<Item = Result<(&str, &str), &'static str>> {
    pieces(text, |text| unescaped(text, |b| b == b',')).map(|pair| {
        let (key, value) = split(pair, unescaped(pair.as_bytes(), |b| b == b'='));
        if key.is_empty() {
            Err("missing tag key")
        } else if value.is_empty() {
            Err("missing tag value")
        } else if unescaped(value.as_bytes(), |b| b == b'=') < value.len() {
            Err("invalid tag format")
        } else {
            Ok((key, value))
        }
    })
}

/// `key=value` pairs of a field set, each still escaped, text with its quotes.
pub fn fields(text: &str) -> impl Iterator<Item = Result<(&str, &str), &'static str>> {
    pieces(text, field_end).map(|pair| {
        let at = unescaped(pair.as_bytes(), |b| b == b'=');
        let (key, value) = split(pair, at);
        if at == pair.len() {
            Err("invalid field format")
        } else if key.is_empty() {
            Err("missing field key")
        } else if value.is_empty() {
            Err("missing field value")
        } else {
            Ok((key, value))
        }
    })
}

/// The fields of a field set, each whole and still escaped.
pub fn whole_fields(text: &str) -> impl Iterator<Item = &str> {
    pieces(text, field_end)
}

fn field_end(text: &[u8]) -> usize {
    let mut quoted = false;
    let mut previous = 0;
    for (i, &b) in text.iter().enumerate() {
        match b {
            b'"' if opens_or_closes(quoted, previous) => quoted = !quoted,
            b',' if !quoted && previous != b'\\' => return i,
            _ => {}
        }
        previous = step(quoted, previous, b);
    }
    text.len()
}

/// Pieces separated by commas; a comma at the end means one more, empty piece.
fn pieces(text: &str, end: impl Fn(&[u8]) -> usize) -> impl Iterator<Item = &str> {
    let mut rest = (!text.is_empty()).then_some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let at = end(text.as_bytes());
        let (piece, after) = split(text, at);
        rest = (at < text.len()).then_some(after);
        Some(piece)
    })
}
