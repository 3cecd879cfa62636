//! Converts a whole parsed definition to the model. [`lower`] calls every step of this, in order.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::function::FunctionRef;
use super::lower::Lowering;
use super::module_parts::group_parts;
use crate::definition::JsonNode;
use crate::definition::dialect_spec::{RULES, TREE};
use crate::definition::parsed::Definition;
use crate::diagnostic::Diagnostic;
use crate::envelope::Envelopes;
use crate::format::Formats;
use crate::model::{Api, EnvelopeName};
use crate::settings::SETTINGS;
use crate::span::Spanned;
use crate::types::{Type, Types};

/// The result of [`lower`].
#[derive(Debug)]
pub struct Lowered {
    /// The model of the API, without what is erroneous. Use it only if there are no diagnostics.
    pub api: Api,
    /// The functions that the definition refers to. When the definition is bound to a program,
    /// [`unknown_functions`](super::unknown_functions) checks that they exist.
    pub functions: Vec<Spanned<FunctionRef>>,
    /// Every error in the meaning of the definition, unsorted.
    pub diagnostics: Vec<Diagnostic>,
}

/// Returns the types that a definition can use: the built-in types, unless the definition switches them off, and the
/// types of the program, which replace built-in types of the same name.
pub fn type_table(definition: &Definition, program_types: impl IntoIterator<Item = Arc<dyn Type>>) -> Types {
    let setting = definition.app.value("types").and_then(|types| types.member("default")).and_then(JsonNode::bool);
    let has_builtin = setting.is_none_or(|on| on.value);
    let mut types = if has_builtin { Types::builtin() } else { Types::empty() };
    for program_type in program_types {
        types.add(program_type);
    }
    types
}

/// The envelopes and formats that a definition can use. By default, the built-in ones.
#[derive(Debug, Clone, Default)]
pub struct ResponseRegistry {
    /// The envelopes.
    pub envelopes: Envelopes,
    /// The formats besides JSON.
    pub formats: Formats,
}

/// Checks a parsed definition and makes its model. `types` come from [`type_table`].
///
/// ```
/// use rulebook_model::compile::{ResponseRegistry, lower, type_table};
///
/// let text = br#"{ "/": { "ping": { "GET": { "info": "Check that the server is running" } } } }"#;
/// let loaded = rulebook_model::definition::read(vec![("api/ping.json".into(), text.to_vec())]);
/// let types = type_table(&loaded.definition, []);
/// let lowered = lower(&loaded.definition, &types, &ResponseRegistry::default());
/// assert!(lowered.diagnostics.is_empty());
/// assert_eq!(lowered.api.modules[0].services[0].methods[0].id, "ping.get");
/// ```
#[must_use]
pub fn lower(definition: &Definition, types: &Types, responses: &ResponseRegistry) -> Lowered {
    let mut lowering = Lowering {
        types,
        responses,
        timezone: TimeZone::UTC,
        envelope: responses.envelopes.get(EnvelopeName::default().as_str()).cloned(),
        jsonp: false,
        has_invalid_base: false,
        spec: &TREE,
        functions: Vec::new(),
        diagnostics: Vec::new(),
    };
    let mut api =
        Api { envelope: lowering.envelope.clone().unwrap_or_default(), span: definition.app.span, ..Api::default() };
    for setting in SETTINGS {
        if let Some(value) = definition.app.value(setting.key.name) {
            (setting.lower)(&mut lowering, value, &mut api);
        }
    }
    lowering.spec = if definition.app.has_common_rules { &RULES } else { &TREE };
    let common = lowering.common_parameters(&definition.app.common);
    api.modules = group_parts(&definition.modules).iter().map(|parts| lowering.module(parts, &common)).collect();
    let base = (!lowering.has_invalid_base).then(|| api.base.clone());
    lowering.check_collisions(&api.modules, base.as_deref());
    api.modules.sort_by(|a, b| a.name.cmp(&b.name));
    lowering.check_service_names(&api);
    Lowered { api, functions: lowering.functions, diagnostics: lowering.diagnostics }
}
