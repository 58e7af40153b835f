//! What keeps a handler from its answer: a problem that the client is told, or a fault that only the log is told.
//!
//! The one place where what comes from below becomes one or the other. A fault is always `503 unavailable`: a client can do
//! nothing about it but come back, and learns nothing from it.

use journey::{Refusal, Stop};

use crate::fault::Fault;
use crate::problem::Problem;

/// Why a handler has no answer of its own.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// The client's business.
    Problem(Problem),
    /// The operator's business.
    Fault(Fault),
}

impl Failure {
    /// What the client is told.
    #[must_use]
    pub const fn problem(&self) -> &Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Fault(_) => &Problem::Unavailable,
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<domain::RandomnessUnavailable> for Failure {
    fn from(error: domain::RandomnessUnavailable) -> Self {
        Fault::new(error.to_string()).into()
    }
}

/// Nothing that goes wrong there is the client's doing: what is comes as a [`Refusal`].
impl From<journey::Error> for Failure {
    fn from(error: journey::Error) -> Self {
        Fault::new(error.to_string()).into()
    }
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(refused) => told(refused.refusal()).into(),
            Stop::Fault(error) => error.into(),
        }
    }
}

/// What a client is told of a refusal: of a wrong password and of a wrong code the same.
const fn told(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::UsernameTaken => Problem::UsernameTaken,
        Refusal::TokenInvalid => Problem::TokenInvalid,
        Refusal::TokenUnknown => Problem::TokenUnknown,
        Refusal::TokenUsed => Problem::TokenUsed,
        Refusal::TokenExpired => Problem::TokenExpired,
        Refusal::PasswordNotRevealed => Problem::PasswordNotRevealed,
        Refusal::TotpNotStarted => Problem::TotpNotStarted,
        Refusal::Superseded => Problem::Superseded,
        Refusal::WrongPassword
        | Refusal::WrongCode
        | Refusal::StartEnded
        | Refusal::ReusedCode
        | Refusal::Stale => Problem::InvalidCredentials,
        Refusal::Waiting(wait) => {
            Problem::TooManyAttempts { retry_after_seconds: wait.retry_after_seconds.unsigned_abs() }
        }
        Refusal::Suspended => Problem::AccountSuspended,
        Refusal::SessionInvalid => Problem::SessionInvalid,
        Refusal::SessionUnknown => Problem::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use journey::StatementError;

    #[test]
    fn a_client_learns_nothing_of_a_fault() {
        let error = StatementError::Other("relation account does not exist".to_owned());
        let failure = Failure::from(Stop::from(journey::Error::from(error)));
        assert!(matches!(&failure, Failure::Fault(fault) if fault.sentence().contains("account")));
        assert_eq!(failure.problem(), &Problem::Unavailable);
        let body = failure.problem().to_response();
        assert!(!String::from_utf8_lossy(body.body()).contains("account"));
    }

    #[test]
    fn a_sealed_value_that_does_not_open_is_a_fault_that_says_whose_it_is() {
        let account = domain::AccountId::from_uuid(uuid::Uuid::from_bytes([1; 16]));
        let credential = domain::CredentialId::from_uuid(uuid::Uuid::from_bytes([2; 16]));
        let place = domain::Place { column: domain::SealedColumn::CredentialTotpSecret, account, credential };
        let unreadable = domain::Unreadable { place, why: domain::OpenError::Forged };
        let failure = Failure::from(journey::Error::Unreadable(unreadable.clone()));
        assert_eq!(failure, Failure::Fault(Fault::new(unreadable.to_string())));
    }
}
