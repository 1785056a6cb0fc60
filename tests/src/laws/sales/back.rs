//! What was given back of each receipt: whole sales at once, as the first boxes did it, and lines in parts.

use std::collections::{BTreeMap, HashMap};

use super::super::facts::{Line, Receipt, ReturnOf, Ticket};
use super::super::words::Id;

/// What came back so far.
#[derive(Default)]
pub struct Given {
    /// Receipts that were taken back whole, and where.
    whole: HashMap<Receipt, String>,
    lines: HashMap<ReturnOf, Sums>,
    receipts: HashMap<Receipt, Money>,
    /// By the receipt and the tender the money came from.
    tenders: HashMap<(Receipt, Id), i128>,
}

/// How much of a line came back, below nothing.
#[derive(Clone, Default, Debug)]
struct Sums {
    quantity: i128,
    amount: i128,
    net: i128,
    tax: i128,
    parts: BTreeMap<String, i128>,
}

/// What was given back for a receipt by tickets that did nothing else.
#[derive(Default)]
struct Money {
    due: i128,
    /// Something of it came back in another way: with other goods, or not in coins.
    mixed: bool,
}

impl Given {
    /// Takes a ticket in and says what is wrong with what it gives back.
    pub fn takes_back(&mut self, ticket: &Ticket, sold: &HashMap<&Receipt, &Ticket>, place: impl Fn() -> String) -> Vec<String> {
        let mut faults = self.tenders(ticket, sold);
        let parts: Vec<(&Line, &ReturnOf)> = ticket
            .counted_lines()
            .filter_map(|line| Some((line, line.details.returns.as_ref()?)))
            .collect();
        let Some((_, first)) = parts.first() else {
            faults.extend(self.whole(ticket, sold, place));
            return faults;
        };
        let one_receipt = parts.iter().all(|(_, of)| of.receipt == first.receipt);
        let named = one_receipt.then_some(&first.receipt);
        if ticket.original.as_ref() != named {
            faults.push("takes lines of a receipt back, but does not name just that one".to_owned());
        }
        if ticket.end == "sale" {
            faults.push(format!("is a sale, but takes lines of receipt {} back", first.receipt));
        }
        for (line, of) in &parts {
            faults.extend(self.part(ticket, line, of, sold));
        }
        let pure = one_receipt && parts.len() == ticket.counted_lines().count();
        for (_, of) in &parts {
            let money = self.receipts.entry(of.receipt.clone()).or_default();
            money.mixed |= !pure || ticket.tenders.iter().any(|tender| tender.kind != "cash");
        }
        if pure && let Some(sale) = sold.get(&first.receipt) {
            faults.extend(self.all_back(ticket, sale, &first.receipt));
        }
        faults
    }

    /// No tender of a sale gives back more than it took.
    fn tenders(&mut self, ticket: &Ticket, sold: &HashMap<&Receipt, &Ticket>) -> Vec<String> {
        let mut faults = Vec::new();
        for tender in &ticket.tenders {
            let Some(of) = &tender.details.refund_of else { continue };
            let took = sold
                .get(&of.receipt)
                .and_then(|sale| sale.tenders.iter().find(|taken| taken.command_id == of.tender));
            let Some(took) = took else {
                faults.push(format!(
                    "gives money back to tender {}, which receipt {} has not",
                    of.tender, of.receipt
                ));
                continue;
            };
            let back = self.tenders.entry((of.receipt.clone(), of.tender)).or_default();
            *back -= i128::from(tender.amount);
            let most = i128::from(took.amount) - i128::from(took.details.tip);
            if *back > most {
                faults.push(format!("tender {} took {most} for the goods, {back} went back to it", of.tender));
            }
        }
        faults
    }

    /// A ticket none of whose lines name a line of a receipt.
    fn whole(&mut self, ticket: &Ticket, sold: &HashMap<&Receipt, &Ticket>, place: impl Fn() -> String) -> Vec<String> {
        let Some(original) = &ticket.original else {
            // Empties, payments that are counted against goods, and what was brought without a receipt.
            let needs_none = |line: &Line| {
                let details = &line.details;
                line.quantity > 0 || details.without_receipt.is_some() || matches!(details.role.as_str(), "bottle_refund" | "prepayment")
            };
            let unnamed = !ticket.counted_lines().all(needs_none);
            let why = "gives goods back, but names no receipt that it takes back";
            return unnamed.then(|| why.to_owned()).into_iter().collect();
        };
        if ticket.end != "return" {
            return vec![format!("is a {}, but names {original} as what it takes back", ticket.end)];
        }
        let mut faults = mirrors(ticket, original, sold);
        let before = self.whole.insert(original.clone(), place());
        if let Some(first) = before {
            faults.push(format!("takes receipt {original} back, which {first} already did"));
        } else if self.lines.keys().any(|of| of.receipt == *original) {
            faults.push(format!("takes receipt {original} back whole, of which parts came back before"));
        }
        faults
    }

