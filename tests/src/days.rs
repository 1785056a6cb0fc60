//! Whole days of random little shops, in memory: tickets driven through the core's own state machines with every command the counter knows, in
//! every order; what is committed becomes a journal with real bytes, and the checker of the laws is given it as evidence.
//!
//! Beside it stands a second calculation of what a register shows: from the payments that were asked for, what is due in coins, the change
//! and the rounding; and of each receipt that comes back in parts, what of each line is still with the customer. Prices and taxes have a second
//! calculation of their own (`second`). No machine, file or clock is used; a seed plays the same day again.

mod back;
mod book;
mod close;
mod counter;
mod pay;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::{Result as Answer, anyhow, bail};
use backroom_core::catalog::Sku;
use backroom_core::facts::{CatalogApplied, ClosedTicket, Fact, LineRole, RegisterEnrolled, SignedIn, StockOpened, TenderKind, TicketEnd};
use backroom_core::ids::CommandId;
use backroom_core::journal::Hash;
use backroom_core::money::Quantity;
use backroom_core::stock::{MoveReason, StockMove};
use backroom_core::ticket::Mode;
use backroom_core::ticket::layaway::Layaway;

use self::back::Sold;
use self::book::Book;
use self::counter::Held;
use self::store::{Place, Store};
use crate::chance::Chance;
use crate::figure::Figure;
use crate::laws::{self, Evidence, Export, Id, Law, OpenTender, OpenTicket, Options, Verdict};

/// What went wrong, in one sentence.
pub type Broken = String;

/// The laws that a day's evidence can break.
const CHECKED: [Law; 7] = [Law::L1, Law::L2, Law::L3, Law::L4, Law::L5, Law::L6, Law::L7];

/// What must be met in enough days, or the check checks nothing.
pub const MUST_MEET: [&str; 37] = [
    "balances",
    "bottle_refunds",
    "cancellations",
    "card_refunds",
    "cards",
    "cash_moves",
    "cash_rounding_down",
    "cash_rounding_up",
    "days",
    "exchanges",
    "exemptions",
    "foreign_cash",
    "given_up",
    "late_cards_reversed",
    "late_cards_taken",
    "layaways",
    "layaways_given_up",
    "layaways_picked_up",
    "over_returns_refused",
    "part_returns",
    "quotations",
    "receipts_wholly_back",
    "registers_fallen",
    "returns",
    "said_twice",
    "splits",
    "suspended",
    "tickets",
    "tips",
    "training",
    "transfers",
    "unknown_cards",
    "voided_tenders",
    "vouchers",
    "whole_returns",
    "without_receipt",
    "zs",
];

/// So many tickets in each shop; enough for receipts to come back in parts.
const TICKETS: u64 = 40;

#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Tickets in all.
    pub tickets: u64,
    /// The first seed; each shop has one of its own.
    pub first: u64,
}

/// Plays the seeds on all cores. The first thing that does not hold ends it, and is told with its seed.
pub fn check(plan: &Plan) -> Answer<Vec<Figure>> {
    let next = AtomicU64::new(0);
    let shops = plan.tickets.div_ceil(TICKETS);
    let all = Mutex::new((Met::new(), BTreeMap::<Law, u64>::new()));
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let worker = || -> Answer<()> {
            loop {
                let shop = next.fetch_add(1, Ordering::Relaxed);
                if shop >= shops {
                    return Ok(());
                }
                let seed = plan.first + shop;
                let tickets = TICKETS.min(plan.tickets - shop * TICKETS);
                let outcome = match play(seed, tickets) {
                    Ok(outcome) => outcome,
                    Err(why) => {
                        // The others need not go on.
                        next.store(shops, Ordering::Relaxed);
                        bail!("shop {seed}: {why}\nplay it again: measure laws --shop {seed}");
                    }
                };
                let Ok(mut all) = all.lock() else { bail!("a worker panicked") };
                outcome
                    .met
                    .into_iter()
                    .for_each(|(what, times)| *all.0.entry(what).or_default() += times);
                let looked = outcome.checked.into_iter();
                looked.for_each(|(law, times)| *all.1.entry(law).or_default() += times);
            }
        };
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        for one in running {
            one.join().map_err(|_| anyhow!("a worker panicked"))??;
        }
        anyhow::Ok(())
    })?;
    let (met, checked) = all.into_inner().map_err(|_| anyhow!("a worker panicked"))?;
    let mut figures = vec![
        Figure::exactly("days.differences", 0.0, "tickets", 0.0),
        Figure::raw("days.shops", shops as f64, "shops"),
    ];
    // Nothing met is nothing checked.
    let counted = |name: &str, times: u64, unit| Figure {
        goal: Some("> 0".to_owned()),
        ok: Some(times > 0),
        ..Figure::raw(name, times as f64, unit)
    };
    for what in MUST_MEET {
        figures.push(counted(
            &format!("days.{what}"),
            met.get(what).copied().unwrap_or_default(),
            "times",
        ));
    }
    for (law, times) in checked {
        figures.push(counted(&format!("days.checked_{law}").to_lowercase(), times, "places"));
    }
    Ok(figures)
}

