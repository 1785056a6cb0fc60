//! Everything of one demo that runs: head office, three stores, and the order in which they open and close.
//!
//! Dropped, it kills all of it and removes the folder; closed, it lets each finish first.

use std::path::PathBuf;

use anyhow::{Context, Result};
use futures_util::future::{join_all, try_join_all};

use super::folder::Folder;
use super::office::HeadOffice;
use super::processes::Starter;
use super::programs::Programs;
use super::say::Voice;
use super::seed::{COMPANIES, STORES};
use super::shop::{Ports, Shop};

/// Fields are dropped from top to bottom: the servers before the guard, the folder last.
#[derive(Debug)]
pub struct Town {
    pub shops: Vec<Shop>,
    office: Option<HeadOffice>,
    pub programs: Programs,
    pub starter: Starter,
    pub folder: Folder,
}

impl Town {
    pub fn new(programs: Programs, folder: Folder) -> Result<Self> {
        let starter = Starter::new(folder.temporary())?;
        Ok(Self {
            shops: Vec::new(),
            office: None,
            programs,
            starter,
            folder,
        })
    }

    /// From nothing to a head office and three open boxes.
    pub async fn open(&mut self, nats_server: PathBuf, voice: &mut Voice) -> Result<()> {
        let mut ports = Ports::new();
        for store in &STORES {
            self.shops
                .push(Shop::new(store, self.programs.store_server(), &self.folder, &mut ports)?);
        }
        let office = HeadOffice::new(self.programs.hq_aggregator(), nats_server, &self.folder, &mut ports)?;
        let office = self.office.insert(office);
        for company in COMPANIES {
            office.add_company(&self.starter, &self.folder, company).await?;
        }
        let joins = office.add_stores(&self.starter, &self.folder).await?;
        voice.say("head office knows two companies and three stores");

        let (starter, folder) = (&self.starter, &self.folder);
        let founding = self.shops.iter().zip(&joins).map(|(shop, join)| shop.found(starter, folder, join));
        let (opened, founded) = tokio::join!(office.open(starter), try_join_all(founding));
        opened?;
        founded?;
        voice.say(format!("head office is open at {}, with its broker", office.http()));
        try_join_all(self.shops.iter_mut().map(|shop| shop.open(starter))).await?;
        let open: Vec<_> = self
            .shops
            .iter()
            .map(|shop| format!("{} at {}", shop.store.code, shop.address()))
            .collect();
        voice.say(format!("the boxes are open: {}", open.join(", ")));
        Ok(())
    }

    pub fn office(&self) -> Result<&HeadOffice> {
        self.office.as_ref().context("head office was not founded yet")
    }

    /// Opens head office again after it has ended.
    pub async fn reopen_office(&mut self) -> Result<()> {
        let office = self.office.as_mut().context("head office was not founded yet")?;
        office.open(&self.starter).await
    }

    pub async fn reopen_shop(&mut self, which: usize) -> Result<()> {
        let shop = self.shops.get_mut(which).context("there is no such shop")?;
        shop.open(&self.starter).await
    }

    /// Whoever has ended without being asked to: `None` is head office, else the shop's place in the list.
    pub fn who_ended(&mut self) -> Option<(Option<usize>, std::process::ExitStatus)> {
        if let Some(status) = self.office.as_mut().and_then(HeadOffice::ended) {
            return Some((None, status));
        }
        let mut shops = self.shops.iter_mut().enumerate();
        shops.find_map(|(which, shop)| Some((Some(which), shop.ended()?)))
    }

    /// Stops the boxes, then head office, each finishing what it has begun. Says what did not go well.
    pub async fn close(&mut self) -> Vec<String> {
        let stopped = join_all(self.shops.iter_mut().map(Shop::stop)).await;
        let mut troubles: Vec<String> = stopped.into_iter().filter_map(|done| Some(format!("{:#}", done.err()?))).collect();
        if let Some(office) = &mut self.office
            && let Err(error) = office.stop().await
        {
            troubles.push(format!("{error:#}"));
        }
        troubles
    }
}
