//! A store's side of the accounts: what it holds, what it may spend while cut off, what it asks of head office and hands back.
//!
//! A fold of the store's own facts; decides and changes nothing. Which number means which account, and how a question travels, others know.
//! A question is a fact before it is sent, so after any fall `unanswered` names what must be asked again, with the same id.

use std::collections::{BTreeMap, BTreeSet};

use super::{Account, Value};
use crate::facts::accounts::{
    AccountMoved, AccountsFact, Change, Draw, LeaseAsked, LeaseTaken, Moved, OfficeSeen, PointsLine, Seen, Worth,
};
use crate::ids::{CommandId, LeaseId, ReceiptNo, TicketId};
use crate::journal::Epoch;
use crate::time::Instant;

mod deciding;

/// What is to be written, all of it at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Record(Vec<AccountsFact>),
    /// Done before, or nothing to do; what was written stands.
    Already,
    /// Head office was asked with this id and has not answered: pending, or unknown after a fall. Ask again, or give up.
    Waiting,
}

/// Whether head office can be asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Online,
    CutOff,
}

/// How much of one account this store may spend without a lease while it is cut off, until head office has counted it. Zero: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RiskLimit(pub Value);

/// A customer wants to pay with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spend {
    pub command: CommandId,
    pub account: Account,
    pub amount: Value,
    pub ticket: TicketId,
    /// What points are worth at the till; money is worth itself.
    pub worth: Option<Worth>,
}

/// Value that comes in at this store. Only the kinds of `Moved` that bring some are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutIn {
    pub command: CommandId,
    pub account: Account,
    pub amount: Value,
    pub ticket: Option<TicketId>,
    pub receipt: Option<ReceiptNo>,
    pub moved: Moved,
}

/// Points of a sale that was returned; `loyalty::take_back` says which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeBack {
    pub command: CommandId,
    pub account: Account,
    /// The movement that earned them.
    pub of: CommandId,
    pub lines: Vec<PointsLine>,
    pub ticket: Option<TicketId>,
    pub receipt: Option<ReceiptNo>,
}

/// Room in this store's hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub account: Account,
    pub left: Value,
    /// None for value that came in here: nobody else can have it.
    pub until: Option<Instant>,
}

impl Held {
    fn alive(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// A movement this store made, so that it may be said again, or given back.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Done {
    epoch: Epoch,
    account: Account,
    amount: Value,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    PutIn,
    Spent(Paid),
    Other,
}

/// What leases paid, what nobody had lent, and which command gave it back.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Paid {
    covered: Value,
    uncovered: Value,
    worth: Option<Worth>,
    reversed_by: Option<CommandId>,
}

/// The fold. One per box; `open_epoch` when a new one begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leased {
    epoch: Epoch,
    heard: u32,
    held: BTreeMap<LeaseId, Held>,
    asks: BTreeMap<LeaseId, LeaseAsked>,
    /// Asks that had an end: their ids are never asked again, so that a late answer finds nobody.
    ended: BTreeSet<LeaseId>,
    done: BTreeMap<CommandId, Done>,
    blocked: BTreeSet<Account>,
    at_risk: BTreeMap<Account, BTreeMap<CommandId, Value>>,
}

impl Leased {
    pub fn new(epoch: Epoch) -> Leased {
        Leased {
            epoch,
            ..Leased::default()
        }
    }

    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Which life of head office this store obeys.
    pub fn heard(&self) -> u32 {
        self.heard
    }

    /// The box begins a new life: it holds nothing of the old one, and what it asked then is answered to nobody.
    pub fn open_epoch(&mut self, epoch: Epoch) {
        self.epoch = epoch;
        self.heard = 0;
        self.held.clear();
        self.asks.clear();
        self.ended.clear();
    }

    pub fn held(&self) -> impl Iterator<Item = (LeaseId, &Held)> {
        self.held.iter().map(|(lease, held)| (*lease, held))
    }

    /// What was asked and has no answer, to be asked again with the same id after a fall or a silence.
    pub fn unanswered(&self) -> impl Iterator<Item = &LeaseAsked> {
        self.asks.values()
    }

    /// What this store may spend of an account now without asking anybody.
    pub fn room(&self, account: Account, now: Instant) -> Value {
        Value::clamped(self.alive(account, now) - self.kept_free(account, None))
    }

    /// What was spent at the shop's own risk and head office has not counted yet.
    pub fn at_risk(&self, account: Account) -> Value {
        let spent = self.at_risk.get(&account).into_iter().flat_map(BTreeMap::values);
        Value::clamped(spent.map(|value| value.wide()).sum())
    }

    /// Head office has counted this spending and the account could bear it. Not a fact: forgotten with the box, which is the safe side.
    pub fn counted_at_head_office(&mut self, account: Account, command: CommandId) {
        if let Some(open) = self.at_risk.get_mut(&account) {
            open.remove(&command);
        }
    }

