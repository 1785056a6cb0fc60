//! A bar code scanner without the metal: a terminal line whose other end looks like a serial port.
//!
//! Owns the line and the trigger. What is scanned is said by whoever turns its knobs; a scanner does not know what it reads.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::sim::control::{self, Controlled};
use crate::sim::ledger::Ledger;
use crate::sim::{Common, ready};

const HELP: &str = "state | scan TEXT (\\xNN is one byte, \\\\ a backslash; a TEXT that begins with ] keeps its own AIM id) | \
    raw HEX | aim on|off | suffix cr|lf|crlf|tab|none | twice on|off | unplug | plug | help";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Suffix {
    #[default]
    Cr,
    Lf,
    Crlf,
    Tab,
    None,
}

impl Suffix {
    fn bytes(self) -> &'static [u8] {
        match self {
            Self::Cr => b"\r",
            Self::Lf => b"\n",
            Self::Crlf => b"\r\n",
            Self::Tab => b"\t",
            Self::None => b"",
        }
    }
}

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub common: Common,
    /// Where the serial port appears; a link that is there already is replaced, a file is not
    #[arg(long, value_name = "PATH")]
    pub link: PathBuf,
    /// What each code ends with
    #[arg(long, value_enum, default_value_t)]
    pub suffix: Suffix,
    /// Say before each code of which kind it is
    #[arg(long)]
    pub aim: bool,
}

impl Args {
    pub fn at(link: impl Into<PathBuf>) -> Self {
        Self {
            common: Common::default(),
            link: link.into(),
            suffix: Suffix::default(),
            aim: false,
        }
    }
}

/// A scanner that runs within this process until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    pub device: String,
    pub address: PathBuf,
    pub control: std::net::SocketAddr,
    tasks: JoinSet<()>,
}

impl Running {
    /// Pulls the plug.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let running = start(args).await?;
    let address = running.address.display().to_string();
    ready::say_ready("scanner", &running.device, &address, &running.control.to_string(), Map::new());
    ready::asked_to_end().await.context("could not wait for signals")?;
    running.stop().await;
    Ok(())
}

pub async fn start(args: Args) -> anyhow::Result<Running> {
    let device = args.common.device.unwrap_or_else(|| "scanner1".to_owned());
    let ledger = Ledger::open(args.common.ledger.as_deref(), &device).context("could not open the ledger")?;
    let listener = TcpListener::bind(args.common.control)
        .await
        .with_context(|| format!("could not listen on {}; is another one running?", args.common.control))?;
    let control = listener.local_addr()?;
    let mut hand = Hand {
        ledger,
        link: args.link.clone(),
        plugged: None,
        suffix: args.suffix,
        aim: args.aim,
        twice: false,
        scans: 0,
    };
    hand.plug()
        .with_context(|| format!("could not make a serial port at {}", args.link.display()))?;
    let mut tasks = JoinSet::new();
    tasks.spawn(control::serve(listener, Arc::new(Scanner(Mutex::new(hand)))));
    Ok(Running {
        device,
        address: args.link,
        control,
        tasks,
    })
}

struct Scanner(Mutex<Hand>);

struct Hand {
    ledger: Ledger,
    link: PathBuf,
    plugged: Option<Plugged>,
    suffix: Suffix,
    aim: bool,
    twice: bool,
    scans: u64,
}

struct Plugged {
    scanner_end: OwnedFd,
    /// Held open, so that the line lives on while nobody listens.
    _port: OwnedFd,
    link: PathBuf,
}

impl Drop for Plugged {
    fn drop(&mut self) {
        // Somebody may have tidied up already.
        let _ = std::fs::remove_file(&self.link);
    }
}

