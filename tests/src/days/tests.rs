//! Honest days keep all laws, and a day that was spoiled breaks the law that looks there.

use backroom_core::facts::Happened;
use backroom_core::money::Money;

use super::*;

#[test]
fn whole_days_keep_all_laws_and_meet_everything() {
    let mut met = Met::new();
    for seed in 1..=150 {
        let outcome = play(seed, TICKETS).unwrap_or_else(|why| panic!("shop {seed}: {why}"));
        for (what, times) in outcome.met {
            *met.entry(what).or_default() += times;
        }
        assert!(CHECKED.iter().all(|law| outcome.checked[law] > 0), "shop {seed}");
    }
    let never: Vec<_> = MUST_MEET.iter().filter(|what| !met.contains_key(*what)).collect();
    assert!(never.is_empty(), "never met: {never:?}\n{met:?}");
}

#[test]
fn a_seed_plays_the_same_days_again() {
    let played = |seed| {
        let outcome = play(seed, TICKETS).unwrap();
        (outcome.met, outcome.checked)
    };
    assert_eq!(played(3), played(3));
    assert_ne!(played(3), played(4));
}

#[test]
fn amounts_go_to_the_nearest_coin_and_a_half_away_from_nothing() {
    for (amount, step, coins) in [
        (249, 5, 250),
        (-249, 5, -250),
        (247, 5, 245),
        (25, 10, 30),
        (-25, 10, -30),
        (12, 25, 0),
        (13, 25, 25),
        (7, 1, 7),
    ] {
        assert_eq!(to_coins(amount, step), coins, "{amount} in coins of {step}");
    }
}

