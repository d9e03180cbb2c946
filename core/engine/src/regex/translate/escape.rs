//! Escapes that stand for one character.

use super::Translator;
use crate::regex::RegexError;

impl Translator<'_> {
    /// The one character that an escape stands for.
    pub(super) fn char_escape(&mut self) -> Result<char, RegexError> {
        let invalid = |c: char| RegexError::new(format!("invalid escape sequence: \\{c}"));
        let c = self.next().ok_or_else(trailing_backslash)?;
        match c {
            'a' => Ok('\x07'),
            'f' => Ok('\x0c'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'v' => Ok('\x0b'),
            'x' => self.hex().ok_or_else(|| invalid(c)),
            // A single digit but 0 would be a back-reference, which neither knows.
            '1'..='7' if !self.rest.starts_with(|d: char| ('0'..='7').contains(&d)) => Err(invalid(c)),
            '0'..='7' => self.octal(c).ok_or_else(|| invalid(c)),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok(c),
            c => Err(invalid(c)),
        }
    }

    fn hex(&mut self) -> Option<char> {
        let (digits, rest) = match self.rest.strip_prefix('{') {
            Some(braced) => braced.split_once('}')?,
            None => (self.rest.get(..2)?, self.rest.get(2..)?),
        };
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.rest = rest;
        char::from_u32(u32::from_str_radix(digits, 16).ok()?)
    }

    /// Up to three digits, `first` being the one.
    fn octal(&mut self, first: char) -> Option<char> {
        let mut value = first.to_digit(8)?;
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(8)) else {
                break;
            };
            self.next();
            value = value * 8 + digit;
        }
        char::from_u32(value)
    }
}

pub(super) fn trailing_backslash() -> RegexError {
    RegexError::new("trailing backslash at end of expression")
}
