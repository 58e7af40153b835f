use std::collections::HashSet;

use super::*;
use crate::seeded::{Absent, Seeded, Stuck};

const SAMPLES: usize = 100_000;
const LENGTH: usize = 24;

#[test]
fn a_generated_password_has_24_printable_characters_without_space() {
    let password = Password::generate(&mut Seeded::new(1)).unwrap();
    assert_eq!(password.expose().chars().count(), LENGTH);
    assert!(password.expose().chars().all(|character| character.is_ascii_graphic()));
}

#[test]
fn each_symbol_stands_for_two_bytes_and_the_rest_are_rejected() {
    let mut bytes_of_symbol = [0_usize; 256];
    for byte in 0..=u8::MAX {
        match symbol_of(byte) {
            Some(symbol) => bytes_of_symbol[usize::from(symbol)] += 1,
            None => assert!(byte >= 188, "byte {byte} was rejected"),
        }
    }
    for symbol in 0..=u8::MAX {
        let expected = if (b'!'..=b'~').contains(&symbol) { 2 } else { 0 };
        assert_eq!(bytes_of_symbol[usize::from(symbol)], expected, "symbol {symbol}");
    }
    assert_eq!(symbol_of(187), Some(b'~'), "the last accepted byte");
    assert_eq!(symbol_of(188), None, "the first rejected byte");
}

#[test]
fn each_of_the_four_classes_is_needed() {
    for (text, expected) in [
        ("Aa1!", true),
        ("aa1!", false),
        ("AA1!", false),
        ("Aaa!", false),
        ("Aa11", false),
        ("", false),
        ("~Zz9", true),
    ] {
        assert_eq!(has_four_classes(text.as_bytes()), expected, "{text}");
    }
    let special = (b'!'..=b'~').filter(u8::is_ascii_punctuation).count();
    assert_eq!(special, 94 - 26 - 26 - 10, "whatever is no letter and no digit is special");
}

#[test]
fn a_draw_without_all_classes_is_thrown_away_whole() {
    /// One batch of letters only, then good ones.
    struct LettersFirst(bool, Seeded);
    impl Randomness for LettersFirst {
        fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomnessUnavailable> {
            self.1.fill(bytes)?;
            if std::mem::take(&mut self.0) {
                bytes.fill(b'a' - FIRST_SYMBOL);
            }
            Ok(())
        }
    }
    let password = Password::generate(&mut LettersFirst(true, Seeded::new(2))).unwrap();
    assert!(!password.expose().starts_with("aaaa"), "nothing of the first draw is kept");
}

#[test]
fn a_source_that_is_stuck_or_absent_gives_no_password_and_no_endless_loop() {
    for byte in [0, 187, 188, 255] {
        assert!(Password::generate(&mut Stuck(byte)).is_err(), "stuck at {byte}");
    }
    assert!(Password::generate(&mut Absent).is_err());
}

#[test]
fn a_typed_password_is_kept_exactly() {
    for text in ["", " a ", "Ａ\u{301}\0\n", "PassWord"] {
        assert_eq!(Password::typed(text.to_owned()).expose(), text);
    }
}

#[test]
fn a_password_is_not_printed() {
    assert_eq!(format!("{:?}", Password::typed("hunter2".to_owned())), "Password(..)");
}

/// 100,000 passwords from one seed, so that a failure is a change of the code and never chance.
fn sample() -> Vec<Password> {
    let mut randomness = Seeded::new(20_261_122);
    (0..SAMPLES).map(|_| Password::generate(&mut randomness).unwrap()).collect()
}

/// How often each symbol stands at each place.
fn counts<'a>(passwords: impl Iterator<Item = &'a [u8]>) -> Vec<[u32; 94]> {
    let mut counts = vec![[0; 94]; LENGTH];
    for password in passwords {
        for (place, symbol) in password.iter().enumerate() {
            counts[place][usize::from(symbol - b'!')] += 1;
        }
    }
    counts
}

/// The chance of each symbol at any one place, given that all four classes occur somewhere: by inclusion and exclusion
/// over the classes that do not. (A digit is 7 % likelier than 1/94, everything else 1 % less likely.)
fn expected_chances() -> [f64; 94] {
    let classes: [fn(&u8) -> bool; 4] =
        [u8::is_ascii_uppercase, u8::is_ascii_lowercase, u8::is_ascii_digit, u8::is_ascii_punctuation];
    let size = |class: &fn(&u8) -> bool| (b'!'..=b'~').filter(class).count() as f64;
    let all_occur = |sizes: &[f64], places: i32| -> f64 {
        (0_u32..1 << sizes.len())
            .map(|absent| {
                let missing: f64 = (0..sizes.len()).filter(|i| absent >> i & 1 == 1).map(|i| sizes[i]).sum();
                (-1_f64).powi(absent.count_ones() as i32) * ((94.0 - missing) / 94.0).powi(places)
            })
            .sum()
    };
    let every = classes.map(|class| size(&class));
    std::array::from_fn(|symbol| {
        let symbol = b'!' + symbol as u8;
        let others: Vec<f64> = classes.iter().filter(|class| !class(&symbol)).map(size).collect();
        all_occur(&others, LENGTH as i32 - 1) / all_occur(&every, LENGTH as i32) / 94.0
    })
}

