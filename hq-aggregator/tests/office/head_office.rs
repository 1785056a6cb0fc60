//! The program under test: its folder, its commands, its running process.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use hq_aggregator::join::JoinFile;

use crate::DEADLINE;
use crate::engine::{Books, Engine};
use crate::http::{self, Answer};

pub const PASSWORD: &str = "only for these tests";

/// A data folder, and the process that may be running on it.
pub struct HeadOffice {
    running: Option<Running>, // Before its books, so that it ends first.
    books: Books,
    home: TempDir,
}

struct Running {
    process: Child,
    ready: Value,
}

impl HeadOffice {
    /// One company `nord` with user `mia` and a catalog, running.
    pub async fn open(engine: Engine) -> HeadOffice {
        let mut office = HeadOffice::closed(engine).await;
        office.start().await;
        office
    }

    /// The same, not running.
    pub async fn closed(engine: Engine) -> HeadOffice {
        let home = tempfile::tempdir().unwrap();
        let office = HeadOffice {
            running: None,
            books: Books::new(engine, &home.path().join("hq")),
            home,
        };
        office.add_tenant("nord").await;
        office
    }

    pub async fn add_tenant(&self, tenant: &str) {
        self.must(&["tenant", "add", "--tenant", tenant, "--name", tenant]).await;
        let password = self.home.path().join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        self.must(&[
            "user",
            "add",
            "--tenant",
            tenant,
            "--user",
            "mia",
            "--password-file",
            password.to_str().unwrap(),
        ])
        .await;
        let catalog = self.home.path().join("catalog.json");
        let items: Vec<Value> = ["TEE-M", "MUG", "CAP_1", "CAPA1"]
            .map(
                |sku| serde_json::json!({ "sku": sku, "name": format!("{sku} of {tenant}"), "codes": [], "tax_class": "A", "price": 1000 }),
            )
            .to_vec();
        let file = serde_json::json!({
            "version": 1, "currency": "EUR", "prices": "inclusive",
            "tax_classes": [{ "code": "A", "name": "standard", "rate": "0.19" }], "items": items,
        });
        std::fs::write(&catalog, file.to_string()).unwrap();
        self.must(&["catalog", "import", "--tenant", tenant, catalog.to_str().unwrap()])
            .await;
    }

    pub async fn add_store(&self, tenant: &str, store: &str) -> JoinFile {
        let path = self.home.path().join(format!("join-{tenant}-{store}.json"));
        self.must(&[
            "store",
            "add",
            "--tenant",
            tenant,
            "--store",
            store,
            "--name",
            store,
            "--join",
            path.to_str().unwrap(),
        ])
        .await;
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    pub fn data(&self) -> PathBuf {
        self.home.path().join("hq")
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn books(&self) -> &Books {
        &self.books
    }

    pub fn books_mut(&mut self) -> &mut Books {
        &mut self.books
    }

    /// Where everything is, is said in the environment.
    pub fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hq-aggregator"));
        command
            .env_remove("BACKROOM_CONFIG")
            .env("BACKROOM_DATA", self.data())
            .env("BACKROOM_DATABASE", self.books.url().unwrap_or_default())
            .kill_on_drop(true);
        command
    }

    pub async fn command(&self, words: &[&str]) -> Output {
        let mut command = self.program();
        command.args(words);
        timeout(DEADLINE, command.output()).await.unwrap().unwrap()
    }

    /// A command that has to succeed; what it printed.
    pub async fn must(&self, words: &[&str]) -> String {
        let output = self.command(words).await;
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub async fn export(&self, tenant: &str) -> Vec<Value> {
        let text = self.must(&["export", "--tenant", tenant]).await;
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The values of one projection by key.
    pub async fn projection(&self, tenant: &str, name: &str) -> serde_json::Map<String, Value> {
        let lines = self.export(tenant).await;
        let lines = lines.into_iter().filter(|line| line["projection"] == name);
        lines
            .map(|line| (line["key"].as_str().unwrap().to_owned(), line["value"].clone()))
            .collect()
    }

    pub async fn start(&mut self) {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.home.path().join("hq.log"))
            .unwrap();
        let mut process = self
            .program()
            .args(["run", "--http", "127.0.0.1:0", "--nats-listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = timeout(DEADLINE, lines.next_line()).await.unwrap().unwrap();
        let ready: Value = serde_json::from_str(&line.unwrap_or_else(|| panic!("no ready line:\n{}", self.log()))).unwrap();
        assert_eq!(
            (&ready["ready"], &ready["name"]),
            (&Value::Bool(true), &Value::from("hq-aggregator"))
        );
        self.running = Some(Running { process, ready });
    }

    pub async fn kill(&mut self) {
        let mut running = self.running.take().unwrap();
        running.process.kill().await.unwrap();
    }

    /// SIGTERM; the exit must be clean.
    pub async fn stop(&mut self) {
        let mut running = self.running.take().unwrap();
        send_signal("-TERM", running.process.id().unwrap());
        let status = timeout(DEADLINE, running.process.wait()).await.unwrap().unwrap();
        assert!(status.success(), "{status}\n{}", self.log());
    }

    /// As a crash of the broker alone.
    pub fn kill_broker(&self) {
        send_signal("-KILL", u32::try_from(self.ready()["nats_pid"].as_u64().unwrap()).unwrap());
    }

    pub fn ready(&self) -> &Value {
        &self.running.as_ref().unwrap().ready
    }

    pub fn broker_url(&self) -> &str {
        self.ready()["nats"].as_str().unwrap()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("hq.log")).unwrap_or_default()
    }

    pub async fn ask(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
        let authorization = token.map(|token| ("authorization", format!("Bearer {token}")));
        http::ask(
            self.http(),
            method,
            path,
            authorization.as_slice(),
            body.map(Value::to_string).as_deref(),
        )
        .await
    }

    pub async fn ask_with(&self, method: &str, path: &str, headers: &[(&str, String)], body: Option<&str>) -> Answer {
        http::ask(self.http(), method, path, headers, body).await
    }

    fn http(&self) -> &str {
        self.ready()["http"].as_str().unwrap().strip_prefix("http://").unwrap()
    }

    pub async fn sign_in(&self, tenant: &str) -> String {
        let question = serde_json::json!({ "tenant": tenant, "user": "mia", "password": PASSWORD });
        let answer = self.ask("POST", "/api/v1/login", None, Some(&question)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["token"].as_str().unwrap().to_owned()
    }

    /// What the portal says about one store.
    pub async fn standing(&self, token: &str, store: &str) -> Value {
        let answer = self.ask("GET", "/api/v1/stores", Some(token), None).await;
        let stores = answer.body["stores"].as_array().unwrap().clone();
        stores.into_iter().find(|one| one["store"] == store).unwrap_or_default()
    }
}

fn send_signal(signal: &str, pid: u32) {
    let status = std::process::Command::new("kill")
        .args([signal, &pid.to_string()])
        .status()
        .unwrap();
    assert!(status.success(), "no process {pid} to signal within {:?}", Duration::ZERO);
}
