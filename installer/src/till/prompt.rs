//! The till for a person: a line is a scan, or one of a few words. A keyboard-wedge scanner types a code and Enter, which is all it needs.

use std::io::{self, BufRead, Write};

use backroom_protocol::v1::register as wire;
use wire::CashMoveKind;

use super::counter::Counter;
use super::{TillError, amount, secret, shift, show};
use crate::client::Failure;
use crate::client::make::{self, Off, TicketRef};

const HELP: &str = "\
scan or type a code    adds it; 3*CODE three of it; +CODE if the code is also a word below
pay 20                 takes 20 in cash; pay alone takes the exact sum
void 2                 takes line 2 off the ticket
qty 2 3                makes it three of line 2
at 2 4.99 torn         another price for line 2, and why
off 10% friend         off the whole ticket;   off 2 1.50 torn   off line 2
coupon SUMMER          a coupon                dept FOOD 4.99 CODE   sells what nobody knows
age yes CODE           you looked: old enough; age no CODE  refuses it
empties CODE 6         money for six empties
hold wallet            puts the ticket aside;  held  lists them;  recall 1  goes on with the first
cancel                 gives the ticket up
back r1/1/17 2 1*3     takes line 2 and one of line 3 back;  refund  pays out what is owed
return r1/1/17         takes a whole receipt back and pays it out
train CODE             begins a ticket for practice
price CODE             tells a price        receipt r1/1/17   shows a copy
open 100.00            opens the shift      close 250.00      counts and closes it
in 5.00 change coins   out 5.00 stamps      drop 200.00       moves cash
x                      how the shift stands
sign-in s101           another person       ?  help           quit
";

/// What a typed line means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Nothing,
    Add {
        quantity_milli: i64,
        code: String,
    },
    Pay(Option<String>),
    Void(u32),
    Quantity {
        line: u32,
        quantity_milli: i64,
    },
    At {
        line: u32,
        price: String,
        reason: String,
    },
    Off {
        line: Option<u32>,
        /// Such as `10%` or `1.50`.
        off: String,
        reason: String,
    },
    Coupon(String),
    Department {
        sku: String,
        price: String,
        code: String,
    },
    Age {
        passed: bool,
        code: String,
    },
    Empties {
        code: String,
        quantity_milli: i64,
    },
    Hold(String),
    Held,
    Recall(usize),
    Back {
        receipt: String,
        lines: Vec<(u32, i64)>,
    },
    Refund,
    Train {
        quantity_milli: i64,
        code: String,
    },
    Cancel,
    Return(String),
    Price(String),
    Receipt(String),
    Open(String),
    Close(String),
    Move {
        kind: CashMoveKind,
        amount: String,
        reason: Option<String>,
    },
    X,
    SignIn(String),
    Help,
    Quit,
    /// A word that wants something after it.
    Incomplete(&'static str),
}

