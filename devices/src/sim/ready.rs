//! The one line on standard output that says a simulator answers now and where; logs go to standard error. And the end: a
//! simulator that is asked to go (SIGTERM, Ctrl-C) ends orderly.

use std::io::{self, Write};
use std::sync::OnceLock;

use serde_json::{Map, Value};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

pub fn say_ready(name: &str, device: &str, address: &str, control: &str, more: Map<String, Value>) {
    let mut line = Map::new();
    line.insert("ready".into(), true.into());
    line.insert("name".into(), name.into());
    line.insert("device".into(), device.into());
    line.insert("address".into(), address.into());
    line.insert("control".into(), control.into());
    line.insert("pid".into(), std::process::id().into());
    line.extend(more);
    let mut out = io::stdout().lock();
    if let Err(fault) = writeln!(out, "{}", Value::Object(line)).and_then(|()| out.flush()) {
        tracing::warn!(%fault, "nobody reads that the simulator is ready");
    }
}

static ENDING: OnceLock<CancellationToken> = OnceLock::new();

/// Begins to listen to signals. Called before anybody is told that the simulator is ready, it misses none.
pub fn listen_for_the_end() -> io::Result<CancellationToken> {
    if let Some(ending) = ENDING.get() {
        return Ok(ending.clone());
    }
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let ending = ENDING.get_or_init(CancellationToken::new).clone();
    let told = ending.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        told.cancel();
    });
    Ok(ending)
}

/// Waits until somebody wants the simulator to end.
pub async fn asked_to_end() -> io::Result<()> {
    listen_for_the_end()?.cancelled().await;
    Ok(())
}
