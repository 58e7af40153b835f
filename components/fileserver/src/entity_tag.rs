//! Entity tags and `If-None-Match` (RFC 9110 sections 8.8.3 and 13.1.2).

use crate::encoding::Encoding;
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

/// A strong tag of a representation, quotes included.
///
/// It is made from the file and the name of its encoding, which together determine the served bytes, so that an
/// answer 304 does not have to compress anything first.
pub(crate) fn entity_tag(file: &[u8], encoding: Encoding) -> String {
    let label: &[u8] = match encoding {
        Encoding::Identity => b"identity\0",
        Encoding::Gzip => b"gzip\0",
    };
    let hash = Sha256::new().chain_update(label).chain_update(file).finalize();
    let (tag, _) = hash.split_at(16);
    format!("\"{}\"", BASE64URL_NOPAD.encode(tag))
}

/// Whether `If-None-Match` (its values joined with commas) holds this tag, by weak comparison, or is `*`.
///
/// What cannot be read matches nothing: the client then gets the file.
pub(crate) fn none_match_holds(if_none_match: &str, entity_tag: &str) -> bool {
    if if_none_match.trim() == "*" {
        return true;
    }
    let mut rest = if_none_match;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let tag = rest.strip_prefix("W/").unwrap_or(rest);
        // A tag may hold commas, so the list is read tag by tag instead of being split.
        let Some((value, after)) = tag.strip_prefix('"').and_then(|opened| opened.split_once('"')) else {
            return false;
        };
        if entity_tag.strip_prefix('"').and_then(|own| own.strip_suffix('"')) == Some(value) {
            return true;
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::{entity_tag, none_match_holds};
    use crate::encoding::Encoding;

    #[test]
    fn a_tag_depends_on_the_content_and_the_encoding_and_nothing_else() {
        let tag = entity_tag(b"page", Encoding::Identity);
        assert_eq!(tag, entity_tag(b"page", Encoding::Identity));
        assert_ne!(tag, entity_tag(b"page", Encoding::Gzip));
        assert_ne!(tag, entity_tag(b"pagf", Encoding::Identity));
        assert_eq!(tag.len(), 24, "16 bytes and two quotes: {tag}");
        assert!(tag.starts_with('"') && tag.ends_with('"'), "strong: {tag}");
    }

    #[test]
    fn a_tag_is_found_in_a_list_weak_or_strong() {
        for header in [
            "\"a\"",
            "W/\"a\"",
            "*",
            " * ",
            "\"x\", \"a\"",
            "\"x\",W/\"y\" ,\t\"a\"",
            "\"x,y\", \"a\"",
            ", \"a\",",
        ] {
            assert!(none_match_holds(header, "\"a\""), "{header}");
        }
    }

    #[test]
    fn other_tags_and_nonsense_do_not_match() {
        for header in
            ["", "\"b\"", "a", "\"a", "w/\"a\"", "\"A\"", "\"x,a\"", "*, *", "\"b\", a, \"a\"", "W/", "\""]
        {
            assert!(!none_match_holds(header, "\"a\""), "{header}");
        }
    }
}
