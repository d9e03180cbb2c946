//! Classes: `[...]`, and the escapes that name one.

use super::{push_literal, Translator};
use crate::regex::RegexError;

const BAD_RANGE: &str = "invalid character class range";
const POSIX_CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

impl Translator<'_> {
    /// What follows `[`, with which `start` begins.
    pub(super) fn class(&mut self, start: &str) -> Result<(), RegexError> {
        let missing = || RegexError::new("missing closing ]", start);
        self.out.push('[');
        if self.eat("^") {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            if !first && self.eat("]") {
                self.out.push(']');
                return Ok(());
            }
            first = false;
            let named = self.rest.starts_with("[:") && self.named_class()?;
            if named || (self.rest.starts_with('\\') && self.escaped_class()?) {
                continue;
            }
            let range = self.rest;
            let low = self.class_char()?.ok_or_else(missing)?;
            push_literal(low, &mut self.out);
            if self.rest.starts_with('-') && self.rest != "-" && !self.rest.starts_with("-]") {
                self.next();
                let high = self.class_char()?.ok_or_else(missing)?;
                if high < low {
                    return Err(RegexError::new(BAD_RANGE, self.since(range)));
                }
                self.out.push('-');
                push_literal(high, &mut self.out);
            }
        }
    }

    fn class_char(&mut self) -> Result<Option<char>, RegexError> {
        let start = self.rest;
        match self.next() {
            Some('\\') => self.char_escape(start).map(Some),
            other => Ok(other),
        }
    }

    /// `[:name:]` or `[:^name:]`. Without a `:]` the bracket is a character.
    fn named_class(&mut self) -> Result<bool, RegexError> {
        let Some((name, rest)) = self.rest.strip_prefix("[:").and_then(|inside| inside.split_once(":]")) else {
            return Ok(false);
        };
        if !POSIX_CLASSES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(RegexError::new(BAD_RANGE, &format!("[:{name}:]")));
        }
        self.out.push_str(&format!("[:{name}:]"));
        self.rest = rest;
        Ok(true)
    }

    /// A class named by an escape, inside a class.
    fn escaped_class(&mut self) -> Result<bool, RegexError> {
        let before = self.rest;
        self.next();
        let found = self.class_escape(before)?;
        if !found {
            self.rest = before;
        }
        Ok(found)
    }

    /// `\d`, `\pL` and their like, in a class and outside; `start` begins at the backslash, which has been read.
    pub(super) fn class_escape(&mut self, start: &str) -> Result<bool, RegexError> {
        let perl = [
            ("d", "[0-9]"),
            ("D", "[^0-9]"),
            ("s", r"[\t\n\x0C\r ]"),
            ("S", r"[^\t\n\x0C\r ]"),
            ("w", "[0-9A-Za-z_]"),
            ("W", "[^0-9A-Za-z_]"),
        ];
        for (letter, meaning) in perl {
            if self.eat(letter) {
                self.out.push_str(meaning);
                return Ok(true);
            }
        }
        let mut negated = self.rest.starts_with('P');
        if !self.eat("p") && !self.eat("P") {
            return Ok(false);
        }
        let bad = || RegexError::new(BAD_RANGE, start);
        let mut name = self.next().ok_or_else(bad)?.to_string();
        if name == "{" {
            let range = self.rest.split_once('}');
            let (inside, rest) = range.ok_or_else(bad)?;
            negated ^= inside.starts_with('^');
            name = inside.trim_start_matches('^').to_owned();
            self.rest = rest;
        }
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !plain || regex_syntax::parse(&format!(r"\p{{{name}}}")).is_err() {
            return Err(RegexError::new(BAD_RANGE, self.since(start)));
        }
        self.out.push_str(if negated { r"\P{" } else { r"\p{" });
        self.out.push_str(&name);
        self.out.push('}');
        Ok(true)
    }
}
