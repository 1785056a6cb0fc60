//! The pages: brought, generated, judged, built, and opened in a real browser.
//!
//! Owns what npm and Node are asked for. Every package comes by the lock file and is installed anew only when that has changed. The
//! pages are built before the programs, which carry them inside.

use std::fs;
use std::path::Path;

use crate::counts;
use crate::run::{Place, print};
use crate::steps::Step;
use crate::summary::Tally;
use crate::tools::{install, succeed};

/// Judged one after the other; each is one check.
const JUDGED: &[(&str, &[&str])] = &[
    ("what is generated from the protocol is as committed", &["run", "generate:check"]),
    ("lint", &["run", "lint"]),
    ("types", &["run", "typecheck"]),
    ("build", &["run", "build"]),
    ("unit tests", &["run", "test:unit"]),
];
/// What head office says to Shopify, against the schema Shopify publishes.
const SCHEMA: &str = "tests/web/shopify-schema.mjs";

pub fn pages(place: &mut Place, step: &Step) -> Tally {
    let mut tally = Tally::default();
    if let Err(fault) = packages(place, step) {
        return Tally::failure(fault);
    }
    for (what, words) in JUDGED {
        match succeed(place, step, "npm", words) {
            Ok(_) => tally.passed += 1,
            Err(fault) => tally.fail(format!("the pages' {what}: {fault}")),
        }
    }
    match succeed(place, step, "node", &[SCHEMA]) {
        Ok(_) => tally.passed += 1,
        Err(fault) => tally.fail(format!("what is said to Shopify: {fault}")),
    }
    tally
}

/// `npm ci`, when the lock file is not the one the packages on disk came by.
fn packages(place: &Place, step: &Step) -> Result<(), String> {
    let lock = fs::read(place.root.join("package-lock.json")).map_err(|fault| format!("package-lock.json: {fault}"))?;
    let brought = place.root.join("node_modules/.backroom-lock");
    if fs::read(&brought).is_ok_and(|before| before == lock) {
        return Ok(());
    }
    let asked = place.ask(step.name, place.command("npm", &["--version"]), step.deadline);
    if !asked.is_ok_and(|ran| ran.succeeded()) {
        return Err("npm is missing; install Node.js 20 or newer with its npm".to_owned());
    }
    print("  bringing the packages of the pages");
    succeed(place, step, "npm", &["ci", "--no-audit", "--no-fund"])?;
    fs::write(&brought, lock).map_err(|fault| format!("{}: {fault}", brought.display()))
}

/// The browser tests, on the programs as they were built.
pub fn browser(place: &mut Place, step: &Step) -> Tally {
    if let Err(fault) = chromium(place, step) {
        return Tally::failure(fault);
    }
    let words = ["run", "test", "--workspace", "@backroom/tests"];
    let ran = match place.run(step.name, place.command("npm", &words), step.deadline) {
        Ok(ran) => ran,
        Err(fault) => return Tally::failure(fault),
    };
    let Some(counts) = counts::node(&ran.output) else {
        ran.print_tail(80);
        return Tally::failure(format!(
            "the browser tests {} without a closing line; see target/verify/{}.log",
            ran.ending(),
            step.name
        ));
    };
    let mut tally = Tally {
        passed: counts.passed,
        ..Tally::default()
    };
    if counts.failed > 0 || counts.skipped > 0 {
        ran.print_tail(150);
        tally.fail(format!(
            "{} browser tests failed and {} were left out; see target/verify/{}.log, and target/screens for what was on the screen",
            counts.failed, counts.skipped, step.name
        ));
        tally.failed = counts.failed.max(1);
    } else if !ran.succeeded() {
        tally.fail(format!("no browser test failed, yet they {}", ran.ending()));
    } else if counts.passed == 0 {
        tally.fail("not one browser test ran");
    }
    tally
}

fn chromium(place: &Place, step: &Step) -> Result<(), String> {
    if std::env::var_os("BACKROOM_CHROMIUM").is_some() || Path::new("/usr/bin/chromium").exists() {
        return Ok(());
    }
    install(place, step, "chromium", "name one in BACKROOM_CHROMIUM")
}
