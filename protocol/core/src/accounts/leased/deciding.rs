//! What a store decides about its accounts: facts to be written, or a refusal. Looks at the fold and changes nothing.

use super::{Decision, Held, Leased, PutIn, Reach, RiskLimit, Spend, TakeBack, What, draw_from};
use crate::accounts::{Account, AccountKind, Refusal, Value};
use crate::facts::accounts::{
    AccountMoved, AccountsFact, Draw, LeaseAsked, LeaseEnd, LeaseGranted, LeaseReturned, LeaseTaken, Moved, OfficeSeen, Outflow, Payment,
    Seen,
};
use crate::ids::{CommandId, LeaseId};
use crate::time::Instant;

impl Leased {
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
