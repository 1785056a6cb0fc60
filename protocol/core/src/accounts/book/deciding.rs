//! What head office decides about accounts and leases: facts for its own journal, or a refusal. Looks at the fold and changes nothing.

use super::{Answer, Ask, Balance, Book, LeaseOut, Standing};
use crate::accounts::{Account, AccountKind, Refusal, Value};
use crate::facts::accounts::{
    AccountChanged, AccountMoved, AccountsFact, Change, LeaseClosed, LeaseGranted, LeaseName, Moved, OfficeSeen, Seen,
};
use crate::ids::{CommandId, StoreId};
use crate::time::{BusinessDay, Instant};

impl Book {
    /// Decides a store's question. Asked again, the answer is the same; asked for an id that had its end, there is none.
    pub fn grant(&self, ask: &Ask, until: Instant) -> Result<Answer, Refusal> {
        let Ask {
            store,
            epoch,
            lease,
            account,
            amount,
        } = *ask;
        let known = self.stores.get(&store).ok_or(Refusal::UnknownStore { store })?.epoch;
        if known != epoch {
            return Err(Refusal::Epoch { asked: epoch, known });
        }
        let grant = |until| LeaseGranted {
            lease,
            account,
            store,
            epoch,
            amount,
            until,
            incarnation: self.incarnation,
        };
        if let Some(out) = self.leases.get(&LeaseName { store, epoch, lease }) {
            let same = out.account == account && out.lent == amount.wide();
            return match out.until {
                _ if out.never_taken || out.returned > 0 => Err(Refusal::AskEnded),
                Some(until) if same => Ok(Answer::Again(grant(until))),
                _ => Err(Refusal::CommandReused),
            };
        }
        self.settled()?;
        if amount == Value::ZERO {
            return Err(Refusal::Nothing);
        }
        let balance = self.accounts.get(&account).ok_or(Refusal::UnknownAccount)?;
        if balance.blocked() {
            return Err(Refusal::Blocked);
        }
        if balance.free() < amount.wide() {
            return Err(Refusal::NotEnough {
                unit: account.unit,
                free: Value::clamped(balance.free()),
                asked: amount,
            });
        }
        Ok(Answer::Granted(grant(until)))
    }

    /// More time for a lease that is out. The amount stays.
    pub fn renew(&self, name: LeaseName, until: Instant) -> Result<LeaseGranted, Refusal> {
        let lease = self.open_lease(name)?;
        if self.superseded(&name) || lease.until.is_none_or(|old| until <= old) {
            return Err(Refusal::UnknownLease { lease: name.lease });
        }
        if self.accounts.get(&lease.account).is_some_and(Balance::blocked) {
            return Err(Refusal::Blocked);
        }
        Ok(LeaseGranted {
            lease: name.lease,
            account: lease.account,
            store: name.store,
            epoch: name.epoch,
            amount: Value::clamped(lease.lent),
            until,
            incarnation: self.incarnation,
        })
    }

    /// A person closes what a lost box had: so much was spent there according to paper, the rest is free again. Entries that still come
    /// count too; what they spend beyond this is that store's debt.
    pub fn force_close(&self, command: CommandId, name: LeaseName, paper: Value, now: Instant) -> Result<Vec<AccountsFact>, Refusal> {
        let lease = self.open_lease(name)?;
        let open = lease.open();
        if !self.superseded(&name) && lease.until.is_none_or(|until| now < until) {
            return Err(Refusal::LeaseAlive { lease: name.lease });
        }
        if paper > open {
            let unit = lease.account.unit;
            return Err(Refusal::PaperExceeds { unit, paper, open });
        }
        let mut facts = Vec::new();
        if paper > Value::ZERO {
            let moved = Moved::CorrectedOut { from: Some(name) };
            facts.push(office_move(command, lease.account, paper, moved));
        }
        facts.push(AccountsFact::LeaseClosed(LeaseClosed {
            name,
            account: lease.account,
            released: open.less(paper),
        }));
        Ok(facts)
    }

