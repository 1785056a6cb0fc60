//! What travels between boxes and head office in a schedule, and what each does with it.

use std::collections::BTreeMap;

use super::{Line, Logged, What, Wire, World, take};
use crate::accounts::Refusal;
use crate::accounts::book::{Answer, Ask};
use crate::facts::accounts::AccountsFact;
use crate::journal::Epoch;
use crate::time::Instant;

impl World {
    pub(super) fn send(&mut self, shop: usize, what: What) {
        if self.calm {
            let due = self.now + 1;
            self.wires.push(Wire { due, shop, what });
            return;
        }
        let copies = match self.below(10) {
            _ if self.shops[shop].cut => 0,
            0 => 0,
            1..=2 => 2,
            _ => 1,
        };
        self.reached.lost += u32::from(copies == 0);
        self.reached.doubled += u32::from(copies == 2);
        for _ in 0..copies {
            let due = self.now + 1 + if self.one_in(8) { self.below(900) } else { self.below(15) } as i64;
            self.wires.push(Wire {
                due,
                shop,
                what: what.clone(),
            });
        }
    }

    pub(super) fn deliver(&mut self) {
        let now = self.now;
        let (mut due, later): (Vec<Wire>, Vec<Wire>) = self.wires.drain(..).partition(|wire| wire.due <= now);
        self.wires = later;
        due.sort_by_key(|wire| wire.due);
        for Wire { shop, what, .. } in due {
            match what {
                What::Ask(ask) => self.answer(shop, &ask),
                What::Journal(lines) => self.ingest(shop, lines),
                What::Need { incarnation, next } => {
                    let heard = self.shops[shop].leased.hear_office(incarnation);
                    self.record(shop, heard);
                    self.send_journal(shop, &next);
                }
                What::Grant(grant) => {
                    let decision = self.shops[shop].leased.hear_grant(&grant, self.clock(shop));
                    self.reached.void_grants += u32::from(grant.incarnation < self.shops[shop].leased.heard());
                    self.record(shop, decision);
                }
                What::Refused { lease, incarnation } => {
                    let decision = self.shops[shop].leased.hear_refusal(lease, incarnation);
                    self.reached.refused += u32::from(self.record(shop, decision));
                }
            }
        }
    }

    pub(super) fn send_journal(&mut self, shop: usize, next: &BTreeMap<Epoch, u64>) {
        let missing = |line: &&Line| line.seq >= next.get(&line.epoch).copied().unwrap_or(1);
        let lines: Vec<Line> = self.shops[shop].journal.iter().filter(missing).cloned().collect();
        let most = if self.calm { lines.len() } else { 12 };
        for batch in lines.chunks(most.max(1)).map(<[Line]>::to_vec).collect::<Vec<_>>() {
            self.send(shop, What::Journal(batch));
        }
    }

    pub(super) fn next_wanted(&self, shop: usize) -> BTreeMap<Epoch, u64> {
        let mut next = BTreeMap::new();
        for logged in &self.desk.log {
            if let Logged::Store(of, line) = logged
                && *of == shop
            {
                next.insert(line.epoch, line.seq + 1);
            }
        }
        next
    }

    pub(super) fn ingest(&mut self, shop: usize, lines: Vec<Line>) {
        let mut next = self.next_wanted(shop);
        for line in lines {
            let want = next.entry(line.epoch).or_insert(1);
            if line.seq == *want {
                *want += 1;
                take(&mut self.desk.book, self.shops[shop].id, &line);
                self.desk.log.push(Logged::Store(shop, line));
            }
        }
        self.check();
    }

    pub(super) fn answer(&mut self, shop: usize, ask: &Ask) {
        let until = Instant::from_micros(self.now + 20 + self.below(400) as i64).unwrap();
        match self.desk.book.grant(ask, until) {
            Ok(Answer::Granted(grant)) => {
                if !self.calm && self.one_in(20) {
                    return; // Head office stopped before it wrote.
                }
                self.write(AccountsFact::LeaseGranted(grant.clone()));
                self.check();
                if self.calm || !self.one_in(20) {
                    self.send(shop, What::Grant(grant));
                }
            }
            Ok(Answer::Again(grant)) => {
                self.reached.asked_again += 1;
                self.send(shop, What::Grant(grant));
            }
            Err(Refusal::Recovering { .. } | Refusal::Epoch { .. }) => {}
            Err(_) => {
                let incarnation = self.desk.book.incarnation();
                self.send(
                    shop,
                    What::Refused {
                        lease: ask.lease,
                        incarnation,
                    },
                );
            }
        }
    }

    pub(super) fn ask_what_is_unanswered(&mut self, shop: usize) {
        let (store, epoch) = (self.shops[shop].id, self.shops[shop].leased.epoch());
        let asked = self.shops[shop].leased.unanswered();
        let asks: Vec<Ask> = asked
            .map(|asked| Ask {
                store,
                epoch,
                lease: asked.lease,
                account: asked.account,
                amount: asked.amount,
            })
            .collect();
        for ask in asks {
            self.send(shop, What::Ask(ask));
        }
    }
}
