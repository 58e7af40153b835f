//! What holds for any input of this crate's parsers. A fuzzer looks for input that breaks it (`fuzz/`); the tests run the
//! same functions over the committed corpus. Compiled for these two only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a property that does not hold"
)]

#[cfg(test)]
#[path = "../../../fuzz/corpus.rs"]
mod corpus;

use std::str::from_utf8;

use data_encoding::BASE32_NOPAD;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::id::{AccountId, CredentialId};
use crate::randomness::{Randomness, RandomnessUnavailable};
use crate::sealing::{KeyRing, Place, SealedColumn, key_id};
use crate::token::PlainToken;
use crate::totp::{Code, TotpSecret};
use crate::username::Username;

/// The id of the one key that the sealed values of the corpus are sealed with, and the key: the bytes 64 to 95.
const KEYS: &str = "k1:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=";

/// Gives the bytes of the input, and zeros after its end.
struct Bytes<'a>(&'a [u8]);

impl Randomness for Bytes<'_> {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomnessUnavailable> {
        let (given, rest) = self.0.split_at(self.0.len().min(bytes.len()));
        bytes.fill(0);
        bytes[..given.len()].copy_from_slice(given);
        self.0 = rest;
        Ok(())
    }
}

/// A name is a name exactly when its canonical spelling has the form that the schema insists on; reading that spelling
/// changes nothing.
pub fn username(data: &[u8]) {
    let Ok(typed) = from_utf8(data) else { return };
    let spelling = typed.trim().to_ascii_lowercase();
    let is_alphanumeric = |sign: &u8| sign.is_ascii_lowercase() || sign.is_ascii_digit();
    let has_the_form = match spelling.as_bytes() {
        [first, middle @ .., last] => {
            is_alphanumeric(first)
                && is_alphanumeric(last)
                && (1..=62).contains(&middle.len())
                && middle.iter().all(|sign| is_alphanumeric(sign) || b"._-".contains(sign))
        }
        _ => false,
    };
    let parsed = Username::parse(typed);
    assert_eq!(parsed.is_ok(), has_the_form);
    if let Ok(name) = parsed {
        assert_eq!(name.as_str(), spelling);
        assert_eq!(Username::parse(name.as_str()), Ok(name));
    }
}

/// A code is six ASCII digits and nothing else.
pub fn code(data: &[u8]) {
    let Ok(text) = from_utf8(data) else { return };
    let is_six_digits = text.chars().count() == 6 && text.chars().all(|digit| digit.is_ascii_digit());
    assert_eq!(Code::parse(text).is_ok(), is_six_digits);
}

/// A token has one spelling, and any bytes have one.
pub fn token(data: &[u8]) {
    if let Ok(token) = from_utf8(data).map_err(drop).and_then(|text| PlainToken::parse(text).map_err(drop)) {
        assert_eq!(token.to_text().as_bytes(), data);
    }
    let token = PlainToken::generate(&mut Bytes(data)).unwrap();
    let read = PlainToken::parse(&token.to_text()).expect("what was written can be read");
    assert_eq!(read.hash(), token.hash());
}

/// A key ring says neither in an error nor in a `Debug` output what may be a key; what parses seals and opens.
pub fn key_ring(data: &[u8]) {
    let Ok(text) = from_utf8(data) else { return };
    let said = match KeyRing::parse(text) {
        Err(error) => format!("{error} {error:?}"),
        Ok(keys) => {
            assert!(text.starts_with(&format!("{}:", keys.writing_key_id())));
            let blob = keys.seal(&place(), &[7; 20], &mut Bytes(data)).unwrap();
            assert_eq!(*keys.open::<20>(&place(), &blob).expect("what was sealed opens"), [7; 20]);
            format!("{keys:?}")
        }
    };
    // A key is one run of the signs of base64. Of such runs an id may be said; and of our own words none has 17 signs.
    for run in text.split(|sign: char| !sign.is_ascii_alphanumeric() && !"+/=".contains(sign)) {
        let is_small = |sign: u8| sign.is_ascii_lowercase() || sign.is_ascii_digit();
        let may_be_an_id = run.len() <= 32 && run.bytes().all(is_small);
        assert!(run.len() <= 16 || may_be_an_id || !said.contains(run), "quotes a key");
    }
}

