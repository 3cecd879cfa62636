//! Converts one parameter from the parsed definition to the model: its key, name, type, default and example. Reports
//! functions that a definition names and a program has not registered.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Display;

use http::header::HeaderName;
use serde_json::Value as Json;

use super::type_expr::TypeOwner;
use super::{Lowering, path};
use crate::call::{TypeMismatch, TypeMismatchDetails, Value};
use crate::definition::parsed;
use crate::definition::parsed::TypeSpec;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{LOCATION_PREFIXES, Location, Parameter, ParameterType, WHOLE_BODY_KEY, default_parameter_name};
use crate::span::{Span, Spanned};
use crate::types::{Check, Functions, after_function_names, callback_function_name};

/// A parameter that was converted to the model. If it has errors, its valid fields are used to check other parameters.
#[derive(Debug, Clone)]
pub(super) struct LoweredParameter {
    /// The parsed key, which says which part of a request contains the parameter; `None` if the key has an error.
    pub key: Option<ParameterKey>,
    /// The key as it is in the definition.
    pub key_text: String,
    /// The span of the key in the definition.
    pub span: Span,
    /// The name of the parameter in the code of handlers.
    pub name: String,
    /// The span of the key `name`, which sets the name in code. If there is no key `name`, the span of the parameter's
    /// key.
    pub name_span: Span,
    /// `true` if the method inherits the parameter from the common parameters.
    pub is_inherited: bool,
    /// The parameter in the model; `None` if the parameter has an error.
    pub parameter: Option<Parameter>,
}

