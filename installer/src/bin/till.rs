//! The `till` command: reads the command line, says it to the box, and prints what came of it.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong use, 3 refused by a rule.

use std::process::ExitCode;

use backroom_protocol::v1::register as wire;
use clap::Parser;
use installer::till::args::{Cash, Cli, Command, Common};
use installer::till::counter::{Counter, Finished};
use installer::till::{TillError, prompt, scripted, secret, shift, show};
use serde_json::{Map, Value, json};
use wire::CashMoveKind;

#[tokio::main(worker_threads = 1)]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if cli.common.json {
                println!("{}", json!({"ok": false, "code": error.code(), "error": error.told()}));
            }
            eprintln!("till: {}", error.told());
            ExitCode::from(error.exit_code())
        }
    }
}

async fn run(cli: &Cli) -> Result<(), TillError> {
    let mut counter = Counter::open(&cli.common)?;
    let Some(command) = &cli.command else {
        return prompt::serve(&mut counter).await;
    };
    let told = match command {
        Command::Enrol { code, register, till } => enrol(&mut counter, code, register, till.as_deref()).await?,
        Command::SignIn { staff, pin_file, pin_env } => {
            counter.device()?; // Before anyone types a PIN in vain.
            let pin = secret::from(pin_file.as_deref(), pin_env.as_deref())?;
            sign_in(&mut counter, staff, &pin).await?
        }
        Command::Status => status(&mut counter).await?,
        other => signed_in(&mut counter, &cli.common, other).await?,
    };
    if cli.common.json {
        println!("{}", told.json);
    } else {
        print!("{}", told.text);
    }
    Ok(())
}

/// An answer for a person and for a program.
struct Told {
    text: String,
    json: Value,
}

impl Told {
    fn new(text: impl Into<String>, fields: Value, position: Option<&wire::Position>) -> Self {
        let fields = match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        Self {
            text: text.into(),
            json: show::done(fields, position),
        }
    }
}

async fn enrol(counter: &mut Counter, code: &str, register: &str, till: Option<&str>) -> Result<Told, TillError> {
    let answer = counter.enrol(code, register, till).await?;
    let fields = json!({"register": register, "store": answer.store, "store_name": answer.store_name, "currency": answer.currency});
    let text = format!("{register} is a register of {} ({})\n", answer.store_name, answer.store);
    Ok(Told::new(text, fields, answer.position.as_ref()))
}

async fn sign_in(counter: &mut Counter, staff: &str, pin: &str) -> Result<Told, TillError> {
    let answer = counter.sign_in(staff, pin).await?;
    let fields = json!({
        "staff": staff, "staff_name": answer.staff_name, "session": answer.session, "shift": show::id_json(&answer.shift_id),
        "open_tickets": answer.open_tickets.len(),
    });
    Ok(Told::new(
        format!("hello {}\n", answer.staff_name),
        fields,
        answer.position.as_ref(),
    ))
}

async fn status(counter: &mut Counter) -> Result<Told, TillError> {
    counter.device()?;
    let answer = counter.read(&wire::GetStatusRequest {}).await?;
    let head = answer.position.clone().unwrap_or_default();
    let link = if answer.hq_connected { "connected" } else { "not connected" };
    let trouble = if answer.trouble.is_empty() { "none" } else { &answer.trouble };
    let text = format!(
        "{} ({})\njournal     {}:{}\nhead office {link}, holds {} of it\ncatalog     {}\ntrouble     {trouble}\n",
        answer.store_name, answer.store, head.epoch, head.seq, answer.held_by_hq, answer.catalog_version
    );
    let fields = json!({
        "store": answer.store, "store_name": answer.store_name, "held_by_hq": answer.held_by_hq, "hq_connected": answer.hq_connected,
        "catalog_version": answer.catalog_version, "directives_through": answer.directives_through, "trouble": answer.trouble,
    });
    Ok(Told::new(text, fields, answer.position.as_ref()))
}

/// What needs a person; first of all, what an earlier run left unfinished.
async fn signed_in(counter: &mut Counter, common: &Common, command: &Command) -> Result<Told, TillError> {
    counter.session()?;
    let before = counter.memory.notes.script.clone();
    let finished = counter.finish_pending().await?;
    if let Some(finished) = &finished {
        eprint!("{}", show::finished(finished, counter.device()?));
    }
    match command {
        Command::Sell(sell) => {
            let sold = scripted::sell(counter, &sell.scan, &sell.cash, finished, before).await?;
            sold_told(counter, &sold)
        }
        Command::Resume => match (finished, counter.memory.notes.script.is_some()) {
            (Some(Finished::Ticket { view, .. }), false) => sold_told(
                counter,
                &scripted::Sold {
                    view: *view,
                    resumed: true,
                },
            ),
            _ => {
                let sold = scripted::resume(counter).await?;
                sold_told(counter, &sold)
            }
        },
        Command::Cancel => cancel(counter).await,
        Command::Return { receipt } => {
            let answer = shift::take_back(counter, receipt).await?;
            ticket_told(
                counter,
                answer.ticket,
                answer.position.as_ref(),
                json!({"refund": show::money_json(answer.refund.as_ref())}),
            )
        }
        Command::Open { float } => {
            let answer = shift::open(counter, float).await?;
            let fields = json!({"shift": show::id_json(&answer.shift_id)});
            Ok(Told::new("the shift is open\n", fields, answer.position.as_ref()))
        }
        Command::PaidIn(cash) => move_cash(counter, CashMoveKind::PaidIn, cash).await,
        Command::PaidOut(cash) => move_cash(counter, CashMoveKind::PaidOut, cash).await,
        Command::Drop(cash) => move_cash(counter, CashMoveKind::Drop, cash).await,
        Command::X => x_report(counter).await,
        Command::Close { counted } => {
            let answer = shift::close(counter, counted).await?;
            closed_told(&answer)
        }
        Command::DemoShift { scan, sales } => {
            let quiet = common.json;
            let done = shift::demo(counter, scan, *sales, |step| {
                if !quiet {
                    println!("{step}");
                }
            })
            .await?;
            let mut told = closed_told(&done.closed)?;
            told.json["receipts"] = done.receipts.into();
            told.json["returned"] = done.returned.into();
            Ok(told)
        }
        other => look(counter, other).await,
    }
}

