//! `array<T>`: lists of values of one type. `filled_array` is one of them that is not empty, `loose_array` also
//! takes objects.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::any::{self, any, decode_json};
use super::bounds::Bounds;
use super::check::{example, passing};
use super::table::ITEMS;
use super::{Argument, ArgumentError, Arguments, Check, Most, Takes, Written};
use crate::call::{Broken, Measure, Mismatch, Value};

/// The attribute of the members of objects.
const FIELDS: &str = "fields";

/// How a single text becomes a list, unless it is JSON.
#[derive(Debug, Clone, PartialEq)]
enum Format {
    /// It is the one item.
    Single,
    /// It is split at a separator.
    Explode(String),
    /// Not at all.
    Json,
}

#[derive(Debug)]
struct Array {
    name: &'static str,
    item: Arc<dyn Check>,
    count: Bounds<u64>,
    format: Format,
    /// Whether objects pass too.
    objects: bool,
}

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(read("array", false, arguments)?))
}

pub(super) fn filled(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    let array = read("array", false, arguments)?;
    Ok(Arc::new(Array { count: array.count.filled()?, ..array }))
}

pub(super) fn loose(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(read("loose_array", true, arguments)?))
}

fn read(name: &'static str, objects: bool, arguments: &Arguments<'_>) -> Result<Array, ArgumentError> {
    let item = match arguments.terms {
        [] => any(),
        [Argument::Type(item)] => Arc::clone(item),
        _ => {
            return Err(arguments
                .bad(format!("`{name}` takes the type of its items in `<>`"))
                .help(format!("write `{name}<int>`")));
        }
    };
    if item.takes() == Takes::Files {
        let error = arguments.bad("lists of files do not stand in lists: a multipart body has no such thing");
        return Err(error.help("write `array<file>`"));
    }
    judge_items(name, arguments)?;
    if arguments.fields.is_some() {
        return Err(arguments
            .bad("`fields` are those of objects")
            .at("fields")
            .help(format!("write `{name}<object>`")));
    }
    let unbounded = Arguments { terms: &[], ..*arguments };
    let count = Bounds::read(&unbounded, false)?;
    let separator = arguments.text("separator")?;
    let format = match (arguments.text("format")?, separator) {
        (None, None) => Format::Single,
        (Some("json"), None) => Format::Json,
        (Some("explode"), Some("")) => return Err(arguments.bad("`separator` is empty").at("separator")),
        (Some("explode"), separator) => Format::Explode(separator.unwrap_or(",").to_owned()),
        (None | Some("json"), Some(_)) => {
            return Err(arguments
                .bad("`separator` goes with the format `explode`")
                .at("separator")
                .help("add `\"format\": \"explode\"`"));
        }
        (Some(_), _) => {
            return Err(arguments
                .bad("the `format` of a list is `explode` or `json`")
                .at("format")
                .help("leave `format` out for a single item"));
        }
    };
    Ok(Array { name, item, count, format, objects })
}

/// Judges `items`, whose attributes the items have been compiled from.
fn judge_items(name: &str, arguments: &Arguments<'_>) -> Result<(), ArgumentError> {
    let error = |message: &str| arguments.bad(message).at(ITEMS);
    match arguments.attributes.get(ITEMS) {
        Some(Json::Object(_)) if arguments.terms.is_empty() => {
            Err(error("`items` stands beside the type of the items, and there is none")
                .help(format!("write `{name}<int>`")))
        }
        None | Some(Json::Object(_)) => Ok(()),
        Some(_) => Err(error("`items` is an object").help("write `\"items\": {\"max\": 5}`")),
    }
}

/// `text` cut at `separator`, each part borrowing from it where it did; none
/// where there are too many parts, and an empty text has none.
fn explode<'a>(text: &Cow<'a, str>, separator: &str) -> Option<Vec<Cow<'a, str>>> {
    let limit = any::ITEMS as usize;
    let parts: Vec<_> = match text {
        Cow::Borrowed("") => Vec::new(),
        Cow::Borrowed(text) => text.split(separator).take(limit + 1).map(Cow::Borrowed).collect(),
        Cow::Owned(text) if text.is_empty() => Vec::new(),
        Cow::Owned(text) => {
            let parts = text.split(separator).take(limit + 1);
            parts.map(|part| Cow::Owned(part.to_owned())).collect()
        }
    };
    (parts.len() <= limit).then_some(parts)
}

