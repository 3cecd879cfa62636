//! The type `union`: a value of one of several types. Either a member of the value, the tag, says of which type it is,
//! or no value can have two of the types.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value as Json, json};

use super::constant::constant_text;
use super::number::normalized_number;
use super::object::object_check;
use super::simple_type::{contains_failed_type, decode_json};
use super::{
    ArgumentError, ArgumentErrorKind, Arity, Check, NamedSchema, NestedCheck, ObjectField, ObjectShape,
    SCHEMA_REFERENCE_PREFIX, Structure, TypeArguments, TypeExpr, branches, constants, first_valid_value, kinds,
    nested_type_path, reference_key,
};
use crate::call::{PhpArray, TypeMismatch, Value};
use crate::definition::keys::is_comment_key;

/// The name of the attribute that contains the types of a union.
pub(super) const OF_ATTRIBUTE: &str = "of";
/// The name of the attribute that contains the name of the member that identifies the type of a value.
const TAG_ATTRIBUTE: &str = "tag";

const MAX_DESCRIBED_BRANCHES: usize = 50;

/// Joins the descriptions of branches. Branches with the same description are named once.
fn join_branches(branches: impl Iterator<Item = String>) -> String {
    let mut words = Vec::new();
    let mut others = 0;
    for branch in branches {
        if words.contains(&branch) {
            continue;
        }
        if words.len() < MAX_DESCRIBED_BRANCHES { words.push(branch) } else { others += 1 }
    }
    if others > 0 {
        words.push(format!("one of {others} others"));
    }
    words.join(", or ")
}

/// Joins the words for branches so that they can describe the items of a list: without "either", the alternatives of an
/// item would look like alternatives to the list.
fn join_words(branches: impl Iterator<Item = String>) -> String {
    let words = join_branches(branches);
    if words.contains(", or ") { format!("either {words}") } else { words }
}

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.expect_no_arguments()?;
    let types: Vec<_> = arguments.types_in(OF_ATTRIBUTE).collect();
    let is_file = |nested: &&NestedCheck| matches!(nested.check.arity(), Arity::File | Arity::Files);
    if let Some(index) = types.iter().position(is_file) {
        return Err(arguments.error("a union cannot contain files").at(&nested_type_path(OF_ATTRIBUTE, index)));
    }
    let tag = arguments.text(TAG_ATTRIBUTE)?;
    match (tag, arguments.attributes.get(OF_ATTRIBUTE)) {
        (Some(""), _) => Err(arguments.error("`tag` must be the name of a member").at(TAG_ATTRIBUTE)),
        (Some(tag), Some(Json::Object(_))) if !types.is_empty() => {
            let named = |nested: &NestedCheck| Some((nested.name.clone()?, Arc::clone(&nested.check)));
            Ok(tagged_union(tag, types.into_iter().filter_map(named).collect()))
        }
        (None, Some(Json::Array(_))) if !types.is_empty() => {
            Ok(untagged_union(types.into_iter().map(|nested| Arc::clone(&nested.check)).collect()))
        }
        (Some(_), of) => {
            let error = arguments.error("a union with `tag` needs a schema in `of` for each value of the tag");
            let error = if of.is_some() { error.at(OF_ATTRIBUTE) } else { error };
            let form = "write `\"of\": {\"cat\": \"Cat\", \"dog\": \"Dog\"}`; a value that begins with `$` or `x-` \
                        needs an object: `\"x-cat\": {\"type\": \"Cat\"}`";
            Err(error.help(form))
        }
        (None, of) => {
            let error = arguments.error("a union needs the list of its types in `of`");
            let error = if of.is_some() { error.at(OF_ATTRIBUTE) } else { error };
            Err(error.help("write `\"of\": [\"int\", \"string\"]`, or add `tag`"))
        }
    }
}

// Unions with a tag: objects of several schemas, in which the value of a member says of which schema an object is.

