//! Stories of accounts between a head office and its stores, and the laws of their figures.

use jiff::civil::Date;
use uuid::Uuid;

use super::book::{Answer, Ask, Book, NeedsPerson, Origin};
use super::directory::Directory;
use super::leased::{Decision, Leased, PutIn, Reach, RiskLimit, Spend, TakeBack};
use super::loyalty::{LineBack, Programme, Rules, SoldLine, Tier, take_back};
use super::*;
use crate::facts::Fact;
use crate::facts::accounts::{
    AccountMoved, AccountOpened, AccountsFact, Change, Draw, InvoicePaid, LeaseGranted, LeaseName, Moved, OfficeSeen, Outflow, PointsLine,
    Seen, Worth,
};
use crate::ids::{CommandId, TicketId};
use crate::money::{Money, Quantity};
use crate::time::{BusinessDay, Instant};

const NO_RISK: RiskLimit = RiskLimit(Value::ZERO);

pub(super) fn value(amount: i64) -> Value {
    Value::new(amount).unwrap()
}

pub(super) fn command(number: u128) -> CommandId {
    CommandId(Uuid::from_u128(number))
}

fn lease(number: u128) -> LeaseId {
    LeaseId(Uuid::from_u128(number))
}

pub(super) fn at(minutes: i64) -> Instant {
    Instant::from_micros(1_795_000_000_000_000 + minutes * 60_000_000).unwrap()
}

pub(super) fn day(month: i8, day: i8) -> BusinessDay {
    BusinessDay(Date::constant(2026, month, day))
}

pub(super) fn euro() -> Unit {
    Unit::Money("EUR".parse().unwrap())
}

pub(super) fn account(number: u128, kind: AccountKind) -> Account {
    let unit = if kind == AccountKind::Points { Unit::Points } else { euro() };
    let id = AccountId(Uuid::from_u128(number));
    Account { id, kind, unit }
}

fn card() -> Account {
    account(1, AccountKind::GiftCard)
}

/// A head office and its stores on good lines, until a story cuts them. What is decided is written at once.
struct Company {
    office: Book,
    stores: Vec<(StoreId, Leased)>,
    written: Vec<(Origin, AccountsFact)>,
}

impl Company {
    fn new() -> Company {
        let ids = ["north", "south"].map(|id| id.parse::<StoreId>().unwrap());
        let mut company = Company {
            office: Book::new(ids),
            stores: ids.map(|id| (id, Leased::new(Epoch(1)))).to_vec(),
            written: vec![],
        };
        company.by_office(company.office.begin(1));
        for id in ids {
            company.office.epoch_opened(id, Epoch(1));
        }
        for store in 0..2 {
            let heard = company.stores[store].1.hear_office(1);
            let heard = company.at_store(store, heard);
            company.arrive(store, &heard);
        }
        company
    }

    fn by_office(&mut self, fact: AccountsFact) {
        self.office.apply(Origin::Office, &fact);
        self.written.push((Origin::Office, fact));
    }

    /// Writes at the store; head office has it only after `arrive`.
    fn at_store(&mut self, store: usize, decision: Decision) -> Vec<AccountsFact> {
        let Decision::Record(facts) = decision else { return vec![] };
        facts.iter().for_each(|fact| self.stores[store].1.apply(fact));
        facts
    }

    fn arrive(&mut self, store: usize, facts: &[AccountsFact]) {
        let (id, leased) = &self.stores[store];
        let origin = Origin::Store {
            store: *id,
            epoch: leased.epoch(),
        };
        for fact in facts {
            self.office.apply(origin, fact);
            self.written.push((origin, fact.clone()));
        }
    }

    fn sell(&mut self, store: usize, number: u128, amount: i64) -> Vec<AccountsFact> {
        let wish = put_in(number, card(), amount, Moved::Sold);
        let decision = self.stores[store].1.put_in(wish).unwrap();
        self.at_store(store, decision)
    }

    fn spend(&mut self, store: usize, number: u128, amount: i64, reach: Reach, now: i64) -> Result<Vec<AccountsFact>, Refusal> {
        let decision = self.stores[store].1.spend(&spend(number, amount), reach, NO_RISK, at(now))?;
        Ok(self.at_store(store, decision))
    }

    fn ask(&self, store: usize) -> Ask {
        let (id, leased) = &self.stores[store];
        let asked = leased.unanswered().next().unwrap();
        Ask {
            store: *id,
            epoch: leased.epoch(),
            lease: asked.lease,
            account: asked.account,
            amount: asked.amount,
        }
    }

