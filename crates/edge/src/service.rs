//! What a handler may ask for, and gets when it asks: nothing is read or opened for a request that is refused before.

use domain::{KeyRing, UnixTime};
use zeroize::Zeroizing;

use crate::clock;
use crate::connection::Connection;
use crate::fault::Fault;
use crate::public_url::PublicUrl;
use crate::randomness::OperatingSystemRandomness;
use crate::variable;

/// The component's surroundings.
#[derive(Debug, Clone, Copy)]
pub struct Service(());

impl Service {
    pub(crate) const fn new() -> Self {
        Self(())
    }

    /// A connection to the database. Ask once per request: each costs a round trip, and is held until it is dropped.
    ///
    /// # Errors
    /// A fault when `pg_dsn` is missing or no connection can be had.
    pub fn database(&self) -> Result<Connection, Fault> {
        let dsn = Zeroizing::new(variable::read("pg_dsn")?);
        Connection::open(&dsn).map_err(|error| Fault::new(error.to_string()))
    }

    /// The sealing keys.
    ///
    /// # Errors
    /// A fault when `sealing_keys` is missing or malformed.
    pub fn keys(&self) -> Result<KeyRing, Fault> {
        let text = zeroize::Zeroizing::new(variable::read("sealing_keys")?);
        KeyRing::parse(&text)
            .map_err(|error| variable::fault("sealing_keys", format_args!("is malformed: {error}")))
    }

    /// The origin in reveal links.
    ///
    /// # Errors
    /// A fault when `public_url` is missing or no origin.
    pub fn public_url(&self) -> Result<PublicUrl, Fault> {
        PublicUrl::parse(&variable::read("public_url")?).map_err(|error| variable::fault("public_url", error))
    }

    /// The name that an authenticator shows.
    ///
    /// # Errors
    /// A fault when `issuer` is missing, or is one that an `otpauth` URI cannot carry.
    pub fn issuer(&self) -> Result<String, Fault> {
        let issuer = variable::read("issuer")?;
        check_issuer(&issuer).map_err(|what| variable::fault("issuer", what))?;
        Ok(issuer.trim().to_owned())
    }

    /// The time by the clock of the server that this runs on. For comparing it with the database's, by which all is decided.
    #[must_use]
    pub fn own_time(&self) -> UnixTime {
        clock::read()
    }

    /// The random source.
    #[must_use]
    pub const fn randomness(&self) -> OperatingSystemRandomness {
        OperatingSystemRandomness
    }
}

/// A colon separates the issuer from the account in an `otpauth` label, however it is escaped (Google's Key Uri
/// Format); what is long makes a QR code that phones cannot read.
fn check_issuer(issuer: &str) -> Result<(), &'static str> {
    const ISSUER_MAX_CHARACTERS: usize = 64;
    if issuer.chars().count() > ISSUER_MAX_CHARACTERS {
        return Err("is longer than 64 characters");
    }
    if issuer.contains(':') || issuer.trim().chars().any(char::is_control) {
        return Err("holds a colon or a control character");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_what_an_authenticator_can_show() {
        for issuer in ["COFRAP", "Société « Générale » & Cie", &"x".repeat(64)] {
            assert_eq!(check_issuer(issuer), Ok(()), "{issuer}");
        }
        for issuer in ["COFRAP: test", "a\u{0}b", "a\nb", &"x".repeat(65)] {
            assert!(check_issuer(issuer).is_err(), "{issuer}");
        }
    }
}
