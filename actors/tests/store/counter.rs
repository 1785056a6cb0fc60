//! What a cashier does besides scanning: changes, rests and moves of a ticket, goods that come back in parts, practice.

use backroom_actors::register::{Action, Change, CommandError, Outcome};
use backroom_core::facts::{AgeDecision, ClosedTicket, TicketEnd};
use backroom_core::ids::{ReceiptNo, TicketId};
use backroom_core::money::{Money, Quantity};
use backroom_core::price::Discount;

use crate::shop::{Shop, closed, id, receipt, ticket, version};

/// One register's turn on one ticket.
struct Turn<'a> {
    shop: &'a Shop,
    register: &'a str,
    ticket: TicketId,
    seen: u64,
}

impl Turn<'_> {
    async fn say(&mut self, action: Action) -> Result<Outcome, CommandError> {
        let outcome = self.shop.say(self.register, id(), "counter", action).await?;
        if let Outcome::Open { version, .. } = &outcome {
            self.seen = *version;
        }
        Ok(outcome)
    }

    async fn scan(&mut self, code: &str, pieces: i64) {
        let action = Action::Scan {
            ticket: self.ticket,
            expected: self.seen,
            code: code.into(),
            quantity: Quantity(pieces * 1000),
        };
        self.say(action).await.unwrap();
    }

    async fn change(&mut self, change: Change) -> Result<Outcome, CommandError> {
        let action = Action::Change {
            ticket: self.ticket,
            expected: self.seen,
            change,
        };
        self.say(action).await
    }

    async fn pay(&mut self, amount: i64) -> Outcome {
        let action = Action::Tender {
            ticket: self.ticket,
            expected: self.seen,
            amount: Money(amount),
            settle: true,
        };
        self.say(action).await.unwrap()
    }

    async fn take_back(&mut self, receipt: ReceiptNo, lines: &[(u32, i64)]) -> Result<Outcome, CommandError> {
        let action = Action::TakeBack {
            ticket: self.ticket,
            expected: self.seen,
            receipt,
            lines: lines.iter().map(|(line, pieces)| (*line, Quantity(pieces * 1000))).collect(),
        };
        self.say(action).await
    }

    async fn refund(&mut self) -> Result<Outcome, CommandError> {
        let action = Action::Refund {
            ticket: self.ticket,
            expected: self.seen,
            settle: true,
        };
        self.say(action).await
    }
}

fn at<'a>(shop: &'a Shop, register: &'a str) -> Turn<'a> {
    Turn {
        shop,
        register,
        ticket: ticket(),
        seen: 0,
    }
}

fn code(error: CommandError) -> &'static str {
    match error {
        CommandError::Refused(refused) => refused.code(),
        other => panic!("{other}"),
    }
}

fn reason(text: &str) -> backroom_core::ids::ReasonCode {
    text.parse().unwrap()
}

fn percent(text: &str) -> Option<Discount> {
    Some(Discount::Percent(text.parse().unwrap()))
}

fn due(outcome: &Outcome) -> i64 {
    match outcome {
        Outcome::Open { ticket, .. } => ticket.due().unwrap().0,
        Outcome::Closed { .. } => closed(outcome).due.0,
    }
}

#[tokio::test]
async fn whatever_a_cashier_changed_is_still_so_after_a_fall_and_counts_once() {
    let shop = Shop::open(&["r1"]).await;
    let mut turn = at(&shop, "r1");
    turn.scan("TEE", 1).await;
    turn.scan("MUG", 2).await;
    turn.change(Change::Quantity {
        line: 1,
        quantity: Quantity(3000),
    })
    .await
    .unwrap();
    turn.change(Change::TakeCoupon { code: "MUG10".into() }).await.unwrap();
    turn.change(Change::Discount {
        line: Some(1),
        discount: percent("50"),
        reason: reason("damaged"),
    })
    .await
    .unwrap();
    turn.change(Change::Note {
        line: None,
        note: reason("gift"),
    })
    .await
    .unwrap();
    let (ticket, seen) = (turn.ticket, turn.seen);
    // 3 x 19.90 at half price, 2 x 8.50 less a tenth.
    let shop = shop.reopen().await;
    let mut turn = Turn {
        shop: &shop,
        register: "r1",
        ticket,
        seen,
    };
    let priced = Action::Change {
        ticket,
        expected: turn.seen,
        change: Change::Price {
            line: 2,
            price: Money(500),
            reason: reason("torn"),
        },
    };
    let said = id();
    let outcome = shop.say("r1", said, "price", priced.clone()).await.unwrap();
    assert_eq!(due(&outcome), 2985 + 1000, "a keyed price takes part in no promotion");
    turn.seen = version(&outcome);
    let sold = closed(&turn.pay(5000).await);
    assert_eq!((sold.due, sold.change), (Money(3985), Money(1015)));
    // Said again it is the same command, now that the ticket is in the journal.
    let again = shop.say("r1", said, "price", priced).await.unwrap();
    assert_eq!(closed(&again).receipt, sold.receipt);
    shop.prove().await;
}

