//! Lines of an open ticket: adding by code, weight, keyed price or department; what an item demands before it is sold; quantities, voids.
//!
//! Prices come from `pricing`, what a person changes about them is in `change`.

use jiff::ToSpan;
use jiff::civil::Date;

use super::find::{self, Label};
use super::pricing::Step;
use super::{BasketChanged, Counter, Decided, Draft, Event, Goods, LARGEST_QUANTITY, MOST_LINES, Open, Refusal};
use crate::barcode::{InStoreCode, looks_like_card};
use crate::catalog::{Sku, SoldBy, Track};
use crate::facts::{
    AgeCheck, AgeDecision, ClosedLine, Happened, KeyedPrice, KeyedSource, LineDetails, LineException, LineRole, SaleRefused, Voided,
    Weighed, What,
};
use crate::ids::{CommandId, ReadingId, StaffId};
use crate::money::{LARGEST_AMOUNT, Money, Quantity};
use crate::price::Asked;
use crate::time::Instant;

/// What somebody puts on the ticket.
#[derive(Clone, Debug)]
pub struct Put<'a> {
    pub code: &'a str,
    pub quantity: Quantity,
    /// Keyed in, for an item without a price of its own.
    pub price: Option<Money>,
    pub weight: Option<Reading>,
    /// The serial number, lot or tag the item demands, where the code does not hold it.
    pub capture: Option<&'a str>,
}

/// One stable reading of a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    pub id: ReadingId,
    pub gross: Quantity,
    pub tare: Quantity,
}

impl<'a> Put<'a> {
    pub fn scan(code: &'a str, quantity: Quantity) -> Self {
        Self {
            code,
            quantity,
            price: None,
            weight: None,
            capture: None,
        }
    }
}

/// A line before it has a price.
struct Found<'a> {
    item: Goods<'a>,
    quantity: Quantity,
    keyed: Option<KeyedPrice>,
    details: LineDetails,
}

/// Old enough is who was born on this day or before.
pub fn born_by(day: Date, min_age: u8) -> Date {
    day.checked_sub(i32::from(min_age).years()).unwrap_or(Date::MIN)
}

impl Open {
    /// A scan: finds the item, prices it as of the ticket's first line, taxes it.
    pub fn scan(
        &self,
        counter: &Counter<'_>,
        code: &str,
        quantity: Quantity,
        command_id: CommandId,
        at: Instant,
    ) -> Result<Decided, Refusal> {
        self.put(counter, &Put::scan(code, quantity), command_id, at)
    }

    /// Puts something on the ticket: scanned, weighed, or with a keyed price. A deposit goes along by itself.
    pub fn put(&self, counter: &Counter<'_>, put: &Put<'_>, command_id: CommandId, at: Instant) -> Result<Decided, Refusal> {
        self.may_add(counter)?;
        let found = self.look_at(counter, put, at)?;
        let line = self.next_line();
        let goods = found.draft(line, put.code, command_id, at);
        let deposit = found.item.deposit().map(|deposit| Draft {
            details: LineDetails {
                role: LineRole::Deposit,
                follows: Some(line),
                ..LineDetails::default()
            },
            ..Draft::new(line + 1, deposit, found.pieces(), command_id, at)
        });
        let step = Step::Put(goods.goods(self.prices_of(&goods)));
        let drafts: Vec<Draft<'_>> = std::iter::once(goods).chain(deposit).collect();
        if self.lines.len() + drafts.len() > MOST_LINES {
            return Err(Refusal::TooManyLines);
        }
        self.basket_changes(counter, drafts, step, BasketChanged::default())
    }

    fn look_at<'a>(&self, counter: &Counter<'a>, put: &Put<'_>, at: Instant) -> Result<Found<'a>, Refusal> {
        let (item, label) = find::read(counter.catalog, counter.rules, put.code)?;
        let keyed = keyed_price(self, counter, &item, put, &label)?;
        let weighed = match put.weight {
            Some(reading) => Some(self.weigh(&item, reading)?),
            None => None,
        };
        let quantity = match (&weighed, label.quantity) {
            (Some(weighed), _) => weighed.gross.0.checked_sub(weighed.tare.0).map(Quantity),
            (None, Some(quantity)) if put.quantity == Quantity::ONE => Some(quantity),
            _ => Some(put.quantity),
        };
        let quantity = quantity.unwrap_or_default();
        check_quantity(&item, quantity)?;
        self.old_enough(counter, &item, at)?;
        let details = LineDetails {
            weighed,
            keyed,
            ..self.capture_of(&item, quantity, &label, put.capture)?
        };
        Ok(Found {
            item,
            quantity,
            keyed,
            details,
        })
    }