    fn grant(&mut self, store: usize, until: i64) -> Result<LeaseGranted, Refusal> {
        match self.office.grant(&self.ask(store), at(until))? {
            Answer::Granted(grant) => {
                self.by_office(AccountsFact::LeaseGranted(grant.clone()));
                Ok(grant)
            }
            Answer::Again(grant) => Ok(grant),
        }
    }

    /// A sold card whose value is head office's to lend.
    fn with_card(amount: i64) -> Company {
        let mut company = Company::new();
        let sold = company.sell(0, 100, amount);
        let home = company.stores[0].1.hand_back(card());
        let home = company.at_store(0, home);
        company.arrive(0, &[sold, home].concat());
        company
    }

    /// Room in stock for a store.
    fn lend(&mut self, store: usize, number: u128, amount: i64, until: i64) {
        let ask = self.stores[store].1.ask(lease(number), card(), value(amount)).unwrap();
        let asked = self.at_store(store, ask);
        let grant = self.grant(store, until).unwrap();
        let taken = self.stores[store].1.hear_grant(&grant, at(0));
        let taken = self.at_store(store, taken);
        self.arrive(store, &[asked, taken].concat());
    }

    fn free(&self) -> i128 {
        self.office.balance(card()).unwrap().free()
    }

    fn balance(&self) -> i128 {
        self.office.balance(card()).unwrap().balance()
    }
}

fn put_in(number: u128, account: Account, amount: i64, moved: Moved) -> PutIn {
    PutIn {
        command: command(number),
        account,
        amount: value(amount),
        ticket: None,
        receipt: None,
        moved,
    }
}

pub(super) fn spend(number: u128, amount: i64) -> Spend {
    Spend {
        command: command(number),
        account: card(),
        amount: value(amount),
        ticket: TicketId(Uuid::from_u128(number)),
        worth: None,
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
    result.unwrap_err().code()
}

#[test]
fn two_stores_cut_off_from_each_other_can_not_both_spend_one_card() {
    let mut company = Company::with_card(5_000);
    company.lend(0, 1, 3_000, 60);
    company.lend(1, 2, 2_000, 60);
    let north = company.spend(0, 10, 3_000, Reach::CutOff, 5).unwrap();
    let refused = company.spend(1, 11, 3_000, Reach::CutOff, 5);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "this store may spend 20.00 EUR of this account while it is cut off, not 30.00 EUR; take another tender or try when head office is \
         reached"
    );
    let south = company.spend(1, 12, 2_000, Reach::CutOff, 6).unwrap();
    assert_eq!(code(company.spend(1, 13, 1, Reach::CutOff, 7)), "lease_too_small");
    company.arrive(1, &south);
    company.arrive(0, &north);
    assert_eq!((company.balance(), company.free()), (0, 0));
    assert!(company.office.debts().is_empty());
}

#[test]
fn a_store_spends_what_it_sold_itself_without_asking_anybody() {
    let mut company = Company::new();
    let sold = company.sell(1, 100, 2_500);
    let spent = company.spend(1, 10, 1_000, Reach::CutOff, 1).unwrap();
    company.arrive(1, &[sold, spent].concat());
    assert_eq!(
        (company.balance(), company.free()),
        (1_500, 0),
        "what is left is still that store's to spend"
    );
}

#[test]
fn a_payment_whose_answer_was_lost_is_asked_again_and_spent_once() {
    let mut company = Company::with_card(5_000);
    let asked = company.spend(1, 10, 2_000, Reach::Online, 0).unwrap();
    let lost = company.grant(1, 60).unwrap();
    // The box fell; what it had asked is in its journal.
    let mut again = Leased::new(Epoch(1));
    again.apply(&AccountsFact::OfficeSeen(OfficeSeen {
        incarnation: 1,
        seen: Seen::Heard,
    }));
    asked.iter().for_each(|fact| again.apply(fact));
    company.stores[1].1 = again;
    let waiting = company.stores[1].1.spend(&spend(10, 2_000), Reach::Online, NO_RISK, at(1));
    assert_eq!(waiting, Ok(Decision::Waiting));
    let grant = company.grant(1, 99).unwrap();
    assert_eq!(grant, lost, "the same question has the same answer");
    let paid = company.stores[1].1.hear_grant(&grant, at(2));
    let paid = company.at_store(1, paid);
    assert_eq!(paid.len(), 2, "taken and spent at once");
    assert_eq!(company.stores[1].1.hear_grant(&lost, at(2)), Decision::Already);
    let said_again = company.stores[1].1.spend(&spend(10, 2_000), Reach::Online, NO_RISK, at(3));
    assert_eq!(said_again, Ok(Decision::Already));
    let other_body = company.stores[1].1.spend(&spend(10, 2_001), Reach::Online, NO_RISK, at(3));
    assert_eq!(code(other_body), "command_id_reused");
    company.arrive(1, &[asked, paid].concat());
    assert_eq!((company.balance(), company.free()), (3_000, 3_000));
}

