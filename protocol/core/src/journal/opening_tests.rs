//! Stories of the day a shop goes live.

use uuid::Uuid;

use super::*;
use crate::money::Money;
use crate::stock::{MoveReason, StockMove};

fn account(number: u128, kind: OpenedKind, balance: i64) -> OpenedAccount {
    OpenedAccount {
        account: AccountId(Uuid::from_u128(number)),
        kind,
        balance,
    }
}

fn till(name: &str, sales: i64) -> OpenedTill {
    OpenedTill {
        till: name.parse().unwrap(),
        last_z: 41,
        perpetual_sales: Money(sales),
        perpetual_returns: Money(-5),
    }
}

#[test]
fn a_shop_goes_live_when_the_sums_agree_with_the_old_books_and_never_opens_again() {
    let mut opening = Opening::default();
    let stock = Fact::StockOpened(StockOpened {
        moves: vec![StockMove {
            sku: "MUG".parse().unwrap(),
            delta: Quantity(5_000),
            reason: MoveReason::Opening,
        }],
    });
    opening.apply(&stock).unwrap();
    let accounts = vec![
        account(1, OpenedKind::GiftCard, 2_500),
        account(2, OpenedKind::OnAccount, -400),
        account(3, OpenedKind::Points, 90),
    ];
    let fact = opening.accounts(Hash::ZERO, accounts).unwrap();
    opening.apply(&fact.into()).unwrap();
    let fact = opening.tills(Hash::ZERO, vec![till("t1", 1_000)]).unwrap();
    opening.apply(&fact.into()).unwrap();
    let said = WentLive {
        items: 1,
        on_hand: Quantity(5_000),
        accounts: 3,
        money: Money(2_100),
        points: 90,
        tills: 1,
        perpetual_sales: Money(1_000),
        perpetual_returns: Money(-5),
    };
    let wrong = opening.go_live(WentLive { points: 91, ..said }).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "the points do not agree: the old books say 91, what was opened comes to 90; open what is missing or correct the figure"
    );
    let fact = opening.go_live(said).unwrap();
    opening.apply(&fact.into()).unwrap();
    assert!(opening.is_live());
    assert_eq!(opening.go_live(said), Err(Refusal::Live));
    assert_eq!(opening.tills(Hash::ZERO, vec![till("t2", 1)]), Err(Refusal::Live));
}

#[test]
fn nothing_is_opened_twice_or_below_nothing() {
    let mut opening = Opening::default();
    let code = |refused: Result<OpeningFact, Refusal>| refused.unwrap_err().code();
    let twice = vec![account(1, OpenedKind::GiftCard, 1), account(1, OpenedKind::GiftCard, 1)];
    assert_eq!(code(opening.accounts(Hash::ZERO, twice)), "account_twice");
    assert_eq!(
        code(opening.accounts(Hash::ZERO, vec![account(1, OpenedKind::GiftCard, -1)])),
        "below_nothing"
    );
    assert_eq!(code(opening.accounts(Hash::ZERO, Vec::new())), "empty");
    assert_eq!(code(opening.tills(Hash::ZERO, vec![till("t1", -1)])), "till_totals");
    assert_eq!(code(opening.tills(Hash::ZERO, vec![till("t1", 1), till("t1", 1)])), "till_twice");
    let most = vec![account(1, OpenedKind::GiftCard, i64::MAX), account(2, OpenedKind::GiftCard, 1)];
    assert_eq!(code(opening.accounts(Hash::ZERO, most)), "money");
    let fact = opening.accounts(Hash::ZERO, vec![account(1, OpenedKind::GiftCard, 1)]).unwrap();
    opening.apply(&fact.into()).unwrap();
    assert_eq!(
        code(opening.accounts(Hash::ZERO, vec![account(1, OpenedKind::GiftCard, 1)])),
        "account_twice"
    );
}
