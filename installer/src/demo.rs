//! `backroom demo`: two companies, three stores and a head office on this machine, selling before the coffee is ready.
//!
//! Owns the order of things and their end: whatever is started here is stopped here, and nothing stays. Uses the product only
//! from outside, by its programs and protocols.

mod broker;
mod cashier;
mod counter;
mod crew;
mod evidence;
mod folder;
mod front;
mod guide;
mod office;
mod pages;
mod processes;
mod programs;
mod say;
mod seed;
mod shop;
mod story;
mod summary;
mod town;
mod trading;
mod webshop;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::folder::Folder;
use self::programs::Programs;
use self::say::Voice;
use self::town::Town;

/// Show two companies at work on this machine: head office, three stores with a counter each, and cashiers who sell
///
/// Builds the pages and programs and fetches a nats-server if they are missing, takes ports from 7400 upwards on loopback only, and
/// keeps everything in a temporary folder. Prints addresses, passwords, PINs and what to try first. Whoever is killed meanwhile is
/// started again. Ctrl-C stops everything and leaves nothing behind.
///
/// BACKROOM_NATS_SERVER names a nats-server 2.10 or newer to be used instead of a fetched one.
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// By itself: sells for cash and by card, kills the broker and a box, changes a price, counts a shelf, checks the ten laws,
    /// prints a summary and ends.
    /// The exit code is 0 only if each of it happened and no law is broken
    #[arg(long)]
    headless: bool,
    /// How long the shops sell before the books are checked
    #[arg(long, value_name = "SECONDS", default_value_t = 30, requires = "headless", value_parser = clap::value_parser!(u64).range(4..=3_600))]
    seconds: u64,
    /// Take the programs as they lie beside this one
    #[arg(long)]
    no_build: bool,
    /// Keep everything in this folder, which must be empty or not there yet, instead of a temporary one
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

pub fn run(args: Demo) -> ExitCode {
    // Without this the HTTP client does not know whose cryptography to use; somebody else's choice is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("backroom: could not begin: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(show(&args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("backroom: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn show(args: &Demo) -> Result<()> {
    let mut stop = Stop::listen()?;
    let mut voice = Voice::new();
    let folder = Folder::new(args.data.as_deref())?;
    let mut town = Town::new(Programs::find()?, folder)?;
    let played = tokio::select! {
        played = play(args, &mut town, &mut voice) => Some(played),
        () = stop.asked() => None,
    };
    voice.say(if played.is_some() {
        "stopping"
    } else {
        "stopping everything in order; Ctrl-C once more kills it"
    });
    let troubles = tokio::select! {
        troubles = town.close() => troubles,
        () = stop.asked() => vec!["not everything was stopped in order".to_owned()],
    };
    for trouble in &troubles {
        voice.say(trouble);
    }
    end(args, played, &troubles, &mut town, &mut voice)
}

async fn play(args: &Demo, town: &mut Town, voice: &mut Voice) -> Result<()> {
    if args.no_build {
        town.programs.check()?;
    } else {
        if let Some(project) = town.programs.project() {
            pages::build(project, &town.starter, voice).await?;
        }
        town.programs.clone().build(&town.starter, voice).await?;
    }
    let built = voice.elapsed();
    let tools = town.programs.tools();
    let nats_server = broker::bring(&town.starter, tools.as_deref(), voice).await?;
    town.open(nats_server, voice).await?;
    match args.headless {
        true => story::run(town, Duration::from_secs(args.seconds), built, voice).await,
        false => trading::run(town, voice).await,
    }
}

/// What the exit code says: `None` is that somebody stopped it.
fn end(args: &Demo, played: Option<Result<()>>, troubles: &[String], town: &mut Town, voice: &mut Voice) -> Result<()> {
    let result = match played {
        None if args.headless => Err(anyhow::anyhow!(
            "interrupted before the laws were checked; everything is stopped and removed"
        )),
        None => Ok(()),
        Some(Err(error)) => {
            if args.headless && !town.shops.is_empty() {
                town.folder.keep();
            }
            Err(error)
        }
        Some(Ok(())) if troubles.is_empty() => Ok(()),
        Some(Ok(())) => Err(anyhow::anyhow!(
            "the laws hold, but not everything stopped as it should: {}",
            troubles.join("; ")
        )),
    };
    match town.folder.temporary() {
        Some(_) => voice.say("everything is stopped and removed"),
        None => voice.say(format!(
            "everything is stopped; logs and data are kept in {}",
            town.folder.path().display()
        )),
    }
    result
}

/// Ctrl-C, an operator's SIGTERM, or the terminal that was closed.
struct Stop {
    signals: [Signal; 3],
}

impl Stop {
    fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).context("could not listen for Ctrl-C");
        Ok(Self {
            signals: [
                listen(SignalKind::interrupt())?,
                listen(SignalKind::terminate())?,
                listen(SignalKind::hangup())?,
            ],
        })
    }

    async fn asked(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
