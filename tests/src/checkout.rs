//! `measure checkout`: how fast eight registers sell, beside what this machine could do at best in the same minute.
//!
//! Limits and the box take turns, so that a noisy minute hurts both. A repetition in which somebody else had the cores is done
//! again; when that does not help, the figures say that they do not count.

use std::time::Duration;

use anyhow::Result;

use crate::baseline::grpc::BareServer;
use crate::baseline::spin::{DISTURBED_BELOW, Spins};
use crate::baseline::{disk, sqlite};
use crate::campaign::books;
use crate::figure::Figure;
use crate::latency::median;
use crate::load::cashier::{Cashier, Habits};
use crate::load::{Crew, Tally, sell_for};
use crate::processes::Workplace;
use crate::shop::{Founding, Shop};

/// How `measure checkout` is asked for.
#[derive(Clone, Debug)]
pub struct Plan {
    pub registers: usize,
    pub repetitions: usize,
    /// How long the box sells in one repetition.
    pub seconds: f64,
}

impl Plan {
    pub fn quick(registers: usize) -> Self {
        Self {
            registers,
            repetitions: 2,
            seconds: 1.0,
        }
    }

    pub fn full(registers: usize, seconds: f64) -> Self {
        Self {
            registers,
            repetitions: 5,
            seconds,
        }
    }
}

/// One turn of everything.
#[derive(Clone, Debug, Default)]
struct Turn {
    flush_p50: f64,
    flush_p99: f64,
    tonic_per_second: f64,
    tonic_p50: f64,
    tonic_p99: f64,
    tonic_one_p50: f64,
    tonic_one_p99: f64,
    sqlite: [f64; 3],
    sales_per_second: f64,
    scan_p50: f64,
    scan_p99: f64,
    tender_p50: f64,
    tender_p99: f64,
    one_scan_p50: f64,
    one_scan_p99: f64,
    one_tender_p50: f64,
    one_tender_p99: f64,
    /// The slowest spin check of this turn, as a rate.
    spin: Vec<f64>,
}

const SALES_PER_COMMIT: [u32; 3] = [1, 8, 64];

pub async fn measure(plan: &Plan, progress: impl Fn(String)) -> Result<Vec<Figure>> {
    let place = Workplace::new("checkout")?;
    match run(plan, &place, progress).await {
        Ok(figures) => Ok(figures),
        Err(error) => Err(error.context(format!("everything is kept in {}", place.keep().display()))),
    }
}

async fn run(plan: &Plan, place: &Workplace, progress: impl Fn(String)) -> Result<Vec<Figure>> {
    let mut shop = Shop::found(place.path(), &Founding::plain()).await?;
    shop.start().await?;
    let bare = BareServer::start(place.path()).await?;
    let crew = Crew {
        habits: Habits::plain(),
        ..Crew::of_a_campaign(plan.registers, place.path().to_owned(), 1)
    };
    let mut crew = Crew { logs: None, ..crew }.hire(&shop).await?;
    crew = warm_up(crew, &progress).await?;

    let mut spins = Spins::default();
    let mut turns: Vec<Turn> = Vec::new();
    let undisturbed = |turns: &[Turn], spins: &Spins| turns.iter().filter(|turn| spins.share(&turn.spin) >= DISTURBED_BELOW).count();
    while undisturbed(&turns, &spins) < plan.repetitions && turns.len() < plan.repetitions * 2 {
        let (turn, back) = one_turn(plan, place, &bare, crew, &mut spins).await?;
        crew = back;
        progress(format!(
            "turn {}: {:.0} sales/s, scan p50 {:.3} ms, bare round trip p50 {:.3} ms, flush p50 {:.3} ms, cores at {:.0} %",
            turns.len() + 1,
            turn.sales_per_second,
            turn.scan_p50,
            turn.tonic_p50,
            turn.flush_p50,
            100.0 * spins.share(&turn.spin)
        ));
        turns.push(turn);
    }
    // The best of the spins may have come last, so only now is it known which turns were the quiet ones.
    turns.sort_by(|a, b| spins.share(&b.spin).total_cmp(&spins.share(&a.spin)));
    turns.truncate(plan.repetitions);
    drop(crew);
    let disturbed = turns.iter().any(|turn| spins.share(&turn.spin) < DISTURBED_BELOW);
    progress("checking the books: journal verify".to_owned());
    books::verify(&shop).await?;
    shop.stop().await?;
    let figures = figures(plan, &turns);
    Ok(match disturbed {
        true => figures.into_iter().map(Figure::disturbed).collect(),
        false => figures,
    })
}

/// Sells until two windows agree within a tenth, at most eight windows.
async fn warm_up(mut crew: Vec<Cashier>, progress: &impl Fn(String)) -> Result<Vec<Cashier>> {
    let mut before = f64::NAN;
    for _ in 0..8 {
        let (back, tally, took) = sell_for(crew, Duration::from_millis(500)).await?;
        crew = back;
        let rate = tally.sales as f64 / took.as_secs_f64();
        if (rate - before).abs() <= 0.1 * before {
            break;
        }
        before = rate;
    }
    progress(format!("warm at about {before:.0} sales/s"));
    Ok(crew)
}

