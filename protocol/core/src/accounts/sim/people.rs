//! Customers and cashiers of a schedule, and the person at head office who has all the paper of the shops.

use uuid::Uuid;

use super::{Entry, Line, Logged, SHOPS, What, World, drawn, spending, value};
use crate::accounts::book::NeedsPerson;
use crate::accounts::leased::{Decision, PutIn, Reach, Spend};
use crate::accounts::{Account, AccountKind, Value};
use crate::facts::accounts::{AccountsFact, LeaseName, Moved};
use crate::ids::{CommandId, LeaseId, TicketId};
use crate::journal::Epoch;
use crate::time::Instant;

impl World {
    pub(super) fn customer(&mut self, shop: usize) {
        let which = self.below(4) as usize;
        let account = self.accounts[which];
        let command = CommandId(self.id());
        let ticket = TicketId(self.id());
        let now = self.clock(shop);
        match self.below(16) {
            0..=2 => {
                let moved = match account.kind {
                    AccountKind::Points => Moved::Earned {
                        expires: None,
                        lines: vec![],
                    },
                    AccountKind::OnAccount => Moved::Paid { invoices: vec![] },
                    _ => Moved::Sold,
                };
                let amount = value(1 + self.below(2_000) as i64);
                let wish = PutIn {
                    command,
                    account,
                    amount,
                    ticket: None,
                    receipt: None,
                    moved,
                };
                let decision = self.shops[shop].leased.put_in(wish).unwrap();
                self.record(shop, decision);
            }
            3..=7 => {
                let reach = if self.shops[shop].cut { Reach::CutOff } else { Reach::Online };
                let amount = value(1 + self.below(1_500) as i64);
                let wish = Spend {
                    command,
                    account,
                    amount,
                    ticket,
                    worth: None,
                };
                self.shops[shop].wishes.push(wish);
                self.spend(shop, &wish, reach, now);
            }
            8 => {
                let amount = value(1 + self.below(900) as i64);
                let decision = self.shops[shop].leased.ask(LeaseId(command.0), account, amount);
                self.record(shop, decision.unwrap());
            }
            9 => {
                let open: Vec<LeaseId> = self.shops[shop].leased.unanswered().map(|asked| asked.lease).collect();
                if let Some(lease) = open.first() {
                    let decision = self.shops[shop].leased.give_up(*lease);
                    self.reached.given_up += u32::from(self.record(shop, decision));
                }
            }
            10..=11 => {
                let decision = self.shops[shop].leased.hand_back(account);
                self.record(shop, decision);
            }
            12 => {
                let back = self.below(12) as usize;
                let spent = self.shops[shop].journal.iter().rev().filter_map(|line| spending(&line.entry));
                let of = spent.map(|moved| moved.command).nth(back);
                if let Some(Ok(decision)) = of.map(|of| self.shops[shop].leased.reverse(command, of)) {
                    self.record(shop, decision);
                }
            }
            13..=14 if !self.shops[shop].wishes.is_empty() => {
                let which = self.below(self.shops[shop].wishes.len() as u64) as usize;
                let wish = self.shops[shop].wishes[which];
                let reach = if self.shops[shop].cut { Reach::CutOff } else { Reach::Online };
                self.spend(shop, &wish, reach, now);
            }
            _ => {
                let (one, other) = (self.accounts[0], self.accounts[1]);
                if let Ok(decision) = self.shops[shop].leased.replace(command, one, other, now) {
                    self.record(shop, decision);
                }
            }
        }
    }

    pub(super) fn spend(&mut self, shop: usize, wish: &Spend, reach: Reach, now: Instant) {
        let Ok(decision) = self.shops[shop].leased.spend(wish, reach, self.risk, now) else {
            return;
        };
        let before = self.reached.spent;
        self.record(shop, decision);
        let cut_off = reach == Reach::CutOff;
        self.reached.spent_cut_off += u32::from(cut_off && self.reached.spent > before);
        // The cashier presses twice.
        if self.reached.spent > before {
            assert_eq!(self.shops[shop].leased.spend(wish, reach, self.risk, now), Ok(Decision::Already));
        }
    }

