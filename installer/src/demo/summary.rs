//! The table at the end of `demo --headless`.

use std::fmt::Write;
use std::time::Duration;

use super::cashier::{Counted, Figures};
use super::crew::Register;
use super::evidence::{Laws, Verdict};
use super::seed::DECIMALS;
use super::story::{BoxKilled, Counters, PriceSeen, WebShopTold};
use super::town::Town;
use crate::till::amount;

/// What is told.
pub struct Summary<'a> {
    pub registers: &'a [(Register, Figures)],
    pub first_sale: Duration,
    pub sold_for: Duration,
    pub broker_back: Duration,
    pub box_killed: BoxKilled,
    pub price: PriceSeen,
    pub drawers: &'a [Counted],
    pub held_after: Duration,
    pub counters: &'a Counters,
    pub web_shop: WebShopTold,
    pub laws: &'a Laws,
}

pub fn table(summary: &Summary<'_>, town: &Town) -> String {
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = write(&mut text, summary, town);
    text
}

fn write(text: &mut String, summary: &Summary<'_>, town: &Town) -> std::fmt::Result {
    writeln!(text)?;
    writeln!(
        text,
        "{:<10}{:>8}{:>9}{:>8}{:>11}{:>11}{:>13}{:>16}",
        "store", "sales", "returns", "voids", "cancelled", "commands", "said again", "takings"
    )?;
    for (which, shop) in town.shops.iter().enumerate() {
        let of_shop = || {
            summary
                .registers
                .iter()
                .filter(|(register, _)| register.shop == which)
                .map(|(_, figures)| figures)
        };
        let sum = |field: fn(&Figures) -> u64| of_shop().map(field).sum::<u64>();
        let takings = amount::show(of_shop().map(|figures| figures.takings).sum(), DECIMALS);
        writeln!(
            text,
            "{:<10}{:>8}{:>9}{:>8}{:>11}{:>11}{:>13}{:>16}",
            shop.store.code,
            sum(|figures| figures.sales),
            sum(|figures| figures.returns),
            sum(|figures| figures.voids),
            sum(|figures| figures.cancelled),
            sum(|figures| figures.acked),
            sum(|figures| figures.again),
            format!("{takings} {}", shop.store.currency),
        )?;
    }
    let refused: u64 = summary.registers.iter().map(|(_, figures)| figures.refused).sum();
    let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
    let price = &summary.price;
    let (counters, web_shop) = (summary.counters, summary.web_shop);
    let off = summary.drawers.iter().filter(|drawer| drawer.over_short != 0).count();
    writeln!(text)?;
    for (what, how) in [
        ("first sale", format!("{} after the build", seconds(summary.first_sale))),
        ("selling for", seconds(summary.sold_for)),
        ("commands refused", refused.to_string()),
        (
            "broker killed",
            format!("1, head office held what was sold since after {}", seconds(summary.broker_back)),
        ),
        (
            "boxes killed",
            format!(
                "1, selling again after {}, {} commands said again",
                seconds(summary.box_killed.sold_after),
                summary.box_killed.said_again
            ),
        ),
        (
            "a card payment meanwhile",
            format!(
                "found {} after the terminal let go of it",
                seconds(summary.box_killed.card_found_after)
            ),
        ),
        (
            "price changed",
            format!(
                "{} from {} to {}, sold at the new price after {}",
                price.item,
                amount::show(price.old, DECIMALS),
                amount::show(price.new, DECIMALS),
                seconds(price.after)
            ),
        ),
        (
            "counters",
            format!(
                "{} receipts printed, {} drawers opened, {} payments captured, {} cards declined",
                counters.prints, counters.pulses, counters.captures, counters.declined
            ),
        ),
        ("shelves counted", shelves(counters)),
        (
            "at Shopify's stand-in",
            format!(
                "{} orders, none twice, and {} stock levels; {} more wait to be told",
                web_shop.reached.orders, web_shop.reached.levels, web_shop.backlog
            ),
        ),
        ("drawers counted", format!("{}, of which {off} are off", summary.drawers.len())),
        ("head office held all after", seconds(summary.held_after)),
    ] {
        writeln!(text, "{what:<28}{how}")?;
    }
    writeln!(text)?;
    laws(text, summary.laws)
}

fn shelves(counters: &Counters) -> String {
    let each = counters.shelves.iter();
    let told: Vec<_> = each
        .map(|shelf| format!("{} tags in {:.1} s", shelf.tags, shelf.took.as_secs_f64()))
        .collect();
    told.join(", ")
}

fn laws(text: &mut String, laws: &Laws) -> std::fmt::Result {
    for law in &laws.laws {
        let verdict = match law.verdict {
            Verdict::Holds => format!("holds ({} checked)", law.checked),
            Verdict::Broken => format!("BROKEN {} times ({} checked)", law.broken, law.checked),
            Verdict::NothingToCheck => format!("nothing to check ({})", law.why.as_deref().unwrap_or("no evidence")),
        };
        writeln!(text, "{:<4}{:<53}{verdict}", law.law, law.title)?;
    }
    for law in &laws.laws {
        for violation in &law.violations {
            writeln!(text, "  {} at {}: {}", law.law, violation.place, violation.sentence)?;
        }
    }
    writeln!(text)
}
