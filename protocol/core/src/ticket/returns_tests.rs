//! Stories of goods that come back: in parts, without a receipt, in exchange, cancelled, and where the money goes.

use super::basket_tests::{approval, doing, why};
use super::*;
use crate::facts::{ApprovedAction, RefundOf};
use crate::ids::AccountId;
use crate::ticket::returns::{RefundPart, gift_lines};

pub fn numbered(closed: ClosedTicket, number: u64) -> ClosedTicket {
    let register = closed.register;
    ClosedTicket {
        receipt: Some(ReceiptNo {
            register,
            series: 1,
            number,
        }),
        ..closed
    }
}

/// Three T-shirts and apples, with a discount of a euro on all: 59.70 + 2.49 - 1.00 = 61.19.
fn sale(cash_step: i64) -> ClosedTicket {
    let mut ticket = open(cash_step);
    scan(&mut ticket, "TEE-M", 3000, 1);
    scan(&mut ticket, "APPLE", 1000, 2);
    let discount = crate::price::Discount::Amount(Money(100));
    let decided = ticket
        .discount_ticket(&shop().counter(), Some(discount), why(), Permit::Own, doing(3))
        .unwrap();
    ticket.accept(decided);
    pay(&mut ticket, 7000, 4);
    numbered(settle(&ticket).unwrap(), 1)
}

fn receipt() -> ReceiptNo {
    "r1/1/1".parse().unwrap()
}

fn back(ticket: &mut Open, sale: &ClosedTicket, before: &GivenBack, wanted: &[(u32, i64)]) -> Result<(), Refusal> {
    let wanted: Vec<(u32, Quantity)> = wanted.iter().map(|(line, quantity)| (*line, Quantity(*quantity))).collect();
    let decided = ticket.take_back(&shop().counter(), sale, before, &wanted, doing(20))?;
    ticket.accept(decided);
    Ok(())
}

#[test]
fn part_returns_bring_each_lines_own_share_and_add_up_to_what_was_paid() {
    let sale = sale(5);
    adds_up(&sale);
    let mut before = GivenBack::new(receipt());
    let mut sums = (0, 0, 0);
    for (number, wanted) in [vec![(1, 1000)], vec![(2, 300)], vec![(1, 1000), (2, 700)], vec![(1, 1000)]]
        .into_iter()
        .enumerate()
    {
        let mut ticket = open(5);
        back(&mut ticket, &sale, &before, &wanted).unwrap();
        let cash = ticket.refund_cash(None, doing(30)).unwrap();
        ticket.apply(Event::TenderTaken(cash));
        let closed = numbered(settle(&ticket).unwrap(), 10 + number as u64);
        adds_up(&closed);
        assert_eq!((closed.end, closed.original), (TicketEnd::Return, Some(receipt())));
        assert_eq!(closed.due.0 % 5, 0);
        sums = (sums.0 + closed.due.0, sums.1 + closed.net.0, sums.2 + closed.tax.0);
        before.add(&closed).unwrap();
    }
    assert_eq!(sums, (-sale.due.0, -sale.net.0, -sale.tax.0));
    let mut ticket = open(5);
    assert_eq!(back(&mut ticket, &sale, &before, &[(1, 1000)]).unwrap_err().code(), "over_return");
}

#[test]
fn what_can_not_come_back_is_refused_with_what_to_do() {
    let sale = sale(1);
    let nothing = GivenBack::new(receipt());
    let mut ticket = open(1);
    let refuse = |ticket: &mut Open, sale: &ClosedTicket, wanted: &[(u32, i64)]| back(ticket, sale, &nothing, wanted).unwrap_err().code();
    assert_eq!(refuse(&mut ticket, &sale, &[(1, 4000)]), "over_return");
    assert_eq!(refuse(&mut ticket, &sale, &[(1, 500)]), "quantity");
    assert_eq!(refuse(&mut ticket, &sale, &[(1, 0)]), "quantity");
    assert_eq!(refuse(&mut ticket, &sale, &[(9, 1000)]), "not_on_receipt");
    assert_eq!(refuse(&mut ticket, &sale, &[(1, 1000), (1, 1000)]), "returned_twice");
    assert_eq!(refuse(&mut ticket, &sale, &[]), "empty_basket");
    back(&mut ticket, &sale, &nothing, &[(1, 1000)]).unwrap();
    assert_eq!(refuse(&mut ticket, &sale, &[(1, 1000)]), "returned_twice");
    let changed = ticket.change_quantity(&shop().counter(), 1, Quantity::ONE, "s2".parse().unwrap(), id(5), at(5));
    assert_eq!(changed.unwrap_err().code(), "taken_back_line");
    let cash = ticket.refund_cash(None, doing(30)).unwrap();
    ticket.apply(Event::TenderTaken(cash));
    let closed = numbered(settle(&ticket).unwrap(), 2);
    assert_eq!(refuse(&mut open(1), &closed, &[(1, 1000)]), "not_a_sale");
    let yen = ClosedTicket {
        currency: "JPY".parse().unwrap(),
        ..sale.clone()
    };
    assert_eq!(refuse(&mut open(1), &yen, &[(1, 1000)]), "other_currency");
    let desk = ReturnDesk {
        ticket: sale.ticket,
        register: sale.register,
        till: sale.till,
        shift: sale.shift,
        command_id: id(9),
        at: at(9),
    };
    let mut before = GivenBack::new(receipt());
    before.add(&return_whole(&sale, desk).unwrap()).unwrap();
    assert_eq!(
        back(&mut open(1), &sale, &before, &[(1, 1000)]).unwrap_err().code(),
        "already_returned"
    );
}

