use proptest::prelude::*;

use super::*;
use crate::seeded::{Absent, Seeded};

/// The secret of both RFCs' test vectors.
fn rfc_secret() -> TotpSecret {
    TotpSecret(Zeroizing::new(*b"12345678901234567890"))
}

fn keys() -> KeyRing {
    KeyRing::parse("k1:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=").unwrap()
}

fn ids(seed: u64) -> (AccountId, CredentialId) {
    let mut randomness = Seeded::new(seed);
    (AccountId::random(&mut randomness).unwrap(), CredentialId::random(&mut randomness).unwrap())
}

fn code_at(secret: &TotpSecret, step: i64) -> Code {
    Code(hotp::<6>(&secret.0, step.cast_unsigned()))
}

#[test]
fn a_step_begins_with_the_first_second_that_is_of_it() {
    for step in [-1, 0, 1, 60_000_000] {
        let begins_at = Step::from_value(step).begins_at();
        assert_eq!(Step::at(begins_at), Step::from_value(step));
        assert_eq!(Step::at(begins_at.plus_seconds(-1)), Step::from_value(step - 1));
    }
}

#[test]
fn the_values_of_rfc_4226_appendix_d_come_out() {
    let expected = [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871, 520_489];
    for (counter, value) in (0..).zip(expected) {
        assert_eq!(hotp::<6>(&rfc_secret().0, counter), value, "counter {counter}");
    }
}

#[test]
fn the_sha_1_values_of_rfc_6238_appendix_b_come_out() {
    for (seconds, step, value) in [
        (59, 0x1, 94_287_082),
        (1_111_111_109, 0x0235_23EC, 7_081_804),
        (1_111_111_111, 0x0235_23ED, 14_050_471),
        (1_234_567_890, 0x0273_EF07, 89_005_924),
        (2_000_000_000, 0x03F9_40AA, 69_279_037),
        (20_000_000_000, 0x27BC_86AA, 65_353_130),
    ] {
        let now = UnixTime::from_seconds(seconds);
        assert_eq!(Step::at(now).value(), step, "the step at {seconds}");
        assert_eq!(hotp::<8>(&rfc_secret().0, step.cast_unsigned()), value, "the value at {seconds}");
        // Six digits are the last six of eight.
        let six = Code::parse(&format!("{:06}", value % 1_000_000)).unwrap();
        assert_eq!(rfc_secret().matching_step(&six, now), Some(Step::from_value(step)));
    }
}

#[test]
fn a_step_lasts_thirty_seconds_on_both_sides_of_the_epoch() {
    for (seconds, step) in [(0, 0), (29, 0), (30, 1), (59, 1), (60, 2), (-1, -1), (-30, -1), (-31, -2)] {
        assert_eq!(Step::at(UnixTime::from_seconds(seconds)), Step::from_value(step), "{seconds}");
    }
}

#[test]
fn a_code_is_accepted_one_step_early_and_late_and_refused_two_steps_away() {
    let secret = rfc_secret();
    let step = 59_000_000;
    for second in [0, 29] {
        let now = UnixTime::from_seconds(step * 30 + second);
        for distance in -3_i64..=3 {
            let expected = (distance.abs() <= 1).then_some(Step(step + distance));
            let found = secret.matching_step(&code_at(&secret, step + distance), now);
            assert_eq!(found, expected, "{distance} steps away, {second} s into the step");
        }
    }
}

#[test]
fn of_two_steps_with_the_same_code_the_newer_one_counts() {
    let secret = rfc_secret();
    // Found by search: two neighbours have the same code about once in a million steps.
    let step = 910_737;
    assert_eq!(code_at(&secret, step).0, code_at(&secret, step + 1).0);
    let code = code_at(&secret, step);
    for (now, expected) in [(step - 1, step), (step, step + 1), (step + 1, step + 1), (step + 2, step + 1)] {
        let found = secret.matching_step(&code, UnixTime::from_seconds(now * 30));
        assert_eq!(found, Some(Step(expected)), "at {}", now - step);
    }
}

#[test]
fn the_first_and_the_last_second_there_is_do_no_harm() {
    for seconds in [i64::MIN, -1, 0, i64::MAX] {
        let now = UnixTime::from_seconds(seconds);
        let secret = rfc_secret();
        assert_eq!(secret.matching_step(&code_at(&secret, Step::at(now).0), now), Some(Step::at(now)));
    }
}

#[test]
fn a_code_is_exactly_six_ascii_digits() {
    for text in ["000000", "123456", "999999", "000001"] {
        assert_eq!(Code::parse(text).unwrap().0, text.parse::<u32>().unwrap());
    }
    for text in [
        "",
        "12345",
        "1234567",
        " 123456",
        "123456 ",
        "123 456",
        "12345 ",
        " 12345",
        "123456\n",
        "12345\n",
        "+12345",
        "-12345",
        "12345a",
        "0x1234",
        "1e0000",
        "12.345",
        "１２３４５６",
        "１２",
        "١٢٣٤٥٦",
        "12345\0",
        "\u{feff}123",
        "१२",
    ] {
        assert_eq!(Code::parse(text).map(|code| code.0), Err(InvalidCode), "{text:?}");
    }
    assert_eq!(InvalidCode.to_string(), "a code is exactly 6 ASCII digits");
}

