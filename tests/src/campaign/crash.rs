//! `measure crash`: kills the box under load, at random and aimed at each kind of command, starts it again over the same data, and
//! lets the registers go on as if nothing had been.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;

use super::books::{self, Books, Converged};
use super::edges::{self, Written};
use super::evidence;
use super::watch::{Watch, is_sale};
use crate::chance::Chance;
use crate::figure::Figure;
use crate::latency::Latencies;
use crate::load::witness::What;
use crate::load::{AtWork, Crew};
use crate::processes::Workplace;
use crate::shop::{Founding, Shop};

const SELLING_AGAIN_WITHIN: Duration = Duration::from_secs(60);
const AT_REST_WITHIN: Duration = Duration::from_secs(90);
const CHECK_EVERY: usize = 20;

#[derive(Clone, Debug)]
pub struct Plan {
    pub kills: usize,
    pub registers: usize,
    pub seed: u64,
}

/// When the box dies.
#[derive(Clone, Copy, Debug)]
enum Aim {
    Anytime {
        after: Duration,
    },
    /// After some register said this, when so many percent of the time it usually takes are over.
    At {
        call: &'static str,
        percent: u32,
    },
    /// Once more, while it is starting after a death.
    WhileStarting {
        after: Duration,
    },
}

/// What the campaign came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub figures: Vec<Figure>,
    pub edges: BTreeMap<String, u64>,
    pub refusals: BTreeMap<String, u64>,
    pub laws: String,
    pub holds: bool,
}

pub async fn run(plan: &Plan, progress: impl Fn(String)) -> Result<Outcome> {
    let place = Workplace::new("crash")?;
    match campaign(plan, &place, &progress).await {
        Ok(outcome) if outcome.holds => Ok(outcome),
        Ok(outcome) => {
            progress(format!("everything is kept in {}", place.keep().display()));
            Ok(outcome)
        }
        Err(error) => Err(error.context(format!("seed {}; everything is kept in {}", plan.seed, place.keep().display()))),
    }
}

struct Campaign<'a> {
    shop: Shop,
    at_work: AtWork,
    watch: Watch,
    chance: Chance,
    logs: PathBuf,
    place: &'a Workplace,
    deaths: Vec<Timestamp>,
    restarts: Latencies,
    registers: usize,
}

async fn campaign(plan: &Plan, place: &Workplace, progress: &impl Fn(String)) -> Result<Outcome> {
    let mut shop = Shop::found(
        place.path(),
        &Founding {
            cash_step: 5,
            ..Founding::plain()
        },
    )
    .await?;
    shop.start().await?;
    let logs = place.path().join("logs");
    std::fs::create_dir(&logs)?;
    let (events, watch) = Watch::new();
    let mut crew = Crew::of_a_campaign(plan.registers, logs.clone(), plan.seed);
    crew.events = Some(events);
    let crew = crew.hire(&shop).await?;
    let mut campaign = Campaign {
        shop,
        at_work: AtWork::begin(crew),
        watch,
        chance: Chance::seeded(plan.seed),
        logs,
        place,
        deaths: Vec::new(),
        restarts: Latencies::default(),
        registers: plan.registers,
    };
    for kill in 1..=plan.kills {
        let aim = campaign.aim();
        campaign.kill(aim).await.with_context(|| format!("kill {kill} ({aim:?})"))?;
        if kill % CHECK_EVERY == 0 && kill < plan.kills {
            let books = campaign.check().await?;
            progress(format!(
                "{kill} kills, {} commands answered, selling again after {:.0} ms (p50): {}",
                campaign.watch.acked,
                campaign.restarts.p50_ms(),
                books.in_short()
            ));
            if !books.holds {
                return campaign.finish(books).await;
            }
        }
    }
    let books = campaign.check().await?;
    campaign.finish(books).await
}

