//! The fences between the rooms of the project: who may know whom.
//!
//! Owns the list of what must stay apart, and asks cargo what each crate is really built from. Every fence also shows that
//! it could fail: the same question, asked about a crate that is known to use the stranger, must be answered with yes; a
//! misspelt name would be answered with no for ever.

use std::collections::{BTreeSet, HashMap};
use std::fs;

use crate::run::Place;
use crate::steps::Step;
use crate::summary::Tally;
use crate::text;

struct Fence {
    room: &'static str,
    strangers: &'static [&'static str],
    why: &'static str,
}

const FENCES: &[Fence] = &[
    Fence {
        room: "backroom-core",
        strangers: &["tokio", "sqlx", "tonic", "ractor", "async-nats"],
        why: "the rules of the shop are pure: no waiting, no sockets, no database",
    },
    Fence {
        room: "backroom-llrp",
        strangers: &["tokio", "sqlx", "tonic", "ractor", "async-nats"],
        why: "a codec turns bytes into messages and does nothing else",
    },
    Fence {
        room: "backroom-protocol",
        strangers: &["async-nats", "ractor", "sqlx", "backroom-actors"],
        why: "both sides meet in the protocol, so it knows neither of them, nor how bytes travel",
    },
    Fence {
        room: "backroom-devices",
        strangers: &["async-nats", "backroom-actors"],
        why: "a device does not know the shop it stands in",
    },
    Fence {
        room: "backroom-actors",
        strangers: &["async-nats", "actix-web"],
        why: "sockets live in the servers",
    },
    Fence {
        room: "hq-aggregator",
        strangers: &["ractor", "backroom-actors", "backroom-devices", "rusqlite", "store-server"],
        why: "head office meets the store only through the protocol",
    },
    Fence {
        room: "store-server",
        strangers: &["hq-aggregator"],
        why: "the store meets head office only through the protocol",
    },
    Fence {
        room: "installer",
        strangers: &["backroom-actors", "store-server", "hq-aggregator"],
        why: "the installer starts the servers as programs and knows nothing of their insides",
    },
];

/// For each stranger a crate that does use it; a crate counts as using itself.
const KNOWN_USERS: &[(&str, &str)] = &[
    ("actix-web", "store-server"),
    ("async-nats", "store-server"),
    ("backroom-actors", "store-server"),
    ("backroom-devices", "backroom-devices"),
    ("hq-aggregator", "hq-aggregator"),
    ("ractor", "backroom-actors"),
    ("rusqlite", "backroom-tests"),
    ("sqlx", "store-server"),
    ("store-server", "store-server"),
    ("tokio", "store-server"),
    ("tonic", "store-server"),
];

pub fn step(place: &mut Place, step: &Step) -> Tally {
    let mut tally = Tally::default();
    let mut asked: HashMap<&str, Result<BTreeSet<String>, String>> = HashMap::new();
    for fence in FENCES {
        for stranger in fence.strangers {
            let what = format!("{} does not know {stranger}", fence.room);
            match stands(fence.room, stranger, |room| {
                asked.entry(room).or_insert_with(|| used_by(place, step, room)).clone()
            }) {
                Ok(()) => tally.pass(),
                Err(fault) => tally.fail(format!("{what} ({}): {fault}", fence.why)),
            }
        }
    }
    tally.check("the rules of the shop know no floats", &floats(place));
    tally
}