#[test]
fn the_uri_is_what_the_key_uri_format_wants() {
    let uri = |issuer, name| rfc_secret().otpauth_uri(issuer, &Username::parse(name).unwrap());
    assert_eq!(
        uri("COFRAP", "alice.b-c_d").as_str(),
        "otpauth://totp/COFRAP:alice.b-c_d?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=COFRAP\
         &algorithm=SHA1&digits=6&period=30"
    );
    assert_eq!(
        uri("Ma société: R&D/100%?#", "bob").as_str(),
        "otpauth://totp/Ma%20soci%C3%A9t%C3%A9%3A%20R%26D%2F100%25%3F%23:bob\
         ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Ma%20soci%C3%A9t%C3%A9%3A%20R%26D%2F100%25%3F%23\
         &algorithm=SHA1&digits=6&period=30"
    );
}

#[test]
fn a_secret_has_160_bits_and_32_characters_of_base32() {
    let mut randomness = Seeded::new(1);
    let first = TotpSecret::generate(&mut randomness).unwrap().to_base32();
    let second = TotpSecret::generate(&mut randomness).unwrap().to_base32();
    assert_ne!(first, second);
    assert_eq!(first.len(), 32);
    assert!(first.bytes().all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte)));
    assert!(TotpSecret::generate(&mut Absent).is_err());
}

#[test]
fn a_sealed_secret_opens_for_its_own_credential_only() {
    let (account, credential) = ids(1);
    let (other_account, other_credential) = ids(2);
    let sealed = rfc_secret().seal(&keys(), account, credential, &mut Seeded::new(3)).unwrap();
    let read = SealedTotpSecret::from_bytes(sealed.as_bytes().to_vec());
    assert_eq!(read.as_bytes(), sealed.as_bytes());
    let opened = |account, credential| read.open(&keys(), account, credential).map(|secret| *secret.0);
    assert_eq!(opened(account, credential), Ok(*b"12345678901234567890"));
    assert_eq!(opened(other_account, credential).unwrap_err().why, OpenError::Forged);
    assert_eq!(opened(account, other_credential).unwrap_err().why, OpenError::Forged);
    assert!(rfc_secret().seal(&keys(), account, credential, &mut Absent).is_err());
}

#[test]
fn the_decoy_finds_no_step() {
    // Also not for the code that its secret of zeros gives.
    let zeros = TotpSecret(Zeroizing::new([0; 20]));
    let now = UnixTime::from_seconds(1_800_000_000);
    assert_eq!(TotpSecret::check_decoy(&keys(), &code_at(&zeros, Step::at(now).0), now), None);
}

#[test]
fn neither_secret_nor_code_is_printed() {
    let (account, credential) = ids(1);
    let sealed = rfc_secret().seal(&keys(), account, credential, &mut Seeded::new(3)).unwrap();
    let printed = format!("{:?} {sealed:?} {:?}", rfc_secret(), Code::parse("123456").unwrap());
    assert_eq!(printed, "TotpSecret(..) Sealed(totp_secret) Code(..)");
}

proptest! {
    #[test]
    fn a_code_is_found_in_its_window_and_nowhere_else(
        seed in any::<u64>(), seconds in 0_i64..10_000_000_000, distance in -4_i64..=4,
    ) {
        let secret = TotpSecret::generate(&mut Seeded::new(seed)).unwrap();
        let now = UnixTime::from_seconds(seconds);
        let code = code_at(&secret, Step::at(now).0 + distance);
        let newest = (-1..=1).rev().map(|near| Step::at(now).0 + near).find(|s| code_at(&secret, *s).0 == code.0);
        prop_assert_eq!(secret.matching_step(&code, now).map(Step::value), newest);
        prop_assert!(distance.abs() > 1 || newest.is_some());
    }

    #[test]
    fn whatever_is_read_as_a_code_is_six_digits(text in "[0-9+ -]{5,7}|\\PC{0,8}") {
        let six_digits = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
        prop_assert_eq!(Code::parse(&text).is_ok(), six_digits);
    }
}

/// Whether a type has `==`: the constant of the type itself goes before that of the trait.
trait Without {
    const HAS_EQUALITY: bool = false;
}
struct Asked<T>(std::marker::PhantomData<T>);
impl<T> Without for Asked<T> {}
impl<T: PartialEq> Asked<T> {
    const HAS_EQUALITY: bool = true;
}

/// It would stop at the first difference. What compares them in constant time has another name, and is reviewed.
#[test]
fn no_secret_in_the_clear_has_an_equals_sign() {
    const { assert!(Asked::<Step>::HAS_EQUALITY, "a type that has one is told from those that have none") };
    const { assert!(!Asked::<Code>::HAS_EQUALITY) };
    const { assert!(!Asked::<TotpSecret>::HAS_EQUALITY) };
    const { assert!(!Asked::<crate::Password>::HAS_EQUALITY) };
    const { assert!(!Asked::<crate::PlainToken>::HAS_EQUALITY) };
}
