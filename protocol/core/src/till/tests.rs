//! Stories of tills, and the law of their cash over random days.

use std::collections::BTreeMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::facts::{CashTransferred, Tender, TenderKind};
use crate::ids::{CommandId, StaffId, TicketId};
use crate::tax::PriceMode;
use crate::time::BusinessDay;

fn eur() -> Currency {
    "EUR".parse().unwrap()
}

fn usd() -> Currency {
    "USD".parse().unwrap()
}

fn at(second: i64) -> Instant {
    Instant::from_micros(1_795_000_000_000_000 + second * 1_000_000).unwrap()
}

fn day(days: i32) -> BusinessDay {
    BusinessDay::from_days(20_778 + days).unwrap() // 2026-11-21
}

fn staff(text: &str) -> StaffId {
    text.parse().unwrap()
}

fn till(text: &str) -> Till {
    Till::new(text.parse().unwrap())
}

fn shift(number: u128) -> ShiftId {
    ShiftId(Uuid::from_u128(number))
}

fn policy() -> ClosePolicy {
    ClosePolicy {
        currency: eur(),
        limit: Money(500),
    }
}

fn opening(number: u128, float: i64) -> Opening {
    Opening {
        shift: shift(number),
        register: "r1".parse().unwrap(),
        staff: staff("anna"),
        float: Money(float),
        foreign: Vec::new(),
    }
}

fn tally(sums: &[(Currency, i64)]) -> Tally {
    let counts = sums.iter().map(|(currency, total)| Count::keyed(*currency, Money(*total)).unwrap());
    Tally::new(counts.collect(), Vec::new()).unwrap()
}

fn closing(counted: i64) -> Closing {
    Closing {
        counted: Counted::Now(tally(&[(eur(), counted)])),
        by: staff("anna"),
        at: at(99),
        day: day(0),
        reason: None,
        approval: None,
    }
}

fn carry(sums: &[(Currency, i64)]) -> Transfer {
    let sum = |(currency, amount): &(Currency, i64)| CurrencySum {
        currency: *currency,
        amount: Money(*amount),
    };
    Transfer {
        sums: sums.iter().map(sum).collect(),
        by: staff("anna"),
        witness: Some(staff("ben")),
        reason: "to the safe".into(),
    }
}

fn ticket(end: TicketEnd, due: i64, tenders: Vec<Tender>, change: i64) -> Fact {
    Fact::TicketClosed(Box::new(ClosedTicket {
        ticket: TicketId(Uuid::from_u128(7)),
        end,
        receipt: None,
        original: None,
        register: "r1".parse().unwrap(),
        till: "t1".parse().unwrap(),
        shift: shift(1),
        opened_at: at(0),
        currency: eur(),
        prices: PriceMode::Inclusive,
        lines: Vec::new(),
        taxes: Vec::new(),
        net: Money(due),
        tax: Money(0),
        cash_rounding: Money(0),
        due: Money(due),
        tenders,
        change: Money(change),
        moves: Vec::new(),
        details: crate::facts::TicketDetails::default(),
    }))
}

fn tender(kind: TenderKind, amount: i64) -> Tender {
    Tender {
        kind,
        ..Tender::cash(CommandId(Uuid::from_u128(9)), at(1), Money(amount))
    }
}

fn dollars(amount: i64, rate: &str) -> Tender {
    let foreign = Foreign {
        currency: usd(),
        amount: Money(amount),
        rate: rate.parse().unwrap(),
    };
    Tender {
        foreign: Some(foreign),
        ..tender(TenderKind::Cash, foreign.worth(eur()).unwrap().0)
    }
}

fn apply(till: &mut Till, fact: impl Into<Fact>) {
    till.apply(&fact.into(), at(1)).unwrap();
}

impl From<ShiftOpened> for Fact {
    fn from(fact: ShiftOpened) -> Fact {
        Fact::ShiftOpened(fact)
    }
}

impl From<ShiftClosed> for Fact {
    fn from(fact: ShiftClosed) -> Fact {
        Fact::ShiftClosed(Box::new(fact))
    }
}

impl From<TillCounted> for Fact {
    fn from(fact: TillCounted) -> Fact {
        Fact::Till(TillFact::TillCounted(Box::new(fact)))
    }
}