    /// A person at head office, with all the paper of the shops: only what no journal will ever bring any more.
    pub(super) fn person(&mut self) {
        for shop in 0..SHOPS {
            let settled = self.old_epochs_have_arrived(shop);
            if !settled {
                continue;
            }
            let doubt: Vec<LeaseName> = self.desk.book.in_doubt().map(|(name, _)| *name).collect();
            let store = self.shops[shop].id;
            for name in doubt.into_iter().filter(|name| name.store == store) {
                let paper = self.truly_spent(shop, name) - self.known_spent(name);
                let paper = Value::new(i64::try_from(paper).unwrap()).expect("the books know no more than happened");
                let (command, now) = (CommandId(self.id()), Instant::from_micros(self.now).unwrap());
                for fact in self.desk.book.force_close(command, name, paper, now).unwrap() {
                    self.write(fact);
                }
                self.reached.force_closed += 1;
                self.check();
            }
        }
        if let Some((store, NeedsPerson::Yes)) = self.desk.book.recovering() {
            let shop = self.shops.iter().position(|shop| shop.id == store).unwrap();
            if self.old_epochs_have_arrived(shop) {
                self.bring_in_lost_leases(shop);
                let fact = self.desk.book.vouch(store).unwrap();
                self.write(fact);
                self.reached.vouched += 1;
                self.check();
            }
        }
    }

    /// What was lent by a life of head office that nobody remembers, taken and spent by a life of the box that nobody remembers.
    pub(super) fn bring_in_lost_leases(&mut self, shop: usize) {
        let lost: Vec<(LeaseName, Account)> = self
            .ever
            .iter()
            .filter_map(|((of, epoch, _), fact)| match fact {
                AccountsFact::LeaseTaken(taken) if *of == shop => Some((self.lease_name(shop, *epoch, taken.lease), taken.account)),
                _ => None,
            })
            .filter(|(name, _)| self.desk.book.lease(*name).is_none())
            .collect();
        for (name, account) in lost {
            let command = CommandId(Uuid::from_u128(!(name.lease.0.as_u128() << 16 | u128::from(name.epoch.0))));
            let known = self.desk.log.iter().any(|logged| match logged {
                Logged::Office(AccountsFact::AccountMoved(moved)) => moved.command == command,
                _ => false,
            });
            let spent = Value::new(i64::try_from(self.truly_spent(shop, name)).unwrap()).unwrap();
            let moved = Moved::CorrectedOut { from: None };
            if let (false, Ok(fact)) = (known, self.desk.book.correct(command, account, spent, moved)) {
                self.write(fact);
            }
        }
    }

    /// No line of an older epoch of this shop is on its way, and all that its box still has is at head office.
    pub(super) fn old_epochs_have_arrived(&self, shop: usize) -> bool {
        let current = Epoch(self.shops[shop].last_epoch);
        let next = self.next_wanted(shop);
        let here = |line: &Line| line.epoch == current || line.seq < next.get(&line.epoch).copied().unwrap_or(1);
        let on_its_way = self.wires.iter().any(|wire| match &wire.what {
            What::Journal(lines) => wire.shop == shop && !lines.iter().all(here),
            _ => false,
        });
        !on_its_way && self.shops[shop].journal.iter().all(here)
    }

    pub(super) fn lease_name(&self, shop: usize, epoch: Epoch, lease: LeaseId) -> LeaseName {
        let store = self.shops[shop].id;
        LeaseName { store, epoch, lease }
    }

    pub(super) fn truly_spent(&self, shop: usize, name: LeaseName) -> i128 {
        let own = self.ever.iter().filter(|((of, epoch, _), _)| *of == shop && *epoch == name.epoch);
        own.map(|(_, fact)| drawn(fact, name.lease)).sum()
    }

    pub(super) fn known_spent(&self, name: LeaseName) -> i128 {
        let known = self.desk.log.iter().map(|logged| match logged {
            Logged::Store(
                shop,
                Line {
                    epoch,
                    entry: Entry::Fact(fact),
                    ..
                },
            ) if self.shops[*shop].id == name.store && *epoch == name.epoch => drawn(fact, name.lease),
            Logged::Office(AccountsFact::AccountMoved(moved)) if moved.moved == (Moved::CorrectedOut { from: Some(name) }) => {
                moved.amount.wide()
            }
            _ => 0,
        });
        known.sum()
    }
}
