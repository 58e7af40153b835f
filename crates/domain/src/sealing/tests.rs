use aes_gcm::aead::{Aead, Payload};
use data_encoding::{BASE64, HEXLOWER};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::seeded::{Absent, Seeded, Stuck};

/// The bytes 64 to 95.
const KEY: &str = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=";
const OTHER_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

fn ring(text: &str) -> KeyRing {
    KeyRing::parse(text).unwrap()
}

fn place() -> Place {
    Place {
        column: SealedColumn::CredentialTotpSecret,
        account: AccountId::from_uuid(Uuid::from_bytes(std::array::from_fn(|i| 16 + i as u8))),
        credential: CredentialId::from_uuid(Uuid::from_bytes(std::array::from_fn(|i| 32 + i as u8))),
    }
}

fn sealed(keys: &KeyRing) -> Vec<u8> {
    keys.seal(&place(), b"12345678901234567890", &mut Seeded::new(1)).unwrap()
}

fn open(keys: &KeyRing, blob: &[u8]) -> Result<[u8; 20], OpenError> {
    keys.open(&place(), blob).map(|plain| *plain)
}

#[test]
fn the_cipher_gives_the_gcm_specifications_aes_256_vectors() {
    // McGrew and Viega, The Galois/Counter Mode of Operation, appendix B, test cases 13 to 16.
    let zeros = "00".repeat(32);
    let key = "feffe9928665731c6d6a8f9467308308".repeat(2);
    let plain = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
                 1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";
    let ciphertext = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
                      8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad";
    let data = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
    let nonce = "cafebabefacedbaddecaf888";
    let no_nonce = &zeros[..24];
    for (number, key, nonce, plain, data, ciphertext, tag) in [
        (13, &zeros, no_nonce, "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"),
        (
            14,
            &zeros,
            no_nonce,
            &zeros[..32],
            "",
            "cea7403d4d606b6e074ec5d3baf39d18",
            "d0d1c8a799996bf0265b98b5d48ab919",
        ),
        (15, &key, nonce, plain, "", ciphertext, "b094dac5d93471bdec1a502270e3cc6c"),
        (16, &key, nonce, &plain[..120], data, &ciphertext[..120], "76fc6ece0f4e1768cddf8853bb2d551b"),
    ] {
        let bytes = |hex: &str| HEXLOWER.decode(hex.as_bytes()).unwrap();
        let cipher = Aes256Gcm::new_from_slice(&bytes(key)).unwrap();
        let nonce: [u8; NONCE_BYTES] = bytes(nonce).try_into().unwrap();
        let sealed =
            cipher.encrypt((&nonce).into(), Payload { msg: &bytes(plain), aad: &bytes(data) }).unwrap();
        assert_eq!(HEXLOWER.encode(&sealed), format!("{ciphertext}{tag}"), "test case {number}");
        let opened = cipher.decrypt((&nonce).into(), Payload { msg: &sealed, aad: &bytes(data) }).unwrap();
        assert_eq!(opened, bytes(plain), "test case {number}");
    }
}

#[test]
fn a_blob_is_what_another_implementation_makes() {
    // Python's cryptography, with nonce = b"\xa5" * 12 and acc, cred, ring = the bytes from 16, 32 and 64 on:
    // k = HKDF(SHA256(), 32, salt=None, info=b"cofrap-identity/sealing/credential.totp_secret").derive(ring)
    // parts = [b"credential", b"totp_secret", acc, cred, b"\x01", b"k1"]
    // aad = b"".join(struct.pack(">Q", len(p)) + p for p in parts)
    // b"\x01\x02k1" + nonce + AESGCM(k).encrypt(nonce, b"12345678901234567890", aad)
    let keys = ring(&format!("k1:{KEY}"));
    let blob = keys.seal(&place(), b"12345678901234567890", &mut Stuck(0xa5)).unwrap();
    assert_eq!(
        HEXLOWER.encode(&blob),
        "01026b31a5a5a5a5a5a5a5a5a5a5a5a52c7b239e7b5342c46287e3012816de00f1a762741a9953cc15232ec358642569e23cb679"
    );
    assert_eq!(open(&keys, &blob), Ok(*b"12345678901234567890"));
}

