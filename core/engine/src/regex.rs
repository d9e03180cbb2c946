//! Go (RE2) regular expressions for matchers, translated to the linear-time `regex` crate.