impl Entry {
    pub fn parse(line: &str) -> Self {
        let line = line.trim();
        if let Some(code) = line.strip_prefix('+') {
            return Self::add(code.trim());
        }
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        let given = (!rest.is_empty()).then(|| rest.to_owned());
        match (word.to_ascii_lowercase().as_str(), given) {
            ("", _) => Self::Nothing,
            ("?" | "help", _) => Self::Help,
            ("quit" | "exit", None) => Self::Quit,
            ("x", None) => Self::X,
            ("cancel", None) => Self::Cancel,
            ("pay", given) => Self::Pay(given),
            ("void", Some(given)) => given.parse().map_or(Self::Incomplete("void 2"), Self::Void),
            ("void", None) => Self::Incomplete("void 2"),
            ("qty", given) => Self::quantity(&given.unwrap_or_default()).unwrap_or(Self::Incomplete("qty 2 3, the line and how many")),
            ("at", given) => {
                Self::at(&given.unwrap_or_default()).unwrap_or(Self::Incomplete("at 2 4.99 torn, the line, the price and why"))
            }
            ("off", given) => Self::off(&given.unwrap_or_default()).unwrap_or(Self::Incomplete("off 10% friend, or off 2 1.50 torn")),
            ("coupon", Some(given)) => Self::Coupon(given),
            ("coupon", None) => Self::Incomplete("coupon SUMMER"),
            ("dept", given) => Self::department(&given.unwrap_or_default()).unwrap_or(Self::Incomplete("dept FOOD 4.99")),
            ("age", given) => Self::age(&given.unwrap_or_default()).unwrap_or(Self::Incomplete("age yes CODE, or age no CODE")),
            ("empties", given) => Self::empties(&given.unwrap_or_default()).unwrap_or(Self::Incomplete("empties CODE 6")),
            ("hold", given) => Self::Hold(given.unwrap_or_default()),
            ("held", None) => Self::Held,
            ("recall", given) => match given.as_deref().unwrap_or("1").parse() {
                Ok(number @ 1..) => Self::Recall(number),
                _ => Self::Incomplete("recall 1, the number in the list of `held`"),
            },
            ("back", given) => Self::back(&given.unwrap_or_default()).unwrap_or(Self::Incomplete("back r1/1/17, or back r1/1/17 2 1*3")),
            ("refund", None) => Self::Refund,
            ("train", Some(given)) => {
                let (quantity_milli, code) = amount::quantity_and_code(&given);
                Self::Train {
                    quantity_milli,
                    code: code.to_owned(),
                }
            }
            ("train", None) => Self::Incomplete("train CODE"),
            ("return", Some(given)) => Self::Return(given),
            ("return", None) => Self::Incomplete("return r1/1/17"),
            ("price", Some(given)) => Self::Price(given),
            ("price", None) => Self::Incomplete("price CODE"),
            ("receipt", Some(given)) => Self::Receipt(given),
            ("receipt", None) => Self::Incomplete("receipt r1/1/17"),
            ("open", Some(given)) => Self::Open(given),
            ("open", None) => Self::Incomplete("open 100.00"),
            ("close", Some(given)) => Self::Close(given),
            ("close", None) => Self::Incomplete("close 250.00, the cash you counted"),
            ("in", Some(given)) => Self::cash(CashMoveKind::PaidIn, &given),
            ("in", None) => Self::Incomplete("in 5.00 what for"),
            ("out", Some(given)) => Self::cash(CashMoveKind::PaidOut, &given),
            ("out", None) => Self::Incomplete("out 5.00 what for"),
            ("drop", Some(given)) => Self::cash(CashMoveKind::Drop, &given),
            ("drop", None) => Self::Incomplete("drop 200.00"),
            ("sign-in", Some(given)) => Self::SignIn(given),
            ("sign-in", None) => Self::Incomplete("sign-in s101"),
            _ => Self::add(line),
        }
    }

    fn add(text: &str) -> Self {
        let (quantity_milli, code) = amount::quantity_and_code(text);
        Self::Add {
            quantity_milli,
            code: code.to_owned(),
        }
    }

    fn quantity(text: &str) -> Option<Self> {
        let (line, count) = text.split_once(char::is_whitespace)?;
        Some(Self::Quantity {
            line: line.parse().ok()?,
            quantity_milli: amount::parse(count.trim(), 3).ok()?,
        })
    }

    fn at(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        Some(Self::At {
            line: words.next()?.parse().ok()?,
            price: words.next()?.to_owned(),
            reason: words.next()?.to_owned(),
        })
        .filter(|_| words.next().is_none())
    }

    fn off(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (line, off, reason) = match words[..] {
            [off, reason] => (None, off, reason),
            [line, off, reason] => (Some(line.parse().ok()?), off, reason),
            _ => return None,
        };
        Some(Self::Off {
            line,
            off: off.to_owned(),
            reason: reason.to_owned(),
        })
    }

    fn department(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        Some(Self::Department {
            sku: words.next()?.to_owned(),
            price: words.next()?.to_owned(),
            code: words.next().unwrap_or_default().to_owned(),
        })
    }

    fn age(text: &str) -> Option<Self> {
        let (said, code) = text.split_once(char::is_whitespace)?;
        let passed = match said.to_ascii_lowercase().as_str() {
            "yes" => true,
            "no" => false,
            _ => return None,
        };
        Some(Self::Age {
            passed,
            code: code.trim().to_owned(),
        })
    }

    fn empties(text: &str) -> Option<Self> {
        let (code, count) = text.split_once(char::is_whitespace).unwrap_or((text, "1"));
        Some(Self::Empties {
            code: Some(code.to_owned()).filter(|code| !code.is_empty())?,
            quantity_milli: amount::parse(count.trim(), 3).ok()?,
        })
    }

