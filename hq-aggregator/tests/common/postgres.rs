//! A PostgreSQL server of a test's own: started where nobody else looks, gone when it is dropped.
//!
//! Knows nothing of head office and uses nothing but the standard library, so that whoever needs a server can take this file in.
//! It listens on a socket in a folder of its own and on no port. It refuses to be root, so root lends it another user. Its books
//! are a copy of a folder which `initdb` made once and which is kept in `target/tools`. It sorts text as English dictionaries do
//! and is told not to wait for its disk, because a program that needs it otherwise has to say so itself.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

const USER: &str = "backroom";
/// With signs that an address has to escape.
const PASSWORD: &str = "geheim/%40@:wort";
const PASSWORD_IN_URL: &str = "geheim%2F%2540%40%3Awort";
const STARTS_WITHIN: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

pub struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    owner: Option<Owner>,
    process: Option<Child>,
}

/// Who the server is, where it may not be who we are.
#[derive(Clone, Copy)]
struct Owner {
    user: u32,
    group: u32,
}

impl Postgres {
    pub fn start() -> Result<Postgres, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("backroom-pg-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let (programs, owner) = (programs()?, owner()?);
        let template = template(&programs, owner)?;
        let mut server = Postgres {
            folder: env::temp_dir().join(name),
            programs,
            owner,
            process: None,
        };
        make_folder(&server.folder, owner)?;
        server.set_books(&template)?;
        server.resume()?;
        Ok(server)
    }

    /// Where its one database is found, password included.
    pub fn url(&self) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://{USER}:{PASSWORD_IN_URL}@{folder}/postgres")
    }

    /// What must be seen nowhere.
    pub fn passwords(&self) -> [&'static str; 2] {
        [PASSWORD, PASSWORD_IN_URL]
    }

    /// All it keeps. To be copied only while it is stopped.
    pub fn books(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Takes a copy of this folder in place of its own. Only while it is stopped.
    pub fn set_books(&mut self, from: &Path) -> Result<(), String> {
        if self.books().exists() {
            fs::remove_dir_all(self.books()).map_err(|error| format!("could not remove the old books: {error}"))?;
        }
        copy(from, &self.books(), self.owner)
    }

    /// Starts it again after a stop.
    pub fn resume(&mut self) -> Result<(), String> {
        let pid_file = self.books().join("postmaster.pid");
        let _none_is_left_after_a_clean_stop = fs::remove_file(&pid_file);
        let log = File::options().create(true).append(true).open(self.folder.join("log"));
        let log = log.map_err(|error| format!("could not write the server's log: {error}"))?;
        let settings = [
            "listen_addresses=".to_owned(),
            format!("unix_socket_directories={}", self.folder.display()),
            "fsync=off".to_owned(),
            "synchronous_commit=off".to_owned(),
            "shared_buffers=16MB".to_owned(),
            "max_connections=80".to_owned(),
        ];
        let mut command = as_owner(&self.programs.join("postgres"), self.owner);
        command.arg("-D").arg(self.books());
        for setting in settings {
            command.args(["-c", &setting]);
        }
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let process = command
            .spawn()
            .map_err(|error| format!("could not start setpriv for PostgreSQL: {error}"))?;
        let process = self.process.insert(process);
        let deadline = Instant::now() + STARTS_WITHIN;
        loop {
            let lines = fs::read_to_string(&pid_file).unwrap_or_default();
            if lines.lines().nth(7).is_some_and(|state| state.trim() == "ready") {
                return Ok(());
            }
            let ended = process.try_wait().ok().flatten();
            if ended.is_some() || Instant::now() > deadline {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(format!("PostgreSQL did not start:\n{log}"));
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// In order: what was committed is in its books, whoever is connected is cut off.
    pub fn stop(&mut self) {
        self.end("-INT");
    }

    fn end(&mut self, signal: &str) {
        let Some(mut process) = self.process.take() else { return };
        let _it_may_be_gone = Command::new("kill").args([signal, &process.id().to_string()]).status();
        let _its_end = process.wait();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.end("-QUIT");
        let _nothing_else_can_be_done = fs::remove_dir_all(&self.folder);
    }
}

/// The newest server that is installed.
fn programs() -> Result<PathBuf, String> {
    if let Some(named) = env::var_os("BACKROOM_POSTGRES") {
        return Ok(named.into());
    }
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut servers: Vec<(u32, PathBuf)> = installed
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, programs)| programs.join("postgres").is_file())
        .collect();
    servers.sort();
    servers.pop().map(|(_, programs)| programs).ok_or_else(|| {
        "there is no PostgreSQL: run `cargo verify`, which installs it, or name a folder with initdb and postgres in BACKROOM_POSTGRES"
            .to_owned()
    })
}

fn owner() -> Result<Option<Owner>, String> {
    let root = fs::metadata("/proc/self").is_ok_and(|ours| ours.uid() == 0);
    if !root {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(|error| format!("could not read /etc/passwd: {error}"))?;
    let user = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut parts = line.split(':').skip(2);
        let (user, group) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Owner { user, group })
    };
    let found = user("postgres").or_else(|| user("nobody"));
    found
        .map(Some)
        .ok_or_else(|| "PostgreSQL refuses to be root, and there is neither a user postgres nor nobody".to_owned())
}

