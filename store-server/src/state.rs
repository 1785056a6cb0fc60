//! Prices, stock and tills: as they are kept beside the journal, or recomputed from its first entries as they were at an instant. The same lines
//! either way, in the shape of head office's projections.
//!
//! Reads only, while the box runs or without it, and holds one page of the journal at a time.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use backroom_actors::catalog;
use backroom_actors::clock::Clock;
use backroom_actors::file::FileError;
use backroom_actors::journal::reader::Reader;
use backroom_core::catalog::Catalog;
use backroom_core::ids::{ShiftId, StoreId};
use backroom_core::journal::Entry;
use backroom_core::journal::replay::{Recorded, State};
use backroom_core::till::Till;
use backroom_core::time::{Calendar, Instant, WallClock};
use backroom_protocol::payload;
use serde_json::{Value, json};

use crate::{setup, tools};

/// A text that names no instant: wrong use.
#[derive(Debug, thiserror::Error)]
pub enum NoInstant {
    #[error("{0:?} is no instant; write it as 2026-11-01T02:30:00+01:00, or as 2026-11-01 02:30 by the shop's clock")]
    Form(String),
    #[error("{text} came twice that night, when the clock was put back; say {first} or {second}")]
    Twice { text: String, first: Instant, second: Instant },
    #[error("{text} never came, because the clock was put forward at {jumped}; say a time before or after")]
    Never { text: String, jumped: Instant },
}

/// One page of the journal.
const PAGE: u32 = 512;

/// As it stands.
pub async fn now(data: &Path) -> anyhow::Result<()> {
    let (folder, identity, _) = setup::load(data)?;
    let reader = tools::reader(data).await?;
    let (catalog, _) = catalog::load(&reader, &folder.catalogs()).await?;
    let stock = reader.stock().await?;
    let tills: Vec<Till> = reader.tills().await?.into_iter().map(|(_, till)| till).collect();
    reader.close().await;
    let store = identity.address.store;
    let mut out = BufWriter::new(std::io::stdout().lock());
    write_prices(&mut out, store, &catalog, Clock.now())?;
    write_stock(&mut out, store, stock)?;
    write_tills(&mut out, store, tills.iter())?;
    Ok(out.flush()?)
}

/// As it stood, from the journal's entries up to then and nothing else.
pub async fn as_of(data: &Path, text: &str) -> anyhow::Result<()> {
    let (folder, identity, _) = setup::load(data)?;
    let calendar = Calendar::new(&identity.zone, &identity.day_end)?;
    let instant = parse(text, &calendar)?;
    if instant > Clock.now() {
        eprintln!("{instant} is still to come: stock and tills are as of now, prices as they are ordered for then");
    }
    let reader = tools::reader(data).await?;
    let folded = fold(&reader, instant).await;
    reader.close().await;
    let state = match folded? {
        Folded::State(state) => state,
        Folded::Before(first) => {
            eprintln!("the journal begins at {first}; before it there was no store");
            return Ok(());
        }
    };
    let store = identity.address.store;
    let mut out = BufWriter::new(std::io::stdout().lock());
    if let Some(catalog) = catalog_of(&state, &folder.catalogs())? {
        write_prices(&mut out, store, &catalog, instant)?;
    }
    write_stock(
        &mut out,
        store,
        state.stock.iter().map(|(sku, on_hand)| (sku.to_string(), on_hand.0)),
    )?;
    write_tills(&mut out, store, state.tills.iter())?;
    Ok(out.flush()?)
}

/// The catalog that counted, with head office's orders by their numbers, as the box followed them.
fn catalog_of(state: &State, folder: &Path) -> Result<Option<Catalog>, FileError> {
    let Some(applied) = state.prices.catalog() else { return Ok(None) };
    let mut catalog = catalog::read(applied, folder)?;
    for (directive, change) in state.prices.all_ordered().collect::<BTreeMap<_, _>>() {
        // An item that the catalog does not have needs no price; the box decided the same.
        let _ = catalog.schedule(directive, change);
    }
    Ok(Some(catalog))
}

enum Folded {
    State(Box<State>),
    /// Not even the first entry had been written.
    Before(Instant),
}

async fn fold(reader: &Reader, instant: Instant) -> anyhow::Result<Folded> {
    let mut state = State::default();
    let mut position = 0;
    'pages: loop {
        let page = reader.raw_after(position, PAGE).await?;
        let Some(last) = page.last() else { break };
        position = last.0;
        for (_, epoch, seq, bytes, _) in page {
            let entry = Entry::read(bytes).with_context(|| format!("entry {epoch}:{seq}"))?;
            // Time never runs backwards in a journal: nothing after this one counts.
            if entry.header.at > instant {
                if state.entries == 0 {
                    return Ok(Folded::Before(entry.header.at));
                }
                break 'pages;
            }
            let fact = payload::fact(&entry).with_context(|| format!("entry {epoch}:{seq}"))?;
            state.take(&Recorded {
                header: entry.header,
                fact,
            })?;
        }
    }
    Ok(Folded::State(Box::new(state)))
}

