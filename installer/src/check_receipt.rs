//! `backroom check-receipt`: whether a receipt stands in a shop's journal, for anybody who has the proof and the shop's public key.
//!
//! Needs no network, no shop and no head office. Owns the command line and what is printed; the check is `protocol`'s.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use backroom_core::money::Money;
use backroom_protocol::proof::{self, LARGEST_FILE, NotProven, ProvenReceipt};
use serde::Serialize;

#[derive(Debug, clap::Args)]
pub struct CheckReceipt {
    /// The proof, as the shop gave it out; - reads standard input
    file: PathBuf,
    /// The shop's public key in 64 hex digits, from a source you trust
    #[arg(long, value_name = "HEX")]
    key: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Says what the receipt says. 0 when it is genuine, 1 when it is not or can not be read, 2 when the key is no key.
pub fn run(args: CheckReceipt) -> ExitCode {
    let key = match proof::key(&args.key) {
        Ok(key) => key,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let file = match read(&args.file) {
        Ok(file) => file,
        Err(fault) => {
            eprintln!("could not read {}: {fault}", args.file.display());
            return ExitCode::FAILURE;
        }
    };
    let checked = proof::read(&file).and_then(|proof| proof::check(&proof, &key));
    let told = if args.json { tell_json(&checked) } else { tell(&checked) };
    match (io::stdout().lock().write_all(told.as_bytes()), &checked) {
        (Ok(()), Ok(_)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than any proof, so that a larger file is noticed and not swallowed.
    let most = LARGEST_FILE as u64 + 1;
    if file == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(file)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

#[derive(Debug, Serialize)]
struct Told<'a> {
    genuine: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Receipt<'a>>,
}

#[derive(Debug, Serialize)]
struct Receipt<'a> {
    tenant: String,
    store: String,
    epoch: u32,
    seq: u64,
    time: String,
    business_day: String,
    ticket: &'a backroom_core::facts::ClosedTicket,
}

fn tell_json(checked: &Result<ProvenReceipt, NotProven>) -> String {
    let told = match checked {
        Ok(proven) => Told {
            genuine: true,
            code: None,
            why: None,
            receipt: Some(Receipt {
                tenant: proven.header.tenant.to_string(),
                store: proven.header.store.to_string(),
                epoch: proven.header.epoch.0,
                seq: proven.header.seq.0,
                time: proven.header.at.to_string(),
                business_day: proven.header.business_day.to_string(),
                ticket: &proven.ticket,
            }),
        },
        Err(why) => Told {
            genuine: false,
            code: Some(why.code()),
            why: Some(why.to_string()),
            receipt: None,
        },
    };
    serde_json::to_string(&told).unwrap_or_default() + "\n" // Plain texts and numbers always serialise.
}

fn tell(checked: &Result<ProvenReceipt, NotProven>) -> String {
    let proven = match checked {
        Ok(proven) => proven,
        Err(why) => return format!("NOT PROVEN: {why}\n"),
    };
    let (header, ticket) = (&proven.header, &proven.ticket);
    let number = ticket.receipt.map(|receipt| receipt.to_string()).unwrap_or_default();
    let currency = ticket.currency.code();
    let amount = |amount: Money| format!("{} {currency} (minor units)", amount.0);
    let mut text = format!(
        "GENUINE: receipt {number} of {}/{}\n  journal  {}:{}\n  time     {}, business day {}\n",
        header.tenant, header.store, header.epoch, header.seq, header.at, header.business_day
    );
    for line in ticket.lines.iter().filter(|line| line.voided.is_none()) {
        text += &format!("  line     {} x {}/1000  {}\n", line.name, line.quantity.0, amount(line.amount));
    }
    text += &format!("  tax      {}\n  due      {}\n", amount(ticket.tax), amount(ticket.due));
    text
}
