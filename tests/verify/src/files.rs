//! The shape of the workspace: which crates and programs there are, where they live, and what their manifests may say.
//!
//! Owns the table of the contract's first section and the rule that versions and lints stand once, at the top. Reads
//! manifests line by line; whether they build is cargo's business.

use std::fs;
use std::path::Path;

use crate::run::Place;
use crate::steps::Step;
use crate::summary::Tally;

struct Crate {
    name: &'static str,
    folder: &'static str,
    programs: &'static [&'static str],
}

const CRATES: &[Crate] = &[
    Crate {
        name: "backroom-core",
        folder: "protocol/core",
        programs: &[],
    },
    Crate {
        name: "backroom-protocol",
        folder: "protocol",
        programs: &[],
    },
    Crate {
        name: "backroom-llrp",
        folder: "devices/llrp",
        programs: &[],
    },
    Crate {
        name: "backroom-devices",
        folder: "devices",
        programs: &["simulate"],
    },
    Crate {
        name: "backroom-actors",
        folder: "actors",
        programs: &[],
    },
    Crate {
        name: "store-server",
        folder: "store-server",
        programs: &["store-server"],
    },
    Crate {
        name: "hq-aggregator",
        folder: "hq-aggregator",
        programs: &["hq-aggregator"],
    },
    Crate {
        name: "installer",
        folder: "installer",
        programs: &["backroom", "till"],
    },
    Crate {
        name: "backroom-tests",
        folder: "tests",
        programs: &["measure"],
    },
    Crate {
        name: "verify",
        folder: "tests/verify",
        programs: &["verify"],
    },
];

/// Where every crate of the lock file must come from; a fork or a folder of somebody's own cannot be built elsewhere.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub fn step(place: &mut Place, _step: &Step) -> Tally {
    let mut tally = Tally::default();
    match fs::read_to_string(place.root.join("Cargo.toml")) {
        Ok(text) => {
            let manifest = Manifest::read(&text);
            tally.check("the workspace lists exactly the crates of the contract", &members(&manifest));
            tally.check("unsafe code is forbidden everywhere", &unsafe_is_forbidden(&manifest));
        }
        Err(fault) => tally.fail(format!("Cargo.toml could not be read: {fault}")),
    }
    match fs::read_to_string(place.root.join("Cargo.lock")) {
        Ok(text) => tally.check("every package comes from crates.io", &strangers(&text)),
        Err(fault) => tally.fail(format!("Cargo.lock could not be read: {fault}")),
    }
    for expected in CRATES {
        tally.check(
            &format!("{} keeps the rules of the workspace", expected.name),
            &look_at(expected, &place.root),
        );
    }
    tally
}

fn look_at(expected: &Crate, root: &Path) -> Vec<String> {
    let folder = root.join(expected.folder);
    let text = match fs::read_to_string(folder.join("Cargo.toml")) {
        Ok(text) => text,
        Err(fault) => return vec![format!("{}/Cargo.toml could not be read: {fault}", expected.folder)],
    };
    let manifest = Manifest::read(&text);
    let mut found = manifest_faults(expected.name, &manifest);
    for program in expected.programs {
        if !has_program(program, expected.name, &manifest, &folder) {
            found.push(format!("the program {program} is not in {}", expected.folder));
        }
    }
    found
}

fn has_program(program: &str, name: &str, manifest: &Manifest, folder: &Path) -> bool {
    let named = format!("name = \"{program}\"");
    let by_place = [format!("src/bin/{program}.rs"), format!("src/bin/{program}/main.rs")];
    (program == name && folder.join("src/main.rs").is_file())
        || by_place.iter().any(|source| folder.join(source).is_file())
        || manifest
            .sections
            .iter()
            .any(|section| section.header == "[bin]" && section.lines.contains(&named))
}

