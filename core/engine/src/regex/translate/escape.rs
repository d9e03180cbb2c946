//! Escapes that stand for one character.

use super::Translator;
use crate::regex::RegexError;

impl Translator<'_> {
    /// The one character that an escape stands for; `start` begins at the backslash, which has been read.
    pub(super) fn char_escape(&mut self, start: &str) -> Result<char, RegexError> {
        let c = self.next();
        let c = c.ok_or_else(|| RegexError::new("trailing backslash at end of expression", ""))?;
        let found = match c {
            'a' => Some('\x07'),
            'f' => Some('\x0c'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\x0b'),
            'x' => self.hex(),
            // A single digit but 0 would be a back-reference, which neither knows.
            '1'..='7' if !self.rest.starts_with(|d: char| ('0'..='7').contains(&d)) => None,
            '0'..='7' => self.octal(c),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(c),
            _ => None,
        };
        found.ok_or_else(|| RegexError::new("invalid escape sequence", self.since(start)))
    }

    /// Two digits, or any number of them in braces.
    fn hex(&mut self) -> Option<char> {
        let first = self.next()?;
        if first != '{' {
            let second = self.next();
            return char::from_u32(first.to_digit(16)? * 16 + second?.to_digit(16)?);
        }
        let mut value = None;
        loop {
            let c = self.next()?;
            if c == '}' {
                return char::from_u32(value?);
            }
            let code = value.unwrap_or(0_u32) * 16 + c.to_digit(16)?;
            value = Some(code).filter(|code| *code <= u32::from(char::MAX));
            value?;
        }
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
