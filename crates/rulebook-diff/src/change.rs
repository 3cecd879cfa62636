//! The changes between two definitions, what they mean for clients, and reports of them for people, programs and pull
//! requests.

use std::fmt::{self, Write};

use rulebook_model::diagnostic::Sources;
use rulebook_model::model::Method;
use rulebook_model::span::Span;
use serde_json::{Value as Json, json};
use strum::{Display, IntoStaticStr, VariantArray};

/// What a change means for clients that were written for the old definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Display, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Level {
    /// All requests and responses of the old definition are possible under the new one, too.
    Compatible,
    /// The change can break clients, or it is not known whether it does.
    Risky,
    /// A request that the old definition allows is refused, or a response is not as the old documents describe it.
    Breaking,
}

/// A kind of change. Its name, such as `parameter-narrowed`, never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Display, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
#[allow(missing_docs, reason = "`describe` contains a sentence for each kind")]
pub enum ChangeKind {
    VersionRemoved,
    VersionAdded,
    MethodRemoved,
    EndedMethodRemoved,
    MethodAdded,
    MethodRenamed,
    MethodOverrides,
    MethodDeprecated,
    DeprecationRemoved,
    MethodEnded,
    SunsetSet,
    SunsetPostponed,
    ParameterRemoved,
    ParameterRefused,
    ParameterAdded,
    RequiredParameterAdded,
    ParameterRequired,
    ParameterOptional,
    ParameterNarrowed,
    ParameterWidened,
    ParameterChanged,
    BodyChanged,
    DefaultChanged,
    ConstraintAdded,
    ConstraintChanged,
    ConstraintRemoved,
    OutputRemoved,
    OptionalOutputRemoved,
    OutputAdded,
    OutputOptional,
    OutputRequired,
    OutputWidened,
    OutputNarrowed,
    OutputChanged,
    StatusAdded,
    StatusRemoved,
    ErrorAdded,
    ErrorRemoved,
    ErrorStatusChanged,
    ErrorNumberChanged,
    DownloadChanged,
    EntityTagRemoved,
    ScopeTightened,
    ScopeWidened,
    IdempotencyKeyRequired,
    IdempotencyKeyRemoved,
    JsonpRemoved,
    RateLimitLowered,
    RateLimitRaised,
    EnvelopeChanged,
    BaseChanged,
    FormatRemoved,
    AuthenticatorRemoved,
    LimitLowered,
    LimitRaised,
    SettingChanged,
}

impl ChangeKind {
    /// Returns all kinds of changes.
    #[must_use]
    pub fn all() -> &'static [Self] {
        Self::VARIANTS
    }

    /// Returns the level of the change, and the reason for it.
    #[must_use]
    pub fn describe(self) -> (Level, &'static str) {
        use Level::{Breaking, Compatible, Risky};
        match self {
            Self::VersionRemoved => {
                (Breaking, "Requests that name the version get 404, or 400 if a header field names it.")
            }
            Self::VersionAdded => (Compatible, "No client names the version yet."),
            Self::MethodRemoved => (Breaking, "Requests to this path and HTTP method get 404 or 405."),
            Self::EndedMethodRemoved => (Compatible, "The sunset has passed: requests got 410, and get 404 or 405."),
            Self::MethodAdded => (Compatible, "No client calls the method yet."),
            Self::MethodRenamed => (
                Risky,
                "Requests are the same, but functions of generated clients and callers by name use the id of the method.",
            ),
            Self::MethodOverrides => (
                Risky,
                "Requests with this text in place of a capture were handled by the other method, and may get 405.",
            ),
            Self::MethodDeprecated => (Compatible, "The method works as before; documents advise against it."),
            Self::DeprecationRemoved => (Compatible, "The method works as before."),
            Self::MethodEnded => (Breaking, "Requests get 410."),
            Self::SunsetSet => (Risky, "The method works until this date, or an earlier one than before."),
            Self::SunsetPostponed => (Compatible, "The method works longer than was announced."),
            Self::ParameterRemoved => {
                (Risky, "The parameter is ignored, so that requests with it may mean something else.")
            }
            Self::ParameterRefused => {
                (Breaking, "Requests with the parameter are refused, because of `unknown` or of their longer path.")
            }
            Self::ParameterAdded => (Compatible, "Requests may omit the parameter."),
            Self::RequiredParameterAdded => (Breaking, "Requests without the parameter are refused."),
            Self::ParameterRequired => (Breaking, "Requests could omit the parameter, and are then refused."),
            Self::ParameterOptional => (Compatible, "Requests with the parameter are accepted as before."),
            Self::ParameterNarrowed => (Breaking, "A value that was accepted is refused."),
            Self::ParameterWidened => (Compatible, "Each value that was accepted is still accepted."),
            Self::ParameterChanged => {
                (Risky, "It is not known whether each value that was accepted is still accepted.")
            }
            Self::BodyChanged => (Risky, "Requests with a body of another media type get 415."),
            Self::DefaultChanged => (Risky, "Requests without the parameter mean something else."),
            Self::ConstraintAdded => (Breaking, "Parameters that were accepted together are refused."),
            Self::ConstraintChanged => {
                (Risky, "It is not known whether requests are refused because of the constraint.")
            }
            Self::ConstraintRemoved => (Compatible, "Requests that were accepted are still accepted."),
            Self::OutputRemoved => (Breaking, "Clients rely on an output that responses always had."),
            Self::OptionalOutputRemoved => (Risky, "Responses could omit the output, but clients may use it."),
            Self::OutputAdded => (Compatible, "Clients ignore outputs that they do not know."),
            Self::OutputOptional => (Breaking, "Responses always had the output, and may now omit it."),
            Self::OutputRequired => (Compatible, "Clients had to expect responses with the output."),
            Self::OutputWidened => (Breaking, "The output can have a value that it never had."),
            Self::OutputNarrowed => (Compatible, "The output could have each of its values before."),
            Self::OutputChanged => (Risky, "It is not known whether the output could have each of its values before."),
            Self::StatusAdded => (Breaking, "Successful responses can have a status that clients do not expect."),
            Self::StatusRemoved => (Compatible, "Clients had to expect the other statuses."),
            Self::ErrorAdded => (Risky, "Clients do not know the error."),
            Self::ErrorRemoved => (Compatible, "Clients handle an error that does not occur."),
            Self::ErrorStatusChanged => (Breaking, "Clients recognize the error by its status."),
            Self::ErrorNumberChanged => (Risky, "In the envelope `aicra`, clients recognize the error by its number."),
            Self::DownloadChanged => {
                (Breaking, "The method returns a file instead of outputs, or outputs instead of a file.")
            }
            Self::EntityTagRemoved => (Risky, "Responses have no entity tag, which conditional requests need."),
            Self::ScopeTightened => {
                (Breaking, "Callers with these permissions could call the method, and get 403 or 401.")
            }
            Self::ScopeWidened => (Compatible, "Everybody who could call the method still can."),
            Self::IdempotencyKeyRequired => (Breaking, "Requests without the header field are refused."),
            Self::IdempotencyKeyRemoved => (Risky, "A request that is sent again is handled again."),
            Self::JsonpRemoved => (Breaking, "Scripts of other sites cannot load the response."),
            Self::RateLimitLowered => (Risky, "Clients that send many requests get 429."),
            Self::RateLimitRaised => (Compatible, "Clients may send more requests."),
            Self::EnvelopeChanged => (Breaking, "The outputs and errors are at another place of the body."),
            Self::BaseChanged => (Breaking, "All paths begin with another prefix, so that requests get 404."),
            Self::FormatRemoved => (Breaking, "Responses in this format cannot be requested."),
            Self::AuthenticatorRemoved => (Breaking, "Credentials of this kind are not accepted."),
            Self::LimitLowered => (Risky, "Requests beyond the limit are refused."),
            Self::LimitRaised => (Compatible, "Requests within the old limit are accepted as before."),
            Self::SettingChanged => (Risky, "The effect on clients depends on the setting."),
        }
    }

    /// Returns the level of the change.
    #[must_use]
    pub fn level(self) -> Level {
        self.describe().0
    }
}

