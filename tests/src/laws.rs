//! The checker of the ten laws (docs/contracts.md, section 7): reads exports, device ledgers and client logs, and says which law
//! is broken where.
//!
//! Shares no code with the parts that write its evidence: header, payload, chain and sums are read and computed anew, so that one
//! mistake can not hide on both sides. It believes the bytes of an entry, never its JSON. Nothing here starts, stops or asks a
//! server.
//!
//! Lines of client logs are `{"asked": T, "command_id", "at", "call"}` and `{"acked": T, "command_id", "at", "call", "result"}`, where `T`
//! is a time or true. `result` says `ok`; with `ok: false` nothing is claimed. A yes may tell `receipt`, `due` and `change`, which are
//! compared with the entry, and `durable` (`written` or `flushed`); without it `scan` and `void_line` are written, all else is flushed.
//! Lines without a command id are reads.

mod chain;
mod commands;
mod devices;
mod entry;
mod evidence;
mod facts;
mod fold;
mod header;
mod headoffice;
mod numbers;
mod report;
mod sales;
mod shop;
mod stock;
mod tills;
mod wire;
mod words;

pub use evidence::{
    Answer, ClientEvent, ClientLine, ClientLog, Durable, Evidence, Export, Files, HqEvidence, Ledger, LedgerLine, OpenTender, OpenTicket,
    Projection, StoreEvidence,
};
pub use headoffice::Sync;
pub use report::{Law, LawReport, Report, Verdict, Violation};
pub use words::Id;

use report::Findings;
use shop::Shop;

/// What was done to the shop before the evidence was taken.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Then only what was flushed must still be there.
    pub after_power_cut: bool,
    pub sync: Sync,
    /// So many violations of each law are told in full.
    pub keep: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            after_power_cut: false,
            sync: Sync::UnderWay,
            keep: 20,
        }
    }
}

/// Checks all ten laws.
pub fn check(evidence: &Evidence, options: Options) -> Report {
    let shops = Shop::all(evidence);
    let index = commands::index(&shops);
    let law = |law: Law, why: &str, look: &dyn Fn(&mut Findings)| {
        let mut findings = Findings::new(law, options.keep);
        look(&mut findings);
        findings.finish(why)
    };
    let no_entries = "no export holds an entry";
    let each_shop = |look: fn(&mut Findings, &Shop<'_>)| {
        let shops = &shops;
        move |findings: &mut Findings| shops.iter().for_each(|shop| look(findings, shop))
    };
    let l1 = law(Law::L1, "no client log holds an acknowledged command", &|findings| {
        commands::kept(findings, evidence, &index, options.after_power_cut);
    });
    let l2 = law(Law::L2, no_entries, &|findings| {
        commands::asked(findings, evidence, &shops, &index);
    });
    let l3 = law(Law::L3, "no entry holds a receipt number", &each_shop(numbers::check));
    let l4 = law(Law::L4, no_entries, &|findings| {
        evidence.stores.iter().for_each(|store| chain::of_store(findings, store));
        evidence.hqs.iter().for_each(|hq| chain::of_hq(findings, hq));
        shops.iter().for_each(|shop| chain::across_epochs(findings, shop));
    });
    let l5 = law(Law::L5, "no ticket was closed", &|findings| {
        shops.iter().for_each(|shop| sales::check(findings, shop, options.after_power_cut));
    });
    let l6 = law(Law::L6, "no till was used", &each_shop(tills::check));
    let l7 = law(Law::L7, "nothing moved", &|findings| {
        shops.iter().for_each(|shop| stock::check(findings, shop));
        stock::at_hq(findings, evidence);
    });
    let l8 = law(Law::L8, "no export of head office", &|findings| {
        headoffice::check(findings, evidence, &shops, options.sync);
    });
    let l9 = law(Law::L9, "no ledger of a terminal and no card tender", &|findings| {
        devices::captures(findings, evidence, &shops);
    });
    let l10 = law(Law::L10, "no ledger of a printer, drawer or display and no effect", &|findings| {
        devices::effects(findings, evidence, &shops);
    });
    Report {
        laws: vec![l1, l2, l3, l4, l5, l6, l7, l8, l9, l10],
    }
}

/// Reads files and checks them: what `measure laws` does.
pub fn check_files(files: &Files, options: Options) -> anyhow::Result<Report> {
    Ok(check(&Evidence::read(files)?, options))
}
