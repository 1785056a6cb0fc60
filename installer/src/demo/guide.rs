//! What the demo prints when the shops are open: where everything is, who may sign in, and what to try first.

use std::env;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::{Timestamp, ToSpan};

use super::counter::{FRONT, Kind};
use super::seed::{COMPANIES, DECIMALS};
use super::town::Town;
use super::webshop;
use crate::till::amount;

const NO_PAGES: &str = "no pages: they were not built (Node.js)";
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

pub async fn text(town: &Town) -> Result<String> {
    let mut stores = Vec::new();
    for shop in &town.shops {
        stores.push(Store {
            for_browser: shop.pair(&town.starter).await?,
            for_till: shop.pair(&town.starter).await?,
            has_pages: answers(&shop.http()).await,
        });
    }
    let has_portal = answers(&town.office()?.http()).await;
    let mut text = String::new();
    write(&mut text, town, &stores, has_portal)?;
    Ok(text)
}

/// What is made for one store while the guide is written.
struct Store {
    for_browser: String,
    for_till: String,
    has_pages: bool,
}

/// Whether there is a page at this address. Programs that were built without Node have none.
async fn answers(address: &str) -> bool {
    let asked = reqwest::Client::builder().timeout(ANSWER_WITHIN).no_proxy().build();
    let Ok(http) = asked else { return false };
    http.get(address).send().await.is_ok_and(|answer| answer.status().is_success())
}

fn write(text: &mut String, town: &Town, stores: &[Store], has_portal: bool) -> Result<()> {
    let office = town.office()?;
    writeln!(text, "\n{:-<100}", "")?;
    let portal = if has_portal {
        format!("portal {}/", office.http())
    } else {
        NO_PAGES.to_owned()
    };
    writeln!(text, "HEAD OFFICE     {portal}")?;
    writeln!(
        text,
        "                REST {}/api/v1     broker nats://{}",
        office.http(),
        office.nats()
    )?;
    for login in &office.logins {
        let company = login.company;
        writeln!(
            text,
            "  {:<20} company {:<10} user {:<10} password {}",
            company.name, company.tenant, company.user, login.password
        )?;
    }
    let web_shop = town.web_shop()?;
    writeln!(
        text,
        "  web shop of {:<8} {}/   (a stand-in for Shopify)",
        webshop::COMPANY.tenant,
        web_shop.http()
    )?;
    writeln!(
        text,
        "\nSTORES          a pairing code is good for one register and ten minutes; name the register in the browser `{FRONT}`,\n\
         {:16}then it has the machines on the counter",
        ""
    )?;
    for (shop, store) in town.shops.iter().zip(stores) {
        let http = shop.http();
        match store.has_pages {
            true => {
                writeln!(
                    text,
                    "  {:<16} register {http}/   pairing code {} for {FRONT}",
                    shop.store.name, store.for_browser
                )?;
                writeln!(text, "  {:<16} clerk {http}/clerk   console {http}/console", "")?;
            }
            false => writeln!(text, "  {:<16} {NO_PAGES}; health {http}/healthz", shop.store.name)?,
        }
        writeln!(text, "  {:<16} tills {}   pairing code {}", "", shop.address(), store.for_till)?;
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
    machines(text, town)?;
    writeln!(text, "\nEverything lies in {}", town.folder.path().display())?;
    try_first(text, town, stores)?;
    writeln!(
        text,
        "\nCtrl-C stops everything{}.",
        if town.folder.temporary().is_some() { " and removes it" } else { "" }
    )?;
    writeln!(text, "{:-<100}\n", "")?;
    Ok(())
}

/// Where the machines' knobs are, and what can be said there.
fn machines(text: &mut String, town: &Town) -> Result<()> {
    writeln!(text, "\nMACHINES        a line to such an address turns a knob; `help` lists them")?;
    for shop in &town.shops {
        let knobs = shop.counter.machines.iter();
        let knobs: Vec<_> = knobs.map(|machine| format!("{} {}", machine.kind.word(), machine.knobs)).collect();
        writeln!(text, "  {:<16} {}", shop.store.name, knobs.join("   "))?;
    }
    let shop = town.shops.first().context("there is no shop")?;
    let items = shop.store.company.items()?;
    let item = items.first().context("nothing is sold there")?;
    let mut examples = vec![
        (
            Kind::Scanner,
            format!("scan {}", item.code()),
            "as if it were held before the scanner",
        ),
        (Kind::Terminal, "next decline".to_owned(), "the next card is not taken"),
        (Kind::Printer, "paper out".to_owned(), "until `paper ok`"),
    ];
    if let Some(tag) = shop.counter.tags.first() {
        examples.push((Kind::Reader, format!("tags remove {tag}"), "a piece leaves the shelf"));
    }
    for (kind, line, what) in examples {
        let knobs = shop.counter.machine(kind)?.knobs;
        writeln!(text, "  echo '{line}' > /dev/tcp/{}/{}   # {what}", knobs.ip(), knobs.port())?;
    }
    writeln!(
        text,
        "  (such a line is for bash)   pictures of receipts: {}",
        shop.counter.paper.display()
    )?;
    Ok(())
}

fn try_first(text: &mut String, town: &Town, stores: &[Store]) -> Result<()> {
    let office = town.office()?;
    let shop = town.shops.first().context("there is no shop")?;
    let code = &stores.first().context("there is no pairing code")?.for_till;
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
    if stores.first().is_some_and(|store| store.has_pages) {
        let scanner = shop.counter.machine(Kind::Scanner)?.knobs;
        writeln!(
            text,
            "1. Sell at a page: open {}/, pair it as `{FRONT}`, sign in as {},",
            shop.http(),
            person.id
        )?;
        writeln!(
            text,
            "   put 100 into the drawer, scan with the line below or type the number, and pay by card;"
        )?;
        writeln!(text, "   the receipt is printed as a picture")?;
        writeln!(
            text,
            "   echo 'scan {}' > /dev/tcp/{}/{}",
            item.code(),
            scanner.ip(),
            scanner.port()
        )?;
    }
    writeln!(text, "2. Sell something at a till of your own in {}:", shop.store.code)?;
    writeln!(text, "   export BACKROOM_TILL_STATE={folder}/my-till")?;
    writeln!(text, "   {till} enrol --box {box_} --code {code} --register r9")?;
    writeln!(text, "   PIN={} {till} sign-in --staff {} --pin-env PIN", person.pin, person.id)?;
    writeln!(text, "   {till} open --float 100.00")?;
    writeln!(text, "   {till} sell --scan {} '2*{}' --cash 100", item.code(), other.code())?;
    writeln!(text, "   {till}   # the same by hand")?;
    writeln!(text, "3. Look at it from head office:")?;
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
        "4. Change the price of \"{}\" from {} to {}, and see it at the till:",
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
        "5. Kill a box; the demo starts it again, the registers say what was unanswered once more, nothing is lost:"
    )?;
    writeln!(text, "   kill -9 $(cat {})", shop.pid_file.display())?;
    if let Some(broker) = office.first_broker() {
        writeln!(text, "6. Kill the broker; the stores go on selling, and head office catches up:")?;
        writeln!(text, "   kill -9 {broker}")?;
    }
    writeln!(text, "7. Let the box prove its books, while it sells:")?;
    writeln!(text, "   {server} prove --data {}", shop.data.display())?;
    Ok(())
}

/// As short as it can be typed from here.
fn shown(program: &Path) -> String {
    let here = env::current_dir().ok();
    let short = here.and_then(|here| program.strip_prefix(here).ok().map(Path::to_owned));
    short.unwrap_or_else(|| program.to_owned()).display().to_string()
}