impl Array {
    fn decode_items<'a>(&self, texts: Vec<Cow<'a, str>>) -> Value<'a> {
        Value::List(texts.into_iter().map(|text| self.item.decode(text)).collect())
    }

    fn check_items<'a>(&self, items: Vec<Value<'a>>) -> Result<Vec<Value<'a>>, Mismatch> {
        let check = |(index, item)| {
            let checked = self.item.check(item);
            checked.map_err(|mismatch| mismatch.inside(&format!("[{index}]")))
        };
        items.into_iter().enumerate().map(check).collect()
    }

    fn check_members<'a>(&self, members: Vec<(Cow<'a, str>, Value<'a>)>) -> Result<Value<'a>, Mismatch> {
        let check = |(key, member): (Cow<'a, str>, Value<'a>)| match self.item.check(member) {
            Ok(member) => Ok((key, member)),
            Err(mismatch) => Err(mismatch.inside(&format!(".{key}"))),
        };
        members.into_iter().map(check).collect::<Result<_, _>>().map(Value::Map)
    }
}

impl Array {
    fn broken(&self, count: usize) -> Option<Broken> {
        Broken::bounds(Measure::Count, self.count.min, self.count.max, count as u64)
    }
}

impl Check for Array {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        let openings: &[char] = if self.objects { &['[', '{'] } else { &['['] };
        match (decode_json(text, openings), &self.format) {
            // What was meant to be JSON and is none is not taken for an item.
            (Value::Text(text), _) if text.trim_start().starts_with(openings) => Value::Text(text),
            (Value::Text(text), Format::Json) => Value::Text(text),
            (Value::Text(text), Format::Single) => self.decode_items(vec![text]),
            (Value::Text(text), Format::Explode(separator)) => match explode(&text, separator) {
                Some(parts) => self.decode_items(parts),
                None => Value::Text(text),
            },
            (json, _) => json,
        }
    }

    fn decode_many<'a>(&self, mut texts: Vec<Cow<'a, str>>) -> Value<'a> {
        match texts.pop() {
            Some(only) if texts.is_empty() => self.decode(only),
            Some(last) => {
                texts.push(last);
                self.decode_items(texts)
            }
            None => Value::List(Vec::new()),
        }
    }

    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        match value {
            Value::List(items) if self.count.holds(items.len()) => self.check_items(items).map(Value::List),
            Value::Map(members) if self.objects => {
                let members = super::object::last_of_each(members);
                if self.count.holds(members.len()) {
                    self.check_members(members)
                } else {
                    let broken = self.broken(members.len());
                    Err(Mismatch::new(self.expected(), &Value::Map(members)).breaking(broken))
                }
            }
            Value::List(items) => {
                let broken = self.broken(items.len());
                Err(Mismatch::new(self.expected(), &Value::List(items)).breaking(broken))
            }
            value => {
                let is_no_json = self.format == Format::Json && matches!(value, Value::Text(_));
                Err(Mismatch::new(self.expected(), &value).breaking(is_no_json.then_some(Broken::Json)))
            }
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        let what = if self.objects { "an array or object" } else { "an array" };
        let mut words = format!("{what}{}", self.count.count("item"));
        // What a file may be is in no schema: who sends some is told of each.
        if self.takes() == Takes::Files {
            words.push_str(", each ");
            words.push_str(&self.item.expected());
        }
        words.into()
    }

    fn schema(&self) -> Json {
        let item = self.item.schema();
        let anything = item == json!({});
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("array"));
        if !anything {
            schema.insert("items".to_owned(), item.clone());
        }
        self.count.describe(&mut schema, "minItems", "maxItems");
        if !self.objects {
            return Json::Object(schema);
        }
        let mut object = Map::new();
        object.insert("type".to_owned(), json!("object"));
        if !anything {
            object.insert("additionalProperties".to_owned(), item);
        }
        self.count.describe(&mut object, "minProperties", "maxProperties");
        json!({ "anyOf": [schema, object] })
    }

    fn written(&self) -> Written {
        let item = as_item(self.item.written());
        let term = match item.term.as_str() {
            "any" => self.name.to_owned(),
            item => format!("{}<{item}>", self.name),
        };
        let mut written = self.count.attributes(term);
        match &self.format {
            Format::Single => {}
            Format::Json => {
                written.attributes.insert("format".to_owned(), json!("json"));
            }
            Format::Explode(separator) => {
                written.attributes.insert("format".to_owned(), json!("explode"));
                if separator != "," {
                    written.attributes.insert("separator".to_owned(), json!(separator));
                }
            }
        }
        let Written { attributes: mut items, .. } = item;
        // Those of items stand beside the array.
        let fields = items.remove(FIELDS);
        if !items.is_empty() {
            written.attributes.insert(ITEMS.to_owned(), Json::Object(items));
        }
        written.attributes.extend(fields.map(|fields| (FIELDS.to_owned(), fields)));
        written
    }

    fn extremes(&self) -> Vec<Value<'static>> {
        let items = self.item.extremes();
        let min = self.count.min.unwrap_or(0);
        let least = usize::try_from(min).unwrap_or(usize::MAX);
        let most = usize::try_from(self.count.max.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        if least > any::ITEMS as usize {
            return Vec::new();
        }
        let mut candidates = Vec::new();
        if let Some(first) = items.first() {
            candidates.push(vec![first.clone(); least]);
        } else if least == 0 {
            candidates.push(Vec::new());
        }
        // One of each item, unless lists of lists of lists make that a flood.
        let sizes: usize = items.iter().map(size).sum();
        let all = items.into_iter().take(if sizes <= FLOOD { most } else { most.min(1) });
        let mut one_of_each: Vec<_> = all.collect();
        if let Some(last) = one_of_each.last().cloned() {
            one_of_each.resize(one_of_each.len().max(least), last);
        }
        candidates.push(one_of_each);
        passing(self, candidates.into_iter().map(Value::List).collect())
    }

    fn example(&self) -> Option<Value<'static>> {
        if self.takes() == Takes::Files {
            return None;
        }
        let least = usize::try_from(self.count.min.unwrap_or(0)).unwrap_or(usize::MAX);
        let item = self.item.example().filter(|item| least.max(1).saturating_mul(size(item)) <= FLOOD);
        example(self, item.map(|item| Value::List(vec![item; least.max(1)])))
    }

    fn takes(&self) -> Takes {
        match self.item.takes() {
            Takes::File | Takes::Files => Takes::Files,
            Takes::One | Takes::Many => Takes::Many,
        }
    }

    fn most(&self) -> Most {
        Most { items: self.count.max, bytes: self.item.most().bytes }
    }

    fn may_take(&self, filename: &str, media_type: &str) -> bool {
        self.item.may_take(filename, media_type)
    }
}

/// A type as that of items: of one that may not be empty, and of which nothing else is said, the name says it.
fn as_item(mut written: Written) -> Written {
    let name = written.term.trim_start_matches('?');
    let is_filled = matches!(name.split('<').next(), Some("array" | "object"))
        && written.attributes.get("min").is_some_and(|min| *min == json!(1))
        && written.attributes.keys().all(|key| key == "min" || key == FIELDS);
    if is_filled {
        let marks = written.term.len() - name.len();
        written.term.insert_str(marks, "filled_");
        written.attributes.remove("min");
    }
    written
}

/// The largest list of extremes, in values of all levels.
const FLOOD: usize = 256;

/// How many values a value is made of.
fn size(value: &Value<'_>) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Map(members) => 1 + members.iter().map(|(_, member)| size(member)).sum::<usize>(),
        _ => 1,
    }
}