impl Lowering<'_> {
    pub(super) fn lower_parameter(&mut self, parameter: &parsed::Field) -> LoweredParameter {
        let before = self.diagnostics.len();
        let key_text = parameter.key.value.as_str();
        let subject = format_args!("the parameter `{}`", key_text.escape_debug());
        let span = parameter.key.span;

        let key = self.parse_parameter_key(&parameter.key);
        let (name, name_span) = match &parameter.name {
            Some(name) => (name.value.clone(), name.span),
            None => (default_parameter_name(key_text).to_owned(), span),
        };
        // If the key has an error, the error has been reported. A name that is derived from the key would have the same
        // error.
        if key.is_some() || parameter.name.is_some() {
            self.check_name(&name, &subject, name_span);
        }
        let info = self.required_description(parameter.info.as_ref(), &subject, span, parameter.is_incomplete);
        let owner = TypeOwner { diagnostic_subject: &subject, name_span: span, is_incomplete: parameter.is_incomplete };
        let compiled = self.compile_type(&parameter.r#type, owner);
        let optional = self.is_marked_optional(parameter, &subject)
            || compiled.as_ref().is_some_and(|compiled| compiled.is_optional);
        // An optional parameter without a default is null if a request omits it.
        let allows_null =
            || compiled.as_ref().is_none_or(|compiled| decode_default(&Json::Null, &*compiled.check).is_ok());
        let default =
            parameter.default.as_ref().filter(|default| !(optional && default.value.is_null() && !allows_null()));
        let check = compiled.as_ref().map(|compiled| &*compiled.check);
        let default = default.map(|default| with_enum_word(default.clone(), check));
        let example = parameter.example.as_ref().map(|example| with_enum_word(example.clone(), check));
        let is_capture = matches!(&key, Some(key) if key.location == Location::Path);
        if is_capture {
            self.check_capture_is_required(parameter, &subject, optional);
        }
        if let Some(compiled) = &compiled {
            if let Some(default) = default.as_ref().filter(|_| !is_capture) {
                self.check_default(default, &*compiled.check, &subject);
            }
            if let Some(example) = &example {
                self.check_example(example, &*compiled.check, optional, &subject);
            }
        }

        let lowered = match (&key, compiled) {
            (Some(key), Some(compiled)) if self.diagnostics.len() == before => Some(Parameter {
                from: key.location,
                key: key.name.clone(),
                name: name.clone(),
                info,
                optional: optional || default.is_some(),
                r#type: ParameterType::new(compiled.check),
                default: default.map(|default| default.value),
                example: example.map(|example| example.value),
                message: parameter.message.as_ref().map(|message| message.value.clone()),
                is_entity_tag: false,
                span,
                type_span: parameter.r#type.term.as_ref().map_or(span, |term| term.span),
            }),
            _ => None,
        };
        LoweredParameter {
            key,
            key_text: key_text.to_owned(),
            span,
            name,
            name_span,
            is_inherited: false,
            parameter: lowered,
        }
    }

    /// Returns the value of the key `optional`. Reports `false` if the type begins with `?`, which means optional.
    fn is_marked_optional(&mut self, parameter: &parsed::Field, subject: &dyn Display) -> bool {
        let Some(optional) = &parameter.optional else { return false };
        let term = parameter.r#type.term.as_ref();
        if let Some(term) = term.filter(|term| term.value.starts_with('?') && !optional.value) {
            let message = format!("{subject} is both optional and required");
            let error = Diagnostic::new(DiagnosticCode::BadOption, optional.span, message).label("required");
            self.report(error.related(term.part(0, 1), "optional").help("remove `optional`, or the `?` of the type"));
        }
        optional.value
    }

    /// Reports an optional capture, because a request without the captured segment has another path.
    fn check_capture_is_required(&mut self, parameter: &parsed::Field, subject: &dyn Display, optional: bool) {
        let term = parameter.r#type.term.as_ref().filter(|_| optional);
        let span = match (term, &parameter.default) {
            (Some(term), _) => term.part(0, 1),
            (None, Some(default)) => default.span,
            (None, None) => return,
        };
        let message = format!("{subject} is a capture and must be required");
        let error = Diagnostic::new(DiagnosticCode::OptionalCapture, span, message)
            .label(if term.is_some() { "optional" } else { "a default makes it optional" })
            .help("remove the `?` and the default, or shorten the path and read the segment as the position `URL#0`");
        self.report(match (term, &parameter.default) {
            (Some(_), Some(default)) => error.related(default.span, "a default makes it optional too"),
            _ => error,
        });
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ParameterKey {
    /// The part of a request that contains the parameter. For a key without a prefix, this is [`Location::Body`], or
    /// [`Location::Any`] if requests of the method have no body.
    pub location: Location,
    /// The name of the parameter in that part of a request; empty for a positional parameter, which has a number
    /// instead, and for the whole body.
    pub name: String,
}

/// The key prefix of positional parameters (segments after the path of the service) that every dialect accepts.
const POSITION_PREFIX: &str = "URL#";
/// The maximum number of positional parameters of a method. A request target cannot hold more segments.
const MAX_POSITIONS: usize = 1_000;

impl Lowering<'_> {
    pub(super) fn parse_parameter_key(&mut self, key: &Spanned<String>) -> Option<ParameterKey> {
        let text = key.value.as_str();
        // The dialect's prefix of positional parameters must be followed by a digit, because a parameter's name may
        // also begin with the text of the prefix.
        let has_number = |rest: &&str| rest.starts_with(|first: char| first.is_ascii_digit());
        let dialect_position = || text.strip_prefix(self.dialect.position_prefix).filter(has_number);
        if let Some(number) = text.strip_prefix(POSITION_PREFIX).or_else(dialect_position) {
            return self.parse_position_key(number, key);
        }
        if text == WHOLE_BODY_KEY {
            return Some(ParameterKey { location: Location::WholeBody, name: String::new() });
        }
        if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            return self.parse_capture_key(name, key);
        }
        let (location, name) = LOCATION_PREFIXES
            .iter()
            .find_map(|(prefix, location)| Some((*location, text.strip_prefix(prefix)?)))
            .unwrap_or((
                if self.dialect.reads_unprefixed_keys_from_query { Location::Any } else { Location::Body },
                text,
            ));
        let name = match location {
            // The names of header fields are case-insensitive (RFC 9110 section 5.1), those of cookies are not.
            Location::Header => self.parse_token(name, key, "header", "RFC 9110 section 5.6.2")?.to_ascii_lowercase(),
            Location::Cookie => self.parse_token(name, key, "cookie", "RFC 6265 section 4.1.1")?.to_owned(),
            _ if name.is_empty() => {
                self.report(
                    Diagnostic::new(DiagnosticCode::BadName, key.span, "a parameter without a name")
                        .label("no name")
                        .help("a key is the parameter's name, or a prefix and the name: `title`, `GET@lang`"),
                );
                return None;
            }
            _ => name.to_owned(),
        };
        Some(ParameterKey { location, name })
    }

    /// Parses the key `{name}` of a parameter that a segment of the path captures.
    fn parse_capture_key(&mut self, name: &str, key: &Spanned<String>) -> Option<ParameterKey> {
        if path::is_capture_name(name) {
            return Some(ParameterKey { location: Location::Path, name: name.to_owned() });
        }
        let message = format!("`{}` is not a valid capture name", name.escape_debug());
        let error = Diagnostic::new(DiagnosticCode::BadName, key.span, message).label("invalid capture name");
        self.report(error.help(path::CAPTURE_NAME_RULE));
        None
    }

    /// Parses the key `URL#n`: the segment with the index `n`, from 0, after the path of the service.
    fn parse_position_key(&mut self, number: &str, key: &Spanned<String>) -> Option<ParameterKey> {
        let position = number
            .parse::<usize>()
            .ok()
            // A leading zero (`URL#01`) is rejected, so that two different keys never mean the same segment.
            .filter(|position| position.to_string() == number && *position < MAX_POSITIONS);
        if position.is_none() {
            let prefix = self.dialect.position_prefix;
            let message = format!("`{}` is not a valid position", key.value.escape_debug());
            self.report(
                Diagnostic::new(DiagnosticCode::BadPosition, key.span, message)
                    .label(format!("expected `{prefix}` and a number"))
                    .help(format!("positions are numbered from 0: `{prefix}0`, `{prefix}1`")),
            );
        }
        position.map(|position| ParameterKey { location: Location::Position(position), name: String::new() })
    }

    /// Checks the name of a header field, or of a cookie, which may contain the same characters. `noun` and `section`
    /// describe it in the error message.
    fn parse_token<'n>(&mut self, name: &'n str, key: &Spanned<String>, noun: &str, section: &str) -> Option<&'n str> {
        if HeaderName::from_bytes(name.as_bytes()).is_ok() {
            return Some(name);
        }
        let message = format!("`{}` is not a valid {noun} name", name.escape_debug());
        let error = Diagnostic::new(DiagnosticCode::BadName, key.span, message).label(format!("invalid {noun} name"));
        self.report(error.help(format!("a {noun} name has letters, digits and any of !#$%&'*+-.^_`|~ ({section})")));
        None
    }
}

