//! Which field of a JSON text lies at a line and column: `promotions[2].on.skus[0]`.
//!
//! Reads only as much of the text's form as that takes; whether it is right JSON was found out before.

/// Where we are.
#[derive(Debug)]
enum Inside {
    /// An object, at the field of this name.
    Object(Option<String>),
    /// A list, at the entry of this place.
    List(usize),
}

/// Empty at the top of the text. Line and column count from 1, the column in bytes.
pub fn field_at(text: &[u8], line: usize, column: usize) -> String {
    let begin: usize = text
        .split_inclusive(|byte| *byte == b'\n')
        .take(line.saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    let end = begin.saturating_add(column).min(text.len());
    let mut path: Vec<Inside> = Vec::new();
    let mut at = 0;
    while at < end {
        match text[at] {
            b'{' => path.push(Inside::Object(None)),
            b'[' => path.push(Inside::List(0)),
            // What ends here is what is wrong, and none of its fields.
            b'}' if at + 1 == end => {
                if let Some(Inside::Object(name)) = path.last_mut() {
                    *name = None;
                }
            }
            b'}' | b']' => drop(path.pop()),
            b',' => match path.last_mut() {
                Some(Inside::Object(name)) => *name = None,
                Some(Inside::List(entry)) => *entry += 1,
                None => {}
            },
            b'"' => {
                let begin = at + 1;
                at = end_of_string(text, begin);
                if let Some(Inside::Object(name @ None)) = path.last_mut() {
                    *name = Some(String::from_utf8_lossy(&text[begin..at.min(text.len())]).chars().take(60).collect());
                }
            }
            _ => {}
        }
        at += 1;
    }
    shown(&path)
}

/// The place of the closing quotation mark.
fn end_of_string(text: &[u8], begin: usize) -> usize {
    let mut at = begin;
    while at < text.len() && text[at] != b'"' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    at.min(text.len())
}

fn shown(path: &[Inside]) -> String {
    let mut shown = String::new();
    for inside in path.iter().take(40) {
        match inside {
            Inside::Object(Some(name)) if shown.is_empty() => shown.push_str(name),
            Inside::Object(Some(name)) => {
                shown.push('.');
                shown.push_str(name);
            }
            Inside::Object(None) => {}
            Inside::List(entry) => shown.push_str(&format!("[{entry}]")),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_named_with_all_in_which_it_lies() {
        let text = b"{\"a\": 1,\n \"list\": [{\"b\": \"x,y\"}, {\"c\": {\"d\": 5}}]}";
        let at = |line, needle: &str| {
            let row = String::from_utf8(text.split(|byte| *byte == b'\n').nth(line - 1).unwrap().to_vec()).unwrap();
            field_at(text, line, row.find(needle).unwrap() + 1)
        };
        assert_eq!(at(1, "1"), "a");
        assert_eq!(at(2, "x,y"), "list[0].b");
        assert_eq!(at(2, "5"), "list[1].c.d");
        assert_eq!(at(2, "}}]"), "list[1].c");
        assert_eq!(field_at(text, 1, 0), "");
        assert_eq!(field_at(text, 9, 9), "");
    }
}
