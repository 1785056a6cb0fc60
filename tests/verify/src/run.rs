//! Starts one outside command, keeps what it says, and stops it when it takes too long.
//!
//! Owns processes, their logs and the sign of life every twenty seconds. Does not know what a command's output means.
//! Nothing that a step starts outlives it: each command leads its own process group, and a small guard beside it stops
//! the group when the deadline passes or when this program itself ends early (Ctrl-C or kill -9 included).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const SIGN_OF_LIFE: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Waits for a word on its input. `done` means that the step ended by itself; the end of the input means that it must be
/// stopped now, politely first. Either way nothing of the group stays.
const GUARD: &str = r#"
read -r word
if [ "$word" != done ]; then
    kill -s TERM -- "-$1" 2>/dev/null
    tries=0
    while [ "$tries" -lt 50 ] && kill -s 0 -- "-$1" 2>/dev/null; do
        sleep 0.2
        tries=$((tries + 1))
    done
fi
kill -s KILL -- "-$1" 2>/dev/null
exit 0
"#;

/// Where the project, its build results and the logs are, and what earlier steps found for later ones.
pub struct Place {
    pub root: PathBuf,
    pub target: PathBuf,
    pub logs: PathBuf,
    pub nats_server: Option<PathBuf>,
}

/// A command that is over.
#[derive(Debug)]
pub struct Ran {
    status: Option<ExitStatus>,
    deadline: Duration,
    pub output: String,
}

impl Place {
    pub fn log(&self, step: &str) -> PathBuf {
        self.logs.join(format!("{step}.log"))
    }

    /// A command at the top of the project, without what `cargo run` told this program about itself: build scripts look at
    /// some of it, and would build again what `cargo build` by hand has built already.
    pub fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(words).current_dir(&self.root).env("CARGO_TERM_COLOR", "never");
        for (name, _) in std::env::vars_os() {
            let told_by_cargo = name.to_str().is_some_and(|name| {
                ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"]
                    .iter()
                    .any(|start| name.starts_with(start))
                    || ["CARGO", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&name)
            });
            if told_by_cargo {
                command.env_remove(name);
            }
        }
        if std::env::var_os("CI").is_some() {
            command.env("CARGO_INCREMENTAL", "0");
        }
        if let Some(nats_server) = &self.nats_server {
            command.env("BACKROOM_NATS_SERVER", nats_server);
        }
        command
    }

    /// Runs a command; all it says goes to the log of the step and is handed back.
    pub fn run(&self, step: &str, command: Command, deadline: Duration) -> Result<Ran, String> {
        print(&format!("  $ {}", shown(&command)));
        let log = self.open(&self.log(step))?;
        let said_before = log.metadata().map_or(0, |metadata| metadata.len());
        let status = self.watch(step, command, &log, &log, deadline)?;
        let whole = fs::read(self.log(step)).map_err(|fault| format!("could not read the log of {step}: {fault}"))?;
        let from = usize::try_from(said_before).unwrap_or(usize::MAX).min(whole.len());
        Ok(Ran {
            status,
            deadline,
            output: String::from_utf8_lossy(&whole[from..]).into_owned(),
        })
    }

    /// Runs a command whose standard output is an answer; only complaints go to the log.
    pub fn ask(&self, step: &str, command: Command, deadline: Duration) -> Result<Ran, String> {
        let answer = self.logs.join(format!("{step}.answer"));
        let _ = fs::remove_file(&answer);
        let status = self.watch(step, command, &self.open(&answer)?, &self.open(&self.log(step))?, deadline)?;
        let output = fs::read(&answer).map_err(|fault| format!("could not read {}: {fault}", answer.display()))?;
        let _ = fs::remove_file(&answer);
        Ok(Ran {
            status,
            deadline,
            output: String::from_utf8_lossy(&output).into_owned(),
        })
    }

    fn open(&self, path: &PathBuf) -> Result<File, String> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(|fault| format!("could not write {}: {fault}", path.display()))
    }

    /// `None` when the deadline passed.
    fn watch(&self, step: &str, mut command: Command, said: &File, log: &File, deadline: Duration) -> Result<Option<ExitStatus>, String> {
        let same_file = |file: &File| {
            file.try_clone()
                .map_err(|fault| format!("could not share the log of {step}: {fault}"))
        };
        let name = command.get_program().to_string_lossy().into_owned();
        command
            .stdin(Stdio::null())
            .stdout(same_file(said)?)
            .stderr(same_file(log)?)
            .process_group(0);
        let mut child = command.spawn().map_err(|fault| format!("could not start {name}: {fault}"))?;
        let guard = match Guard::over(&child) {
            Ok(guard) => guard,
            Err(fault) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("could not start the guard beside {name}: {fault}"));
            }
        };
        let started = Instant::now();
        let mut signs = 0;
        loop {
            if let Some(status) = child.try_wait().map_err(|fault| format!("lost sight of {name}: {fault}"))? {
                guard.stand_down();
                return Ok(Some(status));
            }
            if started.elapsed() >= deadline {
                guard.stop(&mut child);
                return Ok(None);
            }
            if started.elapsed() >= SIGN_OF_LIFE * (signs + 1) {
                signs += 1;
                print(&format!(
                    "  ... {step}, {} s: {}",
                    started.elapsed().as_secs(),
                    self.last_line(step)
                ));
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    fn last_line(&self, step: &str) -> String {
        let whole = fs::read(self.log(step)).unwrap_or_default();
        let text = String::from_utf8_lossy(&whole[whole.len().saturating_sub(2000)..]).into_owned();
        let line = text
            .lines()
            .map(str::trim)
            .rfind(|line| !line.is_empty())
            .unwrap_or("(nothing said yet)");
        line.chars().take(120).collect()
    }
}

impl Ran {
    pub fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// How it ended, as the rest of a sentence that begins with its name.
    pub fn ending(&self) -> String {
        match self.status {
            None => format!("took longer than {} s and was stopped", self.deadline.as_secs()),
            Some(status) => match status.code() {
                Some(code) => format!("ended with exit code {code}"),
                None => format!("was ended by a signal ({status})"),
            },
        }
    }

    /// Prints the end of the output.
    pub fn print_tail(&self, lines: usize) {
        let all: Vec<&str> = self.output.lines().collect();
        for line in &all[all.len().saturating_sub(lines)..] {
            print(&format!("  | {}", line.chars().take(600).collect::<String>()));
        }
    }
}

/// The helper process that stops a group; see `GUARD`.
struct Guard(Child);

impl Guard {
    fn over(child: &Child) -> io::Result<Self> {
        let group = child.id().to_string();
        // In a group of its own, so that the Ctrl-C that ends this program leaves the guard to its work.
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "guard", &group]).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(command.spawn()?))
    }

    fn stand_down(mut self) {
        if let Some(mut input) = self.0.stdin.take() {
            let _ = input.write_all(b"done\n");
        }
        let _ = self.0.wait();
    }

    fn stop(mut self, child: &mut Child) {
        drop(self.0.stdin.take());
        let _ = child.wait();
        let _ = self.0.wait();
    }
}

