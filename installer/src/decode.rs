//! `backroom decode`: says what a barcode or an RFID tag means, one per line. For support, for tests, for the curious.
//!
//! Owns the command line, the lines in and out and the exit code. How a text is read and which fields are printed is in
//! `meaning`.

mod meaning;

use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;

use backroom_core::barcode::StoreMadeRule;

use self::meaning::{Decoded, Reader, not_text, too_long};

/// The longest line that is looked at; no code is longer.
const LONGEST_LINE: usize = 4_096;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

#[derive(Debug, clap::Args)]
pub struct Decode {
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    /// How to read codes the shop makes itself, for example "22 PPPPPPCVVVVV price 2" (P item, C inner check digit, V value)
    #[arg(long = "store-made", value_name = "RULE")]
    store_made: Vec<StoreMadeRule>,
    /// How many digits of a product number are the company's prefix (6 to 12); then a barcode with a serial number also shows its tag
    #[arg(long, value_name = "DIGITS", value_parser = clap::value_parser!(u8).range(6..=12))]
    prefix_digits: Option<u8>,
    /// Barcodes, tags as hexadecimal digits, or EPC URIs; without any, one per line from standard input
    #[arg(value_name = "CODE")]
    codes: Vec<OsString>,
}

/// Prints what each code means. 0 when all were read, 1 when one was refused.
pub fn run(args: Decode) -> ExitCode {
    let mut out = io::stdout().lock();
    let outcome = if !args.codes.is_empty() {
        decode_arguments(&args, &mut out)
    } else if io::stdin().is_terminal() {
        eprintln!("name at least one code, or feed codes one per line: backroom decode 4006381333931");
        return ExitCode::from(2);
    } else {
        decode_lines(&args, io::stdin().lock(), &mut out)
    };
    match outcome {
        Ok(Outcome::AllRead) => ExitCode::SUCCESS,
        Ok(Outcome::SomeRefused) => ExitCode::FAILURE,
        // Whoever read our lines has seen enough.
        Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("could not read or write the codes: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// Whether something was refused so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    AllRead,
    SomeRefused,
}

impl Outcome {
    fn and(self, decoded: &Decoded) -> Self {
        if decoded.refused.is_some() { Self::SomeRefused } else { self }
    }
}

fn decode_arguments(args: &Decode, out: &mut impl Write) -> io::Result<Outcome> {
    let reader = Reader::new(args.store_made.clone(), args.prefix_digits);
    let mut outcome = Outcome::AllRead;
    for code in &args.codes {
        let decoded = match code.to_str() {
            Some(text) if text.trim().is_empty() => continue,
            Some(text) => reader.decode(text),
            None => not_text(&code.to_string_lossy()),
        };
        outcome = outcome.and(&decoded);
        write_line(&decoded, args.json, out)?;
    }
    out.flush()?;
    Ok(outcome)
}

fn decode_lines(args: &Decode, mut lines: impl BufRead, out: &mut impl Write) -> io::Result<Outcome> {
    let reader = Reader::new(args.store_made.clone(), args.prefix_digits);
    let mut outcome = Outcome::AllRead;
    let mut line = Vec::new();
    let mut first = true;
    while let Some(end) = next_line(&mut lines, &mut line)? {
        // Some editors begin a file with a mark of its encoding, which is no part of the first code.
        if std::mem::take(&mut first) && line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        let decoded = match (std::str::from_utf8(&line), end) {
            (_, LineEnd::TooLong) => too_long(&String::from_utf8_lossy(&line), LONGEST_LINE),
            (Ok(text), LineEnd::Whole) if text.trim().is_empty() => continue,
            (Ok(text), LineEnd::Whole) => reader.decode(text),
            (Err(_), LineEnd::Whole) => not_text(&String::from_utf8_lossy(&line)),
        };
        outcome = outcome.and(&decoded);
        write_line(&decoded, args.json, out)?;
    }
    out.flush()?;
    Ok(outcome)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineEnd {
    Whole,
    TooLong,
}

/// Reads the next line without its end into `line`, but never more than the longest line; the rest is skipped.
fn next_line(lines: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<LineEnd>> {
    line.clear();
    let mut end = LineEnd::Whole;
    let mut anything = false;
    loop {
        let bytes = match lines.fill_buf() {
            Ok(bytes) => bytes,
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => continue,
            Err(fault) => return Err(fault),
        };
        if bytes.is_empty() {
            break;
        }
        anything = true;
        let newline = bytes.iter().position(|byte| *byte == b'\n');
        let part = bytes.get(..newline.unwrap_or(bytes.len())).unwrap_or_default();
        let room = LONGEST_LINE - line.len();
        if part.len() > room {
            end = LineEnd::TooLong;
        }
        line.extend(part.iter().take(room));
        let used = newline.map_or(bytes.len(), |at| at + 1);
        lines.consume(used);
        if newline.is_some() {
            break;
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(anything.then_some(end))
}

/// For fuzzers: any bytes as lines of standard input are answered line by line, as JSON and for people; each tag that was read has its
/// bits, which are the same tag again.
pub fn fuzz_one(bytes: &[u8]) {
    let mut args = Decode {
        json: true,
        store_made: "22 PPPPPPCVVVVV price 2!".parse().into_iter().collect(),
        prefix_digits: Some(7),
        codes: Vec::new(),
    };
    let mut out = Vec::new();
    if decode_lines(&args, bytes, &mut out).is_err() {
        panic!("memory can be read and written");
    }
    for line in String::from_utf8_lossy(&out).lines() {
        let Ok(answer) = serde_json::from_str::<serde_json::Value>(line) else {
            panic!("{line} is no JSON");
        };
        if let Some(uri) = answer["tag_uri"].as_str() {
            let hex = answer["hex"].as_str().map(backroom_core::epc::Epc::from_hex);
            assert_eq!(hex.and_then(Result::ok), uri.parse().ok(), "{line}");
        }
        let said = ["scheme", "refused"].iter().filter(|field| answer[**field].is_string()).count();
        assert_eq!(said, 1, "{line}");
    }
    args.json = false;
    drop(decode_lines(&args, bytes, &mut io::sink()));
}

fn write_line(decoded: &Decoded, json: bool, out: &mut impl Write) -> io::Result<()> {
    if json {
        serde_json::to_writer(&mut *out, decoded)?;
        out.write_all(b"\n")
    } else {
        writeln!(out, "{}", decoded.for_people())
    }
}
