//! Chance that can be repeated: the same seed gives the same campaign. Not for secrets.

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A chance of its own for one of many, which does not depend on the order in which they are asked.
    pub fn branch(&self, which: u64) -> Self {
        // Through the mixer: states that lie a step apart would draw the same numbers, one after the other.
        let mut branch = Self(self.0 ^ which.wrapping_add(1).wrapping_mul(0xd1b5_4a32_d192_ed03));
        Self(branch.draw())
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to, but not including, `below`.
    pub fn below(&mut self, below: u64) -> u64 {
        if below == 0 { 0 } else { self.draw() % below }
    }

    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len() as u64) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_many_do_not_do_the_same_a_moment_apart() {
        let draw = |which| {
            let mut chance = Chance::seeded(1).branch(which);
            (0..50).map(|_| chance.draw()).collect::<std::collections::HashSet<_>>()
        };
        for which in 1..8 {
            assert!(draw(0).is_disjoint(&draw(which)), "{which}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_campaign() {
        let draw = |seed| {
            let mut chance = Chance::seeded(seed);
            (0..10).map(|_| chance.between(3, 7)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert!(draw(7).iter().all(|number| (3..=7).contains(number)));
    }
}