#[test]
fn every_flipped_bit_is_refused() {
    let keys = ring(&format!("k1:{KEY}"));
    let blob = sealed(&keys);
    for position in 0..blob.len() {
        for bit in 0..8 {
            let mut changed = blob.clone();
            changed[position] ^= 1 << bit;
            let error = open(&keys, &changed).unwrap_err();
            let expected = match position {
                0 => error == OpenError::UnknownVersion,
                1 => error == OpenError::Malformed,
                2 | 3 => matches!(error, OpenError::UnknownKey { .. } | OpenError::Malformed),
                _ => error == OpenError::Forged,
            };
            assert!(expected, "bit {bit} of byte {position}: {error:?}");
        }
    }
}

#[test]
fn every_other_length_is_refused() {
    let keys = ring(&format!("k1:{KEY}"));
    let blob = sealed(&keys);
    for length in 0..blob.len() {
        assert_eq!(open(&keys, &blob[..length]), Err(OpenError::Malformed), "cut to {length}");
        assert!(open(&keys, &blob[blob.len() - length..]).is_err(), "the last {length}");
    }
    assert_eq!(open(&keys, &[blob.as_slice(), &[0]].concat()), Err(OpenError::Malformed));
    assert_eq!(keys.open::<64>(&place(), &blob).map(drop), Err(OpenError::Malformed));
}

#[test]
fn a_blob_opens_in_its_own_place_only() {
    let keys = ring(&format!("k1:{KEY}"));
    let blob = sealed(&keys);
    let Place { account, credential, .. } = place();
    let others = [
        Place { column: SealedColumn::CredentialVerifier, ..place() },
        Place { account: AccountId::from_uuid(Uuid::nil()), ..place() },
        Place { credential: CredentialId::from_uuid(Uuid::nil()), ..place() },
        Place {
            account: AccountId::from_uuid(*credential.as_uuid()),
            credential: CredentialId::from_uuid(*account.as_uuid()),
            ..place()
        },
    ];
    for other in others {
        assert_eq!(keys.open::<20>(&other, &blob).map(drop), Err(OpenError::Forged), "{other:?}");
    }
}

#[test]
fn a_rotation_keeps_everything_readable_until_the_old_key_goes() {
    let old = ring(&format!("k1:{KEY}"));
    let added = ring(&format!("k1:{KEY},k2:{OTHER_KEY}"));
    let moved = ring(&format!("k2:{OTHER_KEY},k1:{KEY}"));
    let removed = ring(&format!("k2:{OTHER_KEY}"));
    let [by_old, by_added, by_moved] = [&old, &added, &moved].map(sealed);
    assert_eq!([&by_old, &by_added, &by_moved].map(|blob| key_id(blob).unwrap()), ["k1", "k1", "k2"]);
    assert_eq!([&old, &added, &moved].map(KeyRing::writing_key_id), ["k1", "k1", "k2"]);
    for keys in [&old, &added, &moved] {
        assert!(open(keys, &by_old).is_ok());
    }
    for keys in [&added, &moved, &removed] {
        assert!(open(keys, &by_moved).is_ok());
    }
    let unknown = OpenError::UnknownKey { key_id: "k1".to_owned() };
    assert_eq!(open(&removed, &by_old), Err(unknown.clone()));
    assert_eq!(unknown.to_string(), "sealed with the key k1, which the ring does not hold");
}

#[test]
fn another_key_of_the_same_id_opens_nothing() {
    let blob = sealed(&ring(&format!("k1:{KEY}")));
    assert_eq!(open(&ring(&format!("k1:{OTHER_KEY}")), &blob), Err(OpenError::Forged));
}

#[test]
fn a_key_of_another_name_opens_nothing_even_if_it_is_the_same() {
    // Who renames the id in a blob has not made it a blob of the other key: the id is authenticated.
    let keys = ring(&format!("k1:{KEY},k2:{KEY}"));
    let mut blob = sealed(&keys);
    blob[3] = b'2';
    assert_eq!(key_id(&blob), Ok("k2"));
    assert_eq!(open(&keys, &blob), Err(OpenError::Forged));
}

