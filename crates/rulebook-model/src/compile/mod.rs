//! Compiles a parsed definition to the model. This conversion is called lowering, as in other compilers.
//!
//! The function [`check_definition`] finds the types and permissions that the definition names, checks the API as a
//! whole (paths, captures, positional parameters, names) and returns the model.
//!
//! All errors are collected; an error that is only a consequence of another error is omitted. This Rust module does not
//! read the text of the definition files. It depends on their dialects (the notations of definition files) only through
//! [`DialectSpec`].

mod collision;
mod method;
mod module;
mod output;
mod parameter;
pub(crate) mod path;
mod schemas;
mod scope;
mod type_expr;
mod warnings;

pub(crate) use output::split_template;
pub use parameter::decode_default;

use std::collections::HashMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::definition::dialect_spec::{DialectSpec, RULES, TREE};
use crate::definition::parsed::{Definition, NestedType, PermissionGroups};
use crate::definition::{
    CheckedObject, DialectReader, JsonData, JsonMember, JsonNode, LoadedDefinition, parsed, wrong_kind_error,
};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Report, Sources};
use crate::envelope::Envelopes;
use crate::format::Formats;
use crate::model::{
    Api, CLAIMS, COMBINE, DEFAULT_HANDLER, DeclaredClaim, DeclaredClaims, DefinedAuth, DefinedHandler, DefinedHandlers,
    EnvelopeName, ParameterType, RateLimit, VersionPart,
};
use crate::settings::{Setting, settings};
use crate::span::{Span, Spanned};
use crate::types::{CompiledTerm, Functions, Type, Types};
use method::past_sunset_warnings;
use module::group_by_module;
use parameter::{FunctionRef, LoweredParameter, unknown_function_errors};
use schemas::Schemas;
use type_expr::TypeOwner;
use warnings::{builtin_type_warnings, foreign_notations, missing_settings};

/// The settings whose readers report variables that are not set: the kinds of handlers and authenticators, and the code
/// that opens the services at these addresses, which the model contains as they are written.
const CHECKED_BY_READERS: [&str; 5] = ["handlers", "auth", "key_storage", "idempotency_storage", "traces"];

/// The types, envelopes, response formats and functions that a program adds to the built-in ones.
#[derive(Default)]
pub struct ProgramExtensions {
    /// The types of the program. A type with the name of a built-in type replaces the built-in type.
    pub types: Vec<Arc<dyn Type>>,
    /// The envelopes and response formats: the built-in ones and those of the program.
    pub responses: ResponseRegistry,
    /// The functions that the type attributes `callback` and `after` can name.
    pub functions: Functions,
    /// `true` if environment variables in the settings are not replaced, because the definition is from another
    /// machine.
    pub keeps_variables: bool,
}

/// The envelopes and response formats that a definition can use. The default contains the built-in ones.
///
/// An envelope is the JSON structure of responses; a format, such as XML, is the syntax in which they are written.
#[derive(Debug, Clone, Default)]
pub struct ResponseRegistry {
    /// The envelopes that a definition can name.
    pub envelopes: Envelopes,
    /// The formats that a definition can name, besides JSON.
    pub formats: Formats,
}