impl Campaign<'_> {
    fn aim(&mut self) -> Aim {
        const CALLS: [&str; 14] = [
            "scan",
            "scan",
            "scan",
            "tender",
            "tender",
            "tender",
            "void_line",
            "settle",
            "cancel_ticket",
            "return_sale",
            "move_cash",
            "sign_in",
            "open_shift",
            "close_shift",
        ];
        let roll = self.chance.below(100);
        if roll < 8 {
            let after = Duration::from_millis(self.chance.between(0, 60));
            return Aim::WhileStarting { after };
        }
        if roll < 35 {
            let after = Duration::from_micros(self.chance.between(0, 200_000));
            return Aim::Anytime { after };
        }
        let call = self.chance.pick(&CALLS).copied().unwrap_or("scan");
        let percent = self.chance.below(125) as u32;
        Aim::At { call, percent }
    }

    /// One death, and the way back to the first sale after it.
    async fn kill(&mut self, aim: Aim) -> Result<()> {
        match aim {
            Aim::Anytime { after } => self.watch.look_on(after, |_| {}).await,
            Aim::At { call, percent } => {
                self.watch.catch_up(); // What is past can not be aimed at.
                let said = self
                    .watch
                    .wait_for(call, Duration::from_secs(20), |event| {
                        event.call == call && event.what == What::Asked
                    })
                    .await;
                if said.is_err() {
                    self.at_work.check().await?; // Perhaps nobody said it because somebody gave up.
                }
                // A timer of the runtime is too coarse for an aim within a millisecond.
                std::thread::sleep(self.watch.usually_takes(call) * percent / 100);
            }
            Aim::WhileStarting { after } => {
                self.watch.look_on(Duration::from_millis(30), |_| {}).await;
                self.deaths.push(self.shop.kill().await?);
                self.shop.start_and_kill(after).await?;
                self.deaths.push(Timestamp::now());
            }
        }
        if !matches!(aim, Aim::WhileStarting { .. }) {
            self.deaths.push(self.shop.kill().await?);
        }
        self.watch.catch_up();
        let began = Instant::now();
        self.shop.start().await?;
        let sold = self
            .watch
            .wait_for("sale after the restart", SELLING_AGAIN_WITHIN, |event| {
                is_sale(event) && event.at > began
            })
            .await;
        if sold.is_err() {
            self.at_work.check().await?;
        }
        self.restarts.push(sold?.at - began);
        Ok(())
    }

    /// With all registers at rest between two commands.
    async fn check(&mut self) -> Result<Books> {
        let rest = self.at_work.gate.hold(self.registers);
        let rested = tokio::time::timeout(AT_REST_WITHIN, rest).await;
        self.at_work.check().await?;
        ensure!(rested.is_ok(), "the registers did not come to rest within {AT_REST_WITHIN:?}");
        self.shop.check_alive()?;
        let folder = self.place.path().join("evidence");
        evidence::gather(&folder, std::slice::from_ref(&self.shop), &self.logs, None).await?;
        let books = books::check(&folder, Converged::No)?;
        self.watch.catch_up();
        self.at_work.gate.release();
        Ok(books)
    }

    async fn finish(mut self, books: Books) -> Result<Outcome> {
        let (_, tally) = self.at_work.end().await?;
        self.watch.catch_up();
        self.shop.stop().await?;
        books::verify(&self.shop).await?;
        let store = self
            .place
            .path()
            .join("evidence/stores")
            .join(self.shop.folder().file_name().unwrap_or_default());
        let edges = edges::count(&self.deaths, &self.watch.lives, &Written::read(&store)?, self.registers);
        let unexplained = tally.refusals.values().sum::<u64>();
        let figures = vec![
            Figure::exactly("crash.laws_broken", books.broken as f64, "laws", 0.0),
            Figure::raw("crash.kills", self.deaths.len() as f64, ""),
            Figure::raw("crash.commands_answered", self.watch.acked as f64, ""),
            Figure::raw("crash.sales", tally.sales as f64, ""),
            Figure::exactly("crash.refusals", unexplained as f64, "", 0.0),
            Figure::raw("crash.restart_to_first_sale_p50", self.restarts.p50_ms(), "ms"),
            Figure::raw("crash.restart_to_first_sale_p99", self.restarts.p99_ms(), "ms"),
            Figure::raw("crash.restart_to_first_sale_max", self.restarts.max_ms(), "ms"),
        ];
        Ok(Outcome {
            figures,
            edges,
            refusals: tally.refusals,
            holds: books.holds,
            laws: books.told,
        })
    }
}