/// `branches` has the type of the objects for each value of the member `tag`.
fn tagged_union(tag: &str, branches: Vec<(String, Arc<dyn Check>)>) -> Arc<dyn Check> {
    let indexes = branches.iter().enumerate().map(|(index, (value, _))| (value.clone(), index)).collect();
    Arc::new(TaggedUnion { tag: tag.to_owned(), branches, indexes, objects: OnceLock::new() })
}

#[derive(Debug)]
struct TaggedUnion {
    tag: String,
    /// The values of the tag, each with the type of the objects with this tag.
    branches: Vec<(String, Arc<dyn Check>)>,
    /// The index in `branches` of each value of the tag.
    indexes: HashMap<String, usize>,
    /// For each branch, the check of the objects with their tag. It is created when it is first needed, because a union
    /// can contain schemas that are compiled after it.
    objects: OnceLock<Vec<TaggedObject>>,
}

/// The objects with one value of the tag.
#[derive(Debug)]
struct TaggedObject {
    check: Arc<dyn Check>,
    schema: TaggedSchema,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TaggedSchema {
    /// The type of the branch itself contains the tag with its value.
    Branch,
    /// The type of the branch permits the tag, but not only with its value.
    BranchWithTag,
    /// The type of the branch does not permit the tag, so that it is repeated with the tag.
    Object,
}

impl TaggedObject {
    fn new(tag: &str, value: &str, branch: &Arc<dyn Check>) -> Self {
        let Some(mut shape) = branch.object_shape() else {
            return Self { check: Arc::clone(branch), schema: TaggedSchema::Branch };
        };
        let tag_field = tag_field(tag, value);
        let declared = shape.fields.iter_mut().find(|field| field.name == tag);
        let schema = match declared {
            Some(field) if !field.optional && constants_of(&*field.check) == Some(vec![json!(value)]) => {
                return Self { check: Arc::clone(branch), schema: TaggedSchema::Branch };
            }
            Some(field) => {
                *field = ObjectField { info: std::mem::take(&mut field.info), ..tag_field };
                TaggedSchema::BranchWithTag
            }
            None => {
                shape.fields.insert(0, tag_field);
                if shape.is_closed { TaggedSchema::Object } else { TaggedSchema::BranchWithTag }
            }
        };
        Self { check: object_check(shape), schema }
    }

    fn schema(&self, tag: &str, value: &str, branch: &dyn Check) -> Json {
        match self.schema {
            TaggedSchema::Branch => branch.schema(),
            TaggedSchema::Object => self.check.schema(),
            TaggedSchema::BranchWithTag => json!({ "allOf": [branch.schema(), {
                "type": "object",
                "properties": { (tag): constant_text(value).schema() },
                "required": [tag]
            }] }),
        }
    }
}

impl TaggedUnion {
    fn objects(&self) -> &[TaggedObject] {
        self.objects.get_or_init(|| {
            self.branches.iter().map(|(value, branch)| TaggedObject::new(&self.tag, value, branch)).collect()
        })
    }

    fn object(&self, value: &str) -> Option<&dyn Check> {
        let index = self.indexes.get(value)?;
        Some(&*self.objects()[*index].check)
    }

    /// Returns the values of the tag, each with the reference to its branch, for the branches that are schemas of the
    /// definition and contain the tag.
    fn mapping(&self) -> Map<String, Json> {
        let entry = |((value, branch), object): (&(String, Arc<dyn Check>), &TaggedObject)| {
            let Structure::Schema(schema) = branch.structure() else { return None };
            let reference = json!(format!("{SCHEMA_REFERENCE_PREFIX}{}", schema.key()));
            (object.schema == TaggedSchema::Branch).then(|| (value.clone(), reference))
        };
        self.branches.iter().zip(self.objects()).filter_map(entry).collect()
    }
}

impl Check for TaggedUnion {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        decode_json(text, &['{'])
    }

