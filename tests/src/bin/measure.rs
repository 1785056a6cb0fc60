//! The `measure` command: how fast, how safe after a crash, how faithful over a broken wire; and the ten laws over files.
//!
//! Exit codes: 0 all goals that must hold hold, 1 a law is broken or something failed, 2 wrong use.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use backroom_tests::baseline::grpc;
use backroom_tests::campaign::{broker, crash, fault::Fault, panics};
use backroom_tests::latency::Latencies;
use backroom_tests::laws::{self, Sync};
use backroom_tests::{baskets, checkout, days, federation_sim, figure, journal_verify, pricing};
use clap::{Args, Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, Parser)]
#[command(
    name = "measure",
    version,
    about = "Measures the product from outside, with its own programs built beside this one"
)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Sales per second, scan and tender times, beside the limits of this machine
    Checkout(Checkout),
    /// Kills the box under load, again and again, and checks the laws
    Crash(Crash),
    /// Strikes down every actor of the box under load
    Panics {
        #[command(flatten)]
        common: Common,
        #[arg(long, default_value_t = 3)]
        strikes: usize,
    },
    /// Breaks what lies between stores and head office, and checks the laws
    Broker {
        #[command(flatten)]
        common: Common,
        /// One fault each
        #[arg(long, default_value_t = 50)]
        rounds: usize,
        /// Only the fault with this number, from 1
        #[arg(long)]
        only: Option<usize>,
    },
    /// What a scan costs with many lines and promotions, and what a large catalog costs
    Pricing {
        #[command(flatten)]
        common: Common,
    },
    /// Checks the ten laws over exports, client logs and ledgers
    Laws(Laws),
    /// Plays whole schedules of stores and head office with faults, and checks that nothing is lost
    FederationSim(FederationSim),
    /// Verifies a long journal, beside a bare SHA-256 over the same bytes
    JournalVerify {
        #[command(flatten)]
        common: Common,
    },
    #[command(name = grpc::SERVE, hide = true)]
    BareGrpcServer,
}

#[derive(Debug, Args)]
struct Common {
    /// Short, for every day
    #[arg(long)]
    quick: bool,
    /// One JSON object a figure, and nothing else on standard output
    #[arg(long)]
    json: bool,
    /// The same seed makes the same choices
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Args)]
struct Checkout {
    #[command(flatten)]
    common: Common,
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    registers: u16,
    /// How long the box sells in each repetition
    #[arg(long, default_value_t = 3)]
    seconds: u32,
}

#[derive(Debug, Args)]
struct Crash {
    #[command(flatten)]
    common: Common,
    #[arg(long, default_value_t = 200)]
    kills: usize,
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=64))]
    registers: u16,
}

#[derive(Debug, Args)]
struct FederationSim {
    /// A few hundred schedules, for every day
    #[arg(long)]
    quick: bool,
    /// One JSON object a figure, and nothing else on standard output
    #[arg(long)]
    json: bool,
    /// How many schedules
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Play only this one again, and tell what happens in it
    #[arg(long)]
    seed: Option<u64>,
    /// With --seed: with real bytes and signatures
    #[arg(long, requires = "seed")]
    real: bool,
}

