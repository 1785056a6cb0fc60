//! Closing days, with a box that may fall after every step.

use std::collections::BTreeSet;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::facts::{Fact, ShiftOpened, TillCounted, TillFact};
use crate::till::{Count, Tally, Till};
use crate::time::Instant;

fn at(second: i64) -> Instant {
    Instant::from_micros(1_795_000_000_000_000 + second * 1_000_000).unwrap()
}

fn day(days: i32) -> BusinessDay {
    BusinessDay::from_days(20_778 + days).unwrap()
}

fn id(number: u128) -> CommandId {
    CommandId(Uuid::from_u128(number))
}

fn terminal(text: &str) -> DeviceId {
    text.parse().unwrap()
}

fn carried(number: u128) -> CarriedTicket {
    CarriedTicket {
        ticket: TicketId(Uuid::from_u128(number)),
        register: "r1".parse().unwrap(),
        total: Money(100),
    }
}

/// A shop and its journal; what it knows comes from the journal alone.
#[derive(Default)]
struct Shop {
    days: Days,
    tills: BTreeMap<TillId, Till>,
    journal: Vec<(Fact, BusinessDay)>,
}

impl Shop {
    fn write(&mut self, fact: Fact, today: BusinessDay) {
        self.days.apply(&fact, today);
        for till in self.tills.values_mut() {
            till.apply(&fact, at(1)).unwrap();
        }
        self.journal.push((fact, today));
    }

    fn step(&mut self, step: Result<Step, Refusal>, today: BusinessDay) {
        if let Step::Do(fact) = step.unwrap() {
            self.write(Fact::Day(fact), today);
        }
    }

    fn falls(&mut self) {
        let before = std::mem::take(&mut self.days);
        self.journal.iter().for_each(|(fact, today)| self.days.apply(fact, *today));
        assert_eq!(before, self.days);
        let kept: Days = serde_json::from_str(&serde_json::to_string(&before).unwrap()).unwrap();
        assert_eq!(before, kept);
    }

    fn open(&mut self, till: &str, shift: u128, today: BusinessDay) {
        let till: TillId = till.parse().unwrap();
        let own = self.tills.entry(till).or_insert_with(|| Till::new(till));
        let opened = own
            .open_shift(ShiftId(Uuid::from_u128(shift)), "r1".parse().unwrap(), Money(0))
            .unwrap();
        self.write(Fact::ShiftOpened(opened), today);
    }

    fn close(&mut self, open: OpenShift, today: BusinessDay) {
        let closed = self.tills[&open.till].close_shift(Money(0), at(9)).unwrap();
        assert_eq!(closed.shift, open.shift);
        self.write(Fact::ShiftClosed(Box::new(closed)), today);
    }

    fn count(&mut self, open: OpenShift, today: BusinessDay) {
        let tally = Tally::new(vec![Count::keyed("EUR".parse().unwrap(), Money(0)).unwrap()], Vec::new()).unwrap();
        let fact = TillCounted {
            till: open.till,
            shift: Some(open.shift),
            currency: "EUR".parse().unwrap(),
            tally,
            results: Vec::new(),
            by: "anna".parse().unwrap(),
            witness: None,
        };
        self.write(Fact::Till(TillFact::TillCounted(Box::new(fact))), today);
    }

    /// Does what the close waits for. `false` when it is sealed.
    fn go_on(&mut self, closing: BusinessDay, today: BusinessDay, settlement: u128) -> bool {
        match self.days.next() {
            Next::Nothing => return false,
            Next::Count(shifts) => self.count(shifts[0], today),
            Next::Carry => {
                let step = self.days.carry(closing, vec![carried(70)]);
                self.step(step, today);
            }
            Next::Settle(terminal) => {
                let step = self.days.settle(closing, terminal, id(settlement));
                self.step(step, today);
            }
            Next::AskTerminal(terminal, settlement) => {
                let step = self.days.settled(closing, terminal, settlement, SettlementEnd::Done, "batch 7");
                self.step(step, today);
            }
            Next::CloseShifts(shifts) => self.close(shifts[0], today),
            Next::Number => {
                let step = self.days.number(closing);
                self.step(step, today);
            }
            Next::Seal => {
                let step = self.days.seal(closing);
                self.step(step, today);
            }
        }
        true
    }

    fn begin(&mut self, closing: BusinessDay, terminals: &[&str]) {
        let terminals = terminals.iter().map(|text| terminal(text)).collect();
        let step = self.days.begin(closing, "anna".parse().unwrap(), terminals);
        self.step(step, closing);
    }