/// Pearson's statistic of each place over the 94 symbols, 93 degrees of freedom.
fn chi_square_of_places(counts: &[[u32; 94]], chances: &[f64; 94]) -> Vec<f64> {
    let of_count = |(count, chance): (&u32, &f64)| {
        let expected = SAMPLES as f64 * chance;
        (f64::from(*count) - expected).powi(2) / expected
    };
    counts.iter().map(|counts| counts.iter().zip(chances).map(of_count).sum()).collect()
}

/// The same of each symbol over the 24 places, as 24 binomial counts: 24 degrees of freedom.
fn chi_square_of_symbols(counts: &[[u32; 94]], chances: &[f64; 94]) -> Vec<f64> {
    let of_symbol = |symbol: usize| {
        counts.iter().map(move |counts| {
            let expected = SAMPLES as f64 * chances[symbol];
            (f64::from(counts[symbol]) - expected).powi(2) / (expected * (1.0 - chances[symbol]))
        })
    };
    (0..94).map(|symbol| of_symbol(symbol).sum()).collect()
}

/// What a sound generator exceeds once in a million tests, at 93 and at 24 degrees of freedom. There are 24 + 94 tests,
/// so it would fail with about one seed in 8,500.
const LIMIT_OF_PLACES: f64 = 172.747;
const LIMIT_OF_SYMBOLS: f64 = 72.229;

#[test]
fn among_100_000_passwords_no_place_and_no_symbol_is_preferred_and_none_occurs_twice() {
    let passwords = sample();
    for password in &passwords {
        assert_eq!(password.expose().len(), LENGTH);
        assert!(has_four_classes(password.expose().as_bytes()));
    }
    let different: HashSet<&str> = passwords.iter().map(Password::expose).collect();
    assert_eq!(different.len(), SAMPLES);

    let chances = expected_chances();
    assert!((chances.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    let counts = counts(passwords.iter().map(|password| password.expose().as_bytes()));
    for (place, statistic) in chi_square_of_places(&counts, &chances).into_iter().enumerate() {
        assert!(statistic < LIMIT_OF_PLACES, "place {place}: {statistic}");
        // A generator that is more even than chance allows is broken too: the lower end at the same level.
        assert!(statistic > 42.0, "place {place}: {statistic}");
    }
    for (symbol, statistic) in chi_square_of_symbols(&counts, &chances).into_iter().enumerate() {
        assert!(statistic < LIMIT_OF_SYMBOLS, "symbol {symbol}: {statistic}");
    }
}

#[test]
fn the_statistics_would_notice_a_modulo_bias_and_a_fixed_place() {
    let mut randomness = Seeded::new(3);
    let mut biased = vec![[0_u8; LENGTH]; SAMPLES];
    for password in &mut biased {
        randomness.fill(password).unwrap();
        password.iter_mut().for_each(|byte| *byte = b'!' + *byte % 94);
    }
    let uniform = [1.0 / 94.0; 94];
    let bias = counts(biased.iter().map(<[u8; LENGTH]>::as_slice));
    assert!(chi_square_of_places(&bias, &uniform).iter().all(|statistic| *statistic > LIMIT_OF_PLACES));
    assert!(chi_square_of_symbols(&bias, &uniform).iter().all(|statistic| *statistic > LIMIT_OF_SYMBOLS));

    let mut fixed: Vec<Vec<u8>> = sample().iter().map(|one| one.expose().as_bytes().to_vec()).collect();
    // In one password of twenty the last character is made a digit.
    fixed.iter_mut().step_by(20).for_each(|password| password[LENGTH - 1] = b'7');
    let chances = expected_chances();
    let fixed = counts(fixed.iter().map(Vec::as_slice));
    let places = chi_square_of_places(&fixed, &chances);
    assert!(places[LENGTH - 1] > LIMIT_OF_PLACES);
    assert!(places[..LENGTH - 1].iter().all(|statistic| *statistic < LIMIT_OF_PLACES));
    assert!(chi_square_of_symbols(&fixed, &chances)[usize::from(b'7' - b'!')] > LIMIT_OF_SYMBOLS);
}
