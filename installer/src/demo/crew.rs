//! All cashiers of all stores: hired, sent to work, sent home.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::cashier::{Board, Cashier, Figures, Pace, Place};
use super::town::Town;

pub const REGISTERS_PER_STORE: usize = 2;

/// One register and what it shows.
#[derive(Clone, Debug)]
pub struct Register {
    pub shop: usize,
    pub name: String,
    pub board: Board,
}

/// Cashiers at work.
pub struct Crew {
    pub registers: Vec<Register>,
    tasks: JoinSet<(usize, Cashier, Result<()>)>,
    go_home: watch::Sender<bool>,
}

/// Makes the `number`th of the staff a cashier at a new register, with an open shift.
pub async fn hire(town: &Town, shop: usize, register: &str, number: usize, patience: Duration) -> Result<Cashier> {
    let place = town.shops.get(shop).context("there is no such shop")?;
    let people = place.store.company.people()?;
    let person = &people[(number - 1) % people.len()];
    let log = town.folder.made("tills")?.join(format!("{}-{register}.jsonl", place.store.code));
    let code = place.pair(&town.starter).await?;
    let place = Place {
        address: &place.address(),
        currency: place.store.currency,
        register,
        pairing_code: &code,
        log: &log,
        patience,
    };
    let begun = Cashier::begin(&place, person, town.shops[shop].store.company.items()?).await;
    begun.with_context(|| format!("register {register} of {} could not begin", town.shops[shop].store.code))
}

impl Crew {
    /// Two in every store.
    pub async fn begin(town: &Town, pace: Pace, patience: Duration) -> Result<Self> {
        let hiring = (0..town.shops.len()).map(|shop| async move {
            let mut cashiers = Vec::new();
            for number in 1..=REGISTERS_PER_STORE {
                let register = format!("r{number}");
                let cashier = hire(town, shop, &register, number, patience).await?;
                cashiers.push((shop, register, cashier));
            }
            anyhow::Ok(cashiers)
        });
        let hired = futures_util::future::try_join_all(hiring).await?;
        let go_home = watch::Sender::new(false);
        let mut crew = Self {
            registers: Vec::new(),
            tasks: JoinSet::new(),
            go_home,
        };
        for (which, (shop, name, mut cashier)) in hired.into_iter().flatten().enumerate() {
            let board = cashier.board.clone();
            crew.registers.push(Register { shop, name, board });
            let gate = crew.go_home.subscribe();
            crew.tasks.spawn(async move {
                let done = cashier.work(pace, gate).await;
                (which, cashier, done)
            });
        }
        Ok(crew)
    }

    /// Somebody who has given up, and why.
    pub fn gave_up(&mut self) -> Option<(Register, anyhow::Error)> {
        match self.tasks.try_join_next()? {
            Ok((which, _, Err(error))) => Some((self.registers[which].clone(), error)),
            Ok(_) => None,
            Err(error) => Some((
                Register {
                    shop: 0,
                    name: "unknown".into(),
                    board: Board::default(),
                },
                error.into(),
            )),
        }
    }

    /// Sends everybody home after the customer they are serving.
    pub async fn end(mut self, town: &Town) -> Result<Vec<(Register, Cashier)>> {
        self.go_home.send_replace(true);
        let mut home = Vec::new();
        while let Some(ended) = self.tasks.join_next().await {
            let (which, cashier, done) = ended.context("a cashier's task ended")?;
            let register = self.registers[which].clone();
            done.with_context(|| format!("register {} of {}", register.name, town.shops[register.shop].store.code))?;
            home.push((which, register, cashier));
        }
        home.sort_by_key(|(which, ..)| *which);
        Ok(home.into_iter().map(|(_, register, cashier)| (register, cashier)).collect())
    }

    /// All registers of a shop together.
    pub fn of_shop(&self, shop: usize) -> Figures {
        let boards = self
            .registers
            .iter()
            .filter(|register| register.shop == shop)
            .map(|register| &register.board);
        sum(boards)
    }

    pub fn sales(&self) -> u64 {
        self.registers.iter().map(|register| register.board.read().sales).sum()
    }
}

/// Several registers together; what the box last said is the newest of it.
pub fn sum<'a>(boards: impl Iterator<Item = &'a Board>) -> Figures {
    let mut all = Figures::default();
    for board in boards {
        let one = board.read();
        all.sales += one.sales;
        all.returns += one.returns;
        all.voids += one.voids;
        all.cancelled += one.cancelled;
        all.takings += one.takings;
        all.refused += one.refused;
        all.acked += one.acked;
        all.again += one.again;
        all.is_waiting |= one.is_waiting;
        if (one.told.epoch, one.told.seq) >= (all.told.epoch, all.told.seq) {
            all.told = one.told;
        }
    }
    all
}
