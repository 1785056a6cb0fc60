//! Amounts as Shopify writes them, `12.50`, in whole hundredths. Nothing else is taken: no sign, no exponent, no third decimal.

/// `None` for what is no amount.
pub fn hundredths(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = !whole.is_empty() && whole.len() <= 12 && part.len() <= 2 && digits(whole) && digits(part);
    if !fits {
        return None;
    }
    let part: i64 = format!("{part:0<2}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(part)
}

pub fn shown(hundredths: i64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_whole_hundredths_or_nothing() {
        assert_eq!(hundredths("12.5"), Some(1250));
        assert_eq!(hundredths("0.07"), Some(7));
        assert_eq!(hundredths("3"), Some(300));
        for wrong in ["", ".5", "-1", "1e3", "1.005", "1,50", "9999999999999"] {
            assert_eq!(hundredths(wrong), None, "{wrong:?}");
        }
        assert_eq!(shown(1205), "12.05");
    }
}
