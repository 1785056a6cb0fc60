//! Between the ticket and the rooms that know prices and taxes: what a change of the basket comes to, worked out once and kept in the
//! event.
//!
//! The price engine and the running taxes of a ticket are kept ready beside it, so that the two hundredth scan costs what the first did. They
//! are never the truth: after a replay they are built again from the ticket's lines and the catalog it was begun with.

use std::collections::BTreeMap;

use super::{BasketChanged, Counter, Event, Goods, Open, Refusal, Repriced, Terms};
use crate::catalog::PriceVersion;
use crate::facts::{ClosedLine, LineDetails, LineRole, PriceReason, ReasonKind};
use crate::ids::CommandId;
use crate::money::{Money, Quantity};
use crate::price::{self, Asked, Engine, Plan, PricedLine};
use crate::tax::{self, LineTax, Running, Taxable};
use crate::time::Instant;

/// What was worked out so far. All desks are equal: they say nothing that the ticket does not.
#[derive(Clone, Debug, Default)]
pub(super) struct Desk {
    engine: Option<Box<Engine>>,
    running: Option<Box<Running>>,
}

impl PartialEq for Desk {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Desk {}

/// What would happen: the event to write down, and what was worked out on the way.
#[derive(Clone, Debug)]
pub struct Decided {
    pub event: Event,
    priced: Priced,
    running: Option<Box<Running>>,
}

impl Decided {
    /// The desk after this event, from the one it was decided at.
    pub(super) fn desk_after(&self, before: Desk) -> Desk {
        let engine = match (&self.priced, before.engine) {
            (Priced::Same, engine) => engine,
            (Priced::Plan(plan), Some(mut engine)) => {
                engine.apply(plan.clone());
                Some(engine)
            }
            (Priced::Plan(_), None) => None,
            (Priced::Anew(engine), _) => Some(engine.clone()),
        };
        Desk {
            engine,
            running: self.running.clone(),
        }
    }
}

/// What became of the engine.
#[derive(Clone, Debug)]
enum Priced {
    Same,
    Plan(Plan),
    Anew(Box<Engine>),
}

/// What the price engine is asked.
pub(super) enum Step {
    None,
    Put(price::Goods),
    Take(u32),
    Discount(Option<price::Discount>),
    /// Customer or coupons became others.
    Terms,
}

/// A line before it has a price.
#[derive(Clone, Debug)]
pub(super) struct Draft<'a> {
    pub line: u32,
    pub item: Goods<'a>,
    pub quantity: Quantity,
    pub code: String,
    pub command_id: Option<CommandId>,
    pub at: Instant,
    pub details: LineDetails,
}

impl<'a> Draft<'a> {
    pub fn new(line: u32, item: Goods<'a>, quantity: Quantity, command_id: CommandId, at: Instant) -> Self {
        Self {
            line,
            item,
            quantity,
            code: item.sku_text().to_owned(),
            command_id: Some(command_id),
            at,
            details: LineDetails::default(),
        }
    }

    /// A line that is there, to be priced again.
    pub fn again(line: &ClosedLine, item: Goods<'a>, quantity: Quantity) -> Self {
        Self {
            line: line.line,
            item,
            quantity,
            code: line.code.clone(),
            command_id: line.command_id,
            at: line.at,
            details: line.details.clone(),
        }
    }

    pub fn goods(&self, price: Asked) -> price::Goods {
        goods(self.line, self.item.sku(), self.quantity, price, &self.details)
    }

    fn closed(self) -> ClosedLine {
        let class = self.item.tax_class();
        ClosedLine {
            line: self.line,
            command_id: self.command_id,
            at: self.at,
            sku: self.item.sku(),
            name: self.item.name().to_owned(),
            code: self.code,
            quantity: self.quantity,
            unit_price: Money::ZERO,
            amount: Money::ZERO,
            reasons: Vec::new(),
            tax_class: class.code.clone(),
            rate: class.rate,
            net: Money::ZERO,
            tax: Money::ZERO,
            taxes: Vec::new(),
            voided: None,
            details: self.details,
        }
    }
}

fn goods(line: u32, sku: crate::catalog::Sku, quantity: Quantity, price: Asked, details: &LineDetails) -> price::Goods {
    let reason = details
        .discount
        .map(|given| given.reason)
        .or(details.keyed.and_then(|keyed| keyed.reason));
    price::Goods {
        line,
        sku,
        quantity,
        price,
        discount: details.discount.map(|given| given.discount),
        reason: reason.map(|reason| reason.to_string()),
    }
}

