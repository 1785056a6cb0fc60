//! How a box behaves as a service: what it tells the service manager, its log, whether it is ready, and its figures.
#![allow(clippy::unwrap_used, reason = "a test may simply stop")]

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::Stdio;
use std::time::{Duration, Instant};

use backroom_protocol::v1::console;
use backroom_protocol::v1::console::console_service_client::ConsoleServiceClient;
use backroom_tests::load::{AtWork, Crew};
use backroom_tests::processes::{self, Workplace};
use backroom_tests::shop::{Founding, Shop};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

const ITEMS: usize = 20;

async fn shop(place: &Workplace) -> Shop {
    let founding = Founding {
        items: ITEMS,
        ..Founding::plain()
    };
    Shop::found(place.path(), &founding).await.unwrap()
}

/// A box started by a service manager that listens.
struct Service {
    child: Child,
    manager: UnixDatagram,
    heard: Vec<String>,
}

impl Service {
    fn start(shop: &Shop, manager: UnixDatagram, name: &str, more: &[(&str, &str)]) -> Service {
        manager.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let mut command = Command::new(processes::binary("store-server").unwrap());
        command
            .args(["run", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data"])
            .arg(shop.data())
            .env("NOTIFY_SOCKET", name)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for (name, value) in more {
            command.env(name, value);
        }
        let child = command.spawn().unwrap();
        Service {
            child,
            manager,
            heard: Vec::new(),
        }
    }

    /// Listens until something was told, with a deadline.
    fn hears(&mut self, what: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut buffer = [0; 4096];
        while !self.heard.iter().any(|told| told.lines().any(|line| line.starts_with(what))) {
            assert!(Instant::now() < deadline, "never told {what}: {:?}", self.heard);
            if let Ok(length) = self.manager.recv(&mut buffer) {
                self.heard.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
            }
        }
    }

    fn signal(&self, signal: Signal) {
        processes::signal(self.child.id().unwrap(), signal).unwrap();
    }

    async fn stop(mut self) -> String {
        self.signal(Signal::TERM);
        self.hears("STOPPING=1");
        let output = tokio::time::timeout(Duration::from_secs(30), self.child.wait_with_output())
            .await
            .unwrap()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_hears_ready_status_life_and_the_end() {
    let place = Workplace::new("service").unwrap();
    let shop = shop(&place).await;
    let path = place.path().join("notify.sock");
    let socket = UnixDatagram::bind(&path).unwrap();
    let more = [("WATCHDOG_USEC", "400000"), ("BACKROOM_LOG_FORMAT", "json")];
    let mut service = Service::start(&shop, socket, &path.display().to_string(), &more);
    service.hears("READY=1");
    let ready = service.heard.iter().find(|told| told.starts_with("READY=1")).unwrap();
    assert!(ready.contains("STATUS=sells: 0 registers, 0 sales"), "{ready}");
    assert_eq!(service.heard.len(), 1, "nothing is told before it is ready: {:?}", service.heard);
    // Ready means that the ports answer: the line on stdout names them.
    let mut line = String::new();
    BufReader::new(service.child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .await
        .unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    let http = told["http"].as_str().unwrap().replace("http://", "");
    let (code, body) = get(&http, "/readyz").await;
    assert_eq!((code, &body["ready"]), (200, &Value::Bool(true)), "{body}");
    service.hears("WATCHDOG=1");
    service.heard.clear();
    service.hears("WATCHDOG=1");
    let log = service.stop().await;
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(event["level"].is_string() && event["message"].is_string(), "{event}");
    }
    assert!(log.contains("open for business"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abstract_name_and_somebody_elses_watchdog() {
    let place = Workplace::new("service").unwrap();
    let shop = shop(&place).await;
    let name = format!("backroom-test-{}", std::process::id());
    let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name.as_bytes()).unwrap()).unwrap();
    let more = [("WATCHDOG_USEC", "100000"), ("WATCHDOG_PID", "1")];
    let mut service = Service::start(&shop, socket, &format!("@{name}"), &more);
    service.hears("READY=1");
    service.hears("STATUS=sells");
    let log = {
        let until = Instant::now() + Duration::from_millis(400);
        let mut buffer = [0; 4096];
        while Instant::now() < until {
            if let Ok(length) = service.manager.recv(&mut buffer) {
                service.heard.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
            }
        }
        assert!(!service.heard.iter().any(|told| told.contains("WATCHDOG")), "{:?}", service.heard);
        service.stop().await
    };
    assert!(log.contains("open for business") && !log.trim_start().starts_with('{'), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_follow_what_is_sold_and_refused() {
    let place = Workplace::new("service").unwrap();
    let mut shop = shop(&place).await;
    shop.start().await.unwrap();
    let crew = Crew {
        items: ITEMS,
        logs: None,
        ..Crew::of_a_campaign(2, place.path().to_owned(), 5)
    };
    let at_work = AtWork::begin(crew.hire(&shop).await.unwrap());
    tokio::time::sleep(Duration::from_millis(400)).await;
    let (mut crew, tally) = at_work.end().await.unwrap();
    crew[0].clear_up().await.unwrap();
    crew[1].clear_up().await.unwrap();
    let wrong = installer::client::make::sign_in("s101", "0000", None);
    let mut client =
        installer::client::Client::new(&shop.address(), installer::client::patience::Patience::of(Duration::from_secs(5))).unwrap();
    client.command(&wrong).await.unwrap_err();

    let http = shop.http().replace("http://", "");
    let text = ask(&http, "/metrics").await.1;
    let value = |name: &str| {
        let line = text
            .lines()
            .find(|line| line.rsplit_once(' ').is_some_and(|(found, _)| found == name));
        line.unwrap_or_else(|| panic!("{name} is missing in\n{text}"))
            .rsplit_once(' ')
            .unwrap()
            .1
            .parse::<f64>()
            .unwrap()
    };
    assert!(value("backroom_sales_total") >= tally.sales as f64 && tally.sales > 0);
    assert_eq!(value("backroom_registers"), 2.0);
    assert_eq!(value("backroom_open_tickets"), 0.0);
    assert_eq!(value("backroom_refused_total{code=\"not_signed_in\"}"), 1.0);
    assert_eq!(value("backroom_actor_running{actor=\"journal\"}"), 1.0);
    assert_eq!(value("backroom_actor_restarts_total{actor=\"register/r1\"}"), 0.0);
    assert_eq!(value("backroom_actor_waiting{actor=\"worklog\"}"), 0.0);
    assert_eq!(value("backroom_journal_held_entries"), 0.0);
    let flushes = value("backroom_journal_flushes_total");
    assert!(flushes > 0.0);
    assert_eq!(value("backroom_journal_flush_seconds_count"), flushes);
    assert_eq!(value("backroom_journal_flush_seconds_bucket{le=\"+Inf\"}"), flushes);
    assert!(value("backroom_journal_flush_seconds_sum") > 0.0);
    // Every metric says what it is, and every line can be read.
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        value.parse::<f64>().unwrap();
        let bare = name.split('{').next().unwrap();
        let bare = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| bare.strip_suffix(end))
            .unwrap_or(bare);
        for about in ["HELP", "TYPE"] {
            assert!(text.contains(&format!("# {about} {bare} ")), "{about} of {bare}");
        }
    }
}

/// Strikes an actor down until the supervisor sets it aside.
async fn set_aside(shop: &Shop, http: &str, actor: &str) -> (u16, Value) {
    let mut console = ConsoleServiceClient::connect(shop.address()).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let command = Some(console::Command {
            command_id: installer::client::new_id().as_bytes().to_vec(),
        });
        let name = actor.to_owned();
        console.strike_actor(console::StrikeActorRequest { name, command }).await.unwrap();
        let (code, body) = get(http, "/readyz").await;
        let out = body["out_of_service"].as_array().unwrap();
        if out.iter().any(|line| line["actor"] == actor && line["state"] == "quarantined") {
            return (code, body);
        }
        assert!(Instant::now() < deadline, "never set aside: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_lives_without_its_journal_but_is_not_ready_and_one_register_does_not_stop_the_others() {
    let place = Workplace::new("service").unwrap();
    let mut shop = shop(&place).await;
    shop.allow_faults = true;
    shop.start().await.unwrap();
    let http = shop.http().replace("http://", "");
    assert_eq!(get(&http, "/readyz").await.0, 200);
    let crew = Crew {
        registers: 1,
        items: ITEMS,
        ..Crew::of_a_campaign(1, place.path().to_owned(), 5)
    };
    crew.hire(&shop).await.unwrap();
    let (code, body) = set_aside(&shop, &http, "register/r1").await;
    assert_eq!((code, &body["ready"], &body["why"]), (200, &json!(true), &json!([])), "{body}");
    let (code, body) = set_aside(&shop, &http, "journal").await;
    assert_eq!((code, &body["ready"]), (503, &json!(false)));
    assert!(body["why"].to_string().contains("journal is quarantined: struck down"), "{body}");
    assert_eq!(get(&http, "/healthz").await, (200, json!({"ok": true})));
}

async fn get(http: &str, path: &str) -> (u16, Value) {
    let (code, body) = ask(http, path).await;
    (code, serde_json::from_str(&body).unwrap_or(Value::Null))
}

async fn ask(http: &str, path: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(http).await.unwrap();
    let words = format!("GET {path} HTTP/1.1\r\nhost: {http}\r\nconnection: close\r\n\r\n");
    socket.write_all(words.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
