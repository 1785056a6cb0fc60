//! Every event comes to nothing, and what the accounts say is what the till should hold.

use jiff::civil::Date;
use proptest::prelude::*;

use super::*;
use crate::accounts::{self, AccountKind};
use crate::facts::accounts::{AccountMoved, Moved, Outflow, Worth};
use crate::facts::{LineDetails, TaxSum, TenderDetails, TenderTaken, TicketDetails, TicketEnd};
use crate::ids::{AccountId, ReceiptNo, ShiftId, TicketId};
use crate::money::{Halves, Quantity};
use crate::tax::{self, Circumstances, Policy, PriceMode, RoundingPlace, Rules, TaxClass, Taxable};
use crate::till::{Foreign, Till};
use crate::time::Instant;

fn eur() -> Currency {
    "EUR".parse().unwrap()
}

fn usd() -> Currency {
    "USD".parse().unwrap()
}

fn command(number: u128) -> CommandId {
    CommandId(uuid::Uuid::from_u128(number))
}

fn at() -> Instant {
    Instant::EPOCH
}

fn till() -> TillId {
    "t1".parse().unwrap()
}

fn shift() -> ShiftId {
    ShiftId(uuid::Uuid::from_u128(9))
}

fn classes() -> Vec<TaxClass> {
    serde_json::from_value(serde_json::json!([
        {"code": "A", "name": "standard", "rate": "0.19"},
        {"code": "Q", "name": "two", "taxes": [{"tax": "GST", "rate": "0.05"}, {"tax": "QST", "rate": "0.09975", "compound": true}]},
    ]))
    .unwrap()
}

fn tender(kind: TenderKind, amount: i64, command_id: CommandId) -> Tender {
    Tender {
        kind,
        ..Tender::cash(command_id, at(), Money(amount))
    }
}