fn open(till: &mut Till, number: u128, float: i64) {
    let opened = till.open_with(eur(), opening(number, float)).unwrap();
    apply(till, opened);
}

fn safe() -> Till {
    let mut safe = till("safe");
    let declared = safe.declare(TillKind::Safe).unwrap();
    apply(&mut safe, Fact::Till(TillFact::TillDeclared(declared)));
    safe
}

#[test]
fn what_leaves_the_drawer_arrives_in_the_safe() {
    let (mut drawer, mut safe) = (till("t1"), safe());
    open(&mut drawer, 1, 10_000);
    apply(
        &mut drawer,
        ticket(TicketEnd::Sale, 30_000, vec![tender(TenderKind::Cash, 30_000)], 0),
    );
    let moved = drawer
        .transfer_to(&safe, eur(), WitnessRule::Never, carry(&[(eur(), 25_000)]))
        .unwrap();
    assert_eq!((moved.from_shift, moved.to_shift), (Some(shift(1)), None));
    let fact = Fact::Till(TillFact::CashTransferred(moved));
    for side in [&mut drawer, &mut safe] {
        side.apply(&fact, at(2)).unwrap();
    }
    assert_eq!(drawer.shift.as_ref().unwrap().expected(), Ok(Money(15_000)));
    assert_eq!(drawer.shift.as_ref().unwrap().totals.drops, Money(25_000));
    assert_eq!(safe.resting().0.expected(), Ok(Money(25_000)));
    // The safe is counted where it stands, with a witness, and goes on from what was found.
    let counted = safe
        .count(eur(), tally(&[(eur(), 24_900)]), staff("anna"), Some(staff("ben")))
        .unwrap();
    assert_eq!(counted.results[0].over_short, Money(-100));
    apply(&mut safe, counted);
    assert_eq!(safe.resting().0, Flow::resting(Money(24_900)));
}

#[test]
fn a_large_sum_is_carried_by_two_people() {
    let (mut drawer, safe) = (till("t1"), safe());
    let rule = WitnessRule::From(Money(20_000));
    let alone = |sums: &[(Currency, i64)]| Transfer {
        witness: None,
        ..carry(sums)
    };
    let code = |result: Result<_, Refusal>| result.map(|_: CashTransferred| "ok").unwrap_or_else(|refusal| refusal.code());
    assert_eq!(code(drawer.transfer_to(&safe, eur(), rule, alone(&[(eur(), 1)]))), "no_shift");
    open(&mut drawer, 1, 0);
    for (transfer, wanted) in [
        (alone(&[(eur(), 19_999)]), "ok"),
        (alone(&[(eur(), 20_000)]), "witness_needed"),
        (alone(&[(usd(), 1)]), "witness_needed"),
        (carry(&[(eur(), 20_000), (usd(), 1)]), "ok"),
        (carry(&[(eur(), 1), (eur(), 1)]), "currency_twice"),
        (carry(&[(eur(), 0)]), "amount"),
        (carry(&[]), "amount"),
        (
            Transfer {
                witness: Some(staff("anna")),
                ..carry(&[(eur(), 1)])
            },
            "witness_is_self",
        ),
        (
            Transfer {
                reason: "4111 1111 1111 1111".into(),
                ..carry(&[(eur(), 1)])
            },
            "card_data",
        ),
    ] {
        assert_eq!(code(drawer.transfer_to(&safe, eur(), rule, transfer)), wanted);
    }
    assert_eq!(code(drawer.transfer_to(&drawer, eur(), rule, carry(&[(eur(), 1)]))), "same_till");
}

