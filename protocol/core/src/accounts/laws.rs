//! Laws of the accounts' figures: over any facts, in any order, however absurd.

use proptest::prelude::*;
use uuid::Uuid;

use super::book::{Book, Origin};
use super::directory::Directory;
use super::leased::{Leased, Reach, RiskLimit, Spend};
use super::loyalty::{LineBack, Programme, Rules, SoldLine, Tier, take_back};
use super::tests::{account, at, command, day, euro, programme, sold, spend, value};
use super::*;
use crate::facts::Fact;
use crate::facts::accounts::{
    AccountChanged, AccountMoved, AccountOpened, AccountsFact, Change, Draw, InvoicePaid, LeaseAsked, LeaseClosed, LeaseEnd, LeaseGranted,
    LeaseName, LeaseReturned, LeaseTaken, Moved, OfficeSeen, Outflow, Payment, PointsLine, Seen, Worth,
};
use crate::ids::{CommandId, TicketId};
use crate::ledger::Account as Word;
use crate::money::{Money, Quantity};

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![0i64..1_000, 0..=Value::LARGEST.get(), Just(Value::LARGEST.get())].prop_map(value)
}

fn any_command() -> impl Strategy<Value = CommandId> {
    (0u128..6).prop_map(command)
}

fn any_account() -> impl Strategy<Value = Account> {
    let kind = prop_oneof![
        Just(AccountKind::GiftCard),
        Just(AccountKind::StoreCredit),
        Just(AccountKind::Points),
        Just(AccountKind::OnAccount)
    ];
    (0u128..2, kind).prop_map(|(number, kind)| account(number, kind))
}

fn any_worth() -> impl Strategy<Value = Option<Worth>> {
    prop::option::of(any::<i64>().prop_map(|amount| Worth {
        amount: Money(amount),
        currency: "EUR".parse().unwrap(),
    }))
}

fn any_lines() -> impl Strategy<Value = Vec<PointsLine>> {
    let line = (0u32..3, any::<i64>(), any_value()).prop_map(|(line, quantity, points)| PointsLine {
        line,
        quantity: Quantity(quantity),
        points,
    });
    prop::collection::vec(line, 0..4)
}

fn any_outflow() -> impl Strategy<Value = Outflow> {
    let draw = (any_command(), any_value()).prop_map(|(command, amount)| Draw {
        lease: LeaseId(command.0),
        amount,
    });
    (prop::collection::vec(draw, 0..3), any_value(), any_worth()).prop_map(|(draws, uncovered, worth)| Outflow { draws, uncovered, worth })
}

fn any_name() -> impl Strategy<Value = LeaseName> {
    (prop::bool::ANY, 0u32..3, any_command()).prop_map(|(north, epoch, command)| LeaseName {
        store: if north { "north" } else { "south" }.parse().unwrap(),
        epoch: Epoch(epoch),
        lease: LeaseId(command.0),
    })
}

fn any_moved() -> impl Strategy<Value = Moved> {
    let invoice = (any_command(), any_value()).prop_map(|(invoice, amount)| InvoicePaid { invoice, amount });
    let expires = prop::option::of((1i8..12).prop_map(|month| day(month, 1)));
    prop_oneof![
        Just(Moved::Sold),
        Just(Moved::Reloaded),
        Just(Moved::RefundedTo),
        Just(Moved::Issued),
        Just(Moved::Expired),
        Just(Moved::CorrectedIn),
        prop::collection::vec(invoice, 0..3).prop_map(|invoices| Moved::Paid { invoices }),
        (expires, any_lines()).prop_map(|(expires, lines)| Moved::Earned { expires, lines }),
        any_outflow().prop_map(Moved::Spent),
        (any_command(), any_lines(), any_outflow()).prop_map(|(of, lines, out)| Moved::TakenBack { of, lines, out }),
        (any_command(), any_value(), any_value(), any_worth()).prop_map(|(of, covered, uncovered, worth)| Moved::Reversed {
            of,
            covered,
            uncovered,
            worth
        }),
        (any_account(), any_outflow()).prop_map(|(by, out)| Moved::Replaced { by, out }),
        prop::option::of(any_name()).prop_map(|from| Moved::CorrectedOut { from }),
    ]
}

