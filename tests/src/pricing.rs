//! `measure pricing`: what a scan costs in a long basket and with many promotions, how fast an item is found among a million, and how
//! much room one takes.
//!
//! Asks the rules directly, in this process: what is measured here is no wire and no disk. Memory is what the kernel says this process
//! holds, before and after.

use std::hint::black_box;
use std::time::Instant as Clock;

use anyhow::{Context, Result, bail};
use backroom_core::barcode::Gtin;
use backroom_core::catalog::{Catalog, CatalogFile, FileItem, Sku};
use backroom_core::money::{Money, Quantity};
use backroom_core::price::{Circumstances, Engine, Goods, Promotion};
use backroom_core::tax::PriceMode;
use backroom_core::time::{Calendar, Instant};
use serde_json::{Value, json};

use crate::chance::Chance;
use crate::figure::Figure;
use crate::latency::median;

/// How `measure pricing` is asked for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Items in the large catalog.
    pub items: u32,
    /// How often each basket is filled.
    pub baskets: usize,
    pub seed: u64,
}

impl Plan {
    pub fn quick(seed: u64) -> Self {
        Self {
            items: 100_000,
            baskets: 40,
            seed,
        }
    }

    pub fn full(seed: u64) -> Self {
        Self {
            items: 1_000_000,
            baskets: 400,
            seed,
        }
    }
}

const LINES: usize = 200;
/// A supermarket's range, where promotions are measured.
const RANGE: u32 = 20_000;
const CATEGORIES: u32 = 1_000;

pub fn measure(plan: &Plan, progress: impl Fn(String)) -> Result<Vec<Figure>> {
    let mut chance = Chance::seeded(plan.seed);
    progress("scans in long baskets and with many promotions".to_owned());
    let mut figures = scans(plan, &mut chance)?;
    progress(format!("a catalog of {} items", plan.items));
    figures.extend(large_catalog(plan, &mut chance)?);
    Ok(figures)
}

fn sku(number: u32) -> String {
    format!("SKU-{number:07}")
}

/// An item as most are: a number, a name, a barcode, a category.
fn item(number: u32) -> Result<FileItem> {
    let mut item = FileItem::plain(
        sku(number).parse()?,
        &format!("Item number {number}"),
        "A",
        Money(100 + i64::from(number % 5_000)),
    );
    item.codes.push(gtin(number)?.to_string()[1..].to_owned());
    item.category = Some(format!("department-{}/shelf-{}", number % CATEGORIES % 20, number % CATEGORIES));
    Ok(item)
}

fn gtin(number: u32) -> Result<Gtin> {
    Ok(Gtin::from_digits_without_check(&format!("952{number:09}"))?)
}

fn catalog(items: u32, promotions: Vec<Promotion>) -> Result<Catalog> {
    let mut file = CatalogFile::empty(1, "EUR".parse()?, PriceMode::Inclusive);
    file.tax_classes = serde_json::from_value(json!([{"code": "A", "name": "standard", "rate": "0.19"}]))?;
    file.items = (0..items).map(item).collect::<Result<_>>()?;
    file.promotions = promotions;
    Ok(Catalog::new(file)?)
}

/// A shop's mixture; promotion `number` looks at shelf `number`, so that a thousand of them cover the range.
fn promotion(number: u32) -> Result<Promotion> {
    let shelf = json!({"categories": [format!("department-{}/shelf-{}", number % 20, number % CATEGORIES)]});
    let pieces = |count: u32| json!({"on": shelf, "quantity": count * 1000});
    let kind = match number % 10 {
        0..3 => json!({"kind": "percent", "percent": "10", "on": shelf}),
        3 => json!({"kind": "amount", "amount": 20, "on": shelf}),
        4 => json!({"kind": "fixed_price", "price": 150, "on": shelf, "limit": 3}),
        5 => json!({"kind": "buy_get", "buy": pieces(2), "get": pieces(1), "percent": "100"}),
        6 => json!({"kind": "mix_match", "on": shelf, "quantity": 3000, "price": 500}),
        7 => json!({"kind": "bundle", "parts": [pieces(1), pieces(1)], "price": 300}),
        8 => json!({"kind": "percent", "percent": "5", "on": shelf, "combine": "stacks"}),
        _ => json!({"kind": "threshold", "on": shelf, "minimum": 1_000_000_000, "amount": 500}),
    };
    of(number, kind)
}

