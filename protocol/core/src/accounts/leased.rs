//! A store's side of the accounts: what it holds, what it may spend while cut off, what it asks of head office and hands back.
//!
//! A fold of the store's own facts; decides and changes nothing. Which number means which account, and how a question travels, others know.
//! A question is a fact before it is sent, so after any fall `unanswered` names what must be asked again, with the same id.

use std::collections::{BTreeMap, BTreeSet};

use super::{Account, AccountKind, Refusal, Value};
use crate::facts::accounts::{
    AccountMoved, AccountsFact, Change, Draw, LeaseAsked, LeaseEnd, LeaseGranted, LeaseReturned, LeaseTaken, Moved, OfficeSeen, Outflow,
    Payment, PointsLine, Seen, Worth,
};
use crate::ids::{CommandId, LeaseId, ReceiptNo, TicketId};
use crate::journal::Epoch;
use crate::time::Instant;

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

    pub fn put_in(&self, wish: PutIn) -> Result<Decision, Refusal> {
        let PutIn {
            command, account, amount, ..
        } = wish;
        if self.said_before(command, account, amount, |what| *what == What::PutIn)? {
            return Ok(Decision::Already);
        }
        how_it_fills(&wish.moved, account.kind).map_err(|what| Refusal::WrongKind { kind: account.kind, what })?;
        self.fits(account, amount)?;
        Ok(record(AccountMoved {
            command,
            account,
            amount,
            ticket: wish.ticket,
            receipt: wish.receipt,
            moved: wish.moved,
        }))
    }

    /// From what is held; else head office is asked for what is missing; else at the shop's declared risk; else refused.
    pub fn spend(&self, wish: &Spend, reach: Reach, risk: RiskLimit, now: Instant) -> Result<Decision, Refusal> {
        let Spend {
            command, account, amount, ..
        } = *wish;
        if self.said_before(command, account, amount, |what| matches!(what, What::Spent(_)))? {
            return Ok(Decision::Already);
        }
        let lease = LeaseId(command.0);
        if let Some(asked) = self.asks.get(&lease) {
            let same = asked.account == account && asked.payment.is_some_and(|payment| payment.whole == amount);
            return if same { Ok(Decision::Waiting) } else { Err(Refusal::CommandReused) };
        }
        self.fresh(lease)?;
        if self.blocked.contains(&account) {
            return Err(Refusal::Blocked);
        }
        let room = self.room(account, now);
        let missing = amount.less(room);
        if missing == Value::ZERO {
            return Ok(spent(wish, Value::ZERO, self.draws(account, amount, now)));
        }
        if reach == Reach::Online {
            let payment = Payment {
                ticket: wish.ticket,
                whole: amount,
                worth: wish.worth,
            };
            return Ok(Decision::Record(vec![AccountsFact::LeaseAsked(LeaseAsked {
                lease,
                account,
                amount: missing,
                payment: Some(payment),
            })]));
        }
        if missing <= risk.0.less(self.at_risk(account)) {
            return Ok(spent(wish, missing, self.draws(account, room, now)));
        }
        Err(Refusal::NotEnoughHere {
            unit: account.unit,
            room,
            asked: amount,
        })
    }

    /// The ticket was cancelled after it had been paid with an account. Only what this life of the box took can be given back here:
    /// an older one may have given it back in entries that were lost.
    pub fn reverse(&self, command: CommandId, of: CommandId) -> Result<Decision, Refusal> {
        let done = self.done.get(&of).filter(|done| done.epoch == self.epoch);
        let Some((done, What::Spent(paid))) = done.map(|done| (done, &done.what)) else {
            return Err(Refusal::NoSuchPayment);
        };
        match paid.reversed_by {
            Some(before) if before == command => return Ok(Decision::Already),
            Some(_) => return Err(Refusal::AlreadyReversed),
            None => self.fresh(LeaseId(command.0))?,
        }
        Ok(record(AccountMoved {
            command,
            account: done.account,
            amount: done.amount,
            ticket: None,
            receipt: None,
            moved: Moved::Reversed {
                of,
                covered: paid.covered,
                uncovered: paid.uncovered,
                worth: paid.worth,
            },
        }))
    }

    /// Never refused for lack of points: what is gone already is owed by the customer.
    pub fn take_back(&self, wish: TakeBack, now: Instant) -> Result<Decision, Refusal> {
        let TakeBack { command, account, .. } = wish;
        let sum: i128 = wish.lines.iter().map(|line| line.points.wide()).sum();
        let amount = i64::try_from(sum).ok().and_then(Value::new).ok_or(Refusal::TooFull)?;
        if self.said_before(command, account, amount, |what| *what == What::Other)? {
            return Ok(Decision::Already);
        }
        only(AccountKind::Points, account.kind, "taken back")?;
        let uncovered = amount.less(self.room(account, now));
        let out = Outflow {
            draws: self.draws(account, amount.less(uncovered), now),
            uncovered,
            worth: None,
        };
        Ok(record(AccountMoved {
            command,
            account,
            amount,
            ticket: wish.ticket,
            receipt: wish.receipt,
            moved: Moved::TakenBack {
                of: wish.of,
                lines: wish.lines,
                out,
            },
        }))
    }

    /// Moves everything this store holds of a card to the one that replaces it; ask for the whole balance first. A blocked card may
    /// be replaced: that is what it is blocked for.
    pub fn replace(&self, command: CommandId, from: Account, by: Account, now: Instant) -> Result<Decision, Refusal> {
        if let Some(done) = self.done.get(&command) {
            let same = done.what == What::Other && done.account == from;
            return if same { Ok(Decision::Already) } else { Err(Refusal::CommandReused) };
        }
        only(from.kind, by.kind, "the replacement of this card")?;
        if from.unit != by.unit || from.id == by.id {
            let (have, asked) = (from.unit.word(), by.unit.word());
            return Err(Refusal::OtherUnit { have, asked });
        }
        let amount = self.room(from, now);
        self.fits(by, amount)?;
        let out = Outflow {
            draws: self.draws(from, amount, now),
            ..Outflow::default()
        };
        Ok(record(AccountMoved {
            command,
            account: from,
            amount,
            ticket: None,
            receipt: None,
            moved: Moved::Replaced { by, out },
        }))
    }

    /// Asks for room in stock, against the day the line falls.
    pub fn ask(&self, lease: LeaseId, account: Account, amount: Value) -> Result<Decision, Refusal> {
        if let Some(asked) = self.asks.get(&lease) {
            let same = asked.account == account && asked.amount == amount && asked.payment.is_none();
            return if same { Ok(Decision::Waiting) } else { Err(Refusal::CommandReused) };
        }
        self.fresh(lease)?;
        self.fits(account, amount)?;
        Ok(Decision::Record(vec![AccountsFact::LeaseAsked(LeaseAsked {
            lease,
            account,
            amount,
            payment: None,
        })]))
    }

    /// The ticket no longer waits. An answer that comes later is not taken, and head office learns of it by the journal.
    pub fn give_up(&self, lease: LeaseId) -> Decision {
        self.end_ask(lease, LeaseEnd::GivenUp)
    }

    /// Head office said no. A refusal of an older life says nothing.
    pub fn hear_refusal(&self, lease: LeaseId, incarnation: u32) -> Decision {
        if incarnation < self.heard {
            return Decision::Already;
        }
        self.end_ask(lease, LeaseEnd::Refused)
    }

    /// Every message of head office names its life; a younger one than the last is a fact before anything else is.
    pub fn hear_office(&self, incarnation: u32) -> Decision {
        if incarnation <= self.heard {
            return Decision::Already;
        }
        Decision::Record(vec![heard(incarnation)])
    }

    /// Takes what this life of the box asked for, once; and makes the payment that waited, if what was kept free for it is still there.
    /// Anything else, such as a copy, an answer to an older epoch or from an older life of head office, is not taken.
    pub fn hear_grant(&self, grant: &LeaseGranted, now: Instant) -> Decision {
        if grant.epoch != self.epoch || grant.incarnation < self.heard {
            return Decision::Already;
        }
        let taken = AccountsFact::LeaseTaken(LeaseTaken {
            lease: grant.lease,
            account: grant.account,
            amount: grant.amount,
            until: grant.until,
        });
        let mut facts: Vec<AccountsFact> = (grant.incarnation > self.heard)
            .then(|| heard(grant.incarnation))
            .into_iter()
            .collect();
        facts.push(taken);
        if let Some(held) = self.held.get(&grant.lease) {
            let renewed = held.account == grant.account && held.until.is_some_and(|until| until < grant.until);
            return if renewed { Decision::Record(facts) } else { Decision::Already };
        }
        let asked = self.asks.get(&grant.lease);
        let Some(asked) = asked.filter(|asked| asked.account == grant.account && asked.amount == grant.amount) else {
            return Decision::Already;
        };
        if let Some(payment) = asked.payment {
            facts.extend(self.payment(grant, payment, now));
        }
        Decision::Record(facts)
    }

    /// What is left of an account's leases goes back; a payment that waits keeps them all.
    pub fn hand_back(&self, account: Account) -> Decision {
        if self.kept_free(account, None) > 0 {
            return Decision::Waiting;
        }
        let own = self.held.iter().filter(|(_, held)| held.account == account);
        returned(own, LeaseEnd::HandedBack)
    }

    /// What ran out goes back by itself.
    pub fn tidy(&self, now: Instant) -> Decision {
        returned(self.held.iter().filter(|(_, held)| !held.alive(now)), LeaseEnd::Expired)
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

    /// The payment for which this grant was asked: from the grant, and from what was kept free. None when that ran out meanwhile; the
    /// customer is asked again and the grant stays as room.
    fn payment(&self, grant: &LeaseGranted, payment: Payment, now: Instant) -> Option<AccountsFact> {
        let enough = grant.amount.wide() + self.alive(grant.account, now) - self.kept_free(grant.account, Some(grant.lease));
        if now >= grant.until || enough < payment.whole.wide() || self.blocked.contains(&grant.account) {
            return None;
        }
        let mut draws = draw_from([(grant.lease, grant.amount)].into_iter(), payment.whole);
        draws.extend(self.draws(grant.account, payment.whole.less(grant.amount), now));
        let wish = Spend {
            command: CommandId(grant.lease.0),
            account: grant.account,
            amount: payment.whole,
            ticket: payment.ticket,
            worth: payment.worth,
        };
        Some(spending(&wish, Value::ZERO, draws))
    }

    fn end_ask(&self, lease: LeaseId, end: LeaseEnd) -> Decision {
        let Some(asked) = self.asks.get(&lease) else {
            return Decision::Already;
        };
        Decision::Record(vec![AccountsFact::LeaseReturned(LeaseReturned {
            lease,
            account: asked.account,
            amount: Value::ZERO,
            end,
        })])
    }

    /// Whether this very command did it before; refused when it did something else.
    fn said_before(&self, command: CommandId, account: Account, amount: Value, same: impl Fn(&What) -> bool) -> Result<bool, Refusal> {
        match self.done.get(&command) {
            Some(done) if done.account == account && done.amount == amount && same(&done.what) => Ok(true),
            Some(_) => Err(Refusal::CommandReused),
            None if amount == Value::ZERO => Err(Refusal::Nothing),
            None => Ok(false),
        }
    }

    /// An id that was answered once is never asked again: an answer still on its way would be taken twice.
    fn fresh(&self, lease: LeaseId) -> Result<(), Refusal> {
        if self.done.contains_key(&CommandId(lease.0)) {
            return Err(Refusal::CommandReused);
        }
        if self.ended.contains(&lease) {
            Err(Refusal::AskEnded)
        } else {
            Ok(())
        }
    }

    fn fits(&self, account: Account, amount: Value) -> Result<(), Refusal> {
        if amount == Value::ZERO {
            return Err(Refusal::Nothing);
        }
        let own = self.held.values().filter(|held| held.account == account);
        let sum = own.map(|held| held.left.wide()).sum::<i128>() + amount.wide();
        if sum > Value::LARGEST.wide() {
            Err(Refusal::TooFull)
        } else {
            Ok(())
        }
    }
}