/// Whether the price engine prices this line. What comes back from a receipt, deposits, fees and prepayments have the price they have.
pub(super) fn is_priced(line: &ClosedLine) -> bool {
    let sold = matches!(line.details.role, LineRole::Goods | LineRole::Department);
    let fixed = line.details.returns.is_some() || line.details.without_receipt.is_some() || line.details.layaway.is_some();
    sold && !fixed
}

/// Whether this line's tax is what it was when it was sold.
pub(super) fn brings_its_tax(line: &ClosedLine) -> bool {
    line.details.returns.is_some() || (line.details.role == LineRole::Prepayment && line.quantity.0 < 0)
}

impl Open {
    /// Lines that are new or get another quantity or price, and all that follows from it.
    pub(super) fn basket_changes(
        &self,
        counter: &Counter<'_>,
        drafts: Vec<Draft<'_>>,
        step: Step,
        told: BasketChanged,
    ) -> Result<Decided, Refusal> {
        let mut lines = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let item = draft.item;
            let mut line = draft.closed();
            if !is_priced(&line) {
                self.price_fixed(counter, item, &mut line)?;
            }
            lines.push(line);
        }
        self.lines_change(counter, lines, step, told)
    }

    /// A deposit costs what the list says, whatever else is in the basket.
    fn price_fixed(&self, counter: &Counter<'_>, item: Goods<'_>, line: &mut ClosedLine) -> Result<(), Refusal> {
        let (unit_price, version) = counter.catalog.price(item, self.opening.opened_at);
        line.unit_price = unit_price;
        line.amount = unit_price.times(line.quantity)?;
        line.reasons = vec![PriceReason {
            reason: ReasonKind::ListPrice,
            amount: line.amount,
            version,
            source: None,
        }];
        Ok(())
    }

    /// Asks prices and taxes what these lines come to with all others. Lines the engine does not price bring their amount.
    pub(super) fn lines_change(
        &self,
        counter: &Counter<'_>,
        mut lines: Vec<ClosedLine>,
        step: Step,
        mut told: BasketChanged,
    ) -> Result<Decided, Refusal> {
        let terms = told.terms.as_deref();
        let (priced, changed) = self.ask_prices(counter, step, terms)?;
        let mut repriced = Vec::new();
        for price in changed {
            match lines.iter_mut().find(|line| line.line == price.line) {
                Some(line) => set_price(line, price),
                None => repriced.push(self.reprice(price)?),
            }
        }
        let running = self.retax(counter, terms, &mut lines, &mut repriced)?;
        let totals = running.totals().map_err(taxes)?;
        let net_before = self.net;
        (told.net, told.tax) = (totals.net, totals.tax);
        totals.to_pay()?;
        let event = match lines.as_slice() {
            [only] if is_plain(&told) && repriced.is_empty() && only.voided.is_none() && adds_up(self, only, net_before, &totals) => {
                Event::LineAdded(Box::new(lines.remove(0)))
            }
            _ => Event::BasketChanged(Box::new(BasketChanged { lines, repriced, ..told })),
        };
        Ok(Decided {
            event,
            priced,
            running: Some(Box::new(running)),
        })
    }

    fn reprice(&self, price: PricedLine) -> Result<Repriced, Refusal> {
        self.line(price.line)?;
        Ok(Repriced {
            line: price.line,
            unit_price: price.unit_price,
            amount: price.amount,
            reasons: price.reasons,
            net: Money::ZERO,
            tax: Money::ZERO,
            taxes: Vec::new(),
        })
    }

    fn price_circumstances(&self, counter: &Counter<'_>, terms: Option<&Terms>) -> price::Circumstances {
        let (groups, coupons) = match terms {
            Some(terms) => (&terms.groups, &terms.coupons),
            None => (&self.about.groups, &self.about.coupons),
        };
        let mut circumstances = price::Circumstances::new(self.opening.opened_at, counter.calendar, counter.store);
        circumstances.groups = groups.iter().cloned().collect();
        circumstances.coupons = coupons.iter().cloned().collect();
        circumstances
    }

    fn ask_prices(&self, counter: &Counter<'_>, step: Step, terms: Option<&Terms>) -> Result<(Priced, Vec<PricedLine>), Refusal> {
        if matches!(step, Step::None) {
            return Ok((Priced::Same, Vec::new()));
        }
        let built;
        let (engine, is_new) = match &self.desk.engine {
            Some(engine) => (engine.as_ref(), false),
            None => {
                built = self.engine(counter)?;
                (&built, true)
            }
        };
        let plan = match step {
            Step::None => return Ok((Priced::Same, Vec::new())),
            Step::Put(goods) => engine.plan_put(counter.catalog, goods)?,
            Step::Take(line) => engine.plan_take(line)?,
            Step::Discount(discount) => engine.plan_discount(discount)?,
            Step::Terms => engine.plan_circumstances(counter.catalog, self.price_circumstances(counter, terms))?,
        };
        let lines = plan.lines.clone();
        if !is_new {
            return Ok((Priced::Plan(plan), lines));
        }
        let mut engine = Box::new(engine.clone());
        engine.apply(plan);
        Ok((Priced::Anew(engine), lines))
    }

    /// The basket as the engine sees it, from the lines as they stand.
    fn engine(&self, counter: &Counter<'_>) -> Result<Engine, Refusal> {
        let priced = self.lines.iter().filter(|line| line.voided.is_none() && is_priced(line));
        let basket = priced.map(|line| {
            let asked = match line.details.keyed {
                None => Asked::Listed,
                Some(keyed) if keyed.source == crate::facts::KeyedSource::Override => Asked::Override(keyed.price),
                Some(keyed) => Asked::Open(keyed.price),
            };
            goods(line.line, line.sku.clone(), line.quantity, asked, &line.details)
        });
        let discount = self.about.discount.map(|given| given.discount);
        let circumstances = self.price_circumstances(counter, None);
        Ok(Engine::rebuild(counter.catalog, circumstances, basket, discount)?)
    }

    /// What holds for the taxes of this ticket: the day on which it is settled.
    fn tax_circumstances(&self, counter: &Counter<'_>, terms: Option<&Terms>) -> tax::Circumstances {
        let first = counter.day(self.opening.opened_at);
        let (day, exemption) = match terms {
            Some(terms) => (terms.tax_day, &terms.exemption),
            None => (self.about.tax_day, &self.about.exemption),
        };
        tax::Circumstances {
            day: day.unwrap_or(first),
            exemption: exemption.clone(),
        }
    }

    /// Taxes the lines that changed, and what the whole ticket comes to.
    fn retax(
        &self,
        counter: &Counter<'_>,
        terms: Option<&Terms>,
        lines: &mut [ClosedLine],
        repriced: &mut Vec<Repriced>,
    ) -> Result<Running, Refusal> {
        let circumstances = self.tax_circumstances(counter, terms);
        let ready = self
            .desk
            .running
            .as_deref()
            .filter(|running| *running.circumstances() == circumstances);
        let anew = terms.is_some_and(|terms| terms.tax_day != self.about.tax_day || terms.exemption != self.about.exemption);
        if anew {
            self.reprice_all(lines, repriced);
        }
        let mut running = match ready {
            Some(running) => running.clone(),
            None => self.running(counter, &circumstances, anew, lines, repriced)?,
        };
        for line in lines.iter_mut() {
            if !anew && let Ok(before) = self.line(line.line) {
                take(&mut running, before)?;
            }
            if line.voided.is_none() {
                add(&mut running, line, self.opening.prices)?;
            }
            let taxed = tax_of(counter, &circumstances, line, self.opening.prices)?;
            set_tax(line, taxed);
        }
        for price in repriced.iter_mut() {
            let before = self.line(price.line)?;
            if !anew {
                take(&mut running, before)?;
            }
            let line = ClosedLine {
                unit_price: price.unit_price,
                amount: price.amount,
                ..before.clone()
            };
            add(&mut running, &line, self.opening.prices)?;
            let taxed = tax_of(counter, &circumstances, &line, self.opening.prices)?;
            (price.net, price.tax, price.taxes) = (taxed.net, taxed.tax, taxed.recorded(&line.tax_class));
        }
        Ok(running)
    }

    /// Every line that counts gets its taxes anew.
    fn reprice_all(&self, lines: &[ClosedLine], repriced: &mut Vec<Repriced>) {
        let mut known: BTreeMap<u32, Repriced> = repriced.drain(..).map(|price| (price.line, price)).collect();
        for line in self.lines.iter().filter(|line| line.voided.is_none() && !brings_its_tax(line)) {
            if lines.iter().any(|changed| changed.line == line.line) {
                continue;
            }
            known.entry(line.line).or_insert_with(|| Repriced {
                line: line.line,
                unit_price: line.unit_price,
                amount: line.amount,
                reasons: line.reasons.clone(),
                net: line.net,
                tax: line.tax,
                taxes: line.taxes.clone(),
            });
        }
        repriced.extend(known.into_values());
    }

    /// The taxes of the lines as they stand; without those that get theirs anew.
    fn running(
        &self,
        counter: &Counter<'_>,
        circumstances: &tax::Circumstances,
        anew: bool,
        lines: &[ClosedLine],
        repriced: &[Repriced],
    ) -> Result<Running, Refusal> {
        let mut running = Running::new(counter.taxes.clone(), circumstances.clone()).map_err(taxes)?;
        let again =
            |number: u32| anew && (lines.iter().any(|line| line.line == number) || repriced.iter().any(|price| price.line == number));
        for line in self.lines.iter().filter(|line| line.voided.is_none() && !again(line.line)) {
            add(&mut running, line, self.opening.prices)?;
        }
        Ok(running)
    }
}