/// A definition that was checked. Functions of the program may be missing.
#[derive(Debug)]
pub struct CheckedDefinition {
    /// The errors, and the files that are not read, which can be their cause. If there are errors, `api` contains only
    /// what could be compiled: no more than handlers can be checked with it.
    pub errors: Vec<Diagnostic>,
    /// The spans of the methods with errors; `None` if no handler can be checked, because settings have errors.
    pub failed_methods: Option<Vec<Span>>,
    /// The values that methods have from elsewhere.
    pub inherited: Vec<InheritedValue>,
    /// The model of the API that the definition describes.
    pub api: Api,
    /// The texts of the definition files, which diagnostics of later steps quote.
    pub sources: Sources,
    /// The warnings, with which the API can be served nevertheless.
    pub warnings: Vec<Diagnostic>,
    /// An error for each function that the definition names but the program has not registered. If there is one, the
    /// API can be described in documents, but not served.
    pub unknown_function_errors: Vec<Diagnostic>,
    /// The environment variables that are not set, each with the name of the setting that contains it. Those in
    /// `handlers` and `auth` are reported by the code that reads these settings.
    pub unset_variables: Vec<(&'static str, Diagnostic)>,
}

/// Checks a parsed definition and converts it to the model.
///
/// # Errors
/// Returns the errors of all files of the definition.
pub fn check_definition(loaded: LoadedDefinition, extensions: ProgramExtensions) -> Result<CheckedDefinition, Report> {
    let checked = check_definition_parts(loaded, extensions);
    if checked.errors.is_empty() { Ok(checked) } else { Err(Report::new(checked.sources, checked.errors)) }
}

/// Checks a parsed definition as [`check_definition`] does, and returns the errors, and also the parts without errors.
#[must_use]
pub fn check_definition_parts(loaded: LoadedDefinition, extensions: ProgramExtensions) -> CheckedDefinition {
    let LoadedDefinition { sources, mut definition, mut versions, mut diagnostics, mut warnings, folder } = loaded;
    let ProgramExtensions { types, responses, functions, keeps_variables } = extensions;
    if !keeps_variables {
        let settings = versions.iter_mut().chain([&mut definition]).flat_map(|definition| &mut definition.app.settings);
        settings.for_each(|member| member.value.expand_variables());
    }
    let types = known_types(&definition, types).with_functions(functions.clone());
    let (mut parts, mut failed_methods, written_errors) = (Vec::new(), Vec::new(), diagnostics.len());
    for version in &versions {
        let mut lowering = new_lowering(&types, &responses);
        let Api { modules, schemas, .. } = lowering.lower_definition(version);
        parts.push(VersionPart { modules, schemas });
        let new = lowering.diagnostics.into_iter().filter(|error| !diagnostics.contains(error)).collect::<Vec<_>>();
        diagnostics.extend(new);
        failed_methods.extend(lowering.failed_methods);
    }
    let mut lowering = new_lowering(&types, &responses);
    let mut api = lowering.lower_definition(&definition);
    api.project = project_folder(&folder);
    // The successor of a method can be in another version.
    lowering.check_successors(&api);
    lowering.check_version_paths(&api);
    // What is wrong in each version is reported as the versions have it.
    if diagnostics.len() == written_errors {
        diagnostics.append(&mut lowering.diagnostics);
    }
    if diagnostics.is_empty() {
        warnings.extend(missing_settings(&definition, &api));
        warnings.extend(builtin_type_warnings(&definition, &types));
        warnings.extend(foreign_notations(&definition));
        warnings.extend(past_sunset_warnings(&api, Timestamp::now()));
    } else {
        // A file that is not read can be the cause of errors.
        diagnostics.append(&mut warnings);
    }
    if let Some(versions) = &mut api.versions {
        versions.parts = parts;
    }
    let unknown_function_errors = unknown_function_errors(&lowering.function_refs, &functions);
    let unset_variables = std::mem::take(&mut lowering.unset_variables);
    failed_methods.append(&mut lowering.failed_methods);
    CheckedDefinition {
        errors: diagnostics,
        failed_methods: (!definition.app.is_incomplete).then_some(failed_methods),
        inherited: std::mem::take(&mut lowering.inherited),
        api,
        sources,
        warnings,
        unknown_function_errors,
        unset_variables,
    }
}

fn new_lowering<'a>(types: &'a Types, responses: &'a ResponseRegistry) -> Lowering<'a> {
    Lowering {
        types,
        responses,
        timezone: TimeZone::UTC,
        default_envelope: responses.envelopes.get(EnvelopeName::default().as_str()).cloned(),
        allows_jsonp_by_default: false,
        has_invalid_base: false,
        default_rate_limits: Vec::new(),
        default_scope: None,
        requires_scope: false,
        dialect: &TREE,
        defaults: Vec::new(),
        handlers: None,
        inherited: Vec::new(),
        failed_types: 0,
        failed_methods: Vec::new(),
        compiled_types: HashMap::new(),
        schemas: Schemas::default(),
        function_refs: Vec::new(),
        diagnostics: Vec::new(),
        unset_variables: Vec::new(),
    }
}

/// Returns the folder in which relative paths of the settings begin: the one that contains the folder of the
/// definition. A definition in the working directory, whose path is `.`, is not in a folder of a project: it is the
/// folder itself.
fn project_folder(definition: &Path) -> PathBuf {
    match definition.file_name() {
        Some(_) => definition.parent().unwrap_or(definition).to_owned(),
        None => definition.to_owned(),
    }
}

/// Returns the types of the program, and the built-in types unless the definition disables them.
fn known_types(definition: &Definition, program_types: Vec<Arc<dyn Type>>) -> Types {
    let setting = definition.app.value("types").and_then(|types| types.member("default")).and_then(JsonNode::bool);
    let has_builtin = setting.is_none_or(|on| on.value);
    let mut types = if has_builtin { Types::builtin() } else { Types::empty() };
    for program_type in program_types {
        types.add(program_type);
    }
    types
}

impl<'a> Lowering<'a> {
    fn lower_definition(&mut self, definition: &'a Definition) -> Api {
        let mut api = Api {
            envelope: self.default_envelope.clone().unwrap_or_default(),
            span: definition.app.span,
            ..Api::default()
        };
        for setting in settings() {
            if let Some(value) = definition.app.value(setting.key.name) {
                self.lower_setting(setting, value, &mut api);
            }
        }
        // The omitted setting may be the scope.
        self.requires_scope &= !definition.app.is_incomplete;
        self.handlers = definition.app.value("handlers");
        let defaults = ["rate_limit", "scope"].map(|key| Some((key, definition.app.value(key)?.span)));
        let handler = self.handlers.and_then(|handlers| Some(("handler", handlers.member(DEFAULT_HANDLER)?.span)));
        self.defaults = defaults.into_iter().chain([handler]).flatten().collect();
        self.declare_schemas(definition);
        self.compile_schemas();
        api.schemas = self.schemas_of(None);
        api.claims = api.auth.iter().flat_map(|auth| self.lower_claims(auth)).collect();
        self.dialect = if definition.app.has_common_rules { &RULES } else { &TREE };
        let common = self.lower_common_parameters(&definition.app.common);
        api.modules = group_by_module(&definition.modules).map(|parts| self.lower_module(&parts, &common)).collect();
        let base = (!self.has_invalid_base).then(|| api.base.clone());
        self.check_collisions(&api.modules, base.as_deref());
        api.modules.sort_by(|a, b| a.name.cmp(&b.name));
        self.check_service_names(&api);
        api
    }

