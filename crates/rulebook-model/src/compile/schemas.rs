//! Compiles the schemas of a definition: types with a name, which parameters, outputs and other schemas can use.
//!
//! Each schema is compiled after those to which it refers. A reference that leads back to a schema that contains it is
//! resolved when it is used.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::Lowering;
use super::parameter::with_enum_word;
use super::type_expr::{Inherited, NestedTypeSpans, TypeOwner, late_diagnostic, type_names};
use crate::definition::dialect_spec::{DialectSpec, TREE};
use crate::definition::parsed;
use crate::definition::parsed::{Definition, TypeSpec};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{ParameterType, Schema};
use crate::span::Spanned;
use crate::types::{
    ArgumentError, Arity, Check, NamedSchema, SchemaCells, Type, Types, all_referenced_schemas, failed_type,
    recursive_reference, reference_key, schema_reference, schemas_in,
};

#[derive(Default)]
pub(crate) struct Schemas<'d> {
    /// The schemas, by the API module that declares each (`None` for `app.json`) and its name.
    declared: IndexMap<(Option<&'d str>, &'d str), DeclaredSchema<'d>>,
    /// A cell for each schema, in the order of `declared`.
    cells: Arc<SchemaCells>,
    /// The API module whose types are being compiled; `None` for the common parameters of the API.
    pub module: Option<&'d str>,
    /// The types whose errors are found when all schemas are compiled, each with the spans of the types in its
    /// attributes.
    late_checks: Vec<(Arc<dyn Check>, NestedTypeSpans)>,
    /// While a schema is being compiled, the greatest depth of the schemas to which it refers.
    inner_depth: Option<usize>,
}

struct DeclaredSchema<'d> {
    parsed: &'d parsed::Schema,
    module: Option<&'d str>,
    dialect: &'static DialectSpec,
    state: SchemaState,
}

/// Returns the name in JSON Schemas of the schema with this index, until the definition is compiled.
fn first_key(index: usize) -> String {
    format!("schema.{index}")
}

/// The maximum number of schemas that own the next one by a reference, so that recursive functions need little stack.
const MAX_DEPTH: usize = 64;

enum SchemaState {
    Waiting,
    Compiled(Arc<NamedSchema>),
    /// The schema has an error, which has been reported.
    Failed,
}

impl<'d> Lowering<'d> {
    pub(super) fn compile_schemas(&mut self) {
        self.report_direct_references();
        let order = self.schemas.compile_order(self.types);
        for index in &order {
            self.compile_declared_schema(*index);
        }
        self.report_late_errors();
        self.report_endless_schemas(&order);
        self.schemas.set_keys();
    }

    /// Returns the schemas that an API module, or `app.json`, declares, in the order of their names.
    pub(super) fn schemas_of(&self, module: Option<&str>) -> Vec<Schema> {
        let declared = self.schemas.declared.values().filter(|declared| declared.module == module);
        let mut schemas: BTreeMap<&str, Schema> = BTreeMap::new();
        for declared in declared {
            let SchemaState::Compiled(named) = &declared.state else { continue };
            let check = schema_reference(Arc::clone(named), Some(Arc::clone(&self.schemas.cells)));
            let schema = Schema {
                name: named.name.clone(),
                key: named.key().to_owned(),
                info: named.info.clone(),
                r#type: ParameterType { written: named.check.type_expr(), check },
                example: named.example.clone(),
                extends: declared.parsed.extends.iter().filter_map(|base| self.key_of(module, &base.value)).collect(),
                span: declared.parsed.name.span,
            };
            schemas.insert(&named.name, schema);
        }
        schemas.into_values().collect()
    }

    /// Returns the key of the schema that a name in an API module refers to.
    fn key_of(&self, module: Option<&str>, name: &str) -> Option<String> {
        match &self.schemas.declared[self.schemas.index(module, name)?].state {
            SchemaState::Compiled(named) => Some(named.key().to_owned()),
            SchemaState::Waiting | SchemaState::Failed => None,
        }
    }

