//! Decides whether a type accepts every value of another type.
//!
//! The structure of two types is compared first: their members, items and branches. What remains are types of single
//! values, which `single_values` compares by their JSON Schemas. A value that one type accepts and the other rejects is
//! always tried with the checks of both types before it is reported.
//!
//! Members that an object type does not list are not compared: a client that does not know a member does not send it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use rulebook_model::Value;
use rulebook_model::limits::Limits;
use rulebook_model::types::{
    Arity, Check, NamedSchema, ObjectField, ObjectShape, Structure, TypeExpr, all_referenced_schemas,
};
use serde_json::Value as Json;

use crate::single_values::{
    Automata, Samples, alternatives, differ_only_in_bounds, includes_single_values, list_with, longer_list,
    object_with, object_without, with_member,
};

/// The result of comparing two types.
#[derive(Debug, Clone, PartialEq)]
pub enum Inclusion {
    /// The wide type accepts every value of the narrow type.
    Included,
    /// The wide type rejects this value, which the narrow type accepts; `None` if it is a file.
    Excluded(Option<Value<'static>>),
    /// It is not known whether the wide type accepts every value of the narrow type.
    Unknown,
}

/// Returns whether the type `wide` accepts every value that the type `narrow` accepts.
#[must_use]
pub fn includes(wide: &Arc<dyn Check>, narrow: &Arc<dyn Check>) -> Inclusion {
    let limits = Limits::default();
    Comparison::new(&limits, &limits).compare_types(wide, narrow, false).unwrap_or(Inclusion::Included)
}

/// The maximum depth of nested types that are compared, without those in schemas to which they refer.
const MAX_DEPTH: usize = 128;
/// The maximum work for one pair of definitions: the number of pairs of types that are compared, and of values in the
/// sample values of types, each multiplied by its level of nesting.
const MAX_WORK: usize = 2_000_000;

/// The address of a type, which identifies it as long as its definition exists.
pub(crate) type Address = *const ();

pub(crate) fn address(check: &Arc<dyn Check>) -> Address {
    Arc::as_ptr(check).cast()
}

/// Two types of which at least one is a schema. They are compared apart from the types that contain them, so that the
/// comparison of schemas that contain each other ends, and needs no more stack than the types in one schema.
struct Pair {
    wide: Arc<dyn Check>,
    narrow: Arc<dyn Check>,
    /// `Included` until the comparison of the parts shows something else.
    inclusion: Inclusion,
    /// The pairs whose comparison has used `inclusion`.
    users: Vec<usize>,
}

/// Compares types, which can contain themselves through schemas. Schemas that several types refer to are compared once.
#[derive(Default)]
pub(crate) struct Comparison {
    /// The limits `part` of the APIs of the wide and of the narrow type.
    part_limits: (u64, u64),
    pairs: Vec<Pair>,
    indexes: HashMap<(Address, Address), usize>,
    /// The pairs whose parts must be compared, because the pair is new or the inclusion of a part has changed.
    waiting: Vec<usize>,
    /// The pair whose parts are being compared; `None` for the types of a parameter or an output.
    current: Option<usize>,
    /// Whether types have the same notation, also in all schemas to which they refer; by the addresses of schemas.
    same_schemas: HashMap<(Address, Address), bool>,
    samples: HashMap<Address, Rc<Samples>>,
    /// The types of schemas, without references to other schemas around them, by the addresses of the schemas' checks.
    targets: HashMap<Address, Arc<dyn Check>>,
    /// The schemas that these types belong to, which know their sample values.
    schemas: HashMap<Address, Arc<NamedSchema>>,
    automata: Automata,
    depth: usize,
    work: usize,
}

impl Comparison {
    pub(crate) fn new(wide_limits: &Limits, narrow_limits: &Limits) -> Self {
        Self { part_limits: (wide_limits.part, narrow_limits.part), ..Self::default() }
    }