    fn numbered(&self) -> Vec<&DayNumbered> {
        let numbered = self.journal.iter().filter_map(|(fact, _)| match fact {
            Fact::Day(DayFact::DayNumbered(numbered)) => Some(&**numbered),
            _ => None,
        });
        numbered.collect()
    }
}

#[test]
fn a_close_goes_on_where_it_stood_after_a_fall_between_any_two_steps() {
    let mut whole = Shop::default();
    let mut steps = 0;
    for fall in 0..20 {
        let mut shop = Shop::default();
        shop.open("t1", 1, day(0));
        shop.open("t2", 2, day(0));
        shop.begin(day(0), &["card-1", "card-2"]);
        let mut done = 0;
        loop {
            if done == fall {
                shop.falls();
            }
            if !shop.go_on(day(0), day(0), 500 + done) {
                break;
            }
            done += 1;
        }
        let [numbered] = &shop.numbered()[..] else {
            panic!("one day, one number")
        };
        assert_eq!((numbered.number, numbered.zs.len(), numbered.unsettled.len()), (1, 2, 0));
        assert_eq!(shop.days.sealed(), Some(day(0)));
        if fall == 0 {
            steps = done;
            whole = shop;
        } else {
            assert_eq!(shop.journal, whole.journal);
        }
    }
    // Two counts, the tickets, two terminals with wish and end, two Zs, the number, the seal.
    assert_eq!(steps, 2 + 1 + 4 + 2 + 1 + 1);
}

#[test]
fn a_command_said_twice_is_answered_the_same_and_does_nothing() {
    let mut shop = Shop::default();
    shop.open("t1", 1, day(0));
    shop.begin(day(0), &["card-1"]);
    assert_eq!(shop.days.begin(day(0), "ben".parse().unwrap(), vec![]), Ok(Step::Done));
    assert_eq!(
        shop.days.begin(day(1), "ben".parse().unwrap(), vec![]).unwrap_err().code(),
        "day_closing"
    );
    assert_eq!(
        shop.days.number(day(0)).unwrap_err().to_string(),
        format!("the close of {} is not there yet; next: count till t1", day(0))
    );
    assert_eq!(shop.days.seal(day(0)).unwrap_err().code(), "not_yet");
    shop.go_on(day(0), day(0), 5); // count
    shop.go_on(day(0), day(0), 5); // carry
    assert_eq!(shop.days.carry(day(0), vec![]), Ok(Step::Done));
    shop.go_on(day(0), day(0), 5); // wanted
    assert_eq!(shop.days.settle(day(0), terminal("card-1"), id(5)), Ok(Step::Done));
    // Somebody else presses the button: the terminal is not asked a second time.
    assert_eq!(
        shop.days.settle(day(0), terminal("card-1"), id(6)).unwrap_err().code(),
        "ask_terminal"
    );
    assert_eq!(
        shop.days.settle(day(0), terminal("card-9"), id(6)).unwrap_err().code(),
        "other_terminal"
    );
    while shop.go_on(day(0), day(0), 9) {}
    let entries = shop.journal.len();
    for step in [
        shop.days.begin(day(0), "ben".parse().unwrap(), vec![]),
        shop.days.carry(day(0), vec![carried(1)]),
        shop.days.settle(day(0), terminal("card-1"), id(7)),
        shop.days.settled(day(0), terminal("card-1"), id(7), SettlementEnd::Done, "again"),
        shop.days.number(day(0)),
        shop.days.seal(day(0)),
    ] {
        assert_eq!(step, Ok(Step::Done));
    }
    assert_eq!(shop.journal.len(), entries);
    assert_eq!(shop.days.number(day(1)).unwrap_err().code(), "not_closing");
}

#[test]
fn a_terminal_nobody_can_reach_is_left_and_named_and_does_not_hold_the_day() {
    let mut shop = Shop::default();
    shop.begin(day(0), &["card-1", "card-2", "card-3"]);
    shop.go_on(day(0), day(0), 1);
    let end = |shop: &mut Shop, name: &str, number, end| {
        let step = shop.days.settled(day(0), terminal(name), id(number), end, "no answer");
        shop.step(step, day(0));
    };
    shop.go_on(day(0), day(0), 1);
    end(&mut shop, "card-1", 1, SettlementEnd::Unknown);
    assert_eq!(shop.days.next(), Next::AskTerminal(terminal("card-1"), id(1)));
    end(&mut shop, "card-1", 2, SettlementEnd::Left);
    shop.go_on(day(0), day(0), 3);
    end(&mut shop, "card-2", 3, SettlementEnd::NotDone);
    // It surely did not happen: now it may be asked again.
    assert_eq!(shop.days.next(), Next::Settle(terminal("card-2")));
    shop.go_on(day(0), day(0), 4);
    end(&mut shop, "card-2", 4, SettlementEnd::Done);
    end(&mut shop, "card-3", 5, SettlementEnd::Left);
    while shop.go_on(day(0), day(0), 9) {}
    assert_eq!(shop.numbered()[0].unsettled, [terminal("card-1"), terminal("card-3")]);
}

