//! Go's `%q`: how the peers print foreign text in their error messages.

use std::fmt;

/// Displays any bytes as Go's `strconv.Quote` does: valid printable UTF-8 as it is, everything else escaped.
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a>(pub &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for chunk in self.0.utf8_chunks() {
            chunk.valid().chars().try_for_each(|c| escaped(f, c, '"'))?;
            chunk.invalid().iter().try_for_each(|b| write!(f, "\\x{b:02x}"))?;
        }
        f.write_str("\"")
    }
}

/// Displays a byte as Go's `%q` does: as the character of that number, in single quotes.
#[derive(Debug, Clone, Copy)]
pub struct QuotedByte(pub u8);

impl fmt::Display for QuotedByte {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("'")?;
        escaped(f, char::from(self.0), '\'')?;
        f.write_str("'")
    }
}

fn escaped(f: &mut fmt::Formatter<'_>, c: char, delimiter: char) -> fmt::Result {
    use fmt::Write;
    match c {
        '\\' => f.write_str("\\\\"),
        '\x07' => f.write_str("\\a"),
        '\x08' => f.write_str("\\b"),
        '\x0c' => f.write_str("\\f"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\x0b' => f.write_str("\\v"),
        c if c == delimiter => write!(f, "\\{c}"),
        c if is_print(c) => f.write_char(c),
        c if (c as u32) < 0x80 => write!(f, "\\x{:02x}", c as u32),
        c if (c as u32) < 0x1_0000 => write!(f, "\\u{:04x}", c as u32),
        c => write!(f, "\\U{:08x}", c as u32),
    }
}

/// Go's `unicode.IsPrint`. Rust keeps the same table behind `escape_debug`, which leaves a character alone when it is
/// printable and not the first of its string (there it escapes combining marks too).
fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    let mut text = crate::family::Text::const_new("a");
    text.push(c);
    text.escape_debug().nth(1) == Some(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go_does() {
        // Right: printed by Go 1.26's fmt.Printf("%q").
        let odd = "a\u{ad}\u{301}\u{200b}\u{e000}\u{1f600}\u{e0001}\u{2028}\u{a0}\u{378}'\"";
        assert_eq!(
            Quoted(odd.as_bytes()).to_string(),
            "\"a\\u00ad\u{301}\\u200b\\ue000\u{1f600}\\U000e0001\\u2028\\u00a0\\u0378'\\\"\""
        );
        assert_eq!(Quoted(b"a\xffb\xe2\x82").to_string(), r#""a\xffb\xe2\x82""#);
        assert_eq!(
            Quoted(b"\x00\x07\x08\t\n\x0b\x0c\r\x1f\\\x7f").to_string(),
            r#""\x00\a\b\t\n\v\f\r\x1f\\\x7f""#
        );
        assert_eq!(Quoted("é\u{85}".as_bytes()).to_string(), "\"é\\u0085\"");
        for (byte, want) in [
            (b'}', "'}'"),
            (b'\'', r"'\''"),
            (b'"', "'\"'"),
            (b'\n', r"'\n'"),
            (0xff, "'ÿ'"),
            (0x85, r"'\u0085'"),
            (0xad, r"'\u00ad'"),
            (0xa0, r"'\u00a0'"),
        ] {
            assert_eq!(QuotedByte(byte).to_string(), want);
        }
    }
}
