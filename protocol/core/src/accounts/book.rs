//! Head office's side of the accounts: every balance, every lease that is out, and who still has to be heard after a restore.
//!
//! A fold of the facts of all stores and of head office's own journal, in any order between stores and in order within each. What counts is
//! sums per lease and per account, so late and old facts end in the same figures. Decides into facts; changes nothing by itself.
//!
//! **A restored head office** (`Seen::Began`) grants nothing until every store has said, in its journal, that it takes nothing from the life
//! before. All it took then lies before that entry, so head office knows every lease again. A store whose box was set back in the same
//! stretch may have lost entries that head office lost too: its word is not enough, and a person answers for it.

use std::collections::BTreeMap;

pub use self::balance::{Balance, Lot, OpenInvoice, Shown};
use super::{Account, Value};
use crate::facts::accounts::{AccountMoved, AccountsFact, LeaseEnd, LeaseGranted, LeaseName, Moved, OfficeSeen, Outflow, Seen};
use crate::ids::{LeaseId, StoreId};
use crate::journal::Epoch;
use crate::time::Instant;

mod balance;
mod deciding;

/// Where a fact was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Store { store: StoreId, epoch: Epoch },
    Office,
}

/// A store's question for room to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    pub store: StoreId,
    pub epoch: Epoch,
    pub lease: LeaseId,
    pub account: Account,
    pub amount: Value,
}

/// What head office answers when it does not refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To be written first, then sent.
    Granted(LeaseGranted),
    /// The same question again: the same answer, and nothing is written.
    Again(LeaseGranted),
}

/// Room that is, or was, with a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseOut {
    pub account: Account,
    pub until: Option<Instant>,
    lent: i128,
    spent: i128,
    returned: i128,
    /// The store said it never took it, and never will.
    never_taken: bool,
}

impl LeaseOut {
    fn left(&self) -> i128 {
        let lent = if self.never_taken { 0 } else { self.lent };
        lent - self.spent - self.returned
    }

    /// What the store may still spend, or has spent without head office knowing.
    pub fn open(&self) -> Value {
        Value::clamped(self.left())
    }

    /// What was spent beyond it: only a box that was set back and sold on in the same epoch, or a person's wrong count, makes any.
    pub fn overdrawn(&self) -> i128 {
        (-self.left()).max(0)
    }
}

/// How far a store's word is known to this life of head office.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Proven,
    /// Head office began anew; the store was last known in this epoch.
    Unheard {
        last_known: Epoch,
    },
    /// It was heard, from a box that is not the one last known.
    NeedsPerson {
        last_known: Epoch,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Store {
    epoch: Epoch,
    standing: Standing,
}

/// Whether a store's own word will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeedsPerson {
    No,
    Yes,
}

/// The fold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    incarnation: u32,
    stores: BTreeMap<StoreId, Store>,
    accounts: BTreeMap<Account, Balance>,
    leases: BTreeMap<LeaseName, LeaseOut>,
    at_risk: BTreeMap<(StoreId, Account), i128>,
}

impl Book {
    /// An empty book over all stores that may hold anything. A store the roster forgot is one whose leases head office does not know.
    pub fn new(roster: impl IntoIterator<Item = StoreId>) -> Book {
        let unseen = Store {
            epoch: Epoch(0),
            standing: Standing::Proven,
        };
        Book {
            incarnation: 0,
            stores: roster.into_iter().map(|store| (store, unseen)).collect(),
            accounts: BTreeMap::new(),
            leases: BTreeMap::new(),
            at_risk: BTreeMap::new(),
        }
    }

    pub fn incarnation(&self) -> u32 {
        self.incarnation
    }

    pub fn balance(&self, account: Account) -> Option<&Balance> {
        self.accounts.get(&account)
    }

    pub fn balances(&self) -> impl Iterator<Item = (&Account, &Balance)> {
        self.accounts.iter()
    }

    pub fn lease(&self, name: LeaseName) -> Option<&LeaseOut> {
        self.leases.get(&name)
    }

    /// Leases that still have something open.
    pub fn leases_out(&self) -> impl Iterator<Item = (&LeaseName, &LeaseOut)> {
        self.leases.iter().filter(|(_, lease)| lease.left() > 0)
    }

