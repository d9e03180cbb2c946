//! Whatever is written is read again, and whatever else comes is read or refused.

use proptest::prelude::*;

use super::super::{decode_family, encode_delimited, encode_family, parse_delimited, ProtobufError};
use crate::wire::{arbitrary, Options};

proptest! {
    #[test]
    fn families_round_trip(family in arbitrary::family()) {
        let mut message = Vec::new();
        encode_family(&family, &mut message);
        prop_assert_eq!(&decode_family(&message), &Ok(family.clone()));
        let mut body = Vec::new();
        encode_delimited(&family, &mut body);
        prop_assert!(body.ends_with(&message));
        if let Ok(families) = parse_delimited(&body, Options::default()) {
            prop_assert_eq!(families, vec![family]);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_delimited(&body, Options::default());
        let _ = decode_family(&body);
    }

    #[test]
    fn flipped_bytes_are_read_or_refused(family in arbitrary::family(), at in any::<usize>(), byte in any::<u8>()) {
        let mut message = Vec::new();
        encode_family(&family, &mut message);
        let at = at % message.len();
        if let Some(place) = message.get_mut(at) {
            *place = byte;
        }
        if let Ok(read) = decode_family(&message) {
            let mut again = Vec::new();
            encode_family(&read, &mut again);
            prop_assert_eq!(format!("{:?}", decode_family(&again)), format!("{:?}", Ok::<_, ProtobufError>(read)));
        }
    }
}
