//! The results of the benchmark as text: tables in Markdown, and which goals are reached.

use std::fmt::Write;

use super::statistics::{Summary, summarize, summarize_ratios};
use super::table::{format_table, format_without_fraction, group_digits};
use super::{Round, Settings};
use crate::cases::{Case, Goal};

/// The goal for the start of the rulebook server with [`START_GOAL_SERVICES`] services: the maximum time in
/// milliseconds.
const START_GOAL: f64 = 500.0;

/// The number of services for which [`START_GOAL`] applies.
const START_GOAL_SERVICES: usize = 10_000;

/// The rounds of a case, on both servers.
pub struct CaseRow {
    pub case: Case,
    hand: Vec<Round>,
    rulebook: Vec<Round>,
}

impl CaseRow {
    /// Creates a row without any rounds.
    pub fn new(case: Case) -> Self {
        Self { case, hand: Vec::new(), rulebook: Vec::new() }
    }

    /// Adds a round of the hand-written server and of rulebook.
    pub fn push_round(&mut self, hand: Round, rulebook: Round) {
        self.hand.push(hand);
        self.rulebook.push(rulebook);
    }

    /// Returns the title of the case, the two speeds, their ratio and the aim; `None` if the case was not measured.
    pub fn speed_cells(&self) -> Option<[String; 5]> {
        let ratio = ratio_of_speeds(&self.rulebook, &self.hand)?;
        let aim = match self.case.goal() {
            Goal::RatioToOtherServer(goal) => format!("≥ {goal:.2}"),
            Goal::RatioToCase(other, goal) => format!("≥ {goal:.2} of {}", other.title()),
        };
        Some([
            self.case.title().to_owned(),
            format_without_fraction(summarize(speeds(&self.hand))?.median),
            format_without_fraction(summarize(speeds(&self.rulebook))?.median),
            format!("{:.2}", ratio.median),
            aim,
        ])
    }
}

/// The text of the results, and whether all goals are reached.
pub struct Results {
    /// Tables and lists in Markdown.
    pub text: String,
    /// `false` if a goal is missed.
    pub all_reached: bool,
}

impl Default for Results {
    fn default() -> Self {
        Self { text: String::new(), all_reached: true }
    }
}

impl Results {
    /// Returns the tables of the requests per second and of the processor time.
    pub fn of_cases(rows: &[CaseRow], settings: &Settings) -> Self {
        let mut results = Self::default();
        let head = ["case", "by hand, req/s", "rulebook, req/s", "ratio", "min to max", "aim", "reached"];
        let mut cells = vec![head.map(str::to_owned)];
        cells.extend(rows.iter().filter_map(|row| results.speed_cells(row, rows)));
        results.text += &format_table(&cells);
        let _ = write!(
            results.text,
            "\nMedians of {} rounds of {} s with {} connections. The ratio is that of rulebook's requests per second to \
             those of the server written by hand, in the same round. Each server has one worker on one core; the load runs \
             on another core.\n\n",
            settings.rounds, settings.seconds, settings.connections
        );
        let head = ["user time per request", "by hand, µs", "rulebook, µs", "ratio", "min to max", "aim", "reached"];
        let mut cells = vec![head.map(str::to_owned)];
        cells.extend(
            rows.iter().filter(|row| row.case.has_processor_time()).filter_map(|row| results.processor_time_cells(row)),
        );
        results.text += &format_table(&cells);
        results.text += "\nThe time that a server spends in its own code, without that of the kernel: the total of the same \
                         rounds, divided by their requests. The kernel estimates how a process divides its time by \
                         samples, so that a single round varies by about a tenth.\n";
        results
    }

    /// Adds the times in milliseconds that rulebook needed to start, each with its number of services.
    pub fn add_starts(&mut self, started: &[(usize, f64)]) {
        if !started.is_empty() {
            self.add_text("\nTime from reading the definition to a server that is ready:\n\n");
        }
        for (services, milliseconds) in started {
            let measured = format!("- {} services: {milliseconds:.0} ms", group_digits(*services));
            if *services == START_GOAL_SERVICES {
                let measured = format!("{measured}; aim: below {START_GOAL:.0} ms");
                self.add_measured(&measured, *milliseconds < START_GOAL);
            } else {
                self.add_text(&(measured + "\n"));
            }
        }
    }