    /// Returns whether the type `wide` accepts every value that the type `narrow` accepts, with `except_null` apart
    /// from null; `None` if both are the same type, apart from null. The types must live as long as this comparison.
    pub(crate) fn compare_types(
        &mut self,
        wide: &Arc<dyn Check>,
        narrow: &Arc<dyn Check>,
        except_null: bool,
    ) -> Option<Inclusion> {
        let inner = without_null(narrow).filter(|_| except_null);
        if self.are_same(wide, narrow) || inner.is_some_and(|inner| self.are_same(wide, &inner)) {
            return None;
        }
        loop {
            let compare = if except_null { Self::includes_except_null } else { Self::includes };
            let compared = compare(self, wide, narrow);
            if self.waiting.is_empty() {
                return Some(compared);
            }
            self.compare_waiting();
        }
    }

    /// Returns `true` if two types have the same notation, also in all schemas to which they refer.
    fn are_same(&mut self, one: &Arc<dyn Check>, other: &Arc<dyn Check>) -> bool {
        let schemas = |check: &Arc<dyn Check>| -> BTreeMap<String, Arc<NamedSchema>> {
            check.referenced_schemas().into_iter().map(|schema| (schema.key().to_owned(), schema)).collect()
        };
        let (schemas, others) = (schemas(one), schemas(other));
        one.type_expr() == other.type_expr()
            && schemas.keys().eq(others.keys())
            && schemas.values().zip(others.values()).all(|(schema, other)| {
                let addresses = (address(&schema.check), address(&other.check));
                *self.same_schemas.entry(addresses).or_insert_with(|| are_same_schemas(schema, other))
            })
    }

    /// Compares the parts of the waiting pairs until no inclusion changes any more. The inclusion of each pair changes
    /// at most once.
    fn compare_waiting(&mut self) {
        while let Some(index) = self.waiting.pop() {
            let Pair { wide, narrow, inclusion, .. } = &self.pairs[index];
            if *inclusion != Inclusion::Included {
                continue;
            }
            let (wide, narrow) = (Arc::clone(wide), Arc::clone(narrow));
            self.current = Some(index);
            let inclusion = self.compare_parts(&wide, &narrow);
            self.current = None;
            if inclusion != Inclusion::Included {
                let pair = &mut self.pairs[index];
                pair.inclusion = inclusion;
                self.waiting.append(&mut pair.users);
            }
        }
    }

    /// Returns whether the type `wide` accepts every value of the type `narrow` that is not null: an optional
    /// parameter, member or output may be null all the same.
    fn includes_except_null(&mut self, wide: &Arc<dyn Check>, narrow: &Arc<dyn Check>) -> Inclusion {
        if self.depth >= MAX_DEPTH || !self.can_work(1) {
            return Inclusion::Unknown;
        }
        self.depth += 1;
        let compared = match narrow.structure() {
            Structure::Nullable(inner) => self.includes_except_null(wide, &inner),
            Structure::Schema(schema) if narrow.accepts_null() => self.includes_except_null(wide, &schema.check),
            Structure::Union(branches) => all(branches.iter().map(|branch| self.includes_except_null(wide, branch))),
            _ => match self.includes(wide, narrow) {
                Inclusion::Excluded(Some(Value::Null)) => {
                    let is_only_null = self.samples(narrow).all().all(|value| *value == Value::Null);
                    if is_only_null { Inclusion::Included } else { Inclusion::Unknown }
                }
                compared => compared,
            },
        };
        self.depth -= 1;
        compared
    }

    fn includes(&mut self, wide: &Arc<dyn Check>, narrow: &Arc<dyn Check>) -> Inclusion {
        let (inner_wide, inner_narrow) = (self.without_schema(wide), self.without_schema(narrow));
        if Arc::ptr_eq(wide, &inner_wide) && Arc::ptr_eq(narrow, &inner_narrow) {
            return self.compare_parts(wide, narrow);
        }
        let index = *self.indexes.entry((address(&inner_wide), address(&inner_narrow))).or_insert_with(|| {
            let (inclusion, users) = (Inclusion::Included, Vec::new());
            self.pairs.push(Pair { wide: inner_wide, narrow: inner_narrow, inclusion, users });
            self.waiting.push(self.pairs.len() - 1);
            self.pairs.len() - 1
        });
        self.pairs[index].users.extend(self.current);
        self.pairs[index].inclusion.clone()
    }