#[test]
fn only_what_is_missing_is_asked_for_and_the_rest_is_kept_for_that_payment() {
    let mut company = Company::with_card(5_000);
    company.lend(1, 1, 1_500, 60);
    let asked = company.spend(1, 10, 2_000, Reach::Online, 0).unwrap();
    assert_eq!(company.ask(1).amount, value(500));
    assert_eq!(code(company.spend(1, 11, 1, Reach::CutOff, 0)), "lease_too_small");
    assert_eq!(company.stores[1].1.hand_back(card()), Decision::Waiting);
    let grant = company.grant(1, 60).unwrap();
    let paid = company.stores[1].1.hear_grant(&grant, at(1));
    let paid = company.at_store(1, paid);
    company.arrive(1, &[asked, paid].concat());
    assert_eq!(
        (company.balance(), company.free(), company.office.leases_out().count()),
        (3_000, 3_000, 0)
    );
}

#[test]
fn who_gave_up_takes_no_answer_that_comes_late() {
    let mut company = Company::with_card(5_000);
    let asked = company.spend(1, 10, 2_000, Reach::Online, 0).unwrap();
    let late = company.grant(1, 60).unwrap();
    let ask = company.ask(1);
    let ended = company.stores[1].1.give_up(lease(10));
    let ended = company.at_store(1, ended);
    assert_eq!(company.stores[1].1.hear_grant(&late, at(1)), Decision::Already);
    assert_eq!(code(company.spend(1, 10, 2_000, Reach::Online, 2)), "ask_ended");
    company.arrive(1, &[asked, ended].concat());
    assert_eq!(company.free(), 5_000, "head office has it back");
    assert_eq!(
        code(company.office.grant(&ask, at(60))),
        "ask_ended",
        "also a copy of the question comes too late"
    );
}

#[test]
fn a_cancelled_ticket_gives_the_card_its_money_back_once() {
    let mut company = Company::with_card(5_000);
    company.lend(0, 1, 3_000, 60);
    let spent = company.spend(0, 10, 3_000, Reach::CutOff, 1).unwrap();
    let reversed = company.stores[0].1.reverse(command(20), command(10)).unwrap();
    let back = company.at_store(0, reversed);
    assert_eq!(company.stores[0].1.reverse(command(20), command(10)), Ok(Decision::Already));
    assert_eq!(code(company.stores[0].1.reverse(command(21), command(10))), "already_reversed");
    assert_eq!(code(company.stores[0].1.reverse(command(22), command(99))), "no_such_payment");
    assert_eq!(
        company.stores[0].1.room(card(), at(99)),
        value(3_000),
        "it is this store's own room again, without an end"
    );
    company.arrive(0, &[spent, back].concat());
    assert_eq!((company.balance(), company.free()), (5_000, 2_000));
}

#[test]
fn a_lease_that_ends_while_the_store_is_cut_off_is_spent_no_more_and_goes_home_by_itself() {
    let mut company = Company::with_card(5_000);
    company.lend(0, 1, 3_000, 60);
    let spent = company.spend(0, 10, 1_000, Reach::CutOff, 59).unwrap();
    assert_eq!(code(company.spend(0, 11, 1, Reach::CutOff, 60)), "lease_too_small");
    assert_eq!(
        company.free(),
        2_000,
        "head office waits until it hears: it can not know what was spent before the end"
    );
    let name = LeaseName {
        store: company.stores[0].0,
        epoch: Epoch(1),
        lease: lease(1),
    };
    assert_eq!(code(company.office.force_close(command(9), name, value(0), at(59))), "lease_alive");
    let home = company.stores[0].1.tidy(at(61));
    let home = company.at_store(0, home);
    company.arrive(0, &[spent, home].concat());
    assert_eq!((company.balance(), company.free()), (4_000, 4_000));
}