    /// Adds the cases that were not measured, each with the name of the program that is not installed.
    pub fn add_missing(&mut self, missing: &[(Case, Option<&str>)]) {
        for (case, program) in missing {
            let program = program.unwrap_or("a program");
            self.add_text(&format!("\nNot measured: {}, because {program} is not installed.\n", case.title()));
        }
    }

    /// Adds a text without a goal.
    pub fn add_text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a line with a measured value and its goal.
    pub fn add_measured(&mut self, line: &str, is_reached: bool) {
        let verdict = if is_reached { "reached" } else { "missed" };
        let _ = writeln!(self.text, "{line}, {verdict}");
        self.all_reached &= is_reached;
    }

    /// Adds other results at the end.
    pub fn append(&mut self, other: &Self) {
        self.text += &other.text;
        self.all_reached &= other.all_reached;
    }

    /// Returns the cells of a case in the table of the requests per second.
    fn speed_cells(&mut self, row: &CaseRow, rows: &[CaseRow]) -> Option<[String; 7]> {
        let ratio = ratio_of_speeds(&row.rulebook, &row.hand)?;
        let verdict = match row.case.goal() {
            Goal::RatioToOtherServer(goal) => self.verdict(ratio.median >= goal),
            Goal::RatioToCase(other, goal) => {
                let other_row = rows.iter().find(|row| row.case == other);
                let measured = other_row.and_then(|other_row| ratio_of_speeds(&row.rulebook, &other_row.rulebook));
                match measured {
                    Some(Summary { median, .. }) => format!("{} ({median:.2})", self.verdict(median >= goal)),
                    None => "not measured".to_owned(),
                }
            }
        };
        let [case, hand, rulebook, median, aim] = row.speed_cells()?;
        Some([case, hand, rulebook, median, format!("{:.2} to {:.2}", ratio.min, ratio.max), aim, verdict])
    }

    /// Returns the cells of a case in the table of the processor time.
    fn processor_time_cells(&mut self, row: &CaseRow) -> Option<[String; 7]> {
        let (hand, rulebook) = (total_user_time(&row.hand), total_user_time(&row.rulebook));
        let ratio = rulebook / hand;
        let of_rounds = summarize_ratios(&user_times(&row.rulebook), &user_times(&row.hand))?;
        let (goal, verdict) = match row.case.user_time_goal() {
            Some(goal) => (format!("≤ {goal:.2}"), self.verdict(ratio <= goal)),
            None => ("-".to_owned(), "-".to_owned()),
        };
        Some([
            row.case.title().to_owned(),
            format!("{hand:.2}"),
            format!("{rulebook:.2}"),
            format!("{ratio:.2}"),
            format!("{:.2} to {:.2}", of_rounds.min, of_rounds.max),
            goal,
            verdict,
        ])
    }

    /// Returns the word in the column `reached`, and remembers a missed goal.
    fn verdict(&mut self, is_reached: bool) -> String {
        self.all_reached &= is_reached;
        if is_reached { "yes" } else { "no" }.to_owned()
    }
}

fn speeds(rounds: &[Round]) -> Vec<f64> {
    rounds.iter().map(|round| round.requests_per_second).collect()
}

/// Returns the user time per request of all rounds together, in microseconds.
fn total_user_time(rounds: &[Round]) -> f64 {
    let total: f64 = rounds.iter().map(|round| round.processor_time.user * round.requests).sum();
    total / rounds.iter().map(|round| round.requests).sum::<f64>()
}

fn user_times(rounds: &[Round]) -> Vec<f64> {
    rounds.iter().map(|round| round.processor_time.user).collect()
}

fn ratio_of_speeds(rounds: &[Round], other_rounds: &[Round]) -> Option<Summary> {
    summarize_ratios(&speeds(rounds), &speeds(other_rounds))
}