    /// Returns the type that a reference to a schema stands for, or the type itself.
    pub(crate) fn without_schema(&mut self, check: &Arc<dyn Check>) -> Arc<dyn Check> {
        let Structure::Schema(schema) = check.structure() else { return Arc::clone(check) };
        // The structure of a large schema is requested once.
        if let Some(target) = self.targets.get(&address(&schema.check)) {
            return Arc::clone(target);
        }
        let target = self.without_schema(&schema.check);
        self.targets.insert(address(&schema.check), Arc::clone(&target));
        self.schemas.entry(address(&target)).or_insert(schema);
        target
    }

    fn samples(&mut self, check: &Arc<dyn Check>) -> Rc<Samples> {
        let generate = || match self.schemas.get(&address(check)) {
            _ if self.work >= MAX_WORK => Samples::default(),
            Some(schema) => Samples::new(schema.example_value(), schema.boundary_values().to_vec()),
            None => Samples::new(check.example(), check.boundary_values()),
        };
        let samples = self.samples.entry(address(check)).or_insert_with(|| Rc::new(generate()));
        let samples = Rc::clone(samples);
        self.can_work(samples.work);
        samples
    }

    /// Counts work. Returns `false` if it is too much.
    pub(crate) fn can_work(&mut self, work: usize) -> bool {
        self.work = self.work.saturating_add(work);
        self.work <= MAX_WORK
    }

    fn compare_parts(&mut self, wide: &Arc<dyn Check>, narrow: &Arc<dyn Check>) -> Inclusion {
        if self.depth >= MAX_DEPTH || !self.can_work(1) {
            return Inclusion::Unknown;
        }
        self.depth += 1;
        let compared = self.compare(wide, narrow);
        self.depth -= 1;
        match compared {
            Inclusion::Included | Inclusion::Excluded(None) => compared,
            Inclusion::Excluded(Some(value)) => self.witness(wide, narrow, Some(value)),
            Inclusion::Unknown => self.witness(wide, narrow, None),
        }
    }