#[derive(Debug, Args)]
struct Laws {
    /// Tries so many random baskets instead of reading files: half of them are priced and compared with a second calculation, half are
    /// tickets of whole days in random shops, whose journal must keep the laws L1 to L7
    #[arg(long, value_name = "N", conflicts_with_all = ["store_export", "hq_export", "tickets", "log", "state", "ledger"])]
    seeds: Option<u64>,
    /// With random baskets, few of them: short, for every day
    #[arg(long, conflicts_with_all = ["store_export", "hq_export", "tickets", "log", "state", "ledger"])]
    quick: bool,
    /// Plays the days of this one shop again, twice, and tells what was met
    #[arg(long, value_name = "SEED", conflicts_with_all = ["seeds", "quick", "store_export", "hq_export", "tickets", "log", "state", "ledger"])]
    shop: Option<u64>,
    /// The first of the seeds
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, num_args = 1.., value_name = "FILE")]
    store_export: Vec<PathBuf>,
    #[arg(long, num_args = 1.., value_name = "FILE")]
    hq_export: Vec<PathBuf>,
    #[arg(long, num_args = 1.., value_name = "FILE")]
    tickets: Vec<PathBuf>,
    #[arg(long, num_args = 1.., value_name = "FILE")]
    log: Vec<PathBuf>,
    #[arg(long, num_args = 1.., value_name = "FILE")]
    state: Vec<PathBuf>,
    #[arg(long, num_args = 1.., value_name = "FILE")]
    ledger: Vec<PathBuf>,
    /// Head office must hold everything
    #[arg(long)]
    converged: bool,
    /// What was written but not flushed may be gone
    #[arg(long)]
    after_power_cut: bool,
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    // Without this the HTTP and gRPC clients do not know whose cryptography to use.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse();
    let work = run(cli.what);
    let ended = tokio::select! {
        ended = work => ended,
        () = told_to_stop() => Err(anyhow::anyhow!("interrupted; all programs that were started are ended")),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("measure: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn told_to_stop() {
    let terminated = signal(SignalKind::terminate());
    match terminated {
        Ok(mut terminated) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        },
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

fn progress(line: String) {
    eprintln!("  {line}");
}

/// Whether everything that must hold holds.
async fn run(what: What) -> Result<bool> {
    match what {
        What::Checkout(args) => {
            let registers = usize::from(args.registers);
            let plan = match args.common.quick {
                true => checkout::Plan::quick(registers),
                false => checkout::Plan::full(registers, f64::from(args.seconds.max(1))),
            };
            let figures = checkout::measure(&plan, progress).await?;
            figure::print(&figures, args.common.json);
            // Speed depends on the machine: a missed goal is told, and is no failure of this command.
            Ok(true)
        }
        What::Crash(args) => {
            let plan = crash::Plan {
                kills: if args.common.quick { 20 } else { args.kills },
                registers: usize::from(args.registers),
                seed: args.common.seed,
            };
            let outcome = crash::run(&plan, progress).await?;
            figure::print(&outcome.figures, args.common.json);
            if !args.common.json {
                print_counts("kill points hit by state edge", &outcome.edges);
                print_counts("refusals", &outcome.refusals);
                println!("\n{}", outcome.laws);
            }
            Ok(outcome.holds)
        }
        What::Panics { common, strikes } => {
            let plan = panics::Plan {
                strikes_each: if common.quick { 1 } else { strikes },
                seed: common.seed,
            };
            let outcome = panics::run(&plan, progress).await?;
            figure::print(&outcome.figures, common.json);
            if !common.json {
                print_strikes(&outcome.strikes);
                println!("\n{}", outcome.laws);
            }
            Ok(outcome.holds)
        }
        What::Broker { common, rounds, only } => {
            let plan = broker::Plan {
                rounds: if common.quick { Fault::ALL.len() } else { rounds },
                seed: common.seed,
                only: only.and_then(|number| Fault::ALL.get(number.checked_sub(1)?).copied()),
            };
            let outcome = broker::run(&plan, progress).await?;
            figure::print(&outcome.figures, common.json);
            if !common.json {
                print_rounds(&outcome.rounds);
                println!("\n{}", outcome.laws);
            }
            Ok(outcome.holds)
        }
        What::Pricing { common } => {
            let plan = match common.quick {
                true => pricing::Plan::quick(common.seed),
                false => pricing::Plan::full(common.seed),
            };
            let figures = pricing::measure(&plan, progress)?;
            figure::print(&figures, common.json);
            // As above: a missed goal is told.
            Ok(true)
        }
        What::Laws(args) if args.seeds.is_some() || args.quick => random_laws(&args),
        What::Laws(Laws {
            shop: Some(shop), json, ..
        }) => {
            figure::print(&days::replay(shop)?, json);
            Ok(true)
        }
        What::Laws(args) => check_laws(args),
        What::FederationSim(args) => Ok(simulate(&args)),
        What::JournalVerify { common } => {
            let entries = if common.quick { 20_000 } else { 1_000_000 };
            let plan = journal_verify::Plan {
                entries,
                seed: common.seed,
            };
            let figures = journal_verify::measure(&plan)?;
            figure::print(&figures, common.json);
            // Speed is told; that every flipped bit is named must hold.
            Ok(figures
                .iter()
                .all(|figure| figure.name != "flipped_bits_named" || figure.ok == Some(true)))
        }
        What::BareGrpcServer => grpc::serve().await.map(|()| true),
    }
}

fn simulate(args: &FederationSim) -> bool {
    if let Some(seed) = args.seed {
        let (outcome, lines, same) = federation_sim::replay(seed, args.real);
        lines.iter().for_each(|line| println!("{line}"));
        match (&outcome.broken, same) {
            (Some(broken), _) => println!("seed {seed}: BROKEN: {broken}"),
            (None, true) => println!("seed {seed}: every law holds, {} ms after the last fault", outcome.healed_ms),
            (None, false) => println!("seed {seed}: does not play the same twice"),
        }
        return outcome.broken.is_none() && same;
    }
    let plan = match args.quick {
        true => federation_sim::Plan::quick(),
        false => federation_sim::Plan::of(args.seeds),
    };
    let report = federation_sim::run(&plan, progress);
    figure::print(&report.figures, args.json);
    if let Some((seed, why, lines)) = &report.broken {
        eprintln!("\nseed {seed} is BROKEN: {why}\nits last steps; all of them: measure federation-sim --seed {seed}\n");
        lines
            .iter()
            .skip(lines.len().saturating_sub(60))
            .for_each(|line| eprintln!("{line}"));
    }
    report.holds
}

/// In a debug build a few seconds' worth.
const QUICK_BASKETS: u64 = 6_000;

fn random_laws(args: &Laws) -> Result<bool> {
    let seeds = args.seeds.unwrap_or(QUICK_BASKETS);
    let tickets = seeds / 2;
    let of_days = days::check(&days::Plan { tickets, first: args.seed })?;
    let mut figures = baskets::compare(&baskets::Plan {
        seeds: seeds - tickets,
        first: args.seed,
    })?;
    figures.extend(of_days);
    figure::print(&figures, args.json);
    Ok(figures.iter().all(|figure| figure.ok != Some(false)))
}

fn check_laws(args: Laws) -> Result<bool> {
    let files = laws::Files {
        store_exports: args.store_export,
        hq_exports: args.hq_export,
        tickets: args.tickets,
        states: args.state,
        logs: args.log,
        ledgers: args.ledger,
    };
    let options = laws::Options {
        after_power_cut: args.after_power_cut,
        sync: if args.converged { Sync::Converged } else { Sync::UnderWay },
        ..laws::Options::default()
    };
    let report = laws::check_files(&files, options)?;
    match args.json {
        true => println!("{}", report.to_json()),
        false => print!("{report}"),
    }
    Ok(report.holds())
}

fn print_counts(title: &str, counts: &BTreeMap<String, u64>) {
    println!("\n{title}");
    if counts.is_empty() {
        println!("  none");
    }
    for (what, times) in counts {
        println!("  {what:<44}{times:>7}");
    }
}

fn print_strikes(strikes: &[panics::Strike]) {
    println!("\n{:<28}{:>16}{:>16}{:>12}", "actor", "others waited", "own waited", "usual");
    let ms = |time: std::time::Duration| format!("{:.0} ms", time.as_secs_f64() * 1e3);
    for strike in strikes {
        let own = strike.own_waited.map(ms).unwrap_or_default();
        println!(
            "{:<28}{:>16}{own:>16}{:>12}",
            strike.actor,
            ms(strike.others_waited),
            ms(strike.usual)
        );
    }
}

fn print_rounds(rounds: &BTreeMap<&'static str, Latencies>) {
    println!("\n{:<36}{:>7}{:>14}{:>12}", "fault", "rounds", "agreed p50", "max");
    for (fault, took) in rounds {
        println!("{fault:<36}{:>7}{:>11.0} ms{:>9.0} ms", took.len(), took.p50_ms(), took.max_ms());
    }
}