/// Whether a fence stands, where `used_by` tells the packages that a crate is built from.
fn stands(
    room: &'static str,
    stranger: &'static str,
    mut used_by: impl FnMut(&'static str) -> Result<BTreeSet<String>, String>,
) -> Result<(), String> {
    let known_user = KNOWN_USERS.iter().find(|(name, _)| *name == stranger);
    let Some((_, known_user)) = known_user else {
        return Err("nobody is known to use it, so this fence could not fail; name a user in KNOWN_USERS".to_owned());
    };
    if !used_by(known_user)?.contains(stranger) {
        return Err(format!(
            "{known_user} should use it but does not, so this fence could not fail; correct KNOWN_USERS"
        ));
    }
    if used_by(room)?.contains(stranger) {
        return Err(format!(
            "it does; `cargo tree -p {room} -i {stranger} --edges normal` shows the way"
        ));
    }
    Ok(())
}

fn used_by(place: &Place, step: &Step, room: &str) -> Result<BTreeSet<String>, String> {
    let mut command = place.command("cargo", &["tree", "--locked", "-p", room, "--edges", "normal", "--target", "all"]);
    command.args(["--prefix", "none", "--format", "{p}"]);
    let ran = place.ask(step.name, command, step.deadline)?;
    if !ran.succeeded() {
        return Err(format!(
            "cargo tree -p {room} {}; see target/verify/{}.log",
            ran.ending(),
            step.name
        ));
    }
    let names = names(&ran.output);
    if !names.contains(room) {
        return Err(format!(
            "cargo tree -p {room} did not name {room} itself, so its answer was not understood"
        ));
    }
    Ok(names)
}

fn names(output: &str) -> BTreeSet<String> {
    output
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

/// Places in core that name a float type: money, tax and quantities are whole numbers.
fn floats(place: &Place) -> Vec<String> {
    let sources = match text::files(place, "fences") {
        Ok(files) => files,
        Err(fault) => return vec![fault],
    };
    let mut found = Vec::new();
    let mut looked_at = 0;
    for path in sources
        .iter()
        .filter(|path| path.starts_with("protocol/core/src/") && path.ends_with(".rs"))
    {
        let Ok(source) = fs::read_to_string(place.root.join(path)) else {
            continue;
        };
        looked_at += 1;
        for (number, line) in source.lines().enumerate() {
            if names_a_float(line) {
                found.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    if looked_at == 0 {
        found.push("no source file of protocol/core was found".to_owned());
    }
    found
}

fn names_a_float(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    code.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .any(|word| ["f32", "f64"].contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop(room: &str) -> Result<BTreeSet<String>, String> {
        let used: &[&str] = match room {
            "store-server" => &["store-server", "tokio", "sqlx", "tonic"],
            "backroom-core" => &["backroom-core", "serde", "sqlx"],
            "backroom-actors" => &["backroom-actors"],
            _ => return Err("cargo tree ended with exit code 101".to_owned()),
        };
        Ok(used.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn a_fence_stands_only_if_it_could_fall() {
        assert_eq!(stands("backroom-core", "tokio", shop), Ok(()));
        assert!(
            stands("backroom-core", "sqlx", shop).unwrap_err().contains("-i sqlx"),
            "core uses sqlx here"
        );
        assert!(
            stands("backroom-core", "ractor", shop).unwrap_err().contains("could not fail"),
            "actors lost ractor here"
        );
        assert!(
            stands("backroom-core", "tokyo", shop).unwrap_err().contains("could not fail"),
            "nobody uses a misspelt name"
        );
        assert!(
            stands("backroom-llrp", "tokio", shop).unwrap_err().contains("101"),
            "no answer is not a yes"
        );
    }

    #[test]
    fn every_stranger_has_a_known_user() {
        for stranger in FENCES.iter().flat_map(|fence| fence.strangers) {
            assert!(KNOWN_USERS.iter().any(|(name, _)| name == stranger), "{stranger}");
        }
    }

    #[test]
    fn names_are_the_first_words() {
        let found = names("backroom-core v0.1.0 (path)\nserde v1.0.1\nserde v1.0.1 (*)\n\n");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["backroom-core", "serde"]);
    }

    #[test]
    fn a_float_is_seen_in_code_and_not_in_comments_or_names() {
        assert!(names_a_float("    let rate: f64 = 0.19;"));
        assert!(names_a_float("let x = total as f32;"));
        assert!(!names_a_float("// no f64 here"));
        assert!(!names_a_float("let buf64 = elf32;"));
    }
}
