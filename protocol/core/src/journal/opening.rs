//! Opening balances: what a shop may bring along from its old books, once, and what must agree before it goes live.

use std::collections::BTreeSet;

use crate::facts::opening::{AccountsOpened, OpenedAccount, OpenedKind, OpenedTill, OpeningFact, TillsOpened, WentLive};
use crate::facts::{Fact, StockOpened};
use crate::ids::{AccountId, TillId};
use crate::journal::Hash;
use crate::money::{MoneyError, Quantity};

/// What the opening says to the one who brings balances along.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("this shop is live since its opening; correct balances with an adjustment")]
    Live,
    #[error("there is nothing in it; leave it out")]
    Empty,
    #[error("account {account} is opened twice; add both balances up and open it once")]
    AccountTwice { account: AccountId },
    #[error("account {account} would begin below nothing; only a customer's account may")]
    BelowNothing { account: AccountId },
    #[error("till {till} is opened twice; take one of the two out")]
    TillTwice { till: TillId },
    #[error("till {till} can not begin with negative totals of sales or positive totals of returns; look at the signs")]
    TillTotals { till: TillId },
    #[error("{what} do not agree: the old books say {said}, what was opened comes to {opened}; open what is missing or correct the figure")]
    Differs { what: &'static str, said: i64, opened: i64 },
    #[error("the sums do not fit: {0}")]
    Money(#[from] MoneyError),
}

impl Refusal {
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Live => "already_live",
            Refusal::Empty => "empty",
            Refusal::AccountTwice { .. } => "account_twice",
            Refusal::BelowNothing { .. } => "below_nothing",
            Refusal::TillTwice { .. } => "till_twice",
            Refusal::TillTotals { .. } => "till_totals",
            Refusal::Differs { .. } => "opening_differs",
            Refusal::Money(_) => "money",
        }
    }
}

/// What was opened so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    accounts: BTreeSet<AccountId>,
    tills: BTreeSet<TillId>,
    sums: WentLive,
    live: bool,
}

impl Opening {
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// What a person compares with the old books.
    pub fn sums(&self) -> &WentLive {
        &self.sums
    }

    pub fn accounts(&self, source: Hash, accounts: Vec<OpenedAccount>) -> Result<OpeningFact, Refusal> {
        self.still_opening(accounts.is_empty())?;
        let mut seen = BTreeSet::new();
        for OpenedAccount { account, kind, balance } in &accounts {
            if self.accounts.contains(account) || !seen.insert(*account) {
                return Err(Refusal::AccountTwice { account: *account });
            }
            if *balance < 0 && *kind != OpenedKind::OnAccount {
                return Err(Refusal::BelowNothing { account: *account });
            }
        }
        self.fits(OpeningFact::AccountsOpened(AccountsOpened { source, accounts }))
    }

    pub fn tills(&self, source: Hash, tills: Vec<OpenedTill>) -> Result<OpeningFact, Refusal> {
        self.still_opening(tills.is_empty())?;
        let mut seen = BTreeSet::new();
        for opened in &tills {
            let till = opened.till;
            if self.tills.contains(&till) || !seen.insert(till) {
                return Err(Refusal::TillTwice { till });
            }
            if opened.perpetual_sales.0 < 0 || opened.perpetual_returns.0 > 0 {
                return Err(Refusal::TillTotals { till });
            }
        }
        self.fits(OpeningFact::TillsOpened(TillsOpened { source, tills }))
    }

    /// `said`: the sums of the old books, read by a person.
    pub fn go_live(&self, said: WentLive) -> Result<OpeningFact, Refusal> {
        self.still_opening(false)?;
        let of = |sums: &WentLive| {
            let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
            [
                ("the items with stock", count(sums.items)),
                ("the thousandths on hand", sums.on_hand.0),
                ("the accounts", count(sums.accounts)),
                ("the balances in money", sums.money.0),
                ("the points", sums.points),
                ("the tills", count(sums.tills)),
                ("the perpetual sales", sums.perpetual_sales.0),
                ("the perpetual returns", sums.perpetual_returns.0),
            ]
        };
        for ((what, said), (_, opened)) in of(&said).into_iter().zip(of(&self.sums)) {
            if said != opened {
                return Err(Refusal::Differs { what, said, opened });
            }
        }
        Ok(OpeningFact::WentLive(said))
    }

    pub fn apply(&mut self, fact: &Fact) -> Result<(), MoneyError> {
        match fact {
            Fact::StockOpened(opened) if !self.live => self.stock(opened),
            Fact::Opening(fact) => self.take(fact),
            _ => Ok(()),
        }
    }

    fn still_opening(&self, empty: bool) -> Result<(), Refusal> {
        match (self.live, empty) {
            (true, _) => Err(Refusal::Live),
            (false, true) => Err(Refusal::Empty),
            (false, false) => Ok(()),
        }
    }

    fn fits(&self, fact: OpeningFact) -> Result<OpeningFact, Refusal> {
        self.clone().take(&fact)?;
        Ok(fact)
    }

    fn stock(&mut self, opened: &StockOpened) -> Result<(), MoneyError> {
        for moved in &opened.moves {
            self.sums.items = more(self.sums.items)?;
            let on_hand = self.sums.on_hand.0.checked_add(moved.delta.0).ok_or(MoneyError::TooLarge)?;
            self.sums.on_hand = Quantity(on_hand);
        }
        Ok(())
    }

    fn take(&mut self, fact: &OpeningFact) -> Result<(), MoneyError> {
        match fact {
            OpeningFact::AccountsOpened(opened) => {
                for account in &opened.accounts {
                    self.accounts.insert(account.account);
                    self.sums.accounts = more(self.sums.accounts)?;
                    let sum = match account.kind {
                        OpenedKind::Points => &mut self.sums.points,
                        OpenedKind::GiftCard | OpenedKind::StoreCredit | OpenedKind::OnAccount => &mut self.sums.money.0,
                    };
                    *sum = sum.checked_add(account.balance).ok_or(MoneyError::TooLarge)?;
                }
            }
            OpeningFact::TillsOpened(opened) => {
                for till in &opened.tills {
                    self.tills.insert(till.till);
                    self.sums.tills = more(self.sums.tills)?;
                    self.sums.perpetual_sales = self.sums.perpetual_sales.checked_add(till.perpetual_sales)?;
                    self.sums.perpetual_returns = self.sums.perpetual_returns.checked_add(till.perpetual_returns)?;
                }
            }
            OpeningFact::WentLive(_) => self.live = true,
        }
        Ok(())
    }
}

fn more(count: u64) -> Result<u64, MoneyError> {
    count.checked_add(1).ok_or(MoneyError::TooLarge)
}

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;