/// Ends with the one who started it, even if that one is killed.
fn as_owner(program: &Path, owner: Option<Owner>) -> Command {
    let mut command = Command::new("setpriv");
    if let Some(Owner { user, group }) = owner {
        command.args([format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()]);
    }
    command.args(["--pdeathsig", "QUIT"]).arg(program).current_dir("/");
    command
}

/// Empty books, made once for each version of the server.
fn template(programs: &Path, owner: Option<Owner>) -> Result<PathBuf, String> {
    let exe = env::current_exe().map_err(|error| format!("could not find this program: {error}"))?;
    let target = exe.ancestors().find(|dir| dir.join("tools").is_dir()).or(exe.ancestors().nth(3));
    let tools = target.ok_or("this program lies in no target folder")?.join("tools");
    fs::create_dir_all(&tools).map_err(|error| format!("could not make {}: {error}", tools.display()))?;
    let version = programs.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let kept = tools.join(format!("postgres-{version}"));
    let lock = File::create(tools.join("postgres.lock")).and_then(|lock| lock.lock().map(|()| lock));
    let _held = lock.map_err(|error| format!("could not lock {}: {error}", tools.display()))?;
    if kept.is_dir() {
        return Ok(kept);
    }
    let folder = env::temp_dir().join(format!("backroom-initdb-{}", std::process::id()));
    make_folder(&folder, owner)?;
    let made = initdb(programs, owner, &folder).and_then(|()| {
        let draft = tools.join("postgres.draft");
        let _of_an_earlier_try = fs::remove_dir_all(&draft);
        copy(&folder.join("data"), &draft, None)?;
        fs::rename(&draft, &kept).map_err(|error| format!("could not make {}: {error}", kept.display()))
    });
    let _nobody_needs_it = fs::remove_dir_all(&folder);
    made.map(|()| kept)
}

fn initdb(programs: &Path, owner: Option<Owner>, folder: &Path) -> Result<(), String> {
    let password = folder.join("password");
    fs::write(&password, PASSWORD).map_err(|error| format!("could not write a password: {error}"))?;
    give(&password, owner)?;
    let output = as_owner(&programs.join("initdb"), owner)
        .arg("--pgdata")
        .arg(folder.join("data"))
        .arg("--pwfile")
        .arg(&password)
        .args(["--username", USER, "--auth", "scram-sha-256", "--encoding", "UTF8"])
        .args(["--locale", "C.UTF-8", "--locale-provider", "icu", "--icu-locale", "en-US"])
        .args(["--no-sync", "--wal-segsize", "1"])
        .output()
        .map_err(|error| format!("could not start setpriv for initdb: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    output
        .status
        .success()
        .then_some(())
        .ok_or_else(|| format!("initdb failed:\n{said}"))
}

fn make_folder(folder: &Path, owner: Option<Owner>) -> Result<(), String> {
    let made = fs::DirBuilder::new().mode(0o700).create(folder);
    made.map_err(|error| format!("could not make {}: {error}", folder.display()))?;
    give(folder, owner)
}

fn give(path: &Path, owner: Option<Owner>) -> Result<(), String> {
    let Some(Owner { user, group }) = owner else { return Ok(()) };
    chown(path, Some(user), Some(group)).map_err(|error| format!("could not give {} away: {error}", path.display()))
}

fn copy(from: &Path, to: &Path, owner: Option<Owner>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("could not copy {} to {}: {error}", from.display(), to.display());
    make_folder(to, owner)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(failed)?.is_dir() {
            copy(&entry.path(), &target, owner)?;
        } else {
            fs::copy(entry.path(), &target).map_err(failed)?;
            fs::set_permissions(&target, Permissions::from_mode(0o600)).map_err(failed)?;
            give(&target, owner)?;
        }
    }
    Ok(())
}
