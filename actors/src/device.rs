//! The machines of the shop: which there are, how each is doing, and the actors that speak to them.
//!
//! Owns the list from the configuration and the board on which every device's actor writes its state for screens. What a device is
//! asked to do is decided by core and stands in the journal before it is asked; bytes and sockets belong to `devices`.

pub mod machine;
pub mod printer;
pub mod reader;
pub mod scanner;
pub mod terminal;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use backroom_core::ids::{DeviceId, RegisterId};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// What kind of machine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// A receipt printer, with the cash drawer that hangs on it.
    Printer,
    Terminal,
    Scanner,
    Reader,
}

impl DeviceKind {
    pub fn word(self) -> &'static str {
        match self {
            DeviceKind::Printer => "printer",
            DeviceKind::Terminal => "terminal",
            DeviceKind::Scanner => "scanner",
            DeviceKind::Reader => "reader",
        }
    }
}

/// One machine, as the shop's configuration names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceConfig {
    pub name: DeviceId,
    pub kind: DeviceKind,
    /// On whose counter it stands; a reader belongs to the whole shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register: Option<RegisterId>,
    /// `host:port`, or the path of a serial port.
    pub address: String,
    /// A terminal's password of six digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
}

/// Six digits a terminal wants to hear; never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

/// How a machine is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceState {
    /// Not heard of yet, or its link is being made.
    Connecting,
    Ready,
    /// It works, and wants something soon.
    Attention,
    /// It can be reached and can not work.
    Trouble,
    Away,
}

impl DeviceState {
    pub fn word(self) -> &'static str {
        match self {
            DeviceState::Connecting => "connecting",
            DeviceState::Ready => "ready",
            DeviceState::Attention => "attention",
            DeviceState::Trouble => "trouble",
            DeviceState::Away => "away",
        }
    }
}

/// A line of the board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceView {
    pub config: DeviceConfig,
    pub state: DeviceState,
    /// A sentence for people: what it does, or what to do about it.
    pub words: String,
    /// Jobs or payments that wait for it.
    pub waiting: u32,
}

/// How all machines are doing, for whoever looks. Holds no facts.
#[derive(Clone)]
pub struct Board {
    lines: Arc<watch::Sender<BTreeMap<DeviceId, DeviceView>>>,
}

impl Board {
    pub fn new(devices: &[DeviceConfig]) -> Board {
        let line = |config: &DeviceConfig| DeviceView {
            config: config.clone(),
            state: DeviceState::Connecting,
            words: String::new(),
            waiting: 0,
        };
        let lines = devices.iter().map(|config| (config.name, line(config))).collect();
        Board {
            lines: Arc::new(watch::Sender::new(lines)),
        }
    }

    /// Wakes whoever watches only when something changed.
    pub fn set(&self, device: DeviceId, state: DeviceState, words: impl Into<String>) {
        let words = words.into();
        self.lines.send_if_modified(|lines| match lines.get_mut(&device) {
            Some(line) if line.state != state || line.words != words => {
                (line.state, line.words) = (state, words);
                true
            }
            _ => false,
        });
    }

    pub fn set_waiting(&self, device: DeviceId, waiting: usize) {
        let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        self.lines.send_if_modified(|lines| match lines.get_mut(&device) {
            Some(line) if line.waiting != waiting => {
                line.waiting = waiting;
                true
            }
            _ => false,
        });
    }

    pub fn list(&self) -> Vec<DeviceView> {
        self.lines.borrow().values().cloned().collect()
    }

    pub fn watch(&self) -> watch::Receiver<BTreeMap<DeviceId, DeviceView>> {
        self.lines.subscribe()
    }

    /// The machine of this kind on a register's counter.
    pub fn of_register(&self, register: RegisterId, kind: DeviceKind) -> Option<DeviceConfig> {
        let lines = self.lines.borrow();
        let mut own = lines
            .values()
            .filter(|line| line.config.kind == kind && line.config.register == Some(register));
        own.next().map(|line| line.config.clone())
    }
}
