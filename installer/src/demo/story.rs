//! `demo --headless`: a busy half minute in which the broker and a box are killed and a price changes, and then the books.
//!
//! Every step proves that it happened, from outside: a killed process is gone, a new broker has another name, a command was
//! said again, a line carries the new price, a receipt is on paper. What did not happen is an error, never left out of the summary.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::cashier::{Cashier, Counted, Figures, Pace, Told};
use super::counter::{FRONT, Kind};
use super::crew::{Crew, Register, hire};
use super::evidence::{self, Laws};
use super::front::{AFTERNOON, Front, Fronts, Shelf};
use super::office::broker_name;
use super::say::Voice;
use super::seed::{COMPANIES, THREAD};
use super::summary::{self, Summary};
use super::town::{Town, Who};
use super::webshop::{self, Reached};

const FIRST_SALE_WITHIN: Duration = Duration::from_secs(60);
const STEP_WITHIN: Duration = Duration::from_secs(30);
const ALL_HELD_WITHIN: Duration = Duration::from_secs(120);
/// A cashier waits as long for a box that was killed.
const PATIENCE: Duration = Duration::from_secs(60);
/// The box that is killed, and the shop in which the new price is looked for.
const BERLIN: usize = 0;
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Runs it all; the summary is printed here, and only a full success returns `Ok`.
///
/// `built` is when the programs were ready: a first sale must follow soon.
pub async fn run(town: &mut Town, length: Duration, built: Duration, voice: &mut Voice) -> Result<()> {
    let mut crew = Crew::begin(town, Pace::BUSY, PATIENCE).await?;
    let mut manager = hire(town, BERLIN, "r3", 3, PATIENCE).await?;
    let mut fronts = Fronts::open(town, PATIENCE).await?;
    until("a first sale", FIRST_SALE_WITHIN, town, &mut crew, |crew| crew.sales() > 0).await?;
    let first_sale = voice.elapsed() - built;
    ensure!(
        first_sale <= FIRST_SALE_WITHIN,
        "the first sale came only {:.0} s after the build",
        first_sale.as_secs_f64()
    );
    voice.say("the first sale is made; six registers and three counters are selling");

    let opened = Instant::now();
    sell_until(opened + length / 4, town, &mut crew).await?;
    let broker_back = kill_the_broker(town, &mut crew, voice).await?;
    sell_until(opened + length / 2, town, &mut crew).await?;
    let box_killed = kill_a_box(town, &mut crew, &mut fronts, voice).await?;
    sell_until(opened + length * 3 / 4, town, &mut crew).await?;
    let price = change_a_price(town, &mut crew, &mut manager, voice).await?;
    sell_until(opened + length, town, &mut crew).await?;

    let sold_for = opened.elapsed();
    let home = crew.end(town).await?;
    voice.say("the cashiers have gone home");
    let (mut registers, mut drawers) = count_drawers(home, manager).await?;
    let counters = close_the_counters(town, &mut fronts, &mut registers, &mut drawers, voice).await?;
    let closed = Instant::now();
    wait_until_held(town, &last_positions(town, &registers)?, ALL_HELD_WITHIN).await?;
    let held_after = closed.elapsed();
    voice.say(format!(
        "head office holds everything, {:.1} s after the last command",
        held_after.as_secs_f64()
    ));

    let reached = town.web_shop()?.wait_for_news(STEP_WITHIN).await?;
    let backlog = town.office()?.sign_in(webshop::COMPANY).await?.shopify_backlog().await?;
    voice.say("sales and stock of the clothing company have reached the stand-in for Shopify");

    evidence::prove(town).await?;
    let laws = evidence::check(town).await?;
    voice.say("the books are exported and the ten laws are checked");
    let summary = Summary {
        registers: &registers,
        first_sale,
        sold_for,
        broker_back,
        box_killed,
        price,
        drawers: &drawers,
        held_after,
        counters: &counters,
        web_shop: WebShopTold { reached, backlog },
        laws: &laws,
    };
    voice.show(&summary::table(&summary, town));
    judge(&registers, &drawers, &laws)
}

