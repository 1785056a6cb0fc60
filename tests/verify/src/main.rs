//! `cargo verify`: runs every check of the project, one after the other, and ends with `N passed, N failed`.
//!
//! Owns the order of the checks, what is said about them, and the verdict. What a single check looks at is in the module
//! of its name; the list of steps is in `steps`. Needs nothing but the standard library, so that it starts at once, and a
//! Unix, because a step that hangs is stopped together with everything it started.

mod counts;
mod fences;
mod files;
mod licences;
mod run;
mod steps;
mod summary;
mod text;
mod tools;
mod web;

use std::process::ExitCode;
use std::time::Instant;
use std::{env, fs, path};

use crate::run::{Place, print};
use crate::steps::{STEPS, Step};
use crate::summary::{Done, Tally};

const HELP: &str = "\
Runs every check of the project and ends with `N passed, N failed`.

usage: cargo verify [--only NAME[,NAME]...] [--list] [--help]

  --only NAME,...   run only these steps, and those they need
  --list            name the steps and what they do
  --help            this text

The full output of each step is kept in target/verify/NAME.log.
Exit code: 0 all passed, 1 something failed, 2 wrong use.";

enum Wish {
    Help,
    List,
    Run(Vec<&'static Step>),
}

fn main() -> ExitCode {
    match wish(env::args().skip(1)) {
        Ok(Wish::Help) => {
            print(HELP);
            ExitCode::SUCCESS
        }
        Ok(Wish::List) => {
            for step in STEPS {
                print(&format!("{:<10} {}", step.name, step.about));
            }
            ExitCode::SUCCESS
        }
        Ok(Wish::Run(chosen)) => match prepare() {
            Ok(place) => verify(place, &chosen),
            Err(fault) => {
                print(&format!("could not start: {fault}"));
                ExitCode::FAILURE
            }
        },
        Err(fault) => {
            eprintln!("{fault}\n\n{HELP}");
            ExitCode::from(2)
        }
    }
}

fn wish(mut words: impl Iterator<Item = String>) -> Result<Wish, String> {
    let mut only: Vec<String> = Vec::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--help" | "-h" => return Ok(Wish::Help),
            "--list" => return Ok(Wish::List),
            "--only" => {
                let names = words.next().ok_or("--only wants the names of steps, as in --only fmt,clippy")?;
                only.extend(names.split(',').map(|name| name.trim().to_owned()));
            }
            _ => match word.strip_prefix("--only=") {
                Some(names) => only.extend(names.split(',').map(|name| name.trim().to_owned())),
                None => return Err(format!("there is no option {word}")),
            },
        }
    }
    if let Some(unknown) = only.iter().find(|name| !STEPS.iter().any(|step| step.name == name.as_str())) {
        return Err(format!("there is no step {unknown}; `cargo verify --list` names them"));
    }
    if only.is_empty() {
        return Ok(Wish::Run(STEPS.iter().collect()));
    }
    Ok(Wish::Run(with_needs(&only)))
}

/// The steps of these names and whatever they need, in running order. Needs point backwards only, so one pass is enough.
fn with_needs(names: &[String]) -> Vec<&'static Step> {
    let mut chosen: Vec<&'static Step> = Vec::new();
    for step in STEPS.iter().rev() {
        if names.iter().any(|name| name == step.name) || chosen.iter().any(|later| later.needs.contains(&step.name)) {
            chosen.push(step);
        }
    }
    chosen.reverse();
    chosen
}

/// Finds the top of the project and makes the folder for the logs.
fn prepare() -> Result<Place, String> {
    let here = env::current_dir().map_err(|fault| format!("the current folder cannot be read: {fault}"))?;
    let root = here
        .ancestors()
        .find(|folder| folder.join("tests/verify/Cargo.toml").is_file())
        .ok_or_else(|| format!("{} is not inside the project; change into it first", here.display()))?
        .to_path_buf();
    let target = match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => path::absolute(&folder).map_err(|fault| format!("CARGO_TARGET_DIR is not a usable folder: {fault}"))?,
        None => root.join("target"),
    };
    let logs = target.join("verify");
    fs::create_dir_all(&logs).map_err(|fault| format!("could not make the folder {}: {fault}", logs.display()))?;
    Ok(Place {
        root,
        target,
        logs,
        nats_server: None,
    })
}

fn verify(mut place: Place, chosen: &[&'static Step]) -> ExitCode {
    let started = Instant::now();
    let names: Vec<&str> = chosen.iter().map(|step| step.name).collect();
    print(&format!("verify runs: {}", names.join(", ")));
    print("a step that fails does not stop the others, only those that need it");
    let mut done: Vec<Done> = Vec::new();
    for (position, step) in chosen.iter().enumerate() {
        print(&format!("\n[{}/{}] {}: {}", position + 1, chosen.len(), step.name, step.about));
        let step_started = Instant::now();
        let missing = step
            .needs
            .iter()
            .find(|need| done.iter().any(|earlier| earlier.name == **need && !earlier.tally.is_clean()));
        let tally = match missing {
            Some(need) => Tally::skipped(step.name, &format!("it needs the step {need}, which did not pass")),
            None => {
                // What an earlier run left behind must not pass for this one's.
                let _ = fs::remove_file(place.log(step.name));
                (step.run)(&mut place, step)
            }
        };
        let took = step_started.elapsed();
        for fault in &tally.faults {
            print(&format!("FAILED {}: {fault}", step.name));
        }
        for skip in &tally.skips {
            print(&format!("SKIPPED {}: {}", skip.what, skip.reason));
        }
        print(&format!("{} after {:.1} s: {}", step.name, took.as_secs_f64(), tally.counts()));
        done.push(Done {
            name: step.name,
            tally,
            took,
        });
    }
    print("");
    for line in summary::closing(&done, started.elapsed()) {
        print(&line);
    }
    if summary::all_passed(&done) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(words: &[&str]) -> Result<Vec<&'static str>, String> {
        match wish(words.iter().map(|word| (*word).to_owned()))? {
            Wish::Run(steps) => Ok(steps.iter().map(|step| step.name).collect()),
            Wish::Help | Wish::List => Err("no steps were chosen".to_owned()),
        }
    }

    #[test]
    fn a_chosen_step_brings_along_what_it_needs_in_running_order() {
        assert_eq!(chosen(&["--only", "broker,fmt"]), Ok(vec!["tools", "fmt", "build", "broker"]));
        assert_eq!(chosen(&["--only=headers"]), Ok(vec!["headers"]));
    }

    #[test]
    fn without_a_choice_every_step_runs() {
        assert_eq!(chosen(&[]).unwrap().len(), STEPS.len());
    }

    #[test]
    fn a_misspelt_step_or_option_is_refused() {
        assert!(chosen(&["--only", "fmtt"]).unwrap_err().contains("fmtt"));
        assert!(chosen(&["--quick"]).unwrap_err().contains("--quick"));
        assert!(chosen(&["--only"]).is_err());
    }

    #[test]
    fn every_need_is_an_earlier_step() {
        for (position, step) in STEPS.iter().enumerate() {
            for need in step.needs {
                assert!(
                    STEPS.iter().take(position).any(|earlier| earlier.name == *need),
                    "{} needs {need}",
                    step.name
                );
            }
        }
    }
}
