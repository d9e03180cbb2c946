//! JSON, read where it is needed and never kept as a whole.

use std::borrow::Cow;

use super::Refused;

/// How deep lists and objects may lie in each other.
const MAX_DEPTH: usize = 256;

/// A place in a JSON text, before a value.
#[derive(Debug)]
pub struct Json<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Json<'a> {
    /// At the beginning of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Refused> {
        let text = std::str::from_utf8(bytes).map_err(|error| Refused::Json("not UTF-8", error.valid_up_to()))?;
        Ok(Self { text, at: 0, depth: 0 })
    }

    /// A refusal that names this place.
    pub fn wrong(&self, what: &'static str) -> Refused {
        Refused::Json(what, self.at)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The first byte of what comes next; 0 at the end.
    pub fn peek(&mut self) -> u8 {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        self.rest().as_bytes().first().copied().unwrap_or_default()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Refused> {
        if self.take(byte) {
            return Ok(());
        }
        Err(self.wrong(what))
    }

    /// Nothing but white space is left.
    pub fn end(&mut self) -> Result<(), Refused> {
        if self.peek() == 0 && self.at == self.text.len() {
            return Ok(());
        }
        Err(self.wrong("something behind the value"))
    }

    /// `null`, if it is that.
    pub fn null(&mut self) -> bool {
        self.peek() == b'n' && self.word("null")
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    /// `true` or `false`.
    pub fn boolean(&mut self) -> Result<bool, Refused> {
        match self.peek() {
            b't' if self.word("true") => Ok(true),
            b'f' if self.word("false") => Ok(false),
            _ => Err(self.wrong("expected true or false")),
        }
    }

    /// The characters of a number.
    pub fn number(&mut self) -> Result<&'a str, Refused> {
        self.peek();
        let rest = self.rest();
        let length = rest
            .bytes()
            .take_while(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E'))
            .count();
        let number = rest.get(..length).unwrap_or_default();
        if number.parse::<f64>().is_err() || number.starts_with(['+', '.']) {
            return Err(self.wrong("expected a number"));
        }
        self.at += length;
        Ok(number)
    }

    /// A string.
    pub fn string(&mut self) -> Result<Cow<'a, str>, Refused> {
        self.expect(b'"', "expected a string")?;
        let rest = self.rest();
        let plain =
            memchr::memchr2(b'"', b'\\', rest.as_bytes()).ok_or_else(|| self.wrong("a string without an end"))?;
        let start = rest.get(..plain).unwrap_or_default();
        if start.bytes().any(|b| b < 0x20) {
            return Err(self.wrong("a control character in a string"));
        }
        self.at += plain;
        if self.rest().starts_with('"') {
            self.at += 1;
            return Ok(Cow::Borrowed(start));
        }
        let mut out = start.to_owned();
        loop {
            let Some(c) = self.rest().chars().next() else {
                return Err(self.wrong("a string without an end"));
            };
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(Cow::Owned(out)),
                '\\' => out.push(self.escape()?),
                '\0'..='\u{1f}' => return Err(self.wrong("a control character in a string")),
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Refused> {
        let c = self.rest().bytes().next().unwrap_or_default();
        self.at += usize::from(c.is_ascii() && c != 0);
        Ok(match c {
            b'"' | b'\\' | b'/' => char::from(c),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.hex4()?;
                let low = if (0xd800..0xdc00).contains(&unit) && self.word("\\u") {
                    Some(self.hex4()?)
                } else {
                    None
                };
                let units = std::iter::once(unit).chain(low);
                match char::decode_utf16(units).next() {
                    Some(Ok(c)) => c,
                    _ => return Err(self.wrong("half of a surrogate pair")),
                }
            }
            _ => return Err(self.wrong("an unknown escape")),
        })
    }

    fn hex4(&mut self) -> Result<u16, Refused> {
        let digits = self
            .rest()
            .get(..4)
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.wrong("expected four hexadecimal digits"))?;
        self.at += 4;
        Ok(unit)
    }

    fn deeper(&mut self) -> Result<(), Refused> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong("nested too deep"));
        }
        Ok(())
    }

    /// Each member of an object; `member` reads its value.
    pub fn object(&mut self, mut member: impl FnMut(&mut Self, &str) -> Result<(), Refused>) -> Result<(), Refused> {
        self.expect(b'{', "expected an object")?;
        self.deeper()?;
        if !self.take(b'}') {
            loop {
                self.peek();
                let key = self.string()?;
                self.expect(b':', "expected a colon")?;
                member(self, &key)?;
                if !self.take(b',') {
                    break;
                }
            }
            self.expect(b'}', "expected a comma or the end of the object")?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Each item of a list; `item` reads it.
    pub fn list(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), Refused>) -> Result<(), Refused> {
        self.expect(b'[', "expected a list")?;
        self.deeper()?;
        if !self.take(b']') {
            loop {
                item(self)?;
                if !self.take(b',') {
                    break;
                }
            }
            self.expect(b']', "expected a comma or the end of the list")?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Pass over a value.
    pub fn skip(&mut self) -> Result<(), Refused> {
        match self.peek() {
            b'{' => self.object(|json, _| json.skip()),
            b'[' => self.list(Self::skip),
            b'"' => self.string().map(drop),
            b't' | b'f' => self.boolean().map(drop),
            b'n' if self.null() => Ok(()),
            _ => self.number().map(drop),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn string(text: &str) -> Result<String, Refused> {
        let mut json = Json::new(text.as_bytes())?;
        let string = json.string()?.into_owned();
        json.end()?;
        Ok(string)
    }

    #[test]
    fn strings() {
        assert_eq!(string(r#" "a\n\u00fc\ud83d\ude00\/ü" "#).unwrap(), "a\nü😀/ü");
        for bad in [
            r#""\ud83d""#,
            r#""\x""#,
            r#""\u12"#,
            "\"a\nb\"",
            r#""a"#,
            r#""\"#,
            r#""a"b"#,
            "",
        ] {
            assert!(string(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn whatever_is_skipped_is_json() {
        let skip = |text: &str| {
            let mut json = Json::new(text.as_bytes()).unwrap();
            json.skip().and_then(|()| json.end())
        };
        for good in [
            "{}",
            " [1, -2.5e3, null, true ] ",
            r#"{"a":{"b":[{}]},"c":"d"}"#,
            "false",
        ] {
            assert!(skip(good).is_ok(), "{good}");
        }
        for bad in [
            "", "{", "[1,]", "{\"a\"}", "nul", "01x", "+1", "[1 2]", "{1:2}", "1 2", "-",
        ] {
            assert!(skip(bad).is_err(), "{bad}");
        }
        assert!(skip(&"[".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[\\[\\]{}\",:0-9eE+.\\\\untrfals -]{0,40}") {
            let mut json = Json::new(text.as_bytes()).unwrap();
            let _ = json.skip().and_then(|()| json.end());
        }
    }
}