/// What changes nothing.
async fn look(counter: &mut Counter, command: &Command) -> Result<Told, TillError> {
    match command {
        Command::Price { code } => {
            let item = counter.read(&wire::FindItemRequest { code: code.clone() }).await?;
            let device = counter.device()?;
            let text = format!(
                "{}  {}  {} {}\n",
                item.sku,
                item.name,
                show::digits(item.price.as_ref(), device),
                device.currency
            );
            let fields = json!({
                "sku": item.sku, "name": item.name, "price": show::money_json(item.price.as_ref()), "currency": device.currency,
                "tax_class": item.tax_class, "on_hand": item.on_hand_milli,
            });
            Ok(Told::new(text, fields, None))
        }
        Command::Receipt { receipt } => {
            let answer = counter.read(&wire::GetReceiptRequest { receipt: receipt.clone() }).await?;
            let mut told = ticket_told(counter, answer.ticket, None, json!({"text": answer.text}))?;
            told.text = answer.text;
            Ok(told)
        }
        _ => {
            let tickets = counter.read(&wire::ListOpenTicketsRequest {}).await?.tickets;
            let device = counter.device()?;
            let mut text: String = tickets.iter().map(|view| show::cart(view, device)).collect();
            if tickets.is_empty() {
                text.push_str("no ticket is open at this register\n");
            }
            let tickets: Vec<Value> = tickets
                .iter()
                .map(|view| Value::Object(show::ticket_json(view, &device.currency)))
                .collect();
            Ok(Told::new(text, json!({"tickets": tickets}), None))
        }
    }
}

async fn cancel(counter: &mut Counter) -> Result<Told, TillError> {
    let ticket = match counter.look_again().await? {
        Some(view) => installer::client::make::TicketRef::of(&view),
        None => {
            counter.memory.notes.script = None;
            counter.memory.keep()?;
            return Err(TillError::NoTicket);
        }
    };
    let answer = counter.say(&installer::client::make::cancel(ticket)).await?;
    ticket_told(counter, answer.ticket, answer.position.as_ref(), json!({}))
}

async fn move_cash(counter: &mut Counter, kind: CashMoveKind, cash: &Cash) -> Result<Told, TillError> {
    let answer = shift::move_cash(counter, kind, &cash.amount, cash.reason.as_deref()).await?;
    Ok(Told::new("done\n", json!({}), answer.position.as_ref()))
}

async fn x_report(counter: &mut Counter) -> Result<Told, TillError> {
    let report = counter.read(&wire::ReadShiftRequest {}).await?;
    let money = |money: &Option<wire::Money>| show::money_json(money.as_ref());
    let fields = json!({
        "shift": show::id_json(&report.shift_id), "sales": report.sales, "returns": report.returns, "cancelled": report.cancelled,
        "net": money(&report.net), "tax": money(&report.tax), "sales_due": money(&report.sales_due), "returns_due": money(&report.returns_due),
    });
    Ok(Told::new(
        show::x_report(&report, counter.device()?),
        fields,
        report.position.as_ref(),
    ))
}

fn closed_told(answer: &wire::CloseShiftResponse) -> Result<Told, TillError> {
    let money = |money: &Option<wire::Money>| show::money_json(money.as_ref());
    let z: Value = serde_json::from_str(&answer.report_json).unwrap_or(Value::Null);
    let fields = json!({
        "z_number": answer.z_number, "expected": money(&answer.expected), "counted": money(&answer.counted),
        "over_short": money(&answer.over_short), "z": z,
    });
    Ok(Told::new(answer.report.clone(), fields, answer.position.as_ref()))
}

fn sold_told(counter: &Counter, sold: &scripted::Sold) -> Result<Told, TillError> {
    let position = counter.memory.notes.position();
    ticket_told(
        counter,
        Some(sold.view.clone()),
        position.as_ref(),
        json!({"resumed": sold.resumed}),
    )
}

fn ticket_told(
    counter: &Counter,
    view: Option<wire::TicketView>,
    position: Option<&wire::Position>,
    more: Value,
) -> Result<Told, TillError> {
    let device = counter.device()?;
    let view = view.unwrap_or_default();
    let mut fields = show::ticket_json(&view, &device.currency);
    if let Value::Object(more) = more {
        fields.extend(more);
    }
    Ok(Told::new(show::closed(&view, device), Value::Object(fields), position))
}
