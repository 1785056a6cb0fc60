//! The two engines on which head office keeps its books, and what a test does to the books behind its back.

use std::fs;
use std::path::{Path, PathBuf};

use hq_aggregator::db::Databases;
use sqlx::{AnyConnection, Connection};

use crate::postgres::Postgres;

#[derive(Clone, Copy, Debug)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Each story is told on both engines.
macro_rules! on_both_engines {
    ($($story:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                super::$story(crate::engine::Engine::Sqlite).await
            })+
        }

        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                super::$story(crate::engine::Engine::Postgres).await
            })+
        }
    };
}
pub(crate) use on_both_engines;

/// The books of one test, gone with it.
pub struct Books {
    /// The data folder, where the books are files in it.
    data: PathBuf,
    server: Option<Postgres>,
}

/// A statement for each engine, where one text does not fit both.
pub struct Alter {
    pub sqlite: &'static str,
    pub postgres: &'static str,
}

impl From<&'static str> for Alter {
    fn from(both: &'static str) -> Alter {
        Alter {
            sqlite: both,
            postgres: both,
        }
    }
}

impl Books {
    pub fn new(engine: Engine, data: &Path) -> Books {
        let server = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(Postgres::start().unwrap()),
        };
        Books {
            data: data.to_owned(),
            server,
        }
    }

    /// What head office is told, if anything.
    pub fn url(&self) -> Option<String> {
        self.server.as_ref().map(Postgres::url)
    }

    pub fn server(&mut self) -> Option<&mut Postgres> {
        self.server.as_mut()
    }

    pub fn databases(&self) -> Databases {
        match self.url() {
            Some(url) => Databases::Server(url.parse().unwrap()),
            None => {
                fs::create_dir_all(self.data.join("tenants")).unwrap();
                Databases::Folder(self.data.clone())
            }
        }
    }

    /// Changes the books of one company.
    pub async fn alter(&self, tenant: &str, alter: impl Into<Alter>) {
        sqlx::any::install_default_drivers();
        let alter = alter.into();
        let (url, sql) = match self.url() {
            Some(url) => (format!("{url}?options[search_path]=tenant_{tenant}"), alter.postgres),
            None => (format!("sqlite://{}/tenants/{tenant}.db", self.data.display()), alter.sqlite),
        };
        let mut connection = AnyConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// A backup, while head office does not run.
    pub fn keep(&mut self, backup: &Path) {
        match &mut self.server {
            None => copy(&self.data.join("tenants"), backup),
            Some(server) => {
                server.stop();
                copy(&server.books(), backup);
                server.resume().unwrap();
            }
        }
    }

    pub fn restore(&mut self, backup: &Path) {
        match &mut self.server {
            None => {
                let tenants = self.data.join("tenants");
                fs::remove_dir_all(&tenants).unwrap();
                copy(backup, &tenants);
            }
            Some(server) => {
                server.stop();
                server.set_books(backup).unwrap();
                server.resume().unwrap();
            }
        }
    }

    /// Everything that is kept about companies, stores and people, as it lies on the disk.
    pub fn bytes(&self) -> Vec<u8> {
        let mut kept = Vec::new();
        match &self.server {
            None => ["control.db", "control.db-wal"].map(|file| kept.extend(fs::read(self.data.join(file)).unwrap_or_default())),
            Some(server) => ["base", "pg_wal"].map(|folder| gather(&server.books().join(folder), &mut kept)),
        };
        kept
    }
}

fn gather(folder: &Path, into: &mut Vec<u8>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            gather(&entry.path(), into);
        } else {
            into.extend(fs::read(entry.path()).unwrap_or_default()); // The server may remove one any moment.
        }
    }
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