/// A settled ticket of such lines; what the tenders leave is paid in cash by command 1.
fn ticket(lines: &[(LineRole, &str, i64)], mode: PriceMode, place: RoundingPlace, mut tenders: Vec<Tender>, change: i64) -> ClosedTicket {
    let policy = Policy {
        rounding: place,
        halves: Halves::Away,
    };
    let rules = Rules::new(mode, policy, &classes(), &[]).unwrap();
    let taxable = |line: &(LineRole, &'static str, i64)| Taxable {
        class: line.1,
        amount: Money(line.2),
        unit_price: Money(line.2),
        given: None,
    };
    let owned: Vec<(LineRole, &'static str, i64)> = lines
        .iter()
        .map(|(role, class, amount)| (*role, if *class == "A" { "A" } else { "Q" }, *amount))
        .collect();
    let taxables: Vec<Taxable<'_>> = owned.iter().map(taxable).collect();
    let document = tax::document(&taxables, &rules, &Circumstances::on(Date::constant(2026, 11, 21))).unwrap();
    let closed = |(place, (line, taxed)): (usize, (&(LineRole, &'static str, i64), &tax::LineTax))| ClosedLine {
        line: place as u32 + 1,
        command_id: None,
        at: at(),
        sku: "TEE".parse().unwrap(),
        name: "Tee".into(),
        code: "TEE".into(),
        quantity: Quantity(if line.2 < 0 { -1000 } else { 1000 }),
        unit_price: Money(line.2.abs()),
        amount: Money(line.2),
        reasons: Vec::new(),
        tax_class: line.1.to_owned(),
        rate: taxed.rate,
        net: taxed.net,
        tax: taxed.tax,
        taxes: taxed.recorded(line.1),
        voided: None,
        details: LineDetails {
            role: line.0,
            ..LineDetails::default()
        },
    };
    let total = document.net.0 + document.tax.0;
    let given: i64 = tenders.iter().map(|tender| tender.amount.0 - tender.details.tip.0).sum();
    let due = given + Money(total - given).to_step(5).unwrap().0;
    tenders.push(tender(TenderKind::Cash, due - given + change, command(1)));
    ClosedTicket {
        ticket: TicketId(uuid::Uuid::from_u128(1)),
        end: if due < 0 { TicketEnd::Return } else { TicketEnd::Sale },
        receipt: Some(ReceiptNo {
            register: "r1".parse().unwrap(),
            series: 1,
            number: 1,
        }),
        original: None,
        register: "r1".parse().unwrap(),
        till: till(),
        shift: shift(),
        opened_at: at(),
        currency: eur(),
        prices: mode,
        lines: owned.iter().zip(&document.lines).enumerate().map(closed).collect(),
        taxes: document.sums.into_iter().map(TaxSum::recorded).collect(),
        net: document.net,
        tax: document.tax,
        cash_rounding: Money(due - total),
        due: Money(due),
        tenders,
        change: Money(change),
        moves: Vec::new(),
        details: TicketDetails::default(),
    }
}

fn close(ticket: ClosedTicket) -> Fact {
    Fact::TicketClosed(Box::new(ticket))
}

fn told(fact: &Fact) -> Vec<(String, i64)> {
    let postings = postings(fact, Some(command(1)), eur()).unwrap();
    let words = |posting: &Posting| {
        let of = match &posting.account {
            Account::Sales { tax_class } => format!("sales {tax_class}"),
            Account::TaxPayable { tax } => format!("tax {tax}"),
            account => account.word().to_owned(),
        };
        (format!("{of} {}", posting.unit.word()), posting.amount.0)
    };
    postings.iter().map(words).collect()
}

fn said(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    expected.iter().map(|(words, amount)| ((*words).to_owned(), *amount)).collect()
}

#[test]
fn a_sale_is_split_into_goods_taxes_cash_and_rounding() {
    let lines = [
        (LineRole::Goods, "A", 1190),
        (LineRole::Goods, "Q", 1002),
        (LineRole::Deposit, "A", 25),
    ];
    let sale = ticket(&lines, PriceMode::Inclusive, RoundingPlace::Line, Vec::new(), 285);
    assert_eq!(
        told(&close(sale)),
        said(&[
            ("sales A EUR", -1000),
            ("sales Q EUR", -868),
            ("tax A EUR", -194),
            ("tax GST EUR", -43),
            ("tax QST EUR", -91),
            ("cash EUR", 2215),
            ("deposits EUR", -21),
            ("cash_rounding EUR", 2),
        ])
    );
}

#[test]
fn what_was_taken_before_waits_with_the_open_tickets() {
    let card = tender(TenderKind::Card, 1000, command(5));
    let taken = Fact::TenderTaken(TenderTaken {
        ticket: TicketId(uuid::Uuid::from_u128(1)),
        tender: card.clone(),
    });
    assert_eq!(told(&taken), said(&[("cards EUR", 1000), ("open_tickets EUR", -1000)]));
    let sale = ticket(
        &[(LineRole::Goods, "A", 1190)],
        PriceMode::Inclusive,
        RoundingPlace::Line,
        vec![card],
        0,
    );
    assert_eq!(
        told(&close(sale)),
        said(&[
            ("sales A EUR", -1000),
            ("tax A EUR", -190),
            ("cash EUR", 190),
            ("open_tickets EUR", 1000)
        ])
    );
}

#[test]
fn foreign_cash_is_posted_in_its_own_currency_and_a_tip_is_the_staffs() {
    let mut dollars = tender(TenderKind::Cash, 923, command(1));
    dollars.foreign = Some(Foreign {
        currency: usd(),
        amount: Money(1000),
        rate: "0.9235".parse().unwrap(),
    });
    let mut card = tender(TenderKind::Card, 300, command(1));
    card.details = TenderDetails {
        tip: Money(33),
        ..TenderDetails::default()
    };
    let sale = ticket(
        &[(LineRole::Goods, "A", 1190)],
        PriceMode::Inclusive,
        RoundingPlace::Line,
        vec![dollars, card],
        0,
    );
    assert_eq!(
        told(&close(sale)),
        said(&[
            ("sales A EUR", -1000),
            ("tax A EUR", -190),
            ("cash USD", 1000),
            ("cards EUR", 300),
            ("tips EUR", -33),
            ("exchange EUR", 923),
            ("exchange USD", -1000),
        ])
    );
}

#[test]
fn practice_offers_and_given_up_tickets_move_nothing() {
    for end in [TicketEnd::Training, TicketEnd::Quotation, TicketEnd::Cancelled] {
        let lines = [(LineRole::Goods, "A", 1190)];
        let sale = ClosedTicket {
            end,
            ..ticket(&lines, PriceMode::Inclusive, RoundingPlace::Line, Vec::new(), 0)
        };
        assert_eq!(told(&close(sale)), []);
    }
}

#[test]
fn a_document_that_does_not_add_up_is_refused_by_the_difference() {
    let mut sale = ticket(
        &[(LineRole::Goods, "A", 1190)],
        PriceMode::Inclusive,
        RoundingPlace::Line,
        Vec::new(),
        0,
    );
    sale.change = Money(7);
    let error = postings(&close(sale.clone()), Some(command(1)), eur()).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().contains("-0.07 EUR")),
        ("unbalanced", true),
        "{error}"
    );
    sale.change = Money(i64::MIN);
    assert_eq!(postings(&close(sale), Some(command(1)), eur()).unwrap_err().code(), "money");
}

#[test]
fn after_a_shift_no_cash_is_left_in_it_and_what_was_missing_is_told() {
    let mut drawer = Till::new(till());
    let mut books = Balances::default();
    let live = |drawer: &mut Till, books: &mut Balances, fact: Fact| {
        drawer.apply(&fact, at()).unwrap();
        books.post(&postings(&fact, Some(command(1)), eur()).unwrap()).unwrap();
        if let Some(open) = &drawer.shift {
            assert_eq!(books.of(&Account::Cash, eur()), open.expected().unwrap());
        }
    };
    let opened = drawer.open_shift(shift(), "r1".parse().unwrap(), Money(10_000)).unwrap();
    live(&mut drawer, &mut books, Fact::ShiftOpened(opened));
    let sale = ticket(
        &[(LineRole::Goods, "A", 1990)],
        PriceMode::Inclusive,
        RoundingPlace::Line,
        Vec::new(),
        10,
    );
    live(&mut drawer, &mut books, close(sale));
    let back = ticket(
        &[(LineRole::Goods, "Q", -500)],
        PriceMode::Inclusive,
        RoundingPlace::Line,
        Vec::new(),
        0,
    );
    live(&mut drawer, &mut books, close(back));
    for (kind, amount) in [(CashMove::PaidIn, 500), (CashMove::PaidOut, 120), (CashMove::Drop, 3000)] {
        let moved = drawer.move_cash(kind, Money(amount), "reason").unwrap();
        live(&mut drawer, &mut books, Fact::CashMoved(moved));
    }
    let closed = drawer.close_shift(Money(8860), at()).unwrap();
    live(&mut drawer, &mut books, Fact::ShiftClosed(Box::new(closed)));
    assert_eq!(books.of(&Account::Cash, eur()), Money::ZERO);
    assert_eq!(books.of(&Account::OverShort, eur()), Money(10), "ten cents are missing: a cost");
    assert_eq!(books.of(&Account::CashAtRest, eur()), Money(-10_000 + 3000 + 8860));
    assert_eq!(Money::sum(books.iter().map(|(_, _, amount)| amount)), Ok(Money::ZERO));
}

#[test]
fn what_a_balance_pays_is_in_the_books_once() {
    let of_ten = |kind, unit, out| {
        Fact::Accounts(AccountsFact::AccountMoved(Box::new(AccountMoved {
            command: command(2),
            account: accounts::Account {
                id: AccountId(uuid::Uuid::from_u128(5)),
                kind,
                unit,
            },
            amount: accounts::Value::new(1000).unwrap(),
            ticket: None,
            receipt: None,
            moved: Moved::Spent(out),
        })))
    };
    let worth = Worth {
        currency: eur(),
        amount: Money(1000),
    };
    let points = Outflow {
        worth: Some(worth),
        ..Outflow::default()
    };
    let card = of_ten(AccountKind::GiftCard, Unit::Money(eur()), Outflow::default());
    let points = of_ten(AccountKind::Points, Unit::Points, points);
    for (kind, moved, gone) in [
        (TenderKind::GiftCard, card, Account::GiftCardsOwed),
        (TenderKind::Points, points, Account::PointsRedeemed),
    ] {
        let paid = vec![tender(kind, 1000, command(1))];
        let sale = ticket(&[(LineRole::Goods, "A", 1190)], PriceMode::Inclusive, RoundingPlace::Line, paid, 0);
        let mut books = Balances::default();
        for fact in [close(sale), moved] {
            books.post(&postings(&fact, Some(command(1)), eur()).unwrap()).unwrap();
        }
        assert_eq!(books.of(&Account::TicketClearing, eur()), Money::ZERO);
        assert_eq!(books.of(&gone, eur()), Money(1000));
        assert_eq!(books.of(&Account::Cash, eur()), Money(190));
    }
}

#[test]
fn every_account_is_written_with_its_word() {
    let sales = Account::Sales { tax_class: "A".into() };
    let posting = Posting {
        account: sales,
        till: None,
        unit: Unit::Money(eur()),
        amount: Money(-1000),
    };
    let written = serde_json::json!({"account": "sales", "tax_class": "A", "unit": "EUR", "amount": -1000});
    assert_eq!(serde_json::to_value(&posting).unwrap(), written);
    assert_eq!(serde_json::from_value::<Posting>(written).unwrap(), posting);
    for account in [
        Account::Cash,
        Account::CashAtRest,
        Account::OpenTickets,
        Account::OverShort,
        Account::Unassigned,
    ] {
        assert_eq!(serde_json::to_value(&account).unwrap()["account"], account.word());
    }
}

fn lines() -> impl Strategy<Value = Vec<(LineRole, &'static str, i64)>> {
    let role = prop::sample::select(vec![
        LineRole::Goods,
        LineRole::Department,
        LineRole::Deposit,
        LineRole::BottleRefund,
        LineRole::Prepayment,
        LineRole::Fee,
    ]);
    prop::collection::vec((role, prop::sample::select(vec!["A", "Q"]), -20_000i64..20_000), 1..15)
}

fn tenders() -> impl Strategy<Value = Vec<Tender>> {
    let kind = prop::sample::select(vec![
        TenderKind::Cash,
        TenderKind::Card,
        TenderKind::GiftCard,
        TenderKind::StoreCredit,
        TenderKind::Voucher,
        TenderKind::OnAccount,
        TenderKind::Points,
    ]);
    let one = (kind, -5000i64..5000, 1u128..3, 0i64..300, any::<bool>()).prop_map(|(kind, amount, by, tip, foreign)| Tender {
        foreign: (foreign && kind == TenderKind::Cash).then(|| Foreign {
            currency: usd(),
            amount: Money(amount * 2),
            rate: "0.5".parse().unwrap(),
        }),
        details: TenderDetails {
            tip: Money(tip),
            ..TenderDetails::default()
        },
        ..tender(kind, amount, command(by))
    });
    prop::collection::vec(one, 0..5)
}

proptest! {
    #[test]
    fn every_settled_ticket_comes_to_nothing_in_every_currency(
        lines in lines(), tenders in tenders(), change in 0i64..5000, inclusive in any::<bool>(),
        place in prop::sample::select(vec![RoundingPlace::Line, RoundingPlace::Tax, RoundingPlace::Document])
    ) {
        let mode = if inclusive { PriceMode::Inclusive } else { PriceMode::Exclusive };
        let sale = ticket(&lines, mode, place, tenders.clone(), change);
        let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
        let mut facts = vec![close(sale.clone())];
        // What another command gave was taken before.
        let before = tenders.iter().filter(|tender| tender.command_id != command(1));
        facts.extend(before.map(|tender| Fact::TenderTaken(TenderTaken { ticket: sale.ticket, tender: tender.clone() })));
        let mut books = Balances::default();
        for fact in &facts {
            let postings = postings(fact, Some(command(1)), eur()).unwrap();
            books.post(&postings).unwrap();
            for posting in postings {
                *sums.entry(posting.unit.word()).or_default() += posting.amount.0;
            }
            prop_assert!(sums.values().all(|sum| *sum == 0), "{sums:?}");
        }
        prop_assert_eq!(books.of(&Account::OpenTickets, eur()), Money::ZERO);
        let taxes: i64 = books.iter().filter(|(account, ..)| matches!(account, Account::TaxPayable { .. })).map(|(_, _, amount)| amount.0).sum();
        prop_assert_eq!(taxes, -sale.tax.0);
    }

    #[test]
    fn no_amounts_break_it(amounts in prop::collection::vec(any::<i64>(), 6)) {
        let mut sale = ticket(&[(LineRole::Goods, "A", 1190)], PriceMode::Inclusive, RoundingPlace::Line, Vec::new(), 0);
        sale.lines[0].net = Money(amounts[0]);
        sale.lines[0].tax = Money(amounts[1]);
        sale.tenders[0].amount = Money(amounts[2]);
        sale.tenders[0].details.tip = Money(amounts[3]);
        sale.change = Money(amounts[4]);
        sale.cash_rounding = Money(amounts[5]);
        let _ = postings(&close(sale), Some(command(1)), eur());
    }
}