#[test]
fn a_renewed_lease_lives_longer_and_holds_no_more() {
    let mut company = Company::with_card(5_000);
    company.lend(0, 1, 3_000, 60);
    let name = *company.office.leases_out().next().unwrap().0;
    let grant = company.office.renew(name, at(120)).unwrap();
    company.by_office(AccountsFact::LeaseGranted(grant.clone()));
    for _ in 0..2 {
        let taken = company.stores[0].1.hear_grant(&grant, at(1));
        let taken = company.at_store(0, taken);
        company.arrive(0, &taken);
    }
    assert_eq!(company.stores[0].1.room(card(), at(119)), value(3_000));
    assert_eq!((company.balance(), company.free()), (5_000, 2_000));
    assert_eq!(code(company.office.renew(name, at(100))), "unknown_lease");
}

#[test]
fn a_store_with_a_new_box_spends_nothing_of_the_old_one_but_its_late_facts_count() {
    let mut company = Company::with_card(5_000);
    company.lend(0, 1, 3_000, 60);
    let unsent = company.spend(0, 10, 1_200, Reach::CutOff, 1).unwrap();
    let dead = company.stores[0].1.clone();
    company.stores[0].1.open_epoch(Epoch(2));
    let id = company.stores[0].0;
    company.office.epoch_opened(id, Epoch(2));
    assert_eq!(code(company.spend(0, 11, 1, Reach::CutOff, 2)), "lease_too_small");
    assert_eq!(code(company.stores[0].1.reverse(command(12), command(10))), "no_such_payment");
    let (name, in_doubt) = company.office.in_doubt().next().map(|(name, lease)| (*name, lease.open())).unwrap();
    assert_eq!(
        (in_doubt, company.free()),
        (value(3_000), 2_000),
        "nobody may spend what the old box may have spent"
    );
    // An answer to the old box is not taken by the new one, even to a question it asks again with the same id.
    let asked = company.stores[0].1.ask(lease(7), card(), value(500)).unwrap();
    company.at_store(0, asked);
    let to_the_old_box = LeaseGranted {
        lease: lease(7),
        account: card(),
        store: id,
        epoch: Epoch(1),
        amount: value(500),
        until: at(60),
        incarnation: 1,
    };
    assert_eq!(company.stores[0].1.hear_grant(&to_the_old_box, at(2)), Decision::Already);
    // A person looks at the paper rolls: 12.00 were spent. Later the old disk is read after all.
    assert_eq!(
        code(company.office.force_close(command(30), name, value(3_001), at(1))),
        "paper_exceeds_lease"
    );
    for fact in company.office.force_close(command(30), name, value(1_200), at(1)).unwrap() {
        company.by_office(fact);
    }
    assert_eq!((company.balance(), company.free()), (3_800, 3_800));
    company.stores[0].1 = dead;
    company.arrive(0, &unsent);
    assert_eq!(company.balance(), 2_600, "facts always count");
    assert_eq!(
        company.office.debts().into_values().collect::<Vec<_>>(),
        [1_200],
        "and what was counted twice is flagged"
    );
    let put_right = company
        .office
        .correct(command(31), card(), value(1_200), Moved::CorrectedIn)
        .unwrap();
    company.by_office(put_right);
    assert_eq!(company.balance(), 3_800);
}

#[test]
fn a_box_that_was_set_back_and_sold_on_unnoticed_owes_what_it_spent_twice() {
    let mut company = Company::with_card(5_000);
    company.lend(0, 1, 3_000, 60);
    let before = company.stores[0].1.clone();
    let once = company.spend(0, 10, 2_500, Reach::CutOff, 1).unwrap();
    company.arrive(0, &once);
    company.stores[0].1 = before;
    let twice = company.spend(0, 11, 2_000, Reach::CutOff, 2).unwrap();
    company.arrive(0, &twice);
    let debts = company.office.debts();
    assert_eq!(debts.get(&(company.stores[0].0, card())), Some(&1_500));
    assert_eq!((company.balance(), company.free()), (500, 500), "no other store may spend it again");
}

