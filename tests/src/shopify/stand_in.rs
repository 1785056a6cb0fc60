//! The stand-in as a running program, for whoever tests or shows head office: started, told what to do, and its books read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::processes::{self, Daemon};

use super::deliveries::Delivered;
use super::faults::{Fault, Kind};

const READY_WITHIN: Duration = Duration::from_secs(30);
pub const TOKEN: &str = "a-token-for-tests-only";
pub const SECRET: &str = "a-secret-for-tests-only";

#[derive(Debug)]
pub struct StandIn {
    daemon: Daemon,
    ledger: PathBuf,
    client: reqwest::Client,
}

impl StandIn {
    /// Starts it with what a catalog file sells. Its ledger and log lie in `folder`, and the two files head office needs too.
    pub async fn start(folder: &Path, catalog: &Path, webhook: Option<&str>) -> Result<Self> {
        let ledger = folder.join("shopify.jsonl");
        let file = |name: &str, secret: &str| -> Result<()> {
            let path = folder.join(name);
            std::fs::write(&path, secret).with_context(|| format!("could not write {}", path.display()))
        };
        file("shopify-token", TOKEN)?;
        file("shopify-secret", SECRET)?;
        let path = |path: &Path| path.display().to_string();
        let mut args = vec!["--listen".to_owned(), "127.0.0.1:0".into(), "--ledger".into(), path(&ledger)];
        args.extend([
            "--catalog".into(),
            path(catalog),
            "--token".into(),
            TOKEN.into(),
            "--secret".into(),
            SECRET.into(),
        ]);
        if let Some(webhook) = webhook {
            args.extend(["--webhook".into(), webhook.to_owned()]);
        }
        let program = processes::binary("fake-shopify")?;
        let daemon = Daemon::start(&program, &args, &folder.join("shopify.log"), READY_WITHIN).await?;
        let client = reqwest::Client::builder().build().context("could not make an HTTP client")?;
        Ok(Self { daemon, ledger, client })
    }

    pub fn url(&self) -> &str {
        self.daemon.ready.http.as_deref().unwrap_or_default()
    }

    /// The next so many questions for this root field fail like this.
    pub async fn fail(&self, fault: Kind, times: u32, only: &str) -> Result<()> {
        self.fail_slowly(fault, times, only, 0).await
    }

    pub async fn fail_slowly(&self, fault: Kind, times: u32, only: &str, ms: u64) -> Result<()> {
        let fault = Fault {
            fault,
            times,
            only: Some(only.to_owned()),
            ms,
        };
        self.tell("faults", &json!(fault)).await.map(drop)
    }

    /// How many told faults have not met their question yet.
    pub async fn faults_left(&self) -> Result<usize> {
        Ok(self.state().await?["faults"].as_array().map_or(0, Vec::len))
    }

    /// A merchant changes a product; what the receiver of the webhook said each time.
    pub async fn change_product(&self, edit: &Value) -> Result<Vec<Delivered>> {
        let answer = self.tell("product", edit).await?;
        serde_json::from_value(answer["delivered"].clone()).context("the stand-in said nothing of its deliveries")
    }

    pub async fn tell(&self, what: &str, how: &Value) -> Result<Value> {
        let url = format!("{}/control/{what}", self.url());
        let answer = self
            .client
            .post(url)
            .json(how)
            .send()
            .await
            .context("the stand-in does not answer")?;
        let status = answer.status();
        let body = answer.text().await.unwrap_or_default();
        ensure!(status.is_success(), "the stand-in refused {what}: {status} {body}");
        Ok(serde_json::from_str(&body).unwrap_or_default())
    }

    pub async fn state(&self) -> Result<Value> {
        let url = format!("{}/control/state", self.url());
        let answer = self.client.get(url).send().await.context("the stand-in does not answer")?;
        answer.json().await.context("the stand-in's state can not be read")
    }

    /// What really happened, of one kind.
    pub fn happened(&self, event: &str) -> Result<Vec<Value>> {
        let text = std::fs::read_to_string(&self.ledger).with_context(|| format!("could not read {}", self.ledger.display()))?;
        // It writes while we read: what does not end in a line end is not written yet.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let lines: Vec<Value> = whole
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
            .context("the ledger of the stand-in can not be read")?;
        Ok(lines.into_iter().filter(|line| line["event"] == event).collect())
    }
}
