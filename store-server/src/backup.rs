//! `backup`: everything of a store in one file, while it sells. What the copies must be to each other, and how they are proven, stands here;
//! putting them back is `restore`.
//!
//! The order is the point. Work log, tags and people rest on the journal: what they hold may be told otherwise by a *newer* journal (a ticket
//! was closed, a count kept), never by an older one. So the journal is copied after them, and what the journal names (catalogs) after it.

mod archive;
mod pack;
pub mod restore;

use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use backroom_actors::catalog;
use backroom_actors::clock::Clock;
use backroom_actors::file;
use backroom_actors::journal::reader::Reader;
use backroom_actors::journal::verify;
use backroom_actors::store::Folder;
use backroom_core::facts::EpochEnd;
use backroom_core::ids::{StoreId, TenantId};

use crate::{devices, setup};
use pack::Manifest;

/// A rule says no: exit code 3.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("{0} is there already; a backup never replaces anything, give it another name")]
    Exists(PathBuf),
    #[error("{file} lies in the folder it would save, and would be lost with it; write it to another disk")]
    Inside { file: PathBuf },
    #[error("{0} is not empty; a box is restored into an empty folder only")]
    NotEmpty(PathBuf),
    #[error("another backup to {0} is under way")]
    UnderWay(PathBuf),
}

#[derive(Debug, clap::Args)]
pub struct Backup {
    /// The store's data folder
    #[arg(long, env = "BACKROOM_DATA")]
    data: PathBuf,
    /// The file to write; it will hold the store's keys, so keep it as safe as the box
    file: PathBuf,
}

/// Copies, proves, packs, reads back, and only then gives the file its name.
pub async fn backup(asked: Backup) -> anyhow::Result<()> {
    let began = std::time::Instant::now();
    let Backup { data, file } = asked;
    setup::load(&data)?;
    may_be_written(&data, &file)?;
    let workplace = Workplace::beside(&file)?;
    let copies = Folder(workplace.copies.clone());
    let made_at = Clock.now();
    let names = copy_all(&Folder(data), &copies).await?;
    let found = prove(&copies).await.context("the copy does not hold, and no backup was made")?;
    let manifest = Manifest {
        form: pack::FORM,
        made_at,
        version: env!("CARGO_PKG_VERSION").into(),
        tenant: found.tenant,
        store: found.store,
        end: found.end,
        entries: found.entries,
        files: names
            .iter()
            .map(|name| pack::line(copies.path(), name))
            .collect::<anyhow::Result<_>>()?,
    };
    pack::pack(&manifest, copies.path(), &workplace.part)?;
    // What the disk holds, not what was meant to be written.
    let (read_back, bytes) = pack::unpack(&workplace.part, &mut |_| Ok(Box::new(std::io::sink())))?;
    if read_back != manifest {
        bail!(
            "{} does not read back as it was written; is the disk in order?",
            workplace.part.display()
        );
    }
    workplace.done(&file)?;
    let told = serde_json::json!({
        "backup": file,
        "tenant": manifest.tenant,
        "store": manifest.store,
        "epoch": manifest.end.epoch,
        "seq": manifest.end.seq,
        "hash": manifest.end.hash,
        "entries": manifest.entries,
        "files": manifest.files.len(),
        "bytes": bytes,
        "took_ms": began.elapsed().as_millis() as u64,
    });
    println!("{told}");
    Ok(())
}

fn may_be_written(data: &Path, file: &Path) -> anyhow::Result<()> {
    let name = file.file_name().with_context(|| format!("{} names no file", file.display()))?;
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let folder = fs::canonicalize(folder).with_context(|| format!("there is no folder {}", folder.display()))?;
    if folder.starts_with(fs::canonicalize(data)?) {
        let file = folder.join(name);
        return Err(Refused::Inside { file }.into());
    }
    if fs::symlink_metadata(file).is_ok() {
        return Err(Refused::Exists(file.to_owned()).into());
    }
    Ok(())
}

/// Where a backup is made: beside its later place, so that the last step is one renaming.
struct Workplace {
    part: PathBuf,
    copies: PathBuf,
    /// Locked; what a backup that was cut off left here is this one's to overwrite.
    _held: File,
}

impl Workplace {
    fn beside(file: &Path) -> anyhow::Result<Self> {
        let with = |suffix: &str| {
            let mut name = file.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        let (part, copies) = (with(".part"), with(".copies"));
        let held = private(fs::OpenOptions::new().create(true).truncate(false).write(true), &part)?;
        match held.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(Refused::UnderWay(file.to_owned()).into()),
            Err(fs::TryLockError::Error(error)) => return Err(error).with_context(|| format!("could not lock {}", part.display())),
        }
        let workplace = Self { part, copies, _held: held };
        workplace.clear();
        private_folder(&workplace.copies)?;
        Ok(workplace)
    }

    fn clear(&self) {
        let _ = fs::remove_dir_all(&self.copies); // Mostly there is none; one that stays makes the next step fail.
    }

    fn done(self, file: &Path) -> anyhow::Result<()> {
        // Two that were asked for the same name: `link` gives it to one of them only.
        match fs::hard_link(&self.part, file) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(Refused::Exists(file.to_owned()).into()),
            // Not every stick knows links; the name was free a moment ago.
            Err(_) => fs::rename(&self.part, file).with_context(|| format!("could not name {}", file.display()))?,
        }
        sync_folder(file)
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        self.clear();
        let _ = fs::remove_file(&self.part); // Gone when the backup is done; else a part nobody wants.
    }
}

