//! `backroom doctor`: whether this machine is fit to run a shop, and what to do where it is not.
//!
//! Owns the list of checks and their printing; how the disk and the broker are tried lives beside it. Changes nothing that
//! stays: what it writes to measure the disk it removes again. Knows nothing of a running shop.

mod broker;
mod disk;

use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

/// Where the servers of a demo begin to look for free ports.
const FIRST_PORT: u16 = 7400;

/// How many ports a demo with three stores and a head office needs, with room to spare.
const PORTS: u16 = 20;

/// Open files a box with many registers, devices and browsers may need.
const GOOD_OPEN_FILES: u64 = 4_096;

/// With fewer not even one store starts.
const LEAST_OPEN_FILES: u64 = 256;

/// Before this moment no Backroom existed, so an earlier clock is wrong: 2025-01-01T00:00:00Z.
const EARLIEST_SANE_SECOND: i64 = 1_735_689_600;

#[derive(Debug, clap::Args)]
pub struct Doctor {
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    /// The directory in which the box shall keep everything; the current directory if none is named
    #[arg(long, value_name = "DIR", env = "BACKROOM_DATA")]
    data: Option<PathBuf>,
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    /// It works, but somebody should look.
    Warn,
    /// The shop can not run like this.
    Fail,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What one check found, and what to do next where it is not well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Finding {
    check: &'static str,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Ok,
            found: found.into(),
            next: None,
        }
    }

    fn warn(check: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Warn,
            found: found.into(),
            next: Some(next.into()),
        }
    }

    fn fail(check: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Fail,
            found: found.into(),
            next: Some(next.into()),
        }
    }
}

/// Runs all checks and prints each as soon as it is done. 0 when none failed, 1 when one did.
pub fn run(args: Doctor) -> ExitCode {
    match examine(&args, &mut io::stdout().lock()) {
        Ok(State::Fail) => ExitCode::FAILURE,
        Ok(State::Ok | State::Warn) => ExitCode::SUCCESS,
        // Whoever read our lines has seen enough.
        Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("could not print what was found: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn examine(args: &Doctor, out: &mut impl Write) -> io::Result<State> {
    let data = args.data.clone().unwrap_or_else(|| PathBuf::from("."));
    let disk_checks = || disk::examine(&data);
    let mut worst = State::Ok;
    let mut tell = |finding: Finding, out: &mut dyn Write| -> io::Result<()> {
        worst = match (worst, finding.state) {
            (State::Fail, _) | (_, State::Fail) => State::Fail,
            (State::Warn, _) | (_, State::Warn) => State::Warn,
            _ => State::Ok,
        };
        write_finding(&finding, args.json, out)
    };
    tell(clock(Timestamp::now()), out)?;
    tell(time_zone(), out)?;
    tell(
        open_files(rustix::process::getrlimit(rustix::process::Resource::Nofile).current),
        out,
    )?;
    tell(ports(FIRST_PORT), out)?;
    for finding in disk_checks() {
        tell(finding, out)?;
    }
    tell(broker::examine(), out)?;
    out.flush()?;
    Ok(worst)
}

fn write_finding(finding: &Finding, json: bool, out: &mut dyn Write) -> io::Result<()> {
    if json {
        serde_json::to_writer(&mut *out, finding)?;
        return out.write_all(b"\n");
    }
    writeln!(out, "{:<5}{:<16}{}", finding.state.word(), finding.check, finding.found)?;
    if let Some(next) = &finding.next {
        writeln!(out, "{:<21}-> {next}", "")?;
    }
    Ok(())
}

fn clock(now: Timestamp) -> Finding {
    let found = format!("{} UTC", now.strftime("%Y-%m-%d %H:%M"));
    if now.as_second() < EARLIEST_SANE_SECOND {
        Finding::fail(
            "clock",
            found,
            "set date and time, and let the machine follow a time server; receipts and business days depend on it",
        )
    } else {
        Finding::ok("clock", found)
    }
}

fn time_zone() -> Finding {
    match TimeZone::try_system().ok().as_ref().and_then(TimeZone::iana_name) {
        Some(name) => Finding::ok("time zone", name),
        None => Finding::warn(
            "time zone",
            "this machine does not say in which time zone it stands",
            "set it (timedatectl set-timezone Europe/Berlin), or name the zone of each store in its configuration",
        ),
    }
}

fn open_files(limit: Option<u64>) -> Finding {
    match limit {
        None => Finding::ok("open files", "no limit"),
        Some(limit) if limit >= GOOD_OPEN_FILES => Finding::ok("open files", format!("up to {limit}")),
        Some(limit) => {
            let found = format!("only {limit} at a time");
            let next = format!("raise the limit to {GOOD_OPEN_FILES} (ulimit -n, or LimitNOFILE= in the service)");
            if limit < LEAST_OPEN_FILES {
                Finding::fail("open files", found, next)
            } else {
                Finding::warn("open files", found, next)
            }
        }
    }
}

fn ports(first: u16) -> Finding {
    let taken: Vec<String> = (first..first.saturating_add(PORTS))
        .filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_err())
        .map(|port| port.to_string())
        .collect();
    let last = first.saturating_add(PORTS - 1);
    if taken.is_empty() {
        return Finding::ok("ports", format!("{first} to {last} are free"));
    }
    let found = format!("taken between {first} and {last}: {}", taken.join(", "));
    if taken.len() == usize::from(PORTS) {
        Finding::fail(
            "ports",
            found,
            "stop what listens there, or give the servers other ports in their configuration",
        )
    } else {
        Finding::warn(
            "ports",
            found,
            "nothing, if another Backroom runs here: the servers take the next free ports; else see what listens there",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_before_2025_is_a_failure() {
        assert_eq!(clock("2024-12-31T23:59:59Z".parse().unwrap()).state, State::Fail);
        assert_eq!(clock("2025-01-01T00:00:00Z".parse().unwrap()).state, State::Ok);
    }

    #[test]
    fn few_open_files_are_a_warning_and_very_few_a_failure() {
        assert_eq!(open_files(None).state, State::Ok);
        assert_eq!(open_files(Some(4_096)).state, State::Ok);
        assert_eq!(open_files(Some(1_024)).state, State::Warn);
        assert_eq!(open_files(Some(100)).state, State::Fail);
    }

    #[test]
    fn a_taken_port_is_named() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let finding = ports(port);
        assert_ne!(finding.state, State::Ok);
        assert!(finding.found.contains(&port.to_string()), "{}", finding.found);
    }

    #[test]
    fn what_is_not_well_says_what_to_do_next() {
        for finding in [clock(Timestamp::UNIX_EPOCH), open_files(Some(1))] {
            let mut text = Vec::new();
            write_finding(&finding, false, &mut text).unwrap();
            assert!(String::from_utf8(text).unwrap().contains("-> "));
        }
    }
}
