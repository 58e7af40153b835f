//! A phone's authenticator: another TOTP implementation than the service's, fed with the `otpauth://` address.

use totp_rs::{Algorithm, Totp};

/// Seconds in a step (RFC 6238 section 5.2).
pub const STEP_SECONDS: u64 = 30;

/// One entry of an authenticator app.
#[derive(Clone)]
pub struct Authenticator {
    totp: Totp,
}

impl Authenticator {
    /// Reads an address as an app does when it scans the code, and insists on the only parameters that all apps obey.
    #[must_use]
    pub fn scan(otpauth_uri: &str) -> Self {
        let totp = Totp::from_url(otpauth_uri).expect("an authenticator can read the address");
        assert_eq!(totp.algorithm(), Algorithm::SHA1);
        assert_eq!((totp.digits(), totp.step()), (6, STEP_SECONDS));
        Self { totp }
    }

    /// What the app would show as the issuer.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.totp.issuer()
    }

    /// What the app would show as the account.
    #[must_use]
    pub fn account_name(&self) -> &str {
        self.totp.account_name()
    }

    /// The code at a point in time, in seconds since the epoch.
    #[must_use]
    pub fn code_at(&self, seconds: u64) -> String {
        self.totp.generate(seconds).to_string()
    }

    /// Six digits that are the code of no step near this point in time.
    #[must_use]
    pub fn wrong_code_at(&self, seconds: u64) -> String {
        self.wrong_codes_at(seconds).next().expect("most codes are wrong")
    }

    /// All the six digits that are the code of no step near this point in time.
    pub fn wrong_codes_at(&self, seconds: u64) -> impl Iterator<Item = String> {
        let right = self.codes_near(seconds);
        (0..1_000_000).map(|number| format!("{number:06}")).filter(move |code| !right.contains(code))
    }

    /// The codes of the steps around a point in time, more of them than any service takes.
    #[must_use]
    pub fn codes_near(&self, seconds: u64) -> Vec<String> {
        (0..=8).map(|step| self.code_at(seconds + step * STEP_SECONDS - 4 * STEP_SECONDS)).collect()
    }
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Authenticator").finish_non_exhaustive()
    }
}
