//! Groups of processes that die with their handle, and with the demo however it dies.
//!
//! Should the demo itself be killed, a guard ends them: a shell that reads from a pipe which only the demo holds, and is told of
//! every group.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;

/// Told `add GROUP`, `drop GROUP` and `end`. When the pipe closes without `end`, the demo is dead.
const GUARD: &str = r#"
trap '' HUP INT TERM
groups=
while read -r word what; do
  case $word in
    add) groups="$groups $what" ;;
    drop) left=; for one in $groups; do [ "$one" = "$what" ] || left="$left $one"; done; groups=$left ;;
    end) exit 0 ;;
  esac
done
for one in $groups; do kill -9 "-$one"; done
[ -n "$1" ] || exit 0
for try in 1 2 3 4 5 6 7 8 9 10; do rm -rf -- "$1" && exit 0; sleep 1; done
"#;

/// Ends what the demo can no longer end itself.
#[derive(Debug)]
pub(super) struct Guard {
    shell: std::process::Child,
    pub(super) pipe: Mutex<Option<ChildStdin>>,
}

impl Guard {
    /// `folder` is removed too when the demo is killed.
    pub(super) fn watch(folder: Option<&Path>) -> Result<Self> {
        let mut shell = std::process::Command::new("/bin/sh")
            .args(["-c", GUARD, "demo-guard"])
            .arg(folder.unwrap_or(Path::new("")))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("could not start /bin/sh to guard the demo's programs")?;
        let pipe = Mutex::new(shell.stdin.take());
        Ok(Self { shell, pipe })
    }

    pub(super) fn tell(&self, word: &str, group: i32) {
        if let Some(pipe) = &mut *self.pipe.lock().unwrap_or_else(PoisonError::into_inner) {
            // Somebody killed the guard; the demo still ends what it started itself.
            let _ = writeln!(pipe, "{word} {group}");
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.tell("end", 0);
        *self.pipe.lock().unwrap_or_else(PoisonError::into_inner) = None;
        // It reads `end` and leaves; if it was killed, it has left already.
        let _ = self.shell.wait();
    }
}

/// A process group that dies with its handle.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) pid: Pid,
    /// Its leader was waited for, so the number may belong to somebody else by now.
    pub(super) over: bool,
    guard: Arc<Guard>,
}

impl Group {
    pub(super) fn of(child: &Child, guard: &Arc<Guard>) -> Result<Self> {
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        let pid = pid.context("a program ended before it could be looked at")?;
        guard.tell("add", pid.as_raw_nonzero().get());
        Ok(Self {
            pid,
            over: false,
            guard: guard.clone(),
        })
    }

    pub(super) fn signal(&self, signal: Signal) {
        if !self.over {
            // It may have ended in this very moment.
            let _ = kill_process_group(self.pid, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        self.guard.tell("drop", self.pid.as_raw_nonzero().get());
    }
}
