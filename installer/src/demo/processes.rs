//! The programs the demo starts: each in a process group of its own, its log in a file, and none of them outlives the demo.
//!
//! Dropping a handle kills the group. Knows nothing of what the programs do.

mod guard;

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Signal, kill_process};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use self::guard::{Group, Guard};

/// How many lines of a log are shown when its program failed.
const LAST_WORDS: usize = 15;

/// What a server prints when it is ready.
#[derive(Clone, Debug, Deserialize)]
pub struct Ready {
    pub ready: bool,
    pub pid: u32,
    pub nats_pid: Option<u32>,
}

/// How a command is called.
#[derive(Clone, Debug)]
pub struct Call {
    program: PathBuf,
    args: Vec<std::ffi::OsString>,
    envs: Vec<(&'static str, std::ffi::OsString)>,
    not_envs: Vec<String>,
    folder: Option<PathBuf>,
}

impl Call {
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            envs: Vec::new(),
            not_envs: Vec::new(),
            folder: None,
        }
    }

    pub fn words<W: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.args.extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }

    pub fn flag(self, flag: &str, value: impl AsRef<OsStr>) -> Self {
        self.words([OsStr::new(flag), value.as_ref()])
    }

    pub fn env(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.envs.push((name, value.as_ref().to_owned()));
        self
    }

    pub fn without_env(mut self, name: String) -> Self {
        self.not_envs.push(name);
        self
    }

    pub fn within(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            if is_a_setting(&name.to_string_lossy()) {
                command.env_remove(&name);
            }
        }
        command
            .args(&self.args)
            .envs(self.envs.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .process_group(0)
            .kill_on_drop(true);
        for name in &self.not_envs {
            command.env_remove(name);
        }
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }

    fn shown(&self) -> String {
        let name = self.program.file_name().unwrap_or(self.program.as_os_str()).to_string_lossy();
        let words: Vec<_> = self.args.iter().take(2).map(|word| word.to_string_lossy()).collect();
        format!("{name} {}", words.join(" "))
    }
}

/// The person's own shop may be set up in this very shell, and is none of the demo's business. How much is logged is theirs to say.
fn is_a_setting(name: &str) -> bool {
    name.starts_with("BACKROOM_") && name != "BACKROOM_LOG"
}

/// Starts programs, and sees to it that they end.
#[derive(Clone, Debug)]
pub struct Starter {
    guard: Arc<Guard>,
}

impl Starter {
    /// `folder` is a temporary one, which goes too if the demo is killed.
    pub fn new(folder: Option<&Path>) -> Result<Self> {
        let guard = Arc::new(Guard::watch(folder)?);
        Ok(Self { guard })
    }

    /// Runs a program to its end; an exit code other than 0 is an error that shows what it said.
    pub async fn run(&self, call: Call, within: Duration) -> Result<Vec<u8>> {
        let (status, output, said) = self.try_run(&call, within).await?;
        if !status.success() {
            bail!("{} ended with {status}: {}", call.shown(), last_lines(&said));
        }
        Ok(output)
    }

    /// Runs a program to its end, whatever that is: how it ended, what it printed, what it said beside.
    pub async fn try_run(&self, call: &Call, within: Duration) -> Result<(ExitStatus, Vec<u8>, String)> {
        let child = call.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let child = child.with_context(|| format!("could not start {}", call.program.display()))?;
        let mut group = Group::of(&child, &self.guard)?;
        let Ok(ended) = timeout(within, child.wait_with_output()).await else {
            bail!("{} did not end within {} s", call.shown(), within.as_secs());
        };
        group.over = true;
        let output = ended.with_context(|| format!("could not wait for {}", call.shown()))?;
        Ok((output.status, output.stdout, String::from_utf8_lossy(&output.stderr).into_owned()))
    }

    /// Runs a program to its end and hands over each line it says on stderr; nothing but the exit code is kept.
    pub async fn follow(&self, call: Call, mut each: impl FnMut(Option<&str>), tick: Duration) -> Result<ExitStatus> {
        let child = call.command().stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = child.with_context(|| format!("could not start {}", call.program.display()))?;
        let mut group = Group::of(&child, &self.guard)?;
        let mut lines = child.stderr.take().map(|stderr| BufReader::new(stderr).lines());
        let mut ticks = tokio::time::interval(tick);
        while let Some(said) = &mut lines {
            tokio::select! {
                line = said.next_line() => match line {
                    Ok(Some(line)) => each(Some(&line)),
                    _ => lines = None,
                },
                _ = ticks.tick() => each(None),
            }
        }
        let status = child.wait().await.with_context(|| format!("could not wait for {}", call.shown()))?;
        group.over = true;
        Ok(status)
    }

    /// Starts a server and waits for its ready line; its log is appended to `log`.
    pub async fn serve(&self, name: &str, call: Call, log: &Path, within: Duration) -> Result<Server> {
        let child = call.command().stdout(Stdio::piped()).stderr(append_to(log)?).spawn();
        let mut child = child.with_context(|| format!("could not start {}", call.program.display()))?;
        let mut group = Group::of(&child, &self.guard)?;
        let mut lines = BufReader::new(child.stdout.take().context("a server without standard output")?).lines();
        let line = match timeout(within, lines.next_line()).await {
            Ok(Ok(Some(line))) => line,
            Ok(_) => {
                let how = match timeout(Duration::from_secs(5), child.wait()).await {
                    Ok(Ok(status)) => {
                        group.over = true;
                        status.to_string()
                    }
                    _ => "no word".to_owned(),
                };
                bail!("{name} ended before it was ready ({how}); its last words:{}", last_words(log));
            }
            Err(_) => bail!(
                "{name} was not ready within {} s; its last words:{}",
                within.as_secs(),
                last_words(log)
            ),
        };
        let ready: Ready = serde_json::from_str(&line).with_context(|| format!("{name} printed no ready line but {line:?}"))?;
        if !ready.ready {
            bail!("{name} says that it is not ready: {line}");
        }
        Ok(Server {
            name: name.to_owned(),
            ready,
            log: log.to_owned(),
            child,
            group,
            _stdout: lines,
        })
    }
}

