//! What the end of an exchange means for money.

use crate::link::Cause;
use crate::zvt::attempt::{Approval, Last};
use crate::zvt::machine::End;
use crate::zvt::words;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The money moved.
    Approved(Approval),
    /// The terminal says that it did not.
    Declined { code: u8, why: String },
    /// Surely nothing was begun; it may be tried again.
    NotSent { why: String },
    /// It may have moved or not. Ask the terminal before anything else; nothing is repeated and nothing taken back by itself.
    Unknown { cause: Cause, why: String },
}

/// `amount_minor` is what was asked for; a reversal takes whatever the payment was.
pub fn of(end: End, amount_minor: Option<i64>) -> Outcome {
    match end {
        End::Refused { code } => Outcome::NotSent {
            why: words::of_result(code).to_owned(),
        },
        End::Failed { code, why } => Outcome::Declined { code, why },
        End::Unclear { why } => unknown(why),
        // The completion alone says nothing.
        End::Completed { status: None } => unknown("the terminal ended without telling the result"),
        End::Completed { status: Some(status) } => match status.result {
            Some(0) => match Last::read(&status) {
                Ok(last) if amount_minor.is_some_and(|asked| asked != last.amount_minor) => {
                    unknown("the terminal approved another amount than it was asked for")
                }
                Ok(last) => Outcome::Approved(last.approval()),
                Err(lacks) => unknown(lacks.to_string()),
            },
            Some(code) => Outcome::Declined {
                code,
                why: words::of_result(code).to_owned(),
            },
            None => unknown("the terminal ended without telling the result"),
        },
    }
}

fn unknown(why: impl Into<String>) -> Outcome {
    Outcome::Unknown {
        cause: Cause::Device,
        why: why.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zvt::fields::Fields;

    fn status(result: Option<u8>) -> Fields {
        Fields {
            result,
            amount: Some(500),
            trace: Some(7),
            receipt: Some(3),
            ..Fields::default()
        }
    }

    fn completed(status: Option<Fields>) -> End {
        End::Completed {
            status: status.map(Box::new),
        }
    }

    #[test]
    fn only_a_whole_result_of_zero_for_the_asked_amount_is_an_approval() {
        assert!(matches!(of(completed(Some(status(Some(0)))), Some(500)), Outcome::Approved(approval) if approval.trace == 7));
        let no_trace = Fields {
            trace: None,
            ..status(Some(0))
        };
        for end in [completed(None), completed(Some(status(None))), completed(Some(no_trace))] {
            assert!(matches!(of(end, Some(500)), Outcome::Unknown { cause: Cause::Device, .. }));
        }
        assert!(matches!(of(completed(Some(status(Some(0)))), Some(501)), Outcome::Unknown { .. }));
        assert!(matches!(
            of(completed(Some(status(Some(0x6c)))), Some(500)),
            Outcome::Declined { code: 0x6c, .. }
        ));
    }
}
