//! Several byte strings as one, so that no two different lists give the same bytes: each after its length.

/// Gives `sink` each part after its length in eight bytes, most significant first.
pub(crate) fn length_prefixed(parts: &[&[u8]], mut sink: impl FnMut(&[u8])) {
    for part in parts {
        sink(&(part.len() as u64).to_be_bytes());
        sink(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn framed(parts: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        length_prefixed(&parts, |part| bytes.extend_from_slice(part));
        bytes
    }

    #[test]
    fn each_part_follows_its_length() {
        let bytes = framed(&[b"ab".to_vec(), Vec::new()]);
        assert_eq!(bytes, [0, 0, 0, 0, 0, 0, 0, 2, b'a', b'b', 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    proptest! {
        #[test]
        fn different_lists_give_different_bytes(
            one in proptest::collection::vec(proptest::collection::vec(0_u8..2, 0..4), 0..4),
            other in proptest::collection::vec(proptest::collection::vec(0_u8..2, 0..4), 0..4),
        ) {
            prop_assert_eq!(framed(&one) == framed(&other), one == other);
        }
    }
}
