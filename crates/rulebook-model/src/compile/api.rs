//! Converts a whole parsed definition to the model. [`lower_definition`] calls the steps of this conversion in order.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::builtin_type::builtin_type_warnings;
use super::function::FunctionRef;
use super::lowering::Lowering;
use super::module_parts::group_by_module;
use super::schemas::Schemas;
use crate::definition::JsonNode;
use crate::definition::dialect_spec::{RULES, TREE};
use crate::definition::parsed::Definition;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::envelope::Envelopes;
use crate::format::Formats;
use crate::model::{Api, EnvelopeName};
use crate::settings::settings;
use crate::span::Spanned;
use crate::types::{Type, Types};

/// The result of [`lower_definition`].
#[derive(Debug)]
pub struct LoweredDefinition {
    /// The model of the API, without the parts of the definition that have errors. Use the model only if `diagnostics`
    /// is empty.
    pub api: Api,
    /// The program's functions that the definition refers to by name.
    /// [`unknown_function_errors`](super::unknown_function_errors) checks that the program has them.
    pub function_refs: Vec<Spanned<FunctionRef>>,
    /// All errors that were found after parsing, unsorted.
    pub diagnostics: Vec<Diagnostic>,
    /// The warnings, with which the API can be served nevertheless.
    pub warnings: Vec<Diagnostic>,
}

/// Returns the types that a definition can use: the types of the program, and the built-in types unless the definition
/// disables them. A type of the program replaces a built-in type with the same name.
pub fn type_table(definition: &Definition, program_types: impl IntoIterator<Item = Arc<dyn Type>>) -> Types {
    let setting = definition.app.value("types").and_then(|types| types.member("default")).and_then(JsonNode::bool);
    let has_builtin = setting.is_none_or(|on| on.value);
    let mut types = if has_builtin { Types::builtin() } else { Types::empty() };
    for program_type in program_types {
        types.add(program_type);
    }
    types
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

/// Checks a parsed definition and converts it to the model. The caller gets `types` from [`type_table`].
///
/// ```
/// use rulebook_model::compile::{ResponseRegistry, lower_definition, type_table};
///
/// let text = br#"{ "/": { "ping": { "GET": { "info": "Check that the server is running" } } } }"#;
/// let loaded = rulebook_model::definition::read(vec![("api/ping.json".into(), text.to_vec())]);
/// let types = type_table(&loaded.definition, []);
/// let lowered = lower_definition(&loaded.definition, &types, &ResponseRegistry::default());
/// assert!(lowered.diagnostics.is_empty());
/// assert_eq!(lowered.api.modules[0].services[0].methods[0].id, "ping.get");
/// ```
#[must_use]
pub fn lower_definition<'a>(
    definition: &'a Definition,
    types: &'a Types,
    responses: &'a ResponseRegistry,
) -> LoweredDefinition {
    let mut lowering = Lowering {
        types,
        responses,
        timezone: TimeZone::UTC,
        default_envelope: responses.envelopes.get(EnvelopeName::default().as_str()).cloned(),
        allows_jsonp_by_default: false,
        has_invalid_base: false,
        default_rate_limits: Vec::new(),
        dialect: &TREE,
        compiled_types: HashMap::new(),
        schemas: Schemas::default(),
        function_refs: Vec::new(),
        diagnostics: Vec::new(),
    };
    let mut api = Api {
        envelope: lowering.default_envelope.clone().unwrap_or_default(),
        span: definition.app.span,
        ..Api::default()
    };
    for setting in settings() {
        if let Some(value) = definition.app.value(setting.key.name) {
            (setting.lower)(&mut lowering, value, &mut api);
        }
    }
    lowering.declare_schemas(definition);
    lowering.compile_schemas();
    api.schemas = lowering.schemas_of(None);
    lowering.dialect = if definition.app.has_common_rules { &RULES } else { &TREE };
    let common = lowering.lower_common_parameters(&definition.app.common);
    api.modules =
        group_by_module(&definition.modules).iter().map(|parts| lowering.lower_module(parts, &common)).collect();
    let base = (!lowering.has_invalid_base).then(|| api.base.clone());
    lowering.check_collisions(&api.modules, base.as_deref());
    api.modules.sort_by(|a, b| a.name.cmp(&b.name));
    lowering.check_service_names(&api);
    let mut warnings = missing_settings(definition, &api);
    warnings.extend(builtin_type_warnings(definition, types));
    LoweredDefinition { api, function_refs: lowering.function_refs, diagnostics: lowering.diagnostics, warnings }
}

/// Returns warnings about settings that are missing in `app.json`, but on which clients of PhalApi rely.
fn missing_settings(definition: &Definition, api: &Api) -> Vec<Diagnostic> {
    let Some(class) = definition.modules.iter().find(|module| module.spec.name == RULES.name) else {
        return Vec::new();
    };
    let warning = |message: String, help: &str| {
        Diagnostic::new(DiagnosticCode::MissingSetting, class.span, message).help(help).into_warning()
    };
    let mut warnings = Vec::new();
    if definition.app.value("service").is_none() {
        let message = format!("clients cannot name the services of `{}`, as they do in PhalApi", class.name.value);
        let help = "add `\"service\": { \"on\": true }` to `app.json`, or `false` if clients use paths only";
        warnings.push(warning(message, help));
    }
    let envelope = class.envelope.as_ref().map(|name| name.value.as_str());
    let default = api.envelope.as_str();
    if let Some(envelope) = envelope.filter(|name| definition.app.value("envelope").is_none() && *name != default) {
        let message = format!("errors for paths that do not exist have the envelope `{default}`, not `{envelope}`");
        warnings.push(warning(message, &format!("set `envelope` in `app.json`: `\"envelope\": \"{envelope}\"`")));
    }
    warnings
}