    fn compare(&mut self, wide: &Arc<dyn Check>, narrow: &Arc<dyn Check>) -> Inclusion {
        match (wide.structure(), narrow.structure()) {
            (_, Structure::Nullable(inner)) => match self.includes(wide, &inner) {
                Inclusion::Included | Inclusion::Unknown if !wide.accepts_null() => {
                    Inclusion::Excluded(Some(Value::Null))
                }
                compared => compared,
            },
            (Structure::Nullable(inner), _) if !narrow.accepts_null() => self.includes(&inner, narrow),
            (
                Structure::TaggedUnion { tag, branches },
                Structure::TaggedUnion { tag: narrow_tag, branches: narrow_branches },
            ) if tag == narrow_tag => {
                let branches: HashMap<String, Arc<dyn Check>> = branches.into_iter().collect();
                all(narrow_branches.iter().map(|(value, narrow_branch)| match branches.get(value) {
                    Some(branch) => with_member(self.includes(branch, narrow_branch), &tag, value),
                    None => with_member(Inclusion::Excluded(narrow_branch.example()), &tag, value),
                }))
            }
            (_, Structure::TaggedUnion { tag, branches }) => {
                all(branches.iter().map(|(value, branch)| match self.includes(wide, branch) {
                    Inclusion::Included => includes_tag(&**wide, &**branch, &tag, value),
                    compared => with_member(compared, &tag, value),
                }))
            }
            (_, Structure::Union(branches)) => all(branches.iter().map(|branch| self.includes(wide, branch))),
            (Structure::Union(branches), _) => {
                // No value has two of the types, so that only a branch that accepts an example can include all values.
                let Some(example) = self.samples(narrow).example.clone() else {
                    return any(branches.iter().map(|branch| self.includes(branch, narrow)));
                };
                let accepting = branches.iter().find(|branch| branch.checked(example.clone()).is_ok());
                accepting.map_or(Inclusion::Unknown, |branch| self.includes(branch, narrow))
            }
            (Structure::Array(wide_item), Structure::Array(narrow_item)) => {
                let counts = match includes_counts(&**wide, &**narrow, ["minItems", "maxItems"]) {
                    Inclusion::Unknown => shown_by(longer_list(&**wide, &**narrow, &self.samples(narrow))),
                    counts => counts,
                };
                let items = match self.includes(&wide_item, &narrow_item) {
                    Inclusion::Excluded(Some(item)) => shown_by(list_with(&**narrow, &self.samples(narrow), &item)),
                    items => items,
                };
                all([counts, items])
            }
            (Structure::Map(wide_value), Structure::Map(narrow_value)) => {
                let counts = includes_counts(&**wide, &**narrow, ["minProperties", "maxProperties"]);
                let names = match (wide.schema().get("propertyNames"), narrow.schema().get("propertyNames")) {
                    (None, _) => Inclusion::Included,
                    (Some(names), Some(narrow_names)) if names == narrow_names => Inclusion::Included,
                    _ => Inclusion::Unknown,
                };
                let values = match self.includes(&wide_value, &narrow_value) {
                    Inclusion::Excluded(Some(value)) => {
                        shown_by(object_with(&**narrow, &self.samples(narrow), None, &value))
                    }
                    values => values,
                };
                all([counts, names, values])
            }
            (Structure::Object(wide_shape), Structure::Object(narrow_shape)) => {
                self.compare_objects(&wide_shape, &narrow_shape, narrow)
            }
            _ => self.compare_single_values(wide, narrow),
        }
    }

