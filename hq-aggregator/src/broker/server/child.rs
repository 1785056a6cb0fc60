//! One run of the nats-server process: from launch until it is gone.
//!
//! Owns the process and the promise that it never outlives head office. Whether to start another one is decided above.
//!
//! The promise has three parts. Dropping a [`Child`] kills it. A guard, which is a shell reading from a pipe that only head
//! office holds, kills it when head office itself was killed. And should the guard be gone too, the next start ends what
//! the pid file names, if that still is our server.

use std::collections::VecDeque;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{ChildStderr, ChildStdin, Command};
use tokio::time::{Instant, sleep, timeout};

use super::{Options, config};
use crate::broker::BrokerError;

const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(10);
const STOP_WITHIN: Duration = Duration::from_secs(10);
const LOG_LINES_KEPT: usize = 5;

pub struct Child {
    pub pid: u32,
    pub address: SocketAddr,
    process: tokio::process::Child,
    /// Dropped, and so killed, after the process.
    _guard: Guard,
}

impl Child {
    /// Starts the server by the configuration in `dir` and waits until it answers on its port.
    pub async fn launch(dir: &Path, options: &Options) -> Result<Child, BrokerError> {
        config::clear_marks(dir)?;
        let mut process = Command::new(&options.binary)
            .arg("--config")
            .arg(dir.join(config::FILE))
            // The books' address holds a password, and the broker has no business with it.
            .env_remove("BACKROOM_DATABASE")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C in a terminal goes to a whole group; head office alone decides when the server ends.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| not_started(format!("{} could not be run ({error})", options.binary.display()), &Log::default()))?;
        let log = Log::default();
        if let Some(stderr) = process.stderr.take() {
            tokio::spawn(log.clone().follow(stderr));
        }
        let Some(pid) = process.id() else {
            return Err(not_started("it ended at once".to_owned(), &log));
        };
        let guard = Guard::watch_over(pid).map_err(|error| not_started(format!("no guard for it ({error})"), &log))?;
        let port = match until_ready(dir, pid, &mut process, options, &log).await {
            Ok(port) => port,
            Err(error) => {
                let _already_dead = process.kill().await; // Gone before the next one wants its files.
                return Err(error);
            }
        };
        let address = SocketAddr::new(options.listen.ip(), port);
        Ok(Child {
            pid,
            address,
            process,
            _guard: guard,
        })
    }

    /// Until it is gone, whatever the reason.
    pub async fn wait(&mut self) -> String {
        match self.process.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }

    pub fn kill(&mut self) {
        let _already_dead = self.process.start_kill();
    }

    pub async fn stop(mut self) {
        if let Some(pid) = as_pid(self.pid)
            && self.process.id().is_some()
        {
            let _already_dead = kill_process(pid, Signal::TERM);
        }
        if timeout(STOP_WITHIN, self.process.wait()).await.is_err() {
            tracing::warn!(pid = self.pid, "the broker did not end in time; killing it");
            let _already_dead = self.process.kill().await;
        }
    }
}

async fn until_ready(dir: &Path, pid: u32, process: &mut tokio::process::Child, options: &Options, log: &Log) -> Result<u16, BrokerError> {
    let deadline = Instant::now() + options.ready_within;
    loop {
        if let Ok(Some(status)) = process.try_wait() {
            log.complete().await;
            return Err(not_started(format!("it ended with {status}"), log));
        }
        if let Some(port) = config::port_of(dir, pid)
            && greets(SocketAddr::new(options.listen.ip(), port)).await
        {
            return Ok(port);
        }
        if Instant::now() >= deadline {
            let why = format!("no answer within {} s", options.ready_within.as_secs());
            return Err(not_started(why, log));
        }
        sleep(LOOK_AGAIN_AFTER).await;
    }
}

