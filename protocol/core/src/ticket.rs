//! The open ticket: what lies in the basket, what is due, how it is paid, and how it ends.
//!
//! `decide`-functions look and answer with what would happen or a refusal; `apply` makes an event true and can not refuse it. Events carry
//! what came of prices and taxes, so replay asks no catalog and is exact. An open and a closed ticket are two types, so nobody adds a
//! line to a paid sale; goods that come back are lines of another ticket.
//!
//! - `line` adds, captures, voids; `change` is what a person changes about prices; `pricing` asks the price and tax rooms.
//! - `opening` is where a ticket begins and rests; `tender`, `card` and `balance` pay it; `settle` ends it.
//! - `returns` takes goods back and plans the refund; `layaway` puts goods aside.
//!
//! Knows no journal, no machine and nobody's name. Who may do what is the staff's room: an approval is a value handed in.

pub mod balance;
pub mod card;
pub mod change;
mod find;
pub mod layaway;
pub mod line;
pub mod opening;
mod pricing;
mod refusal;
pub mod returns;
pub mod settle;
pub mod tender;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::balance::{Balance, BalanceWish, GivesBack};
pub use self::card::{Card, CardStage, CardWish};
pub use self::change::Permit;
pub use self::find::{Label, find, read};
pub use self::line::{Put, Reading};
pub use self::opening::{Mode, Opening, Rest, RestKind};
pub use self::pricing::Decided;
use self::pricing::{Desk, Draft};
pub use self::refusal::Refusal;
pub use self::returns::{Brought, GivenBack, Refundable, ReturnDesk, return_whole};
pub use self::settle::sum_taxes;
pub use self::tender::Voucher;
use crate::barcode::StoreMadeRules;
use crate::catalog::{Catalog, Item, Sku};
use crate::facts::{
    AgeCheck, Approval, ClosedLine, Happened, PriceReason, Tender, TenderKind, TicketDetails, TicketEnd, Voided, VoidedTender,
};
use crate::ids::{CommandId, LayawayId, ReadingId, StoreId};
use crate::money::Money;
use crate::tax::{self, TaxPart};
use crate::time::{Calendar, Instant};

/// More lines than any trolley holds.
pub const MOST_LINES: usize = 2_000;
/// More ways to pay than any party splits a bill into.
const MOST_TENDERS: usize = 20;
/// More notes, coupons or checks than anybody needs.
const MOST_NOTES: usize = 50;
/// Ten thousand pieces in one scan.
pub const LARGEST_QUANTITY: i64 = 10_000_000;

/// An item of the catalog.
type Goods<'a> = Item<'a>;

/// What a decision about the basket has to know of the shop.
#[derive(Clone, Copy, Debug)]
pub struct Counter<'a> {
    /// The snapshot the ticket was begun with.
    pub catalog: &'a Catalog,
    pub taxes: &'a Arc<tax::Rules>,
    pub rules: &'a StoreMadeRules,
    pub calendar: &'a Calendar,
    pub store: Option<StoreId>,
    pub policy: &'a Policy,
}

impl Counter<'_> {
    /// The civil date on the shop's wall.
    pub fn day(&self, at: Instant) -> jiff::civil::Date {
        self.calendar.civil_date(at)
    }
}

/// What this shop allows at the counter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Prices keyed in for a department or an open price.
    pub keyed_least: Money,
    pub keyed_most: Money,
    /// What a voucher may give in change.
    pub voucher_change_most: Money,
    /// In which order money goes back to where it came from; what is left is cash.
    pub refund_order: Vec<TenderKind>,
    /// What is given back on one ticket without a receipt.
    pub without_receipt_most: Money,
    /// How that is given back.
    pub without_receipt_form: TenderKind,
    /// The longest time goods are kept, in days.
    pub kept_days: u16,
    /// The least first payment and the restocking fee, in hundredths of a percent of the total.
    pub deposit_least: u16,
    pub restocking_fee: u16,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            keyed_least: Money(1),
            keyed_most: Money(50_000),
            voucher_change_most: Money::ZERO,
            refund_order: vec![
                TenderKind::Card,
                TenderKind::GiftCard,
                TenderKind::StoreCredit,
                TenderKind::Points,
                TenderKind::OnAccount,
                TenderKind::Voucher,
            ],
            without_receipt_most: Money(5_000),
            without_receipt_form: TenderKind::StoreCredit,
            kept_days: 90,
            deposit_least: 2_000,
            restocking_fee: 1_000,
        }
    }
}

