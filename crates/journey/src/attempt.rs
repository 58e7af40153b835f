//! A password and a code, as somebody typed them, and what a login, an activation and a deletion make of them.

use domain::{
    AccountId, Code, CredentialId, KeyRing, LockSchedule, Password, SealedTotpSecret, SealedVerifier, Step,
    UnixTime, Unreadable,
};

use crate::database::{Error, Row, Value, inconsistent};

/// What was typed.
#[derive(Debug)]
pub struct Attempt {
    /// Exactly as typed.
    pub password: Password,
    /// Six digits.
    pub code: Code,
}

/// A right password: whose, checked against which credential, and the step that the code is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RightPassword {
    /// Whose it is.
    pub account_id: AccountId,
    /// The credential that it was checked against.
    pub credential_id: CredentialId,
    /// `None`: the code is wrong.
    pub step: Option<Step>,
}

/// How long an account, or a start, refuses every attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// Whole seconds until the next guess, at least one.
    pub retry_after_seconds: i64,
}

impl Attempt {
    pub(crate) fn password_is_right(
        &self,
        verifier: &SealedVerifier,
        account_id: AccountId,
        credential_id: CredentialId,
        keys: &KeyRing,
    ) -> Result<bool, Unreadable> {
        let verifier = verifier.open(keys, account_id, credential_id)?;
        Ok(verifier.matches(&self.password, account_id, credential_id))
    }

    pub(crate) fn step(
        &self,
        totp_secret: &SealedTotpSecret,
        account_id: AccountId,
        credential_id: CredentialId,
        keys: &KeyRing,
        now: UnixTime,
    ) -> Result<Option<Step>, Unreadable> {
        let secret = totp_secret.open(keys, account_id, credential_id)?;
        Ok(secret.matching_step(&self.code, now))
    }
}

/// The verifier of a row, when it is of the one construction that this release knows.
pub(crate) fn verifier(row: &Row) -> Result<Option<SealedVerifier>, Error> {
    let Some(bytes) = row.get::<Option<Vec<u8>>>("verifier")? else {
        return Ok(None);
    };
    if row.get::<Option<i64>>("verifier_algorithm")? != Some(domain::verifier::ALGORITHM) {
        let id: CredentialId = row.get("credential_id")?;
        return Err(inconsistent("credential", id, "an unknown verifier algorithm"));
    }
    Ok(Some(SealedVerifier::from_bytes(bytes)))
}

/// The domain's schedule as parameters: first wait at, longest wait in minutes, over at.
pub(crate) fn schedule(schedule: &LockSchedule) -> [Value; 3] {
    [schedule.first_wait_at, schedule.longest_wait_minutes, schedule.stop_at]
        .map(|n| Value::Integer(i64::from(n)))
}
