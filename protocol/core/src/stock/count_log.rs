//! What moved since a count began, so that on hand at the instant somebody counted can be told later. Kept only while someone counts.

use std::collections::BTreeMap;

use crate::catalog::Sku;
use crate::money::Quantity;
use crate::stock::StockMove;
use crate::stock::room::Mark;

#[derive(Clone, Debug, Default)]
pub(super) struct MoveLog(BTreeMap<Sku, Vec<(Mark, Quantity)>>);

impl MoveLog {
    pub(super) fn moved(&mut self, mark: Mark, moves: &[StockMove]) {
        for moved in moves {
            self.0.entry(moved.sku.clone()).or_default().push((mark, moved.delta));
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What was on hand when the entry at `mark` was the last, given what is on hand now.
    pub(super) fn on_hand_at(&self, sku: &Sku, mark: Mark, now: Quantity) -> Quantity {
        let since = self.0.get(sku).into_iter().flatten().filter(|(at, _)| *at > mark);
        Quantity(since.fold(now.0, |held, (_, delta)| held.saturating_sub(delta.0)))
    }

    /// Whether the item moved after one entry and up to another.
    pub(super) fn moved_between(&self, sku: &Sku, from: Mark, to: Mark) -> bool {
        self.0.get(sku).into_iter().flatten().any(|(at, _)| (from < *at) && (*at <= to))
    }
}
