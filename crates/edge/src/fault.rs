//! What is the operator's business: a sentence for the log.

/// A sentence for the log. Whoever makes one keeps secrets and personal data out of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault(String);

impl Fault {
    /// A fault, told in a sentence for the log.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// The sentence for the log.
    #[must_use]
    pub fn sentence(&self) -> &str {
        &self.0
    }
}