/// Nothing but a new line happened.
fn is_plain(told: &BasketChanged) -> bool {
    told.happened.is_none() && told.approval.is_none() && told.terms.is_none() && told.back.is_none()
}

/// Whether the ticket's sums grow by just this line's; they do not where taxes are rounded over the whole document.
fn adds_up(open: &Open, line: &ClosedLine, net: Money, totals: &tax::Totals) -> bool {
    let next = line.line == open.next_line();
    next && net.checked_add(line.net) == Ok(totals.net) && open.tax.checked_add(line.tax) == Ok(totals.tax)
}

fn set_price(line: &mut ClosedLine, price: PricedLine) {
    line.unit_price = price.unit_price;
    line.amount = price.amount;
    line.reasons = price.reasons;
}

fn set_tax(line: &mut ClosedLine, taxed: LineTax) {
    line.rate = taxed.rate;
    line.net = taxed.net;
    line.tax = taxed.tax;
    line.taxes = taxed.recorded(&line.tax_class);
}

pub(super) fn given_tax(line: &ClosedLine, prices: tax::PriceMode) -> Result<Option<LineTax>, Refusal> {
    Ok(if brings_its_tax(line) { Some(line.line_tax(prices)?) } else { None })
}

pub(super) fn taxable<'a>(line: &'a ClosedLine, given: Option<&'a LineTax>) -> Taxable<'a> {
    Taxable {
        class: &line.tax_class,
        amount: line.amount,
        unit_price: line.unit_price,
        given,
    }
}

