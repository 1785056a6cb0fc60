//! A whole counter in one process: printer with drawer, payment terminal, scanner, and an RFID reader if wanted.
//!
//! Owns only the names, the folder and the one line that lists everything; each device is the same as when it runs alone, and has its
//! own knobs. The counter's own control passes a line on to the device it names first (`p1 paper out`).

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::sim::{Common, control, printer, reader, ready, scanner, terminal};
use crate::zvt::digits::Password;

const LONGEST_LINE: u64 = 64 * 1024;

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Folder for the ledgers, a file for each device, and for the scanner's line
    #[arg(long, value_name = "DIR")]
    pub ledgers: PathBuf,
    /// Folder that gets a picture of each receipt
    #[arg(long, value_name = "DIR")]
    pub paper_dir: Option<PathBuf>,
    /// Put before the name of each device, to tell counters apart
    #[arg(long, default_value = "")]
    pub prefix: String,
    /// What the printer is called; the same that the box uses
    #[arg(long, default_value = "p1")]
    pub printer: String,
    /// What the terminal is called
    #[arg(long, default_value = "card1")]
    pub terminal: String,
    /// What the scanner is called
    #[arg(long, default_value = "scanner1")]
    pub scanner: String,
    /// What the RFID reader is called; without a name there is none
    #[arg(long)]
    pub reader: Option<String>,
    #[arg(long, default_value = "127.0.0.1:0")]
    pub printer_listen: SocketAddr,
    #[arg(long, default_value = "127.0.0.1:0")]
    pub terminal_listen: SocketAddr,
    #[arg(long, default_value = "127.0.0.1:0")]
    pub reader_listen: SocketAddr,
    /// Where knobs of all devices are turned: the device's name, then its line
    #[arg(long, default_value = "127.0.0.1:0")]
    pub control: SocketAddr,
    /// Where the scanner's serial port appears; otherwise in the folder of the ledgers
    #[arg(long, value_name = "PATH")]
    pub scanner_link: Option<PathBuf>,
    /// Characters to a line of the receipt
    #[arg(long, default_value_t = 42, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(16..=64))]
    pub columns: usize,
    /// Somebody pushes the drawer shut so long after it opened
    #[arg(long, value_name = "MS")]
    pub drawer_closes_after: Option<u64>,
    /// How long customer and bank take for a payment
    #[arg(long, default_value_t = 400)]
    pub think_ms: u64,
    /// Six digits that the register has to know at the terminal
    #[arg(long, default_value = "000000")]
    pub password: Password,
    /// Tags on the reader's shelf, an EPC a line
    #[arg(long)]
    pub tags: Option<PathBuf>,
}

impl Args {
    /// A counter on free ports, with nobody taking their time.
    pub fn in_folder(ledgers: impl Into<PathBuf>) -> Self {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            ledgers: ledgers.into(),
            paper_dir: None,
            prefix: String::new(),
            printer: "p1".to_owned(),
            terminal: "card1".to_owned(),
            scanner: "scanner1".to_owned(),
            reader: None,
            printer_listen: free,
            terminal_listen: free,
            reader_listen: free,
            control: free,
            scanner_link: None,
            columns: 42,
            drawer_closes_after: None,
            think_ms: 0,
            password: Password::from_bytes([0; 3]),
            tags: None,
        }
    }
}

/// One device of the counter.
#[derive(Clone, Debug)]
pub struct Device {
    pub kind: &'static str,
    pub name: String,
    /// `host:port`, or the path of the scanner's line.
    pub address: String,
    pub control: SocketAddr,
    pub ledger: PathBuf,
}

/// A counter that runs within this process until it is stopped or dropped.
pub struct Running {
    pub devices: Vec<Device>,
    pub control: SocketAddr,
    printer: printer::Running,
    terminal: terminal::Running,
    scanner: scanner::Running,
    reader: Option<reader::Running>,
    tasks: JoinSet<()>,
}

impl Running {
    pub fn device(&self, kind: &str) -> Option<&Device> {
        self.devices.iter().find(|device| device.kind == kind)
    }

    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
        self.printer.stop().await;
        self.terminal.stop().await;
        self.scanner.stop().await;
        if let Some(reader) = self.reader {
            reader.end().await;
        }
    }
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let running = start(args).await?;
    let listed: Map<String, Value> = running
        .devices
        .iter()
        .map(|device| {
            let Device {
                kind,
                name,
                address,
                control,
                ledger,
            } = device;
            let told = json!({"device": name, "address": address, "control": control.to_string(), "ledger": ledger.display().to_string()});
            ((*kind).to_owned(), told)
        })
        .collect();
    let names: Vec<&str> = running.devices.iter().map(|device| &*device.name).collect();
    let addresses: Vec<&str> = running.devices.iter().map(|device| &*device.address).collect();
    ready::say_ready(
        "counter",
        &names.join(","),
        &addresses.join(","),
        &running.control.to_string(),
        Map::from_iter([("devices".to_owned(), listed.into())]),
    );
    ready::asked_to_end().await.context("could not wait for signals")?;
    running.stop().await;
    Ok(())
}

