//! One flush: fdatasync after writing 4 KiB, in the folder where the box keeps its journal.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::latency::Latencies;

/// Writes into a file that wraps round, as a write-ahead log does.
pub fn flushes(folder: &Path, time: Duration) -> Result<Latencies> {
    const BLOCK: [u8; 4096] = [0x5a; 4096];
    let path = folder.join("flush-probe");
    let mut file = File::create(&path).with_context(|| format!("could not create {}", path.display()))?;
    let mut latencies = Latencies::default();
    let until = Instant::now() + time;
    while Instant::now() < until {
        if latencies.len().is_multiple_of(1024) {
            file.seek(SeekFrom::Start(0))?;
        }
        let began = Instant::now();
        file.write_all(&BLOCK)?;
        file.sync_data()?;
        latencies.push(began.elapsed());
    }
    drop(file);
    std::fs::remove_file(&path)?;
    Ok(latencies)
}
