//! Whole seeded schedules of three stores and a head office that share accounts over a bad network.
//!
//! Lines are cut, messages lost, doubled and overtaken; boxes and head office stop between any two steps and come back with what was
//! written; boxes are set back and begin a new epoch; head office is restored from an older backup. What was really paid in and really
//! spent is counted apart from everybody's books, lost entries included. A seed plays the same schedule on any machine.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;

use super::book::{Ask, Book, Origin};
use super::leased::{Decision, Leased, RiskLimit, Spend};
use super::{Account, AccountKind, Unit, Value};
use crate::facts::accounts::{AccountMoved, AccountOpened, AccountsFact, Change, LeaseGranted, LeaseName, Moved};
use crate::ids::{AccountId, CommandId, LeaseId, StoreId};
use crate::journal::Epoch;
use crate::time::Instant;

mod lines;
mod people;

const SHOPS: usize = 3;
const STEPS: u32 = 450;
const CREDIT_LIMIT: i64 = 3_000;

#[derive(Clone, Debug)]
enum Entry {
    Opened,
    Fact(AccountsFact),
}

#[derive(Clone, Debug)]
struct Line {
    epoch: Epoch,
    seq: u64,
    entry: Entry,
}

struct Shop {
    id: StoreId,
    journal: Vec<Line>,
    last_epoch: u32,
    leased: Leased,
    cut: bool,
    clock_skew: i64,
    /// What its registers may say again at any time, also after the box was set back.
    wishes: Vec<Spend>,
}

#[derive(Clone, Debug)]
enum Logged {
    Office(AccountsFact),
    Store(usize, Line),
}

struct Desk {
    log: Vec<Logged>,
    book: Book,
    /// Never backed up: the setting up of accounts and the credit limit.
    setup: usize,
    lives: u32,
}

#[derive(Clone, Debug)]
enum What {
    Ask(Ask),
    Journal(Vec<Line>),
    Need { incarnation: u32, next: BTreeMap<Epoch, u64> },
    Grant(LeaseGranted),
    Refused { lease: LeaseId, incarnation: u32 },
}

#[derive(Clone, Debug)]
struct Wire {
    due: i64,
    shop: usize,
    what: What,
}

/// How often each rare thing happened.
#[derive(Clone, Debug, Default)]
struct Reached {
    spent: u32,
    spent_cut_off: u32,
    asked_again: u32,
    lost: u32,
    doubled: u32,
    ran_out: u32,
    given_up: u32,
    reversed: u32,
    replaced: u32,
    refused: u32,
    crashes: u32,
    set_back: u32,
    entries_lost: u32,
    office_restored: u32,
    vouched: u32,
    force_closed: u32,
    renewed: u32,
    at_risk: u32,
    void_grants: u32,
}

/// Really paid in, really gone, whatever any book says.
#[derive(Clone, Copy, Debug, Default)]
struct Truth {
    put: i128,
    gone: i128,
}

