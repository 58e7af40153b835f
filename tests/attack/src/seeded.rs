//! A small source of randomness that repeats itself when it is given the same seed.

use std::env;
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::Size;

/// SplitMix64 (Steele, Lea, Flood 2014): not for secrets, good enough to choose what to try.
#[derive(Debug, Clone)]
pub struct Seeded {
    state: u64,
}

impl Seeded {
    /// A source with this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A number.
    pub const fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("a small number");
        usize::try_from(self.number() % end).expect("smaller than a small number")
    }

    /// Whether one of so many times comes true.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn one<'choice, T>(&mut self, choices: &'choice [T]) -> &'choice T {
        &choices[self.below(choices.len())]
    }

    /// One of these texts.
    pub fn text<'choice>(&mut self, choices: &[&'choice str]) -> &'choice str {
        choices[self.below(choices.len())]
    }

    /// The same in another order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// The seed of this run: `ATTACK_SEED`, else always the same for a slice and a new one for the full size.
#[must_use]
pub fn seed() -> u64 {
    if let Ok(text) = env::var("ATTACK_SEED") {
        return text.parse().expect("ATTACK_SEED is a number");
    }
    match Size::of_this_run() {
        Size::Slice => 1,
        Size::Full => RandomState::new().build_hasher().finish(),
    }
}

/// Says the seed, should the test that has it fail.
pub struct SeedOnFailure(pub u64);

impl Drop for SeedOnFailure {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("To repeat this: ATTACK_SEED={}", self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_chooses_the_same() {
        let [mut one, mut other] = [7, 7].map(Seeded::new);
        assert!((0..100).all(|_| one.number() == other.number()));
        assert_ne!(Seeded::new(7).number(), Seeded::new(8).number());
    }

    #[test]
    fn shuffling_loses_nothing() {
        let mut items: Vec<usize> = (0..50).collect();
        Seeded::new(3).shuffle(&mut items);
        assert!(items.windows(2).any(|pair| pair[0] > pair[1]));
        items.sort_unstable();
        assert!(items.into_iter().eq(0..50));
    }
}