#[test]
fn an_exchange_has_one_balance_either_way() {
    let sale = sale(1);
    let nothing = GivenBack::new(receipt());
    for (code, quantity, pays) in [("TEE-M", 2000, true), ("APPLE", 1000, false)] {
        let mut ticket = open(1);
        back(&mut ticket, &sale, &nothing, &[(1, 1000)]).unwrap();
        scan(&mut ticket, code, quantity, 21);
        if pays {
            pay(&mut ticket, 5000, 22);
        } else {
            let cash = ticket.refund_cash(None, doing(22)).unwrap();
            ticket.apply(Event::TenderTaken(cash));
        }
        let closed = settle(&ticket).unwrap();
        adds_up(&closed);
        assert_eq!(closed.end, TicketEnd::Exchange);
        assert_eq!(closed.due.0 > 0, pays);
        assert_eq!(closed.moves.len(), 2);
    }
}

/// 19.90 of which 10.00 by card with a tip, 5.00 from a gift card, the rest in cash.
fn mixed() -> ClosedTicket {
    let mut ticket = open(1);
    scan(&mut ticket, "TEE-M", 1000, 1);
    let asked = ticket
        .ask_card(CardWish {
            tip: Money(100),
            ..wish(2, 1100)
        })
        .unwrap();
    ticket.apply(Event::CardAsked(asked));
    let tender = ticket.card_paid(id(2), "r1-terminal-000001", Money(1100), at(3)).unwrap();
    ticket.apply(Event::TenderTaken(tender));
    let wish = BalanceWish {
        ask: id(3),
        at: at(3),
        kind: TenderKind::GiftCard,
        account: AccountId(uuid::Uuid::from_u128(70)),
        amount: Money(500),
        settle: false,
        gives_back: None,
    };
    ticket.apply(Event::BalanceAsked(ticket.ask_balance(wish).unwrap()));
    let tender = ticket.balance_granted(id(3), at(3)).unwrap();
    ticket.apply(Event::TenderTaken(tender));
    pay(&mut ticket, 1000, 4);
    numbered(settle(&ticket).unwrap(), 1)
}

#[test]
fn money_goes_back_to_where_it_came_from_and_a_card_first_is_a_wish() {
    let sale = mixed();
    let mut ticket = open(1);
    back(&mut ticket, &sale, &GivenBack::new(receipt()), &[(1, 1000)]).unwrap();
    let plan = ticket.refund_plan(&Policy::default()).unwrap();
    let amounts: Vec<(TenderKind, i64)> = plan.iter().map(|part| (part.kind, part.amount.0)).collect();
    assert_eq!(
        amounts,
        [(TenderKind::Card, 1000), (TenderKind::GiftCard, 500), (TenderKind::Cash, 490)]
    );
    let card = plan[0].of.clone().unwrap();
    assert_eq!(card.attempt.as_deref(), Some("r1-terminal-000001"));
    assert_eq!(ticket.refund_cash(None, doing(30)).unwrap_err().code(), "approval_needed");
    let refund = |amount, of: &RefundOf| CardWish {
        refund_of: Some(of.clone()),
        ..wish(31, amount)
    };
    assert_eq!(ticket.ask_card(refund(1100, &card)).unwrap_err().code(), "refund_beyond_tender");
    assert_eq!(ticket.ask_card(refund(2000, &card)).unwrap_err().code(), "refund_too_much");
    let asked = ticket.ask_card(refund(1000, &card)).unwrap();
    ticket.apply(Event::CardAsked(asked));
    assert_eq!(settle(&ticket).unwrap_err().code(), "card_under_way");
    let tender = ticket.card_paid(id(31), "r1-terminal-000009", Money(1000), at(9)).unwrap();
    assert_eq!(tender.amount, Money(-1000));
    ticket.apply(Event::TenderTaken(tender));
    let RefundPart { of, account, .. } = plan[1].clone();
    let wish = BalanceWish {
        ask: id(32),
        at: at(9),
        kind: TenderKind::GiftCard,
        account: account.unwrap(),
        amount: Money(500),
        settle: false,
        gives_back: Some(GivesBack::To(of.unwrap())),
    };
    ticket.apply(Event::BalanceAsked(ticket.ask_balance(wish).unwrap()));
    let tender = ticket.balance_granted(id(32), at(9)).unwrap();
    ticket.apply(Event::TenderTaken(tender));
    let cash = ticket.refund_cash(None, doing(33)).unwrap();
    assert_eq!(cash.amount, Money(-490));
    ticket.apply(Event::TenderTaken(cash));
    let closed = settle(&ticket).unwrap();
    adds_up(&closed);
    assert_eq!(closed.due, Money(-1990));
}

