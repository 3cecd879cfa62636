//! Finds the Rust type of the values of each type and schema, and writes the structs and enums that it needs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rulebook_model::call::Value;
use rulebook_model::distinct_names::{PlaceName, ScopeNames, candidates, distinct_names, texts_of_union};
use rulebook_model::invisible::is_invisible;
use rulebook_model::model::{Api, Schema};
use rulebook_model::types::{Check, NamedSchema, ObjectShape, Structure};
use serde_json::{Value as Json, json};

use crate::code::Purpose;
use crate::identifier::{field_names, names_of_variant, type_name, variant_names};

/// Names that the types of an API cannot have, because the generated code uses other types with these names.
const RESERVED_TYPES: &str = "\
    Box Clone Copy Debug Deserialize E Err Fn From Future Handlers Into None Ok Option Result Self Send Serialize \
    String Sync Vec";

/// Writes the types of one API module, or those at the top of the code.
pub(crate) struct TypeWriter<'a> {
    pub(crate) paths: &'a SchemaPaths,
    pub(crate) purpose: Purpose,
    /// The index of the API module; `None` at the top.
    scope: Option<usize>,
    /// The key of the schema whose type is written; `None` in other types, and in lists and maps, which need no `Box`.
    pub(crate) within: Option<String>,
    names: ScopeNames,
    /// The names of the types that have been written for parts of other types, by their shortest name and their
    /// notation in the definition.
    written: HashMap<(String, String), (Role, String)>,
    items: Vec<String>,
}

impl<'a> TypeWriter<'a> {
    pub(crate) fn new(paths: &'a SchemaPaths, scope: Option<usize>, names: ScopeNames, purpose: Purpose) -> Self {
        Self { paths, purpose, scope, within: None, names, written: HashMap::new(), items: Vec::new() }
    }

    /// Returns the name of the type at a place: the short one or, if another type can have it, a longer one of the
    /// words of the place.
    pub(crate) fn name(&mut self, PlaceName { short, place }: &PlaceName) -> String {
        let names = vec![unreserved(short.clone()), unreserved(type_name(place, ""))];
        self.names.name(place, candidates(names, "", place))
    }

    pub(crate) fn add_item(&mut self, item: String) {
        self.items.push(item);
    }

    /// Adds an item before the items that `write` adds. `write` returns the item.
    pub(crate) fn add_item_first(&mut self, write: impl FnOnce(&mut Self) -> String) {
        let index = self.items.len();
        let item = write(self);
        self.items.insert(index, item);
    }

    /// Returns the structs and enums, each as a text, and their names.
    pub(crate) fn finish(self) -> (Vec<String>, ScopeNames) {
        (self.items, self.names)
    }

    pub(crate) fn write_type(&mut self, check: &Arc<dyn Check>, role: Role, name: &PlaceName, doc: &str) {
        match check.structure() {
            Structure::Object(shape) if !shape.fields.is_empty() => {
                self.write_struct(&shape, role, name, doc);
            }
            Structure::Union(branches) if !branches.iter().any(is_null) => {
                self.write_union(&branches, role, name, doc);
            }
            Structure::TaggedUnion { tag, branches } => {
                self.write_tagged_union(&tag, &branches, role, name, doc);
            }
            Structure::Scalar => match scalar_type(&**check, role) {
                (Scalar::OneOf(texts), false) => {
                    self.add_item_first(|types| text_enum(&texts, &types.name(name), doc));
                }
                (Scalar::Constant(json), false) => {
                    self.add_item_first(|types| constant_struct(&json, &types.name(name), doc));
                }
                _ => self.write_alias(check, role, name, doc),
            },
            _ => self.write_alias(check, role, name, doc),
        }
    }

    /// Writes another name for a type. A schema of lists that contains itself becomes a struct, because such a name
    /// cannot stand for a type that contains it.
    fn write_alias(&mut self, check: &Arc<dyn Check>, role: Role, place: &PlaceName, doc: &str) {
        let is_recursive = self.within.as_ref().is_some_and(|key| contains_schema(check, key, Parts::All));
        self.add_item_first(|types| {
            let part = match check.structure() {
                Structure::Array(_) | Structure::Map(_) => place.clone(),
                _ => place.part("Value", "Value"),
            };
            let target = types.rust_type(check, role, &part, doc);
            let name = types.name(place);
            let doc = doc_comment(doc);
            if is_recursive {
                return format!("{doc}{VALUE_TRAITS}#[serde(transparent)]\npub struct {name}(pub {target});\n");
            }
            format!("{doc}pub type {name} = {target};\n")
        });
    }

