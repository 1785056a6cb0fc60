//! Stories of paying: foreign cash, balances that nobody answers for, vouchers, tips, and money handed back.

use super::basket_tests::doing;
use super::*;
use crate::ids::AccountId;
use crate::till::Foreign;

fn basket() -> Open {
    let mut ticket = open(5);
    scan(&mut ticket, "TEE-M", 1000, 1);
    ticket
}

fn balance(number: u128, kind: TenderKind, amount: i64) -> BalanceWish {
    BalanceWish {
        ask: id(number),
        at: at(2),
        kind,
        account: AccountId(uuid::Uuid::from_u128(70)),
        amount: Money(amount),
        settle: true,
        gives_back: None,
    }
}

#[test]
fn foreign_cash_keeps_its_rate_and_gives_change_in_local_money() {
    let mut ticket = basket();
    let dollars = |amount| Foreign {
        currency: "USD".parse().unwrap(),
        amount: Money(amount),
        rate: "0.9200".parse().unwrap(),
    };
    let euros = Foreign {
        currency: "EUR".parse().unwrap(),
        ..dollars(1)
    };
    assert_eq!(ticket.tender_foreign(euros, id(2), at(2)).unwrap_err().code(), "own_currency");
    assert_eq!(ticket.tender_foreign(dollars(0), id(2), at(2)).unwrap_err().code(), "amount");
    let tender = ticket.tender_foreign(dollars(5000), id(2), at(2)).unwrap();
    ticket.apply(Event::TenderTaken(tender));
    let closed = settle(&ticket).unwrap();
    adds_up(&closed);
    assert_eq!((closed.tenders[0].amount, closed.change), (Money(4600), Money(2610)));
    assert_eq!(String::from(closed.tenders[0].foreign.unwrap().rate), "0.92");
}

#[test]
fn a_balance_nobody_answers_for_does_not_hold_the_customer_up_and_late_money_is_not_wanted() {
    let mut ticket = basket();
    assert_eq!(
        ticket.ask_balance(balance(2, TenderKind::GiftCard, 1991)).unwrap_err().code(),
        "too_much"
    );
    assert_eq!(
        ticket.ask_balance(balance(2, TenderKind::Cash, 1)).unwrap_err().code(),
        "no_account"
    );
    let wish = ticket.ask_balance(balance(2, TenderKind::GiftCard, 1000)).unwrap();
    ticket.apply(Event::BalanceAsked(wish.clone()));
    assert!(ticket.knows(&Event::BalanceAsked(wish)));
    assert_eq!(ticket.tender(Money(1), id(3), at(3)).unwrap_err().code(), "balance_under_way");
    assert_eq!(ticket.cancel().unwrap_err().code(), "balance_under_way");
    ticket.balance_unknown(id(2), true);
    assert!(ticket.balance_granted(id(2), at(3)).is_some());
    pay(&mut ticket, 2000, 3);
    assert_eq!(ticket.balance_granted(id(2), at(4)), None);
    adds_up(&settle(&ticket).unwrap());
}

#[test]
fn several_ways_to_pay_add_up_and_only_cash_is_rounded() {
    let mut ticket = basket();
    for (number, kind, amount) in [
        (2, TenderKind::GiftCard, 333),
        (3, TenderKind::Points, 101),
        (4, TenderKind::OnAccount, 200),
    ] {
        let wish = ticket.ask_balance(balance(number, kind, amount)).unwrap();
        ticket.apply(Event::BalanceAsked(wish));
        let tender = ticket.balance_granted(id(number), at(3)).unwrap();
        ticket.apply(Event::TenderTaken(tender));
    }
    assert!(!ticket.closes_by_balance());
    // 13.56 are left; coins of five cents make it 13.55.
    assert_eq!(ticket.due(), Ok(Money(634 + 1355)));
    pay(&mut ticket, 1400, 5);
    let closed = settle(&ticket).unwrap();
    adds_up(&closed);
    assert_eq!((closed.cash_rounding, closed.change), (Money(-1), Money(45)));
}

