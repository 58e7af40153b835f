//! Randomness as an argument: what a source must do, and how bytes are drawn from it.
//!
//! The source itself is the edge's (`getrandom`), or a seeded one in tests.

use zeroize::Zeroizing;

/// A cryptographically secure random source.
pub trait Randomness {
    /// Fills `bytes` with random bytes, all of them or none that may be used.
    ///
    /// # Errors
    /// [`RandomnessUnavailable`] when the source cannot give any.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomnessUnavailable>;
}

impl<R: Randomness + ?Sized> Randomness for &mut R {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomnessUnavailable> {
        (**self).fill(bytes)
    }
}

/// The random source gave nothing, or nothing usable. There is no fallback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no usable random bytes could be had")]
pub struct RandomnessUnavailable;

/// Draws `N` bytes that need not be kept secret, such as a nonce or an id.
///
/// # Errors
/// [`RandomnessUnavailable`] when the source gives none.
pub fn draw<const N: usize>(
    randomness: &mut (impl Randomness + ?Sized),
) -> Result<[u8; N], RandomnessUnavailable> {
    let mut bytes = [0; N];
    randomness.fill(&mut bytes)?;
    Ok(bytes)
}

/// Draws `N` bytes of a secret, in place, so that no copy outlives it.
///
/// # Errors
/// [`RandomnessUnavailable`] when the source gives none.
pub fn draw_secret<const N: usize>(
    randomness: &mut (impl Randomness + ?Sized),
) -> Result<Zeroizing<[u8; N]>, RandomnessUnavailable> {
    let mut bytes = Zeroizing::new([0; N]);
    randomness.fill(bytes.as_mut_slice())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeded::{Absent, Seeded};

    #[test]
    fn the_whole_array_is_drawn_through_a_borrowed_source_too() {
        let mut owned = Seeded::new(1);
        let first: [u8; 32] = draw(&mut &mut owned).unwrap();
        let same = draw_secret::<32>(&mut Seeded::new(1) as &mut dyn Randomness).unwrap();
        assert_eq!(first, *same);
        assert_ne!(first, [0; 32]);
    }

    #[test]
    fn a_source_that_gives_nothing_is_an_error() {
        assert_eq!(draw::<4>(&mut Absent), Err(RandomnessUnavailable));
        assert_eq!(draw_secret::<4>(&mut Absent), Err(RandomnessUnavailable));
        assert_eq!(RandomnessUnavailable.to_string(), "no usable random bytes could be had");
    }
}
