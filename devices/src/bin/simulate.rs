//! `simulate NAME`: a device without the metal. Command line and logs; each device has a room of its own in `sim`.

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use backroom_devices::sim;

/// Devices of a counter, simulated: each speaks the real bytes, keeps a ledger of what happened to it and can be told to fail.
#[derive(Parser)]
#[command(name = "simulate", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A counter: printer, terminal, scanner, and a reader if it has a name
    Counter(sim::counter::Args),
    /// A receipt printer with a drawer, that speaks ESC/POS
    Printer(sim::printer::Args),
    /// An RFID reader that speaks LLRP
    Reader(sim::reader::Args),
    /// A bar code scanner on a serial line
    Scanner(sim::scanner::Args),
    /// A payment terminal that speaks ZVT
    Terminal(sim::terminal::Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let wanted = EnvFilter::try_from_env("BACKROOM_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(wanted)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match run(cli.command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("simulate: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    sim::ready::listen_for_the_end().context("could not listen to signals")?;
    match command {
        Command::Counter(args) => sim::counter::run(args).await,
        Command::Printer(args) => sim::printer::run(args).await,
        Command::Reader(args) => sim::reader::run(args).await,
        Command::Scanner(args) => sim::scanner::run(args).await,
        Command::Terminal(args) => sim::terminal::run(args).await,
    }
}
