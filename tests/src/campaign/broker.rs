//! `measure broker`: breaks what lies between the stores and head office, one fault a round, and waits until both sides agree again
//! without a person having repaired anything.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::books::{self, Books, Converged};
use super::evidence;
use super::fault::{Fault, Scene};
use super::hq::HeadOffice;
use super::portal::Portal;
use super::relay::Relay;
use crate::chance::Chance;
use crate::figure::Figure;
use crate::latency::Latencies;
use crate::load::cashier::{Cashier, Habits};
use crate::load::{AtWork, Crew};
use crate::processes::Workplace;
use crate::shop::{Founding, Shop};

const AT_REST_WITHIN: Duration = Duration::from_secs(90);
const AGREED_WITHIN: Duration = Duration::from_secs(90);
const REGISTERS: usize = 2;
const ITEMS: usize = 200;
const STORES: [(&str, &str); 3] = [("thread", "berlin"), ("thread", "munich"), ("grocer", "hamburg")];

#[derive(Clone, Debug)]
pub struct Plan {
    /// One fault each.
    pub rounds: usize,
    pub seed: u64,
    /// Only this one, for whoever looks for a mistake.
    pub only: Option<Fault>,
}

/// What the campaign came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub figures: Vec<Figure>,
    pub rounds: BTreeMap<&'static str, Latencies>,
    pub laws: String,
    pub holds: bool,
}

pub async fn run(plan: &Plan, progress: impl Fn(String)) -> Result<Outcome> {
    let place = Workplace::new("broker")?;
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
    hq: HeadOffice,
    portal: Portal,
    shops: Vec<Shop>,
    relays: Vec<Relay>,
    crews: Vec<AtWork>,
    /// One register per store that only looks.
    observers: Vec<Cashier>,
    place: &'a Workplace,
}

async fn campaign(plan: &Plan, place: &Workplace, progress: &impl Fn(String)) -> Result<Outcome> {
    let mut campaign = Campaign::begin(place, plan.seed).await?;
    progress(format!("{} stores sell, head office listens", campaign.shops.len()));
    let mut chance = Chance::seeded(plan.seed);
    let mut rounds: BTreeMap<&'static str, Latencies> = BTreeMap::new();
    let mut all = Latencies::default();
    let mut books = None;
    for round in 0..plan.rounds {
        let fault = plan.only.unwrap_or(Fault::ALL[round % Fault::ALL.len()]);
        let place = || format!("round {} ({})", round + 1, fault.words());
        tokio::time::sleep(Duration::from_millis(chance.between(100, 500))).await;
        campaign.suffer(fault, &mut chance).await.with_context(place)?;
        let took = campaign.agree().await.with_context(place)?;
        rounds.entry(fault.words()).or_default().push(took);
        all.push(took);
        let found = campaign.check().await.with_context(place)?;
        progress(format!(
            "{}: agreed after {:.1} s, {}",
            place(),
            took.as_secs_f64(),
            found.in_short()
        ));
        let broken = !found.holds;
        books = Some(found);
        if broken {
            break;
        }
        campaign.release();
    }
    campaign.end().await?;
    let books = books.context("no rounds were asked for")?;
    let figures = vec![
        Figure::exactly("broker.laws_broken", books.broken as f64, "laws", 0.0),
        Figure::raw("broker.rounds", all.len() as f64, ""),
        Figure::raw("broker.agreed_p50", all.p50_ms(), "ms"),
        Figure::raw("broker.agreed_max", all.max_ms(), "ms"),
    ];
    Ok(Outcome {
        figures,
        rounds,
        holds: books.holds,
        laws: books.told,
    })
}