    fn weigh(&self, item: &Goods<'_>, reading: Reading) -> Result<Weighed, Refusal> {
        let Reading { id, gross, tare } = reading;
        if item.sold_by() != SoldBy::Measure {
            return Err(Refusal::NotWeighed {
                name: item.name().to_owned(),
            });
        }
        if self.readings.contains(&id) {
            return Err(Refusal::ReadingUsed);
        }
        if tare.0 < 0 || tare.0 > gross.0 {
            return Err(Refusal::Tare { tare, gross });
        }
        if tare.0 == gross.0 {
            return Err(Refusal::NothingWeighed);
        }
        Ok(Weighed { reading: id, gross, tare })
    }

    /// The serial number, lot or tag the item demands.
    fn capture_of(&self, item: &Goods<'_>, quantity: Quantity, label: &Label, keyed: Option<&str>) -> Result<LineDetails, Refusal> {
        let name = || item.name().to_owned();
        let (what, text) = match item.track() {
            Track::None => ("tag", label.epc.as_deref()),
            Track::Serial => ("serial number", keyed.or(label.serial.as_deref())),
            Track::Lot => ("lot", keyed.or(label.lot.as_deref())),
            Track::Epc => ("tag", label.epc.as_deref().or(keyed)),
        };
        let Some(text) = text else {
            return match item.track() {
                Track::None => Ok(LineDetails::default()),
                _ => Err(Refusal::CaptureNeeded { name: name(), what }),
            };
        };
        let epc = matches!(item.track(), Track::None | Track::Epc);
        let readable = if epc {
            text.parse::<crate::epc::EpcId>().is_ok()
        } else {
            InStoreCode::parse(text).is_ok() && !looks_like_card(text)
        };
        if !readable {
            return Err(Refusal::Capture { what });
        }
        let own_each = item.track() != Track::Lot;
        if own_each && self.captured.contains(&(item.sku(), text.to_owned())) {
            return Err(Refusal::CapturedTwice {
                name: name(),
                what,
                text: text.to_owned(),
            });
        }
        if own_each && item.track() != Track::None && quantity != Quantity::ONE {
            return Err(Refusal::OneByOne { name: name(), what });
        }
        let text = Some(text.to_owned());
        Ok(match item.track() {
            Track::Serial => LineDetails {
                serial: text,
                epc: label.epc.clone(),
                ..LineDetails::default()
            },
            Track::Lot => LineDetails {
                lot: text,
                epc: label.epc.clone(),
                ..LineDetails::default()
            },
            Track::None | Track::Epc => LineDetails {
                epc: text,
                ..LineDetails::default()
            },
        })
    }

    /// By the shop's civil date. A refused check stands for the whole ticket.
    fn old_enough(&self, counter: &Counter<'_>, item: &Goods<'_>, at: Instant) -> Result<(), Refusal> {
        let Some(min_age) = item.min_age() else { return Ok(()) };
        let name = || item.name().to_owned();
        let checks = &self.about.age_checks;
        let refused = |check: &AgeCheck| check.decision == AgeDecision::Refused && min_age >= check.min_age;
        if checks.iter().any(refused) {
            return Err(Refusal::AgeRefused { name: name() });
        }
        if checks
            .iter()
            .any(|check| check.decision == AgeDecision::Passed && check.min_age >= min_age)
        {
            return Ok(());
        }
        Err(Refusal::AgeCheck {
            name: name(),
            min_age,
            born_by: born_by(counter.day(at), min_age),
        })
    }

