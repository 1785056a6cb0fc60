//! Which nats-server is run: the one that was named, the one that came along, or the system's own if it is new enough.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::broker::BrokerError;

const NAME: &str = "nats-server";
const OLDEST: (u32, u32) = (2, 10);

/// `BACKROOM_NATS_SERVER`, else beside this program, else in the `tools` folder beside that, else on the PATH.
///
/// One that was named but does not fit is an error, not a reason to take another one.
pub fn find_nats_server() -> Result<PathBuf, BrokerError> {
    if let Some(named) = env::var_os("BACKROOM_NATS_SERVER").filter(|named| !named.is_empty()) {
        return fit(PathBuf::from(named));
    }
    for place in beside_this_program() {
        if place.is_file() {
            return fit(place);
        }
    }
    let on_path = env::var_os("PATH").unwrap_or_default();
    for dir in env::split_paths(&on_path) {
        let place = dir.join(NAME);
        if place.is_file()
            && let Ok(fitting) = fit(place)
        {
            return Ok(fitting);
        }
    }
    Err(BrokerError::ServerNotFound)
}

fn beside_this_program() -> Vec<PathBuf> {
    let program = env::current_exe().ok();
    let Some(dir) = program.as_deref().and_then(Path::parent) else {
        return Vec::new();
    };
    vec![dir.join(NAME), dir.join("..").join("tools").join(NAME)]
}

fn fit(path: PathBuf) -> Result<PathBuf, BrokerError> {
    let said = Command::new(&path).arg("--version").output();
    let said = match &said {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    match version(&said) {
        Some(version) if version >= OLDEST => Ok(path),
        _ => Err(BrokerError::ServerUnfit { path, found: said }),
    }
}

/// From `nats-server: v2.15.1`.
fn version(said: &str) -> Option<(u32, u32)> {
    let (_, number) = said.strip_prefix(NAME)?.split_once('v')?;
    let mut parts = number.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_numbers() {
        assert_eq!(version("nats-server: v2.15.1"), Some((2, 15)));
        assert_eq!(version("nats-server: v2.9.10"), Some((2, 9)));
        assert!(version("nats-server: v2.9.10").unwrap() < OLDEST);
        assert_eq!(version("nats-server: v2.12.0-RC.1"), Some((2, 12)));
        assert_eq!(version("something else v9.9"), None);
        assert_eq!(version(""), None);
    }

    #[test]
    fn a_program_which_is_no_server_is_named_in_the_refusal() {
        let refused = fit(PathBuf::from("/bin/echo")).unwrap_err().to_string();
        assert!(
            refused.contains("/bin/echo") && refused.contains("BACKROOM_NATS_SERVER"),
            "{refused}"
        );
        let refused = fit(PathBuf::from("/nowhere/nats-server")).unwrap_err().to_string();
        assert!(refused.contains("/nowhere/nats-server"), "{refused}");
    }
}
