//! The open ticket: scanning, voiding, tendering, settling; and taking a whole receipt back.
//!
//! A card payment is a wish first, journaled before the terminal is asked; it ends as a tender or without money. While it is under way the
//! basket stands still; when nobody knows how it ended, the ticket may be paid otherwise, and what the card paid late is given back.
//!
//! `decide`-functions look and answer with an event or a refusal; `apply` makes an event true and can not refuse it. An open and a
//! closed ticket are two types, so nobody adds a line to a paid sale. Discounts, suspended tickets and other tenders than
//! cash and card are not here yet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::barcode::{BarcodeError, Gtin, Scanned, looks_like_card};
use crate::catalog::{Catalog, Item, PriceVersion, SoldBy};
use crate::epc::{Epc, EpcId};
use crate::facts::{ClosedLine, ClosedTicket, PriceReason, ReasonKind, TaxSum, Tender, TenderKind, TicketEnd, Voided};
use crate::ids::{CommandId, DeviceId, ReceiptNo, RegisterId, ShiftId, TicketId, TillId};
use crate::money::{Currency, Money, MoneyError, Quantity};
use crate::stock::{MoveReason, StockMove};
use crate::tax::{self, PriceMode};
use crate::time::Instant;

/// More lines than any trolley holds.
pub const MOST_LINES: usize = 2_000;
/// More ways to pay than any party splits a bill into.
const MOST_TENDERS: usize = 20;
/// Ten thousand pieces in one scan.
pub const LARGEST_QUANTITY: i64 = 10_000_000;

/// What the shop says to the one at the till. The stable code is `code()`, the sentence is for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("nothing carries the code {code:?}; check the label or search for the item by name")]
    UnknownCode { code: String },
    #[error("{why}")]
    UnreadableCode { why: String },
    #[error("quantity {quantity} can not be sold; use more than 0 and at most 10000")]
    Quantity { quantity: Quantity },
    #[error("{name} is sold by the piece; {quantity} of it is no number of pieces")]
    NoPieces { name: String, quantity: Quantity },
    #[error("the ticket has {MOST_LINES} lines; settle it and open another")]
    TooManyLines,
    #[error("line {line} is not on this ticket")]
    NoSuchLine { line: u32 },
    #[error("line {line} is already voided")]
    AlreadyVoided { line: u32 },
    #[error("the basket is empty; scan an item first")]
    EmptyBasket,
    #[error("money was already taken for this ticket; settle it, then take it back as a return")]
    AlreadyPaid,
    #[error("{given} is not enough, {due} is due")]
    NotEnough { given: String, due: String },
    #[error("an amount of {amount} can not be taken; give more than nothing")]
    Amount { amount: String },
    #[error("receipt {receipt} was already taken back")]
    AlreadyReturned { receipt: ReceiptNo },
    #[error("receipt {receipt} is itself a return; only a sale can be taken back")]
    NotASale { receipt: ReceiptNo },
    #[error("receipt {receipt} is not known in this store; check the number")]
    UnknownReceipt { receipt: ReceiptNo },
    #[error("a card payment of {amount} is under way; wait for its end or give it up at the terminal")]
    CardUnderWay { amount: String },
    #[error("{amount} is more than the {remaining} that is left to pay; a card gives no change")]
    CardTooMuch { amount: String, remaining: String },
    #[error("no payment terminal stands at this register; take cash, or name one in the box's devices")]
    NoTerminal,
    #[error("no receipt printer stands at this register; name one in the box's devices")]
    NoPrinter,
    #[error(
        "receipt {receipt} was paid by card, and money can not be given back to a card yet; return it where the card was charged, or ask your manager"
    )]
    PaidByCard { receipt: ReceiptNo },
    #[error("the amounts do not fit: {0}")]
    Money(#[from] MoneyError),
}