    /// Makes a fact true. Facts of head office's own journal change nothing here.
    pub fn apply(&mut self, fact: &AccountsFact) {
        match fact {
            AccountsFact::AccountMoved(moved) => self.apply_moved(moved),
            AccountsFact::AccountChanged(changed) => match changed.change {
                Change::Blocked => drop(self.blocked.insert(changed.account)),
                Change::Unblocked => drop(self.blocked.remove(&changed.account)),
                Change::CreditLimit { .. } => {}
            },
            AccountsFact::LeaseAsked(asked) => drop(self.asks.insert(asked.lease, asked.clone())),
            AccountsFact::LeaseTaken(taken) => self.apply_taken(taken),
            AccountsFact::LeaseReturned(back) => {
                self.held.remove(&back.lease);
                if self.asks.remove(&back.lease).is_some() {
                    self.ended.insert(back.lease);
                }
            }
            AccountsFact::OfficeSeen(OfficeSeen {
                incarnation,
                seen: Seen::Heard,
            }) => self.heard = self.heard.max(*incarnation),
            AccountsFact::AccountOpened(_) | AccountsFact::LeaseGranted(_) | AccountsFact::LeaseClosed(_) | AccountsFact::OfficeSeen(_) => {
            }
        }
    }

    fn apply_taken(&mut self, taken: &LeaseTaken) {
        if let Some(held) = self.held.get_mut(&taken.lease) {
            held.until = held.until.max(Some(taken.until));
            return;
        }
        if self.asks.remove(&taken.lease).is_some() {
            self.ended.insert(taken.lease);
            self.hold(taken.lease, taken.account, taken.amount, Some(taken.until));
        }
    }

    fn apply_moved(&mut self, fact: &AccountMoved) {
        let own = LeaseId(fact.command.0);
        let mut what = What::Other;
        match &fact.moved {
            Moved::Sold | Moved::Reloaded | Moved::RefundedTo | Moved::Issued | Moved::Paid { .. } | Moved::Earned { .. } => {
                what = What::PutIn;
                self.hold(own, fact.account, fact.amount, None);
            }
            Moved::Spent(out) => {
                self.draw(&out.draws);
                if out.uncovered > Value::ZERO {
                    self.at_risk.entry(fact.account).or_default().insert(fact.command, out.uncovered);
                }
                what = What::Spent(Paid {
                    covered: fact.amount.less(out.uncovered),
                    uncovered: out.uncovered,
                    worth: out.worth,
                    reversed_by: None,
                });
            }
            Moved::TakenBack { out, .. } => self.draw(&out.draws),
            Moved::Reversed { of, covered, .. } => {
                self.hold(own, fact.account, *covered, None);
                self.counted_at_head_office(fact.account, *of);
                if let Some(What::Spent(paid)) = self.done.get_mut(of).map(|done| &mut done.what) {
                    paid.reversed_by = Some(fact.command);
                }
            }
            Moved::Replaced { by, out } => {
                self.draw(&out.draws);
                self.hold(own, *by, fact.amount, None);
            }
            Moved::Expired | Moved::CorrectedIn | Moved::CorrectedOut { .. } => {}
        }
        let done = Done {
            epoch: self.epoch,
            account: fact.account,
            amount: fact.amount,
            what,
        };
        self.done.insert(fact.command, done);
    }

    fn hold(&mut self, lease: LeaseId, account: Account, left: Value, until: Option<Instant>) {
        if left > Value::ZERO {
            self.held.insert(lease, Held { account, left, until });
        }
    }

    fn draw(&mut self, draws: &[Draw]) {
        for draw in draws {
            if let Some(held) = self.held.get_mut(&draw.lease) {
                held.left = held.left.less(draw.amount);
                if held.left == Value::ZERO {
                    self.held.remove(&draw.lease);
                }
            }
        }
    }

    fn alive(&self, account: Account, now: Instant) -> i128 {
        let own = self.held.values().filter(|held| held.account == account && held.alive(now));
        own.map(|held| held.left.wide()).sum()
    }

    /// What payments that wait for head office count on, but for one of them.
    fn kept_free(&self, account: Account, but: Option<LeaseId>) -> i128 {
        let waiting = self
            .asks
            .values()
            .filter(|asked| asked.account == account && Some(asked.lease) != but);
        let kept = waiting.filter_map(|asked| asked.payment.map(|payment| payment.whole.less(asked.amount)));
        kept.map(Value::wide).sum()
    }

    /// What ends first is drawn first; value that came in here has no end and is drawn last.
    fn draws(&self, account: Account, amount: Value, now: Instant) -> Vec<Draw> {
        let alive = |held: &Held| held.account == account && held.alive(now);
        let mut own: Vec<_> = self.held.iter().filter(|(_, held)| alive(held)).collect();
        own.sort_by_key(|(lease, held)| (held.until.is_none(), held.until, **lease));
        draw_from(own.into_iter().map(|(lease, held)| (*lease, held.left)), amount)
    }
}

fn draw_from(leases: impl Iterator<Item = (LeaseId, Value)>, amount: Value) -> Vec<Draw> {
    let mut missing = amount;
    let mut draws = Vec::new();
    for (lease, left) in leases {
        let amount = missing.min(left);
        if amount > Value::ZERO {
            draws.push(Draw { lease, amount });
            missing = missing.less(amount);
        }
    }
    draws
}
