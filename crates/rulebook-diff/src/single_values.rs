//! Compares the JSON Schemas of types of single values, such as `int(1,5)` and `mail`, and makes values that show what
//! a type does not accept.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use regex_automata::Anchored;
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use rulebook_model::Value;
use rulebook_model::types::{Check, compare_numbers, is_shallow};
use serde_json::{Map, Value as Json};

use crate::includes::{Inclusion, all, any};

/// Compares two types that have the same notation, apart from `min` and `max`. Returns `None` if they have another one.
pub(crate) fn differ_only_in_bounds(wide: &dyn Check, narrow: &dyn Check) -> Option<Inclusion> {
    let [mut wide_expr, mut narrow_expr] = [wide.type_expr(), narrow.type_expr()];
    let mut bound = |name: &str| (wide_expr.attributes.remove(name), narrow_expr.attributes.remove(name));
    let (min, max) = (bound("min"), bound("max"));
    if wide_expr != narrow_expr || !wide.referenced_schemas().is_empty() {
        return None;
    }
    let is_within = |(wide_bound, narrow_bound): (Option<Json>, Option<Json>), outside: Ordering| match (
        wide_bound,
        narrow_bound,
    ) {
        (None, _) => Some(true),
        (Some(wide_bound), Some(narrow_bound)) if wide_bound == narrow_bound => Some(true),
        (Some(_), None) => Some(false),
        (Some(wide_bound), Some(narrow_bound)) => {
            let order = narrow.compare(&Value::from(&narrow_bound), &Value::from(&wide_bound))?;
            Some(order != outside)
        }
    };
    match (is_within(min, Ordering::Less), is_within(max, Ordering::Greater)) {
        (Some(true), Some(true)) => Some(Inclusion::Included),
        (Some(_), Some(_)) => Some(Inclusion::Unknown),
        _ => None,
    }
}

/// Returns whether the schema `wide` accepts every value of the schema `narrow`. Both have no references.
pub(crate) fn includes_single_values(automata: &mut Automata, wide: &Json, narrow: &Json) -> Inclusion {
    let (Some(wide), Some(narrow)) = (alternatives(wide), alternatives(narrow)) else { return Inclusion::Unknown };
    all(narrow.iter().map(|narrow| any(wide.iter().map(|wide| wide.includes(narrow, automata)))))
}

#[derive(Debug)]
pub(crate) struct Alternative {
    pub(crate) kind: String,
    pub(crate) keywords: Map<String, Json>,
}

/// The keywords that describe values, and do not restrict them.
const ANNOTATIONS: [&str; 6] = ["description", "examples", "default", "title", "contentMediaType", "discriminator"];

const KINDS: [&str; 6] = ["null", "boolean", "number", "string", "array", "object"];

/// Splits a schema into one part for each kind of value. Returns `None` if the schema cannot be split.
pub(crate) fn alternatives(schema: &Json) -> Option<Vec<Alternative>> {
    let mut keywords = schema.as_object()?.clone();
    keywords.retain(|keyword, _| !ANNOTATIONS.contains(&keyword.as_str()));
    let kinds: Vec<String> = match keywords.remove("type") {
        Some(Json::String(kind)) => vec![kind],
        Some(Json::Array(kinds)) => kinds.iter().map(|kind| Some(kind.as_str()?.to_owned())).collect::<Option<_>>()?,
        _ => {
            let nested = keywords.remove("anyOf").or_else(|| keywords.remove("oneOf"));
            return match nested {
                Some(Json::Array(schemas)) if keywords.is_empty() => {
                    let nested: Option<Vec<_>> = schemas.iter().map(alternatives).collect();
                    Some(nested?.into_iter().flatten().collect())
                }
                Some(_) => None,
                None => alternatives_of_values(&keywords),
            };
        }
    };
    Some(kinds.into_iter().map(|kind| Alternative { kind, keywords: keywords.clone() }).collect())
}

/// Splits a schema without types: an `enum`, a `const`, or a schema whose keywords are for any value.
fn alternatives_of_values(keywords: &Map<String, Json>) -> Option<Vec<Alternative>> {
    let values = match (keywords.get("enum"), keywords.get("const")) {
        (Some(Json::Array(values)), None) => values.clone(),
        (None, Some(value)) => vec![value.clone()],
        (None, None) if keywords.is_empty() => {
            let any = KINDS.map(|kind| Alternative { kind: kind.to_owned(), keywords: Map::new() });
            return Some(any.into());
        }
        _ => return None,
    };
    let of_value = |value: Json| {
        let keywords = [("const".to_owned(), value.clone())].into_iter().collect();
        Alternative { kind: kind_of(&value).to_owned(), keywords }
    };
    Some(values.into_iter().map(of_value).collect())
}

fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

impl Alternative {
    fn includes(&self, narrow: &Self, automata: &mut Automata) -> Inclusion {
        let is_whole_number = self.kind == "number" && narrow.kind == "integer";
        let is_whole_value = |values: &[Json]| values.iter().all(|value| value.is_i64() || value.is_u64());
        let has_whole_values = self.kind == "integer"
            && narrow.kind == "number"
            && narrow.values().is_some_and(|values| is_whole_value(&values));
        if self.kind != narrow.kind && !is_whole_number && !has_whole_values {
            return Inclusion::Unknown;
        }
        if self.keywords.is_empty() || self.keywords == narrow.keywords {
            return Inclusion::Included;
        }
        match &*self.kind {
            "string" => includes_strings(automata, self, narrow),
            "number" | "integer" => self.includes_numbers(narrow),
            "boolean" | "null" => self.includes_listed_values(narrow).unwrap_or(Inclusion::Unknown),
            _ => Inclusion::Unknown,
        }
    }

    /// Returns the only values of the schema; `None` if they are not listed.
    pub(crate) fn values(&self) -> Option<Vec<Json>> {
        match (self.keywords.get("enum"), self.keywords.get("const")) {
            (Some(Json::Array(values)), _) => Some(values.clone()),
            (None, Some(value)) => Some(vec![value.clone()]),
            _ => None,
        }
    }

    /// Compares the lists of values, if the wide schema has only such a list.
    pub(crate) fn includes_listed_values(&self, narrow: &Self) -> Option<Inclusion> {
        let values = self.values().filter(|_| self.keywords.len() == 1)?;
        let narrow = narrow.values()?;
        let missing = narrow.into_iter().find(|value| !values.contains(value));
        Some(missing.map_or(Inclusion::Included, |value| Inclusion::Excluded(Some(Value::from(&value).into_owned()))))
    }

    fn includes_numbers(&self, narrow: &Self) -> Inclusion {
        if let Some(inclusion) = self.includes_listed_values(narrow) {
            return inclusion;
        }
        let known = ["minimum", "maximum", "format"];
        if self.keywords.keys().any(|keyword| !known.contains(&keyword.as_str())) {
            return Inclusion::Unknown;
        }
        let values = narrow.values();
        let is_included = |name: &str, outside: Ordering| {
            let Some(limit) = self.keywords.get(name).filter(|limit| limit.is_number()) else { return true };
            let is_inside = |number: &Json| {
                // Whole numbers are compared exactly.
                let order = compare_numbers(&Value::from(number), &Value::from(limit));
                order.is_some_and(|order| order != outside)
            };
            match &values {
                Some(values) => values.iter().filter(|value| value.is_number()).all(is_inside),
                None => narrow.keywords.get(name).filter(|bound| bound.is_number()).is_some_and(is_inside),
            }
        };
        match is_included("minimum", Ordering::Less) && is_included("maximum", Ordering::Greater) {
            true => Inclusion::Included,
            false => Inclusion::Unknown,
        }
    }
}

// A pattern is compiled to a deterministic finite automaton (DFA). A walk through the automata of both schemas at the
// same time finds a string that only the narrow schema accepts, or proves that no such string exists.

/// The maximum size of an automaton in bytes. Patterns with a larger one are not compared.
const MAX_AUTOMATON_SIZE: usize = 8 << 20;
const MAX_VISITED: usize = 50_000;
/// The length up to which lengths are compared together with patterns.
const MAX_LENGTH_IN_PATTERN: u64 = 2_000;

/// The maximum work for one pair of definitions: the bytes of all automata, and 1,000 for each pair of states that a
/// walk visits. Patterns that need more are not compared.
const MAX_WORK: usize = 200 << 20;
const WORK_PER_VISIT: usize = 1_000;

type Dfa = dense::DFA<Vec<u32>>;

/// Compiles each pattern in a pair of definitions once, because long texts have large automata.
#[derive(Default)]
pub(crate) struct Automata {
    compiled: HashMap<String, Option<Rc<Dfa>>>,
    work: usize,
}