fn record(moved: AccountMoved) -> Decision {
    Decision::Record(vec![AccountsFact::AccountMoved(Box::new(moved))])
}

fn spent(wish: &Spend, uncovered: Value, draws: Vec<Draw>) -> Decision {
    Decision::Record(vec![spending(wish, uncovered, draws)])
}

fn spending(wish: &Spend, uncovered: Value, draws: Vec<Draw>) -> AccountsFact {
    AccountsFact::AccountMoved(Box::new(AccountMoved {
        command: wish.command,
        account: wish.account,
        amount: wish.amount,
        ticket: Some(wish.ticket),
        receipt: None,
        moved: Moved::Spent(Outflow {
            draws,
            uncovered,
            worth: wish.worth,
        }),
    }))
}

fn heard(incarnation: u32) -> AccountsFact {
    AccountsFact::OfficeSeen(OfficeSeen {
        incarnation,
        seen: Seen::Heard,
    })
}

fn returned<'a>(leases: impl Iterator<Item = (&'a LeaseId, &'a Held)>, end: LeaseEnd) -> Decision {
    let back = leases.map(|(lease, held)| {
        AccountsFact::LeaseReturned(LeaseReturned {
            lease: *lease,
            account: held.account,
            amount: held.left,
            end,
        })
    });
    let facts: Vec<AccountsFact> = back.collect();
    if facts.is_empty() {
        Decision::Already
    } else {
        Decision::Record(facts)
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

fn only(right: AccountKind, kind: AccountKind, what: &'static str) -> Result<(), Refusal> {
    if kind == right {
        Ok(())
    } else {
        Err(Refusal::WrongKind { kind, what })
    }
}

/// Whether this movement fills an account of this kind; else what it would be called.
fn how_it_fills(moved: &Moved, kind: AccountKind) -> Result<(), &'static str> {
    let (fits, what) = match moved {
        Moved::Sold => (kind == AccountKind::GiftCard, "sold"),
        Moved::Reloaded => (kind == AccountKind::GiftCard, "reloaded"),
        Moved::RefundedTo => (matches!(kind, AccountKind::GiftCard | AccountKind::OnAccount), "refunded to"),
        Moved::Issued => (kind == AccountKind::StoreCredit, "issued for a return"),
        Moved::Paid { .. } => (kind == AccountKind::OnAccount, "paid off"),
        Moved::Earned { .. } => (kind == AccountKind::Points, "earned"),
        Moved::Spent(_)
        | Moved::TakenBack { .. }
        | Moved::Reversed { .. }
        | Moved::Expired
        | Moved::Replaced { .. }
        | Moved::CorrectedIn
        | Moved::CorrectedOut { .. } => (false, "filled this way"),
    };
    if fits { Ok(()) } else { Err(what) }
}
