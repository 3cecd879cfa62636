//! The enums of texts and of unions, and the structs of constants that are booleans or numbers.

use std::collections::HashSet;
use std::sync::Arc;

use rulebook_model::distinct_names::{PlaceName, distinct_names, texts_of_union};
use rulebook_model::types::{Check, Structure};
use serde_json::{Value as Json, json};

use super::objects::{Field, VALUE_TRAITS, doc_comment, indented, name_of_part, object_fields, rename, struct_code};
use super::samples::{Role, Scalar, scalar_type};
use super::type_writer::{TypeWriter, notation};
use crate::distinct_names::{names_of_variant, variant_names};
use crate::identifier::type_name;

/// The traits that enums of texts implement.
const TEXT_TRAITS: &str = "#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]\n";

/// Returns the enum of these texts.
pub(super) fn text_enum(texts: &[String], name: &str, doc: &str) -> String {
    let names = variant_names(&texts.iter().map(String::as_str).collect::<Vec<_>>(), &["Self"]);
    let variants: Vec<(&String, String)> = texts.iter().zip(names).collect();
    let declared: String = variants
        .iter()
        .map(|(text, variant)| indented(&format!("/// `{}`\n{}{variant},", visible(text), rename(text, variant))))
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
pub(super) fn constant_struct(constant: &Json, name: &str, doc: &str) -> String {
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
fn visible(text: &str) -> String {
    text.escape_debug().to_string().replace('`', "'")
}

/// Returns `true` if null is the only value of a type.
pub(super) fn is_null(check: &Arc<dyn Check>) -> bool {
    matches!(check.structure(), Structure::Scalar)
        && scalar_type(&**check, Role::Output) == (Scalar::Plain("()"), false)
}

/// Writes the enum of a union without a tag.
pub(super) fn write_union(
    types: &mut TypeWriter<'_>,
    branches: &[Arc<dyn Check>],
    role: Role,
    name: &PlaceName,
    doc: &str,
) {
    types.add_item_first(|types| {
        let (mut things, mut variants, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        let texts = texts_of_union(branches.iter().map(|branch| (branch.schema(), notation(&**branch))));
        for (branch, text) in branches.iter().zip(texts) {
            let mut names = match constant_text(branch, role) {
                Some(text) => names_of_variant(&text, &["Self"]),
                None => vec![variant_name(types, branch, role)],
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
fn variant_name(types: &TypeWriter<'_>, branch: &Arc<dyn Check>, role: Role) -> String {
    let name = match branch.structure() {
        Structure::Schema(schema) => types.paths.name(schema.key()).unwrap_or("Value"),
        Structure::Nullable(inner) => return variant_name(types, &inner, role),
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

/// Writes the enum of a union with a tag.
///
/// serde removes the tag from the objects of an enum with a tag. If the objects of a branch declare the tag, the enum
/// is written without one, and each object contains the tag with its value.
pub(super) fn write_tagged_union(
    types: &mut TypeWriter<'_>,
    tag: &str,
    branches: &[(String, Arc<dyn Check>)],
    role: Role,
    name: &PlaceName,
    doc: &str,
) {
    let is_tagged = branches.iter().all(|(_, branch)| tag_field(tag, branch).is_none());
    types.add_item_first(|types| {
        let values: Vec<&str> = branches.iter().map(|(value, _)| value.as_str()).collect();
        let mut variants = String::new();
        for ((value, branch), variant) in branches.iter().zip(variant_names(&values, &["Self"])) {
            let part = name_of_variant(name, &variant, value);
            let rename = if is_tagged { rename(value, &variant) } else { String::new() };
            let rust_type = if is_tagged || is_constant(tag, value, branch) {
                types.rust_type(branch, role, &part, doc)
            } else {
                write_object_with_tag(types, (tag, value), branch, role, &part)
            };
            let doc = format!("The objects in which `{}` is `{}`.", visible(tag), visible(value));
            variants += &indented(&format!("{}{rename}{variant}({rust_type}),", doc_comment(&doc)));
        }
        let serde = if is_tagged { format!("#[serde(tag = {tag:?})]") } else { "#[serde(untagged)]".to_owned() };
        let (doc, name) = (doc_comment(doc), types.name(name));
        format!("{doc}{VALUE_TRAITS}{serde}\npub enum {name} {{\n{variants}}}\n")
    });
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

/// Writes the struct of a branch's objects with their tag, and returns its name.
fn write_object_with_tag(
    types: &mut TypeWriter<'_>,
    (tag, value): (&str, &str),
    branch: &Arc<dyn Check>,
    role: Role,
    place: &PlaceName,
) -> String {
    let Some(mut shape) = branch.object_shape() else { return types.rust_type(branch, role, place, "") };
    let name = types.name(place);
    shape.fields.retain(|field| field.name != tag);
    types.add_item_first(|types| {
        let tag_type = types.name(&name_of_part(place, tag));
        types.add_item(text_enum(&[value.to_owned()], &tag_type, &format!("The value of `{}`.", visible(tag))));
        let tag_field = Field { name: tag.to_owned(), info: String::new(), rust_type: tag_type, attributes: "" };
        let fields: Vec<_> = [tag_field].into_iter().chain(object_fields(types, &shape, role, place)).collect();
        struct_code(
            &name,
            &format!("An object in which `{}` is `{}`.", visible(tag), visible(value)),
            VALUE_TRAITS,
            &fields,
        )
    });
    name
}