struct World {
    state: u64,
    now: i64,
    shops: Vec<Shop>,
    desk: Desk,
    wires: Vec<Wire>,
    accounts: Vec<Account>,
    truth: BTreeMap<Account, Truth>,
    /// Every line any box ever wrote.
    ever: BTreeMap<(usize, Epoch, u64), AccountsFact>,
    given_back: BTreeSet<(Epoch, CommandId)>,
    next_id: u128,
    risk: RiskLimit,
    calm: bool,
    reached: Reached,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Faults {
    /// Boxes are set back, head office restored.
    All,
    /// Only cuts, losses and crashes.
    Lines,
}

fn value(amount: i64) -> Value {
    Value::new(amount).unwrap()
}

impl World {
    fn new(seed: u64, risk: RiskLimit) -> World {
        let euro = Unit::Money("EUR".parse().unwrap());
        let account = |number, kind, unit| Account {
            id: AccountId(Uuid::from_u128(number)),
            kind,
            unit,
        };
        let accounts = vec![
            account(1, AccountKind::GiftCard, euro),
            account(2, AccountKind::GiftCard, euro),
            account(3, AccountKind::Points, Unit::Points),
            account(4, AccountKind::OnAccount, euro),
        ];
        let ids: Vec<StoreId> = ["north", "south", "west"].map(|id| id.parse().unwrap()).to_vec();
        let shop = |id: &StoreId| Shop {
            id: *id,
            journal: vec![],
            last_epoch: 0,
            leased: Leased::default(),
            cut: false,
            clock_skew: 0,
            wishes: vec![],
        };
        let desk = Desk {
            log: vec![],
            book: Book::new(ids.iter().copied()),
            setup: 0,
            lives: 1,
        };
        let mut world = World {
            state: seed,
            now: 1_000_000,
            shops: ids.iter().map(shop).collect(),
            desk,
            wires: vec![],
            truth: accounts.iter().map(|account| (*account, Truth::default())).collect(),
            accounts,
            ever: BTreeMap::new(),
            given_back: BTreeSet::new(),
            next_id: 1_000,
            risk,
            calm: false,
            reached: Reached::default(),
        };
        let begin = world.desk.book.begin(1);
        world.write(begin);
        for account in world.accounts.clone() {
            let (card, customer) = (None, None);
            world.write(AccountsFact::AccountOpened(AccountOpened { account, card, customer }));
        }
        let limit = value(CREDIT_LIMIT);
        let credit = world.accounts[3];
        let fact = world.desk.book.change(credit, Change::CreditLimit { limit }).unwrap();
        world.write(fact);
        world.desk.setup = world.desk.log.len();
        world.truth.get_mut(&credit).unwrap().put = i128::from(CREDIT_LIMIT);
        for shop in 0..SHOPS {
            world.shops[shop].clock_skew = world.below(40) as i64 - 20;
            world.open_epoch(shop);
        }
        world
    }

    /// splitmix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn id(&mut self) -> Uuid {
        self.next_id += 1;
        Uuid::from_u128(self.next_id)
    }

    fn clock(&self, shop: usize) -> Instant {
        Instant::from_micros(self.now + self.shops[shop].clock_skew).unwrap()
    }

    // ---- the two writers ----

    fn write(&mut self, fact: AccountsFact) {
        self.desk.book.apply(Origin::Office, &fact);
        self.desk.log.push(Logged::Office(fact));
    }

    fn open_epoch(&mut self, shop: usize) {
        self.shops[shop].last_epoch += 1;
        let epoch = Epoch(self.shops[shop].last_epoch);
        self.shops[shop].leased.open_epoch(epoch);
        self.shops[shop].journal.push(Line {
            epoch,
            seq: 1,
            entry: Entry::Opened,
        });
    }

    /// Writes what was decided, unless the box stops before. All of it or nothing.
    fn record(&mut self, shop: usize, decision: Decision) -> bool {
        let Decision::Record(facts) = decision else { return false };
        if !self.calm && self.one_in(25) {
            self.crash(shop);
            return false;
        }
        for fact in facts {
            let last = self.shops[shop].journal.last().unwrap();
            let (epoch, seq) = (last.epoch, last.seq + 1);
            self.happen(shop, &fact);
            assert!(self.ever.insert((shop, epoch, seq), fact.clone()).is_none());
            self.shops[shop].leased.apply(&fact);
            let entry = Entry::Fact(fact);
            self.shops[shop].journal.push(Line { epoch, seq, entry });
        }
        self.check();
        true
    }