    fn decode_array<'a>(&self, array: PhpArray<'a>) -> Value<'a> {
        match array.text(&self.tag).and_then(|value| self.object(value)) {
            Some(object) => object.decode_array(array),
            None => array.into_value(),
        }
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        let Value::Map(members) = &*value else {
            return Err(TypeMismatch::new(self.expected(), value));
        };
        // If the name of a member occurs twice, the last member with this name is used.
        let tag = members.iter().rev().find(|(name, _)| **name == *self.tag).map(|(_, tag)| tag);
        let object = match tag {
            Some(Value::Text(text)) => self.object(text),
            _ => None,
        };
        let Some(object) = object else {
            let values: Vec<_> = self.branches.iter().map(|(value, _)| value.as_str()).collect();
            let expected = format!("one of {}", values.join(", "));
            let mismatch = match tag {
                Some(tag) => TypeMismatch::new(expected, tag),
                None => TypeMismatch::with_got(expected, "nothing"),
            };
            return Err(mismatch.inside(&format!(".{}", self.tag)));
        };
        object.check(value)
    }

    fn expected(&self) -> Cow<'static, str> {
        "an object".into()
    }

    fn in_words(&self) -> Cow<'static, str> {
        let words = |(value, branch): &(String, Arc<dyn Check>)| format!("{value} ({})", branch.in_words());
        format!("an object whose {} is {}", self.tag, join_branches(self.branches.iter().map(words))).into()
    }

    fn referenced_schemas(&self) -> Vec<Arc<NamedSchema>> {
        self.branches.iter().flat_map(|(_, branch)| branch.referenced_schemas()).collect()
    }

    fn late_error(&self) -> Option<ArgumentError> {
        let errors = self.branches.iter().enumerate().filter(|(_, (_, branch))| !contains_failed_type(branch));
        let errors = errors.filter_map(|(index, (value, branch))| {
            let path = nested_type_path(OF_ATTRIBUTE, index);
            let error = |message: String| ArgumentError::new(ArgumentErrorKind::Invalid, message).at(&path);
            let term = branch.type_expr().term;
            let Some(ObjectShape { fields, .. }) = branch.object_shape() else {
                let error = error(format!("`{}` is not a type of objects", term.escape_debug()));
                return Some(error.help("a union with `tag` contains schemas of objects; or remove `tag`"));
            };
            let of_objects = self.objects()[index].check.object_shape();
            if let Some((_, message)) = of_objects.as_ref().and_then(ObjectShape::count_error) {
                let tag = self.tag.escape_debug();
                let message =
                    format!("with the tag `{tag}`, no object of `{}` is valid: {message}", term.escape_debug());
                let error = ArgumentError::new(ArgumentErrorKind::Bounds, message).at(&path);
                return Some(error.help("the tag is one of the members; change the bounds of the schema"));
            }
            let declared = fields.iter().find(|field| field.name == self.tag)?;
            let is_valid = declared.check.checked(Value::Text(Cow::Borrowed(value))).is_ok();
            if is_valid || contains_failed_type(&declared.check) {
                return None;
            }
            let (tag, value) = (self.tag.escape_debug(), value.escape_debug());
            let error =
                error(format!("the tag `{tag}` cannot be `{value}`, because the field `{tag}` of `{term}` refuses it"));
            Some(error.help("rename the value of the tag, or let the field accept it"))
        });
        ArgumentError::join(errors.collect())
    }

    fn structure(&self) -> Structure {
        Structure::TaggedUnion { tag: self.tag.clone(), branches: self.branches.clone() }
    }

    fn schema(&self) -> Json {
        let branches = self.branches.iter().zip(self.objects());
        let schemas = branches.map(|((value, branch), object)| object.schema(&self.tag, value, &**branch));
        // The OpenAPI document completes the discriminator, which can only refer to components.
        let mut discriminator = json!({ "propertyName": self.tag });
        let mapping = self.mapping();
        if !mapping.is_empty() {
            discriminator["mapping"] = Json::Object(mapping);
        }
        json!({ "oneOf": schemas.collect::<Vec<_>>(), "discriminator": discriminator })
    }

    fn type_expr(&self) -> TypeExpr {
        let branches = self.branches.iter();
        // A definition ignores a member whose name begins like a comment, unless its value is an object.
        let of = branches.map(|(value, branch)| {
            let branch = branch.type_expr();
            (value.clone(), if is_comment_key(value) { branch.into_object() } else { branch.into_json() })
        });
        TypeExpr::term("union")
            .with(TAG_ATTRIBUTE, Some(self.tag.as_str()))
            .with(OF_ATTRIBUTE, Some(of.collect::<Json>()))
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        let of_branch = |((value, branch), object): (&(String, Arc<dyn Check>), &TaggedObject)| {
            // The branch of a schema around this one has no values, because they would never end.
            let values = branch.boundary_values();
            values
                .into_iter()
                .filter_map(|object| with_tag(object, &self.tag, value))
                .filter(|value| object.check.checked(value.clone()).is_ok())
                .collect::<Vec<_>>()
        };
        self.branches.iter().zip(self.objects()).flat_map(of_branch).collect()
    }

    fn example(&self) -> Option<Value<'static>> {
        let examples = self.branches.iter().filter_map(|(value, branch)| with_tag(branch.example()?, &self.tag, value));
        first_valid_value(self, examples)
    }
}