/// An instant with its offset, or a time by the clock on the shop's wall when that says which one is meant.
fn parse(text: &str, calendar: &Calendar) -> Result<Instant, NoInstant> {
    let form = || NoInstant::Form(text.chars().take(60).collect());
    if let Ok(exact) = text.parse::<jiff::Timestamp>() {
        return Instant::from_micros(exact.as_microsecond()).map_err(|_| form());
    }
    let local: jiff::civil::DateTime = text.parse().map_err(|_| form())?;
    let text = text.to_owned();
    match calendar.wall_clock(local).map_err(|_| form())? {
        WallClock::Once(at) => Ok(at),
        WallClock::Twice { first, second } => Err(NoInstant::Twice { text, first, second }),
        WallClock::Never { jumped } => Err(NoInstant::Never { text, jumped }),
    }
}

fn write_line(out: &mut impl Write, projection: &str, key: String, value: Value) -> std::io::Result<()> {
    writeln!(out, "{}", json!({"projection": projection, "key": key, "value": value}))
}

/// What each item costs when nothing else is known; price books and promotions need a basket.
fn write_prices(out: &mut impl Write, store: StoreId, catalog: &Catalog, at: Instant) -> std::io::Result<()> {
    let currency = catalog.currency();
    for item in catalog.items() {
        let (price, version) = catalog.price(item, at);
        let value = json!({"price": price, "currency": currency, "directive": (version.directive != 0).then_some(version.directive)});
        write_line(out, "prices", format!("{store}/{}", item.sku()), value)?;
    }
    Ok(())
}

fn write_stock(out: &mut impl Write, store: StoreId, stock: impl IntoIterator<Item = (String, i64)>) -> std::io::Result<()> {
    for (sku, on_hand) in stock {
        write_line(out, "stock", format!("{store}/{sku}"), json!({"on_hand": on_hand}))?;
    }
    Ok(())
}

/// Tills whose shift is open; closed ones are in the journal.
fn write_tills<'a>(out: &mut impl Write, store: StoreId, tills: impl Iterator<Item = &'a Till>) -> anyhow::Result<()> {
    for till in tills {
        if let Some((shift, value)) = open_shift(till)? {
            write_line(out, "tills", format!("{store}/{}/{shift}", till.till), value)?;
        }
    }
    Ok(())
}

fn open_shift(till: &Till) -> anyhow::Result<Option<(ShiftId, Value)>> {
    let Some(shift) = &till.shift else { return Ok(None) };
    let t = &shift.totals;
    let value = json!({
        "float": shift.float,
        "cash_taken": t.cash_taken,
        "change": t.change,
        "cash_refunds": t.cash_refunds,
        "paid_in": t.paid_in,
        "paid_out": t.paid_out,
        "drops": t.drops,
        "expected": shift.expected()?,
        "counted": Value::Null,
        "open": true,
    });
    Ok(Some((shift.shift, value)))
}

#[cfg(test)]
mod tests {
    use backroom_core::catalog::{CatalogFile, PriceChange};
    use backroom_core::facts::{Fact, PriceDirected, StockOpened};
    use backroom_core::journal::{Epoch, FiscalBlock, Head, Header, Retention, Seq};
    use backroom_core::money::{Money, Quantity};
    use backroom_core::stock::{MoveReason, StockMove};

    use super::*;

    #[test]
    fn an_instant_is_said_exactly_or_by_the_clock_on_the_wall() {
        let berlin = Calendar::new("Europe/Berlin", "02:00").unwrap();
        for (text, expected) in [
            ("2026-11-01T02:30:00+01:00", Ok("2026-11-01T01:30:00Z")),
            ("2026-11-01T01:30:00Z", Ok("2026-11-01T01:30:00Z")),
            ("2026-11-21 14:05", Ok("2026-11-21T13:05:00Z")),
            ("2026-11-21T14:05:06.5", Ok("2026-11-21T13:05:06.5Z")),
            ("2026-07-21 14:05", Ok("2026-07-21T12:05:00Z")),
            // The two nights of the year in which the clock does not say enough.
            ("2026-10-25 01:59", Ok("2026-10-24T23:59:00Z")),
            ("2026-10-25 02:30", Err("say 2026-10-25T00:30:00Z or 2026-10-25T01:30:00Z")),
            ("2026-10-25 03:00", Ok("2026-10-25T02:00:00Z")),
            ("2026-10-25T02:30:00+02:00", Ok("2026-10-25T00:30:00Z")),
            ("2026-10-25T02:30:00+01:00", Ok("2026-10-25T01:30:00Z")),
            ("2026-03-29 02:30", Err("put forward at 2026-03-29T01:00:00Z")),
            ("yesterday", Err("is no instant")),
            ("", Err("is no instant")),
            ("2026-13-01 10:00", Err("is no instant")),
            ("1760000000", Err("is no instant")),
        ] {
            let found = parse(text, &berlin).map(|at| at.to_string()).map_err(|error| error.to_string());
            match (expected, &found) {
                (Ok(instant), Ok(found)) => assert_eq!(instant, found, "{text}"),
                (Err(words), Err(found)) => assert!(found.contains(words), "{text}: {found}"),
                _ => panic!("{text}: {found:?}"),
            }
        }
    }

