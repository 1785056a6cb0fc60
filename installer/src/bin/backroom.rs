//! The `backroom` command. Reads the command line; each subcommand lives in its own room of the library.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use installer::{decode, demo, doctor};

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
    /// Show a whole company at work on this machine
    Demo(demo::Demo),
    /// Check whether this machine is fit to run a shop
    Doctor(doctor::Doctor),
}

fn main() -> ExitCode {
    match CommandLine::parse().command {
        Command::Decode(args) => decode::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Doctor(args) => doctor::run(args),
    }
}
