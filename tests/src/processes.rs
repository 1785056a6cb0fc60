//! Starts, kills and stops the product's own programs, as an operator would: by their command lines, ready lines and signals.
//!
//! Whatever is started here dies when its handle is dropped. Knows nothing of what the programs do.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// What a server prints when it is ready.
#[derive(Clone, Debug, Deserialize)]
pub struct Ready {
    pub ready: bool,
    pub name: String,
    pub pid: u32,
    pub grpc: Option<String>,
    pub http: Option<String>,
    pub nats: Option<String>,
    pub nats_pid: Option<u32>,
}

/// A server that runs.
#[derive(Debug)]
pub struct Daemon {
    /// Dropped first: it must not outlive the server, whose number may be given to somebody else.
    _guard: Guard,
    child: Child,
    pub ready: Ready,
    pub log: PathBuf,
    /// Kept open, so that a server which prints more does not die of it.
    _stdout: Lines<BufReader<ChildStdout>>,
}

impl Daemon {
    /// Starts a program and waits for its ready line. Its log is appended to `log`.
    pub async fn start<A: AsRef<OsStr>>(program: &Path, args: &[A], log: &Path, within: Duration) -> Result<Self> {
        let stderr = append_to(log)?;
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start {}", program.display()))?;
        let guard = Guard::over(&child)?;
        let stdout = child.stdout.take().context("the child has no stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = match timeout(within, lines.next_line()).await {
            Ok(Ok(Some(line))) => line,
            Ok(_) => bail!("{} ended before it was ready:\n{}", program.display(), tail(log)),
            Err(_) => bail!("{} was not ready within {within:?}:\n{}", program.display(), tail(log)),
        };
        let ready: Ready =
            serde_json::from_str(&line).with_context(|| format!("{} printed no ready line but {line:?}", program.display()))?;
        if !ready.ready {
            bail!("{} says it is not ready: {line}", program.display());
        }
        Ok(Self {
            _guard: guard,
            child,
            ready,
            log: log.to_owned(),
            _stdout: lines,
        })
    }

    /// `kill -9`, and waits until it is dead; says when that was for sure.
    pub async fn kill(&mut self) -> Result<Timestamp> {
        self.child.kill().await.context("could not kill the server")?;
        Ok(Timestamp::now())
    }

    /// SIGTERM, as an operator stops it.
    pub async fn stop(&mut self, within: Duration) -> Result<ExitStatus> {
        let pid = self.child.id().ok_or_else(|| anyhow!("{} has already ended", self.ready.name))?;
        signal(pid, Signal::TERM)?;
        match timeout(within, self.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => {
                self.child.kill().await?;
                bail!(
                    "{} did not stop within {within:?} of SIGTERM:\n{}",
                    self.ready.name,
                    tail(&self.log)
                )
            }
        }
    }

    /// Whether it has ended by itself, which nobody asked for.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

/// Kills a server when this program is itself killed: a shell that reads from a pipe which only this program holds.
#[derive(Debug)]
struct Guard {
    _shell: Child,
}

impl Guard {
    fn over(child: &Child) -> Result<Self> {
        let pid = child.id().context("the server ended at once")?.to_string();
        let shell = Command::new("/bin/sh")
            .args(["-c", r#"read nothing; kill -9 "$1""#, "guard", &pid])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("could not start the guard of a server")?;
        Ok(Self { _shell: shell })
    }
}

/// Starts a program and kills it so soon after, whatever it was doing; an error when it had ended by then.
pub async fn start_and_kill<A: AsRef<OsStr>>(program: &Path, args: &[A], log: &Path, after: Duration) -> Result<()> {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(append_to(log)?)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("could not start {}", program.display()))?;
    match timeout(after, child.wait()).await {
        Ok(status) => bail!("{} ended with {} while it was starting:\n{}", program.display(), status?, tail(log)),
        Err(_) => child.kill().await.context("could not kill the server"),
    }
}

pub fn signal(pid: u32, signal: Signal) -> Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).context("no such process id")?;
    kill_process(pid, signal).context("could not send a signal")
}

/// Runs a program to its end; an exit code other than 0 is an error that shows what it said.
pub async fn run<A: AsRef<OsStr>>(program: &Path, args: &[A], within: Duration) -> Result<Vec<u8>> {
    let output = output(program, args, within).await?;
    if !output.status.success() {
        bail!(
            "{} ended with {}: {}",
            shown(program, args),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(output.stdout)
}

/// Runs a program to its end, whatever that is.
pub async fn output<A: AsRef<OsStr>>(program: &Path, args: &[A], within: Duration) -> Result<Output> {
    let running = Command::new(program).args(args).stdin(Stdio::null()).kill_on_drop(true).output();
    timeout(within, running)
        .await
        .map_err(|_| anyhow!("{} did not end within {within:?}", shown(program, args)))?
        .with_context(|| format!("could not start {}", program.display()))
}

fn shown<A: AsRef<OsStr>>(program: &Path, args: &[A]) -> String {
    let args: Vec<_> = args.iter().map(|arg| arg.as_ref().to_string_lossy()).collect();
    format!("{} {}", program.display(), args.join(" "))
}

/// One of our own programs, built beside this one.
pub fn binary(name: &str) -> Result<PathBuf> {
    let me = std::env::current_exe().context("could not find the folder of this program")?;
    let folders = me.ancestors().skip(1).take(2); // A test lies in `deps`, one folder deeper.
    let found = folders.map(|folder| folder.join(name)).find(|path| path.is_file());
    found.with_context(|| {
        format!(
            "{name} is not built beside {}; run `cargo build --workspace --bins` with the same profile first",
            me.display()
        )
    })
}

fn append_to(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("could not open {}", path.display()))
}

/// The end of a log, for a message about a server that failed.
pub fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

/// A folder for one campaign: removed when all went well, kept and named when not.
#[derive(Debug)]
pub struct Workplace {
    folder: Option<tempfile::TempDir>,
}

impl Workplace {
    pub fn new(name: &str) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("backroom-{name}-"))
            .tempdir()
            .context("could not make a temporary folder")?;
        Ok(Self { folder: Some(folder) })
    }

    pub fn path(&self) -> &Path {
        self.folder.as_ref().map_or(Path::new("."), tempfile::TempDir::path)
    }

    /// Leaves everything for whoever looks into it, and says where.
    pub fn keep(mut self) -> PathBuf {
        self.folder.take().map(tempfile::TempDir::keep).unwrap_or_default()
    }
}
