//! Random shops and baskets, priced by the product and by the second calculation; what differs is told with the seed that shows it.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow, bail};
use installer::price::PriceDesk;
use serde_json::Value;

use crate::chance::Chance;
use crate::figure::Figure;
use crate::second::{self, random};

/// So many baskets are tried on each shop.
const BASKETS: u64 = 20;

#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Baskets in all.
    pub seeds: u64,
    pub first: u64,
}

/// What was met on the way; nothing met is a check that checks nothing.
#[derive(Debug, Default)]
struct Met {
    baskets: AtomicU64,
    with_promotion: AtomicU64,
    with_book: AtomicU64,
    with_return: AtomicU64,
    with_discount: AtomicU64,
    exempt: AtomicU64,
    on_holiday: AtomicU64,
    several_taxes: AtomicU64,
}

/// Tries the seeds on all cores. The first difference ends it.
pub fn compare(plan: &Plan) -> Result<Vec<Figure>> {
    let met = Met::default();
    let next = AtomicU64::new(0);
    let shops = plan.seeds.div_ceil(BASKETS);
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let worker = || -> Result<()> {
            loop {
                let shop = next.fetch_add(1, Ordering::Relaxed);
                if shop >= shops {
                    return Ok(());
                }
                let baskets = BASKETS.min(plan.seeds - shop * BASKETS);
                if let Err(error) = one_shop(plan.first + shop, baskets, &met) {
                    // The others need not go on.
                    next.store(shops, Ordering::Relaxed);
                    return Err(error);
                }
            }
        };
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        for one in running {
            one.join().map_err(|_| anyhow!("a worker panicked"))??;
        }
        anyhow::Ok(())
    })?;
    let count = |name: &str, counter: &AtomicU64| Figure::raw(name, counter.load(Ordering::Relaxed) as f64, "baskets");
    Ok(vec![
        Figure::exactly("laws.differences", 0.0, "baskets", 0.0),
        count("laws.baskets", &met.baskets),
        count("laws.with_promotion", &met.with_promotion),
        count("laws.with_price_book", &met.with_book),
        count("laws.with_return", &met.with_return),
        count("laws.with_discount_by_hand", &met.with_discount),
        count("laws.exempt", &met.exempt),
        count("laws.on_tax_holiday", &met.on_holiday),
        count("laws.with_several_taxes", &met.several_taxes),
    ])
}

fn one_shop(seed: u64, baskets: u64, met: &Met) -> Result<()> {
    let mut chance = Chance::seeded(seed);
    let catalog = random::catalog(&mut chance);
    let about = || format!("shop {seed}: {catalog}");
    let second: second::Catalog = serde_json::from_value(catalog.clone()).with_context(about)?;
    let desk = PriceDesk::new(catalog.clone())
        .map_err(|error| anyhow!(error))
        .with_context(about)?;
    for number in 0..baskets {
        let basket = random::basket(&mut chance, &catalog);
        let about = || format!("shop {seed}, basket {number}\n{catalog}\n{basket}");
        let parsed: second::Basket = serde_json::from_value(basket.clone()).with_context(about)?;
        let answer = match desk.price(basket.clone()) {
            Ok(answer) => answer,
            Err(refused) => bail!("{}\nthe product refuses: {refused}", about()),
        };
        if let Err(difference) = second::compare(&second, &parsed, &answer) {
            bail!("{}\n{difference}", about());
        }
        met.note(&catalog, &basket, &answer);
    }
    Ok(())
}

impl Met {
    fn note(&self, catalog: &Value, basket: &Value, answer: &Value) {
        let none = Vec::new();
        let lines = answer["lines"].as_array().unwrap_or(&none);
        let reason = |word: &str| {
            let has = |line: &Value| {
                line["reasons"]
                    .as_array()
                    .is_some_and(|reasons| reasons.iter().any(|reason| reason["reason"] == word))
            };
            lines.iter().any(has)
        };
        let count = |counter: &AtomicU64, met: bool| counter.fetch_add(u64::from(met), Ordering::Relaxed);
        count(&self.baskets, true);
        count(&self.with_promotion, reason("promotion"));
        count(&self.with_book, reason("book"));
        count(&self.with_discount, reason("line_discount") || reason("ticket_discount"));
        count(&self.with_return, lines.iter().any(|line| line["quantity"].as_i64() < Some(0)));
        count(&self.exempt, basket.get("exempt").is_some());
        count(&self.on_holiday, catalog.get("tax_holidays").is_some());
        count(
            &self.several_taxes,
            lines
                .iter()
                .any(|line| line["taxes"].as_array().is_some_and(|taxes| taxes.len() > 1)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_and_the_second_calculation_agree_to_the_cent() {
        let figures = compare(&Plan { seeds: 2_000, first: 1 }).unwrap();
        // What is never met is not checked.
        assert!(figures.iter().skip(1).all(|figure| figure.value > 0.0), "{figures:?}");
    }
}
