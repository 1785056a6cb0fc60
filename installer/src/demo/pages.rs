//! The pages, built before the programs that carry them inside: with npm, and only when their sources are newer than what was built.
//!
//! Without Node the demo goes on without pages. Their packages are kept as `cargo verify` keeps them.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use super::processes::{Call, Starter};
use super::say::Voice;

const BUILT: [&str; 2] = ["store-server/web/dist/index.html", "hq-aggregator/web/dist/index.html"];
const SOURCES: [&str; 6] = [
    "package.json",
    "package-lock.json",
    "tsconfig.base.json",
    "protocol/web",
    "store-server/web",
    "hq-aggregator/web",
];
const NOT_SOURCES: [&str; 2] = ["node_modules", "dist"];

const VERSION_WITHIN: Duration = Duration::from_secs(20);
const PACKAGES_WITHIN: Duration = Duration::from_secs(600);
const BUILD_WITHIN: Duration = Duration::from_secs(300);

/// Brings them up to date, or says in one sentence why not.
pub async fn build(project: &Path, starter: &Starter, voice: &mut Voice) -> Result<()> {
    if are_built(project) {
        return Ok(());
    }
    for program in ["node", "npm"] {
        if starter.run(Call::new(program).words(["--version"]), VERSION_WITHIN).await.is_err() {
            let so = match BUILT.iter().all(|file| project.join(file).exists()) {
                true => "stay as they were built last",
                false => "are left out",
            };
            voice.say(format!(
                "{program} is missing, so the pages {so}; install Node.js 20 or newer with its npm to build them"
            ));
            return Ok(());
        }
    }
    let npm = |words: &[&str]| Call::new("npm").words(words).within(project);
    let lock = fs::read(project.join("package-lock.json")).context("could not read package-lock.json")?;
    let brought = project.join("node_modules/.backroom-lock");
    if !fs::read(&brought).is_ok_and(|before| before == lock) {
        voice.say("bringing the packages of the pages with npm, once");
        starter
            .run(npm(&["ci", "--no-audit", "--no-fund"]), PACKAGES_WITHIN)
            .await
            .context("the packages of the pages could not be brought")?;
        fs::write(&brought, lock).with_context(|| format!("could not write {}", brought.display()))?;
    }
    let began = voice.elapsed();
    voice.murmur("building the pages");
    starter
        .run(npm(&["run", "build"]), BUILD_WITHIN)
        .await
        .context("the pages could not be built")?;
    voice.say(format!("the pages are built ({:.1} s)", (voice.elapsed() - began).as_secs_f64()));
    Ok(())
}

/// Both are there, and nothing they are made of is newer.
fn are_built(project: &Path) -> bool {
    let built = BUILT.iter().map(|file| changed(&project.join(file)));
    // The older one counts; one that is missing is older than all.
    let Some(built) = built.min().flatten() else { return false };
    SOURCES
        .iter()
        .all(|source| newest(&project.join(source)).is_none_or(|source| source <= built))
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|file| file.modified()).ok()
}

/// When a file, or the last of all files below a folder, was changed. A folder itself changes with what is built beside.
fn newest(path: &Path) -> Option<SystemTime> {
    let Ok(entries) = fs::read_dir(path) else { return changed(path) };
    let is_source = |entry: &fs::DirEntry| !NOT_SOURCES.iter().any(|not| entry.file_name() == *not);
    let sources = entries.filter_map(Result::ok).filter(is_source);
    sources.filter_map(|entry| newest(&entry.path())).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_built_again_when_a_source_is_newer_or_one_of_them_is_missing() {
        let project = std::env::temp_dir().join(format!("backroom-demo-test-pages-{}", uuid::Uuid::now_v7()));
        let write = |file: &str, at: u64| {
            let path = project.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + at);
            let file = fs::File::create(path).unwrap();
            file.set_modified(time).unwrap();
        };
        write("protocol/web/src/key.tsx", 1);
        write("store-server/web/node_modules/thing.js", 9);
        write(BUILT[0], 5);
        assert!(!are_built(&project), "one is missing");
        write(BUILT[1], 4);
        assert!(are_built(&project), "packages are no sources");
        write("hq-aggregator/web/src/app.tsx", 5);
        assert!(!are_built(&project), "the older one counts");
        write(BUILT[1], 5);
        assert!(are_built(&project));
        fs::remove_dir_all(project).unwrap();
    }
}
