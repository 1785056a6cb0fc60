//! What stock is worth: a moving average per item, kept as the whole value in minor units, so that nothing is lost by rounding.
//!
//! - What comes in with a cost adds that cost. What comes in without one (a return, a found piece) comes in at the average.
//! - What goes out takes its share of the value; the last piece takes the rest. So what went out and what is left always add up to what came in.
//! - Below zero the last average is kept: what leaves is booked at it, and the value is negative. When goods come, what was booked too
//!   much or too little is named as a correction and does not distort the average of what is now on hand.
//! - Goods whose cost nobody knows are worth nothing until the first cost is known; then all of them are worth that, by a correction.
//!
//! Knows no accounts: what is posted where is for the ledger.

use crate::money::{Money, MoneyError, Quantity};

/// The worth of what is on hand of one item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worth {
    value: Money,
    /// So much money for so many: what goods cost when the last of them left, or the last that came in. The average of an item
    /// with goods on hand is its value; this counts at zero and below.
    last: Option<Rate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rate {
    cost: Money,
    of: Quantity,
}

/// What a move did to the value: value before + cost + correction = value after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Booked {
    /// Negative for what went out; none when nobody knows what the goods cost.
    pub cost: Option<Money>,
    pub correction: Money,
}

impl Worth {
    pub fn value(&self) -> Money {
        self.value
    }

    pub fn is_known(&self) -> bool {
        self.last.is_some()
    }

    /// What one unit is worth, rounded for people.
    pub fn unit_cost(&self, on_hand: Quantity) -> Option<Money> {
        let last = self.last?;
        let rate = if on_hand.0 > 0 {
            Rate {
                cost: self.value,
                of: on_hand,
            }
        } else {
            last
        };
        rate.times(Quantity::ONE.0).ok()
    }

    pub(super) fn moved(self, on_hand: Quantity, delta: Quantity, cost: Option<Money>) -> Result<(Worth, Booked), MoneyError> {
        let after = super::plus(on_hand, delta)?;
        if delta.0 == 0 {
            return Ok((self, Booked::UNKNOWN));
        }
        if delta.0 < 0 {
            self.goes(on_hand, after)
        } else {
            self.comes(on_hand, delta, after, cost)
        }
    }

    fn goes(mut self, before: Quantity, after: Quantity) -> Result<(Worth, Booked), MoneyError> {
        if self.last.is_none() {
            return Ok((self, Booked::UNKNOWN));
        }
        if before.0 > 0 && after.0 <= 0 {
            self.last = Some(Rate {
                cost: self.value,
                of: before,
            });
        }
        let value = match self.last {
            Some(last) if after.0 <= 0 => {
                let from = if before.0 > 0 { Money::ZERO } else { self.value };
                // Each step below zero is booked at the last average; only the first begins at nothing.
                let step = if before.0 > 0 { after.0 } else { super::minus(after, before)?.0 };
                from.checked_add(last.times(step)?)?
            }
            _ => part(self.value, after.0, before.0)?,
        };
        let cost = value.checked_sub(self.value)?;
        self.value = value;
        Ok((
            self,
            Booked {
                cost: Some(cost),
                correction: Money::ZERO,
            },
        ))
    }

    fn comes(mut self, before: Quantity, delta: Quantity, after: Quantity, cost: Option<Money>) -> Result<(Worth, Booked), MoneyError> {
        let known = self.last.is_some();
        if let Some(cost) = cost {
            self.last = Some(Rate { cost, of: delta });
        }
        let cost = match (cost, self.last) {
            (Some(cost), _) => cost,
            (None, None) => return Ok((self, Booked::UNKNOWN)),
            (None, Some(_)) if before.0 > 0 => part(self.value, delta.0, before.0)?,
            (None, Some(last)) => last.times(delta.0)?,
        };
        let rate = Rate { cost, of: delta };
        let value = if before.0 < 0 && after.0 <= 0 {
            // It covers a part of what is missing; the rest stays booked as it was.
            part(self.value, after.0, before.0)?
        } else if before.0 < 0 || !known {
            rate.times(after.0)?
        } else {
            self.value.checked_add(cost)?
        };
        let correction = value.checked_sub(self.value)?.checked_sub(cost)?;
        self.value = value;
        Ok((
            self,
            Booked {
                cost: Some(cost),
                correction,
            },
        ))
    }
}

impl Booked {
    const UNKNOWN: Booked = Booked {
        cost: None,
        correction: Money::ZERO,
    };
}