#[test]
fn foreign_cash_has_its_own_expected_sum_and_gives_change_in_local_money() {
    let mut drawer = till("t1");
    let opened = Opening {
        foreign: vec![CurrencySum {
            currency: usd(),
            amount: Money(1000),
        }],
        ..opening(1, 10_000)
    };
    let opened = drawer.open_with(eur(), opened).unwrap();
    apply(&mut drawer, opened);
    // 20 dollars are worth 18.40 here; the goods cost 15.00.
    apply(&mut drawer, ticket(TicketEnd::Sale, 1500, vec![dollars(2000, "0.92")], 340));
    let x = drawer.x(at(5), day(0)).unwrap();
    assert_eq!(x.expected, Money(10_000 - 340));
    assert_eq!(
        x.foreign,
        [CurrencySum {
            currency: usd(),
            amount: Money(3000)
        }]
    );
    let counted = Counted::Now(tally(&[(eur(), 9660), (usd(), 2900)]));
    let closed = drawer.close(policy(), Closing { counted, ..closing(0) }).unwrap();
    let detail = closed.z.detail.as_ref().unwrap();
    assert_eq!((closed.z.over_short, detail.foreign[0].over_short), (Money(0), Money(-100)));
    assert!(detail.difference.as_ref().unwrap().flagged());
    apply(&mut drawer, closed);
    assert_eq!(drawer.resting().1[0].flow, Flow::resting(Money(2900)));
}

#[test]
fn cards_never_enter_expected_cash_and_are_compared_with_the_slips() {
    let mut drawer = till("t1");
    open(&mut drawer, 1, 100);
    apply(&mut drawer, ticket(TicketEnd::Sale, 900, vec![tender(TenderKind::Card, 900)], 0));
    apply(
        &mut drawer,
        ticket(TicketEnd::Return, -200, vec![tender(TenderKind::Card, -200)], 0),
    );
    assert_eq!(drawer.shift.as_ref().unwrap().expected(), Ok(Money(100)));
    let declared = vec![TenderDeclared {
        tender: TenderKind::Card,
        amount: Money(900),
    }];
    let counts = vec![Count::keyed(eur(), Money(100)).unwrap()];
    let counted = Counted::Now(Tally::new(counts, declared).unwrap());
    let closed = drawer.close(policy(), Closing { counted, ..closing(0) }).unwrap();
    let detail = closed.z.detail.unwrap();
    assert_eq!((detail.tenders[0].expected, detail.tenders[0].declared), (Money(700), Money(900)));
    assert_eq!(detail.difference, None);
}

#[test]
fn a_difference_beyond_the_limit_closes_flagged_unless_somebody_approved_it() {
    let mut drawer = till("t1");
    open(&mut drawer, 1, 10_000);
    let difference = |closing| drawer.close(policy(), closing).unwrap().z.detail.unwrap().difference;
    assert_eq!(difference(closing(9500)), None);
    let flagged = difference(closing(9499)).unwrap();
    assert_eq!((flagged.flagged(), flagged.reason.as_str()), (true, "unexplained"));
    let approved = Closing {
        reason: Some("wrong change".into()),
        approval: Some(CommandId(Uuid::from_u128(3))),
        ..closing(9000)
    };
    let approved = difference(approved).unwrap();
    assert_eq!((approved.flagged(), approved.reason.as_str()), (false, "wrong change"));
}

#[test]
fn a_blind_count_stands_until_cash_moves() {
    let mut drawer = till("t1");
    open(&mut drawer, 1, 1000);
    let before = Closing {
        counted: Counted::Before,
        ..closing(0)
    };
    assert_eq!(drawer.close(policy(), before.clone()).unwrap_err().code(), "not_counted");
    let counted = drawer.count(eur(), tally(&[(eur(), 1000)]), staff("anna"), None).unwrap();
    assert!(counted.results.is_empty(), "a blind count tells nothing");
    apply(&mut drawer, counted.clone());
    assert_eq!(drawer.close(policy(), before.clone()).unwrap().z.counted, Money(1000));
    apply(&mut drawer, ticket(TicketEnd::Cancelled, 0, vec![], 0));
    assert!(drawer.close(policy(), before.clone()).is_ok());
    apply(&mut drawer, ticket(TicketEnd::Sale, 100, vec![tender(TenderKind::Cash, 100)], 0));
    assert_eq!(drawer.close(policy(), before).unwrap_err().code(), "not_counted");
}