/// What happened to an open ticket. Kept in the work log, one row each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    Opened(Opening),
    /// One line more, and nothing else changed.
    LineAdded(Box<ClosedLine>),
    /// As boxes before the promotions wrote it; now a change of the basket.
    LineVoided {
        line: u32,
        voided: Voided,
    },
    TenderTaken(Tender),
    CardAsked(CardWish),
    /// The wish ended without money.
    CardEnded {
        ask: CommandId,
        why: String,
    },
    BasketChanged(Box<BasketChanged>),
    AgeChecked(AgeCheck),
    Rested(Rest),
    TenderVoided {
        tender: CommandId,
        voided: Voided,
    },
    BalanceAsked(BalanceWish),
    /// The balance was not granted.
    BalanceEnded {
        ask: CommandId,
        why: String,
    },
}

/// How the basket stands from here on: lines that are new or other than before, and what they come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BasketChanged {
    /// Whole lines; one with the next number is new, all others take the place of the line with their number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<ClosedLine>,
    /// Lines of which only the price became another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repriced: Vec<Repriced>,
    /// What the whole ticket comes to now.
    pub net: Money,
    pub tax: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub happened: Option<Happened>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// Customer, coupons, discount, exemption and layaway as they are from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Box<Terms>>,
    /// What the goods that came back bring along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<Box<Back>>,
}

/// A line's price and tax after something else in the basket changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repriced {
    pub line: u32,
    pub unit_price: Money,
    pub amount: Money,
    pub reasons: Vec<PriceReason>,
    pub net: Money,
    pub tax: Money,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<TaxPart>,
}

/// What holds for the whole ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<crate::ids::CustomerId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coupons: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<crate::facts::HandDiscount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exemption: Option<tax::Exemption>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<crate::ids::ReasonCode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layaway: Option<LayawayId>,
    /// The civil date whose taxes these are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_day: Option<jiff::civil::Date>,
}

/// Where the money for goods that came back may go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Back {
    /// What earlier rounding to coins still leaves open of each receipt, so that all its part returns add up to what was paid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carries: Vec<Carry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refundable: Vec<Refundable>,
    /// The only form in which it is given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<TenderKind>,
    /// The ticket ends as this whatever its lines are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_as: Option<TicketEnd>,
}

/// Cash rounding of a receipt that was not given back yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carry {
    pub receipt: crate::ids::ReceiptNo,
    pub rounding: Money,
}

/// A ticket that is still going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    pub opening: Opening,
    lines: Vec<ClosedLine>,
    tenders: Vec<Tender>,
    card: Option<Card>,
    balance: Option<Balance>,
    /// Every wish there was.
    asked: Vec<CommandId>,
    net: Money,
    tax: Money,
    about: TicketDetails,
    suspended: bool,
    /// How many lines count.
    live: usize,
    /// Serial numbers and tags on lines that count.
    captured: BTreeSet<(Sku, String)>,
    readings: BTreeSet<ReadingId>,
    carries: Vec<Carry>,
    refundable: Vec<Refundable>,
    form: Option<TenderKind>,
    closes_as: Option<TicketEnd>,
    /// Kept ready for the next decision; nothing that is true stands only here.
    desk: Desk,
}

impl Open {
    pub fn new(opening: Opening) -> Self {
        let about = TicketDetails {
            pinned: opening.pinned,
            ..TicketDetails::default()
        };
        Self {
            opening,
            lines: Vec::new(),
            tenders: Vec::new(),
            card: None,
            balance: None,
            asked: Vec::new(),
            net: Money::ZERO,
            tax: Money::ZERO,
            about,
            suspended: false,
            live: 0,
            captured: BTreeSet::new(),
            readings: BTreeSet::new(),
            carries: Vec::new(),
            refundable: Vec::new(),
            form: None,
            closes_as: None,
            desk: Desk::default(),
        }
    }

    pub fn lines(&self) -> &[ClosedLine] {
        &self.lines
    }

    /// What holds for the whole ticket.
    pub fn details(&self) -> &TicketDetails {
        &self.about
    }

    pub fn net(&self) -> Money {
        self.net
    }

