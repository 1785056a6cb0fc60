//! Amounts as people write them: decimals of the shop's own currency, never a float.

/// Why a text is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an amount; write it such as {example}")]
pub struct AmountError {
    text: String,
    example: String,
}

/// `12.50` with two decimals is 1250. A comma is as good as a point; more decimals than the currency has are refused.
pub fn parse(text: &str, decimals: u32) -> Result<i64, AmountError> {
    exact(text, decimals).ok_or_else(|| AmountError {
        text: text.chars().take(40).collect(),
        example: show(1250, decimals),
    })
}

fn exact(text: &str, decimals: u32) -> Option<i64> {
    let (whole, part) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_point = part.len() < text.len() && whole.len() < text.len();
    if whole.is_empty() || !is_digits(whole) || !is_digits(part) || (has_point && part.is_empty()) {
        return None;
    }
    let decimals = decimals as usize;
    if part.len() > decimals {
        return None;
    }
    format!("{whole}{part:0<decimals$}").parse().ok()
}

/// 1250 with two decimals is `12.50`.
pub fn show(minor: i64, decimals: u32) -> String {
    let decimals = decimals as usize;
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!("{:0width$}", minor.unsigned_abs(), width = decimals + 1);
    let (whole, part) = digits.split_at(digits.len() - decimals);
    if part.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{part}")
    }
}

/// `3*CODE` is three of it, `0.250*CODE` a quarter of a kilogram; a plain code is one. In thousandths, 0 for one piece.
pub fn quantity_and_code(text: &str) -> (i64, &str) {
    let counted = text
        .split_once('*')
        .and_then(|(count, code)| exact(count.trim(), 3).map(|milli| (milli, code.trim())));
    match counted {
        Some((milli, code)) if milli > 0 && !code.is_empty() => (milli, code),
        _ => (0, text),
    }
}

/// For fuzzers: any text is an amount, a quantity and a code, or refused; an amount shows and reads back the same.
pub fn fuzz_one(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for decimals in 0..=4 {
        if let Ok(minor) = parse(&text, decimals) {
            assert!(minor >= 0);
            assert_eq!(parse(&show(minor, decimals), decimals), Ok(minor));
        }
    }
    let (milli, code) = quantity_and_code(&text);
    assert!(milli >= 0 && text.contains(code));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_in_every_currency() {
        for (text, decimals, minor) in [
            ("12.50", 2, Some(1250)),
            ("12,5", 2, Some(1250)),
            ("20", 2, Some(2000)),
            ("0.05", 2, Some(5)),
            ("1250", 0, Some(1250)),
            ("1.250", 3, Some(1250)),
            ("1.255", 2, None),
            ("1.5", 0, None),
            ("", 2, None),
            (".5", 2, None),
            ("5.", 2, None),
            ("-5", 2, None),
            ("1e3", 2, None),
            ("99999999999999999999", 2, None),
        ] {
            assert_eq!(parse(text, decimals).ok(), minor, "{text:?}");
        }
        assert_eq!(
            parse("x", 2).unwrap_err().to_string(),
            "\"x\" is not an amount; write it such as 12.50"
        );
    }

    #[test]
    fn amounts_are_shown_as_they_are_read() {
        for (minor, decimals, text) in [
            (1250, 2, "12.50"),
            (5, 2, "0.05"),
            (-5, 2, "-0.05"),
            (0, 2, "0.00"),
            (1250, 0, "1250"),
        ] {
            assert_eq!(show(minor, decimals), text);
        }
    }

    #[test]
    fn a_count_stands_before_the_star() {
        assert_eq!(quantity_and_code("3*MUG"), (3000, "MUG"));
        assert_eq!(quantity_and_code("0.250 * 2000001"), (250, "2000001"));
        assert_eq!(quantity_and_code("A*B"), (0, "A*B"));
        assert_eq!(quantity_and_code("4006381333931"), (0, "4006381333931"));
    }
}
