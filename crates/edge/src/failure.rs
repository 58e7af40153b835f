//! What keeps a handler from its answer: a problem that the client is told, or a fault that only the log is told.
//!
//! The one place where the errors of the layers below become one or the other. A fault is always `503 unavailable`:
//! a client can do nothing about it but come back, and learns nothing from it.

use crate::problem::Problem;
use crate::public_url::InvalidPublicUrl;
use crate::variable;

/// Why a handler has no answer of its own.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// The client's business.
    Problem(Problem),
    /// The operator's business.
    Fault(Fault),
}

/// A sentence for the log. Whoever makes one keeps secrets and personal data out of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    sentence: String,
    unreadable: Option<domain::Unreadable>,
}

impl Fault {
    /// A fault, told in a sentence for the log.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), unreadable: None }
    }

    /// The sentence for the log.
    #[must_use]
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// The sealed value that did not open, where that is the fault: it leaves an event too.
    #[must_use]
    pub const fn unreadable(&self) -> Option<&domain::Unreadable> {
        self.unreadable.as_ref()
    }
}

impl Failure {
    /// A fault, told in a sentence for the log.
    pub fn fault(sentence: impl Into<String>) -> Self {
        Self::Fault(Fault::new(sentence))
    }

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
        Self::fault(error.to_string())
    }
}

/// Too many wrong codes: at a login and at an activation alike.
impl From<domain::journey::Wait> for Failure {
    fn from(wait: domain::journey::Wait) -> Self {
        Problem::TooManyAttempts { retry_after_seconds: wait.retry_after_seconds.unsigned_abs() }.into()
    }
}

/// Nothing that the store meets is the client's doing: outcomes that are come back as values.
impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::fault(error.to_string())
    }
}

/// A row that does not open was changed, or its key is gone: never the client's doing.
impl From<domain::Unreadable> for Failure {
    fn from(error: domain::Unreadable) -> Self {
        Self::Fault(Fault { sentence: error.to_string(), unreadable: Some(error) })
    }
}

impl From<domain::KeyRingError> for Failure {
    fn from(error: domain::KeyRingError) -> Self {
        variable::fault("sealing_keys", format_args!("is malformed: {error}")).into()
    }
}

impl From<InvalidPublicUrl> for Failure {
    fn from(error: InvalidPublicUrl) -> Self {
        variable::fault("public_url", error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_learns_nothing_of_a_fault() {
        let failure = Failure::fault("relation account does not exist");
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
        let failure = Failure::from(unreadable.clone());
        assert_eq!(failure.problem(), &Problem::Unavailable);
        let Failure::Fault(fault) = failure else { panic!("no fault") };
        assert_eq!(fault.unreadable(), Some(&unreadable));
        assert_eq!(fault.sentence(), unreadable.to_string());
        assert_eq!(Fault::new("the disk is full").unreadable(), None);
    }
}
