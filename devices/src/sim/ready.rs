//! The one line on standard output that says a simulator answers now and where; logs go to standard error. And the end: a
//! simulator that is asked to go (SIGTERM, Ctrl-C) ends orderly.

use std::io::{self, Write};

use serde_json::{Map, Value};

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

/// Waits until somebody wants the simulator to end.
pub async fn asked_to_end() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