/// Adds a tag to an object, or replaces it. Returns `None` if the value is not an object.
fn with_tag(object: Value<'static>, tag: &str, value: &str) -> Option<Value<'static>> {
    let Value::Map(mut members) = object else { return None };
    let value = Value::Text(Cow::Owned(value.to_owned()));
    match members.iter_mut().find(|(name, _)| *name == tag) {
        Some((_, declared)) => *declared = value,
        None => members.insert(0, (Cow::Owned(tag.to_owned()), value)),
    }
    Some(Value::Map(members))
}

// Unions without a tag. No value can have two of the types, so that the kind of a value, a constant, or a member of an
// object with a constant says of which type the value is.

fn untagged_union(branches: Vec<Arc<dyn Check>>) -> Arc<dyn Check> {
    Arc::new(UntaggedUnion { branches, choice: OnceLock::new() })
}

#[derive(Debug)]
struct UntaggedUnion {
    branches: Vec<Arc<dyn Check>>,
    /// How a branch is chosen for a value. It is found when it is first needed, because a union can contain schemas
    /// that are compiled after it.
    choice: OnceLock<Choice>,
}

/// The characters with which a JSON value begins (RFC 8259 section 3).
const JSON_OPENINGS: [char; 17] = ['[', '{', '"', 't', 'f', 'n', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

impl UntaggedUnion {
    fn choice(&self) -> &Choice {
        self.choice.get_or_init(|| {
            // A union whose branches overlap is an error of the definition, so that it never checks a value.
            Choice::new(&self.branches).unwrap_or(Choice { by_kind: Default::default(), member: None })
        })
    }
}

impl Check for UntaggedUnion {
    /// If one of the types is an array or an object, JSON becomes the value that it denotes. Any other text becomes a
    /// value of the first type that it fits. It never becomes an array with one item, because a union can be the type
    /// of the items.
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        let by_kind = &self.choice().by_kind;
        let is_structured = !by_kind[ARRAY].is_empty() || !by_kind[OBJECT].is_empty();
        if is_structured && text.trim_start().starts_with(JSON_OPENINGS) {
            let json = decode_json(Cow::Borrowed(&*text), &JSON_OPENINGS);
            let is_decoded = !matches!(&json, Value::Text(same) if *same == text);
            if is_decoded && kind_index(&json).is_some_and(|kind| !by_kind[kind].is_empty()) {
                return json.into_owned();
            }
        }
        let is_scalar = |index: &usize| by_kind[..ARRAY].iter().any(|indexes| indexes.contains(index));
        for branch in (0..self.branches.len()).filter(is_scalar).map(|index| &self.branches[index]) {
            let value = branch.decode(Cow::Borrowed(&*text));
            if branch.checked(value.reborrow()).is_ok() {
                return branch.decode(text);
            }
        }
        Value::Text(text)
    }

    /// The brackets of an object have names, those of an array have indexes.
    fn decode_array<'a>(&self, array: PhpArray<'a>) -> Value<'a> {
        let Choice { by_kind, member } = self.choice();
        let of_member = |choice: &ChoiceMember| choice.branch_of_text(array.text(&choice.name)?);
        let of_object = member.as_ref().map_or(by_kind[OBJECT].first().copied(), of_member);
        let of_array = by_kind[ARRAY].first().copied();
        let branch = if array.has_only_indexes() { of_array.or(of_object) } else { of_object.or(of_array) };
        match branch {
            Some(index) => self.branches[index].decode_array(array),
            None => array.into_value(),
        }
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        match self.choice().branches(value) {
            [] => {
                // An object is nearest to the types of objects, which differ in this member.
                if let (Value::Map(members), Some(choice)) = (&*value, &self.choice().member) {
                    return Err(choice.mismatch(choice.value_in(members)));
                }
            }
            [only] => {
                return self.branches[*only].check(value).map_err(|mut mismatch| {
                    if mismatch.path.is_empty() {
                        mismatch.expected = self.expected();
                    }
                    mismatch
                });
            }
            // The branches are constants, so that no deep value is checked twice.
            several => {
                let fits = |index: &&usize| self.branches[**index].checked(value.reborrow()).is_ok();
                if let Some(index) = several.iter().find(fits) {
                    return self.branches[*index].check(value);
                }
            }
        }
        Err(TypeMismatch::new(self.expected(), value))
    }

    fn expected(&self) -> Cow<'static, str> {
        join_branches(self.branches.iter().map(|branch| branch.expected().into_owned())).into()
    }

    fn in_words(&self) -> Cow<'static, str> {
        let words = |branch: &Arc<dyn Check>| match values_of(&**branch).constants().as_deref() {
            // Only a type that is not one of several has "always" the same value.
            Some([Json::String(text)]) => text.clone(),
            Some([constant]) => constant.to_string(),
            _ => branch.in_words().into_owned(),
        };
        join_words(self.branches.iter().map(words)).into()
    }

    fn referenced_schemas(&self) -> Vec<Arc<NamedSchema>> {
        self.branches.iter().flat_map(|branch| branch.referenced_schemas()).collect()
    }

    fn late_error(&self) -> Option<ArgumentError> {
        // Nothing is known of the values of a type with an error.
        let branches = self.branches.iter().filter(|branch| !contains_failed_type(branch)).cloned().collect::<Vec<_>>();
        let (one, other) = Choice::new(&branches).err()?;
        let term = |index: usize| branches[index].type_expr().term;
        let message = format!("a value can be both `{}` and `{}`", term(one), term(other));
        let error = ArgumentError::new(ArgumentErrorKind::Overlap, message).at(OF_ATTRIBUTE);
        let [one, other] = [one, other].map(|index| values_of(&*branches[index]));
        let common: Vec<usize> = (0..KINDS.len()).filter(|kind| one.accepts(*kind) && other.accepts(*kind)).collect();
        Some(error.help(if common == [NULL] {
            "let only one of them accept null: a `?` before a type is enough for the union"
        } else if common.contains(&OBJECT) {
            "give each a required field with another `const`, or add `tag` to the union"
        } else {
            "the types must differ in the kind of their JSON values, or be constants"
        }))
    }

    fn structure(&self) -> Structure {
        Structure::Union(self.branches.clone())
    }

    fn schema(&self) -> Json {
        json!({ "oneOf": self.branches.iter().map(|branch| branch.schema()).collect::<Vec<_>>() })
    }

    fn type_expr(&self) -> TypeExpr {
        let of: Json = self.branches.iter().map(|branch| branch.type_expr().into_json()).collect();
        TypeExpr::term("union").with(OF_ATTRIBUTE, Some(of))
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        self.branches.iter().flat_map(|branch| branch.boundary_values()).collect()
    }

    fn example(&self) -> Option<Value<'static>> {
        self.branches.iter().find_map(|branch| branch.example())
    }

    fn text_for(&self, value: &str) -> Option<String> {
        self.branches.iter().find_map(|branch| branch.text_for(value))
    }

    fn accepts_null(&self) -> bool {
        self.branches.iter().any(|branch| branch.accepts_null())
    }

    fn reads_null_text(&self) -> bool {
        self.branches.iter().any(|branch| branch.reads_null_text())
    }
}

