//! The programs the demo shows: built by the cargo that started it, or those that lie beside it.
//!
//! Builds what `cargo build --workspace --bins --locked` builds and nothing else; how they are used is not known here.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::processes::{Call, Starter};
use super::say::Voice;

/// Where they are, and the target folder they were built in.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
    /// The project's folder, if this program was built in it.
    project: Option<PathBuf>,
}

/// What cargo tells a program about the package it belongs to would only confuse the next cargo.
const OF_THE_OUTER_CARGO: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];

impl Programs {
    pub fn find() -> Result<Self> {
        let me = env::current_exe().context("could not find the folder of this program")?;
        let folder = me.parent().context("this program lies in no folder")?.to_owned();
        let by_cargo = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let project = by_cargo
            .iter()
            .flat_map(|folder| folder.ancestors())
            .chain(me.ancestors())
            .find(|path| is_project(path));
        let project = project.map(Path::to_owned).filter(|_| profile(&folder).is_some());
        Ok(Self { folder, project })
    }

    pub fn store_server(&self) -> PathBuf {
        self.folder.join("store-server")
    }

    pub fn hq_aggregator(&self) -> PathBuf {
        self.folder.join("hq-aggregator")
    }

    pub fn measure(&self) -> PathBuf {
        self.folder.join("measure")
    }

    pub fn till(&self) -> PathBuf {
        self.folder.join("till")
    }

    pub fn simulate(&self) -> PathBuf {
        self.folder.join("simulate")
    }

    pub fn fake_shopify(&self) -> PathBuf {
        self.folder.join("fake-shopify")
    }

    /// The project's folder, if these programs were built in it.
    pub fn project(&self) -> Option<&Path> {
        self.project.as_deref()
    }

    /// Where fetched tools are kept, when there is a target folder.
    pub fn tools(&self) -> Option<PathBuf> {
        self.project.as_ref()?;
        Some(self.folder.parent()?.join("tools"))
    }

    /// Brings them up to date, unless this program was not built in the project.
    pub async fn build(&self, starter: &Starter, voice: &mut Voice) -> Result<()> {
        let Some(project) = &self.project else { return self.check() };
        let began = voice.elapsed();
        let mut crates = 0;
        let mut last = "looking at what must be built".to_owned();
        let mut said: Vec<String> = Vec::new();
        let each = |line: Option<&str>| {
            if let Some(line) = line {
                said.push(line.to_owned());
                let line = line.trim();
                if let Some(name) = line.strip_prefix("Compiling ") {
                    crates += 1;
                    last = name.split(" (").next().unwrap_or(name).to_owned();
                } else if line.starts_with("Blocking") || line.starts_with("Downloading") || line.starts_with("Updating") {
                    last = line.to_owned();
                }
            }
            voice.murmur(&format!("building: {crates} crates so far, now {last}"));
        };
        let status = starter.follow(self.cargo(project), each, Duration::from_millis(500)).await?;
        if !status.success() {
            let tail = said[said.len().saturating_sub(40)..].join("\n");
            bail!("the build failed ({status}):\n{tail}");
        }
        let took = (voice.elapsed() - began).as_secs_f64();
        voice.say(format!("the programs are built ({crates} crates in {took:.1} s)"));
        self.check()
    }

    fn cargo(&self, project: &Path) -> Call {
        let cargo = env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
        let mut call = Call::new(cargo)
            .words(["build", "--workspace", "--bins", "--locked", "--color", "never"])
            .within(project);
        if let Some(target) = self.folder.parent() {
            call = call.flag("--target-dir", target);
        }
        if profile(&self.folder) == Some(Profile::Release) {
            call = call.words(["--release"]);
        }
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if OF_THE_OUTER_CARGO.iter().any(|prefix| name.starts_with(prefix)) {
                call = call.without_env(name);
            }
        }
        call
    }

    /// A missing program is named before anything is started.
    pub fn check(&self) -> Result<()> {
        let servers = [self.store_server(), self.hq_aggregator(), self.simulate(), self.fake_shopify()];
        for program in servers.into_iter().chain([self.measure(), self.till()]) {
            if !program.is_file() {
                bail!(
                    "{} is missing; run `cargo build --workspace --bins` in the project, or leave --no-build out",
                    program.display()
                );
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Profile {
    Debug,
    Release,
}

/// The profile a program was built in, by the folder cargo put it into.
fn profile(folder: &Path) -> Option<Profile> {
    match folder.file_name()?.to_str()? {
        "debug" => Some(Profile::Debug),
        "release" => Some(Profile::Release),
        _ => None,
    }
}

fn is_project(folder: &Path) -> bool {
    folder.join("Cargo.lock").is_file() && folder.join("store-server/Cargo.toml").is_file()
}