    fn compare_objects(&mut self, wide: &ObjectShape, narrow: &ObjectShape, object: &Arc<dyn Check>) -> Inclusion {
        fn find<'a>(shape: &'a ObjectShape, name: &str) -> Option<&'a ObjectField> {
            shape.fields.iter().find(|field| field.name == name)
        }
        let mut results = Vec::new();
        for field in &wide.fields {
            let narrow_field = find(narrow, &field.name);
            if !field.optional && narrow_field.is_none_or(|narrow_field| narrow_field.optional) {
                results.push(shown_by(object_without(&**object, &self.samples(object), &field.name)));
            }
            if let Some(ObjectField { check, optional, .. }) = narrow_field {
                let compared = match field.optional {
                    true if !field.check.refuses_null() => self.includes_except_null(&field.check, check),
                    true if *optional && !check.refuses_null() => Inclusion::Excluded(Some(Value::Null)),
                    _ => self.includes(&field.check, check),
                };
                results.push(match compared {
                    Inclusion::Excluded(Some(value)) => {
                        let samples = self.samples(object);
                        shown_by(object_with(&**object, &samples, Some(&field.name), &value))
                    }
                    result => result,
                });
            }
            // One value is enough to show that the object is excluded.
            if let Some(Inclusion::Excluded(Some(_))) = results.last() {
                return all(results);
            }
        }
        if wide.is_closed {
            let unlisted = narrow.fields.iter().find(|field| find(wide, &field.name).is_none());
            let samples = self.samples(object);
            if let Some(ObjectField { name, check, .. }) = unlisted {
                let value = check.example().unwrap_or(Value::Null);
                results.push(shown_by(object_with(&**object, &samples, Some(name), &value)));
            } else if !narrow.is_closed {
                let value = Value::Bool(true);
                results.push(shown_by(object_with(&**object, &samples, Some("unlisted"), &value)));
            }
        }
        let is_min_included = wide.min.is_none_or(|min| narrow.min.is_some_and(|narrow| narrow >= min));
        let is_max_included = wide.max.is_none_or(|max| narrow.max.is_some_and(|narrow| narrow <= max));
        let has_constraint = |constraint| narrow.constraints.contains(constraint);
        if !is_min_included || !is_max_included || !wide.constraints.iter().all(has_constraint) {
            results.push(Inclusion::Unknown);
        }
        all(results)
    }

    /// Compares two types if at least one of them has no structure.
    fn compare_single_values(&mut self, wide: &Arc<dyn Check>, narrow: &Arc<dyn Check>) -> Inclusion {
        if let Some(inclusion) = includes_files(&**wide, &**narrow, self.part_limits) {
            return inclusion;
        }
        // References have the same text in both definitions, although the schemas may differ.
        if !wide.referenced_schemas().is_empty() || !narrow.referenced_schemas().is_empty() {
            return if self.are_same(wide, narrow) { Inclusion::Included } else { Inclusion::Unknown };
        }
        if let Some(inclusion) = differ_only_in_bounds(&**wide, &**narrow) {
            return inclusion;
        }
        let (wide_schema, narrow_schema) = (wide.schema(), narrow.schema());
        if wide_schema.as_object().is_some_and(serde_json::Map::is_empty) {
            return Inclusion::Included;
        }
        match includes_single_values(&mut self.automata, &wide_schema, &narrow_schema) {
            Inclusion::Included if !wide.has_exact_schema() && wide.type_expr() != narrow.type_expr() => {
                Inclusion::Unknown
            }
            inclusion => inclusion,
        }
    }

    /// Returns the candidate, or another value at the limits of the two types, that the narrow type accepts and the
    /// wide type rejects. Null is the last one, because it shows no other difference.
    fn witness(
        &mut self,
        wide: &Arc<dyn Check>,
        narrow: &Arc<dyn Check>,
        candidate: Option<Value<'static>>,
    ) -> Inclusion {
        let is_witness = |value: &&Value<'static>| {
            narrow.checked((*value).clone()).is_ok() && wide.checked((*value).clone()).is_err()
        };
        if candidate.as_ref().filter(is_witness).is_some() {
            return Inclusion::Excluded(candidate);
        }
        let (of_narrow, of_wide) = (self.samples(narrow), self.samples(wide));
        let limits = of_narrow.boundary_values.iter().chain(&of_narrow.example).chain(&of_wide.boundary_values);
        let (null, others): (Vec<_>, Vec<_>) = limits.partition(|value| **value == Value::Null);
        shown_by(others.into_iter().chain(null).find(is_witness).cloned())
    }
}

/// Returns `true` if two schemas have the same notation, and so have all schemas to which they refer.
fn are_same_schemas(one: &Arc<NamedSchema>, other: &Arc<NamedSchema>) -> bool {
    let schemas = |schema: &NamedSchema| -> Vec<_> {
        let schemas = all_referenced_schemas(&*schema.check).into_iter();
        schemas.map(|schema| (schema.key().to_owned(), schema.check.type_expr())).collect()
    };
    one.check.type_expr() == other.check.type_expr() && schemas(one) == schemas(other)
}

/// Returns whether a type that accepts the objects of a branch of a union also accepts them with the tag, which the
/// branch does not list.
fn includes_tag(wide: &dyn Check, branch: &dyn Check, tag: &str, value: &str) -> Inclusion {
    match with_member(Inclusion::Excluded(branch.example()), tag, value) {
        Inclusion::Excluded(Some(example)) if wide.checked(example.clone()).is_ok() => Inclusion::Included,
        Inclusion::Excluded(Some(example)) => Inclusion::Excluded(Some(example)),
        _ => Inclusion::Unknown,
    }
}

