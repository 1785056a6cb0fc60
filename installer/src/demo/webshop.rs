//! The stand-in for Shopify that one company sells at: started with secrets of its own, connected to head office, asked what reached it.
//!
//! Its books are its own; what head office believes to have told is compared from outside.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use uuid::Uuid;

use super::counter::happened;
use super::folder::Folder;
use super::office::HeadOffice;
use super::processes::{Call, Server, Starter};
use super::seed::{Company, STORES, THREAD};
use super::shop::{Port, Ports};

/// Who sells there.
pub static COMPANY: &Company = &THREAD;
const DOMAIN: &str = "thread-demo.myshopify.com";

const READY_WITHIN: Duration = Duration::from_secs(30);
const STOP_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub struct WebShop {
    program: PathBuf,
    catalog: PathBuf,
    token: (PathBuf, String),
    secret: (PathBuf, String),
    ledger: PathBuf,
    log: PathBuf,
    port: Port,
    server: Option<Server>,
}

/// What has reached it.
#[derive(Clone, Copy, Debug)]
pub struct Reached {
    pub orders: usize,
    pub levels: usize,
}

impl WebShop {
    pub fn new(program: PathBuf, folder: &Folder, ports: &mut Ports) -> Result<Self> {
        let secret = |name: &str| -> Result<(PathBuf, String)> {
            // The last bits of such an id are random.
            let text: String = (0..4).map(|_| Uuid::now_v7().simple().to_string()[24..].to_owned()).collect();
            Ok((folder.write(name, &text)?, text))
        };
        Ok(Self {
            program,
            catalog: folder.write("shopify-catalog.json", COMPANY.catalog)?,
            token: secret("shopify-token")?,
            secret: secret("shopify-secret")?,
            ledger: folder.path().join("shopify.jsonl"),
            log: folder.path().join("shopify.log"),
            port: ports.take()?,
            server: None,
        })
    }

    /// Its shelves are empty and its books too, each time it opens.
    pub async fn open(&mut self, starter: &Starter, office: &HeadOffice) -> Result<()> {
        self.port.let_go();
        let webhook = format!("{}/webhooks/shopify/{}", office.http(), COMPANY.tenant);
        let mut call = Call::new(&self.program)
            .words(["--listen", &self.port.address.to_string(), "--domain", DOMAIN])
            .words(["--token", &self.token.1, "--secret", &self.secret.1, "--webhook", &webhook])
            .flag("--catalog", &self.catalog)
            .flag("--ledger", &self.ledger);
        for store in stores() {
            call = call.flag("--location", store.name);
        }
        self.server = Some(starter.serve("the stand-in for Shopify", call, &self.log, READY_WITHIN).await?);
        Ok(())
    }

    /// Head office is told where it is; each store is one of its places, in their order.
    pub async fn connect(&self, starter: &Starter, office: &HeadOffice) -> Result<()> {
        let places: Vec<String> = (1..)
            .zip(stores())
            .map(|(number, store)| format!("{}=gid://shopify/Location/{number}", store.code))
            .collect();
        office
            .connect_shopify(starter, COMPANY, (&self.http(), DOMAIN), (&self.token.0, &self.secret.0), &places)
            .await
    }

    pub fn http(&self) -> String {
        format!("http://{}", self.port.address)
    }

    pub fn log(&self) -> &Path {
        &self.log
    }

    pub fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.server.as_mut()?.ended()?;
        self.server = None;
        Some(status)
    }

    pub async fn stop(&mut self) -> Result<()> {
        match self.server.take() {
            Some(mut server) => server.stop(STOP_WITHIN).await,
            None => Ok(()),
        }
    }

    /// Waits until an order and a stock level are there, and makes sure that no order came twice.
    pub async fn wait_for_news(&self, within: Duration) -> Result<Reached> {
        let began = Instant::now();
        loop {
            let reached = self.reached().await?;
            if reached.orders > 0 && reached.levels > 0 {
                return Ok(reached);
            }
            ensure!(
                began.elapsed() < within,
                "after {} s the stand-in for Shopify has {} orders and {} stock levels",
                within.as_secs(),
                reached.orders,
                reached.levels
            );
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn reached(&self) -> Result<Reached> {
        let http = reqwest::Client::builder().timeout(ANSWER_WITHIN).no_proxy().build();
        let http = http.context("could not make an HTTP client")?;
        let url = format!("{}/control/state", self.http());
        let answer = http.get(url).send().await.context("the stand-in for Shopify does not answer")?;
        let state: Value = answer
            .json()
            .await
            .context("the state of the stand-in for Shopify can not be read")?;
        let orders = state["orders"].as_array().context("the stand-in for Shopify tells no orders")?;
        once_each(orders)?;
        // Its ledger is longer than its memory: it holds what came before a restart too.
        once_each(&happened(&self.ledger, "order_created")?)?;
        Ok(Reached {
            orders: orders.len(),
            levels: state["levels"].as_array().map_or(0, Vec::len),
        })
    }
}

fn stores() -> impl Iterator<Item = &'static super::seed::Store> {
    STORES.iter().filter(|store| store.company.tenant == COMPANY.tenant)
}

/// An order carries the name of its sale.
fn once_each(orders: &[Value]) -> Result<()> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for order in orders {
        let sale = order["source_identifier"].as_str().context("an order at Shopify names no sale")?;
        *seen.entry(sale).or_default() += 1;
    }
    match seen.iter().find(|(_, times)| **times > 1) {
        Some((sale, times)) => bail!("sale {sale} is at Shopify {times} times"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sale_that_came_twice_is_named() {
        let order = |sale: &str| json!({"source_identifier": sale});
        once_each(&[order("a"), order("b")]).unwrap();
        let twice = once_each(&[order("a"), order("b"), order("a")]).unwrap_err().to_string();
        assert!(twice.contains("sale a is at Shopify 2 times"), "{twice}");
        assert!(once_each(&[json!({})]).is_err());
    }
}