/// Plays one shop twice: what it comes to, and whether it came to the same.
pub fn replay(seed: u64) -> Answer<Vec<Figure>> {
    let (first, second) = (play(seed, TICKETS), play(seed, TICKETS));
    let said = |outcome: &std::result::Result<Outcome, Broken>| match outcome {
        Ok(outcome) => format!("{:?} {:?}", outcome.met, outcome.checked),
        Err(why) => why.clone(),
    };
    if said(&first) != said(&second) {
        bail!("shop {seed} does not play the same twice:\n{}\n{}", said(&first), said(&second));
    }
    let outcome = first.map_err(|why| anyhow!("shop {seed}: {why}"))?;
    let met = outcome.met.into_iter();
    Ok(met
        .map(|(what, times)| Figure::raw(&format!("days.{what}"), times as f64, "times"))
        .collect())
}

/// What happened, by name.
pub type Met = BTreeMap<&'static str, u64>;

/// A day or two in one shop.
pub struct Shop<'a> {
    store: &'a Store,
    book: Book,
    chance: Chance,
    met: Met,
    sold: Vec<Sold>,
    resting: Vec<Held>,
    layaways: Vec<Layaway>,
}

/// What one seed came to.
pub struct Outcome {
    pub met: Met,
    /// How much each law looked at.
    pub checked: BTreeMap<Law, u64>,
}

/// Plays the shop of a seed with so many tickets, and checks it.
pub fn play(seed: u64, tickets: u64) -> Result<Outcome, Broken> {
    let mut chance = Chance::seeded(seed).branch(7);
    let store = Store::random(&mut chance)?;
    let mut shop = Shop::open(&store, seed, chance)?;
    shop.trade(tickets)?;
    shop.check(seed)
}