    pub fn tax(&self) -> Money {
        self.tax
    }

    /// What the goods cost, before coins are thought of.
    pub fn total(&self) -> Result<Money, Refusal> {
        Ok(self.net.checked_add(self.tax)?)
    }

    fn show(&self, amount: Money) -> String {
        self.opening.currency.show(amount)
    }

    fn not_suspended(&self) -> Result<(), Refusal> {
        if self.suspended { Err(Refusal::Suspended) } else { Ok(()) }
    }

    fn nothing_under_way(&self) -> Result<(), Refusal> {
        self.no_card_under_way()?;
        self.no_balance_under_way()
    }

    /// The basket stands still while it is suspended, while money is asked for, and once some was taken.
    fn may_change(&self) -> Result<(), Refusal> {
        self.not_suspended()?;
        self.nothing_under_way()?;
        if self.tenders.is_empty() {
            Ok(())
        } else {
            Err(Refusal::AlreadyPaid)
        }
    }

    /// Whether an event about money has happened here already.
    pub fn knows(&self, event: &Event) -> bool {
        match event {
            Event::TenderTaken(tender) => {
                let held = self.tenders.iter().any(|known| known.command_id == tender.command_id);
                held || self.knows_voided(tender.command_id)
            }
            Event::TenderVoided { tender, .. } => self.knows_voided(*tender),
            // Wishes follow each other, so one that is not the last has an end and is known.
            Event::CardAsked(CardWish { ask, .. }) | Event::BalanceAsked(BalanceWish { ask, .. }) => self.asked.contains(ask),
            Event::CardEnded { ask, .. } => match &self.card {
                Some(card) if card.wish.ask == *ask => !card.stage.is_open(),
                _ => self.asked.contains(ask),
            },
            Event::BalanceEnded { ask, .. } => match &self.balance {
                Some(asked) if asked.wish.ask == *ask => !asked.stage.is_open(),
                _ => self.asked.contains(ask),
            },
            Event::Opened(_)
            | Event::LineAdded(_)
            | Event::LineVoided { .. }
            | Event::BasketChanged(_)
            | Event::AgeChecked(_)
            | Event::Rested(_) => false,
        }
    }

    fn knows_voided(&self, tender: CommandId) -> bool {
        self.about.voided_tenders.iter().any(|voided| voided.tender.command_id == tender)
    }

    /// Makes a decision true, and keeps what it worked out for the next one.
    pub fn accept(&mut self, decided: Decided) {
        let desk = decided.desk_after(std::mem::take(&mut self.desk));
        self.apply(decided.event);
        self.desk = desk;
    }