    fn back(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let receipt = words.next()?.to_owned();
        let line = |word: &str| {
            let (quantity_milli, line) = amount::quantity_and_code(word);
            Some((line.parse().ok()?, quantity_milli))
        };
        Some(Self::Back {
            receipt,
            lines: words.map(line).collect::<Option<_>>()?,
        })
    }

    fn cash(kind: CashMoveKind, text: &str) -> Self {
        let (amount, reason) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        Self::Move {
            kind,
            amount: amount.to_owned(),
            reason: Some(reason.trim().to_owned()).filter(|reason| !reason.is_empty()),
        }
    }
}

/// For fuzzers: any line is a scan, a word, or a word that wants more, never a panic; a scan keeps what was read.
pub fn fuzz_one(bytes: &[u8]) {
    let line = String::from_utf8_lossy(bytes);
    if let Entry::Add { quantity_milli, code } = Entry::parse(&line) {
        assert!(quantity_milli >= 0 && line.contains(&code));
    }
}

/// Serves one person until `quit` or the end of the input.
pub async fn serve(counter: &mut Counter) -> Result<(), TillError> {
    if counter.memory.notes.device.is_none() {
        enrol(counter).await?;
    }
    if counter.memory.notes.session.is_none() {
        sign_in(counter, None).await?;
    }
    println!(
        "{} - register {} - ? for help",
        counter.device()?.store_name,
        counter.device()?.register
    );
    greet(counter).await;
    loop {
        let Some(line) = ask("> ")? else { return Ok(()) };
        match Entry::parse(&line) {
            Entry::Quit => return Ok(()),
            entry => match one(counter, entry).await {
                Ok(text) => print!("{text}"),
                Err(error) => explain(counter, error).await,
            },
        }
        io::stdout().flush().map_err(TillError::Terminal)?;
    }
}

/// Finishes what an earlier run left, and shows the ticket that is open.
async fn greet(counter: &mut Counter) {
    let result = async {
        if let (Some(finished), Ok(device)) = (counter.finish_pending().await?, counter.device()) {
            print!("{}", show::finished(&finished, device));
        }
        counter.memory.notes.script = None; // A person goes on by hand.
        if let Some(view) = counter.look_again().await? {
            println!("this ticket is open:");
            print!("{}", show::cart(&view, counter.device()?));
        }
        Ok(())
    };
    if let Err(error) = result.await {
        explain(counter, error).await;
    }
}

/// Says an error in one line; where the till and the box disagree about the ticket, shows the box's.
async fn explain(counter: &mut Counter, error: TillError) {
    println!("! {}", error.told());
    let stale = error.code() == "version_conflict";
    if stale
        && let Ok(Some(view)) = counter.look_again().await
        && let Ok(device) = counter.device()
    {
        println!("the ticket as the box has it:\n{}", show::cart(&view, device));
    }
    if matches!(error.code(), "session_fenced" | "not_signed_in") {
        println!("sign in again: sign-in s101");
    }
}

