//! The form of a backup: a list of files with their lengths and hashes, then the files. Writing it, and reading it without believing it.
//!
//! Knows nothing of a store but what the list tells.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use anyhow::{Context, bail};
use backroom_core::facts::EpochEnd;
use backroom_core::ids::{StoreId, TenantId};
use backroom_core::time::Instant;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{archive, private};

const MANIFEST: &str = "manifest.json";
/// The hash of the manifest, so that no letter of it goes bad unnoticed.
const MANIFEST_HASH: &str = "manifest.sha256";
/// Of a form this version does not know nothing is guessed.
pub const FORM: u32 = 1;
/// A manifest beyond this is none; a hash list of thousands of catalogs is far below.
const LARGEST_MANIFEST: u64 = 16 << 20;

/// What is in a backup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub form: u32,
    pub made_at: Instant,
    pub version: String,
    pub tenant: TenantId,
    pub store: StoreId,
    /// Where the journal ends.
    pub end: EpochEnd,
    pub entries: u64,
    pub files: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
}

pub fn line(folder: &Path, name: &str) -> anyhow::Result<Line> {
    let path = folder.join(name);
    let mut hasher = Hasher::default();
    let mut file = File::open(&path)?;
    std::io::copy(&mut file, &mut hasher).with_context(|| format!("could not read {}", path.display()))?;
    Ok(Line {
        name: name.to_owned(),
        bytes: hasher.bytes,
        sha256: hasher.hex(),
    })
}

pub fn pack(manifest: &Manifest, from: &Path, to: &Path) -> anyhow::Result<()> {
    let text = serde_json::to_vec_pretty(manifest)?;
    let hash = HEXLOWER.encode(&Sha256::digest(&text));
    let file = private(fs::OpenOptions::new().create(true).truncate(true).write(true), to)?;
    let mut out = BufWriter::new(file);
    archive::put(&mut out, MANIFEST, text.len() as u64, &mut &text[..])?;
    archive::put(&mut out, MANIFEST_HASH, hash.len() as u64, &mut hash.as_bytes())?;
    for line in &manifest.files {
        let mut file = BufReader::new(File::open(from.join(&line.name))?);
        archive::put(&mut out, &line.name, line.bytes, &mut file)?;
    }
    archive::finish(&mut out)?;
    let file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all().with_context(|| format!("could not flush {}", to.display()))
}

pub type Sink<'a> = &'a mut dyn FnMut(&Line) -> anyhow::Result<Box<dyn Write>>;

/// Reads a backup to its end, giving each file to a place of its own; every length and hash in it holds, or it is an error.
pub fn unpack(file: &Path, sink: Sink<'_>) -> anyhow::Result<(Manifest, u64)> {
    let opened = File::open(file).with_context(|| format!("could not read {}", file.display()))?;
    let bytes = opened.metadata()?.len();
    let unpacked = unpack_from(&mut BufReader::new(opened), sink);
    let manifest = unpacked.with_context(|| format!("{} can not be used", file.display()))?;
    Ok((manifest, bytes))
}

fn unpack_from(from: &mut impl Read, sink: Sink<'_>) -> anyhow::Result<Manifest> {
    let text = small(from, MANIFEST)?;
    let hash = small(from, MANIFEST_HASH)?;
    if HEXLOWER.encode(&Sha256::digest(&text)).as_bytes() != hash {
        bail!("its list of files was changed");
    }
    let form: serde_json::Value = serde_json::from_slice(&text).context("its list of files can not be read")?;
    if form["form"] != FORM {
        bail!("it was made by another version of this program; use that one or a newer");
    }
    let manifest: Manifest = serde_json::from_slice(&text).context("its list of files can not be read")?;
    for line in &manifest.files {
        let member = archive::next(from)?.with_context(|| format!("{} is missing in it", line.name))?;
        if (&member.name, member.size) != (&line.name, line.bytes) {
            bail!("{} stands where {} was to come", member.name, line.name);
        }
        let mut both = Both {
            hasher: Hasher::default(),
            to: sink(line)?,
        };
        archive::content(from, member.size, &mut both).with_context(|| line.name.clone())?;
        both.to.flush()?;
        if both.hasher.hex() != line.sha256 {
            bail!("{} was changed", line.name);
        }
    }
    if archive::next(from)?.is_some() {
        bail!("it holds more files than its list names");
    }
    Ok(manifest)
}

fn small(from: &mut impl Read, name: &'static str) -> anyhow::Result<Vec<u8>> {
    let member = archive::next(from)?.with_context(|| format!("{name} is missing in it"))?;
    if member.name != name || member.size > LARGEST_MANIFEST {
        bail!("it is not a backup of a store");
    }
    let mut bytes = Vec::new();
    archive::content(from, member.size, &mut bytes)?;
    Ok(bytes)
}

#[derive(Default)]
struct Hasher {
    sha256: Sha256,
    bytes: u64,
}

impl Hasher {
    fn hex(self) -> String {
        HEXLOWER.encode(&self.sha256.finalize())
    }
}

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.sha256.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Both {
    hasher: Hasher,
    to: Box<dyn Write>,
}

impl Write for Both {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hasher.write(&bytes[..written])
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}