fn manifest_faults(name: &str, manifest: &Manifest) -> Vec<String> {
    let mut found = Vec::new();
    if !manifest.has("package", &format!("name = \"{name}\"")) {
        found.push(format!("the package is not named {name}"));
    }
    if !manifest.has("lints", "workspace = true") {
        found.push("`[lints] workspace = true` is missing".to_owned());
    }
    for section in &manifest.sections {
        let parts: Vec<&str> = section.header.split('.').collect();
        let is_kind = |part: &str| ["dependencies", "dev-dependencies", "build-dependencies"].contains(&part);
        if parts.last().is_some_and(|last| is_kind(last)) {
            for line in section.lines.iter().filter(|line| !is_shared(line)) {
                found.push(format!(
                    "`{line}` has a version of its own; put it into the root's [workspace.dependencies]"
                ));
            }
        } else if parts.iter().any(|part| is_kind(part)) && !is_shared_table(section) {
            found.push(format!(
                "[{}] has a version of its own; put it into the root's [workspace.dependencies]",
                section.header
            ));
        }
    }
    found
}

/// `name.workspace = true`, `name = { workspace = true, ... }` or `name = { path = "..." }`, without a version.
fn is_shared(line: &str) -> bool {
    let Some((key, value)) = line.split_once('=') else { return false };
    if key.trim().ends_with(".workspace") {
        return value.trim() == "true";
    }
    let Some(table) = value.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
        return false;
    };
    let entries: Vec<&str> = table.split(',').map(str::trim).collect();
    is_shared_entries(&entries)
}

fn is_shared_table(section: &Section) -> bool {
    let entries: Vec<&str> = section.lines.iter().map(String::as_str).collect();
    is_shared_entries(&entries)
}

fn is_shared_entries(entries: &[&str]) -> bool {
    let key = |entry: &str| entry.split('=').next().unwrap_or_default().trim().to_owned();
    let shared = entries.contains(&"workspace = true") || entries.iter().any(|entry| key(entry) == "path");
    shared
        && !entries
            .iter()
            .any(|entry| ["version", "git", "registry"].contains(&key(entry).as_str()))
}

fn members(manifest: &Manifest) -> Vec<String> {
    let list = manifest.value("workspace", "members").unwrap_or_default();
    let listed: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
    let missing = CRATES.iter().filter(|expected| !listed.contains(&expected.folder));
    let unknown = listed
        .iter()
        .filter(|folder| !CRATES.iter().any(|expected| expected.folder == **folder));
    missing
        .map(|expected| format!("{} is missing", expected.folder))
        .chain(unknown.map(|folder| format!("{folder} is not in the contract; add it there and to this table")))
        .collect()
}

fn unsafe_is_forbidden(manifest: &Manifest) -> Vec<String> {
    match manifest.value("workspace.lints.rust", "unsafe_code").as_deref() {
        Some("\"forbid\"") => Vec::new(),
        _ => vec!["[workspace.lints.rust] in Cargo.toml must say unsafe_code = \"forbid\"".to_owned()],
    }
}

fn strangers(lock: &str) -> Vec<String> {
    let sources: Vec<&str> = lock.lines().filter_map(|line| line.strip_prefix("source = ")).collect();
    if sources.is_empty() {
        return vec!["the lock file names no source at all, so it was not understood".to_owned()];
    }
    let others = sources.iter().filter(|source| source.trim_matches('"') != REGISTRY);
    others.map(|source| format!("{source} is not crates.io")).collect()
}

/// The lines of a manifest by section, without comments, values over several lines joined. Enough of TOML for manifests.
struct Manifest {
    sections: Vec<Section>,
}

struct Section {
    /// As between the outer brackets: `dependencies`, or `[bin]` for `[[bin]]`.
    header: String,
    lines: Vec<String>,
}

impl Manifest {
    fn read(text: &str) -> Self {
        let mut sections: Vec<Section> = Vec::new();
        let mut open = String::new();
        for line in text.lines().map(without_comment).filter(|line| !line.is_empty()) {
            let is_header = open.is_empty() && line.starts_with('[') && line.ends_with(']') && !line.contains('=');
            if is_header {
                sections.push(Section {
                    header: line[1..line.len() - 1].to_owned(),
                    lines: Vec::new(),
                });
                continue;
            }
            open.push_str(line);
            let is_whole = |open: char, close: char, text: &str| text.matches(open).count() <= text.matches(close).count();
            if is_whole('[', ']', &open) && is_whole('{', '}', &open) {
                let whole = std::mem::take(&mut open);
                if let Some(section) = sections.last_mut() {
                    section.lines.push(whole);
                }
            }
        }
        Self { sections }
    }