impl Rate {
    fn times(self, quantity: i64) -> Result<Money, MoneyError> {
        part(self.cost, quantity, self.of.0)
    }
}

/// `quantity` of `of` of an amount, towards zero; nothing of nothing.
pub(super) fn part(amount: Money, quantity: i64, of: i64) -> Result<Money, MoneyError> {
    let exact = i128::from(amount.0) * i128::from(quantity);
    let share = exact.checked_div(i128::from(of)).unwrap_or(0);
    i64::try_from(share).map(Money).map_err(|_| MoneyError::TooLarge)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Books {
        on_hand: Quantity,
        worth: Worth,
    }

    impl Books {
        fn new() -> Self {
            Self {
                on_hand: Quantity(0),
                worth: Worth::default(),
            }
        }

        fn moves(&mut self, delta: i64, cost: Option<i64>) -> Booked {
            let (worth, booked) = self.worth.moved(self.on_hand, Quantity(delta), cost.map(Money)).unwrap();
            let sum = self.worth.value.0 + booked.cost.unwrap_or_default().0 + booked.correction.0;
            assert_eq!(worth.value.0, sum);
            self.on_hand.0 += delta;
            self.worth = worth;
            booked
        }
    }

    #[test]
    fn the_average_moves_with_each_receipt_and_a_sale_takes_its_share() {
        let mut books = Books::new();
        books.moves(10_000, Some(1000));
        books.moves(10_000, Some(2000));
        assert_eq!(books.worth.unit_cost(books.on_hand), Some(Money(150)));
        assert_eq!(books.moves(-5000, None).cost, Some(Money(-750)));
        assert_eq!(books.worth.value(), Money(2250));
    }

    #[test]
    fn three_for_a_euro_are_sold_without_losing_a_cent() {
        let mut books = Books::new();
        books.moves(3000, Some(100));
        let taken: i64 = (0..3).map(|_| books.moves(-1000, None).cost.unwrap().0).sum();
        assert_eq!(taken, -100);
        assert_eq!(books.worth.value(), Money(0));
    }

    #[test]
    fn below_zero_the_last_cost_is_kept_and_the_next_receipt_names_the_correction() {
        let mut books = Books::new();
        books.moves(1000, Some(500));
        books.moves(-1000, None);
        assert_eq!(books.moves(-2000, None).cost, Some(Money(-1000)));
        assert_eq!(books.worth.value(), Money(-1000));
        let booked = books.moves(5000, Some(3000));
        // Two were booked at 5.00 and came for 6.00; three at 6.00 are on hand.
        assert_eq!(booked.correction, Money(-200));
        assert_eq!(books.worth.value(), Money(1800));
    }

    #[test]
    fn goods_without_a_cost_take_the_first_that_is_known() {
        let mut books = Books::new();
        assert_eq!(books.moves(4000, None).cost, None);
        assert_eq!(books.worth.unit_cost(books.on_hand), None);
        let booked = books.moves(1000, Some(300));
        assert_eq!((books.worth.value(), booked.correction), (Money(1500), Money(1200)));
        assert_eq!(books.worth.unit_cost(books.on_hand), Some(Money(300)));
    }

    #[test]
    fn a_return_comes_in_at_the_average_or_at_the_last_cost() {
        let mut books = Books::new();
        books.moves(2000, Some(700));
        books.moves(-2000, None);
        assert_eq!(books.moves(1000, None).cost, Some(Money(350)));
    }

    proptest! {
        /// Whatever comes and goes: with goods on hand the value is not negative, with none it is nothing, and it always adds up.
        #[test]
        fn the_value_adds_up_and_is_nothing_when_nothing_is_there(moves in prop::collection::vec((-20_000i64..20_000, prop::option::of(0i64..100_000)), 1..60)) {
            let mut books = Books::new();
            for (delta, cost) in moves {
                books.moves(delta, cost);
                match books.on_hand.0 {
                    0 => prop_assert_eq!(books.worth.value(), Money(0)),
                    1.. => prop_assert!(books.worth.value().0 >= 0),
                    _ => prop_assert!(books.worth.value().0 <= 0),
                }
            }
        }

        #[test]
        fn absurd_figures_are_refused_not_wrapped(moves in prop::collection::vec((any::<i64>(), prop::option::of(any::<i64>())), 1..20)) {
            let (mut on_hand, mut worth) = (Quantity(0), Worth::default());
            for (delta, cost) in moves {
                if let Ok((after, _)) = worth.moved(on_hand, Quantity(delta), cost.map(Money)) {
                    worth = after;
                    on_hand.0 += delta;
                }
            }
        }
    }
}