    /// Open leases of epochs that are over: nobody spends from them, and nobody knows whether lost entries did. A person closes them.
    pub fn in_doubt(&self) -> impl Iterator<Item = (&LeaseName, &LeaseOut)> {
        self.leases_out().filter(|(name, _)| self.superseded(name))
    }

    /// What stores spent beyond what they held, per store and account.
    pub fn debts(&self) -> BTreeMap<(StoreId, Account), i128> {
        let mut debts = BTreeMap::new();
        for (name, lease) in self.leases.iter().filter(|(_, lease)| lease.overdrawn() > 0) {
            *debts.entry((name.store, lease.account)).or_default() += lease.overdrawn();
        }
        debts
    }

    /// What stores spent at the shop's declared risk, reversals taken off. Flagged, whether or not the account could bear it.
    pub fn at_risk(&self) -> impl Iterator<Item = (&(StoreId, Account), i128)> {
        let spent = self.at_risk.iter().filter(|(_, value)| **value != 0);
        spent.map(|(key, value)| (key, *value))
    }

    /// The first store this life of head office must still hear, and whether a person has to answer for it.
    pub fn recovering(&self) -> Option<(StoreId, NeedsPerson)> {
        self.stores.iter().find_map(|(store, known)| match known.standing {
            Standing::Proven => None,
            Standing::Unheard { .. } => Some((*store, NeedsPerson::No)),
            Standing::NeedsPerson { .. } => Some((*store, NeedsPerson::Yes)),
        })
    }

    /// The store's journal says a new epoch began. Leases of the old one spend nothing more.
    pub fn epoch_opened(&mut self, store: StoreId, epoch: Epoch) {
        if let Some(known) = self.stores.get_mut(&store) {
            known.epoch = known.epoch.max(epoch);
        }
    }

    /// What an account held in the shop's old books, on the day it goes live. It is head office's to lend; below zero the customer owes it.
    pub fn opened(&mut self, account: Account, balance: i64) {
        self.accounts.entry(account).or_default().opened(balance);
    }

    /// Makes a fact true, whenever it comes. A store's facts come in the order of its journal, each once. What only head office may say
    /// changes nothing when a store's journal says it, but that amounts always count.
    pub fn apply(&mut self, origin: Origin, fact: &AccountsFact) {
        match fact {
            AccountsFact::AccountOpened(opened) => drop(self.accounts.entry(opened.account).or_default()),
            AccountsFact::AccountMoved(moved) => self.apply_moved(origin, moved),
            AccountsFact::AccountChanged(changed) => {
                // A store that follows writes the same; only head office's own word sets it.
                if origin == Origin::Office {
                    self.accounts.entry(changed.account).or_default().change(&changed.change);
                }
            }
            AccountsFact::LeaseAsked(_) => {}
            AccountsFact::LeaseGranted(_) | AccountsFact::LeaseClosed(_) if origin != Origin::Office => {}
            AccountsFact::LeaseGranted(grant) => {
                let (store, epoch, lease) = (grant.store, grant.epoch, grant.lease);
                self.lend(LeaseName { store, epoch, lease }, grant.account, grant.amount, Some(grant.until));
            }
            AccountsFact::LeaseTaken(taken) => {
                if let Some(name) = named(origin, taken.lease) {
                    self.lend(name, taken.account, taken.amount, Some(taken.until));
                }
            }
            AccountsFact::LeaseReturned(back) => {
                if let Some(name) = named(origin, back.lease) {
                    self.touch(name, back.account, |lease| match back.end {
                        LeaseEnd::HandedBack | LeaseEnd::Expired => lease.returned += back.amount.wide(),
                        LeaseEnd::Refused | LeaseEnd::GivenUp => lease.never_taken = true,
                    });
                }
            }
            AccountsFact::LeaseClosed(closed) => {
                self.touch(closed.name, closed.account, |lease| lease.returned += closed.released.wide());
            }
            AccountsFact::OfficeSeen(seen) => self.apply_seen(origin, seen),
        }
    }