#[test]
fn a_restored_head_office_lends_nothing_until_every_store_was_heard() {
    let mut company = Company::with_card(5_000);
    let backup = company.office.clone();
    company.lend(0, 1, 3_000, 60);
    let old_life = {
        let ask = company.stores[1].1.ask(lease(2), card(), value(2_000)).unwrap();
        company.at_store(1, ask);
        company.grant(1, 60).unwrap()
    };
    let taken: Vec<_> = company.written.iter().rev().take(3).map(|(_, fact)| fact.clone()).collect();
    company.office = backup;
    company.by_office(company.office.begin(2));
    assert_eq!(company.free(), 5_000, "it has forgotten both leases");
    assert_eq!(code(company.grant(1, 60)), "head_office_recovering");
    // South hears of the new life before the old answer arrives, and does not take it.
    let heard = company.stores[1].1.hear_office(2);
    let heard = company.at_store(1, heard);
    assert_eq!(company.stores[1].1.hear_grant(&old_life, at(1)), Decision::Already);
    company.arrive(1, &heard);
    assert_eq!(company.office.recovering(), Some((company.stores[0].0, NeedsPerson::No)));
    let heard = company.stores[0].1.hear_office(2);
    let heard = company.at_store(0, heard);
    let taken: Vec<_> = taken
        .into_iter()
        .filter(|fact| matches!(fact, AccountsFact::LeaseTaken(_)))
        .collect();
    company.arrive(0, &taken);
    company.arrive(0, &heard);
    assert_eq!(company.office.recovering(), None);
    assert_eq!(company.free(), 2_000, "north's lease is known again");
    let grant = company.grant(1, 60).unwrap();
    let taken = company.stores[1].1.hear_grant(&grant, at(2));
    company.at_store(1, taken);
    assert_eq!((company.free(), company.stores[1].1.room(card(), at(3))), (0, value(2_000)));
}

#[test]
fn where_box_and_head_office_both_forgot_a_person_answers() {
    let mut company = Company::with_card(5_000);
    company.by_office(company.office.begin(2));
    let id = company.stores[0].0;
    assert_eq!(code(company.office.vouch(id)), "head_office_recovering");
    company.stores[0].1.open_epoch(Epoch(2));
    company.office.epoch_opened(id, Epoch(2));
    let heard = company.stores[0].1.hear_office(2);
    let heard = company.at_store(0, heard);
    company.arrive(0, &heard);
    assert_eq!(company.office.recovering(), Some((id, NeedsPerson::Yes)));
    company.by_office(company.office.vouch(id).unwrap());
    assert_eq!(company.office.recovering(), Some((company.stores[1].0, NeedsPerson::No)));
}

#[test]
fn a_shop_that_sells_on_without_a_lease_does_so_up_to_its_declared_risk_and_it_is_flagged() {
    let mut company = Company::with_card(5_000);
    let risk = RiskLimit(value(1_000));
    let leased = &company.stores[0].1;
    assert_eq!(code(leased.spend(&spend(10, 1_001), Reach::CutOff, risk, at(1))), "lease_too_small");
    let decision = leased.spend(&spend(11, 800), Reach::CutOff, risk, at(1)).unwrap();
    let spent = company.at_store(0, decision);
    assert_eq!(
        code(company.stores[0].1.spend(&spend(12, 201), Reach::CutOff, risk, at(2))),
        "lease_too_small"
    );
    company.arrive(0, &spent);
    assert_eq!((company.balance(), company.free()), (4_200, 4_200));
    assert_eq!(company.office.at_risk().next(), Some((&(company.stores[0].0, card()), 800)));
    company.stores[0].1.counted_at_head_office(card(), command(11));
    assert!(company.stores[0].1.spend(&spend(12, 1_000), Reach::CutOff, risk, at(3)).is_ok());
    let reversed = company.stores[0].1.reverse(command(13), command(11)).unwrap();
    let back = company.at_store(0, reversed);
    company.arrive(0, &back);
    assert_eq!(
        (company.balance(), company.free(), company.office.at_risk().count()),
        (5_000, 5_000, 0)
    );
}

#[test]
fn a_blocked_card_pays_nothing_and_its_value_moves_to_the_new_one() {
    let mut company = Company::with_card(5_000);
    let block = company.office.change(card(), Change::Blocked).unwrap();
    company.by_office(block.clone());
    company.lend_before_block();
    company.stores[0].1.apply(&block);
    assert_eq!(code(company.spend(0, 10, 1, Reach::CutOff, 1)), "account_blocked");
    let new = account(2, AccountKind::GiftCard);
    let points = account(3, AccountKind::Points);
    assert_eq!(
        code(company.stores[0].1.replace(command(20), card(), points, at(1))),
        "wrong_account_kind"
    );
    let replaced = company.stores[0].1.replace(command(20), card(), new, at(1)).unwrap();
    let facts = company.at_store(0, replaced);
    let mut directory = Directory::default();
    let key = super::card_number::CardKey::new([5; 32]);
    let mark = |serial| key.mark(super::card_number::CardNumber::from_serial(serial).unwrap());
    for (account, serial) in [(card(), 1_000), (new, 2_000)] {
        directory.apply(&AccountsFact::AccountOpened(AccountOpened {
            account,
            card: Some(mark(serial)),
            customer: None,
        }));
    }
    facts.iter().for_each(|fact| directory.apply(fact));
    assert_eq!(directory.find(mark(1_000).hash).unwrap().replaced_by, Some(new));
    assert_eq!(directory.find(mark(2_000).hash).unwrap().replaced_by, None);
    company.arrive(0, &facts);
    assert_eq!(company.balance(), 0);
    assert_eq!(company.office.balance(new).unwrap().balance(), 5_000);
    assert_eq!(company.stores[0].1.room(new, at(2)), value(5_000));
}