/// How a branch is chosen for a value.
#[derive(Debug)]
struct Choice {
    /// For each [kind](kind_index), the indexes of the branches that accept values of this kind. Several branches of a
    /// kind are limited to different constants, except for objects.
    by_kind: [Vec<usize>; 6],
    /// The member of objects that identifies the branch of an object; `None` if at most one branch accepts objects.
    member: Option<ChoiceMember>,
}

/// A required member that all branches of objects have, each with other constants.
#[derive(Debug)]
struct ChoiceMember {
    name: String,
    /// The index of the branch for each constant that is a text.
    texts: HashMap<String, usize>,
    /// The other constants, each with the index of its branch.
    others: Vec<(Value<'static>, usize)>,
    /// The check of the member in each branch, and the index of the branch.
    checks: Vec<(Arc<dyn Check>, usize)>,
}

impl ChoiceMember {
    /// Returns the value of the member in an object. If the name occurs twice, the last member with this name is used.
    fn value_in<'v, 'a>(&self, members: &'v [(Cow<'_, str>, Value<'a>)]) -> Option<&'v Value<'a>> {
        members.iter().rev().find(|(name, _)| **name == *self.name).map(|(_, value)| value)
    }

    fn branch(&self, value: &Value<'_>) -> Option<&usize> {
        match value {
            Value::Text(text) => self.texts.get(&**text),
            other => {
                let value = normalized_number(other.reborrow());
                self.others.iter().find(|(constant, _)| *constant == value).map(|(_, index)| index)
            }
        }
    }

