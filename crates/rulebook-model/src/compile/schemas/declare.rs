//! Registers the schemas of a definition, checks their names, and gives each a key that is unique in the API.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use serde_json::{Value as Json, json};

use super::{DeclaredSchema, SchemaState, Schemas};
use crate::compile::lowering::Lowering;
use crate::definition::dialect_spec::{DialectSpec, TREE};
use crate::definition::parsed::{self, Definition};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::span::Spanned;
use crate::types::{NamedSchema, Type, all_referenced_schemas};

impl<'d> Lowering<'d> {
    /// Registers the schemas of all parts of the definition, and reports names that cannot be used.
    pub(in crate::compile) fn declare_schemas(&mut self, definition: &'d Definition) {
        let app = definition.app.schemas.iter().map(|schema| (None, &TREE, schema));
        let modules = definition.modules.iter().flat_map(|module| {
            module.schemas.iter().map(|schema| (Some(module.name.value.as_str()), module.spec, schema))
        });
        for (module, dialect, parsed) in app.chain(modules) {
            self.declare_schema(module, dialect, parsed);
        }
        self.schemas.cells = Arc::new(self.schemas.declared.values().map(|_| Arc::new(OnceLock::new())).collect());
    }

    fn declare_schema(&mut self, module: Option<&'d str>, dialect: &'static DialectSpec, parsed: &'d parsed::Schema) {
        let name = parsed.name.value.as_str();
        if let Some(error) = self.schema_name_error(&parsed.name, dialect) {
            self.report(error);
            return;
        }
        let declared = &self.schemas.declared;
        if let Some(first) = declared.get(&(module, name)).or_else(|| declared.get(&(None, name))) {
            // The files of a module can each contain the schemas that they use.
            let is_same = first.module == module && first.parsed.source == parsed.source;
            if !is_same || first.dialect.name != dialect.name {
                let message = format!("two schemas have the name `{name}`");
                let first = first.parsed.name.span;
                let error = Diagnostic::new(DiagnosticCode::NameCollision, parsed.name.span, message);
                self.report(error.label("second schema").related(first, "first schema").help("rename one of them"));
            }
            return;
        }
        let state = SchemaState::Waiting;
        self.schemas.declared.insert((module, name), DeclaredSchema { parsed, module, dialect, state });
    }

    /// Returns the error of a name that a schema cannot have: one that terms cannot contain, or that is a type's.
    fn schema_name_error(&self, name: &Spanned<String>, dialect: &DialectSpec) -> Option<Diagnostic> {
        let text = name.value.as_str();
        let is_valid = text.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
            && text.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-'));
        if !is_valid {
            let message = format!("`{}` cannot be the name of a schema", text.escape_debug());
            let error = Diagnostic::new(DiagnosticCode::BadName, name.span, message);
            return Some(
                error
                    .label("not a name that types can contain")
                    .help("use ASCII letters, digits, `_` and `-`, and a letter or `_` at the beginning: `Article`"),
            );
        }
        let is_alias = dialect.type_aliases.iter().any(|(alias, _)| *alias == text);
        let is_type = self.types.iter().any(|known: &dyn Type| known.name() == text);
        (is_alias || is_type).then(|| {
            let message = format!("`{text}` is already the name of a type");
            let error = Diagnostic::new(DiagnosticCode::NameCollision, name.span, message);
            error.label("the name of a type").help("rename the schema, for example with a capital letter: `Article`")
        })
    }
}

/// The content of a schema, and of all schemas to which it refers, by their names.
type SchemaContent = BTreeMap<String, Json>;

impl Schemas<'_> {
    /// Sets the keys of all compiled schemas. Schemas of different API modules with the same name and content have one
    /// key.
    pub(super) fn set_keys(&mut self) {
        let compiled = self.declared.values().filter_map(|declared| match &declared.state {
            SchemaState::Compiled(schema) => Some((declared.module, schema)),
            _ => None,
        });
        let mut by_name: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for (module, schema) in compiled {
            by_name.entry(&schema.name).or_default().push((module, schema));
        }
        let is_one = |schemas: &[(Option<&str>, &Arc<NamedSchema>)]| {
            let mut contents = schemas.iter().map(|(_, schema)| content(schema));
            schemas.len() == 1 || contents.next().is_some_and(|first| contents.all(|content| content == first))
        };
        // The contents are compared before the first key is set, because they contain keys.
        let ones: Vec<bool> = by_name.values().map(|schemas| is_one(schemas)).collect();
        for ((name, schemas), is_one) in by_name.into_iter().zip(ones) {
            let mut keys = BTreeSet::new();
            for (module, schema) in schemas {
                let with_module = || {
                    let key = format!("{}.{name}", key_text(module.unwrap_or_default()));
                    let numbered = (2..).map(|number| format!("{key}.{number}"));
                    // There are more numbers than schemas, so that one of the keys is always unused.
                    std::iter::once(key.clone()).chain(numbered).find(|key| !keys.contains(key)).unwrap_or(key.clone())
                };
                let key = if is_one { name.to_owned() } else { with_module() };
                keys.insert(key.clone());
                // The key is set only here.
                let _ = schema.key.set(key);
            }
        }
    }

    /// Returns the index of the schema with this name in an API module, or else in `app.json`.
    pub(super) fn index(&self, module: Option<&str>, name: &str) -> Option<usize> {
        let of_module = module.and_then(|module| self.declared.get_index_of(&(Some(module), name)));
        of_module.or_else(|| self.declared.get_index_of(&(None, name)))
    }
}

/// Returns the content of a schema, and of all schemas to which it refers.
fn content(schema: &Arc<NamedSchema>) -> SchemaContent {
    let referenced = all_referenced_schemas(&*schema.check);
    let content = |schema: &Arc<NamedSchema>| {
        let written = schema.check.type_expr();
        (schema.name.clone(), json!([schema.info, written.term, written.attributes, schema.example]))
    };
    referenced.iter().chain([schema]).map(content).collect()
}

/// Returns a text with only the characters that keys of JSON Schemas can have.
fn key_text(name: &str) -> String {
    name.chars()
        .map(|char| if char.is_ascii_alphanumeric() || matches!(char, '_' | '-') { char } else { '_' })
        .collect()
}
