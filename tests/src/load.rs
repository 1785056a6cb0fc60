//! Many registers at once: real clients over real connections, each with its own log, that sell until they are told to stop.
//!
//! Counts and times what it does; judges nothing but refusals that no cashier could explain.

pub mod cashier;
pub mod gate;
pub mod witness;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use installer::client::patience::Patience;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::chance::Chance;
use crate::latency::Latencies;
use crate::shop::{STAFF, Shop, codes};
use cashier::{Cashier, Habits};
use gate::Gate;
use witness::{Event, Witness};

/// What a crew of cashiers works with.
#[derive(Clone, Debug)]
pub struct Crew {
    pub registers: usize,
    /// Before the register's number: two crews of one store need different ones.
    pub prefix: String,
    pub items: usize,
    pub habits: Habits,
    /// A log per register in this folder; without one nothing is logged.
    pub logs: Option<PathBuf>,
    pub events: Option<mpsc::UnboundedSender<Event>>,
    pub patience: Duration,
    pub seed: u64,
}

impl Crew {
    /// For campaigns: everything a shop does, logged.
    pub fn of_a_campaign(registers: usize, logs: PathBuf, seed: u64) -> Self {
        Self {
            registers,
            prefix: "r".into(),
            items: 1_000,
            habits: Habits::lively(),
            logs: Some(logs),
            events: None,
            patience: Duration::from_secs(60),
            seed,
        }
    }

    /// Makes each of them a register of the shop, signed in and with an open shift.
    pub async fn hire(&self, shop: &Shop) -> Result<Vec<Cashier>> {
        let codes = codes(self.items);
        let mut crew = Vec::new();
        for number in 0..self.registers {
            let register = format!("{}{}", self.prefix, number + 1);
            let witness = Witness::new(number, self.log(shop, &register), self.events.clone())?;
            let patience = Patience::of(self.patience).with_longest_pause(Duration::from_millis(100));
            let mut cashier = Cashier::new(&shop.address(), patience, witness, Chance::seeded(self.seed).branch(number as u64))?;
            cashier.codes = codes.clone();
            cashier.habits = self.habits.clone();
            let (staff, pin) = STAFF[number % STAFF.len()];
            let begun = cashier.begin(&shop.pair().await?, &register, staff, pin).await;
            begun.with_context(|| format!("register {register} could not begin"))?;
            crew.push(cashier);
        }
        Ok(crew)
    }

    fn log(&self, shop: &Shop, register: &str) -> Option<PathBuf> {
        let store = shop.folder().file_name().unwrap_or_default().to_string_lossy();
        self.logs.as_ref().map(|folder| folder.join(format!("{store}-{register}.jsonl")))
    }
}

/// What a crew did.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub scans: Latencies,
    pub tenders: Latencies,
    pub sales: u64,
    pub acked: u64,
    /// Refusals by code.
    pub refusals: std::collections::BTreeMap<String, u64>,
}

impl Tally {
    pub fn merge(&mut self, other: Tally) {
        self.scans.merge(other.scans);
        self.tenders.merge(other.tenders);
        self.sales += other.sales;
        self.acked += other.acked;
        for (code, times) in other.refusals {
            *self.refusals.entry(code).or_default() += times;
        }
    }
}

/// A crew at work; it ends when the gate is closed for good.
pub struct AtWork {
    tasks: JoinSet<Result<Cashier>>,
    pub gate: Gate,
}

impl AtWork {
    pub fn begin(crew: Vec<Cashier>) -> Self {
        let gate = Gate::open();
        let mut tasks = JoinSet::new();
        for mut cashier in crew {
            let gate = gate.clone();
            tasks.spawn(async move {
                cashier.work(gate).await?;
                Ok(cashier)
            });
        }
        Self { tasks, gate }
    }

    /// Fails when one of them has given up.
    pub async fn check(&mut self) -> Result<()> {
        while let Some(ended) = self.tasks.try_join_next() {
            ended.context("a cashier's task ended")??;
        }
        Ok(())
    }

    /// Sends everybody home after the command they are at.
    pub async fn end(mut self) -> Result<(Vec<Cashier>, Tally)> {
        self.gate.end();
        let mut crew = Vec::new();
        while let Some(ended) = self.tasks.join_next().await {
            crew.push(ended.context("a cashier's task ended")??);
        }
        crew.sort_by_key(Cashier::number);
        let mut tally = Tally::default();
        for cashier in &mut crew {
            tally.merge(std::mem::take(&mut cashier.tally));
        }
        Ok((crew, tally))
    }
}

/// Every cashier sells, as fast as the answers come, for so long; then they stand where they stood.
pub async fn sell_for(crew: Vec<Cashier>, time: Duration) -> Result<(Vec<Cashier>, Tally, Duration)> {
    let mut at_work = AtWork::begin(crew);
    let began = std::time::Instant::now();
    tokio::time::sleep(time).await;
    at_work.check().await?;
    let sold = at_work.end().await;
    let took = began.elapsed();
    let (crew, tally) = sold?;
    Ok((crew, tally, took))
}