impl Hand {
    fn plug(&mut self) -> io::Result<()> {
        let scanner_end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&scanner_end)?;
        unlockpt(&scanner_end)?;
        let name = ptsname(&scanner_end, Vec::new())?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let port = rustix::fs::open(&name, flags, rustix::fs::Mode::empty())?;
        // Otherwise the line would echo each code back, and change its line ends.
        let mut line = tcgetattr(&port)?;
        line.make_raw();
        tcsetattr(&port, OptionalActions::Now, &line)?;
        let flags = rustix::fs::fcntl_getfl(&scanner_end)?;
        rustix::fs::fcntl_setfl(&scanner_end, flags | OFlags::NONBLOCK)?;
        let name = name.to_str().map_err(io::Error::other)?;
        put_link(Path::new(name), &self.link)?;
        self.plugged = Some(Plugged {
            scanner_end,
            _port: port,
            link: self.link.clone(),
        });
        Ok(())
    }

    fn scan(&mut self, text: &str) -> Result<(), String> {
        let mut bytes = unescaped(text)?;
        if bytes.is_empty() {
            return Err("there is nothing to scan".to_owned());
        }
        if self.aim && !bytes.starts_with(b"]") {
            bytes.splice(0..0, aim_id(&bytes).bytes());
        }
        let told = String::from_utf8_lossy(&bytes).into_owned();
        bytes.extend(self.suffix.bytes());
        for _ in 0..=usize::from(self.twice) {
            let more = Map::from_iter([("text".to_owned(), Value::from(told.clone()))]);
            self.ledger
                .happened("scan", more)
                .map_err(|fault| format!("the ledger could not be written: {fault}"))?;
            self.scans += 1;
            self.send(&bytes)?;
        }
        Ok(())
    }

    fn send(&self, mut bytes: &[u8]) -> Result<(), String> {
        let Some(plugged) = &self.plugged else {
            return Err("the scanner is unplugged; its beep reaches nobody".to_owned());
        };
        while !bytes.is_empty() {
            match rustix::io::write(&plugged.scanner_end, bytes) {
                Ok(length) => bytes = &bytes[length..],
                Err(fault) => return Err(format!("nobody takes what is scanned: {fault}")),
            }
        }
        Ok(())
    }

    fn state(&self) -> Map<String, Value> {
        Map::from_iter([
            ("plugged".to_owned(), self.plugged.is_some().into()),
            ("suffix".to_owned(), format!("{:?}", self.suffix).to_lowercase().into()),
            ("aim".to_owned(), self.aim.into()),
            ("twice".to_owned(), self.twice.into()),
            ("scans".to_owned(), self.scans.into()),
        ])
    }

    fn turn(&mut self, line: &str) -> Result<Map<String, Value>, String> {
        let (knob, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (knob, rest.trim()) {
            ("state", "") => return Ok(self.state()),
            ("help", "") => return Ok(Map::from_iter([("help".to_owned(), HELP.into())])),
            ("scan", text) => self.scan(text)?,
            ("raw", hex) => self.send(&bytes_of(hex)?)?,
            ("aim", "on") => self.aim = true,
            ("aim", "off") => self.aim = false,
            ("twice", "on") => self.twice = true,
            ("twice", "off") => self.twice = false,
            ("suffix", name) => self.suffix = clap::ValueEnum::from_str(name, true)?,
            ("unplug", "") => self.plugged = None,
            ("plug", "") if self.plugged.is_some() => {}
            ("plug", "") => self.plug().map_err(|fault| format!("could not make a serial port: {fault}"))?,
            _ => return Err(format!("{line:?} turns no knob of a scanner; say help")),
        }
        Ok(Map::new())
    }
}

impl Controlled for Scanner {
    fn control(&self, line: &str) -> Result<Map<String, Value>, String> {
        let mut hand: MutexGuard<'_, Hand> = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hand.turn(line)
    }
}

fn put_link(target: &Path, link: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(link) {
        Ok(found) if !found.is_symlink() => {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "there is a file already; choose another path",
            ));
        }
        Ok(_) => std::fs::remove_file(link)?,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => {}
        Err(fault) => return Err(fault),
    }
    std::os::unix::fs::symlink(target, link)
}

/// What a scanner says of the kind, guessed from how the code looks; one that knows writes it into the text.
fn aim_id(code: &[u8]) -> &'static str {
    let digits = code.iter().all(u8::is_ascii_digit);
    match code.len() {
        13 if digits => "]E0",
        8 if digits => "]E4",
        _ => "]C0",
    }
}

fn unescaped(text: &str) -> Result<Vec<u8>, String> {
    let wrong = || "a backslash is written \\\\, a byte \\x1d".to_owned();
    let mut bytes = Vec::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            bytes.extend(letter.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        match letters.next() {
            Some('\\') => bytes.push(b'\\'),
            Some('x') => {
                let hex: String = letters.by_ref().take(2).collect();
                bytes.extend(bytes_of(&hex).ok().filter(|bytes| bytes.len() == 1).ok_or_else(wrong)?);
            }
            _ => return Err(wrong()),
        }
    }
    Ok(bytes)
}

fn bytes_of(hex: &str) -> Result<Vec<u8>, String> {
    data_encoding::HEXLOWER_PERMISSIVE
        .decode(hex.as_bytes())
        .map_err(|fault| format!("{hex:?} are no bytes: {fault}"))
}