    /// Returns the index of the branch of an object whose member is sent as a text, for example in brackets.
    fn branch_of_text(&self, text: &str) -> Option<usize> {
        let fits = |check: &dyn Check| check.checked(check.decode(Cow::Borrowed(text))).is_ok();
        let of_check = || self.checks.iter().find(|(check, _)| fits(&**check)).map(|(_, index)| *index);
        self.texts.get(text).copied().or_else(of_check)
    }

    /// Returns the error of an object whose member has no constant of a branch. `member` is the value of the member.
    fn mismatch(&self, member: Option<&Value<'_>>) -> TypeMismatch {
        let mut constants: Vec<_> = self.texts.iter().map(|(text, index)| (*index, text.clone())).collect();
        constants.extend(self.others.iter().map(|(constant, index)| (*index, constant.to_json().to_string())));
        constants.sort();
        let constants: Vec<_> = constants.into_iter().map(|(_, constant)| constant).collect();
        let expected = format!("one of {}", constants.join(", "));
        let mismatch = match member {
            Some(member) => TypeMismatch::new(expected, member),
            None => TypeMismatch::with_got(expected, "nothing"),
        };
        mismatch.inside(&format!(".{}", self.name))
    }

    /// Adds a constant. Returns the index of its branch if it has another one.
    fn insert(&mut self, constant: &Json, index: usize) -> Option<usize> {
        let constant = normalized_number(Value::from(constant)).into_owned();
        if let Some(other) = self.branch(&constant).copied() {
            return Some(other).filter(|other| *other != index);
        }
        match constant {
            Value::Text(text) => {
                self.texts.insert(text.into_owned(), index);
            }
            other => self.others.push((other, index)),
        }
        None
    }
}

impl Choice {
    /// Finds how a branch is chosen. Fails with the indexes of two branches if the same value can belong to both.
    fn new(branches: &[Arc<dyn Check>]) -> Result<Self, (usize, usize)> {
        let values: Vec<Values> = branches.iter().map(|branch| values_of(&**branch)).collect();
        let by_kind: [Vec<usize>; 6] =
            std::array::from_fn(|kind| (0..branches.len()).filter(|index| values[*index].accepts(kind)).collect());
        for (kind, indexes) in by_kind.iter().enumerate() {
            if indexes.len() < 2 || kind == OBJECT {
                continue;
            }
            let mut seen: HashMap<String, usize> = HashMap::new();
            for index in indexes {
                let Some(constants) = &values[*index].0[kind] else {
                    let other = if indexes[0] == *index { indexes[1] } else { indexes[0] };
                    return Err((other.min(*index), other.max(*index)));
                };
                for constant in constants {
                    if let Some(other) = seen.insert(constant.to_string(), *index).filter(|other| other != index) {
                        return Err((other, *index));
                    }
                }
            }
        }
        let objects = &by_kind[OBJECT];
        let member = if objects.len() < 2 { None } else { Some(choice_member(branches, objects)?) };
        Ok(Self { by_kind, member })
    }