fn add(running: &mut Running, line: &ClosedLine, prices: tax::PriceMode) -> Result<(), Refusal> {
    let given = given_tax(line, prices)?;
    running.add(&taxable(line, given.as_ref())).map_err(taxes)
}

fn take(running: &mut Running, line: &ClosedLine) -> Result<(), Refusal> {
    if line.voided.is_some() {
        return Ok(());
    }
    let given = given_tax(line, running.rules().mode())?;
    running.remove(&taxable(line, given.as_ref())).map_err(taxes)
}

/// What one line bears by itself, for screens; where taxes are rounded over the document its share is told at settlement.
fn tax_of(
    counter: &Counter<'_>,
    circumstances: &tax::Circumstances,
    line: &ClosedLine,
    prices: tax::PriceMode,
) -> Result<LineTax, Refusal> {
    if brings_its_tax(line) {
        return Ok(line.line_tax(prices)?);
    }
    let document = tax::document(&[taxable(line, None)], counter.taxes, circumstances).map_err(taxes)?;
    document.lines.into_iter().next().ok_or(Refusal::Tax(tax::TaxError::NotThere))
}

pub(super) fn taxes(error: tax::TaxError) -> Refusal {
    Refusal::Tax(error)
}

/// What a line was priced by, for lines that repeat another's reasons.
pub(super) fn version_of(line: &ClosedLine) -> PriceVersion {
    let none = PriceVersion { catalog: 0, directive: 0 };
    line.reasons.first().map_or(none, |reason| reason.version)
}