    /// One line that comes back: with all parts before it never more than was sold, always its share, and to the cent when nothing is left.
    fn part(&mut self, ticket: &Ticket, line: &Line, of: &ReturnOf, sold: &HashMap<&Receipt, &Ticket>) -> Option<String> {
        let what = || format!("line {} gives back line {} of receipt {}", line.line, of.line, of.receipt);
        let Some(sale) = sold.get(&of.receipt) else {
            return Some(format!("{}, but no sale before it has that number", what()));
        };
        let Some(original) = sale.counted_lines().find(|line| line.line == of.line) else {
            return Some(format!("{}, which has no such line", what()));
        };
        if self.whole.contains_key(&of.receipt) {
            return Some(format!("{}, which came back whole before", what()));
        }
        if ticket.currency != sale.currency {
            return Some(format!("{} in another currency", what()));
        }
        if (&line.sku, &line.tax_class, &line.rate) != (&original.sku, &original.tax_class, &original.rate) {
            return Some(format!("{}, but is another item or taxed otherwise", what()));
        }
        let sums = self.lines.entry(of.clone()).or_default();
        sums.add(line);
        let mut all = Sums::default();
        all.add(original);
        if line.quantity >= 0 || -sums.quantity > all.quantity {
            let told = -sums.quantity;
            return Some(format!("{}: {told} thousandths came back of {}", what(), all.quantity));
        }
        let done = -sums.quantity == all.quantity;
        let room = (1 + all.parts.len().max(1) as i128) * all.quantity;
        for (name, back, sold) in sums.beside(&all) {
            // Within a cent of its share on the way, each tax by itself; and all of it at the end.
            let off = back * all.quantity - sold * sums.quantity;
            let wrong = if done { back != -sold } else { off.abs() >= room };
            if wrong {
                return Some(format!(
                    "{}: {name} {back} came back with {} of {} thousandths, it was {sold}",
                    what(),
                    -sums.quantity,
                    all.quantity
                ));
            }
        }
        None
    }

    /// Where all of a receipt came back in coins and by itself, all that was paid went back.
    fn all_back(&mut self, ticket: &Ticket, sale: &Ticket, receipt: &Receipt) -> Option<String> {
        let money = self.receipts.entry(receipt.clone()).or_default();
        money.due += i128::from(ticket.due);
        let back = |line: &Line| {
            let of = ReturnOf {
                receipt: receipt.clone(),
                line: line.line,
            };
            self.lines.get(&of).is_some_and(|sums| -sums.quantity == i128::from(line.quantity))
        };
        if ticket.end == "cancellation" && !(sale.counted_lines().all(back) && sale.shift == ticket.shift) {
            return Some(format!("cancels receipt {receipt}, but not all of it in its own shift"));
        }
        let coins = sale.tenders.iter().all(|tender| tender.kind == "cash");
        let complete = sale.counted_lines().all(back) && coins && !money.mixed;
        (complete && money.due != -i128::from(sale.due))
            .then(|| format!("all of receipt {receipt} came back for {}, it had {}", money.due, sale.due))
    }
}

impl Sums {
    fn add(&mut self, line: &Line) {
        self.quantity += i128::from(line.quantity);
        self.amount += i128::from(line.amount);
        self.net += i128::from(line.net);
        self.tax += i128::from(line.tax);
        for part in &line.taxes {
            *self.parts.entry(part.tax.clone()).or_default() += i128::from(part.amount);
        }
    }

    /// Each figure beside the other's.
    fn beside<'a>(&'a self, other: &'a Sums) -> Vec<(&'a str, i128, i128)> {
        let mut all = vec![
            ("amount", self.amount, other.amount),
            ("net", self.net, other.net),
            ("tax", self.tax, other.tax),
        ];
        let names: std::collections::BTreeSet<&String> = self.parts.keys().chain(other.parts.keys()).collect();
        let part = |sums: &Sums, name: &String| sums.parts.get(name).copied().unwrap_or_default();
        all.extend(names.into_iter().map(|name| (name.as_str(), part(self, name), part(other, name))));
        all
    }
}

/// A return is its sale with the signs turned, voided lines left out.
fn mirrors(back: &Ticket, original: &Receipt, sold: &HashMap<&Receipt, &Ticket>) -> Vec<String> {
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
