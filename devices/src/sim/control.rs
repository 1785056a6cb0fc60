//! Knobs while a simulator runs: a line in, a JSON line out, on a socket of loopback.
//!
//! Owns the lines; what a knob does belongs to each device. An answer means that the knob stands: what is sent to the device
//! afterwards meets the new state.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const LONGEST_LINE: u64 = 64 * 1024;

/// What can be told. Every device answers `state` and `help`.
pub trait Controlled: Send + Sync + 'static {
    /// Does what the line says; the answer's fields, or a sentence why not.
    fn control(&self, line: &str) -> Result<Map<String, Value>, String>;
}

/// Serves for as long as it is polled; whoever ends it ends the conversations too.
pub async fn serve(listener: TcpListener, device: Arc<dyn Controlled>) {
    let mut talks = tokio::task::JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let device = Arc::clone(&device);
                talks.spawn(async move {
                    if let Err(fault) = talk(stream, &*device).await {
                        tracing::debug!(%fault, "a talk about knobs broke off");
                    }
                });
            }
            Err(fault) => {
                // Out of file handles, most likely: asking again at once would only burn the processor.
                tracing::warn!(%fault, "could not accept a talk about knobs");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        while talks.try_join_next().is_some() {}
    }
}

async fn talk(stream: TcpStream, device: &dyn Controlled) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader);
    loop {
        let mut line = Vec::new();
        (&mut lines).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
        if line.is_empty() {
            return Ok(());
        }
        let whole = line.ends_with(b"\n") || (line.len() as u64) < LONGEST_LINE;
        let answer = match std::str::from_utf8(&line) {
            Ok(text) if whole => device.control(text.trim()),
            Ok(_) => Err("a line of more than 64 KiB is no knob".to_owned()),
            Err(_) => Err("knobs are turned in UTF-8".to_owned()),
        };
        let mut text = answer_line(answer);
        text.push('\n');
        writer.write_all(text.as_bytes()).await?;
        if !whole {
            return Ok(());
        }
    }
}

fn answer_line(answer: Result<Map<String, Value>, String>) -> String {
    match answer {
        Ok(more) => {
            let mut fields = Map::from_iter([("ok".to_owned(), Value::Bool(true))]);
            fields.extend(more);
            Value::Object(fields).to_string()
        }
        Err(why) => json!({"ok": false, "why": why}).to_string(),
    }
}

/// Asks a running simulator; for tests and for those who write scripts in Rust.
pub async fn ask(address: &str, line: &str) -> io::Result<Value> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("{line}\n").as_bytes()).await?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).await?;
    serde_json::from_str(&answer).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Lamp;

    impl Controlled for Lamp {
        fn control(&self, line: &str) -> Result<Map<String, Value>, String> {
            match line {
                "state" => Ok(Map::from_iter([("lit".to_owned(), Value::Bool(true))])),
                _ => Err(format!("no knob is called {line}")),
            }
        }
    }

    #[tokio::test]
    async fn each_line_gets_its_answer_however_it_comes() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serving = tokio::spawn(serve(listener, Arc::new(Lamp)));
        assert_eq!(ask(&address, "state").await.unwrap(), json!({"ok": true, "lit": true}));
        let mut stream = TcpStream::connect(&address).await.unwrap();
        for piece in ["st", "ate\r\ndim\n", "state"] {
            stream.write_all(piece.as_bytes()).await.unwrap();
        }
        stream.shutdown().await.unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).await.unwrap();
        assert_eq!(
            answers,
            "{\"lit\":true,\"ok\":true}\n{\"ok\":false,\"why\":\"no knob is called dim\"}\n{\"lit\":true,\"ok\":true}\n"
        );
        serving.abort();
    }
}
