//! Head office with its broker: founded, started, asked over REST as any other client would.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use uuid::Uuid;

use super::folder::Folder;
use super::processes::{Call, Server, Starter};
use super::seed::{Company, STORES};
use super::shop::{Port, Ports};

const COMMAND_WITHIN: Duration = Duration::from_secs(60);
const READY_WITHIN: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(30);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Somebody who signs in at head office.
#[derive(Clone, Debug)]
pub struct Login {
    pub company: &'static Company,
    pub password: String,
    /// The request to sign in with, ready to be sent; for its owner's eyes only.
    pub file: PathBuf,
}

impl Login {
    /// A new password for each demo.
    fn new(company: &'static Company, folder: &Folder) -> Result<Self> {
        // The last bits of such an id are random.
        let id = Uuid::now_v7().simple().to_string();
        let password = format!("{}-{}", company.tenant, &id[22..]);
        let question = json!({"tenant": company.tenant, "user": company.user, "password": password});
        let file = folder.write(&format!("login-{}.json", company.tenant), &question.to_string())?;
        Ok(Self { company, password, file })
    }
}

#[derive(Debug)]
pub struct HeadOffice {
    pub logins: Vec<Login>,
    pub data: PathBuf,
    program: PathBuf,
    nats_server: PathBuf,
    log: PathBuf,
    http: Port,
    nats: Port,
    server: Option<Server>,
}

impl HeadOffice {
    pub fn new(program: PathBuf, nats_server: PathBuf, folder: &Folder, ports: &mut Ports) -> Result<Self> {
        Ok(Self {
            logins: Vec::new(),
            data: folder.path().join("hq"),
            log: folder.path().join("hq.log"),
            program,
            nats_server,
            http: ports.take()?,
            nats: ports.take()?,
            server: None,
        })
    }

    /// Lets a company and its people in.
    pub async fn add_company(&mut self, starter: &Starter, folder: &Folder, company: &'static Company) -> Result<()> {
        let tenant = company.tenant;
        self.tool(starter, self.call(&["tenant", "add", "--tenant", tenant, "--name", company.name]))
            .await?;
        let catalog = folder.write(&format!("{tenant}-catalog.json"), company.catalog)?;
        self.tool(starter, self.call(&["catalog", "import", "--tenant", tenant]).words([&catalog]))
            .await?;
        let login = Login::new(company, folder)?;
        let password = folder.write(&format!("{tenant}-password"), &login.password)?;
        let add_user = self.call(&["user", "add", "--tenant", tenant, "--user", company.user]);
        self.tool(starter, add_user.flag("--password-file", &password)).await?;
        for path in [catalog, password] {
            std::fs::remove_file(&path).with_context(|| format!("could not remove {}", path.display()))?;
        }
        self.logins.push(login);
        Ok(())
    }

    /// Lets all stores in; each gets the file its box joins with.
    pub async fn add_stores(&self, starter: &Starter, folder: &Folder) -> Result<Vec<PathBuf>> {
        let mut joins = Vec::new();
        for store in &STORES {
            let join = folder.path().join(format!("{}.join", store.code));
            let words = [
                "store",
                "add",
                "--tenant",
                store.company.tenant,
                "--store",
                store.code,
                "--name",
                store.name,
            ];
            let add = self
                .call(&words)
                .flag("--join", &join)
                .flag("--nats", format!("nats://{}", self.nats.address));
            self.tool(starter, add).await?;
            joins.push(join);
        }
        Ok(joins)
    }

    /// Connects a company to its shop at Shopify; `places` say which place there a store is.
    pub async fn connect_shopify(
        &self,
        starter: &Starter,
        company: &Company,
        (shop, domain): (&str, &str),
        (token_file, secret_file): (&Path, &Path),
        places: &[String],
    ) -> Result<()> {
        let mut connect = self
            .call(&["shopify", "connect", "--tenant", company.tenant, "--shop", shop, "--domain", domain])
            .flag("--token-file", token_file)
            .flag("--secret-file", secret_file);
        for place in places {
            connect = connect.flag("--location", place);
        }
        self.tool(starter, connect).await.map(drop)
    }

    pub async fn open(&mut self, starter: &Starter) -> Result<()> {
        self.http.let_go();
        self.nats.let_go();
        let (http, nats) = (self.http.address.to_string(), self.nats.address.to_string());
        let run = self
            .call(&["run", "--http", &http, "--nats-listen", &nats])
            .env("BACKROOM_NATS_SERVER", &self.nats_server);
        self.server = Some(starter.serve("head office", run, &self.log, READY_WITHIN).await?);
        Ok(())
    }

    pub fn http(&self) -> String {
        format!("http://{}", self.http.address)
    }

