//! Law 5: each ticket adds up, its tax is its rate's, its money was really taken, and a return mirrors its sale to the cent.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::entry::Entry;
use super::facts::{Fact, Line, Receipt, Tender, Ticket};
use super::report::Findings;
use super::shop::Shop;
use super::words::Id;

pub fn check(findings: &mut Findings, shop: &Shop<'_>, after_power_cut: bool) {
    let mut sold: HashMap<&Receipt, &Ticket> = HashMap::new();
    let mut taken_back: HashMap<&Receipt, String> = HashMap::new();
    let mut taken: HashMap<Id, (&Entry, Id, &Tender)> = HashMap::new();
    for told in &shop.entries {
        let entry = told.entry;
        if let Fact::TenderTaken(fact) = &entry.fact {
            taken.insert(fact.tender.command_id, (entry, fact.ticket, &fact.tender));
        }
        let Fact::TicketClosed(ticket) = &entry.fact else { continue };
        findings.looked();
        let mut faults = adds_up(ticket);
        faults.extend(ticket.lines.iter().filter_map(|line| line_adds_up(ticket, line)));
        faults.extend(money_was_taken(entry, ticket, &taken));
        if ticket.end == "return" {
            faults.extend(mirrors(ticket, &sold));
            if let Some(original) = &ticket.original
                && let Some(first) = taken_back.insert(original, entry.place())
            {
                faults.push(format!("takes receipt {original} back, which {first} already did"));
            }
        } else if let Some(original) = &ticket.original {
            faults.push(format!("is a {}, but names {original} as what it takes back", ticket.end));
        }
        if ticket.end == "sale"
            && let Some(receipt) = &ticket.receipt
        {
            sold.insert(receipt, ticket);
        }
        for fault in faults {
            let number = ticket
                .receipt
                .as_ref()
                .map(|receipt| format!(" (receipt {receipt})"))
                .unwrap_or_default();
            findings.broken(|| format!("{}{number}", entry.place()), || fault);
        }
    }
    if !after_power_cut {
        money_has_a_ticket(findings, shop);
    }
}

fn sum(amounts: impl Iterator<Item = i64>) -> i128 {
    amounts.map(i128::from).sum()
}

fn adds_up(ticket: &Ticket) -> Vec<String> {
    let mut faults = Vec::new();
    let mut equal = |what: &str, found: i128, expected: i64| {
        if found != i128::from(expected) {
            faults.push(format!("{what} is {found}, not {expected}"));
        }
    };
    let cancelled = ticket.end == "cancelled";
    if cancelled {
        // Given up: its lines are kept, but count nowhere.
        for (what, amount) in [
            ("net", ticket.net),
            ("tax", ticket.tax),
            ("due", ticket.due),
            ("change", ticket.change),
        ] {
            equal(&format!("{what} of a cancelled ticket"), i128::from(amount), 0);
        }
        equal("cash rounding of a cancelled ticket", i128::from(ticket.cash_rounding), 0);
    } else {
        equal("the lines' net", sum(ticket.counted_lines().map(|line| line.net)), ticket.net);
        equal("the lines' tax", sum(ticket.counted_lines().map(|line| line.tax)), ticket.tax);
    }
    let due = sum([ticket.net, ticket.tax, ticket.cash_rounding].into_iter());
    equal("net + tax + cash rounding", due, ticket.due);
    let paid = sum(ticket.tenders.iter().map(|tender| tender.amount)) - i128::from(ticket.change);
    equal("tenders - change", paid, ticket.due);
    if ticket.change < 0 {
        faults.push(format!("change is {}, less than nothing", ticket.change));
    }
    if !matches!(ticket.end.as_str(), "sale" | "return" | "cancelled") {
        faults.push(format!("ends as {:?}, which is neither sale, return nor cancelled", ticket.end));
    }
    let mut lines: BTreeMap<(&str, &str), (i128, i128)> = BTreeMap::new();
    for line in ticket.counted_lines().filter(|_| !cancelled) {
        let class = lines.entry((&line.tax_class, &line.rate)).or_default();
        *class = (class.0 + i128::from(line.net), class.1 + i128::from(line.tax));
    }
    let mut seen = HashSet::new();
    for class in &ticket.taxes {
        let key = (class.tax_class.as_str(), class.rate.as_str());
        let summed = lines.get(&key).copied().unwrap_or_default();
        let said = (i128::from(class.net), i128::from(class.tax));
        if summed != said {
            faults.push(format!(
                "tax class {} at {} says net {} tax {}, its lines say net {} tax {}",
                key.0, key.1, said.0, said.1, summed.0, summed.1
            ));
        }
        if !seen.insert(key) {
            faults.push(format!("tax class {} at {} stands there twice", key.0, key.1));
        }
    }
    let unsaid = lines.keys().filter(|key| !seen.contains(*key));
    faults.extend(unsaid.map(|(class, rate)| format!("tax class {class} at {rate} is missing")));
    faults
}

