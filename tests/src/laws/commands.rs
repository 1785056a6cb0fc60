//! Laws 1 and 2: what was acknowledged is in force exactly once, and nothing is in force that nobody asked for.
//!
//! A command is in force where it is an entry's own command id, a line's, a line's void's, one in a ticket's history or age checks, or one
//! of an open ticket. The ids of tenders and of their voids only refer to the entry that took or gave back the money. Several lines of a
//! ticket may follow from one command: a deposit along with its goods, the lines of a receipt that comes back, goods that were put aside.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::entry::Entry;
use super::evidence::{Answer, ClientEvent, ClientLine, Durable, Evidence};
use super::facts::Fact;
use super::report::Findings;
use super::shop::Shop;
use super::words::Id;

/// Where one command is in force.
#[derive(Clone)]
pub struct InForce<'a> {
    times: u32,
    first: Site<'a>,
    /// Of a repeated one.
    again: Option<Site<'a>>,
}

#[derive(Clone, Copy)]
enum Site<'a> {
    Entry { entry: &'a Entry, role: &'static str },
    OpenTicket { export: &'a str, ticket: Id },
}

impl Site<'_> {
    fn place(&self) -> String {
        match self {
            Site::Entry { entry, role } => format!("{} ({role})", entry.place()),
            Site::OpenTicket { export, ticket } => format!("open ticket {ticket} of {export}"),
        }
    }
}

pub type Index<'a> = HashMap<Id, InForce<'a>>;

/// Every command that is in force somewhere.
pub fn index<'a>(shops: &'a [Shop<'a>]) -> Index<'a> {
    let mut index = Index::new();
    let mut add = |id: Id, site: Site<'a>| {
        index
            .entry(id)
            .and_modify(|known| {
                known.times += 1;
                known.again = Some(site);
            })
            .or_insert(InForce {
                times: 1,
                first: site,
                again: None,
            });
    };
    for shop in shops {
        for told in &shop.entries {
            let entry = told.entry;
            if let Some(id) = entry.header.command_id {
                add(id, Site::Entry { entry, role: "its own" });
            }
            let Fact::TicketClosed(ticket) = &entry.fact else { continue };
            let (mut made, mut left_out) = (HashSet::new(), HashSet::new());
            for line in &ticket.lines {
                if let Some(id) = line.command_id
                    && (made.insert(id) || line.stands_alone())
                {
                    add(id, Site::Entry { entry, role: "a line" });
                }
                if let Some(voided) = &line.voided
                    && (left_out.insert(voided.command_id) || line.details.follows.is_none())
                {
                    let role = "a voided line";
                    add(voided.command_id, Site::Entry { entry, role });
                }
            }
            let happened = ticket.details.history.iter().map(|happened| happened.command_id);
            let checked = ticket.details.age_checks.iter().map(|check| check.command_id);
            for id in happened.chain(checked) {
                let role = "what happened";
                add(id, Site::Entry { entry, role });
            }
        }
        for store in &shop.boxes {
            for open in store.open_tickets.iter().flatten() {
                let paid: HashSet<Id> = open.tenders.iter().map(|tender| tender.command_id).collect();
                let site = Site::OpenTicket {
                    export: &store.export.name,
                    ticket: open.ticket,
                };
                for id in open.command_ids.iter().filter(|id| !paid.contains(id)) {
                    add(*id, site);
                }
            }
        }
    }
    index
}

/// Law 1. After a power cut only flushed answers count.
pub fn kept(findings: &mut Findings, evidence: &Evidence, index: &Index<'_>, after_power_cut: bool) {
    let mut counted = HashSet::new();
    for log in &evidence.client_logs {
        for line in &log.lines {
            let ClientEvent::Acked(Some(answer)) = &line.event else { continue };
            let place = || log.name.clone();
            if after_power_cut && answer.durable == Durable::Written {
                continue;
            }
            if counted.insert(line.command_id) {
                findings.looked();
            }
            let Some(found) = index.get(&line.command_id) else {
                findings.broken(place, || {
                    let ClientLine { command_id, call, .. } = line;
                    format!("command {command_id} ({call}) was acknowledged, but is in no journal entry and no open ticket")
                });
                continue;
            };
            if let Some(sentence) = told_otherwise(answer, &found.first) {
                let id = line.command_id;
                findings.broken(place, || format!("command {id} ({}): {sentence}", line.call));
            }
        }
    }
    // Sorted, so that two runs over the same evidence print the same report.
    let twice: BTreeMap<_, _> = index.iter().filter(|(_, found)| found.times > 1).collect();
    for (id, found) in twice {
        findings.broken(
            || found.first.place(),
            || {
                let again = found.again.as_ref().map(Site::place).unwrap_or_default();
                format!("command {id} is in force {} times, again at {again}", found.times)
            },
        );
    }
}