impl Company {
    /// A blocked card is not lent any more; this store had the value before.
    fn lend_before_block(&mut self) {
        let ask = self.stores[0].1.ask(lease(1), card(), value(5_000)).unwrap();
        let asked = self.at_store(0, ask);
        assert_eq!(code(self.grant(0, 60)), "account_blocked");
        let grant = LeaseGranted {
            lease: lease(1),
            account: card(),
            store: self.stores[0].0,
            epoch: Epoch(1),
            amount: value(5_000),
            until: at(60),
            incarnation: 1,
        };
        self.by_office(AccountsFact::LeaseGranted(grant.clone()));
        let taken = self.stores[0].1.hear_grant(&grant, at(0));
        let taken = self.at_store(0, taken);
        self.arrive(0, &[asked, taken].concat());
    }
}

#[test]
fn an_account_customer_buys_up_to_the_limit_and_pays_invoices() {
    let credit = account(4, AccountKind::OnAccount);
    let mut company = Company::new();
    let opened = AccountsFact::AccountOpened(AccountOpened {
        account: credit,
        card: None,
        customer: Some("c1".parse().unwrap()),
    });
    company.by_office(opened);
    let limit = value(10_000);
    let fact = company.office.change(credit, Change::CreditLimit { limit }).unwrap();
    company.by_office(fact);
    assert_eq!(code(company.office.change(card(), Change::Blocked)), "unknown_account");
    let ask = company.stores[0].1.ask(lease(1), credit, value(9_000)).unwrap();
    let asked = company.at_store(0, ask);
    let grant = company.grant(0, 60).unwrap();
    let taken = company.stores[0].1.hear_grant(&grant, at(0));
    let taken = company.at_store(0, taken);
    company.arrive(0, &[asked, taken].concat());
    for (number, amount) in [(10, 4_000), (11, 5_000)] {
        let wish = Spend {
            account: credit,
            ..spend(number, amount)
        };
        let decision = company.stores[0].1.spend(&wish, Reach::CutOff, NO_RISK, at(1)).unwrap();
        let charged = company.at_store(0, decision);
        company.arrive(0, &charged);
    }
    let paid = Moved::Paid {
        invoices: vec![InvoicePaid {
            invoice: command(11),
            amount: value(3_000),
        }],
    };
    let decision = company.stores[0].1.put_in(put_in(20, credit, 3_500, paid)).unwrap();
    let paid = company.at_store(0, decision);
    company.arrive(0, &paid);
    let balance = company.office.balance(credit).unwrap();
    assert_eq!(
        (balance.balance(), balance.free()),
        (-5_500, 1_000),
        "what was paid in is room at that store"
    );
    let open: Vec<_> = balance.open_invoices().into_iter().map(|open| (open.invoice, open.open)).collect();
    assert_eq!(open, [(command(10), value(3_500)), (command(11), value(2_000))]);
    assert_eq!(code(company.office.expire(command(30), credit, day(1, 1))), "wrong_account_kind");
}

#[test]
fn what_the_old_books_said_is_head_offices_to_lend() {
    let mut book = Book::new([]);
    let credit = account(4, AccountKind::OnAccount);
    book.opened(card(), 2_500);
    book.opened(credit, i64::MIN);
    assert_eq!(book.balance(card()).unwrap().free(), 2_500);
    assert_eq!(book.balance(credit).unwrap().balance(), i128::from(i64::MIN));
}