fn of(number: u32, kind: Value) -> Result<Promotion> {
    let mut promotion = json!({"id": format!("p{number}"), "name": "a promotion", "priority": number % 3});
    if let (Some(promotion), Value::Object(kind)) = (promotion.as_object_mut(), kind) {
        promotion.extend(kind);
    }
    Ok(serde_json::from_value(promotion)?)
}

/// What holds for every basket of the shop, beside the promotions of its shelves: a little off everything, and a threshold that nobody
/// reaches.
fn everywhere() -> Result<Vec<Promotion>> {
    Ok(vec![
        of(
            9_999_990,
            json!({"kind": "percent", "percent": "2", "on": {"all": true}, "priority": -1}),
        )?,
        of(
            9_999_991,
            json!({"kind": "threshold", "on": {"all": true}, "minimum": 900_000_000, "percent": "5"}),
        )?,
    ])
}

fn circumstances() -> Result<Circumstances> {
    let at = Instant::from_micros(1_800_000_000_000_000)?;
    Ok(Circumstances::new(at, &Calendar::new("Europe/Berlin", "02:00")?, None))
}

/// Microseconds of each scan of a basket of different goods from these shelves.
fn fill(catalog: &Catalog, chance: &mut Chance, shelves: u32) -> Result<(Engine, Vec<f64>)> {
    let mut engine = Engine::new(circumstances()?);
    let mut times = Vec::with_capacity(LINES);
    for line in 1..=LINES as u32 {
        let shelf = chance.below(u64::from(shelves)) as u32;
        let number = shelf + CATEGORIES * chance.below(u64::from(RANGE / CATEGORIES)) as u32;
        let goods = Goods::new(line, sku(number).parse()?, Quantity(1000 * (1 + chance.below(3) as i64)));
        let begin = Clock::now();
        let plan = engine.plan_put(catalog, goods)?;
        engine.apply(plan);
        times.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    Ok((engine, times))
}

/// The median over many baskets of what the scans of these lines cost.
fn typical(catalog: &Catalog, chance: &mut Chance, baskets: usize, shelves: u32) -> Result<impl Fn(std::ops::Range<usize>) -> f64 + use<>> {
    fill(catalog, chance, shelves)?; // The first one warms the caches up.
    let mut baskets_times = Vec::with_capacity(baskets);
    for _ in 0..baskets {
        baskets_times.push(fill(catalog, chance, shelves)?.1);
    }
    Ok(move |lines: std::ops::Range<usize>| {
        let all: Vec<f64> = baskets_times
            .iter()
            .flat_map(|times| times[lines.clone()].iter().copied())
            .collect();
        median(&all)
    })
}

fn scans(plan: &Plan, chance: &mut Chance) -> Result<Vec<Figure>> {
    let with = |count: u32, more: Vec<Promotion>| -> Result<Catalog> {
        let promotions = (0..count).map(promotion).chain(more.into_iter().map(Ok));
        catalog(RANGE, promotions.collect::<Result<_>>()?)
    };
    let thousand = with(1_000, everywhere()?)?;
    let any_shelf = typical(&thousand, chance, plan.baskets, CATEGORIES)?;
    let (first, last) = (any_shelf(0..1), any_shelf(LINES - 1..LINES));

    // The same goods, so that both have as much to take off.
    let ten = with(10, everywhere()?)?;
    let few = typical(&ten, chance, plan.baskets, 10)?(0..20);
    let many = typical(&thousand, chance, plan.baskets, 10)?(0..20);
    let few_hit = typical(&ten, chance, plan.baskets, CATEGORIES)?(0..20);
    let many_hit = any_shelf(0..20);

    let mut basket_wide = everywhere()?;
    basket_wide.push(of(9_999_992, json!({"kind": "basket", "percent": "3"}))?);
    let shared = typical(&with(1_000, basket_wide)?, chance, plan.baskets.min(100), CATEGORIES)?(LINES - 1..LINES);
    let (basket, _) = fill(&thousand, chance, CATEGORIES)?;
    let goods: Vec<Goods> = basket.goods().cloned().collect();
    let begin = Clock::now();
    black_box(Engine::rebuild(&thousand, circumstances()?, goods, None)?);
    let anew = begin.elapsed().as_secs_f64() * 1e6;
    Ok(vec![
        Figure::at_most("scan of the 200th line by the 1st", last, "us", first, 3.0),
        Figure::at_most("scan, 1000 promotions by 10", many, "us", few, 2.0),
        // Ten promotions hit hardly anything here, a thousand hit everything: what a promotion that gives something costs.
        Figure::at_most("scan of any goods, 1000 by 10", many_hit, "us", few_hit, 2.0),
        Figure::raw("200th line, basket-wide saving", shared, "us"),
        Figure::raw("200 lines priced anew", anew, "us"),
    ])
}

/// What the kernel holds for this process, in bytes.
fn resident() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status").context("memory is read from /proc, which is not here")?;
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kilobytes
        .map(|kilobytes| kilobytes * 1024.0)
        .context("/proc/self/status has no VmRSS")
}

