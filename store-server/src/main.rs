//! `store-server`: the box in the back room. Command line, logs and exit codes; everything else has a room of its own.

mod backup;
mod config;
mod devices;
mod grpc;
mod http;
mod link;
mod metrics;
mod notify;
mod serve;
mod setup;
mod state;
mod tools;
mod web;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

/// The server in the back room of a shop: registers talk to it, it keeps the books.
#[derive(Parser)]
#[command(name = "store-server", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(Subcommand)]
enum Command {
    /// Serve (the same as giving no subcommand)
    Run(Run),
    /// Set a box up, once
    Init(Box<setup::Init>),
    /// Name the machines of the shop: printers, terminals, scanners, readers
    #[command(subcommand)]
    Devices(devices::Devices),
    /// Make a pairing code with which a device becomes a register
    Pair(Data),
    /// Look into the journal
    #[command(subcommand)]
    Journal(Journal),
    /// Look into open tickets
    #[command(subcommand)]
    Tickets(Tickets),
    /// Save everything of a store in one file, while it sells
    Backup(backup::Backup),
    /// Make a box from a backup, in an empty folder
    Restore(backup::restore::Restore),
    /// Verify the journal, and that stock and tills follow from it
    Prove(Data),
    /// Prices, stock and tills as they stand, or as they stood, one JSON line each
    State {
        #[command(flatten)]
        data: Data,
        /// Recomputed from the journal up to this instant: 2026-11-01T02:30:00+01:00, or 2026-11-01 02:30 by the shop's clock
        #[arg(long, value_name = "INSTANT")]
        as_of: Option<String>,
    },
}

#[derive(Subcommand)]
enum Journal {
    /// Check every hash, number and signature
    Verify(Data),
    /// Every entry as one JSON line
    Export(Data),
    /// One entry, readable
    Show {
        #[command(flatten)]
        data: Data,
        /// Entry number
        seq: u64,
        #[arg(long, default_value_t = 1)]
        epoch: u32,
    },
}

#[derive(Subcommand)]
enum Tickets {
    /// Open tickets as one JSON line each
    Export(Data),
}

#[derive(Debug, Args)]
struct Data {
    /// The store's data folder
    #[arg(long, env = "BACKROOM_DATA")]
    data: PathBuf,
}

#[derive(Args)]
struct Run {
    /// Settings file; see box.example.toml
    #[arg(long, env = "BACKROOM_CONFIG")]
    config: Option<PathBuf>,
    /// The store's data folder
    #[arg(long, env = "BACKROOM_DATA")]
    data: Option<PathBuf>,
    /// Where registers talk to the box
    #[arg(long, env = "BACKROOM_GRPC")]
    grpc: Option<SocketAddr>,
    /// Where the box answers health checks
    #[arg(long, env = "BACKROOM_HTTP")]
    http: Option<SocketAddr>,
    /// Head office's broker, instead of the one in the join file
    #[arg(long, env = "BACKROOM_NATS")]
    nats: Option<String>,
    /// Let the console make actors panic
    #[arg(long, env = "BACKROOM_ALLOW_FAULTS")]
    allow_faults: bool,
    /// error, warn, info, debug or a filter
    #[arg(long, env = "BACKROOM_LOG")]
    log: Option<String>,
    /// pretty for people, json for machines
    #[arg(long, env = "BACKROOM_LOG_FORMAT")]
    log_format: Option<config::LogFormat>,
}

impl Run {
    fn config(self) -> Result<config::Config, config::ConfigError> {
        let file = match &self.config {
            Some(path) => config::File::read(path)?,
            None => config::File::default(),
        };
        let said = config::File {
            data: self.data,
            grpc: self.grpc,
            http: self.http,
            nats: self.nats,
            allow_faults: self.allow_faults.then_some(true),
            log: self.log,
            log_format: self.log_format,
        };
        said.over(file).finish()
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let wrong = error.use_stderr();
            let _ = error.print(); // Nowhere to say it if even that fails.
            return ExitCode::from(if wrong { 2 } else { 0 });
        }
    };
    let nothing_said = cli.command.is_none() && cli.run.config.is_none() && cli.run.data.is_none();
    if nothing_said {
        let _ = Cli::command().print_help(); // Nowhere to say it if even that fails.
        return ExitCode::SUCCESS;
    }
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("encryption was set up before");
    }
    match work(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("store-server: {error:#}");
            let wrong_use = error.is::<config::ConfigError>() || error.is::<state::NoInstant>();
            let refused = error.is::<backup::Refused>();
            ExitCode::from(match (wrong_use, refused) {
                (true, _) => 2,
                (_, true) => 3,
                _ => 1,
            })
        }
    }
}

fn work(cli: Cli) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        match cli.command {
            None => run(cli.run).await,
            Some(Command::Run(settings)) => run(settings).await,
            Some(Command::Init(init)) => setup::init(*init).await,
            Some(Command::Devices(command)) => devices::work(command),
            Some(Command::Pair(at)) => tools::pair(&at.data).await,
            Some(Command::Journal(Journal::Verify(at))) => tools::verify(&at.data).await,
            Some(Command::Journal(Journal::Export(at))) => tools::export(&at.data).await,
            Some(Command::Journal(Journal::Show { data, seq, epoch })) => tools::show(&data.data, epoch, seq).await,
            Some(Command::Tickets(Tickets::Export(at))) => tools::tickets(&at.data).await,
            Some(Command::Backup(asked)) => backup::backup(asked).await,
            Some(Command::Restore(asked)) => backup::restore::restore(asked).await,
            Some(Command::Prove(at)) => tools::prove(&at.data).await,
            Some(Command::State { data, as_of }) => match as_of {
                Some(instant) => state::as_of(&data.data, &instant).await,
                None => state::now(&data.data).await,
            },
        }
    });
    // Screens that still hang on are not waited for.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    done
}

async fn run(settings: Run) -> anyhow::Result<()> {
    let config = settings.config()?;
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log).map_err(|error| anyhow::anyhow!("log = {:?}: {error}", config.log))?;
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        config::LogFormat::Pretty => logs.with_ansi(colours).init(),
        config::LogFormat::Json => logs.json().flatten_event(true).init(),
    }
    serve::serve(config).await
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
