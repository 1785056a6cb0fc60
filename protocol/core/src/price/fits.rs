//! Which promotions look at one line, by the round in which they have their turn.
//!
//! Known once per line; what they make of it is decided elsewhere.

/// A promotion on units, and which of its parts the line can be in: part n is bit n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fit {
    pub promotion: u32,
    pub parts: u16,
    /// Another one of the same priority looks at this line too, so that their savings have to be compared.
    pub rival: bool,
}

/// All by their numbers, so that the one that goes first stands first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fits {
    pub units: Vec<Fit>,
    pub stacks: Vec<u32>,
    pub basket: Vec<u32>,
}

impl Fits {
    pub fn find_rivals(&mut self, priority: impl Fn(u32) -> i32) {
        for at in 1..self.units.len() {
            if priority(self.units[at - 1].promotion) == priority(self.units[at].promotion) {
                self.units[at - 1].rival = true;
                self.units[at].rival = true;
            }
        }
    }
}