impl<'a> Shop<'a> {
    fn open(store: &'a Store, seed: u64, chance: Chance) -> Result<Shop<'a>, Broken> {
        let mut book = Book::new(seed, store.calendar.clone())?;
        book.open_epoch(store.currency);
        book.by_the_box(Fact::CatalogApplied(CatalogApplied {
            version: store.catalog.version(),
            hash: Hash::ZERO,
            items: store.catalog.len() as u64,
        }));
        let held = |sku: Sku| StockMove::new(sku, Quantity(50_000), MoveReason::Opening);
        let moves: Vec<StockMove> = store.skus().map(held).collect();
        book.stock = moves.iter().map(|moved| (moved.sku.to_string(), moved.delta.0)).collect();
        book.by_the_box(Fact::StockOpened(StockOpened { moves }));
        let mut shop = Shop {
            store,
            book,
            chance,
            met: Met::new(),
            sold: Vec::new(),
            resting: Vec::new(),
            layaways: Vec::new(),
        };
        for place in store.places.clone() {
            let (register, till) = (place.register, place.till);
            let id = shop.book.asked("enroll");
            shop.fact(place, "enroll", id, Fact::RegisterEnrolled(RegisterEnrolled { register, till }))?;
            let id = shop.book.asked("sign_in");
            let signed = SignedIn {
                register,
                staff: place.staff,
                session: 1,
            };
            shop.fact(place, "sign_in", id, Fact::SignedIn(signed))?;
        }
        if let Some(place) = store.places.first() {
            shop.declare_safe(*place)?;
        }
        Ok(shop)
    }

    fn met(&mut self, what: &'static str) {
        *self.met.entry(what).or_default() += 1;
    }

    /// Two business days with so many tickets in all; the second begins with what the first left.
    fn trade(&mut self, tickets: u64) -> Result<(), Broken> {
        for day in 0..2 {
            for place in self.store.places.clone() {
                self.open_shift(place)?;
            }
            let until = if day == 0 { tickets / 2 } else { tickets };
            for _ in 0..tickets * 4 {
                if self.tickets() >= until {
                    break;
                }
                self.something()?;
            }
            self.close_day()?;
            self.book.later(24 * 3600)?;
        }
        Ok(())
    }

    fn tickets(&self) -> u64 {
        self.met.get("tickets").copied().unwrap_or_default()
    }

    fn place(&mut self) -> Result<Place, Broken> {
        self.chance
            .pick(&self.store.places)
            .copied()
            .ok_or_else(|| "a shop without a register".to_owned())
    }

    fn something(&mut self) -> Result<(), Broken> {
        let place = self.place()?;
        match self.chance.below(100) {
            0..=37 => self.sell(place),
            38..=55 => self.return_parts(place),
            56..=63 => self.exchange(place),
            64..=69 => self.cancel_sale(place),
            70..=72 => self.without_receipt(place),
            73..=82 => self.layaway(place),
            83..=84 => self.practise(place),
            85..=86 => self.offer(place),
            87..=88 => self.walk_away(place),
            89..=92 => self.resume(place),
            93..=95 => self.move_cash(place),
            96..=97 => self.transfer(place),
            98 => self.x(place),
            _ => self.hand_over(place),
        }
    }

    fn sell(&mut self, place: Place) -> Result<(), Broken> {
        let mut held = self.begin(place, Mode::Selling)?;
        self.fill(&mut held)?;
        if self.chance.percent(12) && self.suspend(&mut held)? {
            self.resting.push(held);
            return Ok(());
        }
        if self.chance.percent(5) {
            // Its register fell silent; another one goes on.
            let other = self.place()?;
            self.go_on(&mut held, other, true)?;
        }
        self.pay(&mut held).map(drop)
    }

    fn resume(&mut self, place: Place) -> Result<(), Broken> {
        if self.resting.is_empty() {
            return self.sell(place);
        }
        let at = self.chance.below(self.resting.len() as u64) as usize;
        let mut held = self.resting.swap_remove(at);
        if !self.go_on(&mut held, place, false)? {
            return Err("a suspended ticket can not be resumed".to_owned());
        }
        self.fill(&mut held)?;
        if self.chance.percent(15) {
            return match self.give_up(&mut held)? {
                true => Ok(()),
                false => self.pay(&mut held).map(drop),
            };
        }
        self.pay(&mut held).map(drop)
    }

    /// The customer leaves, perhaps after some money was taken.
    fn walk_away(&mut self, place: Place) -> Result<(), Broken> {
        let mut held = self.begin(place, Mode::Selling)?;
        self.fill(&mut held)?;
        if self.chance.percent(60) {
            self.pay_some(&mut held)?;
        }
        self.give_up(&mut held).map(drop)
    }

    fn practise(&mut self, place: Place) -> Result<(), Broken> {
        let mut held = self.begin(place, Mode::Training)?;
        self.fill(&mut held)?;
        self.pay(&mut held).map(drop)
    }

    fn offer(&mut self, place: Place) -> Result<(), Broken> {
        let mut held = self.begin(place, Mode::Selling)?;
        self.fill(&mut held)?;
        let doing = self.doing(&held, "quote")?;
        let until = self.store.calendar.civil_date(self.book.now);
        match held.open.quote(&self.store.counter(), until) {
            Err(refusal) => {
                self.refuse(doing.command_id, "quote", &refusal)?;
                self.pay(&mut held).map(drop)
            }
            Ok(closed) => self.close(&mut held, closed, Some(doing.command_id), "quote").map(drop),
        }
    }

    /// Puts a ticket that ended into the journal, after looking at it with the second calculation.
    fn close(
        &mut self,
        held: &mut Held,
        closed: ClosedTicket,
        command: Option<CommandId>,
        call: &'static str,
    ) -> Result<ClosedTicket, Broken> {
        let shift = self.shift(held.place)?;
        let closed = ClosedTicket { shift, ..closed };
        if !matches!(closed.end, TicketEnd::Cancelled | TicketEnd::Quotation) {
            self.second(held, &closed)?;
        }
        let by = Self::by_place(held.place, command);
        let Fact::TicketClosed(closed) = self.book.commit(Fact::TicketClosed(Box::new(closed)), by)? else {
            return Err("a ticket was committed and something else came back".to_owned());
        };
        if let Some(id) = command {
            self.book.acked_close(id, call, &closed);
        }
        if backroom_core::day::fault_of(&closed).is_some() {
            return Err(format!("the close of the day would set {:?} aside", closed.receipt));
        }
        self.count_ticket(&closed);
        if closed.end.counts() {
            self.came_back(held, &closed)?;
            for line in closed.lines.iter().filter(|line| line.voided.is_none()) {
                if matches!(line.details.role, LineRole::Goods | LineRole::Deposit | LineRole::BottleRefund) {
                    *self.book.stock.entry(line.sku.to_string()).or_default() -= line.quantity.0;
                }
            }
            for sold in &mut self.sold {
                sold.given
                    .add(&closed)
                    .map_err(|why| format!("what came back does not add up: {why}"))?;
            }
            for layaway in &mut self.layaways {
                layaway
                    .add(&closed)
                    .map_err(|why| format!("what was paid does not add up: {why}"))?;
            }
        }
        if let (TicketEnd::Sale | TicketEnd::Exchange, Some(receipt)) = (closed.end, closed.receipt) {
            self.sold.push(Sold::new(closed.as_ref().clone(), receipt));
        }
        Ok(*closed)
    }

    fn count_ticket(&mut self, closed: &ClosedTicket) {
        self.met("tickets");
        match closed.end {
            TicketEnd::Exchange => self.met("exchanges"),
            TicketEnd::Cancellation => self.met("cancellations"),
            TicketEnd::Training => self.met("training"),
            TicketEnd::Quotation => self.met("quotations"),
            TicketEnd::Sale | TicketEnd::Return | TicketEnd::Cancelled => {}
        }
        if closed.tenders.len() > 1 {
            self.met("splits");
        }
        match closed.cash_rounding.0 {
            0 => {}
            more if more > 0 => self.met("cash_rounding_up"),
            _ => self.met("cash_rounding_down"),
        }
    }

    /// What is due, the change and the rounding, from what the register asked for.
    fn second(&self, held: &Held, closed: &ClosedTicket) -> Result<(), Broken> {
        let live = closed.lines.iter().filter(|line| line.voided.is_none());
        let total: i64 = live.map(|line| line.net.0 + line.tax.0).sum();
        let mut told: Vec<(CommandId, i64, i64)> = closed
            .tenders
            .iter()
            .map(|tender| (tender.command_id, tender.amount.0, tender.details.tip.0))
            .collect();
        let mut paid: Vec<(CommandId, i64, i64)> = held.paid.iter().map(|paid| (paid.id, paid.amount, paid.tip)).collect();
        told.sort();
        paid.sort();
        if told != paid {
            return Err(format!("the register took {paid:?}, the ticket holds {told:?}"));
        }
        let given: i64 = held.paid.iter().map(|paid| paid.amount - paid.tip).sum();
        let elsewhere = held.paid.iter().filter(|paid| paid.kind != TenderKind::Cash);
        let exact: i64 = elsewhere.map(|paid| paid.amount - paid.tip).sum();
        let coins = match total - exact {
            0 => 0,
            rest if held.whole.is_some() => rest - self.carry(held),
            rest => to_coins(rest - self.carry(held), self.store.step),
        };
        let due = exact + coins;
        let second = (due, due - total, given - due);
        let first = (closed.due.0, closed.cash_rounding.0, closed.change.0);
        if first != second {
            return Err(format!(
                "due, rounding and change are {first:?} on ticket {}, {second:?} when calculated again from {total} and {paid:?}",
                closed.ticket
            ));
        }
        Ok(())
    }

    /// Rounding of a receipt that comes back and nothing beside it.
    fn carry(&self, held: &Held) -> i64 {
        let Some(receipt) = held.whole.as_ref().or(held.back.first().map(|(receipt, ..)| receipt)) else {
            return 0;
        };
        if held.others || held.back.iter().any(|(other, ..)| other != receipt) {
            return 0;
        }
        let sold = self.sold.iter().find(|sold| sold.sale.receipt == Some(*receipt));
        sold.map_or(0, |sold| sold.carry)
    }

    fn open_tickets(&self) -> Vec<OpenTicket> {
        let ticket = |held: &Held| OpenTicket {
            ticket: Id(held.open.opening.ticket.to_bytes()),
            command_ids: held.commands.iter().map(|id| Id(id.to_bytes())).collect(),
            tenders: held
                .paid
                .iter()
                .map(|paid| OpenTender {
                    command_id: Id(paid.id.to_bytes()),
                })
                .collect(),
        };
        self.resting.iter().map(ticket).collect()
    }

    fn evidence(&self) -> Result<Evidence, Broken> {
        self.book.evidence(&self.open_tickets())
    }

    /// The checker's word about it. Of some seeds the journal is also read back from the lines of an export.
    fn check(&self, seed: u64) -> Result<Outcome, Broken> {
        let mut evidence = self.evidence()?;
        if seed.is_multiple_of(32)
            && let Some(store) = evidence.stores.first_mut()
        {
            let lines = self.book.lines()?;
            store.export = Export::read(lines.as_bytes(), "the shop".to_owned()).map_err(|why| format!("{why:#}"))?;
        }
        judge(&evidence).map(|checked| Outcome {
            met: self.met.clone(),
            checked,
        })
    }
}

/// What each law looked at; the first violation where there is one.
fn judge(evidence: &Evidence) -> Result<BTreeMap<Law, u64>, Broken> {
    let report = laws::check(evidence, Options::default());
    if let Some(violation) = report.violations().next() {
        return Err(violation.to_string());
    }
    let mut checked = BTreeMap::new();
    for law in CHECKED {
        match report.verdict(law) {
            Verdict::Holds { checked: looked } => drop(checked.insert(law, *looked)),
            other => return Err(format!("{law} had nothing to check: {other:?}")),
        }
    }
    Ok(checked)
}

/// To the nearest coin, a half away from nothing.
fn to_coins(amount: i64, step: i64) -> i64 {
    let coins = (amount.abs() * 2 + step) / (2 * step);
    amount.signum() * coins * step
}
