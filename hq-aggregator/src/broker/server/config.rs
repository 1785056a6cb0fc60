//! The configuration file of the embedded server, and the port it had.
//!
//! Written anew at each start, whole, in the JSON which nats-server reads as its own format: so no path needs quoting by hand.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{ACCOUNTS_DIR, Options, SyncInterval};
use crate::broker::BrokerError;
use crate::broker::jwt;
use crate::broker::keys::{Keys, write_private};

pub const FILE: &str = "nats-server.conf";
pub const PORTS_DIR: &str = "ports";
pub const PID_FILE: &str = "nats-server.pid";
const LAST_PORT_FILE: &str = "last-port";

pub struct Config {
    dir: PathBuf,
    /// All but the port.
    settings: Value,
}

impl Config {
    pub fn new(dir: &Path, keys: &Keys, options: &Options) -> Result<Config, BrokerError> {
        let system_account = keys.system_account_public_key();
        let system_paper = keys.account_jwt(&jwt::Account {
            public_key: system_account.clone(),
            name: "system".to_owned(),
            disk_bytes: None,
            roles: Vec::new(),
            revoked: Default::default(),
        })?;
        let sync_interval = match options.sync_interval {
            SyncInterval::Always => "always".to_owned(),
            SyncInterval::Every(pause) => format!("{}ms", pause.as_millis()),
        };
        let mut settings = json!({
            "server_name": "backroom",
            "host": options.listen.ip().to_string(),
            "max_payload": options.max_payload_bytes,
            "pid_file": dir.join(PID_FILE),
            "ports_file_dir": dir.join(PORTS_DIR),
            "operator": keys.operator_jwt()?,
            "system_account": system_account,
            "resolver": { "type": "full", "dir": dir.join(ACCOUNTS_DIR), "allow_delete": true, "interval": "2m" },
            "resolver_preload": {},
            "jetstream": {
                "store_dir": dir.join("jetstream"),
                "max_memory_store": 0,
                "max_file_store": options.disk_bytes,
                "sync_interval": sync_interval,
            },
        });
        settings["resolver_preload"][keys.system_account_public_key()] = Value::String(system_paper);
        Ok(Config {
            dir: dir.to_owned(),
            settings,
        })
    }

    /// Port 0 lets the server choose.
    pub fn write(&mut self, port: u16) -> Result<(), BrokerError> {
        self.settings["port"] = if port == 0 { json!(-1) } else { json!(port) };
        write_private(&self.dir.join(FILE), &format!("{:#}\n", self.settings))
    }

    pub fn last_port(&self) -> Option<u16> {
        fs::read_to_string(self.dir.join(LAST_PORT_FILE))
            .ok()?
            .trim()
            .parse()
            .ok()
            .filter(|&port| port != 0)
    }

    pub fn remember_port(&self, port: u16) -> Result<(), BrokerError> {
        if self.last_port() == Some(port) {
            return Ok(());
        }
        write_private(&self.dir.join(LAST_PORT_FILE), &format!("{port}\n"))
    }
}

/// The port from the file which the server writes once it listens. Half a file is no port yet.
pub fn port_of(dir: &Path, pid: u32) -> Option<u16> {
    let ending = format!("_{pid}.ports");
    let files = fs::read_dir(dir.join(PORTS_DIR)).ok()?.flatten();
    let file = files
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().ends_with(&ending))?;
    let ports: Value = serde_json::from_str(&fs::read_to_string(file).ok()?).ok()?;
    let (_, port) = ports["nats"].get(0)?.as_str()?.rsplit_once(':')?;
    port.parse().ok()
}

/// What earlier runs said about themselves; a killed server could not take it back.
pub fn clear_marks(dir: &Path) -> Result<(), BrokerError> {
    let (ports, pid_file) = (dir.join(PORTS_DIR), dir.join(PID_FILE));
    fs::remove_dir_all(&ports)
        .or_else(if_missing)
        .map_err(BrokerError::file("clear", &ports))?;
    fs::remove_file(&pid_file)
        .or_else(if_missing)
        .map_err(BrokerError::file("clear", &pid_file))?;
    fs::create_dir(&ports).map_err(BrokerError::file("set up", &ports))
}

fn if_missing(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound {
        Ok(())
    } else {
        Err(error)
    }
}
