//! Draws that repeat: splitmix64.

/// A source of draws. The same seed gives the same draws, everywhere and for ever.
#[derive(Debug)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is small, so that the unevenness of the remainder does not matter.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    /// True in so many of 100 draws.
    pub(crate) fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    /// One of these, of which there is at least one.
    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from.get(self.below(from.len())).copied().unwrap_or_default()
    }

    /// A point in time of the last years as RFC 3339 writes it, now and then with a fraction, seldom an odd one.
    pub(crate) fn moment(&mut self) -> String {
        const ODD: &[&str] = &[
            "2024-02-29T23:59:59.999999Z",
            "1970-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2000-01-01T00:00:00.000001Z",
            "2016-12-31T23:59:59Z",
        ];
        if self.below(60) == 0 {
            return self.pick(ODD).to_owned();
        }
        let (year, month, day) = (2015 + self.below(11), 1 + self.below(12), 1 + self.below(28));
        let (hour, minute, second) = (self.below(24), self.below(60), self.below(60));
        let fraction =
            if self.below(7) == 0 { format!(".{:06}", self.below(1_000_000)) } else { String::new() };
        format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
    }

    /// An amount of money with two decimals, now and then nothing, seldom an odd one.
    pub(crate) fn amount(&mut self) -> Option<String> {
        match self.below(20) {
            0 => None,
            1 => Some("0".to_owned()),
            2 => Some(format!("-{}.{:02}", self.below(500), self.below(100))),
            3 => Some("9999999999.99".to_owned()),
            _ => Some(format!("{}.{:02}", self.below(250_000), self.below(100))),
        }
    }
}