    /// Returns the Rust type of the values of a type. If a struct or an enum must be written for it, `name` names it,
    /// and `doc` describes it.
    pub(crate) fn rust_type(&mut self, check: &Arc<dyn Check>, role: Role, name: &PlaceName, doc: &str) -> String {
        match check.structure() {
            Structure::Schema(schema) => {
                let path = self.paths.path(schema.key(), self.scope).unwrap_or_else(|| JSON.to_owned());
                let needs_box = self.within.as_ref().is_some_and(|key| contains_schema(check, key, Parts::Direct));
                if needs_box { format!("Box<{path}>") } else { path }
            }
            Structure::Nullable(inner) => option(self.rust_type(&inner, role, name, doc)),
            Structure::Array(item) => {
                let item = self.type_in_list(&item, role, &name.part("Item", "Item"), doc);
                format!("Vec<{item}>")
            }
            Structure::Map(value) => {
                let value = self.type_in_list(&value, role, &name.part("Value", "Value"), doc);
                format!("::std::collections::BTreeMap<String, {value}>")
            }
            Structure::Object(shape) if shape.fields.is_empty() => format!("::serde_json::Map<String, {JSON}>"),
            Structure::Union(branches) if branches.iter().any(is_null) => {
                let others: Vec<_> = branches.into_iter().filter(|branch| !is_null(branch)).collect();
                match others.as_slice() {
                    [only] => option(self.rust_type(only, role, name, doc)),
                    _ => option(self.part_type(check, role, name, |types, _| {
                        types.write_union(&others, role, name, doc);
                    })),
                }
            }
            Structure::Object(_) | Structure::Union(_) | Structure::TaggedUnion { .. } => {
                self.part_type(check, role, name, |types, _| types.write_type(check, role, name, doc))
            }
            _ => {
                let (scalar, is_nullable) = scalar_type(&**check, role);
                let text = match scalar {
                    Scalar::Plain(text) => text.to_owned(),
                    Scalar::OneOf(texts) => self.part_type(check, role, name, |types, name| {
                        types.add_item(text_enum(&texts, name, doc));
                    }),
                    Scalar::Constant(json) => self.part_type(check, role, name, |types, name| {
                        types.add_item(constant_struct(&json, name, doc));
                    }),
                };
                if is_nullable { option(text) } else { text }
            }
        }
    }

    /// Returns the name of the type of a part of another type. `write` writes it with this name, unless an equal type
    /// has the same short name, as the arguments and outputs of a method often have.
    fn part_type(
        &mut self,
        check: &Arc<dyn Check>,
        role: Role,
        place: &PlaceName,
        write: impl FnOnce(&mut Self, &str),
    ) -> String {
        let key = (place.short.clone(), notation(&**check));
        if let Some((other, name)) = self.written.get(&key)
            && (*other == role || is_same_in_both_roles(&**check))
        {
            return name.clone();
        }
        let name = self.name(place);
        self.written.insert(key, (role, name.clone()));
        write(self, &name);
        name
    }

    fn type_in_list(&mut self, check: &Arc<dyn Check>, role: Role, name: &PlaceName, doc: &str) -> String {
        let within = self.within.take();
        let text = self.rust_type(check, role, name, doc);
        self.within = within;
        text
    }
}