#[test]
fn two_seals_of_the_same_differ() {
    let keys = ring(&format!("k1:{KEY}"));
    let mut randomness = Seeded::new(5);
    let mut seal = || keys.seal(&place(), &[7; 20], &mut randomness).unwrap();
    assert_ne!(seal(), seal());
}

#[test]
fn nothing_is_sealed_without_a_nonce() {
    let keys = ring(&format!("k1:{KEY}"));
    assert_eq!(keys.seal(&place(), &[7; 20], &mut Absent), Err(RandomnessUnavailable));
}

#[test]
fn an_id_that_could_not_have_been_written_reaches_no_log() {
    for id in ["K1", "k\n", "", "é"] {
        let length = u8::try_from(id.len()).unwrap();
        let blob = [&[1, length], id.as_bytes(), &[0; 48]].concat();
        assert_eq!(key_id(&blob), Err(OpenError::Malformed), "{id:?}");
    }
    let longest = "k".repeat(33);
    assert_eq!(key_id(&[&[1, 33], longest.as_bytes(), &[0; 48]].concat()), Err(OpenError::Malformed));
}

#[test]
fn the_table_of_bad_key_rings_holds() {
    let short = BASE64.encode(&[1; 31]);
    let long = BASE64.encode(&[1; 33]);
    let zero = BASE64.encode(&[0; 32]);
    let long_id = "k".repeat(33);
    let url_safe = "_-EBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    let unpadded = KEY.trim_end_matches('=');
    // The same 32 bytes and more: bits that are left over, and padding in the middle.
    let trailing_bits = KEY.replace("l8=", "l9=");
    let inner_padding = format!("AQE={}", BASE64.encode(&[1; 30]));
    for (text, expected) in [
        ("".to_owned(), "no sealing keys: expected id:base64,..."),
        (" \n".to_owned(), "no sealing keys: expected id:base64,..."),
        (KEY.to_owned(), "sealing key number 1: no ':' between id and key"),
        (",".to_owned(), "sealing key number 1: the entry is empty"),
        (format!("k1:{KEY},"), "sealing key number 2: the entry is empty"),
        (format!("k1:{KEY},,k2:{KEY}"), "sealing key number 2: the entry is empty"),
        (format!("k1:{KEY},{KEY}"), "sealing key number 2: no ':' between id and key"),
        (format!(":{KEY}"), "sealing key number 1: the id is not 1 to 32 characters of a-z 0-9 -"),
        (format!("K1:{KEY}"), "sealing key number 1: the id is not 1 to 32 characters of a-z 0-9 -"),
        (format!("k_1:{KEY}"), "sealing key number 1: the id is not 1 to 32 characters of a-z 0-9 -"),
        (format!(" k1:{KEY}"), "sealing key number 1: the id is not 1 to 32 characters of a-z 0-9 -"),
        (
            format!("k1:{KEY}, k2:{KEY}"),
            "sealing key number 2: the id is not 1 to 32 characters of a-z 0-9 -",
        ),
        (format!("clé:{KEY}"), "sealing key number 1: the id is not 1 to 32 characters of a-z 0-9 -"),
        (format!("{long_id}:{KEY}"), "sealing key number 1: the id is not 1 to 32 characters of a-z 0-9 -"),
        (format!("{KEY}:k1"), "sealing key number 1: the id is not 1 to 32 characters of a-z 0-9 -"),
        (format!("k1:{KEY},k1:{OTHER_KEY}"), "sealing key number 2 (k1): the id was used before"),
        (format!("k1:{KEY},k2:{OTHER_KEY},k1:{KEY}"), "sealing key number 3 (k1): the id was used before"),
        ("k1:".to_owned(), "sealing key number 1 (k1): the key has 0 bytes instead of 32"),
        (format!("k1:{short}"), "sealing key number 1 (k1): the key has 31 bytes instead of 32"),
        (format!("k1:{KEY},k2:{long}"), "sealing key number 2 (k2): the key has 33 bytes instead of 32"),
        (format!("k1:{zero}"), "sealing key number 1 (k1): the key is all zeros"),
        (format!("k1:{unpadded}"), "sealing key number 1 (k1): the key is not standard base64 with padding"),
        (format!("k1:{url_safe}"), "sealing key number 1 (k1): the key is not standard base64 with padding"),
        (format!("k1:{KEY}\n"), "sealing key number 1 (k1): the key is not standard base64 with padding"),
        (format!("k1: {KEY}"), "sealing key number 1 (k1): the key is not standard base64 with padding"),
        (format!("k1:{KEY}:"), "sealing key number 1 (k1): the key is not standard base64 with padding"),
        (
            format!("k1:{trailing_bits}"),
            "sealing key number 1 (k1): the key is not standard base64 with padding",
        ),
        (
            format!("k1:{inner_padding}"),
            "sealing key number 1 (k1): the key is not standard base64 with padding",
        ),
    ] {
        let error = KeyRing::parse(&text).map(drop).unwrap_err();
        assert_eq!(error.to_string(), expected, "{text:?}");
    }
}

