//! The counter of one store: printer with drawer, terminal and scanner of the register `front`, and a reader over a shelf where tags are sold.
//!
//! Each is a `simulate` of its own on a port of its own, so that the box finds it again after a restart. Whatever happens to a machine
//! stands in its ledger; that is read here as anybody else could read it.

mod shelf;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::folder::Folder;
use super::processes::{Call, Server, Starter};
use super::seed::Store;
use super::shop::{Port, Ports};

/// The register that has a counter; nobody else sells at it.
pub const FRONT: &str = "front";

const READY_WITHIN: Duration = Duration::from_secs(30);
const STOP_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Somebody pushes the drawer shut after taking the change out.
const DRAWER_CLOSES_AFTER_MS: &str = "800";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Printer,
    Terminal,
    Scanner,
    Reader,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Kind::Printer => "printer",
            Kind::Terminal => "terminal",
            Kind::Scanner => "scanner",
            Kind::Reader => "reader",
        }
    }

    /// Unique in its store.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Printer => "front-printer",
            Kind::Terminal => "front-terminal",
            Kind::Scanner => "front-scanner",
            Kind::Reader => "shelf-reader",
        }
    }
}

#[derive(Debug)]
pub struct Machine {
    pub kind: Kind,
    /// `host:port`, or the path of the serial port.
    pub address: String,
    pub ledger: PathBuf,
    /// Where its knobs are turned.
    pub knobs: SocketAddr,
    call: Call,
    ports: Vec<Port>,
    log: PathBuf,
    server: Option<Server>,
}

#[derive(Debug, Default)]
pub struct Counter {
    pub machines: Vec<Machine>,
    /// Pictures of all receipts.
    pub paper: PathBuf,
    /// What lies on the shelf, as tag URIs; empty where nothing has a tag.
    pub tags: Vec<String>,
}

impl Counter {
    pub fn new(store: &Store, simulate: &Path, folder: &Folder, ports: &mut Ports) -> Result<Self> {
        let place = folder.made("counters")?.join(store.code);
        let paper = place.join("paper");
        std::fs::create_dir_all(&paper).with_context(|| format!("could not make {}", paper.display()))?;
        let tags = if store.company.has_tags { shelf::tags(store)? } else { Vec::new() };
        let mut machines = Vec::new();
        for kind in [Kind::Printer, Kind::Terminal, Kind::Scanner, Kind::Reader] {
            if kind == Kind::Reader && tags.is_empty() {
                continue;
            }
            let mut machine = Machine::new(kind, simulate, &place, ports)?;
            machine.call = match kind {
                Kind::Printer => machine
                    .call
                    .flag("--paper-dir", &paper)
                    .flag("--drawer-closes-after", DRAWER_CLOSES_AFTER_MS),
                Kind::Reader => {
                    let shelf = place.join("shelf.tags");
                    std::fs::write(&shelf, tags.join("\n") + "\n").with_context(|| format!("could not write {}", shelf.display()))?;
                    machine.call.flag("--tags", shelf)
                }
                Kind::Terminal | Kind::Scanner => machine.call,
            };
            machines.push(machine);
        }
        Ok(Self { machines, paper, tags })
    }

    pub async fn open(&mut self, starter: &Starter) -> Result<()> {
        for machine in &mut self.machines {
            machine.open(starter).await?;
        }
        Ok(())
    }

    /// All at once: none of them knows of another.
    pub async fn stop(&mut self) -> Result<()> {
        let stopped = futures_util::future::join_all(self.machines.iter_mut().map(Machine::stop)).await;
        stopped.into_iter().collect()
    }

    pub fn machine(&self, kind: Kind) -> Result<&Machine> {
        let mut machines = self.machines.iter();
        let found = machines.find(|machine| machine.kind == kind);
        found.with_context(|| format!("there is no {} on this counter", kind.word()))
    }

    /// How often something happened to a machine.
    pub fn count(&self, kind: Kind, event: &str) -> Result<usize> {
        Ok(happened(&self.machine(kind)?.ledger, event)?.len())
    }
}

impl Machine {
    fn new(kind: Kind, simulate: &Path, place: &Path, ports: &mut Ports) -> Result<Self> {
        let name = kind.name();
        let ledger = place.join(format!("{name}.jsonl"));
        let control = ports.take()?;
        let knobs = control.address;
        let call = Call::new(simulate)
            .words([kind.word(), "--device", name, "--control", &knobs.to_string()])
            .flag("--ledger", &ledger)
            .env("NO_COLOR", "1");
        let (address, call, ports) = match kind {
            Kind::Scanner => {
                let line = place.join("scanner").display().to_string();
                (line.clone(), call.flag("--link", line), vec![control])
            }
            _ => {
                let port = ports.take()?;
                let address = port.address.to_string();
                (address.clone(), call.flag("--listen", address), vec![control, port])
            }
        };
        Ok(Self {
            kind,
            address,
            ledger,
            knobs,
            call,
            ports,
            log: place.join(format!("{name}.log")),
            server: None,
        })
    }

    pub async fn open(&mut self, starter: &Starter) -> Result<()> {
        self.ports.iter_mut().for_each(Port::let_go);
        let server = starter.serve(self.kind.name(), self.call.clone(), &self.log, READY_WITHIN).await?;
        self.server = Some(server);
        Ok(())
    }

    pub fn log(&self) -> &Path {
        &self.log
    }

    /// How it ended, if it has and nobody here asked it to.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.server.as_mut()?.ended()?;
        self.server = None;
        Some(status)
    }

    async fn stop(&mut self) -> Result<()> {
        match self.server.take() {
            Some(mut server) => server.stop(STOP_WITHIN).await,
            None => Ok(()),
        }
    }
}

/// Turns a knob of a machine, or asks it for its state.
pub async fn tell(knobs: SocketAddr, line: &str) -> Result<Value> {
    let asked = async {
        let mut stream = TcpStream::connect(knobs).await?;
        stream.write_all(format!("{line}\n").as_bytes()).await?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let answer = timeout(ANSWER_WITHIN, asked)
        .await
        .with_context(|| format!("the machine at {knobs} did not answer"))?
        .with_context(|| format!("the machine at {knobs} can not be asked"))?;
    let answer: Value = serde_json::from_str(&answer).with_context(|| format!("the machine at {knobs} answered {answer:?}"))?;
    ensure!(answer["ok"] == true, "the machine at {knobs} refused {line:?}: {}", answer["why"]);
    Ok(answer)
}

/// The lines of a ledger about one kind of event. A ledger that is not there yet has none.
pub fn happened(ledger: &Path, event: &str) -> Result<Vec<Value>> {
    let text = match std::fs::read_to_string(ledger) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("could not read {}", ledger.display())),
    };
    let mut lines = Vec::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).with_context(|| format!("{} has a line that is no JSON", ledger.display()))?;
        if line["event"] == event {
            lines.push(line);
        }
    }
    Ok(lines)
}
