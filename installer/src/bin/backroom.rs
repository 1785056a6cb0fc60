//! The `backroom` command. Reads the command line; each subcommand lives in its own room of the library.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use installer::{decode, demo, doctor, price};

/// Sets up, looks after and shows a Backroom shop
#[derive(Debug, Parser)]
#[command(name = "backroom", version, arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what barcodes and RFID tags mean
    Decode(decode::Decode),
    Demo(demo::Demo),
    /// Check whether this machine is fit to run a shop
    Doctor(doctor::Doctor),
    /// Price a basket and say for each cent why
    Price(price::Price),
}

fn main() -> ExitCode {
    match CommandLine::parse_from(words(std::env::args_os())).command {
        Command::Decode(args) => decode::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Price(args) => price::run(args),
    }
}

/// `cargo demo -- --headless` arrives as `backroom demo -- --headless`: cargo has handed its own `--` on.
fn words(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = args.collect();
    if words.get(1).is_some_and(|word| word == "demo") && words.get(2).is_some_and(|word| word == "--") {
        words.remove(2);
    }
    words
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn the_demo_understands_what_cargo_hands_on() {
        for line in ["backroom demo -- --headless --seconds 30", "backroom demo --headless --seconds 30"] {
            let words = words(line.split(' ').map(OsString::from));
            let parsed = CommandLine::try_parse_from(words).unwrap();
            assert!(matches!(parsed.command, Command::Demo(_)));
        }
        assert!(
            CommandLine::try_parse_from(["backroom", "demo", "--seconds", "9"]).is_err(),
            "only without a person"
        );
    }
}