    /// A journal as a box would have written it in the night in which the clock goes back: one piece arrives at each of these moments.
    async fn a_night(home: &Path, moments: &[&str]) -> Reader {
        let catalog: CatalogFile = serde_json::from_value(json!({
            "version": 1, "currency": "EUR", "prices": "inclusive",
            "tax_classes": [{"code": "A", "name": "standard", "rate": "0.19"}],
            "items": [{"sku": "TEE", "name": "T-shirt", "tax_class": "A", "price": 1990}],
        }))
        .unwrap();
        let applied = catalog::store_file(home, &serde_json::to_vec(&catalog).unwrap(), &catalog).unwrap();
        let file = home.join("journal.db");
        let mut db = backroom_actors::journal::sql::open_writer(&file).await.unwrap();
        let mut head = Head::start(Epoch(1));
        for (number, moment) in moments.iter().enumerate() {
            let fact = match number {
                0 => Fact::CatalogApplied(applied.clone()),
                2 => Fact::PriceDirected(PriceDirected {
                    directive: 1,
                    change: PriceChange {
                        sku: "TEE".parse().unwrap(),
                        price: Money(1500),
                        currency: "EUR".parse().unwrap(),
                        effective_at: moment_of(moments[3]),
                    },
                }),
                _ => Fact::StockOpened(StockOpened {
                    moves: vec![StockMove::new("TEE".parse().unwrap(), Quantity::ONE, MoveReason::Opening)],
                }),
            };
            let header = Header {
                tenant: "thread".parse().unwrap(),
                store: "berlin".parse().unwrap(),
                epoch: head.epoch,
                seq: Seq(head.seq.0 + 1),
                prev_hash: head.hash,
                at: moment_of(moment),
                time_trusted: true,
                business_day: Calendar::new("Europe/Berlin", "02:00").unwrap().business_day(moment_of(moment)),
                kind: fact.kind() as u16,
                command_id: None,
                device: None,
                staff: None,
                retention: Retention(0),
                fiscal: FiscalBlock::default(),
            };
            let entry = Entry::write(header, &payload::encode(&fact));
            head = Head {
                seq: header.seq,
                hash: entry.hash,
                ..head
            };
            sqlx::query("insert into entry (epoch, seq, kind, hash, bytes) values (1, ?, ?, ?, ?)")
                .bind(head.seq.0 as i64)
                .bind(header.kind)
                .bind(&entry.hash.0[..])
                .bind(&entry.bytes)
                .execute(&mut db)
                .await
                .unwrap();
        }
        Reader::open(&file).await.unwrap()
    }

    fn moment_of(text: &str) -> Instant {
        Instant::from_micros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond()).unwrap()
    }

    #[tokio::test]
    async fn the_hour_that_comes_twice_is_told_apart() {
        let home = tempfile::tempdir().unwrap();
        let moments = [
            "2026-10-25T00:10:00Z", // 02:10, the first time
            "2026-10-25T00:30:00Z", // 02:30, the first time
            "2026-10-25T00:40:00Z", // a price is ordered for the entry after
            "2026-10-25T01:10:00Z", // 02:10, the second time
            "2026-10-25T01:30:00Z", // 02:30, the second time
            "2026-10-25T02:30:00Z", // 03:30
        ];
        let reader = a_night(home.path(), &moments).await;
        let berlin = Calendar::new("Europe/Berlin", "02:00").unwrap();
        for (text, pieces, price) in [
            ("2026-10-25T02:10:00+02:00", 0, 1990),
            ("2026-10-25T02:29:59.999999+02:00", 0, 1990),
            ("2026-10-25T02:30:00+02:00", 1, 1990),
            ("2026-10-25T02:50:00+02:00", 1, 1990),
            ("2026-10-25T02:09:59+01:00", 1, 1990),
            ("2026-10-25T02:10:00+01:00", 2, 1500),
            ("2026-10-25T02:30:00+01:00", 3, 1500),
            ("2026-10-25 03:29:59", 3, 1500),
            ("2026-10-25 03:30", 4, 1500),
            ("2100-01-01 00:00", 4, 1500),
        ] {
            let instant = parse(text, &berlin).unwrap();
            let Folded::State(state) = fold(&reader, instant).await.unwrap() else {
                panic!("{text}")
            };
            let tee = "TEE".parse().unwrap();
            assert_eq!(state.stock.on_hand(&tee), Quantity(pieces * 1_000), "{text}");
            let catalog = catalog_of(&state, home.path()).unwrap().unwrap();
            assert_eq!(catalog.price(catalog.by_sku(&tee).unwrap(), instant).0, Money(price), "{text}");
        }
        let before = fold(&reader, moment_of("2026-10-25T00:09:59.999999Z")).await.unwrap();
        assert!(matches!(before, Folded::Before(first) if first == moment_of(moments[0])));
        reader.close().await;
    }
}