#[test]
fn the_next_person_takes_the_till_over_with_their_own_float() {
    let mut drawer = till("t1");
    open(&mut drawer, 1, 1000);
    let next = Opening {
        staff: staff("ben"),
        ..opening(2, 980)
    };
    let own = Opening {
        staff: staff("anna"),
        ..next.clone()
    };
    assert_eq!(drawer.hand_over(policy(), closing(1000), own).unwrap_err().code(), "same_person");
    let (closed, opened) = drawer.hand_over(policy(), closing(1000), next).unwrap();
    assert_eq!(closed.z.detail.as_ref().unwrap().handed_to, Some(staff("ben")));
    assert_eq!(
        opened.left,
        [CurrencySum {
            currency: eur(),
            amount: Money(1000)
        }]
    );
    apply(&mut drawer, closed.clone());
    apply(&mut drawer, opened);
    let shift = drawer.shift.clone().unwrap();
    assert_eq!((shift.float, drawer.last_z), (Money(980), 1));
    // The report that comes a second time closes nothing.
    apply(&mut drawer, closed);
    assert_eq!(drawer.shift, Some(shift));
}

#[test]
fn a_till_that_holds_cash_stays_what_it_is() {
    let mut drawer = till("t1");
    assert!(drawer.declare(TillKind::Safe).is_ok());
    open(&mut drawer, 1, 100);
    assert_eq!(drawer.declare(TillKind::Safe).unwrap_err().code(), "till_in_use");
    assert!(drawer.declare(TillKind::Drawer).is_ok());
}

#[test]
fn a_z_of_the_first_version_is_written_as_it_was() {
    let mut drawer = till("t1");
    let opened = drawer.open_shift(shift(1), "r1".parse().unwrap(), Money(100)).unwrap();
    assert_eq!(
        serde_json::to_string(&opened).unwrap(),
        r#"{"shift":"00000000-0000-0000-0000-000000000001","till":"t1","register":"r1","float":100}"#
    );
    apply(&mut drawer, opened);
    let closed = drawer.close_shift(Money(100), at(9)).unwrap();
    let json = serde_json::to_value(&closed.z).unwrap();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().len();
    assert_eq!((keys(&json), keys(&json["totals"])), (10, 17));
}

#[test]
fn a_till_kept_by_the_version_before_is_still_read() {
    let text = r#"{"till":"t1","last_z":4,"perpetual_sales":900,"perpetual_returns":-100,"shift":null}"#;
    let till: Till = serde_json::from_str(text).unwrap();
    assert_eq!((till.last_z, till.kind), (4, TillKind::Drawer));
}

#[test]
fn the_totals_of_month_and_year_begin_anew_and_the_perpetual_one_never() {
    let mut drawer = till("t1");
    let date = |text: &str| BusinessDay(text.parse().unwrap());
    let mut last = None;
    for (number, (text, due)) in [
        ("2026-11-29", 100),
        ("2026-11-30", 200),
        ("2026-11-30", 400),
        ("2026-12-31", 800),
        ("2027-12-31", 1600),
        ("2027-01-01", 3200), // The clock was set back: it counts as the day before it.
    ]
    .into_iter()
    .enumerate()
    {
        open(&mut drawer, number as u128, 0);
        apply(&mut drawer, ticket(TicketEnd::Sale, due, vec![tender(TenderKind::Cash, due)], 0));
        let closing = Closing {
            day: date(text),
            ..closing(due)
        };
        let closed = drawer.close(policy(), closing).unwrap();
        let periods = closed.z.detail.clone().unwrap().periods;
        last = Some([&periods.day, &periods.month, &periods.year, &periods.perpetual].map(|sums| sums.sales_due.0));
        let wanted = [
            [100, 100, 100, 100],
            [200, 300, 300, 300],
            [600, 700, 700, 700],
            [800, 800, 1500, 1500],
            [1600, 1600, 1600, 3100],
            [4800, 4800, 4800, 6300],
        ];
        assert_eq!(last, Some(wanted[number]));
        apply(&mut drawer, closed);
    }
    assert_eq!(drawer.perpetual_sales, Money(last.unwrap()[3]));
}

/// One thing that happens in a shop with two drawers, a safe and a bag.
#[derive(Clone, Debug)]
enum Happens {
    Sale { due: i64, more: i64 },
    Card { due: i64 },
    Dollars { amount: i64, due: i64 },
    Return { due: i64 },
    Moved { kind: CashMove, amount: i64 },
    Carried { from: usize, to: usize, euros: i64, dollars: i64 },
    Counted { till: usize, found: i64 },
    Shift { found: i64, day: i32 },
    X,
}