/// Compares the numbers of items or members, which have these keywords for the minimum and the maximum.
fn includes_counts(wide: &dyn Check, narrow: &dyn Check, [min, max]: [&str; 2]) -> Inclusion {
    let (wide, narrow) = (wide.schema(), narrow.schema());
    let count = |schema: &Json, keyword: &str| schema.get(keyword).and_then(Json::as_u64);
    let is_min_included = count(&wide, min).unwrap_or(0) <= count(&narrow, min).unwrap_or(0);
    let is_max_included = count(&wide, max).unwrap_or(u64::MAX) >= count(&narrow, max).unwrap_or(u64::MAX);
    if is_min_included && is_max_included { Inclusion::Included } else { Inclusion::Unknown }
}

/// Combines the results for the parts of a type, which must all be included.
pub(crate) fn all(results: impl IntoIterator<Item = Inclusion>) -> Inclusion {
    let mut combined = Inclusion::Included;
    for result in results {
        let is_worse = match result {
            Inclusion::Included => false,
            Inclusion::Excluded(Some(_)) => return result,
            Inclusion::Excluded(None) => true,
            Inclusion::Unknown => combined == Inclusion::Included,
        };
        if is_worse {
            combined = result;
        }
    }
    combined
}

/// Combines the results for the branches of a union. It is enough if one branch includes the narrow type.
pub(crate) fn any(results: impl IntoIterator<Item = Inclusion>) -> Inclusion {
    let mut combined = Inclusion::Unknown;
    for result in results {
        match result {
            Inclusion::Included => return result,
            Inclusion::Excluded(Some(_)) => combined = result,
            Inclusion::Excluded(None) | Inclusion::Unknown => {}
        }
    }
    combined
}

/// Returns that values are excluded if one shows it.
fn shown_by(value: Option<Value<'static>>) -> Inclusion {
    value.map_or(Inclusion::Unknown, |value| Inclusion::Excluded(Some(value)))
}

/// Returns the type of the values of a nullable type that are not null: an optional parameter, member or output may be
/// null all the same.
fn without_null(check: &Arc<dyn Check>) -> Option<Arc<dyn Check>> {
    match check.structure() {
        Structure::Nullable(inner) => Some(inner),
        Structure::Schema(schema) => without_null(&schema.check),
        _ => None,
    }
}

// Fields of the query and of forms, header fields and cookies contain texts only.

/// Returns `true` if two types make values of the same kinds of texts, also in the parts that both have. Otherwise, a
/// value of one type may be read as another one by the other type: 7 is a number for `int`, and a string for `string`.
pub(crate) fn reads_texts_alike(types: &mut Comparison, wide: &Arc<dyn Check>, narrow: &Arc<dyn Check>) -> bool {
    let mut compared = HashSet::new();
    let mut waiting = vec![(Arc::clone(wide), Arc::clone(narrow))];
    while let Some((wide, narrow)) = waiting.pop() {
        let (wide, narrow) = (types.without_schema(&wide), types.without_schema(&narrow));
        // Types can contain themselves, but a pair of types is compared once.
        if !compared.insert((address(&wide), address(&narrow))) {
            continue;
        }
        if !types.can_work(1) {
            return false;
        }
        match (wide.structure(), narrow.structure()) {
            (Structure::Nullable(inner), _) => waiting.push((inner, narrow)),
            (_, Structure::Nullable(inner)) => waiting.push((wide, inner)),
            _ if !are_alike(&*wide, &*narrow) => return false,
            (Structure::Array(wide_part), Structure::Array(narrow_part))
            | (Structure::Map(wide_part), Structure::Map(narrow_part)) => waiting.push((wide_part, narrow_part)),
            (Structure::Object(wide_shape), Structure::Object(narrow_shape)) => {
                let known: HashMap<_, _> = wide_shape.fields.iter().map(|it| (&it.name, &it.check)).collect();
                let common = narrow_shape.fields.iter().filter_map(|it| Some((*known.get(&it.name)?, &it.check)));
                waiting.extend(common.map(|(wide, narrow)| (Arc::clone(wide), Arc::clone(narrow))));
            }
            (Structure::TaggedUnion { branches, .. }, Structure::TaggedUnion { branches: narrow_branches, .. }) => {
                let known: HashMap<_, _> = branches.into_iter().collect();
                let common = narrow_branches.into_iter().filter_map(|(tag, it)| Some((known.get(&tag)?, it)));
                waiting.extend(common.map(|(wide, narrow)| (Arc::clone(wide), narrow)));
            }
            _ => {}
        }
    }
    true
}