impl Refusal {
    /// Stable for programs, where the sentence may be worded better one day.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::UnknownCode { .. } => "unknown_code",
            Refusal::UnreadableCode { .. } => "unreadable_code",
            Refusal::Quantity { .. } => "quantity",
            Refusal::NoPieces { .. } => "quantity",
            Refusal::TooManyLines => "too_many_lines",
            Refusal::NoSuchLine { .. } => "no_such_line",
            Refusal::AlreadyVoided { .. } => "already_voided",
            Refusal::EmptyBasket => "empty_basket",
            Refusal::AlreadyPaid => "already_paid",
            Refusal::NotEnough { .. } => "not_enough",
            Refusal::Amount { .. } => "amount",
            Refusal::AlreadyReturned { .. } => "already_returned",
            Refusal::NotASale { .. } => "not_a_sale",
            Refusal::UnknownReceipt { .. } => "unknown_receipt",
            Refusal::CardUnderWay { .. } => "card_under_way",
            Refusal::CardTooMuch { .. } => "card_too_much",
            Refusal::NoTerminal => "no_terminal",
            Refusal::NoPrinter => "no_printer",
            Refusal::PaidByCard { .. } => "paid_by_card",
            Refusal::Money(_) => "money",
        }
    }
}

/// What every ticket knows from its first scan on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    pub ticket: TicketId,
    pub register: RegisterId,
    pub till: TillId,
    pub shift: ShiftId,
    pub opened_at: Instant,
    pub currency: Currency,
    pub prices: PriceMode,
    /// Smallest coin in minor units; 1 where every cent exists.
    pub cash_step: i64,
}

/// What happened to an open ticket. Kept in the work log, one row each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    Opened(Opening),
    LineAdded(Box<ClosedLine>),
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
}

/// A card payment that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardWish {
    pub ask: CommandId,
    pub at: Instant,
    pub terminal: DeviceId,
    pub amount: Money,
    /// Close the ticket when it is paid with this.
    pub settle: bool,
}

/// The last card payment of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub wish: CardWish,
    pub stage: CardStage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardStage {
    UnderWay,
    /// The link broke; the terminal is asked what became of it. Not an event: after a restart it is found out again.
    Unknown,
    Paid,
    NotPaid {
        why: String,
    },
}

/// A sale that is still going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    pub opening: Opening,
    lines: Vec<ClosedLine>,
    tenders: Vec<Tender>,
    card: Option<Card>,
    /// Every wish there was.
    asked: Vec<CommandId>,
    net: Money,
    tax: Money,
}

/// The product number of an EPC, written as hexadecimal or as a URI.
fn epc_gtin(code: &str) -> Option<Gtin> {
    if let Ok(id) = code.parse::<EpcId>() {
        return id.gtin();
    }
    let hexadecimal = code.len() >= 24 && code.len().is_multiple_of(2) && code.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !hexadecimal {
        return None;
    }
    Epc::from_hex(code).ok()?.gtin()
}

/// Finds what a scanner read.
pub fn find<'a>(catalog: &'a Catalog, code: &str) -> Result<Item<'a>, Refusal> {
    // An in-store code or item number is looked up as it stands: the shop chose it.
    if let Some(item) = catalog.by_text(code) {
        return Ok(item);
    }
    let unknown = || Refusal::UnknownCode {
        code: code.chars().take(60).collect(),
    };
    // A tag of the item itself, as an RFID reader or a label names it.
    if let Some(gtin) = epc_gtin(code) {
        return catalog.by_gtin(gtin).ok_or_else(unknown);
    }
    let scanned = Scanned::parse(code).map_err(|error| Refusal::UnreadableCode { why: error.to_string() })?;
    // A right product number must not carry a card into the journal.
    if let Scanned::Elements(label) | Scanned::DigitalLink(label) = &scanned
        && label
            .elements()
            .iter()
            .any(|element| looks_like_card(&element.value) && element.value.len() > 14)
    {
        return Err(Refusal::UnreadableCode {
            why: BarcodeError::Card.to_string(),
        });
    }
    scanned.gtin().and_then(|gtin| catalog.by_gtin(gtin)).ok_or_else(unknown)
}

