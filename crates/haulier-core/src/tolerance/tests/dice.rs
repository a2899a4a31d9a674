//! Random numbers that are the same for the same seed.

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Between 0 and 1, without 0.
    pub(super) fn share(&mut self) -> f64 {
        (f64::from(u32::try_from(self.next() >> 32).unwrap()) + 1.0) / 4_294_967_297.0
    }

    /// A lognormal factor of mean 1.
    pub(super) fn lognormal(&mut self, sigma: f64) -> f64 {
        // Box and Muller.
        let normal = (-2.0 * self.share().ln()).sqrt() * (std::f64::consts::TAU * self.share()).cos();
        (sigma * normal - sigma * sigma / 2.0).exp()
    }
}