/// Whatever is stored: what opens is, byte for byte, what sealing its content writes; and what was sealed does not open
/// with any one of its bytes changed.
pub fn sealed_blob(data: &[u8]) {
    let keys = KeyRing::parse(KEYS).unwrap();
    if let Ok(id) = key_id(data) {
        assert_eq!(&data[2..2 + id.len()], id.as_bytes());
        assert!((1..=32).contains(&id.len()));
    }
    if let Ok(plain) = keys.open::<20>(&place(), data) {
        let nonce = &data[2 + keys.writing_key_id().len()..];
        assert_eq!(keys.seal(&place(), &plain, &mut Bytes(nonce)).unwrap(), data);
    }
    let mut blob = keys.seal(&place(), &[7; 20], &mut Bytes(data)).unwrap();
    assert_eq!(*keys.open::<20>(&place(), &blob).expect("what was sealed opens"), [7; 20]);
    let (at, change) = data.first_chunk().map_or((0, 1), |[at, change]| (usize::from(*at), *change));
    let at = at % blob.len();
    blob[at] ^= change;
    assert_eq!(keys.open::<20>(&place(), &blob).is_ok(), change == 0, "byte {at} changed by {change}");
}

/// An otpauth address is plain ASCII, and issuer, name and secret can be read back from it, whatever the issuer is.
pub fn otpauth(data: &[u8]) {
    let (random, rest) = data.split_at(data.len().min(20));
    let Ok(issuer) = from_utf8(rest) else { return };
    let secret = TotpSecret::generate(&mut Bytes(random)).unwrap();
    let name = Username::parse("alice.b-c_d").unwrap();
    let uri = secret.otpauth_uri(issuer, &name);
    assert!(uri.bytes().all(|sign| sign.is_ascii_graphic()));
    let (label, query) = uri.strip_prefix("otpauth://totp/").unwrap().split_once('?').unwrap();
    let (label_issuer, user) = label.split_once(':').unwrap();
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
    assert_eq!((decoded(label_issuer), decoded(user)), (issuer.to_owned(), name.to_string()));
    let parameters: Vec<(&str, &str)> = query.split('&').map(|pair| pair.split_once('=').unwrap()).collect();
    let names: Vec<&str> = parameters.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["secret", "issuer", "algorithm", "digits", "period"]);
    assert_eq!(parameters[1].1, label_issuer);
    let mut expected = [0; 20];
    expected[..random.len()].copy_from_slice(random);
    assert_eq!(BASE32_NOPAD.decode(parameters[0].1.as_bytes()).unwrap(), expected);
}

fn place() -> Place {
    Place {
        column: SealedColumn::CredentialTotpSecret,
        account: AccountId::from_uuid(Uuid::from_bytes([1; 16])),
        credential: CredentialId::from_uuid(Uuid::from_bytes([2; 16])),
    }
}

#[test]
fn every_property_holds_over_its_corpus() {
    corpus::replay(&[
        ("username", username),
        ("code", code),
        ("token", token),
        ("key_ring", key_ring),
        ("sealed_blob", sealed_blob),
        ("otpauth", otpauth),
    ]);
}

/// What nobody finds by trying: bytes that a key sealed, and the base64 of one.
#[test]
fn the_corpora_hold_what_is_accepted_so_that_a_fuzzer_begins_beyond_it() {
    let keys = KeyRing::parse(KEYS).unwrap();
    let accepted = |name: &str, accepts: &dyn Fn(&[u8]) -> bool| {
        assert!(corpus::inputs(name).iter().any(|(_, data)| accepts(data)), "nothing of {name} is accepted");
    };
    let text = |data: &[u8]| from_utf8(data).unwrap_or_default().to_owned();
    accepted("sealed_blob", &|data| keys.open::<20>(&place(), data).is_ok());
    accepted("key_ring", &|data| KeyRing::parse(&text(data)).is_ok());
    accepted("token", &|data| PlainToken::parse(&text(data)).is_ok());
    accepted("code", &|data| Code::parse(&text(data)).is_ok());
    accepted("username", &|data| Username::parse(&text(data)).is_ok());
}
