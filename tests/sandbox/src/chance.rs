//! Randomness from one seed: the same seed gives the same sandbox.

use parking_lot::Mutex;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of random numbers of its own for one purpose.
#[derive(Debug)]
pub struct Chance(Mutex<ChaCha8Rng>);

impl Chance {
    /// The stream numbered `purpose` of `seed`.
    pub fn new(seed: u64, purpose: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(purpose);
        Self(Mutex::new(generator))
    }

    /// Whether something of this probability happens.
    pub fn happens(&self, probability: f64) -> bool {
        probability > 0.0 && self.fraction() < probability
    }

    /// A number between `least` and `most`.
    pub fn between(&self, least: f64, most: f64) -> f64 {
        least + (most - least) * self.fraction()
    }

    /// A number whose logarithm is normally distributed, with this median and spread.
    pub fn lognormal(&self, median: f64, spread: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.fraction()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.fraction()).cos();
        median * (spread * normal).exp()
    }

    /// A number between 0 and 1, 1 excluded.
    pub fn fraction(&self) -> f64 {
        self.0.lock().random::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_purpose_give_the_same_numbers() {
        let draw = |seed, purpose| {
            let chance = Chance::new(seed, purpose);
            [chance.fraction(), chance.fraction()]
        };
        assert!(draw(7, 1).iter().zip(draw(7, 1)).all(|(a, b)| a.to_bits() == b.to_bits()));
        assert!(draw(7, 1)[0].to_bits() != draw(7, 2)[0].to_bits());
    }

    #[test]
    fn half_of_lognormal_numbers_are_below_their_median() {
        let chance = Chance::new(1, 1);
        let below = (0..1000).filter(|_| chance.lognormal(3.0, 1.0) < 3.0).count();
        assert!((450..550).contains(&below), "{below}");
    }
}
