//! Laws 9 and 10: what the terminals, printers and drawers say happened, against what the journal says was wanted.
//!
//! Ledgers (docs/contracts.md, section 6) are lines of `device`, `event` and:
//! - `authorize|capture|reverse|refund`: `attempt` (text), `amount` (minor units), `outcome` (only `approved` counts).
//! - `print`: `job` (the effect's id), `mark` (`original` or `copy`), `receipt` or, as the first of `codes`, its number.
//! - `pulse`, `display`: `job`.
//!
//! The journal tells of cards and effects by these fields, which the skeleton does not write yet:
//! - a tender with `tender: "card"` and its `attempt`; a negative amount is a void or refund and names the attempt at the terminal
//!   that gave the money back.
//! - bodies of newer kinds: `{"fact":"found_capture","attempt","amount"}`,
//!   `{"fact":"effect_wanted","effect","device","does":"print|pulse|display"}` and
//!   `{"fact":"effect_ended","effect","end":"confirmed|failed|unknown","cause"}`; `cause` says which of `box`, `device` or `link`
//!   died between start and answer, and an unknown end needs one.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use super::evidence::{Evidence, Ledger, LedgerLine};
use super::facts::{Fact, Tender};
use super::report::Findings;
use super::shop::Shop;

type Amounts<'a> = BTreeMap<&'a str, Vec<(String, i128)>>;

impl LedgerLine {
    fn text(&self, field: &str) -> Option<&str> {
        self.more.get(field).and_then(Value::as_str)
    }
}

