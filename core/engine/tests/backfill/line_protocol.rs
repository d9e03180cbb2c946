//! Line protocol in pieces.

use engine::backfill::{BadLine, Buffer, LineProtocol};
use engine::wire::influx::Precision;

use crate::dump_all;

const TEXT: &str = "# a comment\n\
    cpu,host=a value=1,user=2i 1000\r\n\
    cpu,host=a value=2,note=\"two\nlines, and a # \\\" quote\" 2000\n\
    \n\
    up value=t\n\
    cpu,host=a value=3 7200000";

const LINES: [&str; 5] = [
    r#"{__name__="cpu", host="a"} 1 1000"#,
    r#"{__name__="cpu", host="a"} 2 2000"#,
    r#"{__name__="cpu_user", host="a"} 2 1000"#,
    r#"{__name__="up"} 1 77"#,
    r#"{__name__="cpu", host="a"} 3 7200000"#,
];

fn read_in(pieces: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<(Vec<String>, u64), BadLine> {
    let (mut reader, mut buffer) = (LineProtocol::new(Precision::Ms(1), 77), Buffer::new(7_200_000));
    for piece in pieces {
        reader.feed(piece.as_ref(), &mut buffer)?;
    }
    reader.finish(&mut buffer)?;
    Ok((dump_all(&mut buffer), reader.skipped()))
}

#[test]
fn pieces_may_end_anywhere() {
    for size in 1..TEXT.len() {
        let (lines, skipped) = read_in(TEXT.as_bytes().chunks(size)).unwrap();
        assert_eq!(lines, LINES, "{size}");
        assert_eq!(skipped, 1);
    }
}

#[test]
fn a_bad_line_is_named_by_its_number_in_the_whole_text() {
    for size in [1, 7, 1000] {
        let text = format!("{TEXT}\nup value=\n");
        let error = read_in(text.as_bytes().chunks(size)).unwrap_err();
        assert_eq!(error.number, 8, "{size}: {error}");
        assert!(error.reason.contains("missing field value: up value="), "{error}");
    }
    let error = read_in([&b"up value=1 1\nup value=\"\xff\" 1\n"[..]]).unwrap_err();
    assert_eq!(error.number, 2);
}

#[test]
fn a_quote_that_nothing_closes_is_refused_at_the_end() {
    let error = read_in([b"up value=1 1\nup value=\"x 1\nup value=3 3\n"]).unwrap_err();
    assert_eq!(error.number, 2);
    assert!(error.reason.contains("quotes"), "{error}");
}
