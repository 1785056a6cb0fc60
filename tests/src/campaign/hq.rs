//! Head office as a running program with its broker, as an operator sees it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::processes::{self, Daemon, signal};

const COMMAND_WITHIN: Duration = Duration::from_secs(120);
const READY_WITHIN: Duration = Duration::from_secs(60);

pub struct HeadOffice {
    program: PathBuf,
    folder: PathBuf,
    tenants: Vec<String>,
    running: Option<Daemon>,
    /// From its first start on; stores have written it down.
    nats: Option<SocketAddr>,
}

impl HeadOffice {
    /// Sets head office up in a folder of its own; it does not run yet.
    pub async fn found(folder: &Path, tenants: &[&str]) -> Result<Self> {
        let hq = Self {
            program: processes::binary("hq-aggregator")?,
            folder: folder.to_owned(),
            tenants: tenants.iter().map(|tenant| (*tenant).to_owned()).collect(),
            running: None,
            nats: None,
        };
        for tenant in tenants {
            hq.tool(&["tenant", "add", "--tenant", tenant, "--name", &format!("Company {tenant}")])
                .await?;
        }
        Ok(hq)
    }

    pub fn data(&self) -> PathBuf {
        self.folder.join("hq")
    }

    pub fn tenants(&self) -> impl Iterator<Item = &str> {
        self.tenants.iter().map(String::as_str)
    }

    /// Lets a store in; the file goes to its box.
    pub async fn add_store(&self, tenant: &str, store: &str) -> Result<PathBuf> {
        let join = self.folder.join(format!("{store}.join"));
        let path = join.display().to_string();
        self.tool(&[
            "store",
            "add",
            "--tenant",
            tenant,
            "--store",
            store,
            "--name",
            &format!("Shop {store}"),
            "--join",
            &path,
        ])
        .await?;
        Ok(join)
    }

    pub async fn start(&mut self) -> Result<()> {
        let nats = self.nats.map_or_else(|| "127.0.0.1:0".to_owned(), |nats| nats.to_string());
        let data = self.data().display().to_string();
        let args = ["run", "--data", &data, "--http", "127.0.0.1:0", "--nats-listen", &nats];
        let daemon = Daemon::start(&self.program, &args, &self.folder.join("hq.log"), READY_WITHIN).await?;
        let url = daemon.ready.nats.clone().context("the ready line names no broker")?;
        let address = url.trim_start_matches("nats://").trim_end_matches('/');
        self.nats = Some(address.parse().with_context(|| format!("{url:?} is no address"))?);
        self.running = Some(daemon);
        Ok(())
    }

    pub fn nats(&self) -> Result<SocketAddr> {
        self.nats.context("head office has not run yet")
    }

    pub fn http(&self) -> Result<&str> {
        let ready = &self.running.as_ref().context("head office does not run")?.ready;
        ready.http.as_deref().context("the ready line names no portal")
    }

    pub fn pid(&self) -> Result<u32> {
        Ok(self.running.as_ref().context("head office does not run")?.ready.pid)
    }

    pub fn check_alive(&mut self) -> Result<()> {
        if let Some(daemon) = &mut self.running
            && let Some(status) = daemon.has_ended()
        {
            bail!("head office ended by itself with {status}:\n{}", processes::tail(&daemon.log));
        }
        Ok(())
    }

    /// `kill -9`. Its broker must not outlive it; that is waited for.
    pub async fn kill(&mut self) -> Result<()> {
        let broker = self.broker_pid().ok();
        let mut daemon = self.running.take().context("head office does not run")?;
        daemon.kill().await?;
        if let Some(pid) = broker {
            self.until_gone(pid).await?;
        }
        Ok(())
    }

    pub async fn stop(&mut self) -> Result<()> {
        let mut daemon = self.running.take().context("head office does not run")?;
        let status = daemon.stop(Duration::from_secs(60)).await?;
        anyhow::ensure!(
            status.success(),
            "head office stopped with {status}:\n{}",
            processes::tail(&daemon.log)
        );
        Ok(())
    }

    async fn until_gone(&self, pid: u32) -> Result<()> {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while is_alive(pid) {
            if tokio::time::Instant::now() > deadline {
                signal(pid, Signal::KILL).ok(); // Ours, and nobody else will end it.
                bail!("the broker {pid} outlived the head office that had started it");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// The broker that runs now; head office starts a new one whenever it dies.
    pub fn broker_pid(&self) -> Result<u32> {
        let path = self.broker_folder().join("nats-server.pid");
        let text = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
        text.trim()
            .parse()
            .with_context(|| format!("{} holds no process id", path.display()))
    }

    pub fn broker_folder(&self) -> PathBuf {
        self.data().join("broker")
    }

    pub fn jetstream(&self) -> PathBuf {
        self.broker_folder().join("jetstream")
    }

    /// Kills the broker; head office restarts it by itself.
    pub async fn kill_broker(&self) -> Result<()> {
        let pid = self.broker_pid()?;
        signal(pid, Signal::KILL)
    }

    /// Kills the broker and does something to its files before head office can start it again.
    pub async fn with_dead_broker(&self, to_files: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let hq = self.pid()?;
        let broker = self.broker_pid()?;
        signal(hq, Signal::STOP)?;
        let done = async {
            signal(broker, Signal::KILL)?;
            self.until_dead(broker).await?;
            to_files(&self.jetstream())
        };
        let done = done.await;
        signal(hq, Signal::CONT)?;
        done
    }

    /// Dead, though its parent, which is held, has not buried it yet.
    async fn until_dead(&self, pid: u32) -> Result<()> {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while state_of(pid).is_some_and(|state| state != 'Z') {
            if tokio::time::Instant::now() > deadline {
                bail!("the broker {pid} does not die");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Holds the broker for a moment, so that a copy of its files is one moment's.
    pub fn copy_jetstream(&self, to: &Path) -> Result<()> {
        let broker = self.broker_pid()?;
        signal(broker, Signal::STOP)?;
        let copied = copy_folder(&self.jetstream(), to);
        signal(broker, Signal::CONT)?;
        copied
    }

    pub async fn export(&self, tenant: &str) -> Result<Vec<u8>> {
        self.tool(&["export", "--tenant", tenant]).await
    }

    pub async fn prove(&self) -> Result<()> {
        self.tool(&["prove"]).await.map(drop)
    }

    pub async fn tool(&self, words: &[&str]) -> Result<Vec<u8>> {
        let data = self.data().display().to_string();
        let mut args = words.to_vec();
        args.extend(["--data", &data]);
        processes::run(&self.program, &args, COMMAND_WITHIN).await
    }
}

fn state_of(pid: u32) -> Option<char> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(") ")?.1.chars().next()
}

fn is_alive(pid: u32) -> bool {
    state_of(pid).is_some_and(|state| state != 'Z')
}

/// A folder with all that is in it.
pub fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("could not make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("could not list {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target).with_context(|| format!("could not copy {}", entry.path().display()))?;
        }
    }
    Ok(())
}