/// Files that are no part of a backup: logs of databases (their content is in the copies), what speaks of this process or this disk, and
/// what is asked for again.
fn is_left_out(name: &str) -> bool {
    let suffixes = ["-wal", "-shm", "-journal", ".new"];
    suffixes.iter().any(|suffix| name.ends_with(suffix)) || matches!(name, "lock" | "watermarks" | "machines" | "restored.json")
}

fn is_database(name: &str) -> bool {
    name.ends_with(".db")
}

/// Everything of the folder, in the order that makes the copies one. Answers their names.
async fn copy_all(from: &Folder, to: &Folder) -> anyhow::Result<Vec<String>> {
    let journal = file_name(&from.journal());
    let mut databases: Vec<String> = list(from.path())?.into_iter().filter(|name| is_database(name)).collect();
    databases.sort_by_key(|name| (*name == journal, name.clone()));
    for name in &databases {
        copy_database(from, to, name).await?;
    }
    // Looked for now: what the journal has named meanwhile lies there by now.
    let mut others: Vec<String> = list(from.path())?.into_iter().filter(|name| !is_database(name)).collect();
    others.sort();
    for name in &others {
        copy_file(&from.path().join(name), &to.path().join(name))?;
    }
    databases.append(&mut others);
    Ok(databases)
}

fn copy_file(from: &Path, to: &Path) -> anyhow::Result<()> {
    if let Some(folder) = to.parent() {
        private_folder_all(folder)?;
    }
    let mut read = File::open(from).with_context(|| format!("could not read {}", from.display()))?;
    let mut write = private(fs::OpenOptions::new().create_new(true).write(true), to)?;
    std::io::copy(&mut read, &mut write).with_context(|| format!("could not copy {}", from.display()))?;
    Ok(())
}

async fn copy_database(from: &Folder, to: &Folder, name: &str) -> anyhow::Result<()> {
    let (from, to) = (from.path().join(name), to.path().join(name));
    // Made first, so that nobody else may read what is about to be in it.
    private(fs::OpenOptions::new().create_new(true).write(true), &to)?;
    file::copy(&from, &to)
        .await
        .with_context(|| format!("could not copy {}", from.display()))
}

/// The names of all files that belong into a backup.
fn list(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    list_under(folder, "", &mut names)?;
    Ok(names)
}

fn list_under(folder: &Path, under: &str, names: &mut Vec<String>) -> anyhow::Result<()> {
    let found = fs::read_dir(folder).with_context(|| format!("could not list {}", folder.display()))?;
    for found in found {
        let found = found?;
        let name = found.file_name().to_string_lossy().into_owned();
        if is_left_out(&name) || name.starts_with('.') {
            continue;
        }
        let name = format!("{under}{name}");
        let kind = found.file_type()?;
        if kind.is_dir() {
            list_under(&found.path(), &format!("{name}/"), names)?;
        } else if kind.is_file() {
            names.push(name);
        } else {
            bail!("{} is no plain file, and can not be saved", found.path().display());
        }
    }
    Ok(())
}

/// What a folder that was copied or unpacked comes to.
struct Proven {
    tenant: TenantId,
    store: StoreId,
    end: EpochEnd,
    entries: u64,
}

/// A box could start from this folder: every file can be read, the journal holds and what is kept beside it follows from it.
async fn prove(folder: &Folder) -> anyhow::Result<Proven> {
    let (_, identity, _) = setup::load(folder.path())?;
    for found in fs::read_dir(folder.path())? {
        let path = found?.path();
        if is_database(&file_name(&path)) {
            file::check(&path).await.with_context(|| format!("{} is damaged", path.display()))?;
        }
    }
    let reader = Reader::open(&folder.journal()).await?;
    let verified = verify::prove(&reader, &identity.signing_key.verifying_key()).await?;
    let last = reader.raw_after(i64::try_from(verified.entries)? - 1, 1).await?;
    let catalog = catalog::load(&reader, &folder.catalogs()).await;
    reader.close().await;
    catalog.context("what the store sells")?;
    devices::load(folder.path())?;
    let (Some(head), Some((_, _, _, bytes, _))) = (verified.head, last.into_iter().next()) else {
        bail!("the journal is empty");
    };
    let header = backroom_core::journal::Header::of(&bytes)?;
    if (header.tenant, header.store) != (identity.address.tenant, identity.address.store) {
        bail!("the journal is that of {}/{}, not of this store", header.tenant, header.store);
    }
    Ok(Proven {
        tenant: header.tenant,
        store: header.store,
        end: EpochEnd {
            epoch: head.epoch,
            seq: head.seq,
            hash: head.hash,
        },
        entries: verified.entries,
    })
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn private(options: &mut fs::OpenOptions, path: &Path) -> anyhow::Result<File> {
    options
        .mode(0o600)
        .open(path)
        .with_context(|| format!("could not write {}", path.display()))
}

fn private_folder(path: &Path) -> anyhow::Result<()> {
    let made = fs::DirBuilder::new().mode(0o700).create(path);
    made.with_context(|| format!("could not make {}", path.display()))
}

fn private_folder_all(path: &Path) -> anyhow::Result<()> {
    let made = fs::DirBuilder::new().mode(0o700).recursive(true).create(path);
    made.with_context(|| format!("could not make {}", path.display()))
}

/// The name is there after a power cut, too.
fn sync_folder(file: &Path) -> anyhow::Result<()> {
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .with_context(|| format!("could not flush {}", folder.display()))
}
