//! The types `array<T>`, `filled_array` (with at least one item) and `loose_array` (an array or an object), and how the
//! text of a parameter becomes the items of an array.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::bounds::Bounds;
use super::simple_type::{any_check, decode_json};
use super::table::{FIELDS_ATTRIBUTE, ITEMS_ATTRIBUTE};
use super::{
    ArgumentError, Arity, Check, MaxSize, NamedSchema, ObjectField, Structure, TypeArgument, TypeArguments, TypeExpr,
    decode_item, first_valid_value, keep_valid_values, simple_type,
};
use crate::call::{Measure, PhpArray, TypeMismatch, Value, Violation};

#[derive(Debug)]
struct ArrayCheck {
    type_name: &'static str,
    item_check: Arc<dyn Check>,
    /// The bounds of the number of items, or of members if the value is an object.
    item_count: Bounds<u64>,
    text_decoding: TextDecoding,
    /// If `true`, objects are valid too, and `item_check` checks the value of each member.
    accepts_objects: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArrayKind {
    Any,
    /// Arrays with at least one item.
    Filled,
    /// Arrays and objects.
    Loose,
}

pub(super) fn compile(kind: ArrayKind, arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    let accepts_objects = kind == ArrayKind::Loose;
    let type_name = if accepts_objects { "loose_array" } else { "array" };
    let item = match arguments.positional {
        [] => any_check(),
        [TypeArgument::Type(item)] => Arc::clone(item),
        _ => {
            return Err(arguments
                .error(format!("`{type_name}` has one argument, the type of its items, in `<>`"))
                .help(format!("write `{type_name}<int>`")));
        }
    };
    if item.arity() == Arity::Files {
        let error = arguments
            .error("an array of files cannot be an item of an array, because multipart bodies have no nested parts");
        return Err(error.help("write `array<file>`"));
    }
    check_items_attribute(type_name, arguments)?;
    if arguments.fields.is_some() {
        return Err(arguments
            .error("only objects have `fields`")
            .at(FIELDS_ATTRIBUTE)
            .help(format!("write `{type_name}<object>`")));
    }
    // `Bounds` reads bounds from the arguments of a term. The argument of an array is the type of its items, so it is
    // hidden.
    let attributes_only = TypeArguments { positional: &[], ..*arguments };
    let item_count = Bounds::from_arguments(&attributes_only, false)?;
    let text_decoding = TextDecoding::from_arguments(arguments)?;
    let item_count = if kind == ArrayKind::Filled { item_count.with_default_min_one()? } else { item_count };
    Ok(Arc::new(ArrayCheck { type_name, item_check: item, item_count, text_decoding, accepts_objects }))
}

/// Checks that the attribute `items` is an object, whose content the compiler of terms has already used.
fn check_items_attribute(name: &str, arguments: &TypeArguments<'_>) -> Result<(), ArgumentError> {
    let error = |message: &str| arguments.error(message).at(ITEMS_ATTRIBUTE);
    match arguments.attributes.get(ITEMS_ATTRIBUTE) {
        Some(Json::Object(_)) if arguments.positional.is_empty() => {
            Err(error("`items` requires the type of the items").help(format!("write `{name}<int>`")))
        }
        None | Some(Json::Object(_)) => Ok(()),
        Some(_) => Err(error("`items` must be an object").help("write `\"items\": {\"max\": 5}`")),
    }
}

impl ArrayCheck {
    fn decode_items<'a>(&self, texts: Vec<Cow<'a, str>>) -> Value<'a> {
        Value::List(texts.into_iter().map(|text| self.item_check.decode(text)).collect())
    }
}