#[test]
fn good_key_rings_are_read() {
    let longest_id = "k".repeat(32);
    for text in [
        format!("k:{KEY}"),
        format!("{longest_id}:{KEY}"),
        format!("2026-11:{KEY},2026-05:{OTHER_KEY},old:{KEY}"),
    ] {
        assert!(KeyRing::parse(&text).is_ok(), "{text}");
    }
}

#[test]
fn a_key_ring_prints_its_ids_only() {
    let printed = format!("{:?}", ring(&format!("k2:{OTHER_KEY},k1:{KEY}")));
    assert_eq!(printed, r#"KeyRing ["k2", "k1"]"#);
}

#[test]
fn the_two_columns_and_the_decoy_have_keys_of_their_own() {
    let keys = ring(&format!("k1:{KEY}"));
    let first_block = |table: &str, column: &str| {
        let cipher = cipher(keys.writing_key(), table, column).unwrap();
        encrypt(&cipher, &[0; NONCE_BYTES], &[], "k1", &[0; 32]).unwrap()
    };
    let verifier = first_block("credential", "verifier");
    let totp_secret = first_block("credential", "totp_secret");
    let decoy = first_block("decoy", "verifier");
    assert_ne!(verifier, totp_secret);
    assert_ne!(verifier, decoy);
    assert_ne!(totp_secret, decoy);
}

proptest! {
    #[test]
    fn what_was_sealed_is_opened(
        key in any::<[u8; 32]>(), plain in any::<[u8; 32]>(), seed in any::<u64>(), id in "[a-z0-9-]{1,32}",
    ) {
        prop_assume!(key != [0; 32]);
        let keys = ring(&format!("{id}:{}", BASE64.encode(&key)));
        let blob = keys.seal(&place(), &plain, &mut Seeded::new(seed)).unwrap();
        prop_assert_eq!(blob.len(), 1 + 1 + id.len() + 12 + 32 + 16);
        prop_assert_eq!(key_id(&blob), Ok(id.as_str()));
        prop_assert_eq!(*keys.open::<32>(&place(), &blob).unwrap(), plain);
    }

    #[test]
    fn no_bytes_make_opening_panic_or_succeed(blob in any::<Vec<u8>>(), start in 0_usize..5) {
        let keys = ring(&format!("k1:{KEY}"));
        let begun = [&[1, 2, b'k', b'1'][..start.min(4)], &blob].concat();
        prop_assert!(open(&keys, &blob).is_err());
        prop_assert!(open(&keys, &begun).is_err());
    }

    #[test]
    fn an_error_of_a_key_ring_repeats_nothing_of_a_key(text in "[a-z0-9]{0,3}:?[A-Za-z0-9+/]{43,45}=?(,k:x)?") {
        if let Err(error) = KeyRing::parse(&text) {
            let secret: String = text.chars().rev().filter(|c| c.is_ascii_alphanumeric()).take(8).collect();
            let secret: String = secret.chars().rev().collect();
            let printed = format!("{error} {error:?}");
            prop_assert!(!printed.contains(&secret));
        }
    }
}
