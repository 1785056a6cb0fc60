//! Whether the data directory can be written, how long a flush takes there, and how much room is left.
//!
//! A flush is what every sale waits for: 4 KiB written and handed to the disk with fdatasync.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, Instant};

use crate::doctor::Finding;

/// An odd number, so that one of them is the median.
const FLUSHES: usize = 41;

const FLUSH_BYTES: usize = 4_096;

/// A slow card must not hold the doctor up.
const LONGEST_MEASURE: Duration = Duration::from_secs(5);

const GIB: u64 = 1 << 30;

pub(super) fn examine(data: &Path) -> Vec<Finding> {
    let place = nearest_existing(data);
    let mut findings = match measure_flush(&place) {
        Ok(median) => {
            let found = if place == data || place.canonicalize().ok() == data.canonicalize().ok() {
                format!("{} can be written", data.display())
            } else {
                format!("{} does not exist yet and can be made in {}", data.display(), place.display())
            };
            vec![Finding::ok("data directory", found), flush(median)]
        }
        Err(fault) => vec![Finding::fail(
            "data directory",
            format!("{} can not be written: {fault}", place.display()),
            "give the user of the service the right to write there, or name another directory with --data",
        )],
    };
    findings.push(room(&place));
    findings
}

/// The directory itself, or the nearest one above it that exists.
fn nearest_existing(data: &Path) -> PathBuf {
    let there = data.ancestors().find(|place| place.exists());
    match there {
        Some(place) if !place.as_os_str().is_empty() => place.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The median time of a flush in this directory.
fn measure_flush(place: &Path) -> io::Result<Duration> {
    let path = place.join(format!(".backroom-doctor-{}", process::id()));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    let times = flushes(file);
    // The measure stands, even if the file has to be removed by hand.
    let _ = fs::remove_file(&path);
    let mut times = times?;
    times.sort_unstable();
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}

fn flushes(mut file: File) -> io::Result<Vec<Duration>> {
    let block = [0x42; FLUSH_BYTES];
    let begun = Instant::now();
    let mut times = Vec::with_capacity(FLUSHES);
    while times.len() < FLUSHES && begun.elapsed() < LONGEST_MEASURE {
        let start = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    Ok(times)
}

fn flush(median: Duration) -> Finding {
    let micros = median.as_micros();
    let found = |verdict: &str| format!("{}.{:03} ms for 4 KiB: {verdict}", micros / 1_000, micros % 1_000);
    match micros {
        0..30 => Finding::warn(
            "flush",
            found("too fast for a disk"),
            "is this memory (tmpfs), or a disk that only says it has written? sales would be lost in a power cut; use a real disk",
        ),
        30..2_000 => Finding::ok("flush", found("very good")),
        2_000..10_000 => Finding::ok("flush", found("good for many registers")),
        10_000..30_000 => Finding::ok("flush", found("enough for a few registers")),
        30_000..100_000 => Finding::warn(
            "flush",
            found("slow"),
            "cashiers will notice at the end of each sale; use an SSD for the data directory",
        ),
        _ => Finding::fail("flush", found("too slow to sell"), "use an SSD for the data directory"),
    }
}

fn room(place: &Path) -> Finding {
    let bytes = match rustix::fs::statvfs(place) {
        Ok(room) => room.f_bavail.saturating_mul(room.f_frsize),
        Err(fault) => {
            return Finding::warn(
                "free disk",
                format!("unknown: {fault}"),
                "look with df whether at least 10 GiB are free",
            );
        }
    };
    let found = format!("{}.{} GiB free at {}", bytes / GIB, bytes % GIB * 10 / GIB, place.display());
    match bytes {
        bytes if bytes >= 10 * GIB => Finding::ok("free disk", found),
        bytes if bytes >= GIB => Finding::warn("free disk", found, "make room: a shop writes some GiB in a year"),
        _ => Finding::fail("free disk", found, "make room; with a full disk nothing can be sold"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn a_flush_gets_its_verdict_in_words() {
        for (micros, state) in [
            (5, State::Warn),
            (30, State::Ok),
            (900, State::Ok),
            (8_000, State::Ok),
            (50_000, State::Warn),
            (200_000, State::Fail),
        ] {
            assert_eq!(flush(Duration::from_micros(micros)).state, state, "{micros}");
        }
        assert_eq!(flush(Duration::from_micros(1_234)).found, "1.234 ms for 4 KiB: very good");
    }

    #[test]
    fn a_directory_that_does_not_exist_yet_is_tried_in_the_one_above() {
        let above = std::env::temp_dir();
        assert_eq!(nearest_existing(&above.join("not/yet/there")), above);
        assert_eq!(nearest_existing(Path::new("not-there-either")), PathBuf::from("."));
    }

    #[test]
    fn a_directory_that_can_not_be_written_is_a_failure() {
        let findings = examine(Path::new("/proc/self"));
        assert!(
            findings
                .iter()
                .any(|finding| finding.check == "data directory" && finding.state == State::Fail),
            "{findings:?}"
        );
    }
}