#[test]
fn a_card_that_can_not_be_paid_back_is_paid_back_otherwise_with_an_approval() {
    let sale = mixed();
    let mut ticket = open(1);
    back(&mut ticket, &sale, &GivenBack::new(receipt()), &[(1, 1000)]).unwrap();
    let allowed = Some(approval(60, ApprovedAction::RefundOtherwise, None));
    let cash = ticket.refund_cash(allowed, doing(30)).unwrap();
    assert!(cash.details.approval.is_some());
    ticket.apply(Event::TenderTaken(cash));
    adds_up(&settle(&ticket).unwrap());
}

#[test]
fn without_a_receipt_the_lowest_price_comes_back_as_credit_within_a_limit() {
    let shop = shop();
    let mut ticket = open(1);
    let take = |ticket: &Open, quantity, lowest: Option<i64>, permit| {
        ticket.take_back_without_receipt(
            &shop.counter(),
            Brought {
                code: "TEE-M",
                quantity: Quantity(quantity),
                lowest: lowest.map(Money),
                reason: why(),
            },
            permit,
            doing(40),
        )
    };
    assert_eq!(take(&ticket, 1000, None, Permit::Own).unwrap_err().code(), "no_lowest_price");
    assert_eq!(
        take(&ticket, 4000, Some(1500), Permit::Own).unwrap_err().code(),
        "without_receipt_limit"
    );
    let wrong = approval(60, ApprovedAction::PriceOverride, Some(1));
    assert_eq!(take(&ticket, 1000, Some(1500), wrong).unwrap_err().code(), "other_approval");
    let right = approval(60, ApprovedAction::ReturnWithoutReceipt, Some(1));
    let decided = take(&ticket, 2000, Some(1500), right).unwrap();
    ticket.accept(decided);
    assert_eq!(
        take(&ticket, 2000, Some(1500), Permit::Own).unwrap_err().code(),
        "without_receipt_limit"
    );
    assert_eq!(ticket.refund_cash(None, doing(41)).unwrap_err().code(), "refund_form");
    let plan = ticket.refund_plan(&Policy::default()).unwrap();
    assert_eq!(
        (plan.len(), plan[0].kind, plan[0].amount),
        (1, TenderKind::StoreCredit, Money(3000))
    );
    let wish = BalanceWish {
        ask: id(42),
        at: at(9),
        kind: TenderKind::StoreCredit,
        account: AccountId(uuid::Uuid::from_u128(71)),
        amount: Money(3000),
        settle: true,
        gives_back: Some(GivesBack::AsCredit),
    };
    ticket.apply(Event::BalanceAsked(ticket.ask_balance(wish).unwrap()));
    let tender = ticket.balance_granted(id(42), at(9)).unwrap();
    ticket.apply(Event::TenderTaken(tender));
    assert!(ticket.closes_by_balance());
    let closed = settle(&ticket).unwrap();
    adds_up(&closed);
    assert_eq!((closed.end, closed.original), (TicketEnd::Return, None));
}

#[test]
fn a_whole_sale_is_cancelled_in_its_shift_with_a_receipt_of_its_own() {
    let shop = shop();
    let sale = sale(5);
    let cancel = |sale: &ClosedTicket, before: &GivenBack| open(5).cancel_sale(&shop.counter(), sale, before, Permit::Own, doing(50));
    let nothing = GivenBack::new(receipt());
    let later = ClosedTicket {
        shift: ShiftId(uuid::Uuid::from_u128(99)),
        ..sale.clone()
    };
    assert_eq!(cancel(&later, &nothing).unwrap_err().code(), "other_shift");
    let mut ticket = open(5);
    ticket.accept(cancel(&sale, &nothing).unwrap());
    assert_eq!(
        ticket
            .scan(&shop.counter(), "BAG", Quantity::ONE, id(51), at(9))
            .unwrap_err()
            .code(),
        "cancel_alone"
    );
    let cash = ticket.refund_cash(None, doing(52)).unwrap();
    ticket.apply(Event::TenderTaken(cash));
    let closed = numbered(settle(&ticket).unwrap(), 2);
    adds_up(&closed);
    assert_eq!(
        (closed.end, closed.due, closed.original),
        (TicketEnd::Cancellation, Money(-sale.due.0), Some(receipt()))
    );
    let mut before = nothing;
    before.add(&closed).unwrap();
    assert_eq!(cancel(&sale, &before).unwrap_err().code(), "partly_returned");
}

#[test]
fn a_gift_is_looked_up_without_its_price() {
    let sale = sale(1);
    let lines = gift_lines(&sale, &GivenBack::new(receipt()));
    assert_eq!(lines.len(), 2);
    assert_eq!((lines[0].sku.as_str(), lines[0].left), ("TEE-M", Quantity(3000)));
}