async fn one_turn(
    plan: &Plan,
    place: &Workplace,
    bare: &BareServer,
    mut crew: Vec<Cashier>,
    spins: &mut Spins,
) -> Result<(Turn, Vec<Cashier>)> {
    let limit = Duration::from_secs_f64((plan.seconds / 4.0).clamp(0.25, 1.0));
    let mut turn = Turn::default();
    turn.spin.push(spins.check());

    let flushes = disk::flushes(place.path(), limit)?;
    (turn.flush_p50, turn.flush_p99) = (flushes.p50_ms(), flushes.p99_ms());
    for (at, sales_per_commit) in SALES_PER_COMMIT.into_iter().enumerate() {
        turn.sqlite[at] = sqlite::sales(place.path(), sales_per_commit, limit)?.per_second;
    }
    let calls = bare.calls(plan.registers, limit).await?;
    (turn.tonic_per_second, turn.tonic_p50, turn.tonic_p99) = (calls.per_second, calls.latencies.p50_ms(), calls.latencies.p99_ms());
    let calls = bare.calls(1, limit).await?;
    (turn.tonic_one_p50, turn.tonic_one_p99) = (calls.latencies.p50_ms(), calls.latencies.p99_ms());
    turn.spin.push(spins.check());

    let (back, tally, took) = sell_for(crew, Duration::from_secs_f64(plan.seconds)).await?;
    crew = back;
    anyhow::ensure!(tally.refusals.is_empty(), "registers were refused: {:?}", tally.refusals);
    turn.sales_per_second = tally.sales as f64 / took.as_secs_f64();
    (turn.scan_p50, turn.scan_p99, turn.tender_p50, turn.tender_p99) = of(&tally);
    turn.spin.push(spins.check());

    let alone = crew.split_off(crew.len() - 1);
    let (alone, tally, _) = sell_for(alone, limit).await?;
    crew.extend(alone);
    (turn.one_scan_p50, turn.one_scan_p99, turn.one_tender_p50, turn.one_tender_p99) = of(&tally);
    turn.spin.push(spins.check());
    Ok((turn, crew))
}

fn of(tally: &Tally) -> (f64, f64, f64, f64) {
    (
        tally.scans.p50_ms(),
        tally.scans.p99_ms(),
        tally.tenders.p50_ms(),
        tally.tenders.p99_ms(),
    )
}

fn figures(plan: &Plan, turns: &[Turn]) -> Vec<Figure> {
    let middle = |of: fn(&Turn) -> f64| median(&turns.iter().map(of).collect::<Vec<_>>());
    let tonic_per_second = middle(|turn| turn.tonic_per_second);
    let tonic_p50 = middle(|turn| turn.tonic_p50);
    let tonic_p99 = middle(|turn| turn.tonic_p99);
    let one_p50 = middle(|turn| turn.tonic_one_p50);
    let one_p99 = middle(|turn| turn.tonic_one_p99);
    let flush_p50 = middle(|turn| turn.flush_p50);
    let sqlite_8 = middle(|turn| turn.sqlite[1]);
    let sales = middle(|turn| turn.sales_per_second);
    let tender_p50 = middle(|turn| turn.tender_p50);
    let limit = (tonic_per_second / 6.0).min(sqlite_8);
    let spread = |of: fn(&Turn) -> f64| {
        let values = turns.iter().map(of);
        values.clone().fold(f64::NEG_INFINITY, f64::max) - values.fold(f64::INFINITY, f64::min)
    };
    vec![
        Figure::at_least("checkout.sales_per_second", sales, "1/s", limit, 0.25),
        Figure::raw("checkout.sales_per_second_spread", spread(|turn| turn.sales_per_second), "1/s"),
        Figure::at_most("checkout.scan_p50", middle(|turn| turn.scan_p50), "ms", tonic_p50, 3.0),
        Figure::at_most("checkout.scan_p99", middle(|turn| turn.scan_p99), "ms", tonic_p99, 4.0),
        Figure::at_most("checkout.tender_p50", tender_p50, "ms", tonic_p50 + 3.0 * flush_p50, 1.0),
        Figure::at_most("checkout.tender_p99", middle(|turn| turn.tender_p99), "ms", tender_p50, 10.0),
        Figure::at_most("checkout.one_till.scan_p50", middle(|turn| turn.one_scan_p50), "ms", one_p50, 2.0),
        Figure::at_most("checkout.one_till.scan_p99", middle(|turn| turn.one_scan_p99), "ms", one_p99, 4.0),
        Figure::at_most(
            "checkout.one_till.tender_p50",
            middle(|turn| turn.one_tender_p50),
            "ms",
            one_p50 + 3.0 * flush_p50,
            1.0,
        ),
        Figure::raw("checkout.one_till.tender_p99", middle(|turn| turn.one_tender_p99), "ms"),
        Figure::raw("checkout.registers", plan.registers as f64, ""),
        Figure::raw("checkout.repetitions", turns.len() as f64, ""),
        Figure::raw("baseline.tonic_per_second", tonic_per_second, "1/s"),
        Figure::raw("baseline.tonic_p50", tonic_p50, "ms"),
        Figure::raw("baseline.tonic_p99", tonic_p99, "ms"),
        Figure::raw("baseline.tonic_one_p50", one_p50, "ms"),
        Figure::raw("baseline.tonic_one_p99", one_p99, "ms"),
        Figure::raw("baseline.sqlite_sales_1", middle(|turn| turn.sqlite[0]), "1/s"),
        Figure::raw("baseline.sqlite_sales_8", sqlite_8, "1/s"),
        Figure::raw("baseline.sqlite_sales_64", middle(|turn| turn.sqlite[2]), "1/s"),
        Figure::raw("baseline.flush_p50", flush_p50, "ms"),
        Figure::raw("baseline.flush_p99", middle(|turn| turn.flush_p99), "ms"),
    ]
}