fn any_fact() -> impl Strategy<Value = AccountsFact> {
    let moved = (any_command(), any_account(), any_value(), any_moved()).prop_map(|(command, account, amount, moved)| {
        AccountsFact::AccountMoved(Box::new(AccountMoved {
            command,
            account,
            amount,
            ticket: None,
            receipt: None,
            moved,
        }))
    });
    let change = prop_oneof![
        Just(Change::Blocked),
        Just(Change::Unblocked),
        any_value().prop_map(|limit| Change::CreditLimit { limit })
    ];
    let payment = prop::option::of((any_value(), any_worth()).prop_map(|(whole, worth)| Payment {
        ticket: TicketId(Uuid::from_u128(1)),
        whole,
        worth,
    }));
    let end = prop_oneof![
        Just(LeaseEnd::HandedBack),
        Just(LeaseEnd::Expired),
        Just(LeaseEnd::Refused),
        Just(LeaseEnd::GivenUp)
    ];
    let seen = prop_oneof![
        Just(Seen::Began),
        Just(Seen::Heard),
        Just(Seen::Vouched {
            store: "north".parse().unwrap()
        })
    ];
    prop_oneof![
        4 => moved,
        1 => any_account().prop_map(|account| AccountsFact::AccountOpened(AccountOpened { account, card: None, customer: None })),
        1 => (any_account(), change).prop_map(|(account, change)| AccountsFact::AccountChanged(AccountChanged { account, change })),
        1 => (any_command(), any_account(), any_value(), payment).prop_map(|(command, account, amount, payment)| {
            AccountsFact::LeaseAsked(LeaseAsked { lease: LeaseId(command.0), account, amount, payment })
        }),
        1 => (any_name(), any_account(), any_value(), any::<u32>()).prop_map(|(name, account, amount, incarnation)| {
            let LeaseName { store, epoch, lease } = name;
            AccountsFact::LeaseGranted(LeaseGranted { lease, account, store, epoch, amount, until: at(9), incarnation })
        }),
        1 => (any_command(), any_account(), any_value()).prop_map(|(command, account, amount)| {
            AccountsFact::LeaseTaken(LeaseTaken { lease: LeaseId(command.0), account, amount, until: at(9) })
        }),
        1 => (any_command(), any_account(), any_value(), end).prop_map(|(command, account, amount, end)| {
            AccountsFact::LeaseReturned(LeaseReturned { lease: LeaseId(command.0), account, amount, end })
        }),
        1 => (any_name(), any_account(), any_value()).prop_map(|(name, account, released)| {
            AccountsFact::LeaseClosed(LeaseClosed { name, account, released })
        }),
        1 => (any::<u32>(), seen).prop_map(|(incarnation, seen)| AccountsFact::OfficeSeen(OfficeSeen { incarnation, seen })),
    ]
}

fn any_origin() -> impl Strategy<Value = Origin> {
    prop_oneof![
        Just(Origin::Office),
        any_name().prop_map(|name| Origin::Store {
            store: name.store,
            epoch: name.epoch
        })
    ]
}

