//! Letters one by one, as Go's `strings.ToLower` and `ToUpper` map them: a letter becomes one letter or stays as it is.

/// `text` in lower case.
pub fn lower(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{130}' => 'i', // the only one whose lower case is two letters
            _ => single(c.to_lowercase()).unwrap_or(c),
        })
        .collect()
}

/// `text` in upper case.
pub fn upper(text: &str) -> String {
    text.chars().map(upper_char).collect()
}

/// Greek letters with an iota below have a capital of one letter, but Rust writes the iota out.
fn upper_char(c: char) -> char {
    let distance = match c {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => 8,
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => 9,
        _ => return single(c.to_uppercase()).unwrap_or(c),
    };
    char::from_u32(u32::from(c) + distance).unwrap_or(c)
}

fn single(mut mapped: impl Iterator<Item = char>) -> Option<char> {
    let first = mapped.next();
    first.filter(|_| mapped.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_stay_single() {
        assert_eq!(lower("ÄBC İΣ1"), "äbc iσ1");
        assert_eq!(upper("äbc ß ŉ ᾳ ᾀ1"), "ÄBC ß ŉ ᾼ ᾈ1");
    }
}
