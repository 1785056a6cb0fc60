//! Cash of one currency through one till, and what the formula says must be there.
//!
//! The one place of that formula: begin + taken - change - refunds + paid in + received - paid out - drops. Cards, gift cards and accounts
//! never come here.

use serde::{Deserialize, Serialize};

use crate::money::{Currency, Money, MoneyError};

/// An amount and its currency, where it may be another than the store's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrencySum {
    pub currency: Currency,
    pub amount: Money,
}

/// Everything that moved cash of one currency; every figure counts upwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    pub float: Money,
    pub taken: Money,
    pub change: Money,
    pub refunds: Money,
    pub paid_in: Money,
    pub paid_out: Money,
    /// From another till.
    pub received: Money,
    /// Into another till, or out of the till for good.
    pub drops: Money,
}

impl Flow {
    pub fn expected(&self) -> Result<Money, MoneyError> {
        let into = [self.float, self.taken, self.paid_in, self.received];
        let out = [self.change, self.refunds, self.paid_out, self.drops];
        Money::sum(into)?.checked_sub(Money::sum(out)?)
    }

    pub fn resting(float: Money) -> Self {
        Self { float, ..Self::default() }
    }
}

/// Cash of a currency that is not the store's own: it has its own float, its own flow and its own expected sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignCash {
    pub currency: Currency,
    pub flow: Flow,
}

/// The flow of a currency, made when it is the first time. Ordered by the currency's code, so that the same facts give the same bytes.
pub(super) fn foreign(all: &mut Vec<ForeignCash>, currency: Currency) -> &mut Flow {
    let place = match all.binary_search_by(|known| known.currency.code().cmp(currency.code())) {
        Ok(place) => place,
        Err(place) => {
            let flow = Flow::default();
            all.insert(place, ForeignCash { currency, flow });
            place
        }
    };
    &mut all[place].flow
}

pub(super) fn add(sum: &mut Money, more: Money) -> Result<(), MoneyError> {
    *sum = sum.checked_add(more)?;
    Ok(())
}
