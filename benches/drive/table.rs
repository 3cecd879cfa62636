//! Formats the results of the benchmark as a Markdown table.

use std::fmt::Write;

use super::Settings;
use super::statistics::{Summary, summarize, summarize_ratios};
use crate::cases::{Case, Goal};

/// The goal for the start of the rulebook server with [`START_GOAL_SERVICES`] services: the maximum time in
/// milliseconds.
const START_GOAL: f64 = 500.0;

/// The number of services for which [`START_GOAL`] applies.
const START_GOAL_SERVICES: usize = 10_000;

/// The results of a case: for each round, the requests per second of both servers.
pub struct CaseRow {
    pub case: Case,
    hand: Vec<f64>,
    rulebook: Vec<f64>,
}

impl CaseRow {
    /// Creates a row without any rounds.
    pub fn new(case: Case) -> Self {
        Self { case, hand: Vec::new(), rulebook: Vec::new() }
    }

    /// Adds a round: the requests per second of the hand-written server and of rulebook.
    pub fn push_round(&mut self, hand: f64, rulebook: f64) {
        self.hand.push(hand);
        self.rulebook.push(rulebook);
    }
}

/// Returns the table of results, and the notes below the table.
pub fn to_markdown(rows: &[CaseRow], started: &[(usize, f64)], settings: &Settings) -> String {
    let mut cells =
        vec![["case", "by hand, req/s", "rulebook, req/s", "ratio", "min to max", "aim", "reached"].map(str::to_owned)];
    cells.extend(rows.iter().filter_map(|row| table_cells(row, rows)));

    let mut text = format_table(&cells);
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
        let _ = write!(text, "- {} services: {milliseconds:.0} ms", group_digits(*services));
        if *services == START_GOAL_SERVICES {
            let reached = if *milliseconds < START_GOAL { "reached" } else { "missed" };
            let _ = write!(text, "; aim: below {START_GOAL:.0} ms, {reached}");
        }
        text.push('\n');
    }
    text
}

fn table_cells(row: &CaseRow, rows: &[CaseRow]) -> Option<[String; 7]> {
    let ratio = summarize_ratios(&row.rulebook, &row.hand)?;
    let (goal, reached) = match row.case.goal() {
        Goal::RatioToOtherServer(goal) => (format!("≥ {goal:.2}"), yes_or_no(ratio.median >= goal)),
        Goal::RatioToCase(other, goal) => {
            let measured = rows
                .iter()
                .find(|row| row.case == other)
                .and_then(|other| summarize_ratios(&row.rulebook, &other.rulebook));
            let reached = match measured {
                Some(Summary { median, .. }) => format!("{} ({median:.2})", yes_or_no(median >= goal)),
                None => "not measured".to_owned(),
            };
            (format!("≥ {goal:.2} of {}", other.title()), reached)
        }
    };
    Some([
        row.case.title().to_owned(),
        format_without_fraction(summarize(row.hand.iter().copied())?.median),
        format_without_fraction(summarize(row.rulebook.iter().copied())?.median),
        format!("{:.2}", ratio.median),
        format!("{:.2} to {:.2}", ratio.min, ratio.max),
        goal,
        reached,
    ])
}

fn yes_or_no(reached: bool) -> String {
    if reached { "yes" } else { "no" }.to_owned()
}

/// Formats a number without its fraction, and with commas between groups of three digits.
fn format_without_fraction(number: f64) -> String {
    let digits = format!("{number:.0}");
    digits.parse().map_or(digits, group_digits)
}

/// Formats an integer with commas between groups of three digits.
fn group_digits(number: usize) -> String {
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

/// Formats rows of cells as a Markdown table. The first row contains the headings. Each column is as wide as its widest
/// cell. Columns with numbers are aligned to the right.
fn format_table<const N: usize>(rows: &[[String; N]]) -> String {
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