    fn apply_seen(&mut self, origin: Origin, fact: &OfficeSeen) {
        match (&fact.seen, origin) {
            (Seen::Began, Origin::Office) => self.begin_anew(fact.incarnation),
            (Seen::Heard, Origin::Store { store, epoch }) if fact.incarnation == self.incarnation => {
                let Some(known) = self.stores.get_mut(&store) else { return };
                if let Standing::Unheard { last_known } = known.standing {
                    let same_box = epoch == last_known || (last_known == Epoch(0) && epoch == Epoch(1));
                    known.standing = if same_box {
                        Standing::Proven
                    } else {
                        Standing::NeedsPerson { last_known }
                    };
                }
            }
            (Seen::Vouched { store }, Origin::Office) => {
                if let Some(known) = self.stores.get_mut(store) {
                    known.standing = Standing::Proven;
                }
            }
            _ => {}
        }
    }

    fn begin_anew(&mut self, incarnation: u32) {
        let first = self.incarnation == 0;
        self.incarnation = self.incarnation.max(incarnation);
        if first {
            return;
        }
        for store in self.stores.values_mut() {
            // Who was not proven to the life before stays measured by what was known then.
            let last_known = match store.standing {
                Standing::Proven => store.epoch,
                Standing::Unheard { last_known } | Standing::NeedsPerson { last_known } => last_known,
            };
            store.standing = Standing::Unheard { last_known };
        }
    }

    fn apply_moved(&mut self, origin: Origin, fact: &AccountMoved) {
        let own = named(origin, LeaseId(fact.command.0));
        self.accounts.entry(fact.account).or_default().moved(fact);
        match &fact.moved {
            Moved::Sold | Moved::Reloaded | Moved::RefundedTo | Moved::Issued | Moved::Paid { .. } | Moved::Earned { .. } => {
                if let Some(name) = own {
                    self.lend(name, fact.account, fact.amount, None);
                }
            }
            Moved::Spent(out) => {
                self.draw(origin, fact.account, out);
                self.risk(origin, fact.account, out.uncovered.wide());
            }
            Moved::TakenBack { out, .. } => self.draw(origin, fact.account, out),
            Moved::Reversed { covered, uncovered, .. } => {
                if let Some(name) = own {
                    self.lend(name, fact.account, *covered, None);
                }
                self.risk(origin, fact.account, -uncovered.wide());
            }
            Moved::Replaced { by, out } => {
                self.draw(origin, fact.account, out);
                self.accounts.entry(*by).or_default().arrived(fact.amount);
                if let Some(name) = own {
                    self.lend(name, *by, fact.amount, None);
                }
            }
            Moved::CorrectedOut { from: Some(name) } if origin == Origin::Office => {
                self.touch(*name, fact.account, |lease| lease.spent += fact.amount.wide());
            }
            Moved::Expired | Moved::CorrectedIn | Moved::CorrectedOut { .. } => {}
        }
    }

    fn draw(&mut self, origin: Origin, account: Account, out: &Outflow) {
        for draw in &out.draws {
            if let Some(name) = named(origin, draw.lease) {
                self.touch(name, account, |lease| lease.spent += draw.amount.wide());
            }
        }
    }

    fn risk(&mut self, origin: Origin, account: Account, value: i128) {
        if let (Origin::Store { store, .. }, true) = (origin, value != 0) {
            *self.at_risk.entry((store, account)).or_default() += value;
        }
    }

    /// Known twice, by head office's own fact and by the store's, it is lent once; the later end counts.
    fn lend(&mut self, name: LeaseName, account: Account, amount: Value, until: Option<Instant>) {
        self.touch(name, account, |lease| {
            lease.lent = lease.lent.max(amount.wide());
            lease.until = lease.until.max(until);
        });
    }

    /// Changes a lease and keeps the account's sum of what is out.
    fn touch(&mut self, name: LeaseName, account: Account, change: impl FnOnce(&mut LeaseOut)) {
        let lease = self.leases.entry(name).or_insert(LeaseOut {
            account,
            until: None,
            lent: 0,
            spent: 0,
            returned: 0,
            never_taken: false,
        });
        let before = lease.left().max(0);
        change(lease);
        let after = lease.left().max(0);
        self.accounts.entry(lease.account).or_default().out += after - before;
    }

    fn superseded(&self, name: &LeaseName) -> bool {
        self.stores.get(&name.store).is_some_and(|known| name.epoch < known.epoch)
    }
}

fn named(origin: Origin, lease: LeaseId) -> Option<LeaseName> {
    match origin {
        Origin::Store { store, epoch } => Some(LeaseName { store, epoch, lease }),
        Origin::Office => None,
    }
}
