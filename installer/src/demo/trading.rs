//! `demo` for a person: the shops trade until somebody stops them, whoever is killed meanwhile is started again, and a line
//! every few seconds says how it goes.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::cashier::Pace;
use super::crew::Crew;
use super::guide;
use super::office::{Portal, Standing};
use super::processes::last_words;
use super::say::Voice;
use super::seed::COMPANIES;
use super::town::Town;

const FIRST_SALE_WITHIN: Duration = Duration::from_secs(60);
/// Somebody may hold a box for a while to see what happens; its cashiers wait.
const PATIENCE: Duration = Duration::from_secs(3_600);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const TELL_EVERY: Duration = Duration::from_secs(5);
/// More deaths in this time are no experiment any more.
const DEATHS_IN: Duration = Duration::from_secs(20);
const MOST_DEATHS: usize = 6;

/// Goes on until it is dropped; returns only when something can not be mended.
pub async fn run(town: &mut Town, voice: &mut Voice) -> Result<()> {
    let mut crew = Crew::begin(town, Pace::TRICKLE, PATIENCE).await?;
    let began = Instant::now();
    while crew.sales() == 0 {
        mend(town, &mut crew, &mut Vec::new(), voice).await?;
        if began.elapsed() > FIRST_SALE_WITHIN {
            bail!("no cashier sold anything within {} s", FIRST_SALE_WITHIN.as_secs());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    voice.say("the first sale is made; the shops are open");
    let guide = guide::text(town).await?;
    voice.show(&guide);

    let mut portals = None;
    let mut deaths = Vec::new();
    let mut told = Instant::now();
    loop {
        mend(town, &mut crew, &mut deaths, voice).await?;
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            let standings = ask(town, &mut portals).await;
            voice.say(status(town, &crew, standings.as_deref()));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Starts whoever was killed again, and tells who has given up.
async fn mend(town: &mut Town, crew: &mut Crew, deaths: &mut Vec<Instant>, voice: &mut Voice) -> Result<()> {
    if let Some((register, error)) = crew.gave_up() {
        let store = town.shops[register.shop].store.code;
        voice.say(format!("the cashier of register {} in {store} goes home: {error:#}", register.name));
    }
    let Some((who, status)) = town.who_ended() else { return Ok(()) };
    let (name, log) = town.name_and_log(who)?;
    deaths.retain(|death| death.elapsed() < DEATHS_IN);
    deaths.push(Instant::now());
    if deaths.len() > MOST_DEATHS {
        bail!("{name} ended again ({status}); its last words:{}", last_words(log));
    }
    voice.say(format!("{name} ended ({status}); starting it again"));
    let began = Instant::now();
    town.reopen(who).await?;
    voice.say(format!("{name} is back after {:.1} s", began.elapsed().as_secs_f64()));
    Ok(())
}

/// What head office says of its stores; `None` while it does not answer.
async fn ask(town: &Town, portals: &mut Option<Vec<Portal>>) -> Option<Vec<Standing>> {
    let asked = async {
        let office = town.office()?;
        let mut signed_in = portals.take().unwrap_or_default();
        if signed_in.is_empty() {
            for company in COMPANIES {
                signed_in.push(office.sign_in(company).await?);
            }
        }
        let mut standings = Vec::new();
        for portal in &signed_in {
            standings.extend(portal.stores().await?);
        }
        *portals = Some(signed_in);
        anyhow::Ok(standings)
    };
    asked.await.context("head office").ok()
}

fn status(town: &Town, crew: &Crew, standings: Option<&[Standing]>) -> String {
    let mut sales = Vec::new();
    let mut behind = Vec::new();
    for (which, shop) in town.shops.iter().enumerate() {
        let (code, figures) = (shop.store.code, crew.of_shop(which));
        sales.push(format!("{code} {}", figures.sales));
        let Some(standing) = standings.and_then(|all| all.iter().find(|one| one.store == code)) else {
            continue;
        };
        let held = if standing.epoch >= figures.told.epoch { standing.held } else { 0 };
        match figures.told.seq.saturating_sub(held).max(standing.lag_entries) {
            _ if !standing.connected => behind.push(format!("{code} is cut off")),
            0 => {}
            entries => behind.push(format!("{code} {entries} entries behind")),
        }
    }
    let office = match standings {
        None => "does not answer".to_owned(),
        Some(_) if behind.is_empty() => "holds everything".to_owned(),
        Some(_) => behind.join(", "),
    };
    format!("sales: {}; head office: {office}", sales.join(", "))
}