impl TypeWriter<'_> {
    fn write_struct(&mut self, shape: &ObjectShape, role: Role, name: &PlaceName, doc: &str) {
        self.add_item_first(|types| {
            let fields = types.object_fields(shape, role, name);
            let constraints = shape.constraints.iter().map(|constraint| constraint.in_words(&str::to_owned));
            struct_code(&types.name(name), &with_constraints(doc, "members", constraints), VALUE_TRAITS, &fields)
        });
    }

    fn object_fields(&mut self, shape: &ObjectShape, role: Role, name: &PlaceName) -> Vec<Field> {
        let field = |field: &rulebook_model::types::ObjectField| {
            let rust_type = self.rust_type(&field.check, role, &name_of_part(name, &field.name), &field.info);
            let rust_type = if field.optional { option(rust_type) } else { rust_type };
            let attributes =
                if field.check.refuses_null() { "#[serde(skip_serializing_if = \"Option::is_none\")]\n" } else { "" };
            Field { name: field.name.clone(), info: field.info.clone(), rust_type, attributes }
        };
        shape.fields.iter().map(field).collect()
    }

    fn write_union(&mut self, branches: &[Arc<dyn Check>], role: Role, name: &PlaceName, doc: &str) {
        self.add_item_first(|types| {
            let (mut things, mut variants, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
            let texts = texts_of_union(branches.iter().map(|branch| (branch.schema(), notation(&**branch))));
            for (branch, text) in branches.iter().zip(texts) {
                let mut names = match constant_text(branch, role) {
                    Some(text) => names_of_variant(&text, &["Self"]),
                    None => vec![types.variant_name(branch, role)],
                };
                let text = format!("{} {text}", names[0]);
                let rust_type = types.rust_type(branch, role, &name_of_variant(name, &names[0], &text), doc);
                // Different types of the definition can have the same Rust type.
                if seen.insert(rust_type.clone()) {
                    let doc = match branch.structure() {
                        Structure::Schema(schema) if !schema.info.trim().is_empty() => schema.info.clone(),
                        _ => branch.in_words().into_owned(),
                    };
                    names.push(type_name(&text, ""));
                    things.push(names);
                    variants.push((doc_comment(&doc), rust_type));
                }
            }
            let variants: String = distinct_names(things, str::to_owned)
                .iter()
                .zip(variants)
                .map(|(variant, (doc, rust_type))| indented(&format!("{doc}{variant}({rust_type}),")))
                .collect();
            let (doc, name) = (doc_comment(doc), types.name(name));
            format!("{doc}{VALUE_TRAITS}#[serde(untagged)]\npub enum {name} {{\n{variants}}}\n")
        });
    }

    /// Returns the name of a union's variant for values of this type.
    fn variant_name(&self, branch: &Arc<dyn Check>, role: Role) -> String {
        let name = match branch.structure() {
            Structure::Schema(schema) => self.paths.name(schema.key()).unwrap_or("Value"),
            Structure::Nullable(inner) => return self.variant_name(&inner, role),
            Structure::Array(_) => "List",
            Structure::Map(_) | Structure::Object(_) | Structure::TaggedUnion { .. } => "Object",
            _ => match scalar_type(&**branch, role).0 {
                Scalar::OneOf(_) | Scalar::Plain("String") => "Text",
                Scalar::Plain("bool") => "Bool",
                Scalar::Plain("i64" | "u64") => "Integer",
                Scalar::Plain("f64") => "Number",
                Scalar::Plain(_) | Scalar::Constant(_) => "Value",
            },
        };
        name.to_owned()
    }

    /// Writes the enum of a union with a tag.
    ///
    /// serde removes the tag from the objects of an enum with a tag. If the objects of a branch declare the tag, the
    /// enum is written without one, and each object contains the tag with its value.
    fn write_tagged_union(
        &mut self,
        tag: &str,
        branches: &[(String, Arc<dyn Check>)],
        role: Role,
        name: &PlaceName,
        doc: &str,
    ) {
        let is_tagged = branches.iter().all(|(_, branch)| tag_field(tag, branch).is_none());
        self.add_item_first(|types| {
            let values: Vec<&str> = branches.iter().map(|(value, _)| value.as_str()).collect();
            let mut variants = String::new();
            for ((value, branch), variant) in branches.iter().zip(variant_names(&values, &["Self"])) {
                let part = name_of_variant(name, &variant, value);
                let rename = if is_tagged { rename(value, &variant) } else { String::new() };
                let rust_type = if is_tagged || is_constant(tag, value, branch) {
                    types.rust_type(branch, role, &part, doc)
                } else {
                    types.write_object_with_tag((tag, value), branch, role, &part)
                };
                let doc = format!("The objects in which `{}` is `{}`.", escaped(tag), escaped(value));
                variants += &indented(&format!("{}{rename}{variant}({rust_type}),", doc_comment(&doc)));
            }
            let serde = if is_tagged { format!("#[serde(tag = {tag:?})]") } else { "#[serde(untagged)]".to_owned() };
            let (doc, name) = (doc_comment(doc), types.name(name));
            format!("{doc}{VALUE_TRAITS}{serde}\npub enum {name} {{\n{variants}}}\n")
        });
    }

    /// Writes the struct of a branch's objects with their tag, and returns its name.
    fn write_object_with_tag(
        &mut self,
        (tag, value): (&str, &str),
        branch: &Arc<dyn Check>,
        role: Role,
        place: &PlaceName,
    ) -> String {
        let Some(mut shape) = branch.object_shape() else { return self.rust_type(branch, role, place, "") };
        let name = self.name(place);
        shape.fields.retain(|field| field.name != tag);
        self.add_item_first(|types| {
            let tag_type = types.name(&name_of_part(place, tag));
            types.add_item(text_enum(&[value.to_owned()], &tag_type, &format!("The value of `{}`.", escaped(tag))));
            let tag_field = Field { name: tag.to_owned(), info: String::new(), rust_type: tag_type, attributes: "" };
            let fields: Vec<_> = [tag_field].into_iter().chain(types.object_fields(&shape, role, place)).collect();
            let doc = format!("An object in which `{}` is `{}`.", escaped(tag), escaped(value));
            struct_code(&name, &doc, VALUE_TRAITS, &fields)
        });
        name
    }
}