    /// Makes an event true, live or on replay.
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::Opened(opening) => *self = Open::new(opening),
            Event::LineAdded(line) => {
                self.desk = Desk::default();
                self.net.0 = self.net.0.saturating_add(line.net.0);
                self.tax.0 = self.tax.0.saturating_add(line.tax.0);
                self.put_line(*line);
            }
            Event::LineVoided { line, voided } => self.apply_void(line, voided),
            Event::BasketChanged(changed) => self.apply_change(*changed),
            Event::AgeChecked(check) => self.about.age_checks.push(check),
            Event::Rested(rest) => self.apply_rest(rest),
            Event::TenderTaken(tender) => self.apply_tender(tender),
            Event::TenderVoided { tender, voided } => {
                if let Some(at) = self.tenders.iter().position(|known| known.command_id == tender) {
                    let tender = self.tenders.remove(at);
                    self.about.voided_tenders.push(VoidedTender { tender, voided });
                }
            }
            Event::CardAsked(wish) => {
                self.asked.push(wish.ask);
                let stage = CardStage::UnderWay;
                self.card = Some(Card { wish, stage });
            }
            Event::CardEnded { ask, why } => {
                if let Some(card) = self.card.as_mut().filter(|card| card.wish.ask == ask) {
                    card.stage = CardStage::NotPaid { why };
                }
            }
            Event::BalanceAsked(wish) => {
                self.asked.push(wish.ask);
                let stage = CardStage::UnderWay;
                self.balance = Some(Balance { wish, stage });
            }
            Event::BalanceEnded { ask, why } => {
                if let Some(asked) = self.balance.as_mut().filter(|asked| asked.wish.ask == ask) {
                    asked.stage = CardStage::NotPaid { why };
                }
            }
        }
    }

    fn apply_tender(&mut self, tender: Tender) {
        if let Some(card) = self.card.as_mut().filter(|card| card.wish.ask == tender.command_id) {
            card.stage = CardStage::Paid;
        }
        if let Some(asked) = self.balance.as_mut().filter(|asked| asked.wish.ask == tender.command_id) {
            asked.stage = CardStage::Paid;
        }
        self.tenders.push(tender);
    }

    fn apply_void(&mut self, line: u32, voided: Voided) {
        let index = (line as usize).wrapping_sub(1);
        let Some(found) = self.lines.get(index).filter(|found| found.voided.is_none()) else {
            return;
        };
        let gone = ClosedLine {
            voided: Some(voided),
            ..found.clone()
        };
        self.desk = Desk::default();
        self.net.0 = self.net.0.saturating_sub(gone.net.0);
        self.tax.0 = self.tax.0.saturating_sub(gone.tax.0);
        self.put_line(gone);
    }

    fn apply_change(&mut self, changed: BasketChanged) {
        self.desk = Desk::default();
        for line in changed.lines {
            self.put_line(line);
        }
        for repriced in changed.repriced {
            let index = (repriced.line as usize).wrapping_sub(1);
            if let Some(line) = self.lines.get_mut(index) {
                line.unit_price = repriced.unit_price;
                line.amount = repriced.amount;
                line.reasons = repriced.reasons;
                line.net = repriced.net;
                line.tax = repriced.tax;
                line.taxes = repriced.taxes;
            }
        }
        (self.net, self.tax) = (changed.net, changed.tax);
        self.about.history.extend(changed.happened);
        self.about.approvals.extend(changed.approval);
        if let Some(terms) = changed.terms {
            let terms = *terms;
            self.about.customer = terms.customer;
            self.about.groups = terms.groups;
            self.about.coupons = terms.coupons;
            self.about.discount = terms.discount;
            self.about.exemption = terms.exemption;
            self.about.notes = terms.notes;
            self.about.layaway = terms.layaway;
            self.about.tax_day = terms.tax_day;
        }
        if let Some(back) = changed.back {
            self.carries = back.carries;
            self.refundable = back.refundable;
            self.form = back.form;
            self.closes_as = back.closes_as;
        }
    }

    /// A new line at the end, or another in the place of the one with its number.
    fn put_line(&mut self, line: ClosedLine) {
        let index = (line.line as usize).wrapping_sub(1);
        if let Some(before) = self.lines.get(index) {
            if before.voided.is_none() {
                self.live = self.live.saturating_sub(1);
            }
            for key in captures(before) {
                self.captured.remove(&key);
            }
        }
        if line.voided.is_none() {
            self.live += 1;
            self.captured.extend(captures(&line));
        }
        self.readings.extend(line.details.weighed.map(|weighed| weighed.reading));
        match self.lines.get_mut(index) {
            Some(before) => *before = line,
            None => self.lines.push(line),
        }
    }

    fn terms(&self) -> Terms {
        Terms {
            customer: self.about.customer,
            groups: self.about.groups.clone(),
            coupons: self.about.coupons.clone(),
            discount: self.about.discount,
            exemption: self.about.exemption.clone(),
            notes: self.about.notes.clone(),
            layaway: self.about.layaway,
            tax_day: self.about.tax_day,
        }
    }

    fn back(&self) -> Back {
        Back {
            carries: self.carries.clone(),
            refundable: self.refundable.clone(),
            form: self.form,
            closes_as: self.closes_as,
        }
    }
}

/// What can be on a ticket once only.
fn captures(line: &ClosedLine) -> impl Iterator<Item = (Sku, String)> {
    let own = [&line.details.serial, &line.details.epc];
    own.into_iter().flatten().map(|text| (line.sku.clone(), text.clone()))
}

impl Event {
    /// The number of the line that is new with this event; of several, the first.
    pub fn new_line(&self) -> Option<u32> {
        match self {
            Event::LineAdded(line) => Some(line.line),
            Event::BasketChanged(changed) => {
                let repeats = changed.happened.is_some() || changed.lines.iter().any(|line| line.voided.is_some());
                changed.lines.first().filter(|_| !repeats).map(|line| line.line)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "ticket_tests.rs"]
mod tests;
