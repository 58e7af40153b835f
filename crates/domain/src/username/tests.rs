use proptest::prelude::*;

use super::*;

#[test]
fn the_table_of_usernames_holds() {
    use InvalidUsername::{ForbiddenCharacter, ForbiddenEdge, TooLong, TooShort};
    let longest = "a".repeat(64);
    let too_long = "a".repeat(65);
    let table: &[(&str, Result<&str, InvalidUsername>)] = &[
        ("alice", Ok("alice")),
        ("abc", Ok("abc")),
        ("000", Ok("000")),
        ("a.b_c-d9", Ok("a.b_c-d9")),
        ("a--..__b", Ok("a--..__b")),
        ("ALICE", Ok("alice")),
        (" \t\r\n\u{a0}\u{3000}Alice\u{2003} ", Ok("alice")),
        (&longest, Ok(&longest)),
        ("", Err(TooShort)),
        ("   ", Err(TooShort)),
        ("ab", Err(TooShort)),
        (" ab ", Err(TooShort)),
        (&too_long, Err(TooLong)),
        (".abc", Err(ForbiddenEdge)),
        ("abc-", Err(ForbiddenEdge)),
        ("_abc_", Err(ForbiddenEdge)),
        ("...", Err(ForbiddenEdge)),
        ("a b", Err(ForbiddenCharacter)),
        ("a@b", Err(ForbiddenCharacter)),
        ("a\0b", Err(ForbiddenCharacter)),
        ("abc\u{200b}", Err(ForbiddenCharacter)), // zero width space: no white space, so not trimmed
        ("\u{feff}abc", Err(ForbiddenCharacter)), // byte order mark
        ("élise", Err(ForbiddenCharacter)),       // composed
        ("e\u{301}lise", Err(ForbiddenCharacter)), // decomposed
        ("\u{212a}evin", Err(ForbiddenCharacter)), // Kelvin sign, lower case `k`
        ("\u{130}stanbul", Err(ForbiddenCharacter)), // dotted capital I
        ("ａｌｉｃｅ", Err(ForbiddenCharacter)),  // fullwidth
        ("аlice", Err(ForbiddenCharacter)),       // Cyrillic а
        ("١٢٣", Err(ForbiddenCharacter)),
    ];
    for (typed, expected) in table {
        let parsed = Username::parse(typed);
        assert_eq!(parsed.as_ref().map(Username::as_str), expected.as_ref().copied(), "{typed:?}");
    }
}

#[test]
fn a_username_is_printed_as_it_is_stored_and_an_error_says_the_rule() {
    assert_eq!(Username::parse("Bob-1").unwrap().to_string(), "bob-1");
    let message = |typed: &str| Username::parse(typed).unwrap_err().to_string();
    assert_eq!(message("ab"), "a username has at least 3 characters");
    assert_eq!(message(&"a".repeat(65)), "a username has at most 64 characters");
    assert_eq!(message("<script>"), "a username is made of a-z 0-9 . _ -");
    assert_eq!(message("-abc"), "a username starts and ends with a letter or digit");
}

proptest! {
    #[test]
    fn every_spelling_of_a_name_is_the_same_name(
        name in "[a-z0-9][a-z0-9._-]{1,62}[a-z0-9]",
        capitals in any::<u64>(),
        before in "[ \t\r\n\u{a0}\u{2028}]{0,3}",
        after in "[ \t\r\n\u{a0}\u{2028}]{0,3}",
    ) {
        let spelled: String = name
            .chars()
            .enumerate()
            .map(|(i, letter)| if capitals >> i & 1 == 1 { letter.to_ascii_uppercase() } else { letter })
            .collect();
        let parsed = Username::parse(&format!("{before}{spelled}{after}"));
        prop_assert_eq!(parsed.as_ref().map(Username::as_str), Ok(name.as_str()));
    }

    #[test]
    fn reading_a_name_again_changes_nothing(typed in any::<String>()) {
        if let Ok(name) = Username::parse(&typed) {
            prop_assert_eq!(Username::parse(name.as_str()), Ok(name));
        }
    }

    #[test]
    fn whatever_is_accepted_keeps_the_rule(typed in "\\PC{0,70}|[ A-Za-z0-9._-]{0,70}") {
        if let Ok(name) = Username::parse(&typed) {
            let bytes = name.as_str().as_bytes();
            let edge = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            prop_assert!((3..=64).contains(&bytes.len()));
            prop_assert!(bytes.iter().all(|byte| edge(*byte) || b"._-".contains(byte)));
            prop_assert!(edge(bytes[0]) && edge(bytes[bytes.len() - 1]));
        }
    }
}