pub async fn start(args: Args) -> anyhow::Result<Running> {
    let folder = &args.ledgers;
    std::fs::create_dir_all(folder).with_context(|| format!("could not make the folder {}", folder.display()))?;
    let mut devices = Vec::new();
    let named = |name: &str| format!("{}{name}", args.prefix);
    let common = |name: &str, listen: SocketAddr| Common {
        device: Some(named(name)),
        listen,
        ledger: Some(ledger(folder, &named(name))),
        ..Common::default()
    };
    let mut list = |kind, name: &str, address: String, control| {
        devices.push(Device {
            kind,
            name: named(name),
            address,
            control,
            ledger: ledger(folder, &named(name)),
        });
    };
    let printer = printer::start(printer::Args {
        common: common(&args.printer, args.printer_listen),
        paper_dir: args.paper_dir.clone(),
        columns: args.columns,
        drawer_closes_after: args.drawer_closes_after,
        ..printer::Args::default()
    })
    .await
    .context("printer")?;
    list("printer", &args.printer, printer.address.to_string(), printer.control);
    let terminal = terminal::start(terminal::Args {
        common: common(&args.terminal, args.terminal_listen),
        think_ms: args.think_ms,
        password: args.password,
        ..terminal::Args::default()
    })
    .await
    .context("terminal")?;
    list("terminal", &args.terminal, terminal.address.to_string(), terminal.control);
    let line = folder.join(format!("{}.tty", named(&args.scanner)));
    let scanner = scanner::start(scanner::Args {
        common: common(&args.scanner, Common::default().listen),
        ..scanner::Args::at(args.scanner_link.clone().unwrap_or(line))
    })
    .await
    .context("scanner")?;
    list("scanner", &args.scanner, scanner.address.display().to_string(), scanner.control);
    let reader = match &args.reader {
        None => None,
        Some(name) => {
            let reader = reader::start(reader::Args {
                common: common(name, args.reader_listen),
                tags: args.tags.clone(),
                ..reader::Args::default()
            })
            .await
            .context("reader")?;
            list("reader", name, reader.address.to_string(), reader.control);
            Some(reader)
        }
    };
    let listener = TcpListener::bind(args.control)
        .await
        .with_context(|| format!("could not listen on {}; is another one running?", args.control))?;
    let control = listener.local_addr()?;
    let mut tasks = JoinSet::new();
    tasks.spawn(pass_on(listener, devices.clone().into()));
    Ok(Running {
        devices,
        control,
        printer,
        terminal,
        scanner,
        reader,
        tasks,
    })
}

fn ledger(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.jsonl"))
}

async fn pass_on(listener: TcpListener, devices: Arc<[Device]>) {
    let mut talks = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let devices = Arc::clone(&devices);
                talks.spawn(async move {
                    if let Err(fault) = talk(stream, &devices).await {
                        tracing::debug!(%fault, "a talk about knobs broke off");
                    }
                });
            }
            Err(fault) => {
                tracing::warn!(%fault, "could not accept a talk about knobs");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
        while talks.try_join_next().is_some() {}
    }
}

async fn talk(stream: TcpStream, devices: &[Device]) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader);
    loop {
        let mut line = String::new();
        if (&mut lines).take(LONGEST_LINE).read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let answer = turn(line.trim(), devices).await;
        writer.write_all(format!("{answer}\n").as_bytes()).await?;
    }
}

async fn turn(line: &str, devices: &[Device]) -> Value {
    let names: Vec<&str> = devices.iter().map(|device| &*device.name).collect();
    let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
    if let Some(device) = devices.iter().find(|device| device.name == name) {
        return match control::ask(&device.control.to_string(), rest).await {
            Ok(answer) => answer,
            Err(fault) => json!({"ok": false, "why": format!("{name} does not answer: {fault}")}),
        };
    }
    match line {
        "state" => {
            let mut states = Map::from_iter([("ok".to_owned(), Value::Bool(true))]);
            for device in devices {
                let state = control::ask(&device.control.to_string(), "state").await;
                states.insert(device.name.clone(), state.unwrap_or_else(|fault| fault.to_string().into()));
            }
            states.into()
        }
        "help" => json!({"ok": true, "help": format!("state | NAME LINE, such as {} help | help", names[0]), "devices": names}),
        _ => json!({"ok": false, "why": format!("no device of this counter is called {name:?}; there are {}", names.join(", "))}),
    }
}