/// The laws that are broken once these days were spoiled before they were written, and what is said of it. Tries shops until the day
/// holds something to spoil.
fn spoiled(spoil: impl Fn(&mut Shop<'_>) -> bool) -> (Vec<Law>, String) {
    for seed in 1..60 {
        let mut chance = Chance::seeded(seed).branch(7);
        let store = Store::random(&mut chance).unwrap();
        let mut shop = Shop::open(&store, seed, chance).unwrap();
        shop.trade(TICKETS).unwrap();
        if spoil(&mut shop) {
            let report = laws::check(&shop.evidence().unwrap(), Options::default());
            return (report.broken(), report.to_string());
        }
    }
    panic!("no day holds anything to spoil");
}

/// The first ticket that fits, to be changed.
fn ticket<'a>(shop: &'a mut Shop<'_>, fits: impl Fn(&ClosedTicket) -> bool) -> Option<&'a mut ClosedTicket> {
    shop.book.records.iter_mut().find_map(|record| match &mut record.fact {
        Fact::TicketClosed(ticket) if fits(ticket) => Some(ticket.as_mut()),
        _ => None,
    })
}

#[track_caller]
fn names(broken: &(Vec<Law>, String), law: Law, why: &str) {
    let (laws, report) = broken;
    assert!(laws.contains(&law), "{laws:?}\n{report}");
    assert!(report.contains(why), "nothing says {why:?}\n{report}");
}

#[test]
fn a_line_that_is_one_cent_off_breaks_the_fifth_law() {
    let broken = spoiled(|shop| {
        let Some(ticket) = ticket(shop, |ticket| ticket.end == TicketEnd::Sale) else {
            return false;
        };
        ticket.lines[0].amount.0 += 1;
        true
    });
    assert_eq!(broken.0, [Law::L5], "{}", broken.1);
    names(&broken, Law::L5, "line 1: its reasons add up to");
}

#[test]
fn change_that_is_a_coin_off_breaks_the_fifth_law() {
    let broken = spoiled(|shop| {
        let step = shop.store.step;
        let Some(ticket) = ticket(shop, |ticket| ticket.change.0 > 0 && ticket.end == TicketEnd::Sale) else {
            return false;
        };
        ticket.change.0 += step;
        true
    });
    names(&broken, Law::L5, "tenders - change is");
    names(&broken, Law::L6, "change is");
    names(&broken, Law::L1, "the client was told change");
}

/// A pure part return, with a line that is not wholly back afterwards.
fn part_return(ticket: &ClosedTicket) -> bool {
    ticket.end == TicketEnd::Return && ticket.lines.iter().all(|line| line.details.returns.is_some())
}

#[test]
fn more_back_than_was_sold_breaks_the_fifth_law() {
    let broken = spoiled(|shop| {
        let Some(ticket) = ticket(shop, |ticket| part_return(ticket) && ticket.moves.len() == ticket.lines.len()) else {
            return false;
        };
        ticket.lines[0].quantity.0 -= 90_000;
        ticket.moves[0].delta.0 += 90_000;
        true
    });
    names(&broken, Law::L5, "thousandths came back of");
}

#[test]
fn a_part_that_gives_back_a_cent_too_much_breaks_the_fifth_law_when_all_is_back() {
    let broken = spoiled(|shop| {
        let whole = shop.sold.iter().find(|sold| sold.left.values().all(|left| left.quantity == 0));
        let Some(receipt) = whole.and_then(|sold| sold.sale.receipt) else {
            return false;
        };
        let Some(ticket) = ticket(shop, |ticket| part_return(ticket) && ticket.original == Some(receipt)) else {
            return false;
        };
        // A cent from tax to net: line and ticket still add up.
        (ticket.lines[0].net.0, ticket.lines[0].tax.0) = (ticket.lines[0].net.0 - 1, ticket.lines[0].tax.0 + 1);
        true
    });
    names(&broken, Law::L5, "came back with");
}

#[test]
fn a_tender_that_gives_back_more_than_it_took_breaks_the_fifth_law() {
    let broken = spoiled(|shop| {
        let refunded = |ticket: &ClosedTicket| ticket.tenders.iter().any(|tender| tender.details.refund_of.is_some());
        let Some(ticket) = ticket(shop, refunded) else { return false };
        let back = ticket.tenders.iter_mut().find(|tender| tender.details.refund_of.is_some()).unwrap();
        back.amount.0 -= 1_000_000;
        true
    });
    names(&broken, Law::L5, "went back to it");
}

#[test]
fn a_sale_in_two_zs_breaks_the_sixth_law() {
    let broken = spoiled(|shop| {
        let sale = ticket(shop, |ticket| ticket.end == TicketEnd::Sale).map(|ticket| ticket.clone());
        let Some(sale) = sale else { return false };
        let later = shop.book.records.iter_mut().rev().find_map(|record| match &mut record.fact {
            Fact::ShiftClosed(closed) if closed.till == sale.till && closed.shift != sale.shift => Some(closed),
            _ => None,
        });
        let Some(closed) = later else { return false };
        closed.z.totals.sales += 1;
        closed.z.totals.sales_due.0 += sale.due.0;
        true
    });
    names(&broken, Law::L6, "sales is");
    names(&broken, Law::L6, "sales_due is");
}

#[test]
fn a_z_in_two_days_breaks_the_sixth_law() {
    use backroom_core::facts::DayFact;
    let broken = spoiled(|shop| {
        let mut first = None;
        for record in &mut shop.book.records {
            let Fact::Day(DayFact::DayNumbered(day)) = &mut record.fact else {
                continue;
            };
            match first {
                None => first = day.zs.first().copied(),
                Some(z) => day.zs.push(z),
            }
        }
        first.is_some()
    });
    assert_eq!(broken.0, [Law::L6], "{}", broken.1);
    names(&broken, Law::L6, "lies in two days");
}

#[test]
fn cash_that_leaves_one_till_and_arrives_in_none_breaks_the_sixth_law() {
    use backroom_core::facts::TillFact;
    let broken = spoiled(|shop| {
        let moved = shop.book.records.iter_mut().find_map(|record| match &mut record.fact {
            Fact::Till(TillFact::CashTransferred(moved)) if moved.to_shift.is_some() => Some(moved),
            _ => None,
        });
        moved.is_some_and(|moved| {
            moved.sums[0].amount.0 += 1;
            true
        })
    });
    assert_eq!(broken.0, [Law::L6], "{}", broken.1);
    names(&broken, Law::L6, "received is");
}

#[test]
fn an_entry_that_is_missing_breaks_the_chain_and_what_it_answered() {
    let mut chance = Chance::seeded(5).branch(7);
    let store = Store::random(&mut chance).unwrap();
    let mut shop = Shop::open(&store, 5, chance).unwrap();
    shop.trade(TICKETS).unwrap();
    let mut evidence = shop.evidence().unwrap();
    let gone = shop
        .book
        .records
        .iter()
        .position(|record| matches!(record.fact, Fact::TicketClosed(_)));
    evidence.stores[0].export.entries.remove(gone.unwrap());
    let report = laws::check(&evidence, Options::default());
    let broken = (report.broken(), report.to_string());
    names(&broken, Law::L4, "so the export has a hole");
    names(&broken, Law::L1, "was acknowledged, but is in no journal entry");
}

#[test]
fn a_number_that_is_left_out_breaks_the_third_law() {
    let broken = spoiled(|shop| {
        let Some(ticket) = ticket(shop, |ticket| ticket.end == TicketEnd::Training) else {
            return false;
        };
        ticket.receipt.as_mut().unwrap().number += 1;
        true
    });
    names(&broken, Law::L3, "leaves a gap");
}

#[test]
fn goods_that_did_not_move_break_the_seventh_law() {
    let broken = spoiled(|shop| {
        let Some(ticket) = ticket(shop, |ticket| !ticket.moves.is_empty()) else {
            return false;
        };
        ticket.moves.pop();
        true
    });
    assert_eq!(broken.0, [Law::L7], "{}", broken.1);
    names(&broken, Law::L7, "less than its lines say");
    names(&broken, Law::L7, "on_hand is");
}

#[test]
fn what_nobody_asked_for_breaks_the_second_law() {
    let broken = spoiled(|shop| {
        let id = CommandId(shop.book.id());
        let Some(ticket) = ticket(shop, |ticket| !ticket.details.history.is_empty()) else {
            return false;
        };
        let first = ticket.details.history[0];
        ticket.details.history.push(Happened { command_id: id, ..first });
        true
    });
    assert_eq!(broken.0, [Law::L2], "{}", broken.1);
    names(&broken, Law::L2, "no client asked for command");
}

/// A basket in coins, paid and settled, but in no journal yet.
fn settled(shop: &mut Shop<'_>) -> (Held, ClosedTicket) {
    let place = shop.store.places[0];
    shop.open_shift(place).unwrap();
    let mut held = shop.begin(place, Mode::Selling).unwrap();
    shop.fill(&mut held).unwrap();
    let doing = shop.doing(&held, "tender").unwrap();
    let tender = held.open.tender(Money(999_999), doing.command_id, doing.at).unwrap();
    held.paid.push(self::pay::Paid {
        id: doing.command_id,
        kind: TenderKind::Cash,
        amount: 999_999,
        tip: 0,
    });
    held.apply(backroom_core::ticket::Event::TenderTaken(tender)).unwrap();
    let closed = held.open.settle(&shop.store.counter()).unwrap();
    (held, closed)
}

#[test]
fn the_second_calculation_sees_a_cent_of_change_rounding_or_money_too_much() {
    let mut chance = Chance::seeded(5).branch(7);
    let store = Store::random(&mut chance).unwrap();
    let mut shop = Shop::open(&store, 5, chance).unwrap();
    let (mut held, closed) = settled(&mut shop);
    shop.second(&held, &closed).unwrap();
    let spoil = |change: fn(&mut ClosedTicket)| {
        let mut spoiled = closed.clone();
        change(&mut spoiled);
        spoiled
    };
    for wrong in [
        spoil(|ticket| ticket.change.0 += 1),
        spoil(|ticket| ticket.due.0 -= 1),
        spoil(|ticket| ticket.cash_rounding.0 += 1),
        spoil(|ticket| ticket.tenders[0].amount.0 += 1),
        spoil(|ticket| ticket.lines[0].net.0 += 100),
    ] {
        assert!(shop.second(&held, &wrong).is_err(), "{wrong:?}");
    }
    // What came back has to be what was brought, and to leave nothing when all of it is back.
    let receipt = "r1/1/1".parse().unwrap();
    let sale = ClosedTicket {
        receipt: Some(receipt),
        ..closed
    };
    let sold = Sold::new(sale.clone(), receipt);
    let (line, left) = sold.left.first_key_value().map(|(line, left)| (*line, left.quantity)).unwrap();
    shop.sold.push(sold);
    let place = shop.store.places[0];
    let mut back = shop.begin(place, Mode::Selling).unwrap();
    let doing = shop.doing(&back, "take_back").unwrap();
    let given = backroom_core::ticket::GivenBack::new(receipt);
    let parts = [(line, Quantity(left))];
    let decided = back.open.take_back(&shop.store.counter(), &sale, &given, &parts, doing).unwrap();
    back.open.accept(decided);
    back.back = vec![(receipt, line, left)];
    held.back = back.back.clone();
    let doing = shop.doing(&back, "refund_cash").unwrap();
    let tender = back.open.refund_cash(None, doing).unwrap();
    back.open.apply(backroom_core::ticket::Event::TenderTaken(tender));
    let mut wrong = back.open.settle(&shop.store.counter()).unwrap();
    wrong.lines[0].tax.0 += 1;
    let why = shop.came_back(&back, &wrong).unwrap_err();
    assert!(why.contains("and this is left"), "{why}");
}