/// Returns `true` if two types make values of the same kinds of texts, apart from their parts.
fn are_alike(wide: &dyn Check, narrow: &dyn Check) -> bool {
    let are_objects = matches!((wide.structure(), narrow.structure()), (Structure::Object(_), Structure::Object(_)));
    wide.arity() == narrow.arity()
        && reads_null(wide) == reads_null(narrow)
        // The notation and the schema of an object contain those of its members.
        && (are_objects
            || text_attributes(wide) == text_attributes(narrow) && kinds(&wide.schema()) == kinds(&narrow.schema()))
}

fn reads_null(check: &dyn Check) -> bool {
    check.decode("null".into()) == Value::Null
}

fn text_attributes(check: &dyn Check) -> [Option<Json>; 2] {
    let TypeExpr { attributes, .. } = check.type_expr();
    ["format", "separator"].map(|name| attributes.get(name).cloned())
}

/// Returns the kinds of the values that a schema accepts, such as `string`; `None` if they are not known.
fn kinds(schema: &Json) -> Option<Vec<String>> {
    if schema.get("$ref").is_some() {
        return Some(vec!["object".to_owned()]);
    }
    let mut kinds: Vec<String> = alternatives(schema)?.into_iter().map(|alternative| alternative.kind).collect();
    kinds.iter_mut().filter(|kind| *kind == "integer").for_each(|kind| "number".clone_into(kind));
    kinds.retain(|kind| kind != "null");
    kinds.sort_unstable();
    kinds.dedup();
    Some(kinds)
}

/// Returns whether `wide` accepts all files of `narrow`; `None` if neither of them is a type of files. `limits` are the
/// limits `part` of both, which count without `max`.
pub(crate) fn includes_files(wide: &dyn Check, narrow: &dyn Check, limits: (u64, u64)) -> Option<Inclusion> {
    let is_file = |check: &dyn Check| matches!(check.arity(), Arity::File | Arity::Files);
    match (is_file(wide), is_file(narrow)) {
        (false, false) => return None,
        (true, true) => {}
        _ => return Some(Inclusion::Excluded(None)),
    }
    let [wide, narrow] = [wide, narrow].map(|check| check.type_expr().attributes);
    let number = |attributes: &serde_json::Map<String, Json>, name: &str| attributes.get(name).and_then(Json::as_u64);
    let is_min_included = number(&wide, "min").unwrap_or(0) <= number(&narrow, "min").unwrap_or(0);
    let max = |attributes, limit| number(attributes, "max").unwrap_or(limit);
    let is_max_included = max(&wide, limits.0) >= max(&narrow, limits.1);
    let is_listed = |name: &str| match (wide.get(name).and_then(Json::as_array), narrow.get(name)) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(allowed), Some(narrow)) => {
            narrow.as_array().into_iter().flatten().all(|word| allowed.iter().any(|allowed| covers(allowed, word)))
        }
    };
    let is_included = is_min_included && is_max_included && is_listed("range") && is_listed("ext");
    Some(if is_included { Inclusion::Included } else { Inclusion::Excluded(None) })
}

/// Returns `true` if a media type or extension is another one, or a range such as `image/*` that contains it.
fn covers(allowed: &Json, word: &Json) -> bool {
    let (Some(range), Some(text)) = (allowed.as_str(), word.as_str()) else { return false };
    let in_range = |prefix: &str| text.starts_with(prefix);
    range == text || range == "*/*" || range.strip_suffix('*').filter(|it| it.ends_with('/')).is_some_and(in_range)
}