impl Check for ArrayCheck {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        let openings: &[char] = if self.accepts_objects { &['[', '{'] } else { &['['] };
        match (decode_json(text, openings), &self.text_decoding) {
            // A text that begins like a JSON array but is not valid JSON must be rejected. It must not become an item.
            (Value::Text(text), _) if text.trim_start().starts_with(openings) => Value::Text(text),
            (Value::Text(text), TextDecoding::Json) => Value::Text(text),
            (Value::Text(text), TextDecoding::SingleItem) => self.decode_items(vec![text]),
            (Value::Text(text), TextDecoding::Split { separator, trims_items }) => {
                match split_items(&text, separator, *trims_items) {
                    Some(items) => self.decode_items(items),
                    None => Value::Text(text),
                }
            }
            (json, _) => json,
        }
    }

    fn decode_many<'a>(&self, mut texts: Vec<Cow<'a, str>>) -> Value<'a> {
        match texts.len() {
            1 => self.decode(texts.swap_remove(0)),
            _ => self.decode_items(texts),
        }
    }

    /// Orders the items by their indexes, which have gaps after a script has removed a row of a form.
    fn decode_array<'a>(&self, array: PhpArray<'a>) -> Value<'a> {
        if !self.accepts_objects && array.has_only_indexes() {
            let items = array.into_sorted_items().into_iter();
            return Value::List(items.map(|item| decode_item(&*self.item_check, item)).collect());
        }
        array.into_value_with(&mut |item| decode_item(&*self.item_check, item))
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        if self.accepts_objects
            && let Value::Map(members) = value
        {
            super::object::refuse_repeated_members(members)?;
        }
        let count = match value {
            Value::List(items) => items.len(),
            Value::Map(members) if self.accepts_objects => members.len(),
            _ => {
                let is_invalid_json = self.text_decoding == TextDecoding::Json && matches!(value, Value::Text(_));
                return Err(TypeMismatch::new(self.expected(), value)
                    .with_violation(is_invalid_json.then_some(Violation::Json)));
            }
        };
        if !self.item_count.contains_count(count) {
            let Bounds { min, max } = self.item_count;
            let violation = Violation::of_bounds(Measure::Count, min, max, count as u64);
            return Err(TypeMismatch::new(self.expected(), value).with_violation(violation));
        }
        match value {
            Value::List(items) => items.iter_mut().enumerate().try_for_each(|(index, item)| {
                self.item_check.check(item).map_err(|mismatch| mismatch.inside(&format!("[{index}]")))
            }),
            Value::Map(members) => members.iter_mut().try_for_each(|(key, member)| {
                self.item_check.check(member).map_err(|mismatch| mismatch.inside(&format!(".{key}")))
            }),
            _ => Ok(()),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        let noun = if self.accepts_objects { "an array or object" } else { "an array" };
        let mut phrase = format!("{noun}{}", self.item_count.count_phrase("item"));
        // A JSON Schema cannot describe files, so the phrase describes the files.
        if self.arity() == Arity::Files {
            phrase.push_str(", each ");
            phrase.push_str(&self.item_check.expected());
        }
        phrase.into()
    }

    fn in_words(&self) -> Cow<'static, str> {
        let noun = if self.accepts_objects { "a list or object" } else { "a list" };
        let count = self.item_count.count_phrase("item");
        // Items that can be any value are not described.
        let each = if self.item_check.type_expr() == TypeExpr::term("any") {
            String::new()
        } else {
            let item = if count.is_empty() { " item" } else { "" };
            format!(", each{item} {}", self.item_check.in_words())
        };
        format!("{noun}{count}{each}").into()
    }

    fn members(&self) -> &[ObjectField] {
        self.item_check.members()
    }

    fn referenced_schemas(&self) -> Vec<Arc<NamedSchema>> {
        self.item_check.referenced_schemas()
    }

    fn structure(&self) -> Structure {
        if self.accepts_objects { Structure::Scalar } else { Structure::Array(Arc::clone(&self.item_check)) }
    }

    fn schema(&self) -> Json {
        let item = self.item_check.schema();
        let accepts_anything = item == json!({});
        let mut schema = json!({ "type": "array" });
        let mut object = json!({ "type": "object" });
        if !accepts_anything {
            schema["items"] = item.clone();
            object["additionalProperties"] = item;
        }
        self.item_count.insert_keywords(&mut schema, "minItems", "maxItems");
        if !self.accepts_objects {
            return schema;
        }
        self.item_count.insert_keywords(&mut object, "minProperties", "maxProperties");
        json!({ "anyOf": [schema, object] })
    }

    fn type_expr(&self) -> TypeExpr {
        let item = item_type_expr(self.item_check.type_expr());
        let term = match item.term.as_str() {
            "any" => self.type_name.to_owned(),
            item => format!("{}<{item}>", self.type_name),
        };
        let type_expr = self.item_count.type_expr_with_attributes(term);
        let type_expr = match &self.text_decoding {
            TextDecoding::SingleItem => type_expr,
            TextDecoding::Json => type_expr.with("format", Some("json")),
            TextDecoding::Split { separator, trims_items } => {
                let type_expr = type_expr.with("format", Some(if *trims_items { "list" } else { "explode" }));
                type_expr.with("separator", Some(separator.as_str()).filter(|separator| *separator != ","))
            }
        };
        with_item_attributes(type_expr, item.attributes)
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        let items = self.item_check.boundary_values();
        let min = self.item_count.min.unwrap_or(0);
        let min = usize::try_from(min).unwrap_or(usize::MAX);
        let max = usize::try_from(self.item_count.max.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        if min > simple_type::MAX_DECODED_ITEMS as usize {
            return Vec::new();
        }
        let mut candidates = Vec::new();
        let fits = |first: &&Value<'_>| min.saturating_mul(count_nested_values(first)) <= MAX_REQUIRED_VALUES;
        if let Some(first) = items.first().filter(fits) {
            candidates.push(vec![first.clone(); min]);
        } else if min == 0 {
            candidates.push(Vec::new());
        }
        // An array has one item for each boundary value of the item type. If nested arrays make this array too large,
        // it has only one item.
        let sizes: usize = items.iter().map(count_nested_values).sum();
        let all = items.into_iter().take(if sizes <= MAX_NESTED_VALUES { max } else { max.min(1) });
        let mut one_of_each: Vec<_> = all.collect();
        if let Some(last) = one_of_each.last().filter(fits).cloned() {
            one_of_each.resize(one_of_each.len().max(min), last);
        }
        candidates.push(one_of_each.clone());
        let mut candidates: Vec<_> = candidates.into_iter().map(Value::List).collect();
        if self.accepts_objects && self.arity() != Arity::Files {
            let member = |(index, item)| (Cow::Owned(format!("key{index}")), item);
            candidates.push(Value::Map(one_of_each.into_iter().enumerate().map(member).collect()));
        }
        keep_valid_values(self, candidates)
    }

    fn example(&self) -> Option<Value<'static>> {
        if self.arity() == Arity::Files {
            return None;
        }
        let min = usize::try_from(self.item_count.min.unwrap_or(0)).unwrap_or(usize::MAX);
        let limit = if min == 0 { MAX_NESTED_VALUES } else { MAX_REQUIRED_VALUES };
        let fits = |item: &Value<'_>| min.max(1).saturating_mul(count_nested_values(item)) <= limit;
        let item = self.item_check.example().filter(fits);
        first_valid_value(self, item.map(|item| Value::List(vec![item; min.max(1)])))
    }

    fn arity(&self) -> Arity {
        match self.item_check.arity() {
            Arity::File | Arity::Files => Arity::Files,
            Arity::One | Arity::Many => Arity::Many,
        }
    }

    fn late_error(&self) -> Option<ArgumentError> {
        self.item_check.late_error()
    }

    fn max_size(&self) -> MaxSize {
        MaxSize { items: self.item_count.max, bytes: self.item_check.max_size().bytes }
    }

    fn accepts_file(&self, filename: &str, media_type: &str) -> bool {
        self.item_check.accepts_file(filename, media_type)
    }
}