fn line_adds_up(ticket: &Ticket, line: &Line) -> Option<String> {
    let number = line.line;
    let reasons = sum(line.reasons.iter().map(|reason| reason.amount));
    let amount = i128::from(line.amount);
    if reasons != amount {
        return Some(format!("line {number}: its reasons add up to {reasons}, its amount is {amount}"));
    }
    if let [only] = line.reasons.as_slice()
        && only.reason == "list_price"
    {
        // Whichever way half a cent goes, a price times a quantity is never a whole cent away.
        let exact = i128::from(line.unit_price) * i128::from(line.quantity);
        if (amount * 1000 - exact).abs() >= 1000 {
            return Some(format!(
                "line {number}: {} times {} thousandths is not {amount}",
                line.unit_price, line.quantity
            ));
        }
    }
    let (net, tax) = (i128::from(line.net), i128::from(line.tax));
    let Some((rate, one)) = parse_rate(&line.rate) else {
        return Some(format!("line {number}: {:?} is no tax rate", line.rate));
    };
    let (parts, exact, whole) = match ticket.prices.as_str() {
        "inclusive" => (net + tax, amount * rate, one + rate),
        "exclusive" => (net, amount * rate, one),
        other => return Some(format!("prices are {other:?}, neither inclusive nor exclusive")),
    };
    if parts != amount {
        return Some(format!(
            "line {number}: net {net} and tax {tax} do not make {amount} where prices are {}",
            ticket.prices
        ));
    }
    ((tax * whole - exact).abs() >= whole).then(|| format!("line {number}: {tax} is not the tax of {amount} at {}", line.rate))
}

/// `0.19` as 19 of 100.
fn parse_rate(text: &str) -> Option<(i128, i128)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}");
    let plain = !digits.is_empty() && digits.len() <= 12 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let digits = plain.then(|| digits.parse().ok()).flatten()?;
    Some((digits, 10_i128.pow(fraction.len() as u32)))
}

/// Each tender refers to the entry that took it: an earlier one of this ticket, or this one.
fn money_was_taken(entry: &Entry, ticket: &Ticket, taken: &HashMap<Id, (&Entry, Id, &Tender)>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = HashSet::new();
    for tender in &ticket.tenders {
        let id = tender.command_id;
        let amount = tender.amount;
        if !seen.insert(id) {
            faults.push(format!("tender {id} of {amount} counts twice"));
        }
        if entry.header.command_id == Some(id) {
            continue;
        }
        match taken.get(&id) {
            None => faults.push(format!("tender {id} of {amount} was taken by no entry before")),
            Some((source, of, _)) if *of != ticket.ticket => {
                faults.push(format!("tender {id} was taken for ticket {of} ({})", source.place()));
            }
            Some((source, _, real)) if (real.amount, &real.kind) != (amount, &tender.kind) => faults.push(format!(
                "tender {id} is {amount} {}, {} took {} {}",
                tender.kind,
                source.place(),
                real.amount,
                real.kind
            )),
            Some(_) => {}
        }
    }
    faults
}

/// Money that was taken lies on a ticket that was closed or is still open. A box that was set back is not asked: its branch ends
/// in the middle of things. Where the box itself was set back in the middle of a ticket, the life that it has forgotten may have closed it,
/// which head office tells.
fn money_has_a_ticket(findings: &mut Findings, shop: &Shop<'_>) {
    for store in &shop.boxes {
        let Some(open) = &store.open_tickets else { continue };
        let forgotten = shop.entries.iter().filter(|told| !told.by_box).map(|told| told.entry);
        let mut tickets: HashMap<Id, HashSet<Id>> = HashMap::new();
        // The box's own word comes last and counts.
        for entry in forgotten.chain(&store.export.entries) {
            if let Fact::TicketClosed(ticket) = &entry.fact {
                tickets.insert(ticket.ticket, ticket.tenders.iter().map(|tender| tender.command_id).collect());
            }
        }
        let open: HashSet<Id> = open.iter().map(|ticket| ticket.ticket).collect();
        for entry in &store.export.entries {
            let Fact::TenderTaken(fact) = &entry.fact else { continue };
            let id = fact.tender.command_id;
            let held = tickets
                .get(&fact.ticket)
                .map_or(open.contains(&fact.ticket), |tenders| tenders.contains(&id));
            findings.demand(
                held,
                || entry.place(),
                || {
                    format!(
                        "took {} for ticket {}, which neither closed with it nor is open",
                        fact.tender.amount, fact.ticket
                    )
                },
            );
        }
    }
}

/// A return is its sale with the signs turned, voided lines left out.
fn mirrors(back: &Ticket, sold: &HashMap<&Receipt, &Ticket>) -> Vec<String> {
    let Some(original) = &back.original else {
        return vec!["is a return, but names no receipt that it takes back".to_owned()];
    };
    let Some(sale) = sold.get(original) else {
        return vec![format!("takes receipt {original} back, but no sale before it has that number")];
    };
    let mut faults = Vec::new();
    let amounts = [
        ("net", back.net, sale.net),
        ("tax", back.tax, sale.tax),
        ("due", back.due, sale.due),
        ("cash rounding", back.cash_rounding, sale.cash_rounding),
    ];
    for (what, returned, paid) in amounts {
        if i128::from(returned) != -i128::from(paid) {
            faults.push(format!("gives back {what} {returned}, receipt {original} had {paid}"));
        }
    }
    if back.currency != sale.currency {
        faults.push(format!("pays in {}, receipt {original} was in {}", back.currency, sale.currency));
    }
    let figures = |line: &Line, sign: i128| {
        let words = (line.sku.clone(), line.tax_class.clone(), line.rate.clone());
        let amounts = [line.quantity, line.amount, line.net, line.tax].map(|amount| sign * i128::from(amount));
        (words, amounts)
    };
    let returned: Vec<_> = back.counted_lines().map(|line| figures(line, -1)).collect();
    let paid: Vec<_> = sale.counted_lines().map(|line| figures(line, 1)).collect();
    if returned.len() != paid.len() {
        faults.push(format!(
            "gives back {} lines, receipt {original} had {}",
            returned.len(),
            paid.len()
        ));
    }
    for (returned, paid) in returned.iter().zip(&paid).filter(|(returned, paid)| returned != paid) {
        faults.push(format!(
            "gives back {} as quantity, amount, net, tax {:?}, receipt {original} had {} {:?}",
            returned.0.0, returned.1, paid.0.0, paid.1
        ));
    }
    faults
}
