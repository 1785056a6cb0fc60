//! A browser made by hand: HTTP/1.1 on a socket, cookies, and gRPC-web frames. Uses nothing of what it tests.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use prost::Message;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

pub struct Browser {
    pub box_at: SocketAddr,
    pub cookies: BTreeMap<String, String>,
    /// What it says in `Host` and `Origin`; as a page of the box would, unless a test says otherwise.
    pub host: String,
    pub origin: Option<String>,
}

pub struct Answer {
    pub status: u16,
    /// In the order they came; `set-cookie` comes more than once.
    pub headers: Vec<(String, String)>,
    body: Body,
}

struct Body {
    from: BufReader<TcpStream>,
    chunked: bool,
    left: usize,
    read: Vec<u8>,
}

impl Browser {
    pub fn new(box_at: SocketAddr) -> Browser {
        Browser {
            box_at,
            cookies: BTreeMap::new(),
            host: box_at.to_string(),
            origin: Some(format!("http://{box_at}")),
        }
    }

    pub async fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n",
            self.host,
            body.len()
        );
        if let Some(origin) = &self.origin {
            head += &format!("origin: {origin}\r\n");
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            head += &format!("cookie: {}\r\n", cookies.join("; "));
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        let mut socket = TcpStream::connect(self.box_at).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        // A refusal may come before all was said.
        let _ = socket.write_all(body).await;
        let answer = in_time(Answer::read(socket)).await;
        for (name, value) in &answer.headers {
            if name == "set-cookie" {
                self.keep(value);
            }
        }
        answer
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"").await
    }

    pub async fn post(&mut self, path: &str, body: &serde_json::Value) -> Answer {
        self.ask("POST", path, &[("content-type", "application/json")], body.to_string().as_bytes())
            .await
    }

    /// A gRPC-web call; the answer may be a stream.
    pub async fn call(&mut self, method: &str, said: &impl Message) -> Answer {
        let mut frame = vec![0];
        frame.extend(u32::try_from(said.encoded_len()).unwrap().to_be_bytes());
        frame.extend(said.encode_to_vec());
        let kind = [("content-type", "application/grpc-web+proto"), ("x-grpc-web", "1")];
        self.ask("POST", &format!("/backroom.{method}"), &kind, &frame).await
    }

    fn keep(&mut self, cookie: &str) {
        let (pair, rules) = cookie.split_once(';').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        assert!(
            rules.contains("HttpOnly") && rules.contains("SameSite=Strict") && rules.contains("Path=/"),
            "{cookie}"
        );
        if rules.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.into(), value.into());
        }
    }
}

impl Answer {
    async fn read(socket: TcpStream) -> Answer {
        let mut from = BufReader::new(socket);
        let mut line = String::new();
        from.read_line(&mut line).await.unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        loop {
            line.clear();
            from.read_line(&mut line).await.unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let find = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        let body = Body {
            from,
            chunked: find("transfer-encoding").is_some_and(|coding| coding == "chunked"),
            left: find("content-length").map_or(0, |length| length.parse().unwrap()),
            read: Vec::new(),
        };
        Answer { status, headers, body }
    }

    pub fn header(&self, wanted: &str) -> &str {
        self.headers.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value)
    }

    pub async fn text(mut self) -> String {
        while self.body.more().await {}
        String::from_utf8(self.body.read).unwrap()
    }

    pub async fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.text().await).unwrap()
    }

    /// The next frame: its flag (128 for trailers) and what is in it. `None` at the end of the answer.
    async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        while self.body.read.len() < 5 {
            if !self.body.more().await {
                assert!(self.body.read.is_empty(), "the answer ends within a frame");
                return None;
            }
        }
        let length = u32::from_be_bytes(self.body.read[1..5].try_into().unwrap()) as usize;
        while self.body.read.len() < 5 + length {
            assert!(self.body.more().await, "the answer ends within a frame");
        }
        let frame: Vec<u8> = self.body.read.drain(..5 + length).collect();
        Some((frame[0], frame[5..].to_vec()))
    }

    /// The next message of a stream.
    pub async fn message<M: Message + Default>(&mut self) -> M {
        let (flag, bytes) = in_time(self.frame()).await.unwrap();
        assert_eq!(flag, 0, "not a message: {}", String::from_utf8_lossy(&bytes));
        M::decode(&*bytes).unwrap()
    }

    /// Whether the answer ended before it said how: what a page sees when the box stops.
    pub async fn broke_off(&mut self) -> bool {
        loop {
            match in_time(self.frame()).await {
                None => return true,
                Some((0, _)) => {}
                Some(_) => return false,
            }
        }
    }

    /// The only message, after which the trailers say that all went well.
    pub async fn one<M: Message + Default>(mut self) -> M {
        assert_eq!((self.status, self.header("grpc-status")), (200, ""));
        assert_eq!(self.header("content-type"), "application/grpc-web+proto");
        let message = self.message().await;
        let (flag, trailers) = in_time(self.frame()).await.unwrap();
        assert_eq!((flag, String::from_utf8(trailers).unwrap().trim()), (0x80, "grpc-status:0"));
        assert!(in_time(self.frame()).await.is_none());
        message
    }

    /// The status and the stable code of a call that was refused.
    pub fn refusal(&self) -> (&str, &str) {
        assert_eq!(self.status, 200);
        assert_eq!(self.header("content-type"), "application/grpc-web+proto");
        (self.header("grpc-status"), self.header("backroom-code"))
    }
}

impl Body {
    /// Reads on; `false` at the end.
    async fn more(&mut self) -> bool {
        if self.left == 0 && self.chunked {
            let mut line = String::new();
            if self.from.read_line(&mut line).await.unwrap() == 0 {
                return false;
            }
            self.left = usize::from_str_radix(line.trim(), 16).unwrap();
        }
        if self.left == 0 {
            return false;
        }
        let mut part = vec![0; self.left];
        self.from.read_exact(&mut part).await.unwrap();
        self.left = 0;
        self.read.extend(part);
        if self.chunked {
            let mut end = String::new();
            self.from.read_line(&mut end).await.unwrap();
        }
        true
    }
}

pub async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what)
        .await
        .expect("the box does not answer")
}