#[tokio::test]
async fn a_ticket_that_rests_goes_on_at_another_register_and_its_first_one_is_fenced_off() {
    let shop = Shop::open(&["r1", "r2"]).await;
    let mut first = at(&shop, "r1");
    first.scan("TEE", 1).await;
    let rest = Action::Suspend {
        ticket: first.ticket,
        expected: first.seen,
        reason: Some(reason("wallet")),
    };
    first.say(rest).await.unwrap();
    let (ticket, seen) = (first.ticket, first.seen);
    let shop = shop.reopen().await;
    let mut second = Turn {
        shop: &shop,
        register: "r2",
        ticket,
        seen,
    };
    second.say(Action::GoOn { ticket, expected: seen }).await.unwrap();
    second.scan("MUG", 1).await;
    let mut late = Turn {
        shop: &shop,
        register: "r1",
        ticket,
        seen,
    };
    let refused = late.change(Change::TakeCoupon { code: "MUG10".into() }).await;
    assert!(matches!(refused, Err(CommandError::UnknownTicket)), "{refused:?}");
    assert_eq!(closed(&second.pay(3000).await).lines.len(), 2);
    let refused = late.say(Action::GoOn { ticket, expected: seen }).await;
    assert!(matches!(refused, Err(CommandError::Closed)), "{refused:?}");
    shop.prove().await;
}

#[tokio::test]
async fn two_registers_that_both_want_a_ticket_complete_it_once() {
    let shop = Shop::open(&["r1", "r2", "r3"]).await;
    for _ in 0..8 {
        let mut first = at(&shop, "r1");
        first.scan("TEE", 1).await;
        let (ticket, seen) = (first.ticket, first.seen);
        let race = async |register: &'static str| {
            let mut turn = Turn {
                shop: &shop,
                register,
                ticket,
                seen,
            };
            if register != "r1" {
                turn.say(Action::GoOn { ticket, expected: seen }).await.map_err(drop)?;
            }
            let action = Action::Tender {
                ticket,
                expected: turn.seen,
                amount: Money(1990),
                settle: true,
            };
            turn.say(action).await.map_err(drop)
        };
        let outcomes = tokio::join!(race("r1"), race("r2"), race("r3"));
        let done = [outcomes.0, outcomes.1, outcomes.2].into_iter().filter(Result::is_ok).count();
        assert!(done <= 1, "{done} registers completed one ticket");
        if done == 0 {
            // Whoever has it now can still complete it.
            let mut last = Turn {
                shop: &shop,
                register: "r1",
                ticket,
                seen,
            };
            let open = [
                shop.store.open_tickets("r2".parse().unwrap()).await.unwrap(),
                shop.store.open_tickets("r3".parse().unwrap()).await.unwrap(),
            ];
            last.seen = open.iter().flatten().map(version).max().unwrap_or(seen);
            last.say(Action::GoOn {
                ticket,
                expected: last.seen,
            })
            .await
            .unwrap();
            last.pay(1990).await;
        }
    }
    let proven = shop.prove().await;
    assert_eq!(
        proven
            .tills
            .values()
            .map(|till| till.shift.as_ref().unwrap().totals.sales)
            .sum::<u64>(),
        8
    );
}

/// Three at 3.33 with a tenth off the whole: shares that no cent divides.
async fn three_pieces(shop: &Shop) -> ClosedTicket {
    let mut turn = at(shop, "r1");
    turn.scan("TEE", 3).await;
    turn.change(Change::Price {
        line: 1,
        price: Money(333),
        reason: reason("torn"),
    })
    .await
    .unwrap();
    let off = Change::Discount {
        line: None,
        discount: percent("10"),
        reason: reason("friend"),
    };
    let total = due(&turn.change(off).await.unwrap());
    closed(&turn.pay(total).await)
}

#[tokio::test]
async fn parts_of_a_receipt_come_back_at_any_register_and_add_up_to_what_was_paid() {
    let shop = Shop::open(&["r1", "r2"]).await;
    let sold = three_pieces(&shop).await;
    let number = sold.receipt.unwrap();
    let mut back = Money::ZERO;
    let mut tax = Money::ZERO;
    for register in ["r2", "r1", "r2"] {
        let mut turn = at(&shop, register);
        turn.take_back(number, &[(1, 1)]).await.unwrap();
        let returned = closed(&turn.refund().await.unwrap());
        assert_eq!(returned.end, TicketEnd::Return);
        back = back.checked_add(returned.due).unwrap();
        tax = tax.checked_add(returned.tax).unwrap();
    }
    assert_eq!((back, tax), (Money(-sold.due.0), Money(-sold.tax.0)));
    let mut turn = at(&shop, "r1");
    assert_eq!(code(turn.take_back(number, &[(1, 1)]).await.unwrap_err()), "over_return");
    assert_eq!(code(turn.take_back(number, &[]).await.unwrap_err()), "already_returned");
    let whole = Action::Return {
        ticket: ticket(),
        receipt: number,
    };
    assert_eq!(code(shop.say("r1", id(), "whole", whole).await.unwrap_err()), "already_returned");
    shop.prove().await;
}