fn large_catalog(plan: &Plan, chance: &mut Chance) -> Result<Vec<Figure>> {
    // What making the first leaves behind is used again for the others, so between them only the catalogs themselves grow.
    let catalog_of = || catalog(plan.items, Vec::new());
    let first = catalog_of()?;
    let before = resident()?;
    let others = [catalog_of()?, catalog_of()?];
    let bytes = (resident()? - before) / f64::from(plan.items) / others.len() as f64;
    drop(black_box(others));

    let numbers: Vec<u32> = (0..plan.items).map(|_| chance.below(u64::from(plan.items)) as u32).collect();
    let skus: Vec<Sku> = numbers.iter().map(|number| Ok(sku(*number).parse()?)).collect::<Result<_>>()?;
    let gtins: Vec<Gtin> = numbers.iter().map(|number| gtin(*number)).collect::<Result<_>>()?;
    let by_sku = mean(&skus, |sku| first.by_sku(sku).is_some())?;
    let by_gtin = mean(&gtins, |gtin| first.by_gtin(*gtin).is_some())?;
    let by_text = mean(&skus, |sku| first.by_text(sku.as_str()).is_some())?;
    let name = |what: &str| format!("lookup by {what}, {} items", plan.items);
    Ok(vec![
        Figure::at_most(&name("sku"), by_sku, "us", 1.0, 1.0),
        Figure::at_most(&name("gtin"), by_gtin, "us", 1.0, 1.0),
        Figure::at_most(&name("text"), by_text, "us", 1.0, 1.0),
        Figure::at_most("bytes per plain item", bytes, "bytes", 300.0, 1.0),
    ])
}

/// Mean microseconds of finding each of these: of each thousand the mean, and of those the middle one, as somebody else takes the cores
/// now and then.
fn mean<T>(keys: &[T], find: impl Fn(&T) -> bool) -> Result<f64> {
    let mut found = 0;
    let mut means = Vec::with_capacity(keys.len() / 1_000 + 1);
    for thousand in keys.chunks(1_000) {
        let begin = Clock::now();
        found += thousand.iter().filter(|key| find(black_box(key))).count();
        means.push(begin.elapsed().as_secs_f64() * 1e6 / thousand.len() as f64);
    }
    let taken = median(&means);
    if found != keys.len() {
        bail!("{} of {} items were not found", keys.len() - found, keys.len());
    }
    Ok(taken)
}
