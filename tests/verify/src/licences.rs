//! Which licences the project may be built from.
//!
//! Owns the list and the reading of licence expressions (`MIT OR Apache-2.0`, brackets, `AND`, `WITH`, and the old `/`).
//! Looks at every package of the lock file, for all platforms and also at those only used while building or testing.

use std::collections::BTreeSet;

use crate::run::{Place, print};
use crate::steps::Step;
use crate::summary::Tally;

/// Free to use, change and pass on without opening what is built with it. What is not named here is refused.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Zlib",
];

/// Packages that name no licence, only a file with it, and what we read there.
const READ: &[(&str, &str)] = &[("jsonpath-rust v0.3.5", "MIT")];

/// An answer with fewer packages than this was not understood; our own crates alone are ten.
const FEWEST_PACKAGES: usize = 20;

pub fn step(place: &mut Place, step: &Step) -> Tally {
    let words = [
        "tree",
        "--workspace",
        "--locked",
        "--edges",
        "normal,build,dev",
        "--target",
        "all",
        "--prefix",
        "none",
    ];
    let mut command = place.command("cargo", &words);
    command.args(["--format", "{p}|{l}"]);
    let ran = match place.ask(step.name, command, step.deadline) {
        Ok(ran) if ran.succeeded() => ran,
        Ok(ran) => return Tally::failure(format!("cargo tree {}; see target/verify/{}.log", ran.ending(), step.name)),
        Err(fault) => return Tally::failure(fault),
    };
    let packages = packages(&ran.output);
    let refused: Vec<String> = packages
        .iter()
        .filter_map(|(package, licence)| match accepts(licence) {
            Ok(true) => None,
            Ok(false) => Some(format!(
                "{package} is under {licence}; use another package, or add the licence to the list after reading it"
            )),
            Err(fault) => Some(format!("{package}: {fault}")),
        })
        .collect();
    print(&format!("  looked at {} packages", packages.len()));
    let mut tally = Tally::default();
    if packages.len() < FEWEST_PACKAGES {
        tally.fail(format!(
            "cargo tree named only {} packages, so its answer was not understood",
            packages.len()
        ));
    }
    tally.check("every package has a licence that is allowed", &refused);
    tally
}

/// Packages and their licence expressions; cargo marks repeated ones with `(*)`.
fn packages(output: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for line in output.lines() {
        let Some((package, licence)) = line.rsplit_once('|') else {
            continue;
        };
        let licence = licence.trim().trim_end_matches("(*)").trim();
        let name_and_version: Vec<&str> = package.split_whitespace().take(2).collect();
        let package = name_and_version.join(" ");
        let read = READ.iter().find(|(read, _)| licence.is_empty() && *read == package);
        let licence = read.map_or(licence, |(_, licence)| licence);
        found.insert((package, licence.to_owned()));
    }
    found
}

/// True when the licence, or one that may be chosen, is on the list.
fn accepts(expression: &str) -> Result<bool, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    if words.is_empty() {
        return Err("it names no licence".to_owned());
    }
    let mut reader = Reader { words: &words };
    let accepted = reader.either();
    match accepted {
        Some(accepted) if reader.words.is_empty() => Ok(accepted),
        _ => Err(format!("its licence {expression:?} cannot be read")),
    }
}

struct Reader<'a> {
    words: &'a [&'a str],
}

impl<'a> Reader<'a> {
    fn either(&mut self) -> Option<bool> {
        let mut accepted = self.both()?;
        while self.take("OR") {
            accepted |= self.both()?;
        }
        Some(accepted)
    }

    fn both(&mut self) -> Option<bool> {
        let mut accepted = self.one()?;
        while self.take("AND") {
            accepted &= self.one()?;
        }
        Some(accepted)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let accepted = self.either()?;
            return self.take(")").then_some(accepted);
        }
        let name = self.name()?;
        if self.take("WITH") {
            let exception = self.name()?;
            return Some(ALLOWED.contains(&format!("{name} WITH {exception}").as_str()));
        }
        Some(ALLOWED.contains(&name))
    }

    fn take(&mut self, word: &str) -> bool {
        match self.words {
            [first, rest @ ..] if *first == word => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }

    fn name(&mut self) -> Option<&'a str> {
        let [first, rest @ ..] = self.words else { return None };
        if ["(", ")", "OR", "AND", "WITH"].contains(first) {
            return None;
        }
        self.words = rest;
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_choice_that_is_allowed_is_enough() {
        for fine in [
            "MIT",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "Apache-2.0 / MIT",
            "Unlicense OR MIT",
            "MIT OR Apache-2.0 OR LGPL-2.1-or-later",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0-only",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "GPL-2.0-only AND MIT OR ISC",
        ] {
            assert_eq!(accepts(fine), Ok(true), "{fine}");
        }
    }

    #[test]
    fn what_would_open_our_code_or_is_not_known_is_refused() {
        for refused in [
            "GPL-3.0-only",
            "LGPL-2.1-or-later",
            "AGPL-3.0-only OR SSPL-1.0",
            "MIT AND GPL-2.0-only",
            "(MIT OR Apache-2.0) AND LGPL-3.0-only",
            "Apache-2.0 WITH unheard-of-exception",
            "Prosperity-3.0.0",
            "Unlicense",
        ] {
            assert_eq!(accepts(refused), Ok(false), "{refused}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for broken in ["", "   ", "MIT OR", "(MIT", "MIT)", "MIT Apache-2.0", "AND", "MIT WITH"] {
            assert!(accepts(broken).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn a_package_that_is_listed_twice_counts_once() {
        let output =
            "serde v1.0.1|MIT OR Apache-2.0\n    serde v1.0.1|MIT OR Apache-2.0 (*)\nours v0.1.0 (path)|Apache-2.0\nnone v1.0.0|\n";
        let found: Vec<(String, String)> = packages(output).into_iter().collect();
        assert_eq!(found.len(), 3);
        assert!(found.contains(&("serde v1.0.1".to_owned(), "MIT OR Apache-2.0".to_owned())));
        assert!(found.contains(&("none v1.0.0".to_owned(), String::new())));
    }
}
