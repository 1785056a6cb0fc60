//! Somebody at head office, in the portal's own REST: signs in, changes prices, and looks whether the stores have followed.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::hq::HeadOffice;
use crate::shop::catalog;

const USER: &str = "office";

/// Signs in anew for each errand, because head office may have been set back in between.
#[derive(Debug)]
pub struct Portal {
    http: Client,
    password: String,
}

impl Portal {
    /// Gives every tenant a user and a catalog; head office does not need to run.
    pub async fn furnish(hq: &HeadOffice, folder: &Path, items: usize) -> Result<Self> {
        let password = installer::client::new_id().to_string();
        let password_file = folder.join("password");
        fs::write(&password_file, &password)?;
        let catalog_file = folder.join("catalog.json");
        fs::write(&catalog_file, catalog(items).to_string())?;
        let (password_file, catalog_file) = (password_file.display().to_string(), catalog_file.display().to_string());
        for tenant in hq.tenants() {
            hq.tool(&["user", "add", "--tenant", tenant, "--user", USER, "--password-file", &password_file])
                .await?;
            hq.tool(&["catalog", "import", "--tenant", tenant, &catalog_file]).await?;
        }
        // No kept connections: head office closes one that was quiet for a while, perhaps in the very moment it is used again.
        let http = Client::builder()
            .timeout(Duration::from_secs(20))
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { http, password })
    }

    /// A new price for one item, in all stores of every tenant.
    pub async fn change_price(&self, hq: &HeadOffice, item: u64, price: u64) -> Result<()> {
        for tenant in hq.tenants() {
            let token = self.sign_in(hq, tenant).await?;
            let path = format!("products/SKU-{item:06}/price");
            let order = json!({"price": price});
            self.ask(hq, Method::PUT, &path, Some(&token), Some(order))
                .await
                .context("the price was not taken")?;
        }
        Ok(())
    }

    /// Orders that no store has answered yet.
    pub async fn pending(&self, hq: &HeadOffice) -> Result<u64> {
        let mut pending = 0;
        for tenant in hq.tenants() {
            let token = self.sign_in(hq, tenant).await?;
            let answer = self.ask(hq, Method::GET, "stores", Some(&token), None).await?;
            for store in answer["stores"].as_array().context("the list of stores is none")? {
                pending += store["directives_pending"].as_u64().context("a store without directives_pending")?;
            }
        }
        Ok(pending)
    }

    async fn sign_in(&self, hq: &HeadOffice, tenant: &str) -> Result<String> {
        let who = json!({"tenant": tenant, "user": USER, "password": self.password});
        let answer = self.ask(hq, Method::POST, "login", None, Some(who)).await?;
        Ok(answer["token"].as_str().context("the login gave no token")?.to_owned())
    }

    async fn ask(&self, hq: &HeadOffice, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Result<Value> {
        let mut request = self.http.request(method, format!("{}/api/v1/{path}", hq.http()?));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.with_context(|| format!("head office did not answer {path}"))?;
        let status = answer.status();
        let body: Value = answer
            .json()
            .await
            .with_context(|| format!("head office answered {path} with {status} and no JSON"))?;
        ensure!(status.is_success(), "head office answered {path} with {status}: {body}");
        Ok(body)
    }
}