/// Adds the attributes of the items to the notation of an array: `fields`, and the others within `items`.
pub(super) fn with_item_attributes(array: TypeExpr, mut items: Map<String, Json>) -> TypeExpr {
    let fields = items.remove(FIELDS_ATTRIBUTE);
    array.with(ITEMS_ATTRIBUTE, Some(items).filter(|items| !items.is_empty())).with(FIELDS_ATTRIBUTE, fields)
}

/// Returns the notation of an item type in a term, with `filled_array` and `filled_object` in place of `"min": 1`.
pub(super) fn item_type_expr(mut type_expr: TypeExpr) -> TypeExpr {
    let name = type_expr.term.trim_start_matches('?');
    let is_filled = matches!(name.split('<').next(), Some("array" | "object"))
        && type_expr.attributes.get("min").is_some_and(|min| *min == json!(1))
        && type_expr.attributes.keys().all(|key| key == "min" || key == FIELDS_ATTRIBUTE);
    if is_filled {
        let name_start = type_expr.term.len() - name.len();
        type_expr.term.insert_str(name_start, "filled_");
        type_expr.attributes.remove("min");
    }
    type_expr
}

/// The maximum number of nested values in an example or boundary value, as [`count_nested_values`] counts them.
const MAX_NESTED_VALUES: usize = 256;

