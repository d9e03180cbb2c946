//! Indexes of version 1, as Prometheus 2.0 wrote them: symbols and series are named by their offsets, label pairs are in no
//! order, and two more sections stand between the others.

use engine::block::verify;
use engine::bytes::{put_prefixed, put_uvarint, put_varint};

use super::*;

fn put_section(out: &mut Vec<u8>, body: &[u8]) -> u64 {
    out.resize(out.len().next_multiple_of(4), 0);
    let offset = out.len() as u64;
    out.extend_from_slice(&(body.len() as u32).to_be_bytes());
    out.extend_from_slice(body);
    out.extend_from_slice(&crc32c::crc32c(body).to_be_bytes());
    offset
}

/// The same block with an index of version 1.
fn old(files: &Files) -> Files {
    let new = files.index();
    let mut out = vec![0xBA, 0xAA, 0xD7, 0x00, 1];

    let symbols: Vec<&str> = new.symbols().collect();
    let mut body = (symbols.len() as u32).to_be_bytes().to_vec();
    let mut offsets = std::collections::HashMap::new();
    for symbol in &symbols {
        // The section begins unaligned, behind the header.
        offsets.insert(*symbol, (5 + 4 + body.len()) as u64);
        put_prefixed(&mut body, symbol.as_bytes());
    }
    out.extend_from_slice(&(body.len() as u32).to_be_bytes());
    out.extend_from_slice(&body);
    out.extend_from_slice(&crc32c::crc32c(&body).to_be_bytes());

    let series_start = out.len() as u64;
    let (mut packed, mut metas) = (Vec::new(), Vec::new());
    let mut references = std::collections::HashMap::new();
    for reference in new.all().unwrap() {
        new.series(reference, &mut packed, &mut metas).unwrap();
        references.insert(reference, out.len() as u32);
        let labels = Labels::trusted(&packed);
        let mut body = Vec::new();
        put_uvarint(&mut body, labels.count() as u64);
        for (name, value) in labels.iter() {
            put_uvarint(&mut body, offsets[name]);
            put_uvarint(&mut body, offsets[value]);
        }
        put_uvarint(&mut body, metas.len() as u64);
        for (n, meta) in metas.iter().enumerate() {
            match n.checked_sub(1).map(|before| metas[before]) {
                None => {
                    put_varint(&mut body, meta.mint);
                    put_uvarint(&mut body, (meta.maxt - meta.mint) as u64);
                    put_uvarint(&mut body, meta.reference);
                }
                Some(last) => {
                    put_uvarint(&mut body, (meta.mint - last.maxt) as u64);
                    put_uvarint(&mut body, (meta.maxt - meta.mint) as u64);
                    put_varint(&mut body, meta.reference as i64 - last.reference as i64);
                }
            }
        }
        put_prefixed(&mut out, &body);
        out.extend_from_slice(&crc32c::crc32c(&body).to_be_bytes());
    }

    let label_indices = out.len() as u64;
    put_section(&mut out, b"what nobody reads");
    put_section(&mut out, b"any more");
    let postings = out.len() as u64;
    let mut table = Vec::new();
    let mut put_list = |name: &str, value: &str| {
        let list: Vec<u32> = new
            .postings(name, value)
            .unwrap()
            .map(|reference| references[&reference])
            .collect();
        let mut body = (list.len() as u32).to_be_bytes().to_vec();
        list.iter()
            .for_each(|reference| body.extend_from_slice(&reference.to_be_bytes()));
        table.push((name.to_owned(), value.to_owned(), put_section(&mut out, &body)));
    };
    for name in new.names() {
        new.values(name).for_each(|value| put_list(name, value));
    }
    put_list("", "");
    table.reverse();
    let middle = table.len() / 2;
    table.rotate_left(middle);

    let label_table = put_section(&mut out, b"of the sections above");
    let mut body = (table.len() as u32).to_be_bytes().to_vec();
    for (name, value, offset) in table {
        put_uvarint(&mut body, 2);
        put_prefixed(&mut body, name.as_bytes());
        put_prefixed(&mut body, value.as_bytes());
        put_uvarint(&mut body, offset);
    }
    let postings_table = put_section(&mut out, &body);
    let contents: Vec<u8> = [5, series_start, label_indices, label_table, postings, postings_table]
        .iter()
        .flat_map(|offset| offset.to_be_bytes())
        .collect();
    out.extend_from_slice(&contents);
    out.extend_from_slice(&crc32c::crc32c(&contents).to_be_bytes());
    Files {
        index: out,
        ..files.clone()
    }
}

fn rows() -> Vec<Row> {
    (0..30)
        .map(|n| {
            let set = labels(&[
                ("__name__", "m"),
                ("host", &format!("h{n:02}")),
                ("mod", &format!("{}", n % 3)),
            ]);
            (set, vec![chunk(&[n, n + 1]), chunk(&[n + 50])])
        })
        .collect()
}

#[test]
fn it_is_read_as_a_new_one_is() {
    let new = write(&rows()).unwrap();
    let old = old(&new);
    assert_eq!(old.index().version(), 1);
    assert_eq!(read(&old), read(&new));
    let (old, new) = (old.index(), new.index());
    assert!(old.names().eq(new.names()));
    assert!(old.symbols().eq(new.symbols()));
    for name in new.names() {
        assert!(old.values(name).eq(new.values(name)), "{name}");
        for value in new.values(name) {
            let count = new.postings(name, value).unwrap().count();
            assert_eq!(old.postings(name, value).unwrap().count(), count);
        }
        assert!(old.postings(name, "absent").unwrap().is_empty());
    }
}

#[test]
fn it_is_verified_too() {
    let old = old(&write(&rows()).unwrap());
    let check = |index: Vec<u8>| verify(&index.into(), &[old.chunks[0].clone().into()], None, None);
    let found = check(old.index.clone());
    assert_eq!(found.damage, []);
    assert_eq!(
        (found.stats.series, found.stats.chunks, found.stats.samples()),
        (30, 60, 90)
    );
    for place in 0..old.index.len() {
        let mut flipped = old.index.clone();
        flipped[place] ^= 0x10;
        assert!(!check(flipped).damage.is_empty(), "flipped at {place}");
    }
}
