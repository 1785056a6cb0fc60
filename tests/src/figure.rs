//! A measured figure beside its limit: as one JSON object for programs, as a table for people.

use serde::Serialize;

/// One figure. `ratio` is value by baseline; `goal` says in words what the ratio or the value should be.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    pub baseline: Option<f64>,
    pub ratio: Option<f64>,
    pub goal: Option<String>,
    /// `None` for a raw baseline, which has no goal.
    pub ok: Option<bool>,
}

impl Figure {
    /// A limit of the machine, or a figure without a goal.
    pub fn raw(name: &str, value: f64, unit: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            value: rounded(value),
            unit,
            baseline: None,
            ratio: None,
            goal: None,
            ok: None,
        }
    }

    /// Should be at least so large a part of its baseline.
    pub fn at_least(name: &str, value: f64, unit: &'static str, baseline: f64, goal: f64) -> Self {
        let ratio = value / baseline;
        Self {
            baseline: Some(rounded(baseline)),
            ratio: Some(rounded(ratio)),
            goal: Some(format!("ratio >= {goal}")),
            ok: Some(ratio >= goal),
            ..Self::raw(name, value, unit)
        }
    }

    /// Should be at most so many times its baseline.
    pub fn at_most(name: &str, value: f64, unit: &'static str, baseline: f64, goal: f64) -> Self {
        let ratio = value / baseline;
        Self {
            baseline: Some(rounded(baseline)),
            ratio: Some(rounded(ratio)),
            goal: Some(format!("ratio <= {goal}")),
            ok: Some(ratio <= goal),
            ..Self::raw(name, value, unit)
        }
    }

    /// Should be exactly so much.
    pub fn exactly(name: &str, value: f64, unit: &'static str, goal: f64) -> Self {
        Self {
            goal: Some(format!("= {goal}")),
            ok: Some(value == goal),
            ..Self::raw(name, value, unit)
        }
    }

    /// On a machine that was disturbed no figure counts.
    pub fn disturbed(self) -> Self {
        Self {
            ok: self.ok.map(|_| false),
            goal: self.goal.map(|goal| format!("{goal} (machine disturbed)")),
            ..self
        }
    }
}

fn rounded(value: f64) -> f64 {
    let digits = match value.abs() {
        large if large >= 1_000.0 => 1.0,
        middle if middle >= 10.0 => 100.0,
        _ => 10_000.0,
    };
    (value * digits).round() / digits
}

/// One JSON object a line, or a table.
pub fn print(figures: &[Figure], json: bool) {
    if json {
        for figure in figures {
            println!("{}", serde_json::to_string(figure).unwrap_or_default());
        }
        return;
    }
    println!(
        "{:<34}{:>12} {:<9}{:>12}{:>9}  goal",
        "figure", "value", "unit", "baseline", "ratio"
    );
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    for figure in figures {
        let verdict = match figure.ok {
            Some(true) => "ok",
            Some(false) => "MISSED",
            None => "",
        };
        println!(
            "{:<34}{:>12} {:<9}{:>12}{:>9}  {} {verdict}",
            figure.name,
            figure.value,
            figure.unit,
            number(figure.baseline),
            number(figure.ratio),
            figure.goal.as_deref().unwrap_or_default(),
        );
    }
}