impl Lowering<'_> {
    /// Reports a default that is not a valid value. `subject` is the noun phrase for the parameter in the error
    /// message.
    pub(super) fn check_default(&mut self, default: &Spanned<Json>, check: &dyn Check, subject: &dyn Display) {
        if let Err(mismatch) = decode_default(&default.value, check) {
            let error = Diagnostic::new(
                DiagnosticCode::BadDefault,
                default.span,
                format!("the default of {subject} is not a valid value of its type"),
            )
            .label(mismatch_label(&mismatch));
            self.report(match default.value {
                Json::Null => error.help(
                    "remove `default`, and write `?` before the type: a parameter that may be omitted is null then",
                ),
                _ => error.help("change the default or the type"),
            });
        }
    }

    /// Reports an example that is not a valid value. If `optional` is `true`, the example may be null.
    pub(super) fn check_example(
        &mut self,
        example: &Spanned<Json>,
        check: &dyn Check,
        optional: bool,
        subject: &dyn Display,
    ) {
        if optional && example.value.is_null() {
            return;
        }
        if let Err(mismatch) = check.checked(Value::from(&example.value)) {
            let message = format!("the example of {subject} is not a valid value of its type");
            self.report(
                Diagnostic::new(DiagnosticCode::BadExample, example.span, message)
                    .label(mismatch_label(&mismatch))
                    .help("change the example or the type; an example is written as in JSON"),
            );
        }
    }
}