fn happens() -> impl Strategy<Value = Happens> {
    let kind = prop::sample::select(vec![CashMove::PaidIn, CashMove::PaidOut, CashMove::Drop]);
    prop_oneof![
        3 => (1i64..9000, 0i64..2000).prop_map(|(due, more)| Happens::Sale { due, more }),
        1 => (1i64..9000).prop_map(|due| Happens::Card { due }),
        2 => (1i64..9000, 0i64..5000).prop_map(|(amount, due)| Happens::Dollars { amount, due }),
        1 => (1i64..5000).prop_map(|due| Happens::Return { due }),
        1 => (kind, 1i64..5000).prop_map(|(kind, amount)| Happens::Moved { kind, amount }),
        2 => (0usize..4, 0usize..4, 1i64..5000, 0i64..50).prop_map(|(from, to, euros, dollars)| Happens::Carried { from, to, euros, dollars }),
        1 => (0usize..4, 0i64..9000).prop_map(|(till, found)| Happens::Counted { till, found }),
        1 => (0i64..20_000, 0i32..40).prop_map(|(found, day)| Happens::Shift { found, day }),
        1 => Just(Happens::X),
    ]
}

/// The second calculation: only sums in and out per till and currency, by nobody's formula but addition.
#[derive(Default)]
struct Purse(BTreeMap<(usize, &'static str), i64>);

impl Purse {
    fn add(&mut self, till: usize, currency: &'static str, amount: i64) {
        *self.0.entry((till, currency)).or_default() += amount;
    }

    fn holds(&self, till: usize, currency: &'static str) -> i64 {
        self.0.get(&(till, currency)).copied().unwrap_or(0)
    }
}

fn expected(till: &Till) -> (i64, i64) {
    let dollars = |all: &[ForeignCash]| all.first().map_or(0, |cash| cash.flow.expected().unwrap().0);
    match &till.shift {
        Some(shift) => (shift.expected().unwrap().0, dollars(&shift.totals.foreign)),
        None => (till.resting().0.expected().unwrap().0, dollars(till.resting().1)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_cash_of_every_till_and_currency_adds_up_whatever_happens(story in prop::collection::vec(happens(), 1..60)) {
        let mut tills = [till("t1"), till("t2"), safe(), till("bag")];
        let declared = tills[3].declare(TillKind::BankBag).unwrap();
        apply(&mut tills[3], Fact::Till(TillFact::TillDeclared(declared)));
        open(&mut tills[0], 1, 1000);
        open(&mut tills[1], 2, 500);
        let mut purse = Purse::default();
        purse.add(0, "EUR", 1000);
        purse.add(1, "EUR", 500);
        let mut zs: Vec<ZReport> = Vec::new();
        let mut sold = 0;
        for (number, happens) in story.into_iter().enumerate() {
            let mut facts = Vec::new();
            match happens {
                Happens::Sale { due, more } => {
                    facts.push(ticket(TicketEnd::Sale, due, vec![tender(TenderKind::Cash, due + more)], more));
                    purse.add(0, "EUR", due);
                    sold += due;
                }
                Happens::Card { due } => {
                    facts.push(ticket(TicketEnd::Sale, due, vec![tender(TenderKind::Card, due)], 0));
                    sold += due;
                }
                Happens::Dollars { amount, due } => {
                    let given = dollars(amount, "0.92");
                    let due = due.min(given.amount.0);
                    let change = given.amount.0 - due;
                    facts.push(ticket(TicketEnd::Sale, due, vec![given], change));
                    purse.add(0, "USD", amount);
                    purse.add(0, "EUR", -change);
                    sold += due;
                }
                Happens::Return { due } => {
                    facts.push(ticket(TicketEnd::Return, -due, vec![tender(TenderKind::Cash, -due)], 0));
                    purse.add(0, "EUR", -due);
                    sold -= due;
                }
                Happens::Moved { kind, amount } => {
                    facts.push(Fact::CashMoved(tills[0].move_cash(kind, Money(amount), "because").unwrap()));
                    purse.add(0, "EUR", if kind == CashMove::PaidIn { amount } else { -amount });
                }
                Happens::Carried { from, to, euros, dollars } => {
                    let mut sums = vec![(eur(), euros)];
                    if dollars > 0 {
                        sums.push((usd(), dollars));
                    }
                    match tills[from].transfer_to(&tills[to], eur(), WitnessRule::From(Money(100)), carry(&sums)) {
                        Ok(moved) => {
                            facts.push(Fact::Till(TillFact::CashTransferred(moved)));
                            for (till, sign) in [(from, -1), (to, 1)] {
                                purse.add(till, "EUR", sign * euros);
                                purse.add(till, "USD", sign * dollars);
                            }
                        }
                        Err(refusal) => prop_assert_eq!((refusal.code(), from), ("same_till", to)),
                    }
                }
                Happens::Counted { till, found } => {
                    let counted = tills[till].count(eur(), tally(&[(eur(), found), (usd(), 7)]), staff("anna"), None).unwrap();
                    if counted.shift.is_none() {
                        prop_assert_eq!(counted.results[0].over_short.0, found - purse.holds(till, "EUR"));
                        purse.0.insert((till, "EUR"), found);
                        purse.0.insert((till, "USD"), 7);
                    }
                    facts.push(counted.into());
                }
                Happens::Shift { found, day: days } => {
                    let counted = Counted::Now(tally(&[(eur(), found), (usd(), 3)]));
                    let closing = Closing { counted, day: day(days), ..closing(0) };
                    let next = Opening { staff: staff("ben"), ..opening(100 + number as u128, 700) };
                    let (closed, opened) = tills[0].hand_over(policy(), closing, next).unwrap();
                    prop_assert_eq!(closed.z.expected.0, purse.holds(0, "EUR"));
                    prop_assert_eq!(closed.z.over_short.0, found - purse.holds(0, "EUR"));
                    zs.push(closed.z.clone());
                    facts.push(closed.into());
                    facts.push(opened.into());
                    purse.0.insert((0, "EUR"), 700);
                    purse.0.insert((0, "USD"), 0);
                }
                Happens::X => {
                    let before = tills[0].clone();
                    let x = tills[0].x(at(5), day(3)).unwrap();
                    prop_assert_eq!(x, tills[0].x(at(5), day(3)).unwrap());
                    prop_assert_eq!(&before, &tills[0]);
                }
            }
            for fact in &facts {
                for till in &mut tills {
                    till.apply(fact, at(2)).unwrap();
                }
            }
            for (place, till) in tills.iter().enumerate() {
                prop_assert_eq!(expected(till), (purse.holds(place, "EUR"), purse.holds(place, "USD")), "till {}", place);
                let kept: Till = serde_json::from_str(&serde_json::to_string(till).unwrap()).unwrap();
                prop_assert_eq!(&kept, till);
            }
        }
        periods_add_up(&zs)?;
        let closed: i64 = zs.iter().map(|z| z.totals.sales_due.0 + z.totals.returns_due.0).sum();
        let open = &tills[0].shift.as_ref().unwrap().totals;
        prop_assert_eq!(closed + open.sales_due.0 + open.returns_due.0, sold);
    }
}

/// Each Z's day, month, year and perpetual totals are the plain sums over the Zs so far that lie in them.
fn periods_add_up(zs: &[ZReport]) -> Result<(), TestCaseError> {
    for (place, z) in zs.iter().enumerate() {
        let own = z.detail.as_ref().unwrap();
        let date = own.periods.business_day.0;
        let sum = |inside: &dyn Fn(jiff::civil::Date) -> bool| {
            let so_far = zs[..=place]
                .iter()
                .filter(|z| inside(z.detail.as_ref().unwrap().periods.business_day.0));
            so_far.fold((0, 0, 0), |(zs, sales, returns), z| {
                (zs + 1, sales + z.totals.sales_due.0, returns + z.totals.returns_due.0)
            })
        };
        let of = |sums: &PeriodTotals| (sums.zs, sums.sales_due.0, sums.returns_due.0);
        prop_assert_eq!(of(&own.periods.day), sum(&|other| other == date));
        prop_assert_eq!(
            of(&own.periods.month),
            sum(&|other| (other.year(), other.month()) == (date.year(), date.month()))
        );
        prop_assert_eq!(of(&own.periods.year), sum(&|other| other.year() == date.year()));
        prop_assert_eq!(of(&own.periods.perpetual), sum(&|_| true));
        prop_assert_eq!((z.number, own.periods.perpetual.zs), (place as u64 + 1, place as u64 + 1));
    }
    Ok(())
}
