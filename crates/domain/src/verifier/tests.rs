use proptest::prelude::*;

use super::*;
use crate::seeded::{Absent, Seeded};

fn keys() -> KeyRing {
    KeyRing::parse("k1:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=").unwrap()
}

fn ids(seed: u64) -> (AccountId, CredentialId) {
    let mut randomness = Seeded::new(seed);
    (AccountId::random(&mut randomness).unwrap(), CredentialId::random(&mut randomness).unwrap())
}

fn typed(text: &str) -> Password {
    Password::typed(text.to_owned())
}

#[test]
fn the_construction_gives_what_another_hmac_gives() {
    // Python: acc, cred, salt = bytes(range(16, 32)), bytes(range(32, 48)), bytes(range(32))
    // parts = [b"cofrap-identity/password-verifier", b"\x01", acc, cred, b"correct Horse 7 battery!"]
    // hmac.new(salt, b"".join(struct.pack(">Q", len(p)) + p for p in parts), hashlib.sha256).hexdigest()
    let account = AccountId::from_uuid(Uuid::from_bytes(std::array::from_fn(|i| 16 + i as u8)));
    let credential = CredentialId::from_uuid(Uuid::from_bytes(std::array::from_fn(|i| 32 + i as u8)));
    let salt = std::array::from_fn(|i| i as u8);
    let result = mac(&salt, account, credential, &typed("correct Horse 7 battery!")).finalize().into_bytes();
    assert_eq!(
        data_encoding::HEXLOWER.encode(&result),
        "a4e4ea12bb91534572b7af9fd6794fa393d48c2b0fe4dcf3a11cc5da3fd7f340"
    );
}

#[test]
fn a_verifier_knows_its_password_exactly() {
    let (account, credential) = ids(1);
    let verifier =
        Verifier::new(&typed("Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!"), account, credential, &mut Seeded::new(2)).unwrap();
    for (text, expected) in [
        ("Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!", true),
        ("aa1!Aa1!Aa1!Aa1!Aa1!Aa1!", false),
        ("Aa1!Aa1!Aa1!Aa1!Aa1!Aa1", false),
        ("Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!!", false),
        (" Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!", false),
        ("Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!\n", false),
        ("Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!\0", false),
        ("Ａa1!Aa1!Aa1!Aa1!Aa1!Aa1!", false),
        ("", false),
    ] {
        assert_eq!(verifier.matches(&typed(text), account, credential), expected, "{text:?}");
    }
}

#[test]
fn a_verifier_is_bound_to_its_account_and_credential() {
    let (account, credential) = ids(1);
    let (other_account, other_credential) = ids(2);
    let verifier = Verifier::new(&typed("secret"), account, credential, &mut Seeded::new(3)).unwrap();
    assert!(verifier.matches(&typed("secret"), account, credential));
    assert!(!verifier.matches(&typed("secret"), other_account, credential));
    assert!(!verifier.matches(&typed("secret"), account, other_credential));
    let swapped = (AccountId::from_uuid(*credential.as_uuid()), CredentialId::from_uuid(*account.as_uuid()));
    assert!(!verifier.matches(&typed("secret"), swapped.0, swapped.1));
}

#[test]
fn two_verifiers_of_one_password_share_nothing() {
    let (account, credential) = ids(1);
    let mut randomness = Seeded::new(2);
    let first = Verifier::new(&typed("secret"), account, credential, &mut randomness).unwrap();
    let second = Verifier::new(&typed("secret"), account, credential, &mut randomness).unwrap();
    assert_ne!(first.salt, second.salt);
    assert_ne!(first.result, second.result);
}

#[test]
fn a_sealed_verifier_opens_for_its_own_credential_only() {
    let (account, credential) = ids(1);
    let (other_account, other_credential) = ids(2);
    let verifier = Verifier::new(&typed("secret"), account, credential, &mut Seeded::new(3)).unwrap();
    let sealed = verifier.seal(&keys(), account, credential, &mut Seeded::new(4)).unwrap();
    let read = SealedVerifier::from_bytes(sealed.as_bytes().to_vec());
    assert_eq!(read.as_bytes(), sealed.as_bytes());
    let opened = read.open(&keys(), account, credential).unwrap();
    assert!(opened.matches(&typed("secret"), account, credential));
    assert!(!opened.matches(&typed("Secret"), account, credential));
    assert_eq!(read.open(&keys(), other_account, credential).unwrap_err().why, OpenError::Forged);
    assert_eq!(read.open(&keys(), account, other_credential).unwrap_err().why, OpenError::Forged);
}

#[test]
fn the_decoy_never_matches() {
    for text in ["", "secret", "Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!", "\0"] {
        assert!(!Verifier::check_decoy(&keys(), &typed(text)));
    }
}

#[test]
fn without_randomness_there_is_neither_a_verifier_nor_a_seal() {
    let (account, credential) = ids(1);
    assert!(Verifier::new(&typed("secret"), account, credential, &mut Absent).is_err());
    let verifier = Verifier::new(&typed("secret"), account, credential, &mut Seeded::new(3)).unwrap();
    assert!(verifier.seal(&keys(), account, credential, &mut Absent).is_err());
}

#[test]
fn neither_form_of_a_verifier_is_printed() {
    let (account, credential) = ids(1);
    let verifier = Verifier::new(&typed("secret"), account, credential, &mut Seeded::new(3)).unwrap();
    let sealed = verifier.seal(&keys(), account, credential, &mut Seeded::new(4)).unwrap();
    assert_eq!(format!("{verifier:?} {sealed:?}"), "Verifier(..) Sealed(verifier)");
}

proptest! {
    #[test]
    fn no_other_password_matches(right in any::<String>(), wrong in any::<String>(), seed in any::<u64>()) {
        let (account, credential) = ids(seed);
        let verifier = Verifier::new(&typed(&right), account, credential, &mut Seeded::new(seed)).unwrap();
        prop_assert!(verifier.matches(&typed(&right), account, credential));
        prop_assert_eq!(verifier.matches(&typed(&wrong), account, credential), right == wrong);
    }
}