    /// Returns the schema to which a name refers in the current API module; a failed type if the schema has an error.
    pub(super) fn find_schema(&mut self, name: &str) -> Option<Arc<dyn Check>> {
        let schemas = &mut self.schemas;
        let index = schemas.index(schemas.module, name)?;
        Some(match (&schemas.declared[index].state, &mut schemas.inner_depth) {
            (SchemaState::Failed, _) => failed_type(),
            (SchemaState::Compiled(schema), None) => {
                schema_reference(Arc::clone(schema), Some(Arc::clone(&schemas.cells)))
            }
            (SchemaState::Compiled(schema), Some(depth)) if schema.depth < MAX_DEPTH => {
                *depth = schema.depth.max(*depth);
                schema_reference(Arc::clone(schema), None)
            }
            (SchemaState::Waiting | SchemaState::Compiled(_), _) => {
                recursive_reference(name, &first_key(index), &schemas.cells[index])
            }
        })
    }

    /// Reports the errors of a type that are found only when all schemas are compiled.
    pub(super) fn check_late(&mut self, check: &Arc<dyn Check>, spans: NestedTypeSpans) {
        if self.schemas.inner_depth.is_some() {
            self.schemas.late_checks.push((Arc::clone(check), spans));
        } else {
            for error in check.late_error().into_iter().flat_map(ArgumentError::into_all) {
                self.report(late_diagnostic(&error, &spans));
            }
        }
    }

    fn report_late_errors(&mut self) {
        for (check, spans) in std::mem::take(&mut self.schemas.late_checks) {
            self.check_late(&check, spans);
        }
    }