async fn one(counter: &mut Counter, entry: Entry) -> Result<String, TillError> {
    if let (Some(finished), Ok(device)) = (counter.finish_pending().await?, counter.device()) {
        print!("{}", show::finished(&finished, device));
    }
    let ticket = counter.ticket();
    let open = ticket.ok_or(TillError::NoTicket);
    let view = match entry {
        Entry::Nothing | Entry::Quit => return Ok(String::new()),
        Entry::Help => return Ok(HELP.to_owned()),
        Entry::Incomplete(example) => return Ok(format!("! say more: {example}\n")),
        Entry::Add { quantity_milli, code } => {
            let ticket = ticket.unwrap_or_else(TicketRef::begin);
            counter.say(&make::scan(ticket, &code, quantity_milli)).await?.ticket
        }
        Entry::Pay(given) => pay(counter, open?, given.as_deref()).await?,
        Entry::Void(line) => counter.say(&make::void_line(open?, line)).await?.ticket,
        Entry::Quantity { line, quantity_milli } => counter.say(&make::change_quantity(open?, line, quantity_milli)).await?.ticket,
        Entry::At { line, price, reason } => {
            let price = shift::amount(counter, &price)?;
            let currency = counter.device()?.currency.clone();
            counter
                .say(&make::override_price(open?, line, price, &currency, &reason))
                .await?
                .ticket
        }
        Entry::Off { line, off, reason } => {
            let currency = counter.device()?.currency.clone();
            let off = match off.strip_suffix('%') {
                Some(percent) => Off::Percent(percent.to_owned()),
                None => Off::Amount(shift::amount(counter, &off)?),
            };
            counter.say(&make::discount(open?, line, &off, &currency, &reason)).await?.ticket
        }
        Entry::Coupon(code) => counter.say(&make::coupon(open?, &code)).await?.ticket,
        Entry::Department { sku, price, code } => {
            let price = shift::amount(counter, &price)?;
            let currency = counter.device()?.currency.clone();
            let ticket = ticket.unwrap_or_else(TicketRef::begin);
            counter.say(&make::department(ticket, &sku, price, &currency, &code)).await?.ticket
        }
        Entry::Age { passed, code } => {
            let decision = if passed {
                wire::AgeDecision::Passed
            } else {
                wire::AgeDecision::Refused
            };
            let ticket = ticket.unwrap_or_else(TicketRef::begin);
            counter.say(&make::check_age(ticket, &code, decision)).await?.ticket
        }
        Entry::Empties { code, quantity_milli } => {
            let ticket = ticket.unwrap_or_else(TicketRef::begin);
            counter.say(&make::bottles(ticket, &code, quantity_milli)).await?.ticket
        }
        Entry::Hold(reason) => {
            counter.say(&make::suspend(open?, &reason)).await?;
            return Ok("the ticket is put aside; `held` lists what waits\n".to_owned());
        }
        Entry::Held => return held(counter).await,
        Entry::Recall(number) => recall(counter, number).await?,
        Entry::Back { receipt, lines } => {
            let ticket = ticket.unwrap_or_else(TicketRef::begin);
            counter.say(&make::take_back(ticket, &receipt, &lines)).await?.ticket
        }
        Entry::Refund => counter.say(&make::refund_and_settle(open?)).await?.ticket,
        Entry::Train { .. } if ticket.is_some() => return Err(TillError::TicketOpen),
        Entry::Train { quantity_milli, code } => counter.say(&make::practise(&code, quantity_milli)).await?.ticket,
        Entry::Cancel => counter.say(&make::cancel(open?)).await?.ticket,
        Entry::Return(receipt) => shift::take_back(counter, &receipt).await?.ticket,
        Entry::SignIn(staff) => {
            sign_in(counter, Some(staff)).await?;
            return Ok(String::new());
        }
        other => return aside(counter, other).await,
    };
    let device = counter.device()?;
    Ok(view.map_or_else(String::new, |view| show::closed(&view, device)))
}

async fn held(counter: &mut Counter) -> Result<String, TillError> {
    let resting = counter.read(&wire::ListSuspendedTicketsRequest {}).await?.tickets;
    if resting.is_empty() {
        return Ok("no ticket waits\n".to_owned());
    }
    let device = counter.device()?;
    let line = |(at, view): (usize, &wire::TicketView)| {
        let first = view.lines.first().map(|line| line.name.as_str()).unwrap_or_default();
        let total = show::digits(view.due.as_ref(), device);
        format!("{:>3}  {total:>10}  {} lines, {first} ...\n", at + 1, view.lines.len())
    };
    Ok(resting.iter().enumerate().map(line).collect())
}

async fn recall(counter: &mut Counter, number: usize) -> Result<Option<wire::TicketView>, TillError> {
    if counter.ticket().is_some() {
        return Err(TillError::TicketOpen);
    }
    let resting = counter.read(&wire::ListSuspendedTicketsRequest {}).await?.tickets;
    let view = resting.get(number - 1).ok_or(TillError::NoTicket)?;
    Ok(counter.say(&make::resume(TicketRef::of(view))).await?.ticket)
}

/// What has nothing to do with the open ticket.
async fn aside(counter: &mut Counter, entry: Entry) -> Result<String, TillError> {
    match entry {
        Entry::Price(code) => {
            let item = counter.read(&wire::FindItemRequest { code }).await?;
            let price = show::digits(item.price.as_ref(), counter.device()?);
            Ok(format!("{}  {}  {price}\n", item.sku, item.name))
        }
        Entry::Receipt(receipt) => Ok(counter.read(&wire::GetReceiptRequest { receipt }).await?.text),
        Entry::Open(float) => {
            shift::open(counter, &float).await?;
            Ok("the shift is open\n".to_owned())
        }
        Entry::Close(counted) => Ok(shift::close(counter, &counted).await?.report),
        Entry::Move { kind, amount, reason } => {
            shift::move_cash(counter, kind, &amount, reason.as_deref()).await?;
            Ok("done\n".to_owned())
        }
        Entry::X => {
            let report = counter.read(&wire::ReadShiftRequest {}).await?;
            Ok(show::x_report(&report, counter.device()?))
        }
        _ => Ok(String::new()),
    }
}