#[test]
fn what_is_late_goes_into_the_next_day() {
    let mut shop = Shop::default();
    shop.open("t1", 1, day(0));
    shop.begin(day(0), &[]);
    // Somebody opens the second till while the first is being closed.
    shop.open("t2", 2, day(0));
    let late = OpenShift {
        till: "t2".parse().unwrap(),
        shift: ShiftId(Uuid::from_u128(2)),
    };
    assert_eq!(shop.days.day_of(late.shift, day(0)), day(1));
    assert_eq!(shop.days.day_of(ShiftId(Uuid::from_u128(1)), day(1)), day(0));
    shop.close(late, day(0));
    while shop.go_on(day(0), day(0), 9) {}
    assert_eq!(shop.numbered()[0].zs.len(), 1);
    assert_eq!(shop.days.pending().count(), 1);
    assert_eq!(shop.days.trading_day(day(0)), day(1));
    shop.begin(day(1), &[]);
    while shop.go_on(day(1), day(1), 10) {}
    assert_eq!((shop.numbered()[1].number, shop.numbered()[1].zs[0].till), (2, late.till));
}

#[test]
fn open_tickets_are_carried_by_name_until_they_end() {
    let mut shop = Shop::default();
    for closing in [day(0), day(1)] {
        shop.begin(closing, &[]);
        let step = shop.days.carry(closing, vec![carried(70), carried(71)]);
        shop.step(step, closing);
        while shop.go_on(closing, closing, 9) {}
        assert_eq!(shop.days.carried(), [carried(70), carried(71)]);
    }
    let ended = sale("t1", 70, 0);
    shop.write(ended, day(2));
    assert_eq!(shop.days.carried(), [carried(71)]);
}

fn sale(till: &str, number: u128, due: i64) -> Fact {
    use crate::facts::{ClosedTicket, Tender};
    let tender = Tender::cash(id(1), at(0), Money(due));
    Fact::TicketClosed(Box::new(ClosedTicket {
        ticket: TicketId(Uuid::from_u128(number)),
        end: TicketEnd::Sale,
        receipt: None,
        original: None,
        register: "r1".parse().unwrap(),
        till: till.parse().unwrap(),
        shift: ShiftId(Uuid::from_u128(1)),
        opened_at: at(0),
        currency: "EUR".parse().unwrap(),
        prices: crate::tax::PriceMode::Inclusive,
        lines: Vec::new(),
        taxes: Vec::new(),
        net: Money(due),
        tax: Money(0),
        cash_rounding: Money(0),
        due: Money(due),
        tenders: vec![tender],
        change: Money(0),
        moves: Vec::new(),
        details: crate::facts::TicketDetails::default(),
    }))
}

#[test]
fn a_document_that_does_not_add_up_is_named_and_stays_in_the_totals() {
    let mut shop = Shop::default();
    shop.open("t1", 1, day(0));
    let Fact::TicketClosed(mut bad) = sale("t1", 5, 700) else {
        panic!()
    };
    assert_eq!(fault_of(&bad), None);
    bad.change = Money(3);
    assert_eq!(fault_of(&bad), Some("tenders"));
    bad.tax = Money(1);
    assert_eq!(fault_of(&bad), Some("due"));
    let receipt: ReceiptNo = "r1/1/5".parse().unwrap();
    bad.receipt = Some(receipt);
    let why = fault_of(&bad).unwrap();
    shop.write(Fact::TicketClosed(bad), day(0));
    let step = shop.days.mark(receipt, Mark::SetAside, why);
    shop.step(step, day(0));
    assert_eq!(shop.days.mark(receipt, Mark::SetAside, why), Ok(Step::Done));
    shop.begin(day(0), &[]);
    while shop.go_on(day(0), day(0), 9) {}
    let numbered = shop.numbered()[0];
    assert_eq!((numbered.totals.sales_due, &numbered.set_aside[..]), (Money(700), &[receipt][..]));
    let step = shop.days.mark(receipt, Mark::PutRight, "receipt corrected");
    shop.step(step, day(1));
    assert_eq!(shop.days.set_aside().count(), 0);
    assert_eq!(
        shop.days.mark(receipt, Mark::PutRight, "again").unwrap_err().code(),
        "not_set_aside"
    );
}

