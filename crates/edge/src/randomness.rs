//! The one source of randomness: the operating system's, which on Spin is the host's `wasi:random`.

use domain::{Randomness, RandomnessUnavailable};

/// The operating system's random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct OperatingSystemRandomness;

impl Randomness for OperatingSystemRandomness {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that draws; everything else takes it as an argument"
    )]
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomnessUnavailable> {
        getrandom::fill(bytes).map_err(|_| RandomnessUnavailable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        let (mut first, mut second) = ([0; 32], [0; 32]);
        OperatingSystemRandomness.fill(&mut first).unwrap();
        OperatingSystemRandomness.fill(&mut second).unwrap();
        assert_ne!(first, second);
        assert_ne!(first, [0; 32]);
    }
}
