//! What a thief of the database would have: a dump, and the forms in which a secret could hide in it.

use std::process::Command;

use data_encoding::{BASE32_NOPAD, BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};

use crate::{TestDatabase, workspace};

impl TestDatabase {
    /// The whole database as SQL text.
    #[must_use]
    pub fn dump(&self) -> String {
        let output = Command::new(workspace::postgresql_program("pg_dump"))
            .arg(format!("--dbname={}", self.owner_url()))
            .output()
            .expect("pg_dump runs");
        assert!(output.status.success(), "pg_dump failed: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("a dump is UTF-8")
    }
}

/// The texts that would give a secret away: itself, and, where it is an encoding, the bytes behind it, each raw, in hex
/// and in base64.
#[must_use]
pub fn traces(secret: &str) -> Vec<String> {
    let mut contents = vec![secret.as_bytes().to_vec()];
    contents.extend(BASE64URL_NOPAD.decode(secret.as_bytes()));
    contents.extend(BASE32_NOPAD.decode(secret.as_bytes()));
    let mut traces = vec![secret.to_owned()];
    for bytes in contents {
        traces.push(HEXLOWER.encode(&bytes));
        traces.push(BASE64.encode(&bytes));
        traces.push(BASE64_NOPAD.encode(&bytes));
        traces.push(BASE64URL_NOPAD.encode(&bytes));
        traces.push(BASE32_NOPAD.encode(&bytes));
    }
    traces
}

/// Whether a text gives the secret away. Upper and lower case of hex are the same.
#[must_use]
pub fn gives_away(text: &str, secret: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    traces(secret).iter().any(|trace| text.contains(trace) || lower.contains(trace.as_str()))
}

/// What may be stored of a token, as a dump shows it: its SHA-256 in hex. Of the token's text or of its bytes.
#[must_use]
pub fn stored_forms(token: &str) -> Vec<String> {
    let of_text = HEXLOWER.encode(&Sha256::digest(token.as_bytes()));
    let of_bytes =
        BASE64URL_NOPAD.decode(token.as_bytes()).map(|bytes| HEXLOWER.encode(&Sha256::digest(bytes)));
    std::iter::once(of_text).chain(of_bytes).collect()
}
