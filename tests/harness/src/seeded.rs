//! Sources of randomness for operations that are tested without the service: one that repeats itself, and one that is broken.

use domain::{Randomness, RandomnessUnavailable};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// ChaCha20 from a fixed seed.
pub struct Seeded(ChaCha20Rng);

impl Seeded {
    /// The same for the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(ChaCha20Rng::seed_from_u64(seed))
    }
}

impl Randomness for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomnessUnavailable> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

/// Gives nothing.
pub struct Absent;

impl Randomness for Absent {
    fn fill(&mut self, _bytes: &mut [u8]) -> Result<(), RandomnessUnavailable> {
        Err(RandomnessUnavailable)
    }
}