    /// What paper knows and no journal holds any more.
    pub fn correct(&self, command: CommandId, account: Account, amount: Value, moved: Moved) -> Result<AccountsFact, Refusal> {
        if amount == Value::ZERO {
            return Err(Refusal::Nothing);
        }
        match moved {
            Moved::CorrectedIn | Moved::CorrectedOut { .. } => Ok(office_move(command, account, amount, moved)),
            _ => Err(Refusal::WrongKind {
                kind: account.kind,
                what: "corrected this way",
            }),
        }
    }

    /// Takes what ran out: of points what the lots say is due on this day, of a card or credit all that is free. What stores hold runs out
    /// when it comes back. `None` when nothing is due.
    pub fn expire(&self, command: CommandId, account: Account, day: BusinessDay) -> Result<Option<AccountsFact>, Refusal> {
        self.settled()?;
        let balance = self.accounts.get(&account).ok_or(Refusal::UnknownAccount)?;
        let due = match account.kind {
            AccountKind::Points => balance.points_due(day).min(balance.free()),
            AccountKind::GiftCard | AccountKind::StoreCredit => balance.free(),
            AccountKind::OnAccount => {
                return Err(Refusal::WrongKind {
                    kind: account.kind,
                    what: "expired",
                });
            }
        };
        let due = Value::clamped(due);
        Ok((due > Value::ZERO).then(|| office_move(command, account, due, Moved::Expired)))
    }

    /// Blocks, unblocks, or sets how far an account customer may owe. A store that is cut off may still spend what it holds.
    pub fn change(&self, account: Account, change: Change) -> Result<AccountsFact, Refusal> {
        if !self.accounts.contains_key(&account) {
            return Err(Refusal::UnknownAccount);
        }
        if matches!(change, Change::CreditLimit { .. }) && account.kind != AccountKind::OnAccount {
            return Err(Refusal::WrongKind {
                kind: account.kind,
                what: "given a credit limit",
            });
        }
        Ok(AccountsFact::AccountChanged(AccountChanged { account, change }))
    }

    /// The first fact of every life of head office, after a restore as at the very first start. The number is one no life before had: the
    /// caller keeps it apart from what is backed up, or takes the time of the start.
    pub fn begin(&self, incarnation: u32) -> AccountsFact {
        AccountsFact::OfficeSeen(OfficeSeen {
            incarnation: incarnation.max(self.incarnation.saturating_add(1)),
            seen: Seen::Began,
        })
    }

    /// A person has looked at the paper of a store whose box was set back while head office was, and brought in what was missing.
    pub fn vouch(&self, store: StoreId) -> Result<AccountsFact, Refusal> {
        match self.stores.get(&store).map(|known| known.standing) {
            None => Err(Refusal::UnknownStore { store }),
            Some(Standing::Unheard { .. }) => Err(Refusal::Recovering { store }),
            Some(Standing::NeedsPerson { .. } | Standing::Proven) => Ok(AccountsFact::OfficeSeen(OfficeSeen {
                incarnation: self.incarnation,
                seen: Seen::Vouched { store },
            })),
        }
    }

    fn open_lease(&self, name: LeaseName) -> Result<&LeaseOut, Refusal> {
        let lease = self.leases.get(&name).filter(|lease| lease.left() > 0);
        lease.ok_or(Refusal::UnknownLease { lease: name.lease })
    }

    fn settled(&self) -> Result<(), Refusal> {
        match self.recovering() {
            Some((store, _)) => Err(Refusal::Recovering { store }),
            None => Ok(()),
        }
    }
}

fn office_move(command: CommandId, account: Account, amount: Value, moved: Moved) -> AccountsFact {
    AccountsFact::AccountMoved(Box::new(AccountMoved {
        command,
        account,
        amount,
        ticket: None,
        receipt: None,
        moved,
    }))
}