    /// Records that somebody looked whether the customer is old enough for an item. A refusal is a fact of its own too.
    pub fn check_age(
        &self,
        counter: &Counter<'_>,
        code: &str,
        decision: AgeDecision,
        staff: StaffId,
        command_id: CommandId,
        at: Instant,
    ) -> Result<(Event, Option<SaleRefused>), Refusal> {
        self.may_change()?;
        let (item, _) = find::read(counter.catalog, counter.rules, code)?;
        let min_age = item.min_age().ok_or_else(|| Refusal::NoAgeLimit {
            name: item.name().to_owned(),
        })?;
        if self.about.age_checks.len() >= super::MOST_NOTES {
            return Err(Refusal::TooMany {
                what: "age checks",
                most: super::MOST_NOTES,
            });
        }
        let day = counter.day(at);
        let refused = (decision == AgeDecision::Refused).then(|| SaleRefused {
            ticket: self.opening.ticket,
            register: self.opening.register,
            sku: item.sku(),
            min_age,
            day,
        });
        let check = AgeCheck {
            command_id,
            at,
            staff,
            min_age,
            day,
            decision,
        };
        Ok((Event::AgeChecked(check), refused))
    }

    /// Sells what nothing in the catalog is known of by its department: so an unknown code never stops the queue. The code is kept for
    /// head office to look at.
    pub fn sell_by_department(
        &self,
        counter: &Counter<'_>,
        department: &Sku,
        price: Money,
        code: Option<&str>,
        command_id: CommandId,
        at: Instant,
    ) -> Result<Decided, Refusal> {
        self.may_add(counter)?;
        let item = by_sku(counter, department)?;
        let name = || item.name().to_owned();
        if !item.open_price() {
            return Err(Refusal::HasPrice { name: name() });
        }
        self.within_limits(counter, price)?;
        self.old_enough(counter, &item, at)?;
        if let Some(code) = code {
            let card = looks_like_card(code) || matches!(crate::barcode::Scanned::parse(code), Err(crate::barcode::BarcodeError::Card));
            let readable = code.len() <= 60 && code.chars().all(|letter| matches!(letter, ' '..='~'));
            if card || !readable {
                return Err(Refusal::Capture { what: "code" });
            }
        }
        let draft = Draft {
            code: code.unwrap_or(item.sku_text()).to_owned(),
            details: LineDetails {
                role: LineRole::Department,
                exception: code.map(|_| LineException::UnknownCode),
                keyed: Some(KeyedPrice {
                    source: KeyedSource::Open,
                    price,
                    reason: None,
                }),
                ..LineDetails::default()
            },
            ..Draft::new(self.next_line(), item, Quantity::ONE, command_id, at)
        };
        let step = Step::Put(draft.goods(self.prices_of(&draft)));
        self.basket_changes(counter, vec![draft], step, BasketChanged::default())
    }

    fn within_limits(&self, counter: &Counter<'_>, price: Money) -> Result<(), Refusal> {
        let (least, most) = (counter.policy.keyed_least, counter.policy.keyed_most);
        if price < least || price > most {
            return Err(Refusal::PriceLimit {
                price: self.show(price),
                least: self.show(least),
                most: self.show(most),
            });
        }
        Ok(())
    }

    /// Gives money for empties that come back, by the code on the goods they held.
    pub fn refund_bottles(
        &self,
        counter: &Counter<'_>,
        code: &str,
        quantity: Quantity,
        command_id: CommandId,
        at: Instant,
    ) -> Result<Decided, Refusal> {
        self.may_add(counter)?;
        let (item, _) = find::read(counter.catalog, counter.rules, code)?;
        let deposit = item.deposit().ok_or_else(|| Refusal::NoDeposit {
            name: item.name().to_owned(),
        })?;
        check_quantity(&deposit, quantity)?;
        let draft = Draft {
            code: code.to_owned(),
            details: LineDetails {
                role: LineRole::BottleRefund,
                ..LineDetails::default()
            },
            ..Draft::new(self.next_line(), deposit, Quantity(-quantity.0), command_id, at)
        };
        self.basket_changes(counter, vec![draft], Step::None, BasketChanged::default())
    }

