//! The structs of objects, arguments and outputs, and pieces of code: comments and indentation.

use rulebook_model::distinct_names::PlaceName;
use rulebook_model::invisible::is_invisible;
use rulebook_model::types::ObjectShape;

use super::samples::Role;
use super::type_writer::{TypeWriter, option};
use crate::distinct_names::field_names;
use crate::identifier::type_name;

/// The traits that the types of values implement.
pub(super) const VALUE_TRAITS: &str = "#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]\n";

/// A field of a struct.
#[derive(Debug)]
pub(super) struct Field {
    /// The name in JSON.
    pub(super) name: String,
    /// The description, for the doc comment.
    pub(super) info: String,
    /// The Rust type.
    pub(super) rust_type: String,
    /// Attributes of serde besides the name, each on a line.
    pub(super) attributes: &'static str,
}

/// Writes the struct of an object.
pub(super) fn write_struct(types: &mut TypeWriter<'_>, shape: &ObjectShape, role: Role, name: &PlaceName, doc: &str) {
    types.add_item_first(|types| {
        let fields = object_fields(types, shape, role, name);
        let constraints = shape.constraints.iter().map(|constraint| constraint.in_words(&str::to_owned));
        struct_code(&types.name(name), &with_constraints(doc, "members", constraints), VALUE_TRAITS, &fields)
    });
}

/// Returns a doc comment with the constraints between `names` at its end.
pub(super) fn with_constraints(doc: &str, names: &str, constraints: impl Iterator<Item = String>) -> String {
    let constraints = constraints.map(|sentence| format!("- {sentence}\n")).collect::<String>();
    if constraints.is_empty() { doc.to_owned() } else { format!("{doc}\n\nBetween the {names}:\n\n{constraints}") }
}

/// Returns the fields of the struct `name` of an object.
pub(super) fn object_fields(
    types: &mut TypeWriter<'_>,
    shape: &ObjectShape,
    role: Role,
    name: &PlaceName,
) -> Vec<Field> {
    let field = |field: &rulebook_model::types::ObjectField| {
        let rust_type = types.rust_type(&field.check, role, &name_of_part(name, &field.name), &field.info);
        let rust_type = if field.optional { option(rust_type) } else { rust_type };
        let attributes =
            if field.check.refuses_null() { "#[serde(skip_serializing_if = \"Option::is_none\")]\n" } else { "" };
        Field { name: field.name.clone(), info: field.info.clone(), rust_type, attributes }
    };
    shape.fields.iter().map(field).collect()
}

/// Names the type of a part of the type `name`.
pub(super) fn name_of_part(name: &PlaceName, part: &str) -> PlaceName {
    // Only at the beginning of a name, a digit needs an underscore before it.
    name.part(type_name(part, "Value").trim_start_matches('_'), part)
}

/// Returns a struct with these fields.
pub(super) fn struct_code(name: &str, doc: &str, traits: &str, fields: &[Field]) -> String {
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
pub(super) fn doc_comment(text: &str) -> String {
    text.trim().lines().map(|line| format!("/// {}", visible(line)).trim_end().to_owned() + "\n").collect()
}

/// Replaces the invisible characters of a comment. The compiler rejects some of them, because code could then look
/// different from what it is (Unicode Technical Report 36).
pub(super) fn visible(line: &str) -> String {
    line.chars().map(|char| if is_invisible(char) && char != '\u{200D}' { ' ' } else { char }).collect()
}

/// Indents every line of code that is not empty.
pub(super) fn indented(code: &str) -> String {
    code.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}

/// Returns the attribute that gives a field or a variant its name in JSON, unless its identifier is this name.
pub(super) fn rename(name: &str, identifier: &str) -> String {
    if name == identifier { String::new() } else { format!("#[serde(rename = {name:?})]\n") }
}