pub(crate) fn notation(check: &dyn Check) -> String {
    let notation = check.type_expr();
    format!("{} {}", notation.term, Json::Object(notation.attributes))
}

/// Returns the name, with a number if no type of an API can have it.
pub(crate) fn unreserved(name: String) -> String {
    if RESERVED_TYPES.split(' ').any(|reserved| reserved == name) { name + "2" } else { name }
}

/// Returns the type of a value that may be missing.
pub(crate) fn option(text: String) -> String {
    if text.starts_with("Option<") { text } else { format!("Option<{text}>") }
}

pub(crate) const VALUE_TRAITS: &str = "#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]\n";

#[derive(Debug)]
pub(crate) struct Field {
    /// The name in JSON.
    pub(crate) name: String,
    pub(crate) info: String,
    pub(crate) rust_type: String,
    /// Attributes of serde besides the name, each on a line.
    pub(crate) attributes: &'static str,
}

/// Returns a doc comment with the constraints between `names` at its end.
pub(crate) fn with_constraints(doc: &str, names: &str, constraints: impl Iterator<Item = String>) -> String {
    let constraints = constraints.map(|sentence| format!("- {sentence}\n")).collect::<String>();
    if constraints.is_empty() { doc.to_owned() } else { format!("{doc}\n\nBetween the {names}:\n\n{constraints}") }
}

pub(crate) fn name_of_part(name: &PlaceName, part: &str) -> PlaceName {
    // Only at the beginning of a name, a digit needs an underscore before it.
    name.part(type_name(part, "Value").trim_start_matches('_'), part)
}

pub(crate) fn struct_code(name: &str, doc: &str, traits: &str, fields: &[Field]) -> String {
    let names = field_names(&fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>());
    let fields: String = fields
        .iter()
        .zip(names)
        .map(|(field, identifier)| {
            let info = if field.info.trim().is_empty() { &field.name } else { &field.info };
            let (doc, rename) = (doc_comment(info), rename(&field.name, &identifier));
            indented(&format!("{doc}{rename}{}pub {identifier}: {},", field.attributes, field.rust_type))
        })
        .collect();
    format!("{}{traits}pub struct {name} {{\n{fields}}}\n", doc_comment(doc))
}

/// Returns a doc comment, a line for each line of the text. A text without content has no comment.
pub(crate) fn doc_comment(text: &str) -> String {
    text.trim().lines().map(|line| format!("/// {}", visible(line)).trim_end().to_owned() + "\n").collect()
}

/// Replaces the invisible characters of a comment. The compiler rejects some of them, because code could then look
/// different from what it is (Unicode Technical Report 36).
pub(crate) fn visible(line: &str) -> String {
    line.chars().map(|char| if is_invisible(char) && char != '\u{200D}' { ' ' } else { char }).collect()
}

/// Indents every line of code that is not empty.
pub(crate) fn indented(code: &str) -> String {
    code.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}

