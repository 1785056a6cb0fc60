//! How fast a journal is verified, beside a bare SHA-256 over the same bytes in the same run.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use backroom_core::journal::verify::{Row, Verifier};
use backroom_core::journal::{Entry, Epoch, FiscalBlock, HEADER_LEN, Hash, Head, Header, Retention, Seq};
use backroom_core::time::BusinessDay;
use sha2::{Digest, Sha256};

use crate::chance::Chance;
use crate::figure::Figure;

#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub entries: u64,
    pub seed: u64,
}

/// Entries that are in memory at a time.
const CHUNK: u64 = 20_000;
/// As long as a ticket of two lines.
const PAYLOAD: usize = 420;

/// Verifies so many entries, and then finds a flipped bit at its place.
pub fn measure(plan: &Plan) -> Result<Vec<Figure>> {
    let mut chance = Chance::seeded(plan.seed);
    let mut verifier = Verifier::new();
    let mut head = Head::start(Epoch(1));
    let (mut verifying, mut hashing) = (Duration::ZERO, Duration::ZERO);
    let mut left = plan.entries.max(3);
    let mut rows = Vec::new();
    while left > 0 {
        rows = chunk(&mut head, left.min(CHUNK), &mut chance)?;
        left -= left.min(CHUNK);
        // Neither of the two always finds the bytes warm.
        let bare = |rows: &[Row<Vec<u8>>]| {
            let began = Instant::now();
            for row in rows {
                black_box(Sha256::digest(&row.bytes));
            }
            began.elapsed()
        };
        let first = (left / CHUNK).is_multiple_of(2);
        if first {
            hashing += bare(&rows);
        }
        let began = Instant::now();
        for row in &rows {
            verifier.push(row)?;
        }
        verifying += began.elapsed();
        if !first {
            hashing += bare(&rows);
        }
    }
    let verified = verifier.finish()?;
    ensure!(
        verified.entries == plan.entries.max(3),
        "{} entries were verified",
        verified.entries
    );
    let flips = flips(&rows, &mut chance)?;
    let entries = verified.entries as f64;
    let million = verifying.as_secs_f64() / entries * 1e6;
    Ok(vec![
        Figure::raw("entries", entries, "count"),
        Figure::raw("bytes_per_entry", (HEADER_LEN + PAYLOAD) as f64, "bytes"),
        Figure::raw("bare_sha256", entries / hashing.as_secs_f64(), "1/s"),
        Figure::at_least(
            "journal_verify",
            entries / verifying.as_secs_f64(),
            "1/s",
            entries / hashing.as_secs_f64(),
            0.5,
        ),
        Figure {
            goal: Some("<= 10".into()),
            ok: Some(million <= 10.0),
            ..Figure::raw("million_entries", million, "s")
        },
        Figure::exactly("flipped_bits_named", flips as f64, "count", FLIPS as f64),
    ])
}

const FLIPS: usize = 200;

fn chunk(head: &mut Head, count: u64, chance: &mut Chance) -> Result<Vec<Row<Vec<u8>>>> {
    let mut payload = vec![0; PAYLOAD];
    let mut rows = Vec::with_capacity(count as usize);
    for _ in 0..count {
        for byte in payload.iter_mut().step_by(7) {
            *byte = chance.below(256) as u8;
        }
        let header = Header {
            tenant: "thread".parse()?,
            store: "berlin".parse()?,
            epoch: head.epoch,
            seq: Seq(head.seq.0 + 1),
            prev_hash: head.hash,
            at: backroom_core::time::Instant::from_micros(1_795_000_000_000_000)?,
            time_trusted: true,
            business_day: BusinessDay::from_days(20_775)?,
            kind: 9,
            command_id: Some("01936f3e-7a00-7000-8000-000000000001".parse()?),
            device: Some("r1".parse()?),
            staff: Some("s101".parse()?),
            retention: Retention::EVER,
            fiscal: FiscalBlock::default(),
        };
        let entry = Entry::write(header, &payload);
        head.follow(&entry)?;
        rows.push(Row {
            epoch: head.epoch,
            seq: head.seq,
            prev_hash: Some(entry.header.prev_hash),
            hash: entry.hash,
            bytes: entry.bytes,
        });
    }
    Ok(rows)
}

/// Flips one bit somewhere, again and again, and counts how often its place is named.
fn flips(rows: &[Row<Vec<u8>>], chance: &mut Chance) -> Result<usize> {
    let first = rows.first().context("no entries")?;
    let before = Head {
        epoch: first.epoch,
        seq: Seq(first.seq.0 - 1),
        hash: first.prev_hash.unwrap_or(Hash::ZERO),
    };
    let mut named = 0;
    for _ in 0..FLIPS {
        let at = chance.below(rows.len().min(50) as u64) as usize;
        let mut rows = rows[..rows.len().min(51)].to_vec();
        let row = rows.get_mut(at).context("no such entry")?;
        let place = (row.epoch, row.seq);
        let flip = |bytes: &mut [u8], chance: &mut Chance| {
            let bit = chance.below(bytes.len() as u64 * 8) as usize;
            bytes[bit / 8] ^= 1 << (bit % 8);
        };
        match (chance.below(3), &mut row.prev_hash) {
            (0, _) => flip(&mut row.hash.0, chance),
            (1, Some(prev)) => flip(&mut prev.0, chance),
            _ => flip(&mut row.bytes, chance),
        }
        let mut verifier = Verifier::after(before);
        let said = rows
            .iter()
            .try_for_each(|row| verifier.push(row).map(drop))
            .and_then(|()| verifier.finish().map(drop));
        named += usize::from(said.is_err_and(|broken| (broken.epoch, broken.seq) == place));
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_named() {
        let figures = measure(&Plan { entries: 500, seed: 7 }).unwrap();
        let named = figures.iter().find(|figure| figure.name == "flipped_bits_named").unwrap();
        assert_eq!(named.ok, Some(true), "{named:?}");
    }
}
