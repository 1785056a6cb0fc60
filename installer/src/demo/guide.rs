//! What the demo prints when the shops are open: where everything is, who may sign in, and what to try first.

use std::env;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use jiff::{Timestamp, ToSpan};

use super::seed::{COMPANIES, DECIMALS};
use super::town::Town;
use crate::till::amount;

pub async fn text(town: &Town) -> Result<String> {
    let mut codes = Vec::new();
    for shop in &town.shops {
        codes.push(shop.pair(&town.starter).await?);
    }
    let mut text = String::new();
    write(&mut text, town, &codes)?;
    Ok(text)
}

fn write(text: &mut String, town: &Town, codes: &[String]) -> Result<()> {
    let office = town.office()?;
    let folder = town.folder.path().display();
    writeln!(text, "\n{:-<100}", "")?;
    writeln!(
        text,
        "HEAD OFFICE     REST {}/api/v1     broker nats://{}",
        office.http(),
        office.nats()
    )?;
    for login in &office.logins {
        let company = login.company;
        writeln!(
            text,
            "  {:<20} tenant {:<10} user {:<10} password {}",
            company.name, company.tenant, company.user, login.password
        )?;
    }
    writeln!(
        text,
        "\nSTORES          a till of your own: the pairing code is good for one register and ten minutes"
    )?;
    for (shop, code) in town.shops.iter().zip(codes) {
        writeln!(
            text,
            "  {:<20} registers {:<24} health {}/healthz   pairing code {code}",
            shop.store.name,
            shop.address(),
            shop.http()
        )?;
    }
    let server = shown(&town.programs.store_server());
    let example = town.shops.first().context("there is no shop")?.data.display();
    writeln!(text, "  a new pairing code   {server} pair --data {example}")?;
    writeln!(text, "\nSTAFF")?;
    for company in COMPANIES {
        let people = company.people()?;
        let people: Vec<_> = people
            .iter()
            .map(|one| format!("{} ({}) PIN {}", one.id, one.name, one.pin))
            .collect();
        writeln!(text, "  {:<20} {}", company.name, people.join("   "))?;
    }
    writeln!(text, "\nEverything lies in {folder}")?;
    try_first(text, town, codes)?;
    writeln!(
        text,
        "\nCtrl-C stops everything{}.",
        if town.folder.temporary().is_some() { " and removes it" } else { "" }
    )?;
    writeln!(text, "{:-<100}\n", "")?;
    Ok(())
}

fn try_first(text: &mut String, town: &Town, codes: &[String]) -> Result<()> {
    let office = town.office()?;
    let shop = town.shops.first().context("there is no shop")?;
    let code = codes.first().context("there is no pairing code")?;
    let company = shop.store.company;
    let people = company.people()?;
    let person = people.last().context("nobody works there")?;
    let items = company.items()?;
    let item = items.first().context("nothing is sold there")?;
    let other = items.last().context("nothing is sold there")?;
    let login = office.logins.iter().find(|login| login.company.tenant == company.tenant);
    let login = login.context("nobody can sign in")?.file.display();
    let (till, server) = (shown(&town.programs.till()), shown(&town.programs.store_server()));
    let (folder, box_, hq) = (town.folder.path().display(), shop.address(), office.http());
    let now = Timestamp::now().in_tz(shop.store.zone).context("the store's time zone")?;
    // The stores' day ends at two in the morning.
    let day = now.checked_sub(2.hours()).context("the store's day")?.date();
    let (old, new) = (item.price, item.price - 500);

    writeln!(text, "\nWHAT TO TRY FIRST (in another terminal, in this folder)\n")?;
    writeln!(text, "1. Sell something at a till of your own in {}:", shop.store.code)?;
    writeln!(text, "   export BACKROOM_TILL_STATE={folder}/my-till")?;
    writeln!(text, "   {till} enrol --box {box_} --code {code} --register r9")?;
    writeln!(text, "   PIN={} {till} sign-in --staff {} --pin-env PIN", person.pin, person.id)?;
    writeln!(text, "   {till} open --float 100.00")?;
    writeln!(text, "   {till} sell --scan {} '2*{}' --cash 100", item.code(), other.code())?;
    writeln!(text, "   {till}   # the same by hand")?;
    writeln!(text, "2. Look at it from head office:")?;
    let token = r#"sed 's/.*"token":"\([^"]*\)".*/\1/'"#;
    writeln!(
        text,
        "   TOKEN=$(curl -s -H 'content-type: application/json' -d @{login} {hq}/api/v1/login | {token})"
    )?;
    writeln!(text, "   curl -s -H \"Authorization: Bearer $TOKEN\" {hq}/api/v1/stores")?;
    writeln!(
        text,
        "   curl -s -H \"Authorization: Bearer $TOKEN\" '{hq}/api/v1/reports/daily?day={day}'"
    )?;
    writeln!(
        text,
        "3. Change the price of \"{}\" from {} to {}, and see it at the till:",
        item.name,
        amount::show(old, DECIMALS),
        amount::show(new, DECIMALS)
    )?;
    writeln!(
        text,
        "   curl -s -X PUT -H \"Authorization: Bearer $TOKEN\" -H 'content-type: application/json' -d '{{\"price\": {new}}}' {hq}/api/v1/products/{}/price",
        item.sku
    )?;
    writeln!(text, "   {till} price {}", item.code())?;
    writeln!(
        text,
        "4. Kill a box; the demo starts it again, the registers say what was unanswered once more, nothing is lost:"
    )?;
    writeln!(text, "   kill -9 $(cat {})", shop.pid_file.display())?;
    if let Some(broker) = office.first_broker() {
        writeln!(text, "5. Kill the broker; the stores go on selling, and head office catches up:")?;
        writeln!(text, "   kill -9 {broker}")?;
    }
    writeln!(text, "6. Let the box prove its books, while it sells:")?;
    writeln!(text, "   {server} prove --data {}", shop.data.display())?;
    Ok(())
}

/// As short as it can be typed from here.
fn shown(program: &Path) -> String {
    let here = env::current_dir().ok();
    let short = here.and_then(|here| program.strip_prefix(here).ok().map(Path::to_owned));
    short.unwrap_or_else(|| program.to_owned()).display().to_string()
}