fn judge(registers: &[(Register, Figures)], drawers: &[Counted], laws: &Laws) -> Result<()> {
    if let Some((register, _)) = registers.iter().find(|(_, figures)| figures.sales == 0) {
        bail!("register {} of store {} sold nothing", register.name, register.shop + 1);
    }
    if let Some(wrong) = drawers.iter().find(|drawer| drawer.over_short != 0) {
        bail!(
            "a drawer in which {} minor units were counted is {} off",
            wrong.counted,
            wrong.over_short
        );
    }
    match laws.trouble() {
        None => Ok(()),
        Some(trouble) => bail!("the ten laws do not hold: {trouble}"),
    }
}

/// Waits until something holds. Fails as soon as a cashier has given up or a server has ended by itself.
async fn until(what: &str, within: Duration, town: &mut Town, crew: &mut Crew, mut holds: impl FnMut(&Crew) -> bool) -> Result<Duration> {
    let began = Instant::now();
    while !holds(crew) {
        if let Some((register, error)) = crew.gave_up() {
            let store = town.shops[register.shop].store.code;
            return Err(error.context(format!("register {} of {store} gave up", register.name)));
        }
        if let Some((who, status)) = town.who_ended() {
            let (name, log) = town.name_and_log(who)?;
            bail!(
                "{name} ended by itself ({status}); its last words:{}",
                super::processes::last_words(log)
            );
        }
        if began.elapsed() > within {
            bail!("waited {} s in vain for {what}", within.as_secs());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(began.elapsed())
}

async fn sell_until(moment: Instant, town: &mut Town, crew: &mut Crew) -> Result<()> {
    until("the time to pass", Duration::MAX, town, crew, |_| Instant::now() >= moment)
        .await
        .map(drop)
}

/// How long it took until head office held what every store sold after the broker's death.
async fn kill_the_broker(town: &mut Town, crew: &mut Crew, voice: &mut Voice) -> Result<Duration> {
    let before = town.office()?.kill_broker(STEP_WITHIN).await?;
    let killed = Instant::now();
    voice.say("the broker was killed with kill -9; the stores go on selling");
    let address = town.office()?.nats();
    loop {
        ensure!(killed.elapsed() < STEP_WITHIN, "head office did not start its broker again");
        match broker_name(address).await {
            Some(name) if name != before => break,
            _ => tokio::time::sleep(LOOK_AGAIN).await,
        }
    }
    let sold: Vec<u64> = figures(town, crew).iter().map(|shop| shop.sales).collect();
    // The second sale from here on was begun and ended under the new broker.
    let all_sold = |crew: &Crew| sold.iter().enumerate().all(|(shop, sold)| crew.of_shop(shop).sales >= sold + 2);
    until("sales in all stores after the broker's death", STEP_WITHIN, town, crew, all_sold).await?;
    let positions: Vec<Told> = figures(town, crew).iter().map(|shop| shop.told).collect();
    wait_until_held(town, &positions, STEP_WITHIN).await?;
    let back = killed.elapsed();
    voice.say(format!(
        "head office started a new broker and holds what was sold since, {:.1} s after the kill",
        back.as_secs_f64()
    ));
    Ok(back)
}

/// One for each store, in their order.
fn figures(town: &Town, crew: &Crew) -> Vec<Figures> {
    (0..town.shops.len()).map(|shop| crew.of_shop(shop)).collect()
}

/// A box was killed while its registers were selling.
#[derive(Clone, Copy, Debug)]
pub struct BoxKilled {
    /// Commands that were asked before and answered after, with the same id.
    pub said_again: u64,
    /// From the kill to the first sale.
    pub sold_after: Duration,
    /// From the terminal's release of the payment it held meanwhile to the receipt it paid.
    pub card_found_after: Duration,
}

/// In the middle of a card payment, and of everything else.
async fn kill_a_box(town: &mut Town, crew: &mut Crew, fronts: &mut Fronts, voice: &mut Voice) -> Result<BoxKilled> {
    let mut front = fronts.take(BERLIN).await?;
    let held = front.ask_a_card_that_is_held().await?;
    let pid = town.shops[BERLIN].pid();
    let status = town.shops[BERLIN].kill().await?;
    let killed = Instant::now();
    let before = crew.of_shop(BERLIN);
    let store = town.shops[BERLIN].store.code;
    ensure!(!status.success(), "the box of {store} was killed and ended with {status}");
    voice.say(format!(
        "the box of {store} was killed with kill -9, while its terminal held a payment"
    ));
    // It stays dead until somebody at its registers has noticed.
    let waiting = |crew: &Crew| crew.of_shop(BERLIN).is_waiting;
    until("a cashier who misses the box", STEP_WITHIN, town, crew, waiting).await?;
    town.reopen(Who::Shop(BERLIN)).await?;
    ensure!(town.shops[BERLIN].pid() != pid, "the box of {store} has its old process id");
    let sold = |crew: &Crew| {
        let now = crew.of_shop(BERLIN);
        now.sales > before.sales && now.again > before.again
    };
    until("a sale at the box that was killed", STEP_WITHIN, town, crew, sold).await?;
    let sold_after = killed.elapsed();
    let card_found_after = front.find_the_held_card(held).await?;
    fronts.send(front, AFTERNOON)?;
    let killed = BoxKilled {
        said_again: crew.of_shop(BERLIN).again - before.again,
        sold_after,
        card_found_after,
    };
    voice.say(format!(
        "the box of {store} is back and sells again after {:.1} s; commands said again with the same id: {}; the payment was found {:.1} s after \
         the terminal let go of it",
        killed.sold_after.as_secs_f64(),
        killed.said_again,
        killed.card_found_after.as_secs_f64()
    ));
    Ok(killed)
}

/// A price on its way from head office to a register.
#[derive(Clone, Debug)]
pub struct PriceSeen {
    pub item: String,
    pub old: i64,
    pub new: i64,
    /// From the order at head office until the store sold at it.
    pub after: Duration,
}

async fn change_a_price(town: &mut Town, crew: &mut Crew, manager: &mut Cashier, voice: &mut Voice) -> Result<PriceSeen> {
    let items = THREAD.items()?;
    let item = items.first().context("the clothing range is empty")?;
    let (old, _) = manager.sell_one(item.code()).await?;
    ensure!(old == item.price, "{} was sold at {old} instead of {}", item.sku, item.price);
    let new = old + 500;
    let portal = town.office()?.sign_in(&THREAD).await?;
    let ordered = Instant::now();
    portal.set_price(&item.sku, new).await?;
    while manager.price(item.code()).await? != new {
        ensure!(
            ordered.elapsed() < STEP_WITHIN,
            "the new price of {} did not reach the store",
            item.sku
        );
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    let (sold_at, receipt) = manager.sell_one(item.code()).await?;
    let after = ordered.elapsed();
    ensure!(
        sold_at == new,
        "{} was sold at {sold_at} on receipt {receipt}, not at the new price {new}",
        item.sku
    );
    until("the crew", Duration::MAX, town, crew, |_| true).await?;
    voice.say(format!(
        "head office changed the price of {}; berlin sold it at the new one {:.1} s later",
        item.sku,
        after.as_secs_f64()
    ));
    Ok(PriceSeen {
        item: item.name.clone(),
        old,
        new,
        after,
    })
}

/// The first register of each store counts and closes its shift; the others leave theirs open, as the night shift would find it.
async fn count_drawers(home: Vec<(Register, Cashier)>, mut manager: Cashier) -> Result<(Vec<(Register, Figures)>, Vec<Counted>)> {
    let mut registers = Vec::new();
    let mut drawers = Vec::new();
    for (register, mut cashier) in home {
        if register.name == "r1" {
            drawers.push(cashier.count_and_close().await?);
        }
        cashier.look_at_the_box().await?;
        registers.push((register.clone(), cashier.board.read()));
    }
    drawers.push(manager.count_and_close().await?);
    manager.look_at_the_box().await?;
    let register = Register {
        shop: BERLIN,
        name: "r3".into(),
        board: manager.board.clone(),
    };
    registers.push((register, manager.board.read()));
    Ok((registers, drawers))
}

/// What the counters did, by their own ledgers and by the cashiers who stood there.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    pub receipts: usize,
    pub by_card: usize,
    pub declined: usize,
    pub prints: usize,
    pub pulses: usize,
    pub captures: usize,
    pub shelves: Vec<Shelf>,
}

/// What Shopify knows, and how much head office still has to tell it.
#[derive(Clone, Copy, Debug)]
pub struct WebShopTold {
    pub reached: Reached,
    pub backlog: u64,
}

/// The last receipts are printed, shelves with tags are counted, drawers too. Afterwards no machine has anything to do.
async fn close_the_counters(
    town: &Town,
    fronts: &mut Fronts,
    registers: &mut Vec<(Register, Figures)>,
    drawers: &mut Vec<Counted>,
    voice: &mut Voice,
) -> Result<Counters> {
    let mut done = Counters::default();
    for (which, shop) in town.shops.iter().enumerate() {
        let mut front: Front = fronts.take(which).await?;
        let counter = &shop.counter;
        if !counter.tags.is_empty() {
            done.shelves.push(front.count_shelf(counter.tags.len()).await?);
        }
        drawers.push(front.cashier.count_and_close().await?);
        let waiting = front.cashier.waiting_machines().await?;
        ensure!(
            waiting == 0,
            "{waiting} jobs wait for the machines of {} after closing time",
            shop.store.code
        );
        front.cashier.look_at_the_box().await?;
        let board = front.cashier.board.clone();
        let figures = board.read();
        let register = Register {
            shop: which,
            name: FRONT.into(),
            board,
        };
        registers.push((register, figures));
        done.receipts += front.receipts;
        done.by_card += front.by_card;
        done.declined += front.declined;
        done.prints += counter.count(Kind::Printer, "print")?;
        done.pulses += counter.count(Kind::Printer, "pulse")?;
        done.captures += counter.count(Kind::Terminal, "capture")?;
    }
    ensure!(
        (done.prints, done.captures, done.pulses) == (done.receipts, done.by_card, done.receipts - done.by_card),
        "{} receipts were handed out and {} printed, {} customers paid by card and {} payments were captured, and the drawers opened {} times",
        done.receipts,
        done.prints,
        done.by_card,
        done.captures,
        done.pulses
    );
    voice.say(format!(
        "the counters are closed: {} receipts printed, {} payments captured, {} shelves counted",
        done.prints,
        done.captures,
        done.shelves.len()
    ));
    Ok(done)
}

/// How far each store has come, as its registers were told last.
fn last_positions(town: &Town, registers: &[(Register, Figures)]) -> Result<Vec<Told>> {
    let of_shop = |which| {
        registers
            .iter()
            .filter(move |(register, _)| register.shop == which)
            .map(|(_, figures)| figures.told)
    };
    let last = |which| of_shop(which).max_by_key(|told: &Told| (told.epoch, told.seq));
    (0..town.shops.len())
        .map(|which| last(which).context("a store without registers"))
        .collect()
}

/// Head office holds each store's entries up to a position, and has worked them in.
async fn wait_until_held(town: &Town, positions: &[Told], within: Duration) -> Result<()> {
    let mut portals = Vec::new();
    for company in COMPANIES {
        portals.push(town.office()?.sign_in(company).await?);
    }
    let began = Instant::now();
    loop {
        let mut standings = Vec::new();
        for portal in &portals {
            standings.extend(portal.stores().await?);
        }
        let mut missing = Vec::new();
        for (shop, last) in town.shops.iter().zip(positions) {
            let standing = standings.iter().find(|standing| standing.store == shop.store.code);
            let standing = standing.with_context(|| format!("head office does not list {}", shop.store.code))?;
            let holds = standing.epoch == last.epoch && standing.held >= last.seq && standing.applied >= last.seq;
            if !holds {
                missing.push(format!(
                    "{} (held {}, applied {}, sold up to {})",
                    shop.store.code, standing.held, standing.applied, last.seq
                ));
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        ensure!(
            began.elapsed() < within,
            "after {} s head office still does not hold everything of {}",
            within.as_secs(),
            missing.join(", ")
        );
        tokio::time::sleep(LOOK_AGAIN * 5).await;
    }
}
