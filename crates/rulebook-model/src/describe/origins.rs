//! Adds to a canonical definition where methods have their values from.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::canonical::canonical_definition;
use super::canonical_schemas::schemas_of_methods;
use crate::compile::InheritedValue;
use crate::diagnostic::Sources;
use crate::model::Api;
use crate::span::Span;

/// Returns the [`canonical_definition`] of an API, in which each method has the key `$origins` with the file and line
/// of each value that is not written in the method. Readers of the definition ignore this key.
#[must_use]
pub fn canonical_definition_with_origins(api: &Api, inherited: &[InheritedValue], sources: &Sources) -> Json {
    let mut by_method: HashMap<(u32, u32), Vec<&InheritedValue>> = HashMap::new();
    for value in inherited {
        by_method.entry((value.method.file, value.method.start)).or_default().push(value);
    }
    let line = |span: Span| {
        let source = sources.get(span.file)?;
        Some(Json::from(format!("{}:{}", source.path.display(), source.locate(span).line)))
    };
    let mut definition = canonical_definition(api);
    for (module, service, method) in api.methods() {
        let values = by_method.get(&(method.span.file, method.span.start)).into_iter().flatten();
        let schemas = schemas_of_methods(std::slice::from_ref(method)).into_iter().filter_map(|used| {
            let declared = module.schemas.iter().chain(&api.schemas).find(|schema| schema.key == used.key())?;
            Some((format!("schemas.{}", used.name), line(declared.span)?))
        });
        let origins: Map<_, _> =
            values.filter_map(|value| Some((value.key.clone(), line(value.from)?))).chain(schemas).collect();
        let module = &mut definition["modules"][&module.name];
        let service = if service.path.is_empty() { module } else { &mut module["/"][service.uri().split_off(1)] };
        if !origins.is_empty() {
            service[method.http.as_str()]["$origins"] = origins.into();
        }
    }
    definition
}