    pub fn nats(&self) -> SocketAddr {
        self.nats.address
    }

    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The broker head office started with; after its first death there is another one.
    pub fn first_broker(&self) -> Option<u32> {
        self.server.as_ref()?.ready.nats_pid
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

    /// `kill -9` of the broker; waits until it is gone, and says who it was.
    pub async fn kill_broker(&self, within: Duration) -> Result<BrokerName> {
        let name = broker_name(self.nats()).await.context("the broker does not greet")?;
        let pid = self.first_broker().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        let pid = pid.context("head office's ready line names no broker")?;
        kill_process(pid, Signal::KILL).context("could not kill the broker")?;
        let gone = async {
            while test_kill_process(pid).is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(within, gone).await.context("the killed broker does not go away")?;
        Ok(name)
    }

    pub async fn export(&self, starter: &Starter, company: &Company) -> Result<Vec<u8>> {
        self.tool(starter, self.call(&["export", "--tenant", company.tenant])).await
    }

    pub async fn prove(&self, starter: &Starter) -> Result<()> {
        self.tool(starter, self.call(&["prove"])).await.map(drop)
    }

    /// Signs somebody of the company in.
    pub async fn sign_in(&self, company: &Company) -> Result<Portal> {
        let login = self.logins.iter().find(|login| login.company.tenant == company.tenant);
        let login = login.context("nobody of that company can sign in")?;
        let question = json!({"tenant": company.tenant, "user": company.user, "password": login.password});
        Portal::sign_in(&self.http(), &question).await
    }

    fn call(&self, words: &[&str]) -> Call {
        Call::new(&self.program).words(words).flag("--data", &self.data)
    }

    async fn tool(&self, starter: &Starter, call: Call) -> Result<Vec<u8>> {
        starter.run(call, COMMAND_WITHIN).await.context("head office")
    }
}

/// By this a broker can be told from its successor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerName(String);

/// Every broker says who it is to whoever connects.
pub async fn broker_name(address: SocketAddr) -> Option<BrokerName> {
    #[derive(Deserialize)]
    struct Info {
        server_id: String,
    }
    let greeting = async {
        let mut line = String::new();
        BufReader::new(TcpStream::connect(address).await.ok()?)
            .read_line(&mut line)
            .await
            .ok()?;
        let info: Info = serde_json::from_str(line.strip_prefix("INFO ")?).ok()?;
        Some(BrokerName(info.server_id))
    };
    timeout(Duration::from_secs(2), greeting).await.ok()?
}

/// One store as head office knows it.
#[derive(Clone, Debug, Deserialize)]
pub struct Standing {
    pub store: String,
    pub connected: bool,
    pub epoch: u32,
    pub held: u64,
    pub applied: u64,
    pub lag_entries: u64,
}

/// Somebody signed in at head office.
#[derive(Clone, Debug)]
pub struct Portal {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Portal {
    async fn sign_in(base: &str, question: &Value) -> Result<Self> {
        #[derive(Deserialize)]
        struct SignedIn {
            token: String,
        }
        let http = reqwest::Client::builder().timeout(ANSWER_WITHIN).no_proxy().build();
        let http = http.context("could not make an HTTP client")?;
        let base = format!("{base}/api/v1");
        let answer = http.post(format!("{base}/login")).json(question).send().await;
        let signed_in: SignedIn = serde_json::from_value(read(answer).await.context("could not sign in at head office")?)?;
        Ok(Self {
            http,
            base,
            token: signed_in.token,
        })
    }

    pub async fn stores(&self) -> Result<Vec<Standing>> {
        #[derive(Deserialize)]
        struct Stores {
            stores: Vec<Standing>,
        }
        let answer = self.http.get(format!("{}/stores", self.base)).bearer_auth(&self.token).send().await;
        let stores: Stores = serde_json::from_value(read(answer).await?).context("head office's list of stores")?;
        Ok(stores.stores)
    }

    /// How much head office still has to tell Shopify.
    pub async fn shopify_backlog(&self) -> Result<u64> {
        let answer = self
            .http
            .get(format!("{}/shopify", self.base))
            .bearer_auth(&self.token)
            .send()
            .await;
        let standing = read(answer).await?;
        standing["waiting_all"]
            .as_u64()
            .context("head office does not say what waits for Shopify")
    }

    /// A new price in all stores, from now on.
    pub async fn set_price(&self, sku: &str, price: i64) -> Result<()> {
        let request = self
            .http
            .put(format!("{}/products/{sku}/price", self.base))
            .bearer_auth(&self.token);
        let answer = read(request.json(&json!({"price": price})).send().await).await?;
        let made = answer["directives"].as_array().map_or(0, Vec::len);
        ensure!(made > 0, "head office took the price of {sku} but orders no store to use it");
        Ok(())
    }
}

/// The body of a good answer, or head office's own sentence.
async fn read(answer: reqwest::Result<reqwest::Response>) -> Result<Value> {
    let answer = answer.context("head office does not answer")?;
    let status = answer.status();
    let text = answer.text().await.context("head office's answer broke off")?;
    if !status.is_success() {
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        let detail = problem["detail"].as_str().or(problem["title"].as_str()).unwrap_or(&text);
        bail!("head office answered {}: {detail}", status.as_u16());
    }
    serde_json::from_str(&text).context("head office's answer is no JSON")
}
