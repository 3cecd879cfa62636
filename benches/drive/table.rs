//! What was measured, as a table in markdown.

use std::fmt::Write;

use super::Settings;
use super::statistics::{Summary, ratios, summary};
use crate::cases::{Aim, Case};

/// Milliseconds that the start with [`MANY`] services may take.
const START_AIM: f64 = 500.0;

/// So many services are many.
const MANY: usize = 10_000;

/// A case and its rounds.
pub struct Row {
    pub case: Case,
    hand: Vec<f64>,
    ours: Vec<f64>,
}

impl Row {
    /// A case that has not been measured.
    pub fn new(case: Case) -> Self {
        Self { case, hand: Vec::new(), ours: Vec::new() }
    }

    /// Adds the requests per second of a round.
    pub fn push(&mut self, hand: f64, ours: f64) {
        self.hand.push(hand);
        self.ours.push(ours);
    }
}

/// The table, and what there is to say beside it.
pub fn markdown(rows: &[Row], started: &[(usize, f64)], settings: &Settings) -> String {
    let mut cells =
        vec![["case", "by hand, req/s", "rulebook, req/s", "ratio", "min to max", "aim", "reached"].map(str::to_owned)];
    cells.extend(rows.iter().filter_map(|row| line(row, rows)));

    let mut text = aligned(&cells);
    let _ = write!(
        text,
        "\nMedians of {} rounds of {} s over {} connections, in turns; the ratio is rulebook's requests per second \
         to those of the server written by hand in the same round. One worker each, on one core; the load is on another.\n",
        settings.rounds, settings.seconds, settings.connections
    );
    if !started.is_empty() {
        text.push_str("\nWhat rulebook needs from the definition's text to a server that can answer:\n\n");
    }
    for (services, milliseconds) in started {
        let _ = write!(text, "- {} services: {milliseconds:.0} ms", grouped(*services));
        if *services == MANY {
            let reached = if *milliseconds < START_AIM { "reached" } else { "missed" };
            let _ = write!(text, ", aim: below {START_AIM:.0} ms, {reached}");
        }
        text.push('\n');
    }
    text
}

fn line(row: &Row, rows: &[Row]) -> Option<[String; 7]> {
    let ratio = ratios(&row.ours, &row.hand)?;
    let (aim, reached) = match row.case.aim() {
        Aim::Ratio(aim) => (format!("≥ {aim:.2}"), verdict(ratio.median >= aim)),
        Aim::Of(other, aim) => {
            let measured = rows.iter().find(|row| row.case == other).and_then(|other| ratios(&row.ours, &other.ours));
            let reached = match measured {
                Some(Summary { median, .. }) => format!("{} ({median:.2})", verdict(median >= aim)),
                None => "that was not measured".to_owned(),
            };
            (format!("≥ {aim:.2} of {}", other.title()), reached)
        }
    };
    Some([
        row.case.title().to_owned(),
        whole(summary(row.hand.iter().copied())?.median),
        whole(summary(row.ours.iter().copied())?.median),
        format!("{:.2}", ratio.median),
        format!("{:.2} to {:.2}", ratio.min, ratio.max),
        aim,
        reached,
    ])
}

fn verdict(reached: bool) -> String {
    if reached { "yes" } else { "no" }.to_owned()
}

/// Requests per second without a fraction.
fn whole(number: f64) -> String {
    let digits = format!("{number:.0}");
    digits.parse().map_or(digits, grouped)
}

/// With commas between thousands.
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

/// Rows of cells, the first being the head, with columns as wide as their widest cell; numbers to the right.
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