#[test]
fn a_declined_balance_leaves_the_ticket_whole() {
    let mut ticket = basket();
    let wish = ticket.ask_balance(balance(2, TenderKind::StoreCredit, 1990)).unwrap();
    ticket.apply(Event::BalanceAsked(wish));
    let ended = Event::BalanceEnded {
        ask: id(2),
        why: "not_enough".into(),
    };
    assert!(!ticket.knows(&ended));
    ticket.apply(ended.clone());
    assert!(ticket.knows(&ended));
    scan(&mut ticket, "BAG", 1000, 3);
}

#[test]
fn a_voucher_counts_once_and_gives_change_only_up_to_the_shops_limit() {
    let mut ticket = basket();
    let voucher = |code: &str, worth| Voucher {
        code: code.into(),
        worth: Money(worth),
    };
    let policy = Policy {
        voucher_change_most: Money(500),
        ..Policy::default()
    };
    let take = |ticket: &Open, code, worth, number| ticket.tender_voucher(voucher(code, worth), &policy, id(number), at(2));
    assert_eq!(take(&ticket, "V-1", 2491, 2).unwrap_err().code(), "voucher_too_much");
    assert_eq!(take(&ticket, "4111111111111111", 100, 2).unwrap_err().code(), "voucher");
    let tender = take(&ticket, "V-1", 1000, 2).unwrap();
    ticket.apply(Event::TenderTaken(tender));
    assert_eq!(take(&ticket, "V-1", 100, 3).unwrap_err().code(), "voucher_twice");
    let tender = take(&ticket, "V-2", 1490, 3).unwrap();
    ticket.apply(Event::TenderTaken(tender));
    let closed = settle(&ticket).unwrap();
    adds_up(&closed);
    assert_eq!(closed.change, Money(500));
}

#[test]
fn a_tip_is_the_staffs_and_pays_for_no_goods() {
    let mut ticket = basket();
    let with_tip = |amount, tip| CardWish {
        tip: Money(tip),
        ..wish(2, amount)
    };
    assert_eq!(ticket.ask_card(with_tip(1990, -1)).unwrap_err().code(), "tip");
    assert_eq!(ticket.ask_card(with_tip(3000, 1600)).unwrap_err().code(), "tip");
    assert_eq!(ticket.ask_card(with_tip(2200, 200)).unwrap_err().code(), "card_too_much");
    let asked = ticket.ask_card(with_tip(2190, 200)).unwrap();
    ticket.apply(Event::CardAsked(asked));
    let tender = ticket.card_paid(id(2), "r1-terminal-000001", Money(2190), at(3)).unwrap();
    ticket.apply(Event::TenderTaken(tender));
    assert!(ticket.closes_by_card());
    let closed = settle(&ticket).unwrap();
    adds_up(&closed);
    assert_eq!((closed.due, closed.tips(), closed.change), (Money(1990), Ok(Money(200)), Money(0)));
}

#[test]
fn money_is_handed_back_before_settlement_where_that_can_be_undone() {
    let mut ticket = basket();
    pay(&mut ticket, 500, 2);
    assert_eq!(ticket.void_tender(id(9), id(3), at(3)).unwrap_err().code(), "no_such_tender");
    let voided = ticket.void_tender(id(2), id(3), at(3)).unwrap();
    ticket.apply(voided.clone());
    assert!(ticket.knows(&voided) && ticket.had_money());
    scan(&mut ticket, "BAG", 1000, 4);
    ask(&mut ticket, 5, 100);
    let tender = ticket.card_paid(id(5), "r1-terminal-000001", Money(100), at(4)).unwrap();
    ticket.apply(Event::TenderTaken(tender));
    assert_eq!(ticket.void_tender(id(5), id(6), at(5)).unwrap_err().code(), "tender_stays");
    pay(&mut ticket, 2000, 7);
    let closed = settle(&ticket).unwrap();
    adds_up(&closed);
    assert_eq!(closed.details.voided_tenders.len(), 1);
    assert_eq!(doing(1).command_id, id(1));
}