    fn happen(&mut self, shop: usize, fact: &AccountsFact) {
        let AccountsFact::AccountMoved(moved) = fact else { return };
        let amount = moved.amount.wide();
        match &moved.moved {
            Moved::Spent(out) => {
                self.truth.get_mut(&moved.account).unwrap().gone += amount;
                self.reached.spent += 1;
                self.reached.at_risk += u32::from(out.uncovered > Value::ZERO);
            }
            Moved::Reversed { of, .. } => {
                // A payment is given back once, also when the box forgot that it was; twice would make value out of nothing. A register may
                // have paid with the same command again after the box had lost the first: that is another payment.
                let paid = self.ever.iter().filter(|((by, _, _), _)| *by == shop);
                let paid = paid.filter(|(_, fact)| matches!(fact, AccountsFact::AccountMoved(paid) if paid.command == *of));
                let last = paid.map(|((_, epoch, _), _)| *epoch).max().unwrap();
                if self.given_back.insert((last, *of)) {
                    self.truth.get_mut(&moved.account).unwrap().gone -= amount;
                }
                self.reached.reversed += 1;
            }
            Moved::Replaced { by, .. } => {
                self.truth.get_mut(&moved.account).unwrap().gone += amount;
                self.truth.get_mut(by).unwrap().put += amount;
                self.reached.replaced += 1;
            }
            _ => self.truth.get_mut(&moved.account).unwrap().put += amount,
        }
    }

    /// The law: what is gone never exceeds what was paid in, and nobody believes to have more than there is.
    fn check(&self) {
        for (account, truth) in &self.truth {
            let risk = self.risk.0.wide() * SHOPS as i128;
            assert!(truth.gone <= truth.put + risk, "{account:?} was overdrawn: {truth:?}");
            if risk > 0 || self.desk.book.recovering().is_some() {
                continue;
            }
            let held = self.shops.iter().flat_map(|shop| shop.leased.held());
            let held: i128 = held
                .filter(|(_, held)| held.account == *account)
                .map(|(_, held)| held.left.wide())
                .sum();
            let free = self.desk.book.balance(*account).unwrap().free().max(0);
            let left = truth.put - truth.gone;
            assert!(
                free + held <= left,
                "{account:?}: free {free} and held {held}, but only {left} is left"
            );
        }
    }

    fn crash(&mut self, shop: usize) {
        self.reached.crashes += 1;
        let again = replay(&self.shops[shop].journal);
        if self.risk.0 == Value::ZERO {
            assert_eq!(again, self.shops[shop].leased, "a box that comes back knows what it knew");
        }
        self.shops[shop].leased = again;
    }

    fn set_back(&mut self, shop: usize) {
        let len = self.shops[shop].journal.len();
        let lost = self.below(len.min(30) as u64) as usize;
        self.shops[shop].journal.truncate(len - lost);
        self.shops[shop].leased = replay(&self.shops[shop].journal);
        self.open_epoch(shop);
        self.reached.set_back += 1;
        self.reached.entries_lost += lost as u32;
    }

    fn restore_office(&mut self) {
        let log = self.desk.log.len();
        let lost = self.below((log - self.desk.setup).min(60) as u64 + 1) as usize;
        self.desk.log.truncate(log - lost);
        self.desk.book = self.replay_office();
        self.desk.lives += 1;
        let begin = self.desk.book.begin(self.desk.lives);
        self.write(begin);
        self.reached.office_restored += 1;
        (0..SHOPS).for_each(|shop| self.tick(shop));
    }

    fn replay_office(&self) -> Book {
        let mut book = Book::new(self.shops.iter().map(|shop| shop.id));
        for logged in &self.desk.log {
            match logged {
                Logged::Office(fact) => book.apply(Origin::Office, fact),
                Logged::Store(shop, line) => take(&mut book, self.shops[*shop].id, line),
            }
        }
        book
    }

    // ---- the schedule ----

    fn storm(&mut self, faults: Faults) {
        for _ in 0..STEPS {
            self.now += 1 + self.below(12) as i64;
            self.deliver();
            let shop = self.below(SHOPS as u64) as usize;
            match self.below(20) {
                0..=10 => self.customer(shop),
                11..=13 => self.ask_what_is_unanswered(shop),
                14..=15 => self.tick(shop),
                16 => self.tidy(shop),
                17 => self.renew(),
                18 => self.shops[shop].cut = !self.shops[shop].cut,
                _ => match self.below(8) {
                    0..=2 => self.crash(shop),
                    3..=4 if faults == Faults::All => self.set_back(shop),
                    5 if faults == Faults::All => self.restore_office(),
                    _ => self.person(),
                },
            }
        }
    }

