//! The one folder that holds everything of a demo: temporary and removed at the end, or named by the person and kept.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use uuid::Uuid;

/// A program that is just dying may still write; removing is tried again so often.
const TRIES: u32 = 20;

#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Kept at the end.
    keep: bool,
}

impl Folder {
    /// Only for its owner, because keys and passwords of the demo lie in it.
    pub fn new(named: Option<&Path>) -> Result<Self> {
        let path = match named {
            Some(named) => std::path::absolute(named).context("--data is no usable path")?,
            None => {
                // The last bits of such an id are random.
                let id = Uuid::now_v7().simple().to_string();
                std::env::temp_dir().join(format!("backroom-demo-{}", &id[20..]))
            }
        };
        if named.is_some() && path.exists() {
            let is_empty = fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_none());
            if !is_empty {
                bail!("{} is not an empty folder; name one that is empty or not there yet", path.display());
            }
        } else {
            let made = DirBuilder::new().recursive(named.is_some()).mode(0o700).create(&path);
            made.with_context(|| format!("could not make {}", path.display()))?;
        }
        Ok(Self {
            path,
            keep: named.is_some(),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder, if it is to go when the demo goes.
    pub fn temporary(&self) -> Option<&Path> {
        (!self.keep).then_some(&*self.path)
    }

    /// Leaves everything for whoever looks into it.
    pub fn keep(&mut self) {
        self.keep = true;
    }

    pub fn made(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        fs::create_dir_all(&path).with_context(|| format!("could not make {}", path.display()))?;
        Ok(path)
    }

    /// Writes a file that only its owner may read.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        let file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.with_context(|| format!("could not write {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        for _ in 0..TRIES {
            match fs::remove_dir_all(&self.path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => std::thread::sleep(Duration::from_millis(100)),
                _ => return,
            }
        }
        eprintln!("backroom: could not remove {}; remove it by hand", self.path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_folder_goes_and_a_named_one_stays() {
        let folder = Folder::new(None).unwrap();
        let path = folder.path().to_owned();
        folder.write("secret", "x").unwrap();
        drop(folder);
        assert!(!path.exists());

        fs::create_dir(&path).unwrap();
        drop(Folder::new(Some(&path)).unwrap());
        assert!(path.exists());
        fs::write(path.join("somebody's"), "x").unwrap();
        let refused = Folder::new(Some(&path)).unwrap_err().to_string();
        assert!(refused.contains("not an empty folder"), "{refused}");
        fs::remove_dir_all(path).unwrap();
    }
}