#[test]
fn points_run_out_by_lots_and_what_was_spent_was_the_oldest() {
    let points = account(3, AccountKind::Points);
    let mut company = Company::new();
    let earned = |expires| Moved::Earned { expires, lines: vec![] };
    for (number, amount, expires) in [(1, 100, Some(day(3, 1))), (2, 200, Some(day(2, 1))), (3, 50, None)] {
        let decision = company.stores[0].1.put_in(put_in(number, points, amount, earned(expires))).unwrap();
        let facts = company.at_store(0, decision);
        company.arrive(0, &facts);
    }
    let wish = Spend {
        account: points,
        worth: Some(Worth {
            amount: Money(120),
            currency: "EUR".parse().unwrap(),
        }),
        ..spend(10, 120)
    };
    let decision = company.stores[0].1.spend(&wish, Reach::CutOff, NO_RISK, at(1)).unwrap();
    let spent = company.at_store(0, decision);
    company.arrive(0, &spent);
    let left = |company: &Company| -> Vec<i128> {
        company
            .office
            .balance(points)
            .unwrap()
            .lots()
            .iter()
            .map(|(_, lot)| lot.points)
            .collect()
    };
    assert_eq!(left(&company), [80, 100, 50]);
    assert_eq!(
        company.office.expire(command(20), points, day(2, 2)),
        Ok(None),
        "all of it is with the store"
    );
    let home = company.stores[0].1.hand_back(points);
    let home = company.at_store(0, home);
    company.arrive(0, &home);
    assert_eq!(
        company.office.expire(command(20), points, day(2, 1)),
        Ok(None),
        "the last day still counts"
    );
    let expired = company.office.expire(command(20), points, day(2, 2)).unwrap().unwrap();
    company.by_office(expired);
    assert_eq!(left(&company), [100, 50]);
    assert_eq!(company.office.expire(command(21), points, day(2, 2)), Ok(None));
    assert_eq!(company.office.balance(points).unwrap().free(), 150);
}

pub(super) fn programme() -> Programme {
    let rules = Rules {
        points: 1,
        per: Money(100),
        excluded: ["tobacco".to_owned()].into(),
        tiers: vec![
            Tier {
                code: "gold".into(),
                from_points: value(1_000),
                percent: 150,
            },
            Tier {
                code: "silver".into(),
                from_points: value(500),
                percent: 120,
            },
        ],
        burn_points: 100,
        burn_worth: Money(100),
        valid_days: Some(365),
    };
    rules.try_into().unwrap()
}

pub(super) fn sold(line: u32, quantity: i64, amount: i64, category: &str) -> SoldLine {
    SoldLine {
        line,
        quantity: Quantity(quantity),
        amount: Money(amount),
        category: Some(category.into()),
    }
}

#[test]
fn a_basket_earns_by_its_sum_not_by_each_line_rounded_down() {
    let lines = [
        sold(1, 1000, 150, "food"),
        sold(2, 1000, 150, "food"),
        sold(3, 1000, 900, "tobacco"),
        sold(4, 1000, -500, "food"),
    ];
    let earned = programme().earn(&lines, None).unwrap();
    assert_eq!(
        earned.iter().map(|line| (line.line, line.points.get())).collect::<Vec<_>>(),
        [(1, 1), (2, 2)]
    );
    let programme = programme();
    let tier = |earned| programme.tier(value(earned)).map(|tier| tier.code.as_str());
    assert_eq!((tier(499), tier(500), tier(5_000)), (None, Some("silver"), Some("gold")));
    let gold = programme.tier(value(1_000));
    let points: i64 = programme.earn(&lines, gold).unwrap().iter().map(|line| line.points.get()).sum();
    assert_eq!(points, 4, "3.00 at one and a half");
    assert_eq!(programme.expires(day(11, 21)), Some(BusinessDay(Date::constant(2027, 11, 21))));
}

#[test]
fn points_pay_in_whole_steps_and_never_more_than_is_due() {
    let programme = programme();
    assert_eq!(programme.most_for(Money(350), value(10_000)), value(300));
    assert_eq!(programme.most_for(Money(350), value(250)), value(200));
    assert_eq!(programme.most_for(Money(-350), value(250)), value(0));
    assert_eq!(programme.worth(value(300)), Ok(Money(300)));
    let wrong = Rules {
        burn_points: 0,
        ..Rules::from(programme)
    };
    assert_eq!(Programme::try_from(wrong).unwrap_err().code(), "points_rules");
}

#[test]
fn three_shirts_come_back_one_by_one_and_take_their_points_with_them() {
    let earned = programme()
        .earn(&[sold(1, 3000, 10_000, "shirts"), sold(2, 1000, 550, "food")], None)
        .unwrap();
    assert_eq!(earned[0].points, value(100));
    let one = LineBack {
        line: 1,
        quantity: Quantity(1000),
    };
    let mut before = Vec::new();
    let mut steps = Vec::new();
    for _ in 0..3 {
        let taken = take_back(&earned, &before, &[one]).unwrap();
        steps.push(taken[0].points.get());
        before.extend(taken);
    }
    assert_eq!(steps, [33, 33, 34]);
    assert_eq!(take_back(&earned, &before, &[one]).unwrap_err().code(), "over_return");
}