/// Where the client was told another receipt or amount than the journal holds.
fn told_otherwise(answer: &Answer, site: &Site<'_>) -> Option<String> {
    let Site::Entry { entry, role: "its own" } = site else {
        return None;
    };
    let Fact::TicketClosed(ticket) = &entry.fact else {
        return None;
    };
    let number = ticket.receipt.as_ref().map(ToString::to_string);
    if answer.receipt.is_some() && answer.receipt != number {
        let told = answer.receipt.as_deref().unwrap_or_default();
        let held = number.unwrap_or_else(|| "none".to_owned());
        return Some(format!("the client was told receipt {told}, {} holds {held}", entry.place()));
    }
    let amounts = [("due", answer.due, ticket.due), ("change", answer.change, ticket.change)];
    amounts.into_iter().find_map(|(what, told, held)| {
        let told = told.filter(|told| *told != held)?;
        Some(format!("the client was told {what} {told}, {} holds {held}", entry.place()))
    })
}

/// Law 2.
pub fn asked(findings: &mut Findings, evidence: &Evidence, shops: &[Shop<'_>], index: &Index<'_>) {
    let asked: HashSet<Id> = evidence
        .client_logs
        .iter()
        .flat_map(|log| &log.lines)
        .filter(|line| matches!(line.event, ClientEvent::Asked))
        .map(|line| line.command_id)
        .collect();
    if !evidence.client_logs.is_empty() {
        let invented: BTreeMap<_, _> = index.iter().filter(|(id, _)| !asked.contains(id)).collect();
        for (id, found) in invented {
            findings.broken(|| found.first.place(), || format!("no client asked for command {id}"));
        }
        index.iter().for_each(|_| findings.looked());
    }
    for shop in shops {
        // A card's or a balance's money comes when the terminal or head office says so, not when a client asks; the client asked for the
        // wish before.
        let mut wishes: HashSet<Id> = HashSet::new();
        let mut put_aside: HashSet<Id> = HashSet::new();
        for told in &shop.entries {
            let entry = told.entry;
            if let Fact::Newer(body) = &entry.fact
                && let Some("card_asked" | "refund_asked" | "balance_asked") = body.get("fact").and_then(serde_json::Value::as_str)
            {
                wishes.extend(entry.header.command_id);
            }
            if let Fact::TicketClosed(ticket) = &entry.fact
                && entry.header.command_id.is_some()
            {
                put_aside.extend(ticket.details.layaway);
            }
            let wished = |tender: &super::facts::Tender| tender.kind != "cash" && wishes.contains(&tender.command_id);
            let by_card = match &entry.fact {
                Fact::TenderTaken(fact) => wished(&fact.tender),
                Fact::TicketClosed(ticket) => ticket.tenders.iter().any(wished),
                // They follow from the ticket that put the goods aside, sold them or gave the money back.
                Fact::LayawayOpened(fact) => put_aside.contains(&fact.layaway),
                Fact::LayawayEnded(fact) => put_aside.contains(&fact.layaway),
                _ => false,
            };
            let by_itself = by_card
                || matches!(
                    entry.fact,
                    Fact::EpochOpened(_)
                        | Fact::CatalogApplied(_)
                        | Fact::StockOpened(_)
                        | Fact::PriceDirected(_)
                        | Fact::DirectiveRefused(_)
                        | Fact::Newer(_)
                        | Fact::Unreadable
                );
            if entry.header.command_id.is_some() {
                continue;
            }
            findings.looked();
            findings.demand(
                by_itself,
                || entry.place(),
                || {
                    let word = super::facts::word(entry.header.kind).unwrap_or_default();
                    format!("{word} has no command id, and a box does not do that by itself")
                },
            );
        }
        for history in shop.histories() {
            directives(findings, &history.entries, history.news_from);
        }
    }
}

/// Directives are numbered per store; a box follows or refuses each once, in turn.
fn directives(findings: &mut Findings, entries: &[&Entry], news_from: usize) {
    let mut expected = 1;
    for (at, entry) in entries.iter().enumerate() {
        let number = match &entry.fact {
            Fact::PriceDirected(fact) => fact.directive,
            Fact::DirectiveRefused(fact) => fact.directive,
            _ => continue,
        };
        if at >= news_from {
            findings.looked();
            findings.demand(
                number == expected,
                || entry.place(),
                || {
                    format!(
                        "answers directive {number}, but {expected} is next: head office numbers them without gap, each is answered once"
                    )
                },
            );
        }
        expected = number.saturating_add(1);
    }
}