/// The maximum number of nested values of an array or a map that must have several items.
pub(super) const MAX_REQUIRED_VALUES: usize = 20_000;

/// Returns the number of values that `value` contains at all levels of nesting, including `value` itself.
pub(super) fn count_nested_values(value: &Value<'_>) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(count_nested_values).sum::<usize>(),
        Value::Map(members) => 1 + members.iter().map(|(_, member)| count_nested_values(member)).sum::<usize>(),
        _ => 1,
    }
}

/// The conversion of a parameter's text to an array if the text does not begin like a JSON array.
#[derive(Debug, Clone, PartialEq)]
enum TextDecoding {
    /// The text becomes the only item of the array (the definition has no `format`).
    SingleItem,
    /// The text is split at a separator (`"format": "explode"` or `"format": "list"`).
    Split {
        separator: String,
        /// `true` if blanks around the items are removed (`"format": "list"`).
        trims_items: bool,
    },
    /// The text is not converted, because it must be JSON (`"format": "json"`).
    Json,
}

impl TextDecoding {
    pub(super) fn from_arguments(arguments: &TypeArguments<'_>) -> Result<Self, ArgumentError> {
        let separator = arguments.text("separator")?;
        match (arguments.text("format")?, separator) {
            (None, None) => Ok(Self::SingleItem),
            (Some("json"), None) => Ok(Self::Json),
            (Some("explode" | "list"), Some("")) => Err(arguments.error("`separator` is empty").at("separator")),
            (Some(format @ ("explode" | "list")), separator) => {
                Ok(Self::Split { separator: separator.unwrap_or(",").to_owned(), trims_items: format == "list" })
            }
            (None | Some("json"), Some(_)) => Err(arguments
                .error("`separator` requires the format `explode` or `list`")
                .at("separator")
                .help("add `\"format\": \"explode\"`")),
            (Some(_), _) => Err(arguments
                .error("the `format` of an array must be `explode`, `list` or `json`")
                .at("format")
                .help("remove `format` to treat a single text as the only item")),
        }
    }
}

/// Splits `text` at `separator`, and removes the blanks around the items if `trims_items` is `true`. An empty text has
/// no items. Returns `None` if there are more than [`simple_type::MAX_DECODED_ITEMS`] items.
fn split_items<'a>(text: &Cow<'a, str>, separator: &str, trims_items: bool) -> Option<Vec<Cow<'a, str>>> {
    match text {
        Cow::Borrowed(text) => split(text, separator, trims_items, Cow::Borrowed),
        Cow::Owned(text) => split(text, separator, trims_items, |item| Cow::Owned(item.to_owned())),
    }
}

fn split<'t, T>(text: &'t str, separator: &str, trims_items: bool, convert: fn(&'t str) -> T) -> Option<Vec<T>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let trim = |item: &'t str| if trims_items { item.trim_matches([' ', '\t']) } else { item };
    let limit = simple_type::MAX_DECODED_ITEMS as usize;
    let items: Vec<T> = text.split(separator).take(limit + 1).map(|item| convert(trim(item))).collect();
    (items.len() <= limit).then_some(items)
}
