//! The results as a Markdown table.

use std::fmt::Write;

use super::Settings;
use super::statistics::{Summary, ratios, summary};
use crate::cases::{Aim, Case};

/// Maximum time in milliseconds to start with [`MANY`] services.
const START_AIM: f64 = 500.0;

/// The number of services for which [`START_AIM`] applies.
const MANY: usize = 10_000;

/// A case and its rounds.
pub struct Row {
    pub case: Case,
    hand: Vec<f64>,
    rulebook: Vec<f64>,
}

impl Row {
    /// Creates a row without results.
    pub fn new(case: Case) -> Self {
        Self { case, hand: Vec::new(), rulebook: Vec::new() }
    }

    /// Adds the requests per second of a round.
    pub fn push(&mut self, hand: f64, rulebook: f64) {
        self.hand.push(hand);
        self.rulebook.push(rulebook);
    }
}

/// Returns the table and the notes below it.
pub fn markdown(rows: &[Row], started: &[(usize, f64)], settings: &Settings) -> String {
    let mut cells =
        vec![["case", "by hand, req/s", "rulebook, req/s", "ratio", "min to max", "aim", "reached"].map(str::to_owned)];
    cells.extend(rows.iter().filter_map(|row| line(row, rows)));

    let mut text = aligned(&cells);
    let _ = write!(
        text,
        "\nMedians of {} rounds of {} s with {} connections. The ratio is that of rulebook's requests per second to those of \
         the server written by hand, in the same round. Each server has one worker on one core; the load runs on another \
         core.\n",
        settings.rounds, settings.seconds, settings.connections
    );
    if !started.is_empty() {
        text.push_str("\nTime from reading the definition to a server that is ready:\n\n");
    }
    for (services, milliseconds) in started {
        let _ = write!(text, "- {} services: {milliseconds:.0} ms", grouped(*services));
        if *services == MANY {
            let reached = if *milliseconds < START_AIM { "reached" } else { "missed" };
            let _ = write!(text, "; aim: below {START_AIM:.0} ms, {reached}");
        }
        text.push('\n');
    }
    text
}

fn line(row: &Row, rows: &[Row]) -> Option<[String; 7]> {
    let ratio = ratios(&row.rulebook, &row.hand)?;
    let (aim, reached) = match row.case.aim() {
        Aim::Ratio(aim) => (format!("≥ {aim:.2}"), verdict(ratio.median >= aim)),
        Aim::Of(other, aim) => {
            let measured =
                rows.iter().find(|row| row.case == other).and_then(|other| ratios(&row.rulebook, &other.rulebook));
            let reached = match measured {
                Some(Summary { median, .. }) => format!("{} ({median:.2})", verdict(median >= aim)),
                None => "not measured".to_owned(),
            };
            (format!("≥ {aim:.2} of {}", other.title()), reached)
        }
    };
    Some([
        row.case.title().to_owned(),
        whole(summary(row.hand.iter().copied())?.median),
        whole(summary(row.rulebook.iter().copied())?.median),
        format!("{:.2}", ratio.median),
        format!("{:.2} to {:.2}", ratio.min, ratio.max),
        aim,
        reached,
    ])
}

fn verdict(reached: bool) -> String {
    if reached { "yes" } else { "no" }.to_owned()
}

/// Formats requests per second without a fraction.
fn whole(number: f64) -> String {
    let digits = format!("{number:.0}");
    digits.parse().map_or(digits, grouped)
}

/// Formats a number with commas between groups of three digits.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats rows of cells, of which the first is the head. Columns are as wide as their widest cell, and those of
/// numbers are aligned to the right.
fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            let _ = match column {
                1..=3 => write!(text, "| {cell:>width$} "),
                _ => write!(text, "| {cell:<width$} "),
            };
        }
        text.push_str("|\n");
        if index == 0 {
            for (column, width) in widths.into_iter().enumerate() {
                let _ = match column {
                    1..=3 => write!(text, "| {}: ", "-".repeat(width - 1)),
                    _ => write!(text, "| {} ", "-".repeat(width)),
                };
            }
            text.push_str("|\n");
        }
    }
    text
}
