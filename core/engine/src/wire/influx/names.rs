//! Names and values as line protocol can carry them, one-to-one.
//!
//! **Escapes.** `,` and space (and `=` in tags) get a backslash; every reader knows that. What readers disagree about
//! is percent-encoded instead: control characters (a newline ends the line everywhere, a tab ends a tag in InfluxDB 3),
//! a `#` that would begin a comment, and a backslash that some reader could take for an escape, that is one before `\`,
//! `,`, `=`, space or the end. Other backslashes (`C:\dir`) and percent signs (`50%`, `a%20b`) stay as they are. Text
//! that happens to look like such an encoding, `%`, any number of `25`, and one of these characters' codes, gets one
//! more `25`, so that reading takes it for what it was: `%0A` is written `%250A`, `%250A` is written `%25250A`.
//!
//! **Reserved names.** InfluxDB drops points with a tag `time` and fields of that name, and 2.x reserves names that begin
//! with `_`. Such a label gets the prefix `label_`, such a metric `metric_`; a name that already looks prefixed so gets one more.

use std::borrow::Cow;

/// What a piece of text is, which decides its escapes and what is reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A measurement: `=` needs no escape, a leading `#` would be a comment.
    Measurement,
    /// A tag's key.
    TagKey,
    /// A tag's value: nothing is reserved.
    TagValue,
    /// A field's key that is a metric's name: escaped as tags' keys are.
    FieldKey,
}

impl Role {
    /// The prefix that a reserved name gets.
    fn prefix(self) -> &'static str {
        match self {
            Self::Measurement | Self::FieldKey => "metric_",
            Self::TagKey => "label_",
            Self::TagValue => "",
        }
    }

    /// True for a reserved name with any number of prefixes before it.
    pub(super) fn is_reserved(self, name: &[u8]) -> bool {
        let prefix = self.prefix().as_bytes();
        if prefix.is_empty() {
            return false;
        }
        let mut name = name;
        while let Some(rest) = name.strip_prefix(prefix) {
            name = rest;
        }
        name.first() == Some(&b'_') || (self != Self::Measurement && name == b"time")
    }
}

/// The name that InfluxDB sees for `name`.
pub fn rename(name: &str, role: Role) -> Cow<'_, str> {
    if role.is_reserved(name.as_bytes()) {
        Cow::Owned(format!("{}{name}", role.prefix()))
    } else {
        Cow::Borrowed(name)
    }
}

/// Undo [`rename`].
fn original(name: Cow<'_, str>, role: Role) -> Cow<'_, str> {
    match name.strip_prefix(role.prefix()) {
        Some(rest) if role.is_reserved(rest.as_bytes()) => Cow::Owned(rest.to_owned()),
        _ => name,
    }
}

/// For each byte, whether text holding it needs a closer look.
const SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0;
    while b < 256 {
        let special = b <= 0x20 || matches!(b as u8, b',' | b'=' | b'\\' | b'%' | 0x7f);
        #[expect(
            clippy::indexing_slicing,
            reason = "at compile time, where a wrong index fails the build"
        )]
        {
            table[b] = special;
        }
        b += 1;
    }
    table
};

/// Append `text`, already renamed, escaped for its role.
pub fn put(out: &mut Vec<u8>, text: impl AsRef<[u8]>, role: Role) {
    let bytes = text.as_ref();
    let special = bytes.iter().fold(false, |any, &b| {
        any | SPECIAL.get(usize::from(b)).copied().unwrap_or(true)
    });
    if role == Role::Measurement && bytes.first() == Some(&b'#') {
        put_percent(out, b'#');
        put_escaped(out, bytes.get(1..).unwrap_or_default(), role);
    } else if special {
        put_escaped(out, bytes, role);
    } else {
        out.extend_from_slice(bytes);
    }
}

fn put_escaped(out: &mut Vec<u8>, mut rest: &[u8], role: Role) {
    while let Some((&b, after)) = rest.split_first() {
        match b {
            b'\\' if matches!(after.first(), None | Some(b'\\' | b',' | b'=' | b' ')) => put_percent(out, b),
            b'=' if role == Role::Measurement => out.push(b),
            b',' | b' ' | b'=' => out.extend_from_slice(&[b'\\', b]),
            b'%' if percent_code(rest).is_some() => out.extend_from_slice(b"%25"),
            0..=0x1f | 0x7f => put_percent(out, b),
            b => out.push(b),
        }
        rest = after;
    }
}

