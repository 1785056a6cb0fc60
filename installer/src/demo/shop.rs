//! One store's box: founded from the seed, started, killed and started again, always on the same ports.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::counter::{Counter, FRONT, Kind};
use super::folder::Folder;
use super::processes::{Call, Server, Starter};
use super::seed::Store;

/// Where the demo begins to look for free ports.
const FIRST_PORT: u16 = 7400;
const LAST_PORT: u16 = 7999;

const COMMAND_WITHIN: Duration = Duration::from_secs(60);
const READY_WITHIN: Duration = Duration::from_secs(30);
const STOP_WITHIN: Duration = Duration::from_secs(15);

/// Hands out ports from 7400 upwards.
#[derive(Debug)]
pub struct Ports {
    next: u16,
}

/// A port that is kept free for us until its server starts.
#[derive(Debug)]
pub struct Port {
    pub address: SocketAddr,
    held: Option<TcpListener>,
}

impl Ports {
    pub fn new() -> Self {
        Self { next: FIRST_PORT }
    }

    pub fn take(&mut self) -> Result<Port> {
        while self.next <= LAST_PORT {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.next));
            self.next += 1;
            if let Ok(listener) = TcpListener::bind(address) {
                return Ok(Port {
                    address,
                    held: Some(listener),
                });
            }
        }
        bail!("no free port between {FIRST_PORT} and {LAST_PORT}; stop what uses them")
    }
}

impl Port {
    pub fn let_go(&mut self) {
        self.held = None;
    }
}

#[derive(Debug)]
pub struct Shop {
    pub store: &'static Store,
    pub data: PathBuf,
    pub pid_file: PathBuf,
    program: PathBuf,
    log: PathBuf,
    grpc: Port,
    http: Port,
    server: Option<Server>,
    /// What stands at the register `front`; nothing at first.
    pub counter: Counter,
}

impl Shop {
    pub fn new(store: &'static Store, program: PathBuf, folder: &Folder, ports: &mut Ports) -> Result<Self> {
        Ok(Self {
            store,
            data: folder.made("stores")?.join(store.code),
            pid_file: folder.path().join(format!("{}.pid", store.code)),
            log: folder.path().join(format!("{}.log", store.code)),
            program,
            grpc: ports.take()?,
            http: ports.take()?,
            server: None,
            counter: Counter::default(),
        })
    }

    /// Sets the box up with what head office gave it. The files with secrets are gone afterwards.
    pub async fn found(&self, starter: &Starter, folder: &Folder, join: &Path) -> Result<()> {
        let company = self.store.company;
        let file = |what: &str, text: &str| folder.write(&format!("{}-{what}.json", self.store.code), text);
        let files = [
            ("--catalog", file("catalog", company.catalog)?),
            ("--stock", file("stock", company.stock)?),
            ("--staff", file("staff", company.staff)?),
            ("--join", join.to_owned()),
        ];
        let mut init = Call::new(&self.program)
            .words([
                "init",
                "--tenant",
                company.tenant,
                "--store",
                self.store.code,
                "--name",
                self.store.name,
            ])
            .words(["--zone", self.store.zone, "--currency", self.store.currency])
            .flag("--data", &self.data);
        for (flag, path) in &files {
            init = init.flag(flag, path);
        }
        starter.run(init, COMMAND_WITHIN).await?;
        for (_, path) in &files {
            std::fs::remove_file(path).with_context(|| format!("could not remove {}", path.display()))?;
        }
        Ok(())
    }

    /// Tells the box what stands on its counter; it counts from the next start.
    pub async fn name_machines(&self, starter: &Starter) -> Result<()> {
        for machine in &self.counter.machines {
            let words = ["devices", "add", "--name", machine.kind.name(), "--kind", machine.kind.word()];
            let mut words = [&words[..], &["--address", &machine.address]].concat();
            if machine.kind != Kind::Reader {
                words.extend(["--register", FRONT]);
            }
            self.tool(starter, &words).await?;
        }
        Ok(())
    }

    /// Opens the box; its process id stands in a file, for whoever wants to kill it.
    pub async fn open(&mut self, starter: &Starter) -> Result<()> {
        self.grpc.let_go();
        self.http.let_go();
        let run = Call::new(&self.program)
            .words([
                "run",
                "--grpc",
                &self.grpc.address.to_string(),
                "--http",
                &self.http.address.to_string(),
                // Whoever looks at the console may strike an actor down, to see it come back.
                "--allow-faults",
            ])
            .flag("--data", &self.data)
            .env("NO_COLOR", "1");
        let name = format!("the box of {}", self.store.code);
        let server = starter.serve(&name, run, &self.log, READY_WITHIN).await?;
        std::fs::write(&self.pid_file, format!("{}\n", server.ready.pid))
            .with_context(|| format!("could not write {}", self.pid_file.display()))?;
        self.server = Some(server);
        Ok(())
    }

    /// Where registers find it.
    pub fn address(&self) -> String {
        format!("http://{}", self.grpc.address)
    }

    pub fn http(&self) -> String {
        format!("http://{}", self.http.address)
    }

    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(|server| server.ready.pid)
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

    pub async fn kill(&mut self) -> Result<ExitStatus> {
        let mut server = self.server.take().context("the box does not run")?;
        server.kill().await
    }

    pub async fn stop(&mut self) -> Result<()> {
        match self.server.take() {
            Some(mut server) => server.stop(STOP_WITHIN).await,
            None => Ok(()),
        }
    }

    /// A code with which one device becomes a register.
    pub async fn pair(&self, starter: &Starter) -> Result<String> {
        #[derive(Deserialize)]
        struct Paired {
            pairing_code: String,
        }
        let printed = self.tool(starter, &["pair"]).await?;
        let paired: Paired = serde_json::from_slice(&printed).context("`store-server pair` printed no pairing code")?;
        Ok(paired.pairing_code)
    }

    /// Runs one of the box's own commands over its data.
    pub async fn tool(&self, starter: &Starter, words: &[&str]) -> Result<Vec<u8>> {
        let call = Call::new(&self.program).words(words).flag("--data", &self.data);
        let done = starter.run(call, COMMAND_WITHIN).await;
        done.with_context(|| format!("the box of {}", self.store.code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_passed_over() {
        let first = Ports::new().take().unwrap();
        let second = Ports::new().take().unwrap();
        assert_ne!(second.address, first.address);
    }
}
