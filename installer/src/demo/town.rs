//! Everything of one demo that runs: head office, three stores with a counter each, the stand-in for Shopify, and the order in which
//! they open and close.
//!
//! Dropped, it kills all of it and removes the folder; closed, it lets each finish first.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use anyhow::{Context, Result};
use futures_util::future::{join_all, try_join_all};

use super::counter::Counter;
use super::folder::Folder;
use super::office::HeadOffice;
use super::processes::Starter;
use super::programs::Programs;
use super::say::Voice;
use super::seed::{COMPANIES, STORES};
use super::shop::{Ports, Shop};
use super::webshop::WebShop;

/// Fields are dropped from top to bottom: the servers before the guard, the folder last.
#[derive(Debug)]
pub struct Town {
    pub shops: Vec<Shop>,
    office: Option<HeadOffice>,
    web_shop: Option<WebShop>,
    pub programs: Programs,
    pub starter: Starter,
    pub folder: Folder,
}

/// One of the programs that run; stores and machines by their place in their lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Office,
    Shop(usize),
    Machine { shop: usize, machine: usize },
    WebShop,
}

impl Town {
    pub fn new(programs: Programs, folder: Folder) -> Result<Self> {
        let starter = Starter::new(folder.temporary())?;
        Ok(Self {
            shops: Vec::new(),
            office: None,
            web_shop: None,
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
        let web_shop = WebShop::new(self.programs.fake_shopify(), &self.folder, &mut ports)?;
        for shop in &mut self.shops {
            shop.counter = Counter::new(shop.store, &self.programs.simulate(), &self.folder, &mut ports)?;
        }
        let office = self.office.insert(office);
        let web_shop = self.web_shop.insert(web_shop);
        for company in COMPANIES {
            office.add_company(&self.starter, &self.folder, company).await?;
        }
        let joins = office.add_stores(&self.starter, &self.folder).await?;
        web_shop.connect(&self.starter, office).await?;
        voice.say("head office knows two companies and three stores");

        let (starter, folder) = (&self.starter, &self.folder);
        web_shop.open(starter, office).await?;
        let founding = self.shops.iter_mut().zip(&joins).map(async |(shop, join)| {
            shop.found(starter, folder, join).await?;
            shop.name_machines(starter).await?;
            shop.counter.open(starter).await
        });
        let (opened, founded) = tokio::join!(office.open(starter), try_join_all(founding));
        opened?;
        founded?;
        voice.say(format!("head office is open at {}, with its broker", office.http()));
        let machines: usize = self.shops.iter().map(|shop| shop.counter.machines.len()).sum();
        voice.say(format!("{machines} machines are switched on, and the stand-in for Shopify"));
        try_join_all(self.shops.iter_mut().map(|shop| shop.open(starter))).await?;
        let open: Vec<_> = self
            .shops
            .iter()
            .map(|shop| format!("{} at {}", shop.store.code, shop.address()))
            .collect();
        voice.say(format!("the boxes are open: {}", open.join(", ")));
        Ok(())
    }

    pub fn web_shop(&self) -> Result<&WebShop> {
        self.web_shop.as_ref().context("the stand-in for Shopify was not set up yet")
    }

    pub fn office(&self) -> Result<&HeadOffice> {
        self.office.as_ref().context("head office was not founded yet")
    }

    /// What somebody is called, and where its log is.
    pub fn name_and_log(&self, who: Who) -> Result<(String, &Path)> {
        Ok(match who {
            Who::Office => ("head office".to_owned(), self.office()?.log()),
            Who::WebShop => ("the stand-in for Shopify".to_owned(), self.web_shop()?.log()),
            Who::Shop(which) => {
                let shop = self.shops.get(which).context("there is no such shop")?;
                (format!("the box of {}", shop.store.code), shop.log())
            }
            Who::Machine { shop, machine } => {
                let shop = self.shops.get(shop).context("there is no such shop")?;
                let machine = shop.counter.machines.get(machine).context("there is no such machine")?;
                (format!("the {} of {}", machine.kind.word(), shop.store.code), machine.log())
            }
        })
    }

    /// Starts somebody again after it has ended.
    pub async fn reopen(&mut self, who: Who) -> Result<()> {
        match who {
            Who::Office => {
                let office = self.office.as_mut().context("head office was not founded yet")?;
                office.open(&self.starter).await
            }
            Who::WebShop => {
                let office = self.office.as_ref().context("head office was not founded yet")?;
                let web_shop = self.web_shop.as_mut().context("the stand-in for Shopify was not set up yet")?;
                web_shop.open(&self.starter, office).await
            }
            Who::Shop(which) => {
                let shop = self.shops.get_mut(which).context("there is no such shop")?;
                shop.open(&self.starter).await
            }
            Who::Machine { shop, machine } => {
                let shop = self.shops.get_mut(shop).context("there is no such shop")?;
                let machine = shop.counter.machines.get_mut(machine).context("there is no such machine")?;
                machine.open(&self.starter).await
            }
        }
    }

    /// Whoever has ended without being asked to.
    pub fn who_ended(&mut self) -> Option<(Who, ExitStatus)> {
        if let Some(status) = self.office.as_mut().and_then(HeadOffice::ended) {
            return Some((Who::Office, status));
        }
        if let Some(status) = self.web_shop.as_mut().and_then(WebShop::ended) {
            return Some((Who::WebShop, status));
        }
        for (which, shop) in self.shops.iter_mut().enumerate() {
            if let Some(status) = shop.ended() {
                return Some((Who::Shop(which), status));
            }
            for (machine, one) in shop.counter.machines.iter_mut().enumerate() {
                if let Some(status) = one.ended() {
                    return Some((Who::Machine { shop: which, machine }, status));
                }
            }
        }
        None
    }

    /// Stops the boxes, then their machines, then head office, each finishing what it has begun. Says what did not go well.
    pub async fn close(&mut self) -> Vec<String> {
        let mut stopped = join_all(self.shops.iter_mut().map(Shop::stop)).await;
        stopped.extend(join_all(self.shops.iter_mut().map(|shop| shop.counter.stop())).await);
        if let Some(office) = &mut self.office {
            stopped.push(office.stop().await);
        }
        if let Some(web_shop) = &mut self.web_shop {
            stopped.push(web_shop.stop().await);
        }
        stopped.into_iter().filter_map(|done| Some(format!("{:#}", done.err()?))).collect()
    }
}
