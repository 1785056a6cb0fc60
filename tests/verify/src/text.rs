//! What the project's files say, line by line: every source file opens with a header, and some words never stay.
//!
//! Owns both checks and the list of files: those git tracks, and new ones it would track. Does not understand Rust; a word
//! is forbidden wherever it stands.

use std::fs;

use crate::run::{Place, print};
use crate::steps::Step;
use crate::summary::Tally;

struct Word {
    text: &'static str,
    /// True for a machine's own paths: they count only as the beginning of a path that goes on.
    path: bool,
    why: &'static str,
}

// The words are put together from parts, or this file would find itself.
const WORDS: &[Word] = &[
    Word {
        text: concat!("to", "do!"),
        path: false,
        why: "code that is not written yet stops the shop",
    },
    Word {
        text: concat!("unimple", "mented!"),
        path: false,
        why: "code that is not written yet stops the shop",
    },
    Word {
        text: concat!("FIX", "ME"),
        path: false,
        why: "repair it, or file an issue",
    },
    Word {
        text: concat!("#[ign", "ore"),
        path: false,
        why: "a test that never runs proves nothing",
    },
    Word {
        text: concat!("assert!(", "true"),
        path: false,
        why: "a check that cannot fail is none",
    },
    Word {
        text: concat!("/ho", "me/"),
        path: true,
        why: "a path of one machine means nothing on another",
    },
    Word {
        text: concat!("/ro", "ot/"),
        path: true,
        why: "a path of one machine means nothing on another",
    },
    Word {
        text: concat!("/wo", "rk/"),
        path: true,
        why: "a path of one machine means nothing on another",
    },
];

/// The project's files, relative to its top: tracked, or new and not ignored.
pub fn files(place: &Place, step: &str) -> Result<Vec<String>, String> {
    let command = place.command("git", &["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let ran = place.ask(step, command, std::time::Duration::from_secs(60))?;
    if !ran.succeeded() {
        return Err(format!("git ls-files {}; see target/verify/{step}.log", ran.ending()));
    }
    // A file that was deleted but not yet committed is still on git's list.
    let mut files: Vec<String> = ran
        .output
        .split('\0')
        .filter(|path| place.root.join(path).is_file())
        .map(str::to_owned)
        .collect();
    files.sort();
    files.dedup();
    if files.is_empty() {
        Err("git knows no file of this project".to_owned())
    } else {
        Ok(files)
    }
}

pub fn headers(place: &mut Place, step: &Step) -> Tally {
    let files = match files(place, step.name) {
        Ok(files) => files,
        Err(fault) => return Tally::failure(fault),
    };
    let sources: Vec<&String> = files.iter().filter(|path| path.ends_with(".rs")).collect();
    if sources.is_empty() {
        return Tally::failure("no source file was found");
    }
    let mut without = Vec::new();
    for path in &sources {
        match fs::read_to_string(place.root.join(path)) {
            Ok(source) if has_header(&source) => {}
            Ok(_) => without.push(format!("{path} does not begin with `//!` and what it owns")),
            Err(fault) => without.push(format!("{path} could not be read: {fault}")),
        }
    }
    print(&format!("  looked at {} source files", sources.len()));
    let mut tally = Tally::default();
    tally.check("every source file begins with a header", &without);
    tally
}

fn has_header(source: &str) -> bool {
    source
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("//!"))
        .is_some_and(|header| !header.trim().is_empty())
}

pub fn words(place: &mut Place, step: &Step) -> Tally {
    let files = match files(place, step.name) {
        Ok(files) => files,
        Err(fault) => return Tally::failure(fault),
    };
    let mut texts = Vec::new();
    for path in &files {
        let Ok(bytes) = fs::read(place.root.join(path)) else {
            return Tally::failure(format!("{path} could not be read"));
        };
        // Pictures and frozen examples of bytes have no words.
        if let Ok(text) = String::from_utf8(bytes) {
            texts.push((path, text));
        }
    }
    print(&format!("  looked for {} words in {} files", WORDS.len(), texts.len()));
    let mut tally = Tally::default();
    for word in WORDS {
        let mut found = Vec::new();
        for (path, text) in &texts {
            for (number, line) in text.lines().enumerate() {
                if stands_in(word, line) {
                    found.push(format!(
                        "{path}:{}: {}",
                        number + 1,
                        line.trim().chars().take(120).collect::<String>()
                    ));
                }
            }
        }
        tally.check(&format!("{} ({}) is found in", word.text, word.why), &found);
    }
    tally
}

fn stands_in(word: &Word, line: &str) -> bool {
    line.match_indices(word.text).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.text.len()..].chars().next();
        let part_of_a_name = before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
        if word.path {
            let part_of_a_path = part_of_a_name || before.is_some_and(|letter| "./~}>)-*$".contains(letter));
            return !part_of_a_path && after.is_some_and(|letter| letter.is_alphanumeric() || letter == '.');
        }
        // `#` and the like begin a name of their own; only a letter before a letter would make another word of it.
        let begins_with_letter = word.text.starts_with(char::is_alphabetic);
        let goes_on = word.text.ends_with(char::is_alphabetic) && after.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
        !(goes_on || begins_with_letter && part_of_a_name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: bool) {
        assert_eq!(WORDS.iter().any(|word| stands_in(word, line)), expected, "{line}");
    }

    #[test]
    fn a_header_is_the_first_line_and_says_something() {
        assert!(has_header("//! The cash drawer.\nuse std::fs;\n"));
        assert!(!has_header("//!\nuse std::fs;\n"));
        assert!(!has_header("\n//! Too late.\n"));
        assert!(!has_header("// The cash drawer.\n"));
        assert!(!has_header("/// The cash drawer.\n"));
        assert!(!has_header(""));
    }

    #[test]
    fn unfinished_code_and_dead_tests_are_found() {
        for word in WORDS.iter().filter(|word| !word.path) {
            check(&format!("    {}(\"later\")", word.text), true);
        }
        check(&format!("    {});", concat!("assert!(", "true")), true);
        check(&format!("    {}, \"fine\");", concat!("assert!(", "true")), true);
        check(&format!("    {} = \"slow\"]", concat!("#[ign", "ore")), true);
        check(&format!("// {}: this is wrong", concat!("FIX", "ME")), true);
    }

    #[test]
    fn other_words_with_the_same_letters_are_fine() {
        check("todo = \"warn\"", false);
        check("assert!(true_total == total);", false);
        check(&format!("my_{}()", concat!("to", "do!")), false);
        check("let ignored = 1;", false);
    }

    #[test]
    fn paths_of_a_machine_are_found_and_parts_of_other_paths_are_not() {
        let home = concat!("/ho", "me/");
        let shed = concat!("/wo", "rk/");
        check(&format!("cd {home}anna/shop"), true);
        check(&format!("path = \"{shed}main\""), true);
        check(&format!("PATH=/bin:{home}anna/bin"), true);
        check(&format!("{}.cargo/bin", concat!("/ro", "ot/")), true);
        check(&format!("data{shed}00001.log"), false);
        check(&format!("{{data}}{shed}00001.log"), false);
        check(&format!("<a href=\"{home}\">"), false);
        check(&format!("..{shed}log"), false);
    }
}