impl Automata {
    fn compile(&mut self, pattern: &str) -> Option<Rc<Dfa>> {
        if let Some(compiled) = self.compiled.get(pattern) {
            return compiled.clone();
        }
        if self.work > MAX_WORK {
            return None;
        }
        let config = dense::Config::new()
            .start_kind(StartKind::Unanchored)
            .accelerate(false)
            .dfa_size_limit(Some(MAX_AUTOMATON_SIZE))
            .determinize_size_limit(Some(MAX_AUTOMATON_SIZE));
        let dfa = dense::Builder::new().configure(config).build(pattern).ok().map(Rc::new);
        self.work += dfa.as_ref().map_or(MAX_AUTOMATON_SIZE, |dfa| dfa.memory_usage());
        self.compiled.insert(pattern.to_owned(), dfa.clone());
        dfa
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Condition {
    Pattern(String),
    NotPattern(String),
    MinLength(u64),
    MaxLength(u64),
    /// A condition that is only compared for equality, such as a `format`.
    Opaque(String, Json),
}

pub(crate) fn includes_strings(automata: &mut Automata, wide: &Alternative, narrow: &Alternative) -> Inclusion {
    if let Some(inclusion) = wide.includes_listed_values(narrow) {
        return inclusion;
    }
    let (Some(wide_conditions), Some(narrow_conditions)) = (conditions(wide), conditions(narrow)) else {
        return Inclusion::Unknown;
    };
    let is_implied = |condition: &&Condition| {
        narrow_conditions.iter().any(|narrow| match (condition, narrow) {
            (Condition::MinLength(min), Condition::MinLength(narrow)) => narrow >= min,
            (Condition::MaxLength(max), Condition::MaxLength(narrow)) => narrow <= max,
            (condition, narrow) => *condition == narrow,
        })
    };
    let open: Vec<_> = wide_conditions.iter().filter(|condition| !is_implied(condition)).collect();
    let mut unknown = false;
    for condition in open {
        match counterexample(automata, &narrow_conditions, condition) {
            Some(None) => {}
            Some(Some(text)) => return Inclusion::Excluded(Some(text.into())),
            None => unknown = true,
        }
    }
    if unknown { Inclusion::Unknown } else { Inclusion::Included }
}

/// Returns the conditions of a schema. Returns `None` if one of its keywords is not a condition.
fn conditions(schema: &Alternative) -> Option<Vec<Condition>> {
    let mut conditions = Vec::new();
    for (keyword, value) in &schema.keywords {
        match (keyword.as_str(), value) {
            ("pattern", Json::String(pattern)) => conditions.push(Condition::Pattern(pattern.clone())),
            ("minLength", length) => conditions.push(Condition::MinLength(length.as_u64()?)),
            ("maxLength", length) => conditions.push(Condition::MaxLength(length.as_u64()?)),
            ("enum" | "const", _) => {
                let texts = schema.values()?;
                let texts: Option<Vec<_>> = texts.iter().map(|text| text.as_str().map(escape)).collect();
                conditions.push(Condition::Pattern(format!("^(?:{})$", texts?.join("|"))));
            }
            ("not", Json::Object(inner)) => match inner.get("pattern") {
                Some(Json::String(pattern)) if inner.len() <= 2 => {
                    conditions.push(Condition::NotPattern(pattern.clone()));
                }
                _ => conditions.push(Condition::Opaque(keyword.clone(), value.clone())),
            },
            ("allOf", Json::Array(schemas)) => {
                for schema in schemas {
                    let keywords = schema.as_object()?.clone();
                    conditions.extend(self::conditions(&Alternative { kind: "string".to_owned(), keywords })?);
                }
            }
            _ => conditions.push(Condition::Opaque(keyword.clone(), value.clone())),
        }
    }
    Some(conditions)
}

fn escape(text: &str) -> String {
    // Letters and digits have no special meaning, and an escaped character of another kind stands for itself.
    text.chars().map(|char| format!("\\x{{{:x}}}", u32::from(char))).collect()
}

/// Returns a string that fulfills the conditions `narrow` and not the condition `wide`; `Some(None)` if no such string
/// exists, and `None` if that is not known.
fn counterexample(automata: &mut Automata, narrow: &[Condition], wide: &Condition) -> Option<Option<String>> {
    let mut used = Vec::new();
    for condition in narrow {
        // A string that fulfills fewer conditions may be no counterexample; the check of the narrow type decides.
        used.extend(automaton(automata, condition));
    }
    let (pattern, is_required) = automaton(automata, wide)?;
    used.push((pattern, !is_required));
    used.push((automata.compile("^(?s:.)*$")?, true));
    find_string(&used, &mut automata.work)
}

/// Returns the automaton of a condition, and whether strings must match it.
fn automaton(automata: &mut Automata, condition: &Condition) -> Option<(Rc<Dfa>, bool)> {
    let mut compile = |pattern: &str| automata.compile(pattern);
    let of_length = |min: u64, max: String| format!("^(?s:.){{{min},{max}}}$");
    Some(match condition {
        Condition::Pattern(pattern) => (compile(pattern)?, true),
        Condition::NotPattern(pattern) => (compile(pattern)?, false),
        Condition::MinLength(min) if *min <= MAX_LENGTH_IN_PATTERN => (compile(&of_length(*min, String::new()))?, true),
        Condition::MaxLength(max) if *max <= MAX_LENGTH_IN_PATTERN => (compile(&of_length(0, max.to_string()))?, true),
        _ => return None,
    })
}

/// The states of all automata after the same bytes, and for each whether a match has ended.
type States = Vec<(StateID, bool)>;

/// Returns the shortest string that each automaton matches, or does not match, as its flag says. Adds the work.
fn find_string(automata: &[(Rc<Dfa>, bool)], work: &mut usize) -> Option<Option<String>> {
    let start = start::Config::new().anchored(Anchored::No);
    let first: Option<States> = automata.iter().map(|(dfa, _)| Some((dfa.start_state(&start).ok()?, false))).collect();
    let first = first?;
    // Of the bytes that no automaton distinguishes, one is enough.
    let mut classes = HashSet::new();
    let class_in_each = |byte: u8| automata.iter().map(|(dfa, _)| dfa.byte_classes().get(byte)).collect::<Vec<_>>();
    let bytes: Vec<u8> = bytes_by_preference().filter(|byte| classes.insert(class_in_each(*byte))).collect();
    let mut visited: HashMap<States, Option<(States, u8)>> = HashMap::from([(first.clone(), None)]);
    let mut waiting = VecDeque::from([first]);
    while let Some(states) = waiting.pop_front() {
        let matches = |((dfa, is_required), (state, has_matched)): (&(Rc<Dfa>, bool), &(StateID, bool))| {
            let matches = *has_matched || dfa.is_match_state(dfa.next_eoi_state(*state));
            matches == *is_required
        };
        if automata.iter().zip(&states).all(matches) {
            return text_of(&visited, states).map(Some);
        }
        *work += WORK_PER_VISIT;
        if visited.len() > MAX_VISITED || *work > MAX_WORK {
            return None;
        }
        for &byte in &bytes {
            let mut next = States::with_capacity(states.len());
            for ((dfa, is_required), (state, has_matched)) in automata.iter().zip(&states) {
                let state = dfa.next_state(*state, byte);
                if dfa.is_quit_state(state) {
                    return None;
                }
                let has_matched = *has_matched || dfa.is_match_state(state);
                let is_hopeless = if *is_required { !has_matched && dfa.is_dead_state(state) } else { has_matched };
                if is_hopeless {
                    break;
                }
                next.push((state, has_matched));
            }
            if next.len() == states.len() && !visited.contains_key(&next) {
                visited.insert(next.clone(), Some((states.clone(), byte)));
                waiting.push_back(next);
            }
        }
    }
    Some(None)
}

/// Returns all bytes, beginning with those that people can read.
fn bytes_by_preference() -> impl Iterator<Item = u8> {
    let others = (0..=u8::MAX).filter(|byte| !byte.is_ascii_alphanumeric());
    (b'a'..=b'z').chain(b'A'..=b'Z').chain(b'0'..=b'9').chain(others)
}

fn text_of(visited: &HashMap<States, Option<(States, u8)>>, mut states: States) -> Option<String> {
    let mut bytes = Vec::new();
    while let Some(Some((previous, byte))) = visited.get(&states) {
        bytes.push(*byte);
        states = previous.clone();
    }
    bytes.reverse();
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(wide: &str, narrow: &str) -> Option<Option<String>> {
        let (narrow, wide) = (Condition::Pattern(narrow.to_owned()), Condition::Pattern(wide.to_owned()));
        counterexample(&mut Automata::default(), &[narrow], &wide)
    }

    #[test]
    fn patterns_are_not_compared_after_too_much_work() {
        let [narrow, wide] = ["^a$", "^[ab]$"].map(|pattern| Condition::Pattern(pattern.to_owned()));
        let compare =
            |work| counterexample(&mut Automata { work, ..Automata::default() }, std::slice::from_ref(&narrow), &wide);
        assert_eq!((compare(0), compare(MAX_WORK + 1)), (Some(None), None));
    }

    #[test]
    fn patterns_are_compared_by_the_strings_that_they_match() {
        let cases = [
            ("^[a-z]{1,20}$", "^[a-z]{1,10}$", None),
            ("^[a-z]{1,10}$", "^[a-z]{1,20}$", Some("aaaaaaaaaaa")),
            ("b", "^abc$", None),
            ("^b", "b", Some("ab")),
            ("^(?:ä|b)$", "^[bä]$", None),
            ("^.$", "^[ä]{2}$", Some("ää")),
        ];
        for (wide, narrow, expected) in cases {
            assert_eq!(compare(wide, narrow), Some(expected.map(str::to_owned)), "{wide} {narrow}");
        }
        assert_eq!(compare("^(?=a)a$", "^a$"), None, "look-around is not supported");
    }
}

#[derive(Default)]
pub(crate) struct Samples {
    pub(crate) example: Option<Value<'static>>,
    pub(crate) boundary_values: Vec<Value<'static>>,
    /// The number of values at all levels of nesting, each multiplied by its level: a measure of the time that the
    /// generation of the samples has taken.
    pub(crate) work: usize,
}

impl Samples {
    pub(crate) fn new(example: Option<Value<'static>>, boundary_values: Vec<Value<'static>>) -> Self {
        let work = example.iter().chain(&boundary_values).map(|value| work_of(value, 1)).sum();
        Self { example, boundary_values, work }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Value<'static>> {
        self.example.iter().chain(&self.boundary_values)
    }
}

fn work_of(value: &Value<'_>, level: usize) -> usize {
    level
        + match value {
            Value::List(items) => items.iter().map(|item| work_of(item, level + 1)).sum::<usize>(),
            Value::Map(members) => members.iter().map(|(_, member)| work_of(member, level + 1)).sum(),
            _ => 0,
        }
}

/// Returns the first value that `change` makes of a sample and that the type accepts.
fn first_valid(
    check: &dyn Check,
    samples: &Samples,
    change: impl Fn(Value<'static>) -> Option<Value<'static>>,
) -> Option<Value<'static>> {
    samples.all().cloned().filter_map(change).find(|value| is_valid(check, value))
}

/// Returns `true` if a type accepts a value that requests can contain.
fn is_valid(check: &dyn Check, value: &Value<'static>) -> bool {
    is_shallow(value) && check.checked(value.clone()).is_ok()
}

pub(crate) fn list_with(list: &dyn Check, samples: &Samples, item: &Value<'static>) -> Option<Value<'static>> {
    let single = Value::List(vec![item.clone()]);
    if is_valid(list, &single) {
        return Some(single);
    }
    first_valid(list, samples, |sample| match sample {
        Value::List(mut items) if !items.is_empty() => {
            items[0] = item.clone();
            Some(Value::List(items))
        }
        _ => None,
    })
}

const MAX_LIST_LENGTH: u64 = 1000;

/// Returns a list of the narrow type that has one item more than the wide type allows.
pub(crate) fn longer_list(wide: &dyn Check, narrow: &dyn Check, samples: &Samples) -> Option<Value<'static>> {
    let length = wide.schema().get("maxItems")?.as_u64().filter(|length| *length < MAX_LIST_LENGTH)? + 1;
    first_valid(narrow, samples, |sample| match sample {
        Value::List(items) => {
            Some(Value::List(items.into_iter().cycle().take(usize::try_from(length).ok()?).collect()))
        }
        _ => None,
    })
}

/// Returns an object of the type with this member. Without a name, it is the first member of a map.
pub(crate) fn object_with(
    object: &dyn Check,
    samples: &Samples,
    name: Option<&str>,
    value: &Value<'static>,
) -> Option<Value<'static>> {
    first_valid(object, samples, |sample| match sample {
        Value::Map(mut members) => {
            // The name of a member of a map can have a pattern, which the names of the example match.
            let known = members.first().map(|(name, _)| name.to_string());
            let name = name.map(str::to_owned).or(known).unwrap_or_else(|| "unlisted".to_owned());
            members.retain(|(known, _)| *known != name);
            members.push((Cow::Owned(name), value.clone()));
            Some(Value::Map(members))
        }
        _ => None,
    })
}

pub(crate) fn object_without(object: &dyn Check, samples: &Samples, name: &str) -> Option<Value<'static>> {
    first_valid(object, samples, |sample| match sample {
        Value::Map(mut members) => {
            members.retain(|(known, _)| known != name);
            Some(Value::Map(members))
        }
        _ => None,
    })
}

pub(crate) fn with_member(inclusion: Inclusion, tag: &str, value: &str) -> Inclusion {
    match inclusion {
        Inclusion::Excluded(Some(Value::Map(mut members))) => {
            members.retain(|(name, _)| name != tag);
            members.push((Cow::Owned(tag.to_owned()), Value::Text(Cow::Owned(value.to_owned()))));
            Inclusion::Excluded(Some(Value::Map(members)))
        }
        other => other,
    }
}