async fn pay(counter: &mut Counter, ticket: TicketRef, given: Option<&str>) -> Result<Option<wire::TicketView>, TillError> {
    let currency = counter.device()?.currency.clone();
    let given = match given {
        Some(text) => shift::amount(counter, text)?,
        None => {
            let view = counter.look_again().await?.ok_or(TillError::NoTicket)?;
            view.remaining.map_or(0, |money| money.minor)
        }
    };
    Ok(counter.say(&make::tender_and_settle(ticket, given, &currency)).await?.ticket)
}

async fn enrol(counter: &mut Counter) -> Result<(), TillError> {
    println!("this device is no register yet");
    let answer = |question| ask(question).map(Option::unwrap_or_default);
    let code = answer("pairing code (from `store-server pair`): ")?;
    let register = answer("register, such as r1: ")?;
    let enrolled = counter.enrol(&code, &register, None).await?;
    println!("{register} is a register of {}", enrolled.store_name);
    Ok(())
}

async fn sign_in(counter: &mut Counter, staff: Option<String>) -> Result<(), TillError> {
    loop {
        let staff = match &staff {
            Some(staff) => staff.clone(),
            None => match ask("staff: ")? {
                Some(staff) => staff.trim().to_owned(),
                None => return Err(TillError::NotSignedIn),
            },
        };
        let pin = secret::ask("PIN: ").map_err(TillError::Terminal)?;
        match counter.sign_in(&staff, &pin).await {
            Ok(answer) => {
                println!("hello {}", answer.staff_name);
                return Ok(());
            }
            Err(error @ TillError::Box(Failure::Refused { .. })) if !pin.is_empty() => println!("! {}", error.told()),
            Err(error) => return Err(error),
        }
    }
}

/// `None` at the end of the input.
fn ask(question: &str) -> Result<Option<String>, TillError> {
    let mut out = io::stdout();
    write!(out, "{question}").and_then(|()| out.flush()).map_err(TillError::Terminal)?;
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line).map_err(TillError::Terminal)? {
        0 => Ok(None),
        _ => Ok(Some(line.trim().to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scanner_needs_no_words_and_a_cashier_few() {
        let add = |quantity_milli, code: &str| Entry::Add {
            quantity_milli,
            code: code.into(),
        };
        for (line, entry) in [
            ("4006381333931\r\n", add(0, "4006381333931")),
            ("2*MUG", add(2000, "MUG")),
            ("+x", add(0, "x")),
            ("PAY 20", Entry::Pay(Some("20".into()))),
            ("pay", Entry::Pay(None)),
            ("void 2", Entry::Void(2)),
            ("void two", Entry::Incomplete("void 2")),
            ("return r1/1/17", Entry::Return("r1/1/17".into())),
            ("x", Entry::X),
            ("x1", add(0, "x1")),
            ("", Entry::Nothing),
            (
                "qty 2 3",
                Entry::Quantity {
                    line: 2,
                    quantity_milli: 3000,
                },
            ),
            ("qty two", Entry::Incomplete("qty 2 3, the line and how many")),
            (
                "off 2 10% torn",
                Entry::Off {
                    line: Some(2),
                    off: "10%".into(),
                    reason: "torn".into(),
                },
            ),
            (
                "back r1/1/17 2 1*3",
                Entry::Back {
                    receipt: "r1/1/17".into(),
                    lines: vec![(2, 0), (3, 1000)],
                },
            ),
            ("back r1/1/17 x", Entry::Incomplete("back r1/1/17, or back r1/1/17 2 1*3")),
            ("recall 0", Entry::Incomplete("recall 1, the number in the list of `held`")),
            ("hold", Entry::Hold(String::new())),
            (
                "in 5.00 change coins",
                Entry::Move {
                    kind: CashMoveKind::PaidIn,
                    amount: "5.00".into(),
                    reason: Some("change coins".into()),
                },
            ),
            ("?", Entry::Help),
        ] {
            assert_eq!(Entry::parse(line), entry, "{line:?}");
        }
    }
}