/// Law 9.
pub fn captures(findings: &mut Findings, evidence: &Evidence, shops: &[Shop<'_>]) {
    if evidence.ledgers.is_empty() {
        return;
    }
    let mut terminal: BTreeMap<&str, Amounts> = BTreeMap::new();
    for (ledger, line) in lines(evidence) {
        let known = matches!(line.event.as_str(), "authorize" | "capture" | "reverse" | "refund");
        if !known || line.text("outcome") != Some("approved") {
            continue;
        }
        let place = || format!("terminal {} ({})", line.device, ledger.name);
        let Some(attempt) = line.text("attempt") else {
            findings.broken(place, || format!("a {} without an attempt matches nothing", line.event));
            continue;
        };
        let amount = line.more.get("amount").and_then(Value::as_i64).unwrap_or_default();
        let of_event = terminal.entry(&line.event).or_default();
        of_event.entry(attempt).or_default().push((place(), i128::from(amount)));
    }
    let none = Amounts::new();
    let event = |name: &str| terminal.get(name).unwrap_or(&none);
    let (captured, reversed, refunded) = (event("capture"), event("reverse"), event("refund"));
    let (paid, returned) = card_tenders(findings, shops);
    let found: HashSet<&str> = bodies(shops, "found_capture")
        .filter_map(|(_, body)| body.get("attempt")?.as_str())
        .collect();
    let nothing = Vec::new();
    for (attempt, captures) in captured {
        findings.looked();
        let place = || captures[0].0.clone();
        let amount = captures[0].1;
        findings.demand(captures.len() == 1, place, || {
            format!("attempt {attempt} was captured {} times", captures.len())
        });
        let back = reversed.get(attempt).unwrap_or(&nothing).len();
        match paid.get(attempt) {
            Some(tenders) => {
                findings.demand(tenders.len() == 1, place, || {
                    format!("attempt {attempt} pays {} tenders", tenders.len())
                });
                let (tender, paid) = &tenders[0];
                findings.demand(*paid == amount, place, || {
                    format!("attempt {attempt} captured {amount}, the tender in {tender} is {paid}")
                });
                let wanted = returned.get(attempt).unwrap_or(&nothing).len();
                findings.demand(back <= wanted, place, || {
                    format!("attempt {attempt} was reversed, but {tender} counts as paid")
                });
            }
            None => {
                let found = usize::from(found.contains(attempt));
                findings.demand(back + found == 1, place, || {
                    format!("attempt {attempt} captured {amount} for no tender and was reversed {back} times and found {found} times")
                });
            }
        }
    }
    for (attempt, tenders) in &paid {
        findings.looked();
        findings.demand(
            captured.contains_key(attempt),
            || tenders[0].0.clone(),
            || format!("card tender of {} was never captured as attempt {attempt}", tenders[0].1),
        );
    }
    for (attempt, tenders) in &returned {
        findings.looked();
        let place = || tenders[0].0.clone();
        let both = [reversed, refunded].map(|events| events.get(attempt).unwrap_or(&nothing));
        let events: Vec<_> = both.into_iter().flatten().collect();
        findings.demand(tenders.len() == 1 && events.len() == 1, place, || {
            format!(
                "attempt {attempt} gives back {} times, the terminal did so {} times",
                tenders.len(),
                events.len()
            )
        });
        let same = events.iter().all(|(_, amount)| *amount == -tenders[0].1);
        findings.demand(same, place, || {
            format!("attempt {attempt} gives back {}, the terminal gave another amount", -tenders[0].1)
        });
    }
    for (attempt, refunds) in refunded {
        findings.looked();
        findings.demand(
            returned.contains_key(attempt),
            || refunds[0].0.clone(),
            || format!("attempt {attempt} refunded {} for no void or return", refunds[0].1),
        );
    }
    for (attempt, reversals) in reversed {
        findings.looked();
        let known = captured.contains_key(attempt) || event("authorize").contains_key(attempt);
        findings.demand(
            known,
            || reversals[0].0.clone(),
            || format!("attempt {attempt} was reversed, but never authorized or captured"),
        );
    }
}

/// Card tenders of the journals by attempt: money taken, and money given back.
fn card_tenders<'a>(findings: &mut Findings, shops: &'a [Shop<'a>]) -> (Amounts<'a>, Amounts<'a>) {
    let (mut paid, mut returned) = (Amounts::new(), Amounts::new());
    let mut seen = HashSet::new();
    for told in shops.iter().flat_map(|shop| &shop.entries) {
        let tenders: &[Tender] = match &told.entry.fact {
            Fact::TicketClosed(ticket) => &ticket.tenders,
            Fact::TenderTaken(fact) => std::slice::from_ref(&fact.tender),
            _ => continue,
        };
        // A closed ticket names again what an entry before it took.
        let cards = tenders.iter().filter(|tender| tender.kind == "card");
        for tender in cards.filter(|tender| seen.insert(tender.command_id)) {
            let Some(attempt) = &tender.attempt else {
                findings.broken(
                    || told.entry.place(),
                    || format!("card tender {} names no attempt", tender.command_id),
                );
                continue;
            };
            let amount = i128::from(tender.amount);
            let side = if amount < 0 { &mut returned } else { &mut paid };
            side.entry(attempt).or_default().push((told.entry.place(), amount));
        }
    }
    (paid, returned)
}

/// Law 10.
pub fn effects(findings: &mut Findings, evidence: &Evidence, shops: &[Shop<'_>]) {
    if evidence.ledgers.is_empty() {
        return;
    }
    let mut wanted: BTreeMap<&str, (String, &str, &str)> = BTreeMap::new();
    for (place, body) in bodies(shops, "effect_wanted") {
        findings.looked();
        let effect = text(body, "effect");
        let repeated = wanted.insert(effect, (place.clone(), text(body, "device"), text(body, "does")));
        findings.demand(repeated.is_none(), || place, || format!("effect {effect} is wanted twice"));
    }
    // Per device and what it does: how often confirmed, how often unknown.
    let mut counts: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
    let mut open: BTreeSet<&str> = wanted.keys().copied().collect();
    for (place, body) in bodies(shops, "effect_ended") {
        let (effect, end) = (text(body, "effect"), text(body, "end"));
        let Some((_, device, does)) = wanted.get(effect).filter(|_| open.remove(effect)) else {
            findings.broken(|| place, || format!("effect {effect} ends, but is not under way"));
            continue;
        };
        let count = counts.entry((device, does)).or_default();
        match end {
            "confirmed" => count.0 += 1,
            "unknown" => {
                count.1 += 1;
                let died = matches!(text(body, "cause"), "box" | "device" | "link");
                findings.demand(
                    died,
                    || place,
                    || format!("effect {effect} is unknown, though neither box, device nor link died"),
                );
            }
            "failed" => {}
            _ => findings.broken(
                || place,
                || format!("effect {effect} ends as {end:?}, neither confirmed, failed nor unknown"),
            ),
        }
    }
    for effect in open {
        let (place, device, does) = &wanted[effect];
        findings.broken(|| place.clone(), || format!("effect {effect} ({does} on {device}) has no end"));
    }
    let mut done: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut originals: BTreeMap<&str, u32> = BTreeMap::new();
    let mut pulses: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for (ledger, line) in lines(evidence) {
        if !matches!(line.event.as_str(), "print" | "pulse" | "display") {
            continue;
        }
        findings.looked();
        let place = || format!("{} ({})", line.device, ledger.name);
        *done.entry((&line.device, &line.event)).or_default() += 1;
        if line.event == "pulse" {
            let times = pulses.entry((&line.device, line.text("job").unwrap_or_default())).or_default();
            *times += 1;
            let again = *times > 1;
            findings.demand(!again, place, || {
                format!("pulse {} was repeated", line.text("job").unwrap_or("without a job"))
            });
        }
        if line.event == "print"
            && line.text("mark") != Some("copy")
            && let Some(receipt) = receipt(line)
        {
            let times = originals.entry(receipt).or_default();
            *times += 1;
            let again = *times > 1;
            findings.demand(!again, place, || {
                format!("receipt {receipt} was printed again without being marked as a copy")
            });
        }
    }
    let devices: BTreeSet<_> = counts.keys().chain(done.keys()).copied().collect();
    for (device, does) in devices.into_iter().filter(|_| !shops.is_empty()) {
        let (confirmed, unknown) = counts.get(&(device, does)).copied().unwrap_or_default();
        let real = done.get(&(device, does)).copied().unwrap_or_default();
        findings.demand(
            (confirmed..=confirmed + unknown).contains(&real),
            || device.to_owned(),
            || format!("did {does} {real} times; {confirmed} are confirmed and {unknown} unknown"),
        );
    }
}

fn receipt(line: &LedgerLine) -> Option<&str> {
    let code = || line.more.get("codes")?.get(0)?.as_str();
    line.text("receipt").or_else(code)
}

fn text<'a>(body: &'a Value, field: &str) -> &'a str {
    body.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn lines(evidence: &Evidence) -> impl Iterator<Item = (&Ledger, &LedgerLine)> {
    evidence
        .ledgers
        .iter()
        .flat_map(|ledger| ledger.lines.iter().map(move |line| (ledger, line)))
}

/// Bodies of newer kinds with this word.
fn bodies<'a>(shops: &'a [Shop<'a>], word: &'static str) -> impl Iterator<Item = (String, &'a Value)> {
    let entries = shops.iter().flat_map(|shop| &shop.entries);
    entries.filter_map(move |told| match &told.entry.fact {
        Fact::Newer(body) if body.get("fact").and_then(Value::as_str) == Some(word) => Some((told.entry.place(), body)),
        _ => None,
    })
}
