//! Whether a nats-server is at hand that is new enough: the one named, the one fetched earlier, or one on the path.
//!
//! Only looks and asks for its version; fetches and starts nothing.

use std::env;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::doctor::Finding;

/// The oldest that knows what the link between store and head office needs.
const OLDEST: (u32, u32) = (2, 10);

const NAMED: &str = "BACKROOM_NATS_SERVER";

/// A program that is no nats-server might never end.
const PATIENCE: Duration = Duration::from_secs(5);

const GET_ONE: &str =
    "nothing, if you only want to see the demo: it fetches one; else install nats-server 2.10 or newer and name it in BACKROOM_NATS_SERVER";

pub(super) fn examine() -> Finding {
    if let Some(named) = env::var_os(NAMED) {
        return of_named(Path::new(&named));
    }
    let mut too_old = None;
    for program in fetched().chain(on_path()) {
        match version(&program) {
            Ok(version) if version >= (OLDEST.0, OLDEST.1, 0) => return Finding::ok("nats-server", found(&program, version)),
            Ok(version) => too_old = too_old.or(Some(found(&program, version))),
            Err(_) => {} // Not a nats-server; perhaps the next is.
        }
    }
    match too_old {
        Some(found) => Finding::warn("nats-server", format!("{found} is older than 2.10"), GET_ONE),
        None => Finding::warn("nats-server", "none found", GET_ONE),
    }
}

fn of_named(program: &Path) -> Finding {
    match version(program) {
        Ok(version) if version >= (OLDEST.0, OLDEST.1, 0) => Finding::ok("nats-server", found(program, version)),
        Ok(version) => Finding::fail(
            "nats-server",
            format!("{} is older than 2.10", found(program, version)),
            "name a newer one in BACKROOM_NATS_SERVER, or unset it",
        ),
        Err(why) => Finding::fail(
            "nats-server",
            format!("{NAMED} names {}, which {why}", program.display()),
            "name a nats-server 2.10 or newer in BACKROOM_NATS_SERVER, or unset it",
        ),
    }
}

fn found(program: &Path, (major, minor, patch): (u32, u32, u32)) -> String {
    format!("{major}.{minor}.{patch} at {}", program.display())
}

/// Where the demo and the tests put the one they fetched: beside the build this program came from, or in the project.
fn fetched() -> impl Iterator<Item = PathBuf> {
    let beside = env::current_exe()
        .ok()
        .and_then(|program| Some(program.parent()?.parent()?.join("tools/nats-server")));
    beside
        .into_iter()
        .chain([PathBuf::from("target/tools/nats-server")])
        .filter(|program| program.is_file())
}

fn on_path() -> impl Iterator<Item = PathBuf> {
    let places = env::var_os("PATH").unwrap_or_default();
    let programs: Vec<PathBuf> = env::split_paths(&places).map(|place| place.join("nats-server")).collect();
    programs.into_iter().filter(|program| program.is_file())
}

/// Asks the program for its version; kills it when it does not answer in time.
fn version(program: &Path) -> Result<(u32, u32, u32), String> {
    let mut child = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|fault| format!("can not be started: {fault}"))?;
    let Some(mut answer) = child.stdout.take() else {
        return Err("gave no answer".to_owned());
    };
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        // A short answer is all there is to a version.
        let _ = answer.by_ref().take(4_096).read_to_end(&mut text);
        // The asker may have lost patience.
        let _ = sender.send(text);
    });
    let answer = receiver.recv_timeout(PATIENCE);
    // It has answered, or it never will.
    let _ = child.kill();
    let _ = child.wait();
    let answer = answer.map_err(|_| format!("did not tell its version within {} s", PATIENCE.as_secs()))?;
    read_version(&String::from_utf8_lossy(&answer)).ok_or_else(|| "does not say that it is a nats-server".to_owned())
}

/// `nats-server: v2.10.7`
fn read_version(answer: &str) -> Option<(u32, u32, u32)> {
    let numbers = answer.trim().strip_prefix("nats-server: v")?;
    let plain = numbers.split(|letter: char| !letter.is_ascii_digit() && letter != '.').next()?;
    let mut parts = plain.splitn(3, '.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn a_version_is_read_with_and_without_a_label() {
        assert_eq!(read_version("nats-server: v2.10.7\n"), Some((2, 10, 7)));
        assert_eq!(read_version("nats-server: v2.12.0-RC.1"), Some((2, 12, 0)));
        for text in ["", "nats-server: v2", "bash 5.2.1", "nats-server: vx.y.z"] {
            assert_eq!(read_version(text), None, "{text}");
        }
    }

    #[test]
    fn a_named_program_that_is_no_nats_server_is_a_failure() {
        assert_eq!(of_named(Path::new("/bin/true")).state, State::Fail);
        assert_eq!(of_named(Path::new("/not/there")).state, State::Fail);
    }
}
