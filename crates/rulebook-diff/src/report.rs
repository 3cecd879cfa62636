//! Writes changes for people, programs and pull requests.

use std::fmt::Write;

use rulebook_model::diagnostic::Sources;
use rulebook_model::span::Span;
use serde_json::{Value as Json, json};

use crate::change::{Change, Level};

/// The changes between two definitions, with the positions in their files.
#[derive(Debug)]
pub struct Report<'a> {
    /// The changes.
    pub changes: &'a [Change],
    /// The files of the old definition.
    pub old: &'a Sources,
    /// The files of the new definition.
    pub new: &'a Sources,
}

/// The levels in the order of reports.
const LEVELS: [Level; 3] = [Level::Breaking, Level::Risky, Level::Compatible];

impl Report<'_> {
    /// Returns the number of changes of a level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.changes.iter().filter(|change| change.kind.level() == level).count()
    }

    /// Returns the changes as text, beginning with those that break clients, and their numbers in the last line.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (level, change) in self.sorted() {
            let _ = writeln!(text, "{level}: {change}");
            let places = [("old", self.old, change.old), ("new", self.new, change.new)];
            for (name, sources, span) in places {
                if let Some((file, line, column)) = place(sources, span) {
                    let _ = writeln!(text, "    {name}: {file}:{line}:{column}");
                }
            }
        }
        text + &self.summary() + "\n"
    }

    /// Returns the changes as Markdown for a comment on a pull request.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = format!("**API: {}**\n", self.summary());
        if !self.changes.is_empty() {
            text.push_str("\n| level | method | change | example |\n| --- | --- | --- | --- |\n");
        }
        let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        for (level, change) in self.sorted() {
            let version = change.version.as_ref().map(|version| format!("version {version}: ")).unwrap_or_default();
            let method = change.method.as_ref().map(|method| format!("{version}`{method}`")).unwrap_or_default();
            let witness = change.witness_in_short().map(|witness| witness.replace('`', "\\u0060"));
            let witness = witness.map(|witness| format!("`{witness}`")).unwrap_or_default();
            let message = format!("{} (`{}`)", escape_outside_of_code(&change.message), change.kind);
            let _ = writeln!(text, "| {level} | {} | {} | {} |", cell(&method), cell(&message), cell(&witness));
        }
        text
    }

    /// Returns the changes as JSON: `changes`, each with `id`, `level`, `version`, `method`, `method_id`, `parameter`,
    /// `message`, `why`, `witness`, `old` and `new`, and the numbers of changes of each level.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let to_place = |sources: &Sources, span: Option<Span>| {
            place(sources, span).map(|(file, line, column)| json!({ "file": file, "line": line, "column": column }))
        };
        let to_json = |(level, change): (Level, &Change)| {
            let Change { kind, version, method, method_id, parameter, message, witness, old, new } = change;
            json!({
                "id": kind.to_string(),
                "level": level.to_string(),
                "version": version,
                "method": method,
                "method_id": method_id,
                "parameter": parameter,
                "message": message,
                "why": kind.describe().1,
                "witness": witness,
                "old": to_place(self.old, *old),
                "new": to_place(self.new, *new),
            })
        };
        let mut report = json!({ "changes": self.sorted().map(to_json).collect::<Vec<_>>() });
        for level in LEVELS {
            report[level.to_string()] = json!(self.count(level));
        }
        report
    }

    fn sorted(&self) -> impl Iterator<Item = (Level, &Change)> {
        let of_level = |level| self.changes.iter().filter(move |change| change.kind.level() == level);
        LEVELS.into_iter().flat_map(move |level| of_level(level).map(move |change| (level, change)))
    }

    fn summary(&self) -> String {
        if self.changes.is_empty() {
            return "no changes that clients can see".to_owned();
        }
        let counts = LEVELS.map(|level| (level, self.count(level)));
        let counts = counts.iter().filter(|(_, count)| *count > 0).map(|(level, count)| format!("{count} {level}"));
        counts.collect::<Vec<_>>().join(", ")
    }
}

/// Returns the file, the line and the column of a span, if the span has a file.
fn place(sources: &Sources, span: Option<Span>) -> Option<(String, usize, usize)> {
    let span = span?;
    let source = sources.get(span.file)?;
    let position = source.locate(span);
    Some((source.path.display().to_string(), position.line, position.column))
}

/// Escapes the characters that have a meaning in Markdown, except in the parts of a text that are code.
fn escape_outside_of_code(text: &str) -> String {
    let escape = |part: &str| {
        part.chars().fold(String::new(), |escaped, char| match char {
            '\\' | '*' | '_' | '<' | '>' | '[' | ']' | '~' | '&' | '@' => {
                escaped + "\\" + char.encode_utf8(&mut [0; 4])
            }
            char => escaped + char.encode_utf8(&mut [0; 4]),
        })
    };
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(index, part)| if index % 2 == 1 { part.to_owned() } else { escape(part) });
    parts.collect::<Vec<_>>().join("`")
}