#[tokio::test]
async fn the_same_goods_on_two_tickets_are_taken_back_once() {
    let shop = Shop::open(&["r1", "r2"]).await;
    let sold = three_pieces(&shop).await;
    let number = sold.receipt.unwrap();
    let (mut first, mut second) = (at(&shop, "r1"), at(&shop, "r2"));
    first.take_back(number, &[(1, 2)]).await.unwrap();
    second.take_back(number, &[(1, 2)]).await.unwrap();
    let outcomes = tokio::join!(first.refund(), second.refund());
    let outcomes = [outcomes.0, outcomes.1];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    // What is left comes back too, and an exchange pays the difference.
    let mut turn = at(&shop, "r1");
    turn.take_back(number, &[]).await.unwrap();
    turn.scan("MUG", 1).await;
    let exchanged = closed(&turn.pay(850).await);
    assert_eq!(exchanged.end, TicketEnd::Exchange);
    assert!(exchanged.due.0 > 0 && exchanged.due.0 < 850);
    shop.prove().await;
}

#[tokio::test]
async fn goods_nobody_knows_an_age_and_money_handed_back() {
    let shop = Shop::open(&["r1"]).await;
    let mut turn = at(&shop, "r1");
    let department = Change::Department {
        department: "DEP".parse().unwrap(),
        price: Money(499),
        code: Some("9999999999994".into()),
    };
    turn.change(department).await.unwrap();
    let rum = |turn: &Turn<'_>| Action::Scan {
        ticket: turn.ticket,
        expected: turn.seen,
        code: "RUM".into(),
        quantity: Quantity::ONE,
    };
    let scan = rum(&turn);
    assert_eq!(code(turn.say(scan).await.unwrap_err()), "age_check");
    let looked = |decision| Change::Age {
        code: "RUM".into(),
        decision,
    };
    let mut child = at(&shop, "r1");
    child.change(looked(AgeDecision::Refused)).await.unwrap();
    child.change(looked(AgeDecision::Passed)).await.unwrap();
    let scan = rum(&child);
    assert_eq!(
        code(child.say(scan).await.unwrap_err()),
        "age_refused",
        "who was refused stays refused"
    );
    turn.change(looked(AgeDecision::Passed)).await.unwrap();
    turn.scan("RUM", 1).await;
    let paid = id();
    let pay = Action::Tender {
        ticket: turn.ticket,
        expected: turn.seen,
        amount: Money(500),
        settle: false,
    };
    turn.seen = version(&shop.say("r1", paid, "some", pay).await.unwrap());
    let back = Action::VoidTender {
        ticket: turn.ticket,
        expected: turn.seen,
        tender: paid,
    };
    turn.say(back).await.unwrap();
    let (ticket, seen) = (turn.ticket, turn.seen);
    let shop = shop.reopen().await;
    let mut turn = Turn {
        shop: &shop,
        register: "r1",
        ticket,
        seen,
    };
    let sold = closed(&turn.pay(1989).await);
    assert_eq!(
        (sold.tenders.len(), sold.details.voided_tenders.len(), sold.change),
        (1, 1, Money::ZERO)
    );
    let proven = shop.prove().await;
    let till = proven.tills.values().next().unwrap();
    assert_eq!(till.shift.as_ref().unwrap().expected().unwrap(), Money(10_000 + 1989));
}

#[tokio::test]
async fn practice_has_numbers_of_its_own_and_moves_nothing() {
    let shop = Shop::open(&["r1"]).await;
    let ticket = ticket();
    let scan = Action::Scan {
        ticket,
        expected: 0,
        code: "TEE".into(),
        quantity: Quantity::ONE,
    };
    let seen = version(&shop.practise("r1", "scan", scan).await.unwrap());
    let pay = Action::Tender {
        ticket,
        expected: seen,
        amount: Money(2000),
        settle: true,
    };
    let practised = shop.practise("r1", "pay", pay).await.unwrap();
    assert_eq!(
        (receipt(&practised).as_str(), closed(&practised).end),
        ("r1/1000000001/1", TicketEnd::Training)
    );
    assert_eq!(shop.sell("r1").await, "r1/1/1", "practice takes no number of trade");
    let proven = shop.prove().await;
    let till = proven.tills.values().next().unwrap();
    assert_eq!(till.shift.as_ref().unwrap().expected().unwrap(), Money(10_000 + 1990));
}