    /// Returns the indexes of the branches to which a value can belong.
    fn branches(&self, value: &Value<'_>) -> &[usize] {
        let Some(kind) = kind_index(value) else { return &[] };
        let (Value::Map(members), Some(choice)) = (value, &self.member) else { return &self.by_kind[kind] };
        let index = choice.value_in(members).and_then(|value| choice.branch(value));
        index.map_or(&[], std::slice::from_ref)
    }
}

/// Finds a required member that all objects of the branches `objects` have, each with other constants. Fails with the
/// indexes of two branches if no member is such a member.
fn choice_member(branches: &[Arc<dyn Check>], objects: &[usize]) -> Result<ChoiceMember, (usize, usize)> {
    let mut conflict = (objects[0], objects[1]);
    let lists = objects.iter().flat_map(|index| {
        // Objects without known fields have no such member.
        let lists = field_lists(&*branches[*index]).unwrap_or_else(|| vec![Vec::new()]);
        lists.into_iter().map(|fields| (*index, fields))
    });
    let lists: Vec<(usize, Vec<ObjectField>)> = lists.collect();
    for name in lists.iter().take(1).flat_map(|(_, fields)| fields).map(|field| &field.name) {
        let (texts, others, checks) = (HashMap::new(), Vec::new(), Vec::new());
        let mut found = ChoiceMember { name: name.clone(), texts, others, checks };
        let is_choice = lists.iter().all(|(index, fields)| {
            let field = fields.iter().find(|field| field.name == *name && !field.optional);
            field.is_some_and(|field| {
                let constants = constants_of(&*field.check).unwrap_or_default();
                found.checks.push((Arc::clone(&field.check), *index));
                !constants.is_empty()
                    && constants.iter().all(|constant| match found.insert(constant, *index) {
                        Some(other) => {
                            conflict = (other, *index);
                            false
                        }
                        None => true,
                    })
            })
        });
        if is_choice {
            return Ok(found);
        }
    }
    Err(conflict)
}

/// Returns the fields of each type of objects that `check` accepts; `None` if their fields are not known.
fn field_lists(check: &dyn Check) -> Option<Vec<Vec<ObjectField>>> {
    match check.structure() {
        Structure::Object(shape) => Some(vec![shape.fields]),
        Structure::Schema(schema) => field_lists(&*schema.check),
        Structure::Nullable(check) => field_lists(&*check),
        Structure::Union(branches) => {
            let objects = branches.iter().filter(|branch| values_of(&***branch).accepts(OBJECT));
            Some(objects.map(|branch| field_lists(&**branch)).collect::<Option<Vec<_>>>()?.concat())
        }
        Structure::TaggedUnion { tag, branches } => {
            let of_branch = |(value, branch): &(String, Arc<dyn Check>)| {
                let mut fields = branch.object_shape()?.fields;
                fields.retain(|field| field.name != tag);
                fields.insert(0, tag_field(&tag, value));
                Some(fields)
            };
            branches.iter().map(of_branch).collect()
        }
        Structure::Scalar | Structure::Array(_) | Structure::Map(_) => None,
    }
}

/// Returns the field with the tag of a union in the objects whose tag has this value.
fn tag_field(tag: &str, value: &str) -> ObjectField {
    let check = constant_text(value);
    ObjectField { name: tag.to_owned(), info: String::new(), optional: false, check, example: None }
}

/// The kinds of JSON values. A whole number is a number.
const KINDS: [&str; 6] = ["null", "boolean", "number", "string", "array", "object"];

const NULL: usize = 0;
const ARRAY: usize = 4;
const OBJECT: usize = 5;

/// Returns the index in [`KINDS`] of a value's kind; `None` for files.
fn kind_index(value: &Value<'_>) -> Option<usize> {
    Some(match value {
        Value::Null => NULL,
        Value::Bool(_) => 1,
        Value::Int(_) | Value::Uint(_) | Value::Float(_) => 2,
        Value::Text(_) => 3,
        Value::List(_) => ARRAY,
        Value::Map(_) => OBJECT,
        Value::File(_) => return None,
    })
}

/// What is known of the values of a type: for each of [`KINDS`], the constants that the values of this kind are, or
/// `None` if they are not constants.
struct Values([Option<Vec<Json>>; 6]);

fn values_of(check: &dyn Check) -> Values {
    values_of_schema(&check.schema(), check)
}

/// Returns all values that `check` accepts, if they are constants. The JSON Schema of a type that refers to schemas is
/// not used, because these schemas may contain the union whose JSON Schema depends on the constants.
pub(super) fn constants_of(check: &dyn Check) -> Option<Vec<Json>> {
    match check.structure() {
        Structure::Scalar if check.referenced_schemas().is_empty() => values_of(check).constants(),
        Structure::Schema(schema) => constants_of(&*schema.check),
        Structure::Nullable(check) => constants_of(&*check).map(|constants| [constants, vec![Json::Null]].concat()),
        Structure::Union(branches) => {
            let constants: Option<Vec<_>> = branches.iter().map(|branch| constants_of(&**branch)).collect();
            constants.map(|constants| constants.concat())
        }
        _ => None,
    }
}

/// Returns the kinds of the values that are valid against a JSON Schema, whose references lead to the schemas of
/// `check`. References form no circle, because schemas that refer to themselves directly are errors.
fn values_of_schema(schema: &Json, check: &dyn Check) -> Values {
    if let Some(key) = reference_key(schema) {
        let referenced = check.referenced_schemas();
        let target = referenced.iter().find(|schema| schema.key() == key);
        return target.map_or_else(Values::anything, |target| values_of_schema(&target.check.schema(), &*target.check));
    }
    if let Some(branches) = branches(schema) {
        let mut values = Values::of_constants(&[]);
        branches.iter().for_each(|branch| values.add(&values_of_schema(branch, check)));
        return values;
    }
    if let Some(constants) = constants(schema) {
        return Values::of_constants(constants);
    }
    // The parts of `allOf` describe objects with a tag.
    let names = match schema.get("type") {
        None if schema.get("allOf").is_some() => vec!["object"],
        None => return Values::anything(),
        names => kinds(names),
    };
    let mut values = Values::of_constants(&[]);
    for name in names {
        match name {
            "null" => values.add(&Values::of_constants(&[Json::Null])),
            "boolean" => values.add(&Values::of_constants(&[json!(false), json!(true)])),
            name => {
                let name = if name == "integer" { "number" } else { name };
                KINDS
                    .iter()
                    .zip(&mut values.0)
                    .filter(|(kind, _)| **kind == name)
                    .for_each(|(_, values)| *values = None);
            }
        }
    }
    values
}

impl Values {
    fn anything() -> Self {
        Self([const { None }; 6])
    }

    fn of_constants(constants: &[Json]) -> Self {
        let is_of = |kind: usize, json: &Json| kind_index(&Value::from(json)) == Some(kind);
        Self(std::array::from_fn(|kind| Some(constants.iter().filter(|json| is_of(kind, json)).cloned().collect())))
    }

    fn add(&mut self, other: &Self) {
        for (values, more) in self.0.iter_mut().zip(&other.0) {
            *values = values.take().zip(more.as_ref()).map(|(values, more)| [&values[..], more].concat());
        }
    }

    /// Returns `true` if a value can have the kind with this index in [`KINDS`].
    fn accepts(&self, kind: usize) -> bool {
        self.0[kind].as_ref().is_none_or(|constants| !constants.is_empty())
    }

    fn constants(self) -> Option<Vec<Json>> {
        self.0.into_iter().collect::<Option<Vec<_>>>().map(|constants| constants.concat())
    }
}