fn put_percent(out: &mut Vec<u8>, b: u8) {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 };
    out.extend_from_slice(&[b'%', digit(b >> 4), digit(b & 0xf)]);
}

/// Text that begins with `%`, any number of `25`, and the code of a character that is percent-encoded: how many `25`,
/// and the character.
fn percent_code(text: &[u8]) -> Option<(usize, u8)> {
    let mut rest = text.strip_prefix(b"%")?;
    let mut stuffed = 0;
    while let Some(after) = rest.strip_prefix(b"25") {
        rest = after;
        stuffed += 1;
    }
    let value = |digit: &u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    };
    let [high, low] = rest.first_chunk::<2>()?;
    let b = value(high)? << 4 | value(low)?;
    (b.is_ascii_control() || b == b'\\' || b == b'#').then_some((stuffed, b))
}

/// What `raw`, a piece of a line, stands for.
pub fn read(raw: &str, role: Role) -> Cow<'_, str> {
    original(unescape(raw), role)
}

fn unescape(raw: &str) -> Cow<'_, str> {
    if memchr::memchr2(b'\\', b'%', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&b, mut after)) = rest.split_first() {
        match (b, after) {
            (b'\\', [escaped @ (b',' | b'=' | b' '), tail @ ..]) => {
                out.push(*escaped);
                after = tail;
            }
            (b'%', _) => match percent_code(rest) {
                Some((0, decoded)) => {
                    out.push(decoded);
                    after = after.get(2..).unwrap_or_default();
                }
                Some(_) => {
                    out.push(b);
                    after = after.get(2..).unwrap_or_default();
                }
                None => out.push(b),
            },
            _ => out.push(b),
        }
        rest = after;
    }
    // Only ASCII was taken out or put in, so this stays UTF-8.
    String::from_utf8(out).map_or(Cow::Borrowed(raw), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str, role: Role) -> String {
        let mut out = Vec::new();
        put(&mut out, &*rename(text, role), role);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn odd_text_is_written_so_that_no_reader_misreads_it() {
        for (text, role, want) in [
            ("cpu", Role::Measurement, "cpu"),
            ("a,b c=d", Role::Measurement, r"a\,b\ c=d"),
            ("#x#", Role::Measurement, "%23x#"),
            ("_x", Role::Measurement, "metric__x"),
            ("a,b c=d", Role::TagValue, r"a\,b\ c\=d"),
            ("C:\\dir\\", Role::TagValue, r"C:\dir%5C"),
            ("a\\\\b", Role::TagValue, r"a%5C\b"),
            ("a\\,b", Role::TagValue, r"a%5C\,b"),
            ("a\nb\tc\rd", Role::TagValue, "a%0Ab%09c%0Dd"),
            ("50% a%20b", Role::TagValue, r"50%\ a%20b"),
            ("%0A", Role::TagValue, "%250A"),
            ("%250A", Role::TagValue, "%25250A"),
            ("time", Role::TagKey, "label_time"),
            ("label_time", Role::TagKey, "label_label_time"),
            ("_field", Role::TagKey, "label__field"),
            ("label_job", Role::TagKey, "label_job"),
            ("time", Role::TagValue, "time"),
            ("time", Role::Measurement, "time"),
        ] {
            assert_eq!(written(text, role), want, "{text:?}");
            assert_eq!(read(want, role), text, "{want:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_reads_back(
            text in r#"(label_|metric_|time|_|%|25|0A|5C|23|[\\,= #\n\t"é]|[a-z]){0,12}"#,
            role in prop_oneof![Just(Role::Measurement), Just(Role::TagKey), Just(Role::TagValue)],
        ) {
            let line = written(&text, role);
            prop_assert!(!line.ends_with('\\') && !line.contains(|c: char| c.is_ascii_control()));
            prop_assert_eq!(read(&line, role), text);
        }

        #[test]
        fn any_piece_of_a_line_can_be_read(raw in any::<String>()) {
            let _ = read(&raw, Role::TagKey);
        }
    }
}
