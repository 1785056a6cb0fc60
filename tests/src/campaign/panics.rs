//! `measure panics`: strikes down every actor of the box in turn, under load, and looks how long the other registers waited.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use backroom_protocol::v1::console::console_service_client::ConsoleServiceClient;
use backroom_protocol::v1::console::{Command, ListActorsRequest, StrikeActorRequest};
use tonic::transport::{Channel, Endpoint};

use super::books::{self, Converged};
use super::evidence;
use super::watch::Watch;
use crate::figure::Figure;
use crate::latency::Latencies;
use crate::load::witness::What;
use crate::load::{AtWork, Crew};
use crate::processes::Workplace;
use crate::shop::{Founding, Shop};

const REGISTERS: usize = 6;
const BEFORE: Duration = Duration::from_millis(250);
const AFTER: Duration = Duration::from_millis(750);
const AT_REST_WITHIN: Duration = Duration::from_secs(90);

/// How often each actor is struck.
#[derive(Clone, Debug)]
pub struct Plan {
    pub strikes_each: usize,
    pub seed: u64,
}

/// One actor's fall.
#[derive(Clone, Debug)]
pub struct Strike {
    pub actor: String,
    /// The longest any register it does not belong to went without an answer.
    pub others_waited: Duration,
    /// The same for its own register.
    pub own_waited: Option<Duration>,
    /// The longest silence in the time just before: what is usual here.
    pub usual: Duration,
}

#[derive(Clone, Debug)]
pub struct Outcome {
    pub figures: Vec<Figure>,
    pub strikes: Vec<Strike>,
    pub laws: String,
    pub holds: bool,
}

pub async fn run(plan: &Plan, progress: impl Fn(String)) -> Result<Outcome> {
    let place = Workplace::new("panics")?;
    match campaign(plan, &place, &progress).await {
        Ok(outcome) if outcome.holds => Ok(outcome),
        Ok(outcome) => {
            progress(format!("everything is kept in {}", place.keep().display()));
            Ok(outcome)
        }
        Err(error) => Err(error.context(format!("everything is kept in {}", place.keep().display()))),
    }
}

async fn campaign(plan: &Plan, place: &Workplace, progress: &impl Fn(String)) -> Result<Outcome> {
    let mut shop = Shop::found(place.path(), &Founding::plain()).await?;
    shop.allow_faults = true;
    shop.start().await?;
    let logs = place.path().join("logs");
    std::fs::create_dir(&logs)?;
    let (events, mut watch) = Watch::new();
    let mut crew = Crew::of_a_campaign(REGISTERS, logs.clone(), plan.seed);
    crew.events = Some(events);
    let mut at_work = AtWork::begin(crew.hire(&shop).await?);
    let mut console = ConsoleServiceClient::new(Endpoint::from_shared(shop.address())?.connect().await?);
    let mut strikes = Vec::new();
    for _ in 0..plan.strikes_each {
        for actor in actors(&mut console).await? {
            let strike = strike(&mut console, &mut watch, &actor)
                .await
                .with_context(|| format!("striking {actor}"))?;
            at_work.check().await?;
            shop.check_alive()?;
            progress(format!(
                "{actor}: other registers waited at most {:.0} ms (usual {:.0} ms)",
                strike.others_waited.as_secs_f64() * 1e3,
                strike.usual.as_secs_f64() * 1e3
            ));
            strikes.push(strike);
        }
    }
    let rested = tokio::time::timeout(AT_REST_WITHIN, at_work.gate.hold(REGISTERS)).await;
    at_work.check().await?;
    ensure!(rested.is_ok(), "the registers did not come to rest within {AT_REST_WITHIN:?}");
    let folder = place.path().join("evidence");
    evidence::gather(&folder, std::slice::from_ref(&shop), &logs, None).await?;
    let books = books::check(&folder, Converged::No)?;
    let (_, tally) = at_work.end().await?;
    shop.stop().await?;
    books::verify(&shop).await?;

    let mut waited = Latencies::default();
    strikes.iter().for_each(|strike| waited.push(strike.others_waited));
    let figures = vec![
        Figure::exactly("panics.laws_broken", books.broken as f64, "laws", 0.0),
        Figure::raw("panics.strikes", strikes.len() as f64, ""),
        Figure::raw("panics.commands_answered", tally.acked as f64, ""),
        Figure::raw("panics.refusals", tally.refusals.values().sum::<u64>() as f64, ""),
        Figure::at_most("panics.others_waited_p50", waited.p50_ms(), "ms", 100.0, 1.0),
        Figure::raw("panics.others_waited_max", waited.max_ms(), "ms"),
    ];
    Ok(Outcome {
        figures,
        strikes,
        holds: books.holds,
        laws: books.told,
    })
}

async fn actors(console: &mut ConsoleServiceClient<Channel>) -> Result<Vec<String>> {
    let listed = console.list_actors(ListActorsRequest {}).await?.into_inner();
    ensure!(!listed.actors.is_empty(), "the box lists no actors");
    Ok(listed.actors.into_iter().map(|actor| actor.name).collect())
}

async fn strike(console: &mut ConsoleServiceClient<Channel>, watch: &mut Watch, actor: &str) -> Result<Strike> {
    watch.catch_up();
    let mut quiet = Silences::begin();
    watch
        .look_on(BEFORE, |event| quiet.note(event.register, &event.what, event.at))
        .await;
    let usual = quiet.longest(|_| true);

    let own = actor
        .strip_prefix("register/r")
        .and_then(|number| number.parse::<usize>().ok())
        .map(|number| number - 1);
    let mut silences = Silences::begin();
    let command = Some(Command {
        command_id: installer::client::new_id().as_bytes().to_vec(),
    });
    let name = actor.to_owned();
    console.strike_actor(StrikeActorRequest { name, command }).await?;
    watch
        .look_on(AFTER, |event| silences.note(event.register, &event.what, event.at))
        .await;
    Ok(Strike {
        actor: actor.to_owned(),
        others_waited: silences.longest(|register| Some(register) != own),
        own_waited: own.map(|own| silences.longest(|register| register == own)),
        usual,
    })
}

/// The longest time each register went without an answer.
struct Silences {
    since: [Instant; REGISTERS],
    longest: [Duration; REGISTERS],
}

impl Silences {
    fn begin() -> Self {
        Self {
            since: [Instant::now(); REGISTERS],
            longest: [Duration::ZERO; REGISTERS],
        }
    }

    fn note(&mut self, register: usize, what: &What, at: Instant) {
        if let What::Acked { .. } = what
            && register < REGISTERS
        {
            let silence = at.saturating_duration_since(self.since[register]);
            self.longest[register] = self.longest[register].max(silence);
            self.since[register] = at;
        }
    }

    /// Counting the silence that still lasts.
    fn longest(&self, of: impl Fn(usize) -> bool) -> Duration {
        let now = Instant::now();
        let silence = |register: usize| self.longest[register].max(now.saturating_duration_since(self.since[register]));
        (0..REGISTERS)
            .filter(|register| of(*register))
            .map(silence)
            .max()
            .unwrap_or_default()
    }
}
