use proptest::prelude::*;

use super::*;
use crate::seeded::{Absent, Seeded};

/// The bytes 0 to 31, in Python: `base64.urlsafe_b64encode(bytes(range(32)))` without its `=`.
const TEXT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

#[test]
fn a_token_is_stored_as_the_sha_256_of_its_bytes() {
    // hashlib.sha256(bytes(range(32))).hexdigest()
    let expected = "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd";
    let hash = PlainToken::parse(TEXT).unwrap().hash();
    assert_eq!(data_encoding::HEXLOWER.encode(hash.as_bytes()), expected);
    assert_eq!(TokenHash::from_bytes(*hash.as_bytes()), hash);
}

#[test]
fn only_the_one_spelling_of_a_token_is_read() {
    let one_more = format!("{TEXT}A");
    let padded = format!("{TEXT}=");
    let spaced = format!(" {}", &TEXT[1..]);
    let breaking = format!("{}\n", &TEXT[1..]);
    let standard_alphabet = format!("+/{}", &TEXT[2..]);
    // The last character carries four bits of the token and two that are zero: `8` is 60; 61 to 63 are `9`, `-`, `_`.
    let same_bytes = ["9", "-", "_"].map(|last| format!("{}{last}", &TEXT[..42]));
    let non_ascii = format!("é{}", &TEXT[2..]);
    let all = [&one_more, &padded, &spaced, &breaking, &standard_alphabet, &non_ascii]
        .map(String::as_str)
        .into_iter()
        .chain(same_bytes.iter().map(String::as_str))
        .chain(["", &TEXT[1..]]);
    for text in all {
        assert_eq!(PlainToken::parse(text).map(|token| token.hash()), Err(InvalidToken), "{text:?}");
    }
    assert_eq!(InvalidToken.to_string(), "a token is 43 characters of base64url");
}

#[test]
fn two_tokens_differ_and_a_source_without_randomness_gives_none() {
    let mut randomness = Seeded::new(1);
    let first = PlainToken::generate(&mut randomness).unwrap();
    let second = PlainToken::generate(&mut randomness).unwrap();
    assert_ne!(first.hash(), second.hash());
    assert!(PlainToken::generate(&mut Absent).is_err());
}

#[test]
fn a_token_is_not_printed() {
    let token = PlainToken::parse(TEXT).unwrap();
    assert_eq!(format!("{token:?} {:?}", token.hash()), "PlainToken(..) TokenHash(..)");
}

proptest! {
    #[test]
    fn a_token_that_was_written_is_read_again(seed in any::<u64>()) {
        let token = PlainToken::generate(&mut Seeded::new(seed)).unwrap();
        let text = token.to_text();
        prop_assert_eq!(text.len(), 43);
        prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        let again = PlainToken::parse(&text).unwrap();
        prop_assert_eq!(again.hash(), token.hash());
        prop_assert_eq!(again.to_text(), text);
    }

    #[test]
    fn whatever_is_read_is_written_the_same_way(text in "[A-Za-z0-9_-]{43}|\\PC{0,50}") {
        if let Ok(token) = PlainToken::parse(&text) {
            let written = token.to_text();
            prop_assert_eq!(written.as_str(), text);
        }
    }
}