proptest! {
    #[test]
    fn the_legs_of_every_fact_sum_to_zero_in_each_unit(fact in any_fact()) {
        let legs = fact.legs();
        for unit in [euro(), Unit::Points] {
            let sum: i128 = legs.iter().filter(|leg| leg.unit == unit).map(|leg| i128::from(leg.amount)).sum();
            prop_assert_eq!(sum, 0, "{:?}", legs);
        }
        prop_assert!(legs.iter().all(|leg| leg.unit == euro() || leg.unit == Unit::Points));
    }

    #[test]
    fn the_ledger_owes_what_the_balances_say(facts in prop::collection::vec((any_origin(), any_fact()), 0..30)) {
        let mut book = Book::new([]);
        let mut owed = std::collections::BTreeMap::<Word, i128>::new();
        for (origin, fact) in &facts {
            // A card is replaced by one of its own kind; nothing else is ever decided.
            if matches!(fact, AccountsFact::AccountMoved(moved) if matches!(moved.moved, Moved::Replaced { by, .. } if by.kind != moved.account.kind)) {
                continue;
            }
            book.apply(*origin, fact);
            for leg in fact.legs() {
                *owed.entry(leg.account).or_default() += i128::from(leg.amount);
            }
        }
        for (word, kind) in [
            (Word::GiftCardsOwed, AccountKind::GiftCard),
            (Word::StoreCreditOwed, AccountKind::StoreCredit),
            (Word::PointsOutstanding, AccountKind::Points),
            (Word::CustomersOwe, AccountKind::OnAccount),
        ] {
            let balances = book.balances().filter(|(account, _)| account.kind == kind);
            let sum: i128 = balances.map(|(_, balance)| balance.balance()).sum();
            prop_assert_eq!(-owed.get(&word).copied().unwrap_or_default(), sum, "{}", word.word());
        }
    }

    #[test]
    fn any_facts_in_any_order_are_taken_without_a_panic(facts in prop::collection::vec((any_origin(), any_fact()), 0..40), now in 0i64..20) {
        let mut book = Book::new(["north".parse().unwrap()]);
        let mut leased = Leased::new(Epoch(1));
        let mut directory = Directory::default();
        for (origin, fact) in &facts {
            book.apply(*origin, fact);
            leased.apply(fact);
            directory.apply(fact);
        }
        for (account, balance) in book.balances() {
            let _ = (balance.lots(), balance.open_invoices(), balance.points_due(day(6, 1)), balance.shown(account.unit));
            let _ = book.expire(command(9), *account, day(6, 1));
            let (room, _) = (leased.room(*account, at(now)), leased.at_risk(*account));
            let wish = Spend { account: *account, ..spend(77, 5) };
            let _ = leased.spend(&wish, Reach::CutOff, RiskLimit(room), at(now));
            let _ = (leased.hand_back(*account), leased.tidy(at(now)), leased.reverse(command(78), command(1)));
        }
        let _ = (book.debts(), book.in_doubt().count(), book.at_risk().count());
    }

    #[test]
    fn every_fact_reads_back_from_its_json(fact in any_fact()) {
        let json = serde_json::to_string(&Fact::Accounts(fact.clone())).unwrap();
        prop_assert_eq!(serde_json::from_str::<Fact>(&json).unwrap(), Fact::Accounts(fact));
    }

    #[test]
    fn in_whatever_order_two_stores_facts_arrive_the_balances_are_the_same(
        north in prop::collection::vec(any_fact(), 0..12),
        south in prop::collection::vec(any_fact(), 0..12),
        first in prop::collection::vec(any::<bool>(), 24),
    ) {
        let of = |name: &str| Origin::Store { store: name.parse().unwrap(), epoch: Epoch(1) };
        let mut one = Book::new([]);
        north.iter().for_each(|fact| one.apply(of("north"), fact));
        south.iter().for_each(|fact| one.apply(of("south"), fact));
        let mut other = Book::new([]);
        let (mut north, mut south) = (north.iter(), south.iter());
        for first in first {
            let next = if first { north.next().map(|fact| ("north", fact)) } else { south.next().map(|fact| ("south", fact)) };
            next.into_iter().for_each(|(store, fact)| other.apply(of(store), fact));
        }
        north.for_each(|fact| other.apply(of("north"), fact));
        south.for_each(|fact| other.apply(of("south"), fact));
        let shown = |book: &Book| -> Vec<_> { book.balances().map(|(account, balance)| (*account, balance.shown(account.unit), balance.free())).collect() };
        prop_assert_eq!(shown(&one), shown(&other));
    }

    #[test]
    fn part_returns_take_back_exactly_what_was_earned(
        lines in prop::collection::vec((1i64..5, 1i64..100_000), 1..8),
        order in prop::collection::vec(any::<prop::sample::Index>(), 40),
        percent in 0u32..300,
    ) {
        let lines: Vec<SoldLine> = (1u32..).zip(&lines).map(|(line, (pieces, amount))| sold(line, pieces * 1000, *amount, "food")).collect();
        let tier = Tier { code: "t".into(), from_points: Value::ZERO, percent };
        let earned = programme().earn(&lines, Some(&tier)).unwrap();
        let whole: i64 = earned.iter().map(|line| line.points.get()).sum();
        let spent: i64 = lines.iter().map(|line| line.amount.0).sum();
        prop_assert_eq!(whole, spent * i64::from(percent) / 10_000);
        let mut waiting: Vec<u32> = lines.iter().flat_map(|line| std::iter::repeat_n(line.line, usize::try_from(line.quantity.0 / 1000).unwrap())).collect();
        let mut before = Vec::new();
        for at in order {
            if waiting.is_empty() {
                break;
            }
            let line = waiting.swap_remove(at.index(waiting.len()));
            before.extend(take_back(&earned, &before, &[LineBack { line, quantity: Quantity(1000) }]).unwrap());
        }
        if waiting.is_empty() {
            prop_assert_eq!(before.iter().map(|line| line.points.get()).sum::<i64>(), whole);
        }
    }

    #[test]
    fn absurd_baskets_earn_or_are_refused_and_never_panic(
        amounts in prop::collection::vec((any::<i64>(), any::<i64>()), 0..10),
        points in any::<u32>(),
        per in any::<i64>(),
        worth in any::<i64>(),
        back in any::<i64>(),
    ) {
        let rules = Rules { points, per: Money(per), burn_points: points, burn_worth: Money(worth), ..Rules::from(programme()) };
        let Ok(programme) = Programme::try_from(rules) else { return Ok(()) };
        let lines: Vec<SoldLine> = (0u32..).zip(amounts).map(|(line, (quantity, amount))| sold(line, quantity, amount, "food")).collect();
        if let Ok(earned) = programme.earn(&lines, programme.tier(Value::LARGEST)) {
            let _ = take_back(&earned, &earned, &[LineBack { line: 0, quantity: Quantity(back) }]);
            let _ = take_back(&earned, &[], &[LineBack { line: 0, quantity: Quantity(back) }]);
        }
        let most = programme.most_for(Money(back), Value::LARGEST);
        prop_assert!(programme.worth(most).is_ok_and(|worth| worth.0 <= back.max(0)));
    }
}