/// Converts a number to the word of an `enum` that has the same text: the words of `"range": [1, 2]` are `1` and `2`.
/// `check` is `None` if the type has an error.
pub(super) fn with_enum_word(mut written: Spanned<Json>, check: Option<&dyn Check>) -> Spanned<Json> {
    if let (Json::Number(number), Some(check)) = (&written.value, check) {
        let word = Json::String(number.to_string());
        if is_enum_word(&word, check) {
            written.value = word;
        }
    }
    written
}

fn is_enum_word(word: &Json, check: &dyn Check) -> bool {
    let schema = check.schema();
    if schema.get("$ref").is_some() {
        return check.referenced_schemas().iter().any(|schema| is_enum_word(word, &*schema.check));
    }
    schema.get("enum").and_then(Json::as_array).is_some_and(|words| words.contains(word))
}

/// Converts the default of a parameter from the definition to a value, and checks this value. A JSON string is decoded
/// like the text of a query parameter.
///
/// # Errors
/// Returns the error of a default that is not a valid value of the type.
pub fn decode_default<'a>(default: &'a Json, check: &dyn Check) -> Result<Value<'a>, TypeMismatch> {
    check.checked(match default {
        Json::String(text) => check.decode(Cow::Borrowed(text)),
        other => Value::from(other),
    })
}

fn mismatch_label(mismatch: &TypeMismatch) -> String {
    let TypeMismatchDetails { expected, got, path: at, .. } = &**mismatch;
    if at.is_empty() {
        format!("expected {expected}, got {got}")
    } else {
        format!("expected {expected} at `{at}`, got {got}")
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct FunctionRef {
    name: String,
    /// `true` if the name can also be the name of a PHP function that rulebook implements itself.
    allows_builtin: bool,
}

impl Lowering<'_> {
    /// Collects the functions that the attributes of a type name, for [`unknown_function_errors`].
    pub(super) fn collect_function_refs(&mut self, spec: &TypeSpec) {
        for (key, value) in spec.attributes.iter().chain(&spec.parts) {
            let attribute = key.value.rsplit('.').next().unwrap_or_default();
            let (names, allows_builtin) = match attribute {
                "callback" => (callback_function_name(&value.value).into_iter().collect(), false),
                "after" => (after_function_names(&value.value).unwrap_or_default(), true),
                _ => continue,
            };
            let reference = |name| Spanned::new(FunctionRef { name, allows_builtin }, value.span);
            self.function_refs.extend(names.into_iter().map(reference));
        }
    }
}

pub(super) fn unknown_function_errors(references: &[Spanned<FunctionRef>], functions: &Functions) -> Vec<Diagnostic> {
    let mut seen = HashSet::new();
    let is_missing = |reference: &&Spanned<FunctionRef>| {
        let FunctionRef { name, allows_builtin } = &reference.value;
        !functions.contains(name, *allows_builtin)
    };
    let unique = references.iter().filter(is_missing).filter(|reference| {
        let span = reference.span;
        seen.insert((&reference.value, span.file, span.start, span.end))
    });
    unique.map(|reference| unknown_function_error(reference, functions)).collect()
}

fn unknown_function_error(reference: &Spanned<FunctionRef>, functions: &Functions) -> Diagnostic {
    let FunctionRef { name, allows_builtin } = &reference.value;
    let quoted = name.escape_debug();
    let builtin = Functions::builtin_names_and_descriptions().map(|(name, _)| name).filter(|_| *allows_builtin);
    Diagnostic::new(DiagnosticCode::UnknownCallable, reference.span, format!("this program has no function `{quoted}`"))
        .label("unknown function")
        .help(format!("add it to the program: `Rulebook::callable(\"{quoted}\", |value, params| …)`"))
        .suggest(name, functions.custom_names().chain(builtin))
}