    /// Another quantity of the same; a deposit that goes along changes too.
    pub fn change_quantity(
        &self,
        counter: &Counter<'_>,
        line: u32,
        quantity: Quantity,
        staff: StaffId,
        command_id: CommandId,
        at: Instant,
    ) -> Result<Decided, Refusal> {
        self.may_change_lines(counter)?;
        let found = self.changeable(line)?;
        if found.details.weighed.is_some() {
            return Err(Refusal::WeighedLine { line });
        }
        let item = by_sku(counter, &found.sku)?;
        check_quantity(&item, quantity)?;
        let own_each = matches!(item.track(), Track::Serial | Track::Epc) || found.details.epc.is_some();
        if own_each && quantity != Quantity::ONE {
            return Err(Refusal::OneByOne {
                name: item.name().to_owned(),
                what: "serial number",
            });
        }
        let bottles = found.details.role == LineRole::BottleRefund;
        let signed = if bottles { Quantity(-quantity.0) } else { quantity };
        let goods = Draft::again(found, item, signed);
        let step = if bottles {
            Step::None
        } else {
            Step::Put(goods.goods(self.prices_of(&goods)))
        };
        let mut drafts = vec![goods];
        for along in self.along_with(line) {
            drafts.push(Draft::again(along, by_sku(counter, &along.sku)?, whole_pieces(item, quantity)));
        }
        let told = BasketChanged {
            happened: Some(happened(What::QuantityChanged, Some(line), staff, command_id, at)),
            ..BasketChanged::default()
        };
        self.basket_changes(counter, drafts, step, told)
    }

    /// Leaves a line out, and the deposit that goes along with it. It stays on the ticket for the journal.
    pub fn void_line(&self, counter: &Counter<'_>, line: u32, command_id: CommandId, at: Instant) -> Result<Decided, Refusal> {
        self.may_change()?;
        let found = self.line(line)?;
        if found.voided.is_some() {
            return Err(Refusal::AlreadyVoided { line });
        }
        if let Some(goods) = found.details.follows {
            return Err(Refusal::GoesAlong { line, goods });
        }
        let voided = Voided { command_id, at };
        let mut lines: Vec<ClosedLine> = std::iter::once(found).chain(self.along_with(line)).cloned().collect();
        for gone in &mut lines {
            gone.voided = Some(voided);
        }
        let step = if super::pricing::is_priced(found) {
            self.pinned_to(counter)?;
            Step::Take(line)
        } else {
            Step::None
        };
        self.lines_change(counter, lines, step, BasketChanged::default())
    }

    /// The line with this number.
    pub fn line(&self, line: u32) -> Result<&ClosedLine, Refusal> {
        let index = (line as usize).checked_sub(1).ok_or(Refusal::NoSuchLine { line })?;
        self.lines.get(index).ok_or(Refusal::NoSuchLine { line })
    }

    /// A line that a person may still change.
    pub(super) fn changeable(&self, line: u32) -> Result<&ClosedLine, Refusal> {
        let found = self.line(line)?;
        if found.voided.is_some() {
            return Err(Refusal::AlreadyVoided { line });
        }
        if let Some(goods) = found.details.follows {
            return Err(Refusal::GoesAlong { line, goods });
        }
        match found.details.role {
            LineRole::Goods | LineRole::Department | LineRole::BottleRefund
                if found.details.returns.is_none() && found.details.without_receipt.is_none() =>
            {
                Ok(found)
            }
            _ => Err(Refusal::TakenBackLine { line }),
        }
    }

    /// The lines that go along with this one: they stand right behind it.
    fn along_with(&self, line: u32) -> impl Iterator<Item = &ClosedLine> {
        let behind = self.lines.get(line as usize..).unwrap_or_default();
        behind
            .iter()
            .take_while(move |along| along.details.follows == Some(line))
            .filter(|along| along.voided.is_none())
    }

    pub(super) fn next_line(&self) -> u32 {
        self.lines.len() as u32 + 1
    }

    /// Nothing is under way, nothing was paid, and there is room for a line.
    pub(super) fn may_add(&self, counter: &Counter<'_>) -> Result<(), Refusal> {
        self.may_change_lines(counter)?;
        if self.lines.len() >= MOST_LINES {
            return Err(Refusal::TooManyLines);
        }
        Ok(())
    }