    /// Checks a setting and stores it in the model. What is reported about a text whose variables are not set concerns
    /// the names of the variables, so it is omitted.
    fn lower_setting(&mut self, setting: &Setting, value: &JsonNode, api: &mut Api) {
        let name = setting.key.name;
        if value.has_variables() {
            api.written_settings.insert(name.to_owned(), value.written_json());
        }
        let mut errors = if CHECKED_BY_READERS.contains(&name) { Vec::new() } else { value.variable_errors() };
        if let Some(url) = value.member("url").filter(|_| name == "shared_limits") {
            errors.retain(|(_, span)| *span != url.span);
        }
        let before = self.diagnostics.len();
        (setting.lower)(self, value, api);
        if errors.is_empty() {
            return;
        }
        let reported = self.diagnostics.split_off(before).into_iter();
        self.diagnostics.extend(reported.filter(|error| !errors.iter().any(|(_, text)| text.contains(error.span))));
        for (error, span) in errors {
            let diagnostic = error.diagnostic(DiagnosticCode::BadOption, span);
            match error.is_unset {
                true => self.unset_variables.push((name, diagnostic)),
                false => self.report(diagnostic),
            }
        }
    }
}

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
    function_refs: Vec<Spanned<FunctionRef>>,
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
    fn report_once(&mut self, diagnostic: Diagnostic) {
        let range = |span: Span| (span.file, span.start, span.end);
        let is_same = |other: &Diagnostic| other.code == diagnostic.code && range(other.span) == range(diagnostic.span);
        if !self.diagnostics.iter().any(is_same) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Returns the description that `subject`, such as "the method `GET`", must have. Reports a missing or blank one,
    /// and returns an empty string. If `is_incomplete` is `true`, the parser may have omitted an erroneous description.
    fn required_description(
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
    fn check_name(&mut self, name: &str, subject: &dyn Display, span: Span) {
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
        self.report(error.label(format!("`{key}` is missing")).help_if_some(help));
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
        let label = format!("expected {} to {}", range.start(), range.end());
        let error = Diagnostic::new(DiagnosticCode::BadOption, number.span, message).label(label);
        self.report(error.help_if_some(help));
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
fn without_unused_capacity<T>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut list = Vec::with_capacity(items.size_hint().1.unwrap_or_default());
    list.extend(items);
    list.shrink_to_fit();
    list
}

/// A value that a method has from elsewhere, such as a default of its module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InheritedValue {
    /// The span of the method in the model.
    pub method: Span,
    /// The key of the value, such as `scope` or `in.lang`.
    pub key: String,
    /// The span of the value in the definition.
    pub from: Span,
}

impl Lowering<'_> {
    /// Records the defaults and the parameters that are not written in the method, and the settings of its kind of
    /// handler.
    fn record_inherited(&mut self, method: &parsed::Method, parameters: &[LoweredParameter]) {
        let is_written = |key: &str| match key {
            "scope" => method.scope.is_some(),
            "rate_limit" => method.options.rate_limit.is_some(),
            _ => method.handler.is_some(),
        };
        let defaults = self.defaults.iter().filter(|(key, _)| !is_written(key));
        let parameters = parameters.iter().filter(|parameter| !method.span.contains(parameter.span));
        let default_handler = || self.handlers.and_then(|handlers| handlers.member(DEFAULT_HANDLER));
        let handler = method.handler.as_ref().or_else(default_handler);
        let settings = match self.handlers.map(|handlers| &handlers.data) {
            Some(JsonData::Object(members)) => members.list.as_slice(),
            _ => &[],
        };
        let is_used = |kind: &str| handler.and_then(|handler: &JsonNode| handler.member(kind)).is_some();
        let settings = settings.iter().filter(|member| is_used(&member.key.value));
        let inherited = defaults
            .map(|(key, from)| ((*key).to_owned(), *from))
            .chain(parameters.map(|parameter| (format!("in.{}", parameter.key_text), parameter.span)))
            .chain(settings.map(|member| (format!("handlers.{}", member.key.value), member.value.span)));
        let method = method.http_method.span;
        self.inherited.extend(inherited.map(|(key, from)| InheritedValue { method, key, from }));
    }
}

impl Lowering<'_> {
    fn lower_handler(&mut self, node: &JsonNode) -> Option<DefinedHandler> {
        let settings = members(node);
        if settings.is_empty() {
            let error = Diagnostic::new(DiagnosticCode::BadHandler, node.span, "`handler` has no kind");
            self.report(error.help("name a kind of handler and its setting: `\"handler\": {\"value\": {\"id\": 5}}`"));
            return None;
        }
        Some(DefinedHandler { settings, span: node.span })
    }

