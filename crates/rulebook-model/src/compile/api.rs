//! Checks a whole parsed definition, and converts it to the model. [`check_definition`] calls the steps in order.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::deprecation::past_sunset_warnings;
use super::function::unknown_function_errors;
use super::inherited::InheritedValue;
use super::lowering::Lowering;
use super::module_parts::group_by_module;
use super::schemas::Schemas;
use super::warnings::{builtin_type_warnings, foreign_notations, missing_settings};
use crate::definition::dialect_spec::{RULES, TREE};
use crate::definition::parsed::Definition;
use crate::definition::{JsonNode, LoadedDefinition};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Report, Sources};
use crate::envelope::Envelopes;
use crate::format::Formats;
use crate::model::{Api, DEFAULT_HANDLER, EnvelopeName, VersionPart};
use crate::settings::{Setting, settings};
use crate::span::Span;
use crate::types::{Functions, Type, Types};

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

/// Checks a parsed definition as [`check_definition`] does, and returns the errors beside what has none.
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