/// A server which is ready says INFO to whoever connects.
async fn greets(address: SocketAddr) -> bool {
    let greeting = async {
        let mut line = String::new();
        BufReader::new(TcpStream::connect(address).await?).read_line(&mut line).await?;
        Ok::<_, std::io::Error>(line.starts_with("INFO "))
    };
    matches!(timeout(Duration::from_secs(1), greeting).await, Ok(Ok(true)))
}

fn not_started(why: String, log: &Log) -> BrokerError {
    BrokerError::NotStarted {
        why,
        log: log.last_lines(),
    }
}

/// Kills the server when head office is gone. A death signal from the system would be shorter, but asking for one is not
/// possible without `unsafe`.
struct Guard {
    _shell: tokio::process::Child,
    /// Never written to: that it closes is the message. Declared last, so that an ordered end kills the guard first.
    _pipe: Option<ChildStdin>,
}

impl Guard {
    fn watch_over(pid: u32) -> std::io::Result<Guard> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", r#"read nothing; kill -9 "$1""#, "broker-guard", &pid.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let pipe = shell.stdin.take();
        Ok(Guard {
            _shell: shell,
            _pipe: pipe,
        })
    }
}

/// What the server says: passed on to our own log, the last lines kept for an error message.
#[derive(Clone, Default)]
struct Log {
    lines: Arc<Mutex<VecDeque<String>>>,
    ended: Arc<tokio::sync::Notify>,
}

impl Log {
    async fn follow(self, stderr: ChildStderr) {
        let mut lines = BufReader::new(stderr).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            // "[123] 2026/01/31 12:00:00.000000 [INF] Server is ready"
            let (level, text) = line
                .split_once(" [")
                .and_then(|(_, rest)| rest.split_once("] "))
                .unwrap_or(("INF", &line));
            match level {
                "ERR" | "FTL" => tracing::error!(target: "nats_server", "{text}"),
                "WRN" => tracing::warn!(target: "nats_server", "{text}"),
                _ => tracing::debug!(target: "nats_server", "{text}"),
            }
            let mut kept = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() == LOG_LINES_KEPT {
                kept.pop_front();
            }
            kept.push_back(text.to_owned());
        }
        self.ended.notify_one();
    }

    /// After the process ended: its last words may still be on the way.
    async fn complete(&self) {
        let _no_more_words = timeout(Duration::from_secs(1), self.ended.notified()).await;
    }

    fn last_lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// Ends a server which an earlier head office left running in `dir`. Called with the lock of `dir` held, so it has no owner.
pub async fn end_leftover(dir: &Path) -> Result<(), BrokerError> {
    let pid_file = dir.join(config::PID_FILE);
    let Ok(text) = fs::read_to_string(&pid_file) else { return Ok(()) };
    let Some(pid) = text.trim().parse().ok().and_then(as_pid) else {
        return Ok(());
    };
    let deadline = Instant::now() + STOP_WITHIN;
    while is_ours(pid, dir).await {
        tracing::warn!(
            pid = pid.as_raw_nonzero(),
            "ending a broker which an earlier head office left behind"
        );
        let _already_dead = kill_process(pid, Signal::KILL);
        if Instant::now() >= deadline {
            let why = format!("the process {text} of an earlier head office does not end; end it by hand");
            return Err(not_started(why, &Log::default()));
        }
        sleep(LOOK_AGAIN_AFTER).await;
    }
    Ok(())
}

/// Whether the process still is a server which was started with our configuration: the number may long belong to another one.
async fn is_ours(pid: Pid, dir: &Path) -> bool {
    if test_kill_process(pid).is_err() {
        return false;
    }
    let number = pid.as_raw_nonzero().to_string();
    let command_line = match fs::read(format!("/proc/{number}/cmdline")) {
        Ok(bytes) => bytes,
        Err(_) => match Command::new("ps").args(["-ww", "-o", "command=", "-p", &number]).output().await {
            Ok(output) => output.stdout,
            Err(_) => return false,
        },
    };
    String::from_utf8_lossy(&command_line).contains(&*dir.join(config::FILE).to_string_lossy())
}

fn as_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}
