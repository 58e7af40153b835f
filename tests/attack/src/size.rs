//! How big an attack is, and what it tells of itself.

use std::env;

/// The size of a run: `ATTACK=full`, as `make attack` sets it, or a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// A few seconds, in `make test`.
    Slice,
    /// All of it.
    Full,
}

impl Size {
    /// The size of this run.
    #[must_use]
    pub fn of_this_run() -> Self {
        if env::var("ATTACK").is_ok_and(|size| size == "full") { Self::Full } else { Self::Slice }
    }

    /// One number or the other.
    #[must_use]
    pub const fn pick(self, slice: usize, full: usize) -> usize {
        match self {
            Self::Slice => slice,
            Self::Full => full,
        }
    }
}

/// Says a figure that `make attack` shows beside the test's name.
pub fn figure(text: &str) {
    progress(&format!("figure: {text}"));
}

/// Says how far a test is.
#[expect(clippy::print_stdout, reason = "it is seen where the tests' output is, and nowhere else")]
pub fn progress(text: &str) {
    println!("{text}");
}