    fn has(&self, header: &str, line: &str) -> bool {
        self.sections
            .iter()
            .any(|section| section.header == header && section.lines.iter().any(|one| one == line))
    }

    fn value(&self, header: &str, key: &str) -> Option<String> {
        let lines = self
            .sections
            .iter()
            .filter(|section| section.header == header)
            .flat_map(|section| &section.lines);
        let mut pairs = lines.filter_map(|line| line.split_once('='));
        pairs.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim().to_owned())
    }
}

fn without_comment(line: &str) -> &str {
    let mut in_quotes = false;
    for (at, letter) in line.char_indices() {
        match letter {
            '"' => in_quotes = !in_quotes,
            '#' if !in_quotes => return line[..at].trim(),
            _ => {}
        }
    }
    line.trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(dependencies: &str) -> Vec<String> {
        let text = format!("[package]\nname = \"till\"\n\n[lints]\nworkspace = true\n\n{dependencies}");
        manifest_faults("till", &Manifest::read(&text))
    }

    #[test]
    fn shared_dependencies_are_fine() {
        let fine = "[dependencies]\nserde.workspace = true # shared\ntokio = { workspace = true, features = [\n  \"net\",\n] }\n\
            core = { path = \"../core\" }\n\n[dependencies.uuid]\nworkspace = true\n\n[features]\nfast = []\n";
        assert_eq!(faults(fine), Vec::<String>::new());
    }

    #[test]
    fn a_version_of_its_own_is_found_wherever_it_stands() {
        for own in [
            "[dependencies]\nserde = \"1\"\n",
            "[dependencies]\nserde = { version = \"1\", features = [\"derive\"] }\n",
            "[dev-dependencies]\nproptest = { git = \"https://example.org\" }\n",
            "[build-dependencies]\ncore = { path = \"../core\", version = \"0.1\" }\n",
            "[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n",
            "[dependencies.uuid]\nversion = \"1\"\n",
        ] {
            assert_eq!(faults(own).len(), 1, "{own}");
        }
    }

    #[test]
    fn a_missing_lints_line_or_another_name_is_found() {
        let manifest = Manifest::read("[package]\nname = \"drawer\"\n");
        assert_eq!(manifest_faults("till", &manifest).len(), 2);
    }

    #[test]
    fn the_members_are_compared_both_ways() {
        let folders: Vec<String> = CRATES.iter().map(|one| format!("\"{}\"", one.folder)).collect();
        let listed = |folders: &str| members(&Manifest::read(&format!("[workspace]\nmembers = [\n{folders},\n]\n")));
        assert_eq!(listed(&folders.join(",\n")), Vec::<String>::new());
        assert_eq!(listed(&folders[1..].join(",\n")), ["protocol/core is missing"]);
        assert_eq!(listed(&format!("{}, \"shed\"", folders.join(", "))).len(), 1);
        assert_eq!(members(&Manifest::read("")).len(), CRATES.len());
    }

    #[test]
    fn only_forbid_forbids_unsafe_code() {
        let said = |word: &str| unsafe_is_forbidden(&Manifest::read(&format!("[workspace.lints.rust]\nunsafe_code = {word}\n")));
        assert!(said("\"forbid\"").is_empty());
        assert!(!said("\"deny\"").is_empty());
        assert!(!unsafe_is_forbidden(&Manifest::read("[workspace]\n")).is_empty());
    }

    #[test]
    fn a_package_from_elsewhere_is_found() {
        let lock = |source: &str| strangers(&format!("[[package]]\nname = \"x\"\nsource = \"{source}\"\n"));
        assert!(lock(REGISTRY).is_empty());
        assert_eq!(lock("git+https://example.org/x").len(), 1);
        assert_eq!(strangers("").len(), 1);
    }
}