    pub(super) fn schema_names(&self) -> Vec<&'d str> {
        let visible = |module: &Option<&str>| module.is_none() || *module == self.schemas.module;
        self.schemas.declared.keys().filter(|(module, _)| visible(module)).map(|(_, name)| *name).collect()
    }
}

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
    fn set_keys(&mut self) {
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
    fn index(&self, module: Option<&str>, name: &str) -> Option<usize> {
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

/// The schemas to which a schema refers, as indexes in [`Schemas::declared`].
struct Dependencies {
    /// The schemas in `extends`.
    extended: Vec<usize>,
    /// The schemas in `extends`, then those in the types of fields and items.
    all: Vec<usize>,
}

impl Schemas<'_> {
    /// Returns the indexes of all schemas, each after those to which it refers. In a circle, a schema in `extends` is
    /// first.
    fn compile_order(&self, types: &Types) -> Vec<usize> {
        let dependencies: Vec<Dependencies> =
            self.declared.values().map(|schema| self.dependencies(schema, types)).collect();
        // The order of the names is the same in every notation of the definition. Generated examples depend on it,
        // because they end at the first reference that leads back.
        let mut roots: Vec<usize> = (0..self.declared.len()).collect();
        roots.sort_by_key(|index| &self.declared[*index].parsed.name.value);
        let mut order = Vec::with_capacity(roots.len());
        let mut is_entered = vec![false; roots.len()];
        let mut is_left = vec![false; roots.len()];
        for root in roots {
            if is_entered[root] {
                continue;
            }
            is_entered[root] = true;
            let mut path = vec![(root, 0)];
            while let Some((index, next)) = path.last_mut() {
                let (index, position) = (*index, *next);
                *next += 1;
                match dependencies[index].all.get(position) {
                    Some(target) if is_entered[*target] => {}
                    Some(target) => {
                        // A schema that extends one on the path follows later, after the one that it extends.
                        let is_extended = position < dependencies[index].extended.len();
                        if is_extended || !extends_open_schema(*target, &dependencies, &is_entered, &is_left) {
                            is_entered[*target] = true;
                            path.push((*target, 0));
                        }
                    }
                    None => {
                        is_left[index] = true;
                        order.push(index);
                        path.pop();
                    }
                }
            }
        }
        order
    }

    fn dependencies(&self, schema: &DeclaredSchema<'_>, types: &Types) -> Dependencies {
        let find = |name: &str| self.index(schema.module, name);
        let extended = self.extended(schema);
        let mut names = Vec::new();
        add_names(&schema.parsed.r#type, types, schema.dialect, &mut names);
        let all = extended.iter().copied().chain(names.into_iter().filter_map(find)).collect();
        Dependencies { extended, all }
    }
}

/// Adds the names in a type, in the types of its attributes and in its fields that can be names of schemas.
fn add_names<'t>(r#type: &'t TypeSpec, types: &Types, dialect: &DialectSpec, names: &mut Vec<&'t str>) {
    names.extend(r#type.term.iter().flat_map(|term| type_names(&term.value, types, dialect)));
    let nested = r#type.nested.iter().filter_map(|nested| nested.r#type.as_ref());
    let fields = r#type.fields.iter().flat_map(|fields| &fields.value).map(|field| &field.r#type);
    nested.chain(fields).for_each(|inner| add_names(inner, types, dialect, names));
}

/// Returns `true` if a schema extends, directly or through other schemas, a schema that is entered and not left.
fn extends_open_schema(schema: usize, dependencies: &[Dependencies], is_entered: &[bool], is_left: &[bool]) -> bool {
    let mut waiting = dependencies[schema].extended.clone();
    let mut seen = HashSet::from([schema]);
    while let Some(index) = waiting.pop() {
        if is_entered[index] {
            if !is_left[index] {
                return true;
            }
        } else if seen.insert(index) {
            waiting.extend(&dependencies[index].extended);
        }
    }
    false
}

/// Returns the indexes of the schemas whose values would all contain a value that never ends. The schemas are examined
/// until no other one turns out to have a finite value; a schema is usually listed after those to which it refers.
fn endless_schemas(schemas: &[Arc<NamedSchema>]) -> Vec<usize> {
    let json: Vec<Json> = schemas.iter().map(|schema| schema.check.schema()).collect();
    let mut endless: HashSet<&str> = schemas.iter().map(|schema| schema.key()).collect();
    let mut count = usize::MAX;
    while endless.len() < count {
        count = endless.len();
        for (schema, json) in schemas.iter().zip(&json) {
            if !is_endless(json, &endless) {
                endless.remove(schema.key());
            }
        }
    }
    (0..schemas.len()).filter(|index| endless.contains(schemas[*index].key())).collect()
}

/// Returns `true` if every value of a JSON Schema would contain a value of one of the schemas with the keys `endless`.
fn is_endless(schema: &Json, endless: &HashSet<&str>) -> bool {
    let items = |keyword: &str| schemas_in(schema, keyword);
    if let Some(key) = reference_key(schema) {
        return endless.contains(key);
    }
    let mut branches = items("anyOf").iter().chain(items("oneOf")).peekable();
    if branches.peek().is_some() && branches.all(|branch| is_endless(branch, endless)) {
        return true;
    }
    if items("allOf").iter().any(|part| is_endless(part, endless)) {
        return true;
    }
    for (min, inner) in [("minItems", "items"), ("minProperties", "additionalProperties")] {
        let is_filled = schema.get(min).and_then(Json::as_u64).is_some_and(|min| min > 0);
        if is_filled && schema.get(inner).is_some_and(|inner| is_endless(inner, endless)) {
            return true;
        }
    }
    let properties = schema.get("properties").and_then(Json::as_object);
    items("required")
        .iter()
        .filter_map(|name| properties?.get(name.as_str()?))
        .any(|property| is_endless(property, endless))
}

impl Lowering<'_> {
    fn compile_declared_schema(&mut self, index: usize) {
        let DeclaredSchema { parsed, module, dialect, .. } = self.schemas.declared[index];
        // A schema that has failed is compiled for its other errors.
        let has_failed = matches!(self.schemas.declared[index].state, SchemaState::Failed);
        let outer = (self.dialect, self.schemas.module);
        (self.dialect, self.schemas.module) = (dialect, module);
        self.schemas.inner_depth = Some(0);
        let compiled = self.compile_schema(parsed, first_key(index)).filter(|_| !has_failed).map(Arc::new);
        self.schemas.inner_depth = None;
        (self.dialect, self.schemas.module) = outer;
        if let Some(compiled) = &compiled {
            // The cell is empty, because a schema is compiled once.
            let _ = self.schemas.cells[index].set(Arc::clone(compiled));
        }
        self.schemas.declared[index].state = compiled.map_or(SchemaState::Failed, SchemaState::Compiled);
    }

    /// Reports the compiled schemas whose values never end. `order` contains the indexes of all schemas.
    fn report_endless_schemas(&mut self, order: &[usize]) {
        let compiled = |index: &usize| match &self.schemas.declared[*index].state {
            SchemaState::Compiled(schema) => Some((*index, Arc::clone(schema))),
            SchemaState::Waiting | SchemaState::Failed => None,
        };
        let (indexes, schemas): (Vec<usize>, Vec<_>) = order.iter().filter_map(compiled).unzip();
        for endless in endless_schemas(&schemas) {
            let span = self.schemas.declared[indexes[endless]].parsed.name.span;
            let message = format!("the schema `{}` has no finite value", schemas[endless].name);
            let error = Diagnostic::new(DiagnosticCode::EndlessSchema, span, message);
            self.report(
                error
                    .label("every value would contain another one")
                    .help("let a `?` or an array stand between the schema and itself: `\"type\": \"?Category\"`"),
            );
        }
    }

    fn compile_schema(&mut self, parsed: &parsed::Schema, first_key: String) -> Option<NamedSchema> {
        let before = self.diagnostics.len();
        let subject = format!("the schema `{}`", parsed.name.value);
        let span = parsed.name.span;
        let info = self.required_description(parsed.info.as_ref(), &subject, span, parsed.is_incomplete);
        let extends_others = !(parsed.extends.is_empty() && parsed.without.is_empty());
        let inherited = extends_others.then(|| self.inherited_fields(parsed));
        let owner = TypeOwner { diagnostic_subject: &subject, name_span: span, is_incomplete: parsed.is_incomplete };
        let compiled = self.compile_type_with_fields(&parsed.r#type, owner, inherited)?;
        if compiled.is_optional {
            let span = parsed.r#type.term.as_ref().map_or(span, |term| term.part(0, 1));
            let message = format!("{subject} cannot be optional");
            let error = Diagnostic::new(DiagnosticCode::BadTypeArgument, span, message).label("not allowed here");
            self.report(
                error
                    .help(format!("remove the `?`, and write `?{}` where the value can be missing", parsed.name.value)),
            );
        }
        if matches!(compiled.check.arity(), Arity::File | Arity::Files) {
            let span = parsed.r#type.term.as_ref().map_or(span, |term| term.span);
            let error = Diagnostic::new(DiagnosticCode::BadTypeArgument, span, format!("{subject} cannot be a file"));
            self.report(error.help("use the type `file` in the parameter itself"));
            return None;
        }
        let example = parsed.example.clone().map(|example| with_enum_word(example, Some(&*compiled.check)));
        if let Some(example) = &example {
            self.check_example(example, &*compiled.check, false, &subject);
        }
        let example = example.map(|example| example.value);
        let name = parsed.name.value.clone();
        let depth = self.schemas.inner_depth.unwrap_or_default() + 1;
        (self.diagnostics.len() == before).then(|| NamedSchema {
            name,
            key: OnceLock::new(),
            first_key,
            info,
            check: compiled.check,
            example,
            depth,
            samples: OnceLock::new(),
            recursive_example: OnceLock::new(),
        })
    }

    /// Returns the fields that a schema takes from the schemas in `extends`, without those in `without`.
    fn inherited_fields(&mut self, parsed: &parsed::Schema) -> Inherited {
        let Inherited { mut fields, mut constraints, mut is_incomplete } = Inherited::default();
        for base in &parsed.extends {
            let Some(index) = self.schemas.index(self.schemas.module, &base.value) else {
                let error = self.unknown_schema(base);
                self.report(error);
                is_incomplete = true;
                continue;
            };
            let base_schema = match &self.schemas.declared[index].state {
                SchemaState::Waiting => None,
                SchemaState::Compiled(schema) => Some(Arc::clone(schema)),
                SchemaState::Failed => {
                    is_incomplete = true;
                    continue;
                }
            };
            // The inherited fields refer to schemas, but nothing refers to the schema that is extended.
            let depth = base_schema.as_ref().map_or(0, |schema| schema.depth - 1);
            self.schemas.inner_depth = self.schemas.inner_depth.max(Some(depth));
            let Some(more) = base_schema.as_ref().and_then(|schema| schema.check.object_shape()) else {
                let problem = if base_schema.is_some() { "is not an object" } else { "refers back to this schema" };
                let message = format!("`{}` {problem}", base.value);
                let error = Diagnostic::new(DiagnosticCode::BadOption, base.span, message).label("cannot be extended");
                self.report(error.help("extend a schema whose type is `object`"));
                is_incomplete = true;
                continue;
            };
            constraints.extend(more.constraints);
            for field in more.fields {
                if fields.iter().any(|known| known.name == field.name) {
                    let message = format!("two schemas in `extends` have the field `{}`", field.name.escape_debug());
                    self.report(
                        Diagnostic::new(DiagnosticCode::NameCollision, base.span, message).label("second field"),
                    );
                } else {
                    fields.push(field);
                }
            }
        }
        for name in &parsed.without {
            let count = fields.len();
            fields.retain(|field| field.name != name.value);
            if fields.len() == count && !is_incomplete {
                let message = format!("no schema in `extends` has the field `{}`", name.value.escape_debug());
                let error = Diagnostic::new(DiagnosticCode::BadOption, name.span, message).label("unknown field");
                self.report(error.suggest(&name.value, fields.iter().map(|field| field.name.as_str())));
            }
        }
        let declared = || parsed.r#type.fields.iter().flat_map(|fields| &fields.value);
        for field in declared().filter(|field| fields.iter().any(|known| known.name == field.key.value)) {
            let message = format!("a schema in `extends` has the field `{}`, too", field.key.value.escape_debug());
            let error = Diagnostic::new(DiagnosticCode::NameCollision, field.key.span, message).label("second field");
            self.report(error.help("rename it, or list it in `without` to replace the inherited field"));
        }
        // The schema has an error if the list is changed here.
        fields.retain(|field| !declared().any(|declared| declared.key.value == field.name));
        let is_inherited = |name: &String| fields.iter().any(|field| field.name == *name);
        constraints.retain(|constraint| constraint.names.iter().all(is_inherited));
        Inherited { fields, constraints, is_incomplete }
    }

    fn unknown_schema(&self, name: &Spanned<String>) -> Diagnostic {
        let message = format!("unknown schema `{}`", name.value.escape_debug());
        let known = self.schema_names();
        Diagnostic::new(DiagnosticCode::UnknownType, name.span, message)
            .label("unknown schema")
            .help("`extends` lists the names of schemas")
            .suggest(&name.value, known.iter().copied())
    }
}

const ARRAYS: [&str; 3] = ["array", "filled_array", "loose_array"];
/// The maximum number of schemas to which a schema leads, counted once for each path to them: the types of a union are
/// compared with each other.
const MAX_PATHS: usize = 10_000;
/// The type of objects whose members have the type in its argument.
const MAP: &str = "map";

impl Lowering<'_> {
    fn report_direct_references(&mut self) {
        let (schemas, types) = (&self.schemas, self.types);
        let declared = || schemas.declared.values();
        let direct = declared().map(|schema| schemas.direct_references(schema, types)).collect::<Vec<_>>();
        let items = declared().map(|schema| schemas.item_references(schema, types)).collect::<Vec<_>>();
        let extended = declared().map(|schema| schemas.extended(schema)).collect::<Vec<_>>();
        self.report_chains(&direct, false);
        self.report_chains(&items, false);
        self.report_chains(&extended, true);
    }

    /// Reports circles and long chains of references, or of `extends`: each schema of such a chain has all fields of
    /// the schemas before it. `targets` contains the indexes of the schemas to which each schema refers.
    fn report_chains(&mut self, targets: &[Vec<usize>], is_extends: bool) {
        let Levels { levels, circles, paths } = Levels::new(targets);
        for (index, level) in levels.iter().enumerate() {
            let DeclaredSchema { parsed, module, state, .. } = &self.schemas.declared[index];
            if matches!(level, Some(level) if *level <= MAX_DEPTH) || matches!(state, SchemaState::Failed) {
                continue;
            }
            let name = &parsed.name.value;
            let error = match level {
                Some(level) if *level == MAX_DEPTH + 1 && is_extends => Some((
                    format!("more than {MAX_DEPTH} schemas extend each other in a chain"),
                    "list the fields of several of these schemas in one of them",
                )),
                Some(level) if *level == MAX_DEPTH + 1 && paths[index] > MAX_PATHS => Some((
                    format!("the schema `{name}` leads to other schemas on more than {MAX_PATHS} paths"),
                    "name each schema once in a union, and in the unions in it",
                )),
                Some(level) if *level == MAX_DEPTH + 1 => Some((
                    format!("more than {MAX_DEPTH} schemas lead from one to the next"),
                    "let an object stand between them",
                )),
                None if circles[index] && is_extends => Some((
                    format!("the schema `{name}` extends itself"),
                    "remove the schema from `extends` that leads back to this one",
                )),
                None if circles[index] => Some((
                    format!("the schema `{name}` is defined by itself"),
                    "let the schema refer to itself only in a field, or as the items of an array in a union",
                )),
                // The schemas that lead to an erroneous one have no error of their own.
                Some(_) | None => None,
            };
            let leads_on = |target: usize| match level {
                Some(level) => levels[target] == Some(level - 1),
                None => circles[target],
            };
            let base =
                parsed.extends.iter().find(|name| self.schemas.index(*module, &name.value).is_some_and(leads_on));
            let (code, label, span) = match base.filter(|_| is_extends) {
                Some(base) => (DiagnosticCode::BadOption, "cannot be extended", base.span),
                None => (DiagnosticCode::EndlessSchema, "a chain of references", parsed.name.span),
            };
            if let Some((message, help)) = error {
                self.report(Diagnostic::new(code, span, message).label(label).help(help));
            }
            self.schemas.declared[index].state = SchemaState::Failed;
        }
    }
}

impl Schemas<'_> {
    fn direct_references(&self, schema: &DeclaredSchema<'_>, types: &Types) -> Vec<usize> {
        let mut names = Vec::new();
        add_direct_names(&schema.parsed.r#type, types, schema.dialect, &mut names);
        names.into_iter().filter_map(|name| self.index(schema.module, name)).collect()
    }

    fn extended(&self, schema: &DeclaredSchema<'_>) -> Vec<usize> {
        schema.parsed.extends.iter().filter_map(|name| self.index(schema.module, &name.value)).collect()
    }

    /// Returns the schema that another name denotes, or the schema of the items of an array.
    fn item_references(&self, schema: &DeclaredSchema<'_>, types: &Types) -> Vec<usize> {
        let term = schema.parsed.r#type.term.as_ref().map_or("", |term| &term.value);
        let innermost = type_names(term, types, schema.dialect).into_iter().find(|name| !ARRAYS.contains(name));
        innermost.and_then(|name| self.index(schema.module, name)).into_iter().collect()
    }
}

/// Adds the names of schemas whose values are the values of the type: those in its term, and in the types of a union.
fn add_direct_names<'t>(r#type: &'t TypeSpec, types: &Types, dialect: &DialectSpec, names: &mut Vec<&'t str>) {
    let term = r#type.term.as_ref().map_or("", |term| &term.value);
    let in_term = type_names(term, types, dialect);
    let is_container = term.trim_start_matches('?').starts_with("[]")
        || in_term.first().is_some_and(|name| ARRAYS.contains(name) || *name == MAP);
    if !is_container {
        names.extend(in_term);
    }
    let of = r#type.nested.iter().filter(|nested| nested.attribute == "of");
    of.filter_map(|nested| nested.r#type.as_ref()).for_each(|branch| add_direct_names(branch, types, dialect, names));
}

/// The levels of schemas in the chains of their references.
struct Levels {
    /// For each schema, the length of the longest chain that begins with it; `None` if a chain has no end.
    levels: Vec<Option<usize>>,
    /// For each schema, whether it is a part of a circle, or on the way from one circle to another.
    circles: Vec<bool>,
    /// For each schema without a circle, on how many paths it leads to itself and to others.
    paths: Vec<usize>,
}

impl Levels {
    fn new(targets: &[Vec<usize>]) -> Self {
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); targets.len()];
        for (user, targets) in targets.iter().enumerate() {
            targets.iter().for_each(|target| users[*target].push(user));
        }
        let (mut levels, mut paths) = (vec![None; targets.len()], vec![0usize; targets.len()]);
        for index in peel(targets, &users, &vec![true; targets.len()]) {
            let max_level = targets[index].iter().filter_map(|target| levels[*target]).max();
            let level: usize = max_level.unwrap_or(0) + 1;
            paths[index] = targets[index].iter().fold(1, |sum: usize, target| sum.saturating_add(paths[*target]));
            // More paths are as bad as a long chain.
            levels[index] = Some(if paths[index] > MAX_PATHS { level.max(MAX_DEPTH + 1) } else { level });
        }
        let endless: Vec<bool> = levels.iter().map(Option::is_none).collect();
        let mut circles = endless.clone();
        // What nothing endless refers to only leads to a circle.
        peel(&users, targets, &endless).into_iter().for_each(|index| circles[index] = false);
        Self { levels, circles, paths }
    }
}

/// Returns the selected nodes in the order in which each has no more edges to selected nodes before it. `reversed`
/// contains the edges in the other direction.
fn peel(edges: &[Vec<usize>], reversed: &[Vec<usize>], is_selected: &[bool]) -> Vec<usize> {
    let mut open: Vec<usize> =
        edges.iter().map(|targets| targets.iter().filter(|target| is_selected[**target]).count()).collect();
    let mut order: Vec<usize> = (0..edges.len()).filter(|index| is_selected[*index] && open[*index] == 0).collect();
    let mut next = 0;
    while let Some(index) = order.get(next).copied() {
        next += 1;
        for user in reversed[index].iter().filter(|user| is_selected[**user]) {
            open[*user] -= 1;
            if open[*user] == 0 {
                order.push(*user);
            }
        }
    }
    order
}