/// Returns the attribute that gives a field or a variant its name in JSON, unless its identifier is this name.
pub(crate) fn rename(name: &str, identifier: &str) -> String {
    if name == identifier { String::new() } else { format!("#[serde(rename = {name:?})]\n") }
}

const TEXT_TRAITS: &str = "#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]\n";

pub(crate) fn text_enum(texts: &[String], name: &str, doc: &str) -> String {
    let names = variant_names(&texts.iter().map(String::as_str).collect::<Vec<_>>(), &["Self"]);
    let variants: Vec<(&String, String)> = texts.iter().zip(names).collect();
    let declared: String = variants
        .iter()
        .map(|(text, variant)| indented(&format!("/// `{}`\n{}{variant},", escaped(text), rename(text, variant))))
        .collect();
    let arms: String =
        variants.iter().map(|(text, variant)| format!("            Self::{variant} => {text:?},\n")).collect();
    format!(
        r#"{doc}{TEXT_TRAITS}pub enum {name} {{
{declared}}}

impl {name} {{
    /// Returns the text that requests and responses contain.
    #[must_use]
    pub fn as_str(self) -> &'static str {{
        match self {{
{arms}        }}
    }}
}}

impl ::std::str::FromStr for {name} {{
    type Err = ::serde::de::value::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {{
        Self::deserialize(::serde::de::IntoDeserializer::into_deserializer(text))
    }}
}}
"#,
        doc = doc_comment(doc)
    )
}

/// Returns the struct whose only value is this boolean or number. Its deserialization rejects other values, because
/// the types of a union may differ only in such a constant.
pub(crate) fn constant_struct(constant: &Json, name: &str, doc: &str) -> String {
    let rust_type = match constant {
        Json::Bool(_) => "bool",
        number if number.is_f64() => "f64",
        _ => "i64",
    };
    let doc = if doc.trim().is_empty() { format!("The value `{constant}`.") } else { doc.to_owned() };
    format!(
        r#"{doc}#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "{rust_type}", into = "{rust_type}")]
pub struct {name};

impl {name} {{
    /// The value that requests and responses contain.
    pub const VALUE: {rust_type} = {constant};
}}

impl From<{name}> for {rust_type} {{
    fn from(_: {name}) -> Self {{
        {name}::VALUE
    }}
}}

impl ::std::convert::TryFrom<{rust_type}> for {name} {{
    type Error = &'static str;

    fn try_from(value: {rust_type}) -> Result<Self, Self::Error> {{
        if matches!(value, {constant}) {{ Ok(Self) }} else {{ Err("the value must be {constant}") }}
    }}
}}
"#,
        doc = doc_comment(&doc)
    )
}

/// Returns a text for a comment of one line.
fn escaped(text: &str) -> String {
    text.escape_debug().to_string().replace('`', "'")
}

pub(crate) fn is_null(check: &Arc<dyn Check>) -> bool {
    matches!(check.structure(), Structure::Scalar)
        && scalar_type(&**check, Role::Output) == (Scalar::Plain("()"), false)
}

/// Returns the text of the only value of a type; `None` if the type has other values.
fn constant_text(branch: &Arc<dyn Check>, role: Role) -> Option<String> {
    match branch.structure() {
        Structure::Nullable(inner) => constant_text(&inner, role),
        Structure::Scalar => match scalar_type(&**branch, role).0 {
            Scalar::OneOf(texts) => <[String; 1]>::try_from(texts).ok().map(|[only]| only),
            Scalar::Constant(json) => Some(json.to_string()),
            Scalar::Plain(_) => None,
        },
        _ => None,
    }
}

/// Names the type of the values of a variant of the enum `name`. `text` distinguishes the variant from all others.
fn name_of_variant(name: &PlaceName, variant: &str, text: &str) -> PlaceName {
    // Only at the beginning of a name, a digit needs an underscore before it.
    name.part(variant.trim_start_matches('_'), text)
}

/// Returns the JSON Schema of the field `tag` of a branch, and whether the field is optional.
fn tag_field(tag: &str, branch: &Arc<dyn Check>) -> Option<(Json, bool)> {
    let fields = branch.object_shape()?.fields;
    fields.into_iter().find(|field| field.name == tag).map(|field| (field.check.schema(), field.optional))
}

