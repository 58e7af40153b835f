//! Whether two sets of times could come from the same distribution, and what lies in the middle of one.

/// The value in the middle; the mean of the two in the middle when their number is even.
///
/// # Panics
/// When there is no value.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

/// The test of Mann and Whitney, two-sided, by the normal approximation (some tens of values in each set are enough):
/// the chance of ranks that differ as much as these do, or more, when both sets come from one distribution.
#[must_use]
pub fn mann_whitney(one: &[f64], other: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> = one.iter().map(|value| (*value, true)).collect();
    all.extend(other.iter().map(|value| (*value, false)));
    all.sort_by(|left, right| left.0.total_cmp(&right.0));
    let [n, m] = [one.len() as f64, other.len() as f64];
    let (mut rank_sum, mut ties) = (0.0, 0.0);
    let mut rank = 0.0;
    for group in all.chunk_by(|left, right| left.0 == right.0) {
        let size = group.len() as f64;
        // Equal values share the mean of the ranks that they take.
        rank_sum += (rank + (size + 1.0) / 2.0) * group.iter().filter(|(_, is_one)| *is_one).count() as f64;
        ties += size.powi(3) - size;
        rank += size;
    }
    let u = rank_sum - n * (n + 1.0) / 2.0;
    let variance = n * m / 12.0 * (n + m + 1.0 - ties / ((n + m) * (n + m - 1.0)));
    let z = (u - n * m / 2.0).abs() / variance.sqrt();
    if z.is_finite() { two_tails(z) } else { 1.0 }
}

/// Both tails of the normal distribution beyond z (Abramowitz and Stegun 7.1.26, exact to 1.5e-7).
fn two_tails(z: f64) -> f64 {
    let x = z / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let polynomial = t
        * (0.254_829_592
            + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    polynomial * (-x * x).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seeded;

    /// So many values between 0 and 1, moved by this.
    fn values(seed: u64, count: usize, shift: f64) -> Vec<f64> {
        let mut seeded = Seeded::new(seed);
        (0..count).map(|_| seeded.below(1_000_000) as f64 / 1e6 + shift).collect()
    }

    #[test]
    fn the_middle_is_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn the_test_agrees_with_a_published_example() {
        let one = [19.0, 22.0, 16.0, 29.0, 24.0];
        let other = [20.0, 11.0, 17.0, 12.0];
        // U = 17 of 20, mean 10, variance 16.67: z = 1.7146.
        assert!((mann_whitney(&one, &other) - 0.0864).abs() < 0.0005, "{}", mann_whitney(&one, &other));
    }

    #[test]
    fn sets_of_one_distribution_are_called_different_as_often_as_the_level_says() {
        let called = (0..400)
            .filter(|seed| mann_whitney(&values(2 * seed, 100, 0.0), &values(2 * seed + 1, 100, 0.0)) < 0.05);
        let called = called.count();
        assert!((8..=36).contains(&called), "{called} of 400 at 5 %");
    }

    #[test]
    fn a_shift_of_a_tenth_is_found_among_two_thousand() {
        assert!(mann_whitney(&values(1, 2000, 0.0), &values(2, 2000, 0.1)) < 1e-6);
        assert!(mann_whitney(&values(1, 2000, 0.0), &values(1, 2000, 0.0)) > 0.99);
    }
}