#[test]
fn points_that_are_gone_already_are_taken_back_and_owed() {
    let points = account(3, AccountKind::Points);
    let mut company = Company::new();
    let lines = vec![PointsLine {
        line: 1,
        quantity: Quantity(1000),
        points: value(100),
    }];
    let earned = Moved::Earned {
        expires: None,
        lines: lines.clone(),
    };
    let decision = company.stores[0].1.put_in(put_in(1, points, 100, earned)).unwrap();
    let facts = company.at_store(0, decision);
    company.arrive(0, &facts);
    let wish = Spend {
        account: points,
        ..spend(2, 70)
    };
    let decision = company.stores[0].1.spend(&wish, Reach::CutOff, NO_RISK, at(1)).unwrap();
    let facts = company.at_store(0, decision);
    company.arrive(0, &facts);
    let back = TakeBack {
        command: command(3),
        account: points,
        of: command(1),
        lines,
        ticket: None,
        receipt: None,
    };
    let decision = company.stores[0].1.take_back(back.clone(), at(2)).unwrap();
    let facts = company.at_store(0, decision);
    assert_eq!(company.stores[0].1.take_back(back, at(2)), Ok(Decision::Already));
    company.arrive(0, &facts);
    let balance = company.office.balance(points).unwrap();
    assert_eq!((balance.balance(), balance.free(), balance.out()), (-70, -70, 0));
    assert!(company.office.debts().is_empty(), "no store's fault");
}

#[test]
fn what_does_not_fit_an_account_is_refused_by_name() {
    let leased = Leased::new(Epoch(1));
    let try_to = |account, amount, moved| code(leased.put_in(put_in(1, account, amount, moved)));
    assert_eq!(try_to(card(), 100, Moved::Issued), "wrong_account_kind");
    assert_eq!(try_to(account(9, AccountKind::StoreCredit), 100, Moved::Sold), "wrong_account_kind");
    assert_eq!(try_to(card(), 0, Moved::Sold), "no_amount");
    assert_eq!(try_to(card(), 100, Moved::Expired), "wrong_account_kind");
    assert_eq!(Value::try_from(-1).unwrap_err().code(), "absurd_amount");
    assert_eq!(Value::try_from(i64::MAX).unwrap_err().code(), "absurd_amount");
    assert!(serde_json::from_str::<Value>("-5").is_err());
    let mut full = Leased::new(Epoch(1));
    let Ok(Decision::Record(facts)) = full.put_in(put_in(1, card(), Value::LARGEST.get(), Moved::Sold)) else {
        panic!()
    };
    facts.iter().for_each(|fact| full.apply(fact));
    assert_eq!(code(full.put_in(put_in(2, card(), 1, Moved::Reloaded))), "account_too_full");
}

#[test]
fn the_json_of_a_payment_is_what_the_contracts_say() {
    let fact = AccountsFact::AccountMoved(Box::new(AccountMoved {
        command: command(1),
        account: card(),
        amount: value(1_500),
        ticket: Some(TicketId(Uuid::from_u128(2))),
        receipt: None,
        moved: Moved::Spent(Outflow {
            draws: vec![Draw {
                lease: lease(3),
                amount: value(1_500),
            }],
            uncovered: Value::ZERO,
            worth: None,
        }),
    }));
    let id = |number: u128| Uuid::from_u128(number).to_string();
    let json = format!(
        r#"{{"fact":"account_moved","command":"{}","account":"{}","account_kind":"gift_card","unit":"EUR","amount":1500,"ticket":"{}","moved":"spent","draws":[{{"lease":"{}","amount":1500}}],"uncovered":0}}"#,
        id(1),
        id(1),
        id(2),
        id(3)
    );
    assert_eq!(serde_json::to_string(&Fact::Accounts(fact.clone())).unwrap(), json);
    assert_eq!(serde_json::from_str::<Fact>(&json).unwrap(), Fact::Accounts(fact));
    assert_eq!(card().key(), format!("gift_card/{}", id(1)));
    let shown = serde_json::to_string(&Company::with_card(500).office.balance(card()).unwrap().shown(euro())).unwrap();
    assert_eq!(
        shown,
        r#"{"unit":"EUR","put_in":500,"taken_out":0,"balance":500,"out":0,"blocked":false}"#
    );
}
