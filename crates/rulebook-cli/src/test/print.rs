//! Prints the results of tests.

use std::io;
use std::path::Path;

use rulebook_model::diagnostic::Sources;
use rulebook_model::invisible::replace_invisible;
use rulebook_model::span::Span;
use rulebook_model::test_file::Test;
use rulebook_test::TestResponse;

use super::expect::shortened;
use super::run::Failed;
use crate::{Exit, output};

/// The maximum length in characters of a body that is shown.
const MAX_BODY: usize = 2_000;

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[1;31m";
const RESET: &str = "\x1b[0m";

pub(super) struct Printer<'s> {
    sources: &'s Sources,
    has_color: bool,
    count: usize,
    failed: usize,
}

impl<'s> Printer<'s> {
    pub(super) fn new(sources: &'s Sources) -> Self {
        Self { sources, has_color: output::has_color(&io::stdout()), count: 0, failed: 0 }
    }

    pub(super) fn begin_file(&self, path: &Path) {
        let _ = output::print_to_stdout(&format!("{}\n", replace_invisible(&path.display().to_string())));
    }

    /// Prints the result of a test; if the test has failed, with the response and the log of the failed step.
    pub(super) fn print_result(&mut self, test: &Test, result: Result<(), Box<Failed>>, log: &str) -> Result<(), Exit> {
        self.count += 1;
        let name = replace_invisible(&test.name.value);
        let text = match result {
            Ok(()) => format!("  {}  {name}\n", self.colored(GREEN, "ok  ")),
            Err(failed) => {
                self.failed += 1;
                format!("  {}  {name}\n{}", self.colored(RED, "FAIL"), self.describe(&failed, log))
            }
        };
        match output::print_to_stdout(&text) {
            Exit::Success => Ok(()),
            exit => Err(exit),
        }
    }

    fn describe(&self, failed: &Failed, log: &str) -> String {
        let mut lines: Vec<String> = Vec::new();
        for failure in &failed.failures {
            lines.push(format!("{}: {}", self.position(failure.span), failure.message));
        }
        if let Some(response) = &failed.response {
            lines.push(format!("{}: {}", failed.call, describe_response(response)));
        }
        lines.extend(log.lines().map(str::to_owned));
        lines.iter().map(|line| format!("        {}\n", replace_invisible(line))).collect()
    }

    /// Returns the position of a part of a test file, as editors read it: `tests/note.json:7:12`.
    fn position(&self, span: Span) -> String {
        self.sources.get(span.file).map_or_else(String::new, |source| {
            let position = source.locate(span);
            format!("{}:{}:{}", source.path.display(), position.line, position.column)
        })
    }

    fn colored(&self, color: &str, text: &str) -> String {
        if self.has_color { format!("{color}{text}{RESET}") } else { text.to_owned() }
    }

    /// Prints the number of tests, and returns the exit code.
    pub(super) fn finish(&self) -> Result<Exit, Exit> {
        let count = output::count_with_noun(self.count, "test");
        let text = match self.failed {
            0 => self.colored(GREEN, &format!("{count} passed")),
            failed => self.colored(RED, &format!("{count}, {failed} failed")),
        };
        match output::print_to_stdout(&format!("\n{text}\n")) {
            Exit::Success if self.failed > 0 => Err(Exit::ErrorsReported),
            exit => Ok(exit),
        }
    }
}

fn describe_response(response: &TestResponse) -> String {
    let body = match std::str::from_utf8(response.body()) {
        Ok(text) => shortened(text, MAX_BODY),
        Err(_) => output::count_with_noun(response.body().len(), "byte"),
    };
    format!("{} {body}", response.status()).trim_end().to_owned()
}