    fn tick(&mut self, shop: usize) {
        let incarnation = self.desk.book.incarnation();
        let next = self.next_wanted(shop);
        self.send(shop, What::Need { incarnation, next });
    }

    fn tidy(&mut self, shop: usize) {
        let decision = self.shops[shop].leased.tidy(self.clock(shop));
        self.reached.ran_out += u32::from(self.record(shop, decision));
    }

    fn renew(&mut self) {
        let out: Vec<LeaseName> = self.desk.book.leases_out().map(|(name, _)| *name).collect();
        if out.is_empty() {
            return;
        }
        let name = out[self.below(out.len() as u64) as usize];
        let until = Instant::from_micros(self.now + 500).unwrap();
        if let Ok(grant) = self.desk.book.renew(name, until) {
            let shop = self.shops.iter().position(|shop| shop.id == name.store).unwrap();
            self.write(AccountsFact::LeaseGranted(grant.clone()));
            self.send(shop, What::Grant(grant));
            self.reached.renewed += 1;
        }
    }

    /// The weather is good again: everything arrives, every question is answered, a person looks at what is in doubt.
    fn settle(&mut self) {
        self.calm = true;
        self.shops.iter_mut().for_each(|shop| shop.cut = false);
        for _ in 0..40 {
            for shop in 0..SHOPS {
                self.tick(shop);
                self.ask_what_is_unanswered(shop);
            }
            self.now += 250;
            self.deliver();
            self.deliver();
            self.person();
            self.check();
        }
    }

    fn judge(&mut self) {
        assert_eq!(self.desk.book.recovering(), None, "every store was heard");
        assert_eq!(self.desk.book.in_doubt().count(), 0, "a person closed what was in doubt");
        assert_eq!(
            self.desk.book,
            self.replay_office(),
            "head office's book is the fold of what it holds"
        );
        for shop in 0..SHOPS {
            assert_eq!(self.shops[shop].leased.unanswered().count(), 0, "every question has its answer");
            let next = self.next_wanted(shop);
            let last = self.shops[shop].journal.last().unwrap();
            assert_eq!(next[&last.epoch], last.seq + 1, "every entry arrived");
        }
        if self.risk.0 == Value::ZERO {
            assert_eq!(self.desk.book.debts(), BTreeMap::new(), "boxes that open a new epoch owe nothing");
        }
        self.both_sides_agree();
        for shop in 0..SHOPS {
            for account in self.accounts.clone() {
                let decision = self.shops[shop].leased.hand_back(account);
                self.record(shop, decision);
            }
        }
        self.settle();
        self.both_sides_agree();
        for account in &self.accounts {
            let (balance, truth) = (self.desk.book.balance(*account).unwrap(), self.truth[account]);
            assert_eq!(balance.out(), 0, "all came home");
            assert_eq!(balance.free(), balance.limit() + balance.balance());
            let known = balance.limit() + balance.balance();
            let left = truth.put - truth.gone;
            if self.reached.entries_lost == 0 {
                assert_eq!(known, left, "{account:?}: to the cent");
            } else if self.risk.0 == Value::ZERO {
                assert!(
                    known <= left,
                    "{account:?}: value that only a lost entry knew is gone from the books, and none was made"
                );
            }
        }
    }

    /// Lease by lease, what the store holds is what head office believes it holds.
    fn both_sides_agree(&self) {
        let office: BTreeSet<(LeaseName, Account, i64)> = self
            .desk
            .book
            .leases_out()
            .map(|(name, lease)| (*name, lease.account, lease.open().get()))
            .collect();
        let mut stores = BTreeSet::new();
        for (shop, of) in self.shops.iter().enumerate() {
            for (lease, held) in of.leased.held() {
                stores.insert((self.lease_name(shop, of.leased.epoch(), lease), held.account, held.left.get()));
            }
        }
        assert_eq!(office, stores);
    }
}

