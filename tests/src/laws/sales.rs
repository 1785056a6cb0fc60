//! Law 5: each ticket adds up, its tax is its rate's, its money was really taken, and what comes back mirrors its sale to the cent: a whole
//! sale at once, or in parts that never come to more than the line they are of.

mod back;

use std::collections::{BTreeMap, HashMap, HashSet};

use self::back::Given;
use super::entry::Entry;
use super::facts::{Fact, Line, Receipt, Tender, Ticket};
use super::report::Findings;
use super::shop::Shop;
use super::words::Id;

pub fn check(findings: &mut Findings, shop: &Shop<'_>, after_power_cut: bool) {
    let mut sold: HashMap<&Receipt, &Ticket> = HashMap::new();
    let mut given = Given::default();
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
        if ticket.counts() {
            faults.extend(given.takes_back(ticket, &sold, || entry.place()));
        } else if let Some(original) = &ticket.original {
            faults.push(format!("is a {}, but names {original} as what it takes back", ticket.end));
        }
        if matches!(ticket.end.as_str(), "sale" | "exchange")
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
    let counted = ticket.end != "cancelled";
    let lines_come_to = match (&ticket.details.quoted, ticket.end.as_str()) {
        (Some(quoted), "quotation") => (quoted.net, quoted.tax),
        _ => (ticket.net, ticket.tax),
    };
    if matches!(ticket.end.as_str(), "cancelled" | "quotation") {
        // Given up, or only offered: its lines are kept, but count nowhere.
        for (what, amount) in [
            ("net", ticket.net),
            ("tax", ticket.tax),
            ("due", ticket.due),
            ("change", ticket.change),
        ] {
            equal(&format!("{what} of a {} ticket", ticket.end), i128::from(amount), 0);
        }
        equal(
            &format!("cash rounding of a {} ticket", ticket.end),
            i128::from(ticket.cash_rounding),
            0,
        );
    }
    if counted {
        equal("the lines' net", sum(ticket.counted_lines().map(|line| line.net)), lines_come_to.0);
        equal("the lines' tax", sum(ticket.counted_lines().map(|line| line.tax)), lines_come_to.1);
    }
    let due = sum([ticket.net, ticket.tax, ticket.cash_rounding].into_iter());
    equal("net + tax + cash rounding", due, ticket.due);
    let tips = sum(ticket.tenders.iter().map(|tender| tender.details.tip));
    let paid = sum(ticket.tenders.iter().map(|tender| tender.amount)) - i128::from(ticket.change) - tips;
    equal("tenders - change", paid, ticket.due);
    if ticket.change < 0 {
        faults.push(format!("change is {}, less than nothing", ticket.change));
    }
    if !ticket.counts() && !matches!(ticket.end.as_str(), "cancelled" | "training" | "quotation") {
        faults.push(format!("ends as {:?}, which is neither sale, return nor cancelled", ticket.end));
    }
    if ticket.end == "quotation" && ticket.details.quoted.is_none() {
        faults.push("is a quotation, but does not say what was offered".to_owned());
    }
    let mut lines: BTreeMap<(&str, &str), (i128, i128)> = BTreeMap::new();
    for line in ticket.counted_lines().filter(|_| counted && ticket.end != "quotation") {
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
    let details = &line.details;
    let whole = ticket.end == "return" && ticket.original.is_some();
    let back = whole || details.returns.is_some() || details.layaway.is_some();
    if let [only] = line.reasons.as_slice()
        && only.reason == "list_price"
        && !back
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
    let exempt = ticket.may_be_exempt(line);
    if !exempt && parts != amount && !back {
        return Some(format!(
            "line {number}: net {net} and tax {tax} do not make {amount} where prices are {}",
            ticket.prices
        ));
    }
    if !line.taxes.is_empty() {
        let each = sum(line.taxes.iter().map(|part| part.amount));
        if each != tax {
            return Some(format!("line {number}: its taxes add up to {each}, its tax is {tax}"));
        }
    }
    if back {
        return None; // Looked at beside the line it gives back.
    }
    // An exempt customer pays this much or less. Where taxes are rounded over the document, a class gets its share of the whole tax and a line
    // its share of the class's, each cut to a cent; and each of several taxes is cut by itself.
    let room = (1 + 2 * line.taxes.len().max(1) as i128) * whole;
    let off = tax * whole - exact;
    let wrong = match exempt {
        false => off.abs() >= room,
        true => off * exact.signum() >= room,
    };
    wrong.then(|| format!("line {number}: {tax} is not the tax of {amount} at {}", line.rate))
}

/// `0.19` as 19 of 100.
fn parse_rate(text: &str) -> Option<(i128, i128)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}");
    let plain = !digits.is_empty() && digits.len() <= 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let digits = plain.then(|| digits.parse().ok()).flatten()?;
    Some((digits, 10_i128.pow(fraction.len() as u32)))
}

/// Each tender refers to the entry that took it: an earlier one of this ticket, or this one.
fn money_was_taken(entry: &Entry, ticket: &Ticket, taken: &HashMap<Id, (&Entry, Id, &Tender)>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = HashSet::new();
    let voided = ticket.details.voided_tenders.iter().map(|voided| &voided.tender);
    for tender in ticket.tenders.iter().chain(voided) {
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
                let voided = ticket.details.voided_tenders.iter().map(|voided| &voided.tender);
                let all = ticket.tenders.iter().chain(voided).map(|tender| tender.command_id);
                tickets.insert(ticket.ticket, all.collect());
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
