//! A shop to test with: its catalog, stock and staff as files, and its box as a running program.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::processes::{self, Daemon};

const COMMAND_WITHIN: Duration = Duration::from_secs(120);
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Everyone's PIN here is their own.
pub const STAFF: [(&str, &str); 3] = [("s101", "4711"), ("s102", "2580"), ("s103", "1379")];

/// What a shop is founded with.
#[derive(Clone, Debug)]
pub struct Founding {
    pub tenant: String,
    pub store: String,
    pub items: usize,
    pub cash_step: u32,
    /// The file by which head office lets the store in.
    pub join: Option<PathBuf>,
}

impl Founding {
    pub fn plain() -> Self {
        Self {
            tenant: "thread".into(),
            store: "berlin".into(),
            items: 1_000,
            cash_step: 1,
            join: None,
        }
    }
}

/// A GTIN-13 with its check digit, by number.
pub fn gtin(number: usize) -> String {
    let body = format!("400{number:09}");
    let sum: u32 = body
        .bytes()
        .enumerate()
        .map(|(at, digit)| u32::from(digit - b'0') * if at % 2 == 0 { 1 } else { 3 })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// What a scanner can read in a shop of so many items.
pub fn codes(items: usize) -> Vec<String> {
    (0..items).map(gtin).collect()
}

pub fn catalog(items: usize) -> serde_json::Value {
    let items: Vec<_> = (0..items)
        .map(|number| {
            json!({
                "sku": format!("SKU-{number:06}"), "name": format!("Item {number}"), "codes": [gtin(number)],
                "tax_class": if number % 3 == 0 { "B" } else { "A" }, "price": 99 + (number * 37) % 4_900,
            })
        })
        .collect();
    json!({
        "version": 1, "currency": "EUR", "prices": "inclusive",
        "tax_classes": [{"code": "A", "name": "standard", "rate": "0.19"}, {"code": "B", "name": "reduced", "rate": "0.07"}],
        "items": items,
    })
}

/// A box, its data and where it listens.
#[derive(Debug)]
pub struct Shop {
    program: PathBuf,
    folder: PathBuf,
    /// The address in use from the first start on: registers have written it down.
    ports: Option<(String, String)>,
    pub allow_faults: bool,
    pub nats: Option<String>,
    running: Option<Daemon>,
}

impl Shop {
    /// Sets a box up in a folder of its own; it does not run yet.
    pub async fn found(folder: &Path, founding: &Founding) -> Result<Self> {
        let program = processes::binary("store-server")?;
        let folder = folder.join(&founding.store);
        fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
        let file = |name: &str, value: serde_json::Value| -> Result<String> {
            let path = folder.join(name);
            fs::write(&path, value.to_string()).with_context(|| format!("could not write {}", path.display()))?;
            Ok(path.display().to_string())
        };
        let stock: Vec<_> = (0..founding.items)
            .map(|number| json!({"sku": format!("SKU-{number:06}"), "on_hand": 1_000_000}))
            .collect();
        let staff: Vec<_> = STAFF
            .iter()
            .map(|(id, pin)| json!({"id": id, "name": format!("Cashier {id}"), "pin": pin}))
            .collect();
        let mut args = vec!["init".to_owned(), "--data".into(), folder.join("data").display().to_string()];
        for (flag, value) in [
            ("--tenant", founding.tenant.clone()),
            ("--store", founding.store.clone()),
            ("--name", format!("Shop {}", founding.store)),
            ("--zone", "Europe/Berlin".into()),
            ("--currency", "EUR".into()),
            ("--cash-step", founding.cash_step.to_string()),
            ("--catalog", file("catalog.json", catalog(founding.items))?),
            ("--stock", file("stock.json", json!(stock))?),
            ("--staff", file("staff.json", json!(staff))?),
        ] {
            args.push(flag.into());
            args.push(value);
        }
        if let Some(join) = &founding.join {
            args.push("--join".into());
            args.push(join.display().to_string());
        }
        processes::run(&program, &args, COMMAND_WITHIN).await?;
        Ok(Self {
            program,
            folder,
            ports: None,
            allow_faults: false,
            nats: None,
            running: None,
        })
    }

    /// The same shop in another folder, from a backup; it does not run yet. The registers find it where the old one was.
    pub async fn restored(&self, folder: &Path, backup: &Path) -> Result<Self> {
        let shop = Self {
            program: self.program.clone(),
            folder: folder.join(self.folder.file_name().context("a shop without a folder")?),
            ports: self.ports.clone(),
            allow_faults: self.allow_faults,
            nats: self.nats.clone(),
            running: None,
        };
        fs::create_dir_all(&shop.folder)?;
        shop.tool(&["restore", &backup.display().to_string()]).await?;
        Ok(shop)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Starts the box, on the ports of its first start.
    pub async fn start(&mut self) -> Result<()> {
        let args = self.run_args();
        let daemon = Daemon::start(&self.program, &args, &self.box_log(), READY_WITHIN).await?;
        let bare = |url: &Option<String>| {
            let (_, rest) = url.as_ref()?.split_once("://")?;
            Some(rest.trim_end_matches('/').to_owned())
        };
        let grpc = bare(&daemon.ready.grpc).context("the ready line names no gRPC address")?;
        let http = bare(&daemon.ready.http).context("the ready line names no HTTP address")?;
        self.ports = Some((grpc, http));
        self.running = Some(daemon);
        Ok(())
    }

    /// Starts the box and kills it so soon after, ready or not.
    pub async fn start_and_kill(&mut self, after: Duration) -> Result<()> {
        processes::start_and_kill(&self.program, &self.run_args(), &self.box_log(), after).await
    }

    fn box_log(&self) -> PathBuf {
        self.folder.join("box.log")
    }

    fn run_args(&self) -> Vec<String> {
        let (grpc, http) = self.ports.clone().unwrap_or_else(|| ("127.0.0.1:0".into(), "127.0.0.1:0".into()));
        let mut args = vec!["run".to_owned(), "--data".into(), self.data().display().to_string()];
        args.extend(["--grpc".into(), grpc, "--http".into(), http]);
        if self.allow_faults {
            args.push("--allow-faults".into());
        }
        if let Some(nats) = &self.nats {
            args.extend(["--nats".into(), nats.clone()]);
        }
        args
    }

    /// Where the registers find it.
    pub fn address(&self) -> String {
        format!("http://{}", self.ports.as_ref().map_or("127.0.0.1:7400", |(grpc, _)| grpc))
    }

    pub fn http(&self) -> String {
        format!("http://{}", self.ports.as_ref().map_or("127.0.0.1:7401", |(_, http)| http))
    }

    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|daemon| daemon.ready.pid)
    }

    /// `kill -9`; says when the box was dead for sure.
    pub async fn kill(&mut self) -> Result<Timestamp> {
        let mut daemon = self.running.take().context("the box does not run")?;
        if let Some(status) = daemon.has_ended() {
            anyhow::bail!(
                "the box had already ended by itself with {status}:\n{}",
                processes::tail(&daemon.log)
            );
        }
        daemon.kill().await
    }

    pub async fn stop(&mut self) -> Result<()> {
        let mut daemon = self.running.take().context("the box does not run")?;
        let status = daemon.stop(Duration::from_secs(30)).await?;
        anyhow::ensure!(status.success(), "the box stopped with {status}:\n{}", processes::tail(&daemon.log));
        Ok(())
    }

    /// Fails when the box has ended without being told to.
    pub fn check_alive(&mut self) -> Result<()> {
        if let Some(daemon) = &mut self.running
            && let Some(status) = daemon.has_ended()
        {
            anyhow::bail!("the box ended by itself with {status}:\n{}", processes::tail(&daemon.log));
        }
        Ok(())
    }

    /// One code, good for one register.
    pub async fn pair(&self) -> Result<String> {
        #[derive(Deserialize)]
        struct Paired {
            pairing_code: String,
        }
        let printed = self.tool(&["pair"]).await?;
        let paired: Paired = serde_json::from_slice(&printed).context("`pair` printed no pairing code")?;
        Ok(paired.pairing_code)
    }

    /// Runs one of the box's own commands over its data.
    pub async fn tool(&self, words: &[&str]) -> Result<Vec<u8>> {
        let data = self.data().display().to_string();
        let mut args: Vec<&str> = words.to_vec();
        args.extend(["--data", &data]);
        processes::run(&self.program, &args, COMMAND_WITHIN).await
    }

    /// The same for a command that may fail: its exit code, and what it said on either side.
    pub async fn asked(&self, words: &[&str]) -> Result<(i32, String, String)> {
        let data = self.data().display().to_string();
        let mut args: Vec<&str> = words.to_vec();
        args.extend(["--data", &data]);
        let output = processes::output(&self.program, &args, COMMAND_WITHIN).await?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        Ok((output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_of_a_test_shop_carry_their_check_digit() {
        assert_eq!(gtin(0), "4000000000006");
        assert_eq!(gtin(638_133_393), "4006381333931");
    }
}