fn replay(journal: &[Line]) -> Leased {
    let mut leased = Leased::default();
    for line in journal {
        match &line.entry {
            Entry::Opened => leased.open_epoch(line.epoch),
            Entry::Fact(fact) => leased.apply(fact),
        }
    }
    leased
}

fn take(book: &mut Book, store: StoreId, line: &Line) {
    let epoch = line.epoch;
    match &line.entry {
        Entry::Opened => book.epoch_opened(store, epoch),
        Entry::Fact(fact) => book.apply(Origin::Store { store, epoch }, fact),
    }
}

fn spending(entry: &Entry) -> Option<&AccountMoved> {
    match entry {
        Entry::Fact(AccountsFact::AccountMoved(moved)) if matches!(moved.moved, Moved::Spent(_)) => Some(moved),
        _ => None,
    }
}

fn drawn(fact: &AccountsFact, lease: LeaseId) -> i128 {
    let AccountsFact::AccountMoved(moved) = fact else { return 0 };
    let draws = match &moved.moved {
        Moved::Spent(out) | Moved::TakenBack { out, .. } | Moved::Replaced { out, .. } => &out.draws,
        _ => return 0,
    };
    draws.iter().filter(|draw| draw.lease == lease).map(|draw| draw.amount.wide()).sum()
}

fn play(seed: u64, faults: Faults, risk: RiskLimit) -> Reached {
    let mut world = World::new(seed, risk);
    world.storm(faults);
    world.settle();
    world.judge();
    world.reached
}

#[test]
fn whatever_falls_no_account_is_overdrawn_and_both_sides_agree_to_the_cent() {
    let mut all = Reached::default();
    for seed in 0..300 {
        let reached = std::panic::catch_unwind(|| play(seed, Faults::All, RiskLimit::default()));
        let reached = reached.unwrap_or_else(|_| panic!("seed {seed}"));
        all.spent += reached.spent;
        all.spent_cut_off += reached.spent_cut_off;
        all.asked_again += reached.asked_again;
        all.lost += reached.lost;
        all.doubled += reached.doubled;
        all.ran_out += reached.ran_out;
        all.given_up += reached.given_up;
        all.reversed += reached.reversed;
        all.replaced += reached.replaced;
        all.refused += reached.refused;
        all.crashes += reached.crashes;
        all.set_back += reached.set_back;
        all.entries_lost += reached.entries_lost;
        all.office_restored += reached.office_restored;
        all.vouched += reached.vouched;
        all.force_closed += reached.force_closed;
        all.renewed += reached.renewed;
        all.void_grants += reached.void_grants;
    }
    println!("{all:?}");
    let rare = [
        all.spent,
        all.spent_cut_off,
        all.asked_again,
        all.lost,
        all.doubled,
        all.ran_out,
        all.given_up,
        all.reversed,
        all.replaced,
        all.refused,
        all.crashes,
        all.set_back,
        all.entries_lost,
        all.office_restored,
        all.vouched,
        all.force_closed,
        all.renewed,
        all.void_grants,
    ];
    assert!(rare.iter().all(|times| *times > 0), "something never happened: {all:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_seed_holds(seed in any::<u64>()) {
        play(seed, Faults::All, RiskLimit::default());
    }

    #[test]
    fn where_nothing_is_lost_the_books_are_the_truth_to_the_cent(seed in any::<u64>()) {
        play(seed, Faults::Lines, RiskLimit::default());
    }

    #[test]
    fn at_a_declared_risk_an_account_is_overdrawn_by_no_more_than_each_store_declared(seed in any::<u64>()) {
        play(seed, Faults::Lines, RiskLimit(value(700)));
    }
}