impl Open {
    pub fn new(opening: Opening) -> Self {
        Self {
            opening,
            lines: Vec::new(),
            tenders: Vec::new(),
            card: None,
            asked: Vec::new(),
            net: Money::ZERO,
            tax: Money::ZERO,
        }
    }

    pub fn lines(&self) -> &[ClosedLine] {
        &self.lines
    }

    pub fn tenders(&self) -> &[Tender] {
        &self.tenders
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

    /// The last card payment, however it stands.
    pub fn card(&self) -> Option<&Card> {
        self.card.as_ref()
    }

    pub fn card_under_way(&self) -> Option<&CardWish> {
        let open = |card: &&Card| matches!(card.stage, CardStage::UnderWay | CardStage::Unknown);
        self.card.as_ref().filter(open).map(|card| &card.wish)
    }

    /// Whether the journal holds money or wishes for it of this ticket already.
    pub fn had_money(&self) -> bool {
        self.card.is_some() || !self.tenders.is_empty()
    }

    /// Whether an event about money has happened here already.
    pub fn knows(&self, event: &Event) -> bool {
        let ended = |card: &Card| !matches!(card.stage, CardStage::UnderWay | CardStage::Unknown);
        match event {
            Event::TenderTaken(tender) => self.tenders.iter().any(|known| known.command_id == tender.command_id),
            // Wishes follow each other, so one that is not the last has an end and is known.
            Event::CardAsked(wish) => self.asked.contains(&wish.ask),
            Event::CardEnded { ask, .. } => match &self.card {
                Some(card) if card.wish.ask == *ask => ended(card),
                _ => self.asked.contains(ask),
            },
            Event::Opened(_) | Event::LineAdded(_) | Event::LineVoided { .. } => false,
        }
    }

    fn by_card(&self) -> Result<Money, Refusal> {
        let cards = self.tenders.iter().filter(|tender| tender.kind == TenderKind::Card);
        Ok(Money::sum(cards.map(|tender| tender.amount))?)
    }

    /// What is to be paid: cards pay to the cent, and what is left for cash is rounded to the smallest coin.
    pub fn due(&self) -> Result<Money, Refusal> {
        let by_card = self.by_card()?;
        let rest = self.total()?.checked_sub(by_card)?;
        Ok(rest.to_step(self.opening.cash_step)?.checked_add(by_card)?)
    }

    /// What a card would have to pay: nothing is rounded.
    pub fn remaining_exact(&self) -> Result<Money, Refusal> {
        Ok(self.total()?.checked_sub(self.given()?)?.max(Money::ZERO))
    }

    pub fn given(&self) -> Result<Money, Refusal> {
        Ok(Money::sum(self.tenders.iter().map(|tender| tender.amount))?)
    }

    /// A scan: finds the item, prices it as of the ticket's first line, taxes it.
    pub fn scan(&self, catalog: &Catalog, code: &str, quantity: Quantity, command_id: CommandId, at: Instant) -> Result<Event, Refusal> {
        self.no_card_under_way()?;
        if !self.tenders.is_empty() {
            return Err(Refusal::AlreadyPaid);
        }
        if self.lines.len() >= MOST_LINES {
            return Err(Refusal::TooManyLines);
        }
        if !(1..=LARGEST_QUANTITY).contains(&quantity.0) {
            return Err(Refusal::Quantity { quantity });
        }
        let item = find(catalog, code)?;
        if item.sold_by() == SoldBy::Piece && quantity.0 % Quantity::ONE.0 != 0 {
            return Err(Refusal::NoPieces {
                name: item.name().to_owned(),
                quantity,
            });
        }
        let class = item.tax_class();
        let (unit_price, version) = catalog.price(item, self.opening.opened_at);
        let amount = unit_price.times(quantity)?;
        let split = tax::split(amount, class.rate, self.opening.prices)?;
        // The ticket's sums must still fit with this line on it.
        self.net.checked_add(split.net)?.checked_add(self.tax)?.checked_add(split.tax)?;
        Ok(Event::LineAdded(Box::new(ClosedLine {
            line: self.lines.len() as u32 + 1,
            command_id: Some(command_id),
            at,
            sku: item.sku(),
            name: item.name().to_owned(),
            code: code.to_owned(),
            quantity,
            unit_price,
            amount,
            reasons: vec![PriceReason {
                reason: ReasonKind::ListPrice,
                amount,
                version,
                source: None,
            }],
            tax_class: class.code.clone(),
            rate: class.rate,
            net: split.net,
            tax: split.tax,
            voided: None,
        })))
    }

    fn no_card_under_way(&self) -> Result<(), Refusal> {
        match self.card_under_way() {
            Some(wish) => Err(Refusal::CardUnderWay {
                amount: self.opening.currency.show(wish.amount),
            }),
            None => Ok(()),
        }
    }

    /// As long as the terminal is busy nothing else is taken; once nobody knows, other money is.
    fn may_be_paid_otherwise(&self) -> Result<(), Refusal> {
        match &self.card {
            Some(card) if card.stage == CardStage::Unknown => Ok(()),
            _ => self.no_card_under_way(),
        }
    }

    /// The terminal's link broke, or is back.
    pub fn card_unknown(&mut self, ask: CommandId, unknown: bool) {
        let open = |card: &&mut Card| card.wish.ask == ask && matches!(card.stage, CardStage::UnderWay | CardStage::Unknown);
        if let Some(card) = self.card.as_mut().filter(open) {
            card.stage = if unknown { CardStage::Unknown } else { CardStage::UnderWay };
        }
    }

    pub fn void_line(&self, line: u32, command_id: CommandId, at: Instant) -> Result<Event, Refusal> {
        self.no_card_under_way()?;
        if !self.tenders.is_empty() {
            return Err(Refusal::AlreadyPaid);
        }
        let found = self
            .lines
            .iter()
            .find(|candidate| candidate.line == line)
            .ok_or(Refusal::NoSuchLine { line })?;
        if found.voided.is_some() {
            return Err(Refusal::AlreadyVoided { line });
        }
        Ok(Event::LineVoided {
            line,
            voided: Voided { command_id, at },
        })
    }

    /// Takes cash; it may be less than is due, then more is to come.
    pub fn tender(&self, amount: Money, command_id: CommandId, at: Instant) -> Result<Tender, Refusal> {
        self.may_be_paid_otherwise()?;
        if !self.lines.iter().any(|line| line.voided.is_none()) {
            return Err(Refusal::EmptyBasket);
        }
        let show = |amount| self.opening.currency.show(amount);
        // A basket of free things is settled with nothing given.
        let least = if self.due()? == Money::ZERO { 0 } else { 1 };
        if !(least..=crate::money::LARGEST_AMOUNT).contains(&amount.0) {
            return Err(Refusal::Amount { amount: show(amount) });
        }
        if self.tenders.len() >= MOST_TENDERS {
            return Err(Refusal::AlreadyPaid);
        }
        self.given()?.checked_add(amount)?;
        Ok(Tender::cash(command_id, at, amount))
    }

    /// A customer wants to pay by card; the terminal is asked once this is in the journal.
    pub fn ask_card(&self, wish: CardWish) -> Result<CardWish, Refusal> {
        if !self.lines.iter().any(|line| line.voided.is_none()) {
            return Err(Refusal::EmptyBasket);
        }
        self.no_card_under_way()?;
        let show = |amount| self.opening.currency.show(amount);
        if wish.amount.0 < 1 {
            return Err(Refusal::Amount { amount: show(wish.amount) });
        }
        let remaining = self.remaining_exact()?;
        if wish.amount > remaining {
            return Err(Refusal::CardTooMuch {
                amount: show(wish.amount),
                remaining: show(remaining),
            });
        }
        if self.tenders.len() >= MOST_TENDERS {
            return Err(Refusal::AlreadyPaid);
        }
        Ok(wish)
    }

    /// The terminal took the money for this wish. `None` when the ticket no longer needs it: then it is to be given back.
    pub fn card_paid(&self, ask: CommandId, attempt: &str, amount: Money, at: Instant) -> Option<Tender> {
        let wish = self.card_under_way().filter(|wish| wish.ask == ask && wish.amount == amount)?;
        if amount > self.remaining_exact().ok()? {
            return None;
        }
        Some(Tender {
            command_id: wish.ask,
            at,
            kind: TenderKind::Card,
            amount,
            attempt: Some(attempt.to_owned()),
        })
    }

    /// Whether a card payment that was to close the ticket paid the rest of it.
    pub fn closes_by_card(&self) -> bool {
        let wanted = self
            .card
            .as_ref()
            .is_some_and(|card| card.stage == CardStage::Paid && card.wish.settle);
        wanted && self.remaining_exact() == Ok(Money::ZERO)
    }

    pub fn apply(&mut self, event: Event) {
        match event {
            Event::Opened(opening) => *self = Open::new(opening),
            Event::LineAdded(line) => {
                self.net.0 += line.net.0;
                self.tax.0 += line.tax.0;
                self.lines.push(*line);
            }
            Event::LineVoided { line, voided } => {
                if let Some(found) = self
                    .lines
                    .iter_mut()
                    .find(|candidate| candidate.line == line && candidate.voided.is_none())
                {
                    self.net.0 -= found.net.0;
                    self.tax.0 -= found.tax.0;
                    found.voided = Some(voided);
                }
            }
            Event::TenderTaken(tender) => {
                if let Some(card) = self.card.as_mut().filter(|card| card.wish.ask == tender.command_id) {
                    card.stage = CardStage::Paid;
                }
                self.tenders.push(tender);
            }
            Event::CardAsked(wish) => {
                self.asked.push(wish.ask);
                self.card = Some(Card {
                    wish,
                    stage: CardStage::UnderWay,
                });
            }
            Event::CardEnded { ask, why } => {
                if let Some(card) = self.card.as_mut().filter(|card| card.wish.ask == ask) {
                    card.stage = CardStage::NotPaid { why };
                }
            }
        }
    }

    /// The ticket as it will stand in the journal once it is paid. The receipt number is given by the journal.
    pub fn settle(&self) -> Result<ClosedTicket, Refusal> {
        self.may_be_paid_otherwise()?;
        if !self.lines.iter().any(|line| line.voided.is_none()) {
            return Err(Refusal::EmptyBasket);
        }
        let due = self.due()?;
        let given = self.given()?;
        let change = given.checked_sub(due)?;
        if change < Money::ZERO {
            let show = |amount| self.opening.currency.show(amount);
            return Err(Refusal::NotEnough {
                given: show(given),
                due: show(due),
            });
        }
        let sold = self.lines.iter().filter(|line| line.voided.is_none());
        let moves = sold
            .map(|line| StockMove {
                sku: line.sku.clone(),
                delta: Quantity(-line.quantity.0),
                reason: MoveReason::Sale,
            })
            .collect();
        let rounding = due.checked_sub(self.total()?)?;
        Ok(ClosedTicket {
            cash_rounding: rounding,
            due,
            change,
            moves,
            ..self.closed(TicketEnd::Sale)
        })
    }

    /// The ticket given up before it was paid.
    pub fn cancel(&self) -> Result<ClosedTicket, Refusal> {
        self.no_card_under_way()?;
        if !self.tenders.is_empty() {
            return Err(Refusal::AlreadyPaid);
        }
        let nothing = ClosedTicket {
            net: Money::ZERO,
            tax: Money::ZERO,
            taxes: Vec::new(),
            ..self.closed(TicketEnd::Cancelled)
        };
        Ok(nothing)
    }

    fn closed(&self, end: TicketEnd) -> ClosedTicket {
        let Opening {
            ticket,
            register,
            till,
            shift,
            opened_at,
            currency,
            prices,
            cash_step: _,
        } = self.opening;
        ClosedTicket {
            ticket,
            end,
            receipt: None,
            original: None,
            register,
            till,
            shift,
            opened_at,
            currency,
            prices,
            taxes: sum_taxes(&self.lines),
            lines: self.lines.clone(),
            net: self.net,
            tax: self.tax,
            cash_rounding: Money::ZERO,
            due: Money::ZERO,
            tenders: self.tenders.clone(),
            change: Money::ZERO,
            moves: Vec::new(),
        }
    }
}

/// Tax per class over the lines that count, in the order of the classes' codes.
pub fn sum_taxes(lines: &[ClosedLine]) -> Vec<TaxSum> {
    let mut sums: BTreeMap<(&str, tax::Rate), (i64, i64)> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.voided.is_none()) {
        let sum = sums.entry((&line.tax_class, line.rate)).or_default();
        sum.0 += line.net.0;
        sum.1 += line.tax.0;
    }
    let sum_of = |((class, rate), (net, tax)): ((&str, tax::Rate), (i64, i64))| TaxSum {
        tax_class: class.to_owned(),
        rate,
        net: Money(net),
        tax: Money(tax),
    };
    sums.into_iter().map(sum_of).collect()
}

