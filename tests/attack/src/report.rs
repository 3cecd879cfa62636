//! The tables with the results.

use std::fmt::{self, Write as _};

use crate::rows::Row;

/// The result of a row.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The name of the row.
    pub name: &'static str,
    /// What the row does.
    pub about: &'static str,
    /// The measured figures, in the order of the columns of the table.
    pub figures: Vec<String>,
    /// The aims that the server misses, each as a sentence with the figure.
    pub misses: Vec<String>,
}

impl Outcome {
    /// Returns the result of a row.
    pub fn new(row: &Row, figures: Vec<String>, misses: Vec<String>) -> Self {
        Self { name: row.name, about: row.about, figures, misses }
    }
}

/// A table of results.
#[derive(Default)]
pub struct Table {
    /// The title.
    pub title: &'static str,
    /// The aims that the server must reach, and how the figures are measured.
    pub text: String,
    /// The headings of the columns with figures.
    pub headings: &'static [&'static str],
    /// The results, a row each.
    pub outcomes: Vec<Outcome>,
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut heading = vec!["row", "what it does"];
        heading.extend(self.headings);
        heading.push("reached");
        let mut rows = vec![heading.into_iter().map(str::to_owned).collect::<Vec<_>>()];
        for outcome in &self.outcomes {
            let mut row = vec![outcome.name.to_owned(), outcome.about.to_owned()];
            row.extend(outcome.figures.iter().cloned());
            row.resize(self.headings.len() + 2, "-".to_owned());
            row.push(if outcome.misses.is_empty() { "yes" } else { "no" }.to_owned());
            rows.push(row);
        }
        writeln!(formatter, "## {}\n\n{}\n{}", self.title, format_table(&rows), self.text)?;
        for outcome in &self.outcomes {
            for miss in &outcome.misses {
                writeln!(formatter, "\nmissed by `{}`: {miss}", outcome.name)?;
            }
        }
        Ok(())
    }
}

/// Formats rows of cells as a Markdown table. The first row contains the headings.
fn format_table(rows: &[Vec<String>]) -> String {
    let count = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0).max(3);
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(text, "| {cell:<width$} ");
        }
        text.push_str("|\n");
        if index == 0 {
            for width in &widths {
                let _ = write!(text, "| {} ", "-".repeat(*width));
            }
            text.push_str("|\n");
        }
    }
    text
}
