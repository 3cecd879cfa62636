//! Writes the table of speeds to the README, between the comments `<!-- bench -->` and `<!-- /bench -->`.

use std::error::Error;
use std::fs;
use std::process::Command;

use super::results::CaseRow;
use super::table::format_table;
use crate::cases::Case;

/// The cases in the README.
pub const README_CASES: [Case; 4] = [Case::Ping, Case::Get, Case::Json, Case::Form];

const README: &str = "README.md";
const START: &str = "<!-- bench -->\n";
const END: &str = "<!-- /bench -->";

/// Replaces the table in the README with the measured values.
pub fn write_readme(rows: &[CaseRow], rounds: u32) -> Result<(), Box<dyn Error>> {
    let head = ["case", "by hand, requests/s", "rulebook, requests/s", "ratio"];
    let mut cells = vec![head.map(str::to_owned)];
    let speeds = rows.iter().filter_map(CaseRow::speed_cells);
    cells.extend(speeds.map(|[case, hand, rulebook, ratio, _]| [case, hand, rulebook, ratio]));
    let block = format!(
        "{}\nThe numbers are medians of {rounds} rounds. The ratio is the median of the ratios of the rounds, so it can \
         differ from the ratio of the numbers beside it. Measured on {} at commit {}, on one machine: the server on one \
         core, the client on another.\n",
        format_table(&cells),
        output_of("date", &["+%F"])?,
        output_of("git", &["describe", "--always", "--abbrev=8", "--dirty"])?
    );
    let readme = fs::read_to_string(README)?;
    let (before, rest) = readme.split_once(START).ok_or("README.md has no `<!-- bench -->`")?;
    let (_, after) = rest.split_once(END).ok_or("README.md has no `<!-- /bench -->`")?;
    fs::write(README, format!("{before}{START}{block}{END}{after}"))?;
    Ok(())
}

fn output_of(program: &str, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    let output = Command::new(program).args(arguments).output()?;
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}