impl<'a> Campaign<'a> {
    async fn begin(place: &'a Workplace, seed: u64) -> Result<Self> {
        let logs = place.path().join("logs");
        std::fs::create_dir(&logs)?;
        let mut hq = HeadOffice::found(place.path(), &["thread", "grocer"]).await?;
        let mut joins = Vec::new();
        for (tenant, store) in STORES {
            joins.push(hq.add_store(tenant, store).await?);
        }
        let portal = Portal::furnish(&hq, place.path(), ITEMS).await?;
        hq.start().await?;
        let mut campaign = Self {
            hq,
            portal,
            shops: Vec::new(),
            relays: Vec::new(),
            crews: Vec::new(),
            observers: Vec::new(),
            place,
        };
        for ((number, (tenant, store)), join) in STORES.into_iter().enumerate().zip(joins) {
            let founding = Founding {
                tenant: tenant.into(),
                store: store.into(),
                items: ITEMS,
                join: Some(join),
                ..Founding::plain()
            };
            let relay = Relay::start(campaign.hq.nats()?).await?;
            let mut shop = Shop::found(place.path(), &founding).await?;
            shop.nats = Some(format!("nats://{}", relay.address()));
            shop.start().await?;
            let crew = Crew {
                habits: Habits::quiet(),
                items: ITEMS,
                ..Crew::of_a_campaign(REGISTERS, logs.clone(), seed + number as u64)
            };
            let observer = Crew {
                registers: 1,
                prefix: "watch".into(),
                ..crew.clone()
            };
            campaign.observers.extend(observer.hire(&shop).await?);
            campaign.crews.push(AtWork::begin(crew.hire(&shop).await?));
            campaign.shops.push(shop);
            campaign.relays.push(relay);
        }
        Ok(campaign)
    }

    async fn suffer(&mut self, fault: Fault, chance: &mut Chance) -> Result<()> {
        let mut scene = Scene {
            hq: &mut self.hq,
            shops: &mut self.shops,
            relays: &self.relays,
            portal: &self.portal,
            items: ITEMS as u64,
            folder: self.place.path(),
            chance,
        };
        scene.suffer(fault).await
    }

    /// Holds the registers and waits until head office holds every entry of every store and every store has followed every
    /// order; says how long that took.
    async fn agree(&mut self) -> Result<Duration> {
        let healed = Instant::now();
        for crew in &mut self.crews {
            let rested = tokio::time::timeout(AT_REST_WITHIN, crew.gate.hold(REGISTERS)).await;
            crew.check().await?;
            ensure!(rested.is_ok(), "the registers did not come to rest within {AT_REST_WITHIN:?}");
        }
        let deadline = Instant::now() + AGREED_WITHIN;
        loop {
            let pending = self.portal.pending(&self.hq).await?;
            if pending == 0 {
                break;
            }
            ensure!(
                Instant::now() < deadline,
                "after {AGREED_WITHIN:?} the stores have not followed {pending} orders of head office"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.all_held(deadline).await?;
        Ok(healed.elapsed())
    }

    async fn all_held(&mut self, deadline: Instant) -> Result<()> {
        for (observer, shop) in self.observers.iter_mut().zip(&mut self.shops) {
            loop {
                shop.check_alive()?;
                self.hq.check_alive()?;
                let status = observer.status().await?;
                let head = status.position.unwrap_or_default();
                if status.held_by_hq >= head.seq {
                    break;
                }
                ensure!(
                    Instant::now() < deadline,
                    "after {AGREED_WITHIN:?} head office still holds only {} of {} entries of {}: {}",
                    status.held_by_hq,
                    head.seq,
                    status.store,
                    status.trouble
                );
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        Ok(())
    }

    async fn check(&mut self) -> Result<Books> {
        let folder = self.place.path().join("evidence");
        evidence::gather(&folder, &self.shops, &self.place.path().join("logs"), Some(&self.hq)).await?;
        self.hq.prove().await.context("head office can not prove its books")?;
        books::check(&folder, Converged::Yes)
    }

    fn release(&self) {
        for crew in &self.crews {
            crew.gate.release();
        }
    }

    async fn end(mut self) -> Result<()> {
        for crew in self.crews.drain(..) {
            crew.end().await?;
        }
        for shop in &mut self.shops {
            shop.stop().await?;
            books::verify(shop).await?;
        }
        self.hq.stop().await
    }
}
