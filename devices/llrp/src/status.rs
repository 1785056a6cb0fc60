//! What a reader answers to a request: it was done, or why not and where exactly the request was wrong.

use std::fmt;

use crate::layout::{BodyError, Field, Level, Out, parameters};
use crate::parameter::ParameterError as WalkError;
use crate::report::ReportError;

/// A result by the standard's number. Numbers that it does not name are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusCode(pub u16);

impl StatusCode {
    pub const SUCCESS: Self = Self(0);
    pub const PARAMETER_ERROR: Self = Self(100);
    pub const FIELD_ERROR: Self = Self(101);
    pub const UNEXPECTED_PARAMETER: Self = Self(102);
    pub const MISSING_PARAMETER: Self = Self(103);
    pub const DUPLICATE_PARAMETER: Self = Self(104);
    pub const UNKNOWN_FIELD: Self = Self(108);
    pub const UNKNOWN_PARAMETER: Self = Self(107);
    pub const UNSUPPORTED_MESSAGE: Self = Self(109);
    pub const UNSUPPORTED_VERSION: Self = Self(110);
    pub const UNEXPECTED_MESSAGE: Self = Self(112);
    pub const INVALID: Self = Self(300);
    pub const OUT_OF_RANGE: Self = Self(301);
    pub const DEVICE_ERROR: Self = Self(401);

    /// The same complaint about something inside a parameter: those are numbered a hundred higher.
    fn in_parameter(self) -> Self {
        match self.0 {
            100..=108 => Self(self.0 + 100),
            _ => self,
        }
    }
}

impl Field for StatusCode {
    fn read(level: &mut Level<'_>) -> Result<Self, BodyError> {
        Ok(Self(Field::read(level)?))
    }

    fn write(&self, out: &mut Out) {
        self.0.write(out);
    }
}

#[cfg(test)]
impl crate::dice::Sample for StatusCode {
    fn sample(dice: &mut crate::dice::Dice<'_>) -> Self {
        Self(crate::dice::Sample::sample(dice))
    }
}

parameters! {
    LlrpStatus = 287 {
        code: StatusCode,
        /// In words of the reader's maker.
        description: String;
        field: maybe FieldError,
        parameter: maybe ParameterError,
    }

    FieldError = 288 {
        /// Counted from zero.
        field: u16,
        code: StatusCode,
    }

    /// Which parameter was wrong, and inside it which.
    ParameterError = 289 {
        kind: u16,
        code: StatusCode;
        field: maybe FieldError,
        parameter: maybe InnerParameterError,
    }
}

/// A [`ParameterError`] inside another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InnerParameterError(pub Box<ParameterError>);

impl crate::layout::Element for InnerParameterError {
    const KIND: u16 = 289;

    fn read(kind: u16, inside: &mut Level<'_>) -> Result<Self, BodyError> {
        crate::layout::Element::read(kind, inside).map(|error| Self(Box::new(error)))
    }

    fn write(&self, out: &mut Out) {
        crate::layout::Element::write(&*self.0, out);
    }
}

#[cfg(test)]
impl crate::dice::Sample for InnerParameterError {
    fn sample(dice: &mut crate::dice::Dice<'_>) -> Self {
        Self(Box::new(crate::dice::Sample::sample(dice)))
    }
}

impl LlrpStatus {
    pub fn success() -> Self {
        Self::failure(StatusCode::SUCCESS, "")
    }

    pub fn failure(code: StatusCode, description: &str) -> Self {
        Self {
            code,
            description: description.to_owned(),
            field: None,
            parameter: None,
        }
    }

    pub fn is_success(&self) -> bool {
        self.code == StatusCode::SUCCESS
    }
}

impl fmt::Display for LlrpStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_success() {
            return f.write_str("done");
        }
        write!(f, "status {}", self.code.0)?;
        if !self.description.is_empty() {
            write!(f, ", {}", self.description)?;
        }
        let mut inner = self.parameter.as_ref();
        if inner.is_some() {
            f.write_str(" (in parameter")?;
            while let Some(error) = inner {
                write!(f, " {}", error.kind)?;
                inner = error.parameter.as_ref().map(|inner| &*inner.0);
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

/// What a reader answers to a request it cannot read.
impl From<&BodyError> for LlrpStatus {
    fn from(wrong: &BodyError) -> Self {
        let (code, field, parameter) = complaint(wrong);
        Self {
            code,
            description: wrong.to_string(),
            field,
            parameter,
        }
    }
}

fn complaint(wrong: &BodyError) -> (StatusCode, Option<FieldError>, Option<ParameterError>) {
    let in_field = |field: u16, code: StatusCode| (StatusCode::FIELD_ERROR, Some(FieldError { field, code }), None);
    let in_parameter = |kind: u16, code: StatusCode| {
        let error = ParameterError {
            kind,
            code: code.in_parameter(),
            field: None,
            parameter: None,
        };
        (code, None, Some(error))
    };
    match wrong {
        BodyError::Inside { kind, why } => {
            let (code, field, parameter) = complaint(why);
            let error = ParameterError {
                kind: *kind,
                code: code.in_parameter(),
                field: field.map(|field| FieldError {
                    code: field.code.in_parameter(),
                    ..field
                }),
                parameter: parameter.map(|inner| InnerParameterError(Box::new(inner))),
            };
            (StatusCode::PARAMETER_ERROR, None, Some(error))
        }
        BodyError::Cut { field, .. } | BodyError::Text { field } | BodyError::Reserved { field } => {
            in_field(*field, StatusCode::FIELD_ERROR)
        }
        BodyError::Field { field, .. } => in_field(*field, StatusCode::UNKNOWN_FIELD),
        BodyError::Missing { kind } => in_parameter(*kind, StatusCode::MISSING_PARAMETER),
        BodyError::Twice { kind } => in_parameter(*kind, StatusCode::DUPLICATE_PARAMETER),
        BodyError::Unexpected { kind } => in_parameter(*kind, StatusCode::UNEXPECTED_PARAMETER),
        BodyError::Parameter(WalkError::UnknownTv { kind, .. }) => in_parameter(*kind, StatusCode::UNKNOWN_PARAMETER),
        BodyError::Parameter(_) | BodyError::TooDeep => (StatusCode::PARAMETER_ERROR, None, None),
        BodyError::Report(ReportError::Twice { kind }) => in_parameter(*kind, StatusCode::DUPLICATE_PARAMETER),
        BodyError::Report(_) => (StatusCode::PARAMETER_ERROR, None, None),
    }
}