    pub(crate) fn lower_handlers(&mut self, node: &JsonNode) -> Option<DefinedHandlers> {
        let mut kinds = members(node);
        let default = kinds.iter().position(|member| member.key.value == DEFAULT_HANDLER);
        let default = default.map(|index| kinds.remove(index));
        let default = default.and_then(|default| self.lower_handler(&default.value));
        Some(DefinedHandlers { default, kinds, span: node.span })
    }

    pub(crate) fn lower_auth(&mut self, node: &JsonNode) -> Option<DefinedAuth> {
        // The parser has reported values that are not objects.
        let JsonData::Object(members) = &node.data else { return None };
        let mut combine = true;
        let mut kinds = Vec::new();
        for member in members.list.iter().filter(|member| !member.is_comment()) {
            match (&*member.key.value, &member.value.data) {
                (COMBINE, JsonData::Bool(value)) => combine = *value,
                (COMBINE, _) => {
                    let message =
                        format!("`{COMBINE}` must be true or false, but this is {}", member.value.describe_kind());
                    let error = Diagnostic::new(DiagnosticCode::BadAuth, member.value.span, message);
                    self.report(error.help(
                        "with `false`, the first authenticator that accepts a credential determines all permissions",
                    ));
                }
                _ => kinds.push(member.clone()),
            }
        }
        // An empty object accepts no credentials.
        let is_empty = members.list.iter().all(JsonMember::is_comment);
        if kinds.is_empty() && !is_empty && !members.is_incomplete {
            let error = Diagnostic::new(DiagnosticCode::BadAuth, node.span, "`auth` has no kind of authenticator");
            self.report(error.help("name at least one: `\"auth\": {\"keys\": {}}` accepts the keys of this server"));
            return None;
        }
        Some(DefinedAuth { combine, kinds, span: node.span })
    }

    /// Compiles the types of the claims that authenticators declare.
    fn lower_claims(&mut self, auth: &DefinedAuth) -> Vec<DeclaredClaims> {
        let mut declared = Vec::new();
        for settings in auth.kinds.iter().flat_map(DefinedAuth::settings_of) {
            let Some(node) = settings.member(CLAIMS) else { continue };
            let JsonData::Object(_) = &node.data else {
                let error = wrong_kind_error("`claims`", "an object", node);
                self.report(error.help("write the names of claims with their types: `{\"tenant\": \"string\"}`"));
                continue;
            };
            let claims = members(node).iter().filter_map(|member| self.lower_claim(member)).collect();
            declared.push(DeclaredClaims { claims, span: settings.span });
        }
        declared
    }

    fn lower_claim(&mut self, JsonMember { key, value }: &JsonMember) -> Option<DeclaredClaim> {
        let mut reader = DialectReader { spec: self.dialect, diagnostics: &mut self.diagnostics };
        let NestedType { r#type, is_incomplete, .. } = reader.read_nested_type(CLAIMS, None, value);
        let subject = format_args!("the claim `{}`", key.value.escape_debug());
        let owner = TypeOwner { diagnostic_subject: &subject, name_span: key.span, is_incomplete };
        let compiled = self.compile_type(&r#type?, owner)?;
        let (name, optional) = (key.value.clone(), compiled.is_optional);
        Some(DeclaredClaim { name, optional, r#type: ParameterType::new(compiled.check) })
    }
}

/// Returns the members of an object, without comments. The parser has reported other values.
fn members(node: &JsonNode) -> Vec<JsonMember> {
    match &node.data {
        JsonData::Object(members) => members.list.iter().filter(|member| !member.is_comment()).cloned().collect(),
        _ => Vec::new(),
    }
}
