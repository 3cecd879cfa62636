//! The state while a definition is lowered, that is, converted from the parsed definition to the model.

use std::collections::HashMap;
use std::fmt::Display;
use std::ops::RangeInclusive;

use jiff::tz::TimeZone;

use super::api::ResponseRegistry;
use super::function::FunctionRef;
use super::inherited::InheritedValue;
use super::schemas::Schemas;
use crate::definition::dialect_spec::DialectSpec;
use crate::definition::parsed::PermissionGroups;
use crate::definition::{CheckedObject, JsonNode};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{EnvelopeName, RateLimit};
use crate::span::{Span, Spanned};
use crate::types::{CompiledTerm, Types};

/// The state while a definition is lowered.
pub(crate) struct Lowering<'a> {
    /// The types that the definition can use.
    pub types: &'a Types,
    /// The envelopes and formats that the definition can use.
    pub responses: &'a ResponseRegistry,
    /// The time zone of dates and times without an offset.
    pub timezone: TimeZone,
    /// The envelope of API modules that do not set an envelope. `None` if the settings name an unknown envelope.
    pub default_envelope: Option<EnvelopeName>,
    /// `true` if the settings enable JSONP for all methods that do not set the option `jsonp`.
    pub allows_jsonp_by_default: bool,
    /// `true` if the settings have an invalid base path.
    pub has_invalid_base: bool,
    /// The limits of the number of requests to methods that set none: those of the API module that is being converted,
    /// otherwise those of the API.
    pub default_rate_limits: Vec<RateLimit>,
    /// The permissions of methods that name none: those of the API module that is being converted, otherwise those of
    /// the API.
    pub default_scope: Option<PermissionGroups>,
    /// `true` if methods that change data must have a scope.
    pub requires_scope: bool,
    /// The dialect (the notation of definition files) of the API module that is being converted.
    pub dialect: &'static DialectSpec,
    /// The types without fields that have been compiled, by their dialect, attributes (as JSON) and terms. Equal types
    /// share one check, because a large API uses the same few types in thousands of parameters.
    pub compiled_types: HashMap<(&'static str, String, String), CompiledTerm>,
    /// Where the values of methods that name none come from, by the keys of the values: those of the API, then those of
    /// the API module that is being converted.
    pub defaults: Vec<(&'static str, Span)>,
    /// The value of the setting `handlers`.
    pub handlers: Option<&'a JsonNode>,
    /// The values that methods have from elsewhere.
    pub inherited: Vec<InheritedValue>,
    /// The number of types with errors, and of uses of schemas with errors.
    pub failed_types: usize,
    /// The spans of the methods with errors.
    pub failed_methods: Vec<Span>,
    /// The schemas of the definition.
    pub schemas: Schemas<'a>,
    /// The references to functions of the program in the parts of the definition that have been converted.
    pub(super) function_refs: Vec<Spanned<FunctionRef>>,
    /// The errors that have been reported.
    pub diagnostics: Vec<Diagnostic>,
    /// The environment variables that are not set, each with the name of the setting that contains it.
    pub unset_variables: Vec<(&'static str, Diagnostic)>,
}

impl Lowering<'_> {
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Reports an error unless one with the same code and span has been reported, because a common parameter is checked
    /// with every method that inherits it.
    pub(super) fn report_once(&mut self, diagnostic: Diagnostic) {
        let range = |span: Span| (span.file, span.start, span.end);
        let is_same = |other: &Diagnostic| other.code == diagnostic.code && range(other.span) == range(diagnostic.span);
        if !self.diagnostics.iter().any(is_same) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Returns the description that `subject`, such as "the method `GET`", must have. Reports a missing or blank one,
    /// and returns an empty string. If `is_incomplete` is `true`, the parser may have omitted an erroneous description.
    pub(super) fn required_description(
        &mut self,
        info: Option<&Spanned<String>>,
        subject: &dyn Display,
        span: Span,
        is_incomplete: bool,
    ) -> String {
        let key = self.dialect.info_key;
        match info {
            Some(info) if !info.value.trim().is_empty() => return info.value.clone(),
            Some(blank) => self.report(
                Diagnostic::new(DiagnosticCode::MissingInfo, blank.span, format!("the `{key}` of {subject} is blank"))
                    .label("blank")
                    .help("describe it in a few words, for the documents"),
            ),
            None if is_incomplete => {}
            None => self.report(
                Diagnostic::new(DiagnosticCode::MissingInfo, span, format!("{subject} has no `{key}`"))
                    .label(format!("`{key}` is missing"))
                    .help(format!("describe it in a few words, for the documents: `\"{key}\": \"…\"`")),
            ),
        }
        String::new()
    }

    /// Reports an invalid name. `subject` is the noun phrase for the named part in the error message: "a module".
    pub(super) fn check_name(&mut self, name: &str, subject: &dyn Display, span: Span) {
        let Some(problem) = name_problem(name) else { return };
        self.report(
            Diagnostic::new(DiagnosticCode::BadName, span, format!("the name of {subject} {problem}"))
                .label(problem)
                .help("a name needs at least one character, and cannot contain whitespace or control characters"),
        );
    }

    /// Reports that an object has no member `key`, unless the parser has reported an error in an omitted member.
    pub(crate) fn report_missing(&mut self, object: &CheckedObject<'_>, key: &str, message: &str, help: Option<&str>) {
        if object.is_incomplete {
            return;
        }
        let error = Diagnostic::new(DiagnosticCode::BadOption, object.span, message);
        let error = error.label(format!("`{key}` is missing"));
        self.report(match help {
            Some(help) => error.help(help),
            None => error,
        });
    }

    /// Returns a number in `range`. Reports another number.
    pub(crate) fn number_in<T: TryFrom<u64>>(
        &mut self,
        number: &Spanned<u64>,
        range: RangeInclusive<u64>,
        message: &str,
        help: Option<&str>,
    ) -> Option<T> {
        if range.contains(&number.value) {
            return T::try_from(number.value).ok();
        }
        let error = Diagnostic::new(DiagnosticCode::BadOption, number.span, message).label(format!(
            "expected {} to {}",
            range.start(),
            range.end()
        ));
        self.report(match help {
            Some(help) => error.help(help),
            None => error,
        });
        None
    }
}

/// Returns what is wrong with a name, as the predicate of a sentence, or `None` if the name is valid.
fn name_problem(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("is empty")
    } else if name.chars().any(char::is_control) {
        Some("contains a control character")
    } else if name.chars().any(char::is_whitespace) {
        Some("contains whitespace")
    } else {
        None
    }
}

/// Collects items without unused capacity, which would waste memory in the thousands of short lists of a model.
pub(super) fn without_unused_capacity<T>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut list = Vec::with_capacity(items.size_hint().1.unwrap_or_default());
    list.extend(items);
    list.shrink_to_fit();
    list
}
