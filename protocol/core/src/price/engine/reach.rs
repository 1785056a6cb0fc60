//! How far a change of one line reaches: the lines whose first two rounds can come out otherwise.
//!
//! A promotion ties all lines it looks at, when it makes sets, has a limit, or has a rival of its own priority on one of them, as then
//! their savings are compared. One that takes its percent of each line by itself ties nothing.

use std::collections::BTreeSet;

use super::Engine;
use super::line::Line;
use crate::price::offers::Offers;

impl Engine {
    /// The changed line and all that are tied to it, before the change or after it.
    pub(super) fn reached(&self, offers: &Offers, put: Option<&Line>, changed: Option<u32>) -> BTreeSet<u32> {
        let new_rivals: BTreeSet<u32> = put
            .iter()
            .flat_map(|line| &line.fits.units)
            .filter(|fit| fit.rival)
            .map(|fit| fit.promotion)
            .collect();
        let ties = |number: u32| {
            let promotion = offers.promotion(number);
            promotion.set_size().is_some()
                || promotion.limit.is_some()
                || self.rivalries.get(&number).is_some_and(|count| *count > 0)
                || new_rivals.contains(&number)
        };
        let mut reached: BTreeSet<u32> = changed.into_iter().collect();
        let mut followed = BTreeSet::new();
        let mut waiting: Vec<u32> = Vec::new();
        let old = changed.and_then(|number| self.lines.get(&number));
        for fit in put.into_iter().chain(old).flat_map(|line| &line.fits.units) {
            waiting.push(fit.promotion);
        }
        while let Some(number) = waiting.pop() {
            if !ties(number) || !followed.insert(number) {
                continue;
            }
            for other in self.looked_at.get(&number).into_iter().flatten() {
                if reached.insert(*other)
                    && let Some(line) = self.lines.get(other)
                {
                    waiting.extend(line.fits.units.iter().map(|fit| fit.promotion));
                }
            }
        }
        reached
    }
}