/// Returns `true` if every object of a branch contains the tag with this value only.
fn is_constant(tag: &str, value: &str, branch: &Arc<dyn Check>) -> bool {
    tag_field(tag, branch).is_some_and(|(schema, optional)| {
        !optional && (schema.get("const") == Some(&json!(value)) || schema.get("enum") == Some(&json!([value])))
    })
}

// What a handler receives may be of another kind than what a client sends, such as the seconds of a time. The samples
// of arguments are therefore values that have passed the check, as the handler receives them.

/// Which values of a type are considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The values that handlers receive.
    Argument,
    /// The values that handlers return.
    Output,
    /// Both. Schemas have one Rust type for arguments and outputs.
    Both,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scalar {
    /// A type of Rust or of a crate: `String`.
    Plain(&'static str),
    /// One of these texts.
    OneOf(Vec<String>),
    /// This boolean or number.
    Constant(Json),
}

pub(crate) const JSON: &str = "::serde_json::Value";

/// Returns the Rust type of the values, and whether they can be null.
pub(crate) fn scalar_type(check: &dyn Check, role: Role) -> (Scalar, bool) {
    let of_outputs = || type_of_values(&check.boundary_values(), check);
    let of_arguments = || {
        let values = check.boundary_values().into_iter().filter_map(|value| check.checked(value).ok());
        type_of_values(&values.collect::<Vec<_>>(), check)
    };
    match role {
        Role::Argument => of_arguments(),
        Role::Output => of_outputs(),
        Role::Both => {
            let both = of_arguments();
            if both == of_outputs() { both } else { (Scalar::Plain(JSON), false) }
        }
    }
}

/// Returns `true` if handlers receive the values of a type as they return them.
pub(crate) fn is_same_in_both_roles(check: &dyn Check) -> bool {
    match check.structure() {
        // The types of schemas are those of both roles.
        Structure::Schema(_) => true,
        Structure::Array(inner) | Structure::Map(inner) | Structure::Nullable(inner) => is_same_in_both_roles(&*inner),
        Structure::Object(shape) => shape.fields.iter().all(|field| is_same_in_both_roles(&*field.check)),
        Structure::Union(branches) => branches.iter().all(|branch| is_same_in_both_roles(&**branch)),
        Structure::TaggedUnion { branches, .. } => branches.iter().all(|(_, branch)| is_same_in_both_roles(&**branch)),
        _ => scalar_type(check, Role::Argument) == scalar_type(check, Role::Output),
    }
}

fn type_of_values(values: &[Value<'_>], check: &dyn Check) -> (Scalar, bool) {
    let present: Vec<&Value<'_>> = values.iter().filter(|value| **value != Value::Null).collect();
    let all = |test: fn(&Value<'_>) -> bool| present.iter().all(|value| test(value));
    if let Some(constant) = check.schema().get("const").filter(|json| json.is_boolean() || json.is_number()) {
        return (Scalar::Constant(constant.clone()), present.len() < values.len());
    }
    let name = if present.is_empty() {
        // A value of which nothing is known may be anything. A type with null alone has no other values.
        return (Scalar::Plain(if values.is_empty() { JSON } else { "()" }), false);
    } else if all(|value| matches!(value, Value::Bool(_))) {
        "bool"
    } else if all(|value| matches!(value, Value::Int(_))) && !is_fractional(check) {
        "i64"
    } else if all(|value| matches!(value, Value::Uint(_)) || matches!(value, Value::Int(0..))) && !is_fractional(check)
    {
        "u64"
    } else if all(|value| matches!(value, Value::Int(_) | Value::Uint(_) | Value::Float(_))) {
        "f64"
    } else if all(|value| matches!(value, Value::Text(_))) {
        if let Some(texts) = texts_of_schema(check) {
            return (Scalar::OneOf(texts), present.len() < values.len());
        }
        "String"
    } else {
        return (Scalar::Plain(JSON), false);
    };
    (Scalar::Plain(name), present.len() < values.len())
}

/// Returns `true` if the type can have numbers that are not whole, even if its samples are whole.
fn is_fractional(check: &dyn Check) -> bool {
    check.schema().get("type").is_some_and(|kind| kind == "number")
}

/// Returns the texts that are valid, if the type lists them.
fn texts_of_schema(check: &dyn Check) -> Option<Vec<String>> {
    let schema = check.schema();
    let text = |json: &Json| json.as_str().map(str::to_owned);
    match (schema.get("const"), schema.get("enum")) {
        (Some(json), _) => Some(vec![text(json)?]),
        (None, Some(Json::Array(all))) => all.iter().map(text).collect(),
        _ => None,
    }
}

/// Where the Rust types of all schemas are.
pub(crate) struct SchemaPaths {
    /// For the key of each schema, the index of its API module (`None` for a schema of the API) and the type's name.
    by_key: HashMap<String, (Option<usize>, String)>,
}

impl SchemaPaths {
    /// `name` returns the name of the type of a schema in an API module, or at the top.
    pub(crate) fn new(api: &Api, mut name: impl FnMut(Option<usize>, &Schema) -> String) -> Self {
        let of_modules = api.modules.iter().enumerate().map(|(index, module)| (Some(index), &module.schemas));
        let scopes = [(None, &api.schemas)].into_iter().chain(of_modules);
        let schemas = scopes.flat_map(|(scope, schemas)| schemas.iter().map(move |schema| (scope, schema)));
        Self { by_key: schemas.map(|(scope, schema)| (schema.key.clone(), (scope, name(scope, schema)))).collect() }
    }

    /// Returns the name of the schema's type; `None` if the definition does not list the schema.
    pub(crate) fn name(&self, key: &str) -> Option<&str> {
        self.by_key.get(key).map(|(_, name)| name.as_str())
    }

    /// Returns the path of the schema's type for code in an API module, or at the top.
    pub(crate) fn path(&self, key: &str, scope: Option<usize>) -> Option<String> {
        let (target, name) = self.by_key.get(key)?;
        Some(match (target, scope) {
            (None, Some(_)) => format!("super::{name}"),
            _ => name.clone(),
        })
    }
}

pub(crate) fn schema_name(schema: &Schema) -> PlaceName {
    PlaceName::new(unreserved(type_name(&schema.name, "Schema")), schema.name.as_str())
}

pub(crate) fn write_schemas(schemas: &[Schema], types: &mut TypeWriter<'_>) {
    for schema in schemas {
        let check = &schema.r#type.check;
        let Structure::Schema(named) = check.structure() else { continue };
        types.within = Some(named.key().to_owned());
        let doc = if named.info.is_empty() { format!("The schema `{}`.", named.name) } else { named.info.clone() };
        types.write_type(&named.check, Role::Both, &schema_name(schema), &doc);
        types.within = None;
    }
}

// The type of a recursive schema needs a `Box`: a value cannot contain a value of its type without one, except in a
// list or a map.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parts {
    /// Those that the value contains without a list or map around them.
    Direct,
    All,
}

/// Returns `true` if values of the type `check` contain values of the schema with this key.
pub(crate) fn contains_schema(check: &Arc<dyn Check>, key: &str, parts: Parts) -> bool {
    let (mut seen, mut pending) = (HashSet::new(), Vec::new());
    add_schemas(check, parts, &mut pending);
    while let Some(schema) = pending.pop() {
        if schema.key() == key {
            return true;
        }
        if seen.insert(schema.key().to_owned()) {
            add_schemas(&schema.check, parts, &mut pending);
        }
    }
    false
}

/// Adds the schemas whose values the values of a type contain.
fn add_schemas(check: &Arc<dyn Check>, parts: Parts, schemas: &mut Vec<Arc<NamedSchema>>) {
    match check.structure() {
        Structure::Schema(schema) => schemas.push(schema),
        Structure::Nullable(check) => add_schemas(&check, parts, schemas),
        Structure::Object(shape) => shape.fields.iter().for_each(|field| add_schemas(&field.check, parts, schemas)),
        Structure::Union(branches) => branches.iter().for_each(|branch| add_schemas(branch, parts, schemas)),
        Structure::TaggedUnion { branches, .. } => {
            branches.iter().for_each(|(_, branch)| add_schemas(branch, parts, schemas));
        }
        Structure::Array(check) | Structure::Map(check) if parts == Parts::All => add_schemas(&check, parts, schemas),
        _ => {}
    }
}