/// A difference between two definitions.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// The kind of the change.
    pub kind: ChangeKind,
    /// The version of the API that has changed; `None` for requests that name no version.
    pub version: Option<String>,
    /// The HTTP method and the path, such as `GET /article/{id}`; `None` if the change concerns the whole API.
    pub method: Option<String>,
    /// The id of the method in the old definition or, if it has none, in the new one.
    pub method_id: Option<String>,
    /// The name in requests of the parameter that has changed.
    pub parameter: Option<String>,
    /// What has changed, as a sentence without a period.
    pub message: String,
    /// A request or a response that shows the change.
    pub witness: Option<Json>,
    /// The position in the old definition.
    pub old: Option<Span>,
    /// The position in the new definition.
    pub new: Option<Span>,
}

/// Writes the method, what has changed and the kind in one line, and the example in another one.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.version.iter().try_for_each(|version| write!(f, "version {version}, "))?;
        write!(f, "{}: {} [{}]", self.method.as_deref().unwrap_or("the API"), self.message, self.kind)?;
        self.witness_in_short().iter().try_for_each(|witness| write!(f, "\n    example: {witness}"))
    }
}

/// The maximum number of characters of a witness in texts. JSON reports contain it as a whole.
const MAX_WITNESS_LEN: usize = 400;

impl Change {
    pub(crate) fn new(kind: ChangeKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            version: None,
            method: None,
            method_id: None,
            parameter: None,
            message: message.into(),
            witness: None,
            old: None,
            new: None,
        }
    }

    pub(crate) fn witness(self, witness: impl Into<Option<Json>>) -> Self {
        Self { witness: witness.into(), ..self }
    }

    pub(crate) fn at(self, old: impl Into<Option<Span>>, new: impl Into<Option<Span>>) -> Self {
        Self { old: old.into(), new: new.into(), ..self }
    }

    pub(crate) fn witness_in_short(&self) -> Option<String> {
        let text = self.witness.as_ref()?.to_string();
        Some(match text.char_indices().nth(MAX_WITNESS_LEN) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        })
    }

    /// Sets the positions that are not set.
    pub(crate) fn or_at(self, old: Span, new: Span) -> Self {
        Self { old: self.old.or(Some(old)), new: self.new.or(Some(new)), ..self }
    }

    pub(crate) fn of_parameter(self, name: &str) -> Self {
        Self { parameter: Some(name.to_owned()), ..self }
    }

    /// Sets the method, unless it is set.
    pub(crate) fn in_method(self, name: &str, method: &Method) -> Self {
        let id = self.method_id.unwrap_or_else(|| method.id.clone());
        Self { method: Some(name.to_owned()), method_id: Some(id), ..self }
    }
}

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