fn shown(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for word in command.get_args() {
        line.push(' ');
        line.push_str(&word.to_string_lossy());
    }
    line
}

/// Prints a line at once, whoever reads it: a build server's pipe would hold it back. A reader who left is no reason to stop.
pub fn print(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> Place {
        let folder = std::env::temp_dir().join(format!("verify-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Place {
            root: folder.clone(),
            target: folder.clone(),
            logs: folder,
            nats_server: None,
        }
    }

    #[test]
    fn the_exit_code_and_both_streams_are_kept() {
        let place = place("streams");
        let ran = place
            .run(
                "s",
                place.command("sh", &["-c", "echo out; echo err >&2; exit 3"]),
                Duration::from_secs(60),
            )
            .unwrap();
        assert!(!ran.succeeded());
        assert_eq!(ran.ending(), "ended with exit code 3");
        assert_eq!(ran.output, "out\nerr\n");
        let asked = place
            .ask("s", place.command("sh", &["-c", "echo out; echo err >&2"]), Duration::from_secs(60))
            .unwrap();
        assert!(asked.succeeded());
        assert_eq!(asked.output, "out\n");
        fs::remove_dir_all(&place.root).unwrap();
    }

    #[test]
    fn a_step_that_hangs_is_stopped_with_all_that_it_started() {
        let place = place("hangs");
        let pid_file = place.root.join("pid");
        let script = "sleep 1000 & echo $! > pid; wait";
        let ran = place
            .run("s", place.command("sh", &["-c", script]), Duration::from_secs(2))
            .unwrap();
        assert!(ran.ending().contains("was stopped"), "{}", ran.ending());
        let pid = fs::read_to_string(&pid_file).unwrap();
        // A stopped process may still wait to be collected by its new parent; it is then a zombie without a command line.
        let command_line = fs::read(format!("/proc/{}/cmdline", pid.trim())).unwrap_or_default();
        assert!(command_line.is_empty(), "the child's child still runs");
        fs::remove_dir_all(&place.root).unwrap();
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let place = place("missing");
        let fault = place
            .run("s", place.command("no-such-program", &[]), Duration::from_secs(60))
            .unwrap_err();
        assert!(fault.contains("no-such-program"), "{fault}");
        fs::remove_dir_all(&place.root).unwrap();
    }
}