/// A server that runs, or did.
#[derive(Debug)]
pub struct Server {
    pub name: String,
    pub ready: Ready,
    pub log: PathBuf,
    child: Child,
    group: Group,
    /// Kept open, so that a server which prints more does not die of it.
    _stdout: Lines<BufReader<ChildStdout>>,
}

impl Server {
    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten();
        self.group.over |= status.is_some();
        status
    }

    /// `kill -9` of the server alone, as a crash would; waits until it is dead.
    pub async fn kill(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.ended() {
            bail!(
                "{} had ended by itself ({status}); its last words:{}",
                self.name,
                last_words(&self.log)
            );
        }
        kill_process(self.group.pid, Signal::KILL).with_context(|| format!("could not kill {}", self.name))?;
        let status = self
            .child
            .wait()
            .await
            .with_context(|| format!("could not wait for {}", self.name))?;
        self.group.over = true;
        Ok(status)
    }

    /// SIGTERM, as an operator stops it; SIGKILL when that takes too long.
    pub async fn stop(&mut self, within: Duration) -> Result<()> {
        if self.ended().is_some() {
            return Ok(());
        }
        // Only the server itself: what it has started, it ends in its own order.
        let _ = kill_process(self.group.pid, Signal::TERM);
        let Ok(ended) = timeout(within, self.child.wait()).await else {
            self.group.signal(Signal::KILL);
            let _ = self.child.wait().await;
            self.group.over = true;
            bail!("{} did not stop within {} s and was killed", self.name, within.as_secs());
        };
        self.group.over = true;
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => bail!("{} stopped with {status}; its last words:{}", self.name, last_words(&self.log)),
            Err(error) => Err(error).with_context(|| format!("could not wait for {}", self.name)),
        }
    }
}

fn append_to(path: &Path) -> Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.with_context(|| format!("could not open {}", path.display()))
}

/// The end of a log, each line on one of its own, for a message about a server that failed.
pub fn last_words(log: &Path) -> String {
    match &*last_lines(&std::fs::read_to_string(log).unwrap_or_default()) {
        many if many.starts_with('\n') => many.to_owned(),
        one => format!("\n  {one}"),
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    match lines[lines.len().saturating_sub(LAST_WORDS)..] {
        [] => "(it said nothing)".to_owned(),
        [one] => one.trim().to_owned(),
        ref lines => format!("\n  {}", lines.join("\n  ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    fn is_alive(pid: i32) -> bool {
        // A zombie has ended, though nobody has looked yet.
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok();
        state.is_some_and(|state| !state.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')))
    }

    async fn until(mut holds: impl FnMut() -> bool) {
        timeout(SOON, async {
            while !holds() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .expect("in time");
    }

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("backroom-demo-test-{name}-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&path).unwrap();
        path
    }

    /// A server of one line, with a grandchild in its group.
    fn sleeper() -> Call {
        let script = r#"sleep 300 & echo "{\"ready\":true,\"pid\":$$,\"nats_pid\":$!}"; wait"#;
        Call::new("/bin/sh").words(["-c", script])
    }

    #[tokio::test]
    async fn a_group_dies_with_its_handle() {
        let folder = folder("drop");
        let starter = Starter::new(None).unwrap();
        let server = starter.serve("sleeper", sleeper(), &folder.join("log"), SOON).await.unwrap();
        let grandchild = server.ready.nats_pid.unwrap() as i32;
        assert!(is_alive(grandchild));
        drop(server);
        until(|| !is_alive(grandchild)).await;
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn when_the_demo_is_killed_its_guard_clears_up() {
        let folder = folder("guard");
        let starter = Starter::new(Some(&folder)).unwrap();
        let server = starter.serve("sleeper", sleeper(), &folder.join("log"), SOON).await.unwrap();
        let (child, grandchild) = (server.ready.pid as i32, server.ready.nats_pid.unwrap() as i32);
        // What the system does when a process dies: its pipes close, and nobody says goodbye.
        *starter.guard.pipe.lock().unwrap() = None;
        until(|| !is_alive(child) && !is_alive(grandchild) && !folder.exists()).await;
        drop(server);
    }

    #[tokio::test]
    async fn a_demo_that_ends_by_itself_leaves_its_guard_nothing_to_do() {
        let folder = folder("kept");
        let starter = Starter::new(Some(&folder)).unwrap();
        drop(starter.serve("sleeper", sleeper(), &folder.join("log"), SOON).await.unwrap());
        drop(starter); // Waits for the guard.
        assert!(folder.join("log").exists());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_server_that_dies_at_its_start_is_quoted() {
        let folder = folder("quote");
        let starter = Starter::new(None).unwrap();
        let call = Call::new("/bin/sh").words(["-c", "echo the port is taken >&2; exit 1"]);
        let error = starter
            .serve("the box of berlin", call, &folder.join("log"), SOON)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("the box of berlin") && error.contains("the port is taken"),
            "{error}"
        );
        std::fs::remove_dir_all(folder).unwrap();
    }
}