#[test]
fn a_ticket_with_a_tip_is_no_faulty_document() {
    let Fact::TicketClosed(mut paid) = sale("t1", 5, 700) else {
        panic!()
    };
    paid.tenders[0].amount = Money(paid.tenders[0].amount.0 + 50);
    assert_eq!(fault_of(&paid), Some("tenders"));
    paid.tenders[0].details.tip = Money(50);
    assert_eq!(fault_of(&paid), None);
}

#[derive(Clone, Copy, Debug)]
enum Happens {
    Open(u8),
    Close(u8),
    Sell(u8, i64),
    Begin,
    GoOn,
    Fall,
    Midnight,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_sale_is_in_one_z_and_every_z_in_one_day(story in prop::collection::vec(prop_oneof![
        2 => (0u8..3).prop_map(Happens::Open),
        1 => (0u8..3).prop_map(Happens::Close),
        4 => (0u8..3, 1i64..1000).prop_map(|(till, due)| Happens::Sell(till, due)),
        1 => Just(Happens::Begin),
        5 => Just(Happens::GoOn),
        1 => Just(Happens::Fall),
        1 => Just(Happens::Midnight),
    ], 1..120)) {
        let mut shop = Shop::default();
        let (mut today, mut closing, mut sold) = (0, day(0), 0);
        let name = |till: u8| format!("t{till}");
        for (number, happens) in story.into_iter().enumerate() {
            let number = number as u128;
            match happens {
                Happens::Open(till) => {
                    let open = shop.tills.get(&name(till).parse().unwrap()).is_some_and(|till| till.shift.is_some());
                    if !open {
                        shop.open(&name(till), 1000 + number, day(today));
                    }
                }
                Happens::Close(till) => {
                    let till = name(till).parse().unwrap();
                    let shift = shop.tills.get(&till).and_then(|till| till.shift.as_ref()).map(|shift| shift.shift);
                    if let Some(shift) = shift {
                        shop.close(OpenShift { till, shift }, day(today));
                    }
                }
                Happens::Sell(till, due) => {
                    let open = shop.tills.get(&name(till).parse().unwrap()).is_some_and(|till| till.shift.is_some());
                    if open {
                        shop.write(sale(&name(till), number, due), day(today));
                        sold += due;
                    }
                }
                Happens::Begin => {
                    if shop.days.next() == Next::Nothing && shop.days.sealed() < Some(day(today)) {
                        closing = day(today);
                        shop.begin(closing, &["card-1"]);
                    }
                }
                Happens::GoOn => drop(shop.go_on(closing, day(today), 5000 + number)),
                Happens::Fall => shop.falls(),
                Happens::Midnight => today += 1,
            }
        }
        let open: Vec<OpenShift> = shop.tills.values().filter_map(|till| till.shift.as_ref().map(|shift| OpenShift { till: till.till, shift: shift.shift })).collect();
        while shop.go_on(closing, day(today), 9999) {}
        for shift in open {
            if shop.tills[&shift.till].shift.as_ref().is_some_and(|own| own.shift == shift.shift) {
                shop.close(shift, day(today));
            }
        }
        let last = day(today + 2);
        shop.begin(last, &[]);
        while shop.go_on(last, last, 10_000) {}
        let numbered = shop.numbered();
        let mut seen = BTreeSet::new();
        for (place, day) in numbered.iter().enumerate() {
            prop_assert_eq!(day.number, place as u64 + 1);
            prop_assert!(day.zs.iter().all(|z| seen.insert((z.till, z.number))), "a Z in two days");
        }
        prop_assert!(numbered.windows(2).all(|pair| pair[0].day < pair[1].day));
        prop_assert_eq!(shop.days.pending().count(), 0);
        let zs = shop.journal.iter().filter(|(fact, _)| matches!(fact, Fact::ShiftClosed(_))).count();
        prop_assert_eq!(seen.len(), zs);
        prop_assert_eq!(numbered.iter().map(|day| day.totals.sales_due.0).sum::<i64>(), sold);
    }
}

#[test]
fn a_report_that_comes_twice_is_in_no_second_day() {
    let mut shop = Shop::default();
    let opened = ShiftOpened {
        shift: ShiftId(Uuid::from_u128(1)),
        till: "t1".parse().unwrap(),
        register: "r1".parse().unwrap(),
        float: Money(0),
        staff: None,
        foreign: Vec::new(),
        left: Vec::new(),
    };
    shop.tills.insert(opened.till, Till::new(opened.till));
    shop.write(Fact::ShiftOpened(opened), day(0));
    let closed = Fact::ShiftClosed(Box::new(shop.tills.values().next().unwrap().close_shift(Money(0), at(1)).unwrap()));
    shop.write(closed.clone(), day(0));
    shop.write(closed, day(0));
    assert_eq!(shop.days.pending().count(), 1);
}