/// Who takes a receipt back, where and when.
#[derive(Clone, Copy, Debug)]
pub struct ReturnDesk {
    pub ticket: TicketId,
    pub register: RegisterId,
    pub till: TillId,
    pub shift: ShiftId,
    pub command_id: CommandId,
    pub at: Instant,
}

/// Takes a whole sale back: each line's own share to the cent, the same tax, cash out of the till. What coins could not pay
/// then is not paid back now.
pub fn return_whole(sale: &ClosedTicket, desk: ReturnDesk) -> Result<ClosedTicket, Refusal> {
    let Some(original) = sale.receipt else {
        return Err(Refusal::EmptyBasket);
    };
    if sale.end != TicketEnd::Sale {
        return Err(Refusal::NotASale { receipt: original });
    }
    if sale.tenders.iter().any(|tender| tender.kind == TenderKind::Card) {
        return Err(Refusal::PaidByCard { receipt: original });
    }
    let mut lines = Vec::new();
    for line in sale.lines.iter().filter(|line| line.voided.is_none()) {
        let back = |amount: Money| amount.negated();
        let version = line
            .reasons
            .first()
            .map_or(PriceVersion { catalog: 0, directive: 0 }, |reason| reason.version);
        let amount = back(line.amount)?;
        lines.push(ClosedLine {
            line: lines.len() as u32 + 1,
            command_id: None,
            at: desk.at,
            quantity: Quantity(-line.quantity.0),
            amount,
            reasons: vec![PriceReason {
                reason: ReasonKind::Returned,
                amount,
                version,
                source: None,
            }],
            net: back(line.net)?,
            tax: back(line.tax)?,
            ..line.clone()
        });
    }
    let moved = |line: &ClosedLine| StockMove {
        sku: line.sku.clone(),
        delta: Quantity(-line.quantity.0),
        reason: MoveReason::Return,
    };
    let due = sale.due.negated()?;
    Ok(ClosedTicket {
        ticket: desk.ticket,
        end: TicketEnd::Return,
        receipt: None,
        original: Some(original),
        register: desk.register,
        till: desk.till,
        shift: desk.shift,
        opened_at: desk.at,
        currency: sale.currency,
        prices: sale.prices,
        taxes: sum_taxes(&lines),
        net: sale.net.negated()?,
        tax: sale.tax.negated()?,
        cash_rounding: sale.cash_rounding.negated()?,
        due,
        tenders: vec![Tender::cash(desk.command_id, desk.at, due)],
        change: Money::ZERO,
        moves: lines.iter().map(moved).collect(),
        lines,
    })
}

#[cfg(test)]
#[path = "ticket_tests.rs"]
mod tests;
