//! Formats numbers, and tables in Markdown.

use std::fmt::Write;

/// Formats a number without its fraction, and with commas between groups of three digits.
pub fn format_without_fraction(number: f64) -> String {
    let digits = format!("{number:.0}");
    digits.parse().map_or(digits, group_digits)
}

/// Formats an integer with commas between groups of three digits.
pub fn group_digits(number: usize) -> String {
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
pub fn format_table<const N: usize>(rows: &[[String; N]]) -> String {
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
