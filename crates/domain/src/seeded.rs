//! Sources of randomness for the tests: one that repeats itself on every run, and some that are broken.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::randomness::{Randomness, RandomnessUnavailable};

/// ChaCha20 from a fixed seed.
pub(crate) struct Seeded(ChaCha20Rng);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha20Rng::seed_from_u64(seed))
    }
}

impl Randomness for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomnessUnavailable> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

/// Gives the same byte for ever.
pub(crate) struct Stuck(pub(crate) u8);

impl Randomness for Stuck {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomnessUnavailable> {
        bytes.fill(self.0);
        Ok(())
    }
}

/// Gives nothing.
pub(crate) struct Absent;

impl Randomness for Absent {
    fn fill(&mut self, _bytes: &mut [u8]) -> Result<(), RandomnessUnavailable> {
        Err(RandomnessUnavailable)
    }
}
