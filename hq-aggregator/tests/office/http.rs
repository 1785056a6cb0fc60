//! A client of the portal which sends exactly what a test says, wrong things included.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::DEADLINE;

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// In small letters, to compare.
    pub head: String,
    /// As they were set.
    pub cookies: Vec<String>,
    pub text: String,
    /// Null when it is no JSON.
    pub body: Value,
}

impl Answer {
    /// What a browser would send back: a cookie that was set, as it was set.
    pub fn cookie(&self, name: &str) -> String {
        let set = self.cookies.iter().find(|set| set.starts_with(&format!("{name}="))).unwrap();
        set.split(';').next().unwrap().to_owned()
    }
}

pub async fn ask(address: &str, method: &str, path: &str, headers: &[(&str, String)], body: Option<&str>) -> Answer {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = body {
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            text.push_str("content-type: application/json\r\n");
        }
        text.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body.unwrap_or_default());
    let mut stream = TcpStream::connect(address).await.unwrap();
    let asking = async {
        // A server that refuses a large body may close before it has read all of it.
        let _refused_early = stream.write_all(text.as_bytes()).await;
        let mut answer = Vec::new();
        let _closed_hard = stream.read_to_end(&mut answer).await;
        answer
    };
    let answer = timeout(DEADLINE, asking).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer {
        status,
        head: head.to_lowercase(),
        cookies: head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
            .map(|(_, value)| value.to_owned())
            .collect(),
        text: text.to_owned(),
        body: serde_json::from_str(text).unwrap_or_default(),
    }
}