    pub(super) fn may_change_lines(&self, counter: &Counter<'_>) -> Result<(), Refusal> {
        self.may_change()?;
        if self.closes_as.is_some() {
            return Err(Refusal::CancelAlone);
        }
        if self.about.layaway.is_some() {
            return Err(Refusal::LayawayGoodsOnly);
        }
        self.pinned_to(counter)
    }

    /// Prices and promotions stay those of the ticket's first line.
    pub(super) fn pinned_to(&self, counter: &Counter<'_>) -> Result<(), Refusal> {
        let given = counter.catalog.file().version;
        match self.opening.pinned {
            Some(pinned) if pinned.catalog != given => Err(Refusal::OtherCatalog {
                pinned: pinned.catalog,
                given,
            }),
            _ => Ok(()),
        }
    }

    /// Where the unit price of a line comes from.
    pub(super) fn prices_of(&self, draft: &Draft<'_>) -> Asked {
        match draft.details.keyed {
            None => Asked::Listed,
            Some(KeyedPrice {
                source: KeyedSource::Override,
                price,
                ..
            }) => Asked::Override(price),
            Some(KeyedPrice { price, .. }) => Asked::Open(price),
        }
    }
}

impl<'a> Found<'a> {
    fn draft(&self, line: u32, code: &str, command_id: CommandId, at: Instant) -> Draft<'a> {
        Draft {
            code: code.to_owned(),
            details: LineDetails {
                keyed: self.keyed,
                ..self.details.clone()
            },
            ..Draft::new(line, self.item, self.quantity, command_id, at)
        }
    }

    fn pieces(&self) -> Quantity {
        whole_pieces(self.item, self.quantity)
    }
}

/// One deposit a piece; goods sold by measure carry one for each begun unit.
fn whole_pieces(item: Goods<'_>, quantity: Quantity) -> Quantity {
    match item.sold_by() {
        SoldBy::Piece => quantity,
        SoldBy::Measure => Quantity((quantity.0.saturating_add(Quantity::ONE.0 - 1)) / Quantity::ONE.0 * Quantity::ONE.0),
    }
}

pub(super) fn by_sku<'a>(counter: &Counter<'a>, sku: &Sku) -> Result<Goods<'a>, Refusal> {
    counter
        .catalog
        .by_sku(sku)
        .ok_or_else(|| Refusal::UnknownCode { code: sku.to_string() })
}

pub(super) fn check_quantity(item: &Goods<'_>, quantity: Quantity) -> Result<(), Refusal> {
    if !(1..=LARGEST_QUANTITY).contains(&quantity.0) {
        return Err(Refusal::Quantity { quantity });
    }
    if item.sold_by() == SoldBy::Piece && quantity.0 % Quantity::ONE.0 != 0 {
        return Err(Refusal::NoPieces {
            name: item.name().to_owned(),
            quantity,
        });
    }
    Ok(())
}

fn keyed_price(open: &Open, counter: &Counter<'_>, item: &Goods<'_>, put: &Put<'_>, label: &Label) -> Result<Option<KeyedPrice>, Refusal> {
    let name = || item.name().to_owned();
    let keyed = |source, price| {
        Some(KeyedPrice {
            source,
            price,
            reason: None,
        })
    };
    if let Some(price) = label.price {
        if !(0..=LARGEST_AMOUNT).contains(&price.0) {
            return Err(Refusal::Amount { amount: open.show(price) });
        }
        return Ok(keyed(KeyedSource::Embedded, price));
    }
    match (item.open_price(), put.price) {
        (true, None) => Err(Refusal::PriceNeeded { name: name() }),
        (true, Some(price)) => {
            open.within_limits(counter, price)?;
            Ok(keyed(KeyedSource::Open, price))
        }
        (false, Some(_)) => Err(Refusal::HasPrice { name: name() }),
        (false, None) => Ok(None),
    }
}

pub(super) fn happened(what: What, line: Option<u32>, staff: StaffId, command_id: CommandId, at: Instant) -> Happened {
    Happened {
        command_id,
        at,
        what,
        line,
        staff: Some(staff),
        register: None,
    }
}
