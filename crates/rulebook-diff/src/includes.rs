//! Decides whether a type accepts every value of another type.
//!
//! The structure of two types is compared first: their members, items and branches. What remains are types of single
//! values, which `single_values` compares by their JSON Schemas. A value that one type accepts and the other rejects is
//! always tried with the checks of both types before it is reported.
//!
//! Members that an object type does not list are not compared: a client that does not know a member does not send it.

use std::collections::HashSet;
use std::sync::Arc;

use rulebook_model::Value;
use rulebook_model::limits::Limits;
use rulebook_model::types::{Check, ObjectField, ObjectShape, Structure, all_referenced_schemas};
use serde_json::Value as Json;

use crate::files::includes_files;
use crate::single_values::{differ_only_in_bounds, includes_single_values};
use crate::values::{list_with, longer_list, object_with, object_without, samples, with_member};

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
pub fn includes(wide: &dyn Check, narrow: &dyn Check) -> Inclusion {
    let limits = Limits::default();
    Comparison::new(&limits, &limits).compare_types(wide, narrow, false).unwrap_or(Inclusion::Included)
}

/// Returns `true` if two types have the same notation, also in all schemas to which they refer.
pub(crate) fn are_same(one: &dyn Check, other: &dyn Check) -> bool {
    let schemas = |check: &dyn Check| -> Vec<_> {
        let schemas = all_referenced_schemas(check).into_iter();
        schemas.map(|schema| (schema.key().to_owned(), schema.check.type_expr())).collect()
    };
    one.type_expr() == other.type_expr() && schemas(one) == schemas(other)
}

/// The maximum depth of nested types that are compared.
const MAX_DEPTH: usize = 64;
/// The maximum number of pairs of types that are compared for one pair of parameters.
const MAX_PAIRS: usize = 20_000;

/// Compares types, which can contain themselves through schemas. Schemas that several types refer to are compared once.
pub(crate) struct Comparison {
    /// The limits `part` of the APIs of the wide and of the narrow type.
    part_limits: (u64, u64),
    /// The pairs of schemas that are included, or that are being compared. A pair that contains itself is included
    /// unless something else in it is not.
    assumed: HashSet<(*const (), *const ())>,
    /// The same pairs in their order, so that those which depend on a failed pair can be removed.
    order: Vec<(*const (), *const ())>,
    depth: usize,
    compared: usize,
}

impl Comparison {
    pub(crate) fn new(wide_limits: &Limits, narrow_limits: &Limits) -> Self {
        let part_limits = (wide_limits.part, narrow_limits.part);
        Self { part_limits, assumed: HashSet::new(), order: Vec::new(), depth: 0, compared: 0 }
    }

    /// Returns whether the type `wide` accepts every value that the type `narrow` accepts, with `except_null` apart
    /// from null; `None` if both are the same type, apart from null. The types must live as long as this comparison.
    pub(crate) fn compare_types(
        &mut self,
        wide: &dyn Check,
        narrow: &dyn Check,
        except_null: bool,
    ) -> Option<Inclusion> {
        let is_same_without_null = || without_null(narrow).is_some_and(|inner| are_same(wide, &*inner));
        if are_same(wide, narrow) || (except_null && is_same_without_null()) {
            return None;
        }
        self.compared = 0;
        Some(if except_null { self.includes_except_null(wide, narrow) } else { self.includes(wide, narrow) })
    }

    /// Returns whether the type `wide` accepts every value of the type `narrow` that is not null: an optional
    /// parameter, member or output may be null all the same.
    fn includes_except_null(&mut self, wide: &dyn Check, narrow: &dyn Check) -> Inclusion {
        self.compared += 1;
        if self.depth >= MAX_DEPTH || self.compared > MAX_PAIRS {
            return Inclusion::Unknown;
        }
        self.depth += 1;
        let compared = match narrow.structure() {
            Structure::Nullable(inner) => self.includes_except_null(wide, &*inner),
            Structure::Schema(schema) if narrow.accepts_null() => self.includes_except_null(wide, &*schema.check),
            Structure::Union(branches) => all(branches.iter().map(|branch| self.includes_except_null(wide, &**branch))),
            _ => match self.includes(wide, narrow) {
                Inclusion::Excluded(Some(Value::Null)) if samples(narrow).all(|value| value == Value::Null) => {
                    Inclusion::Included
                }
                Inclusion::Excluded(Some(Value::Null)) => Inclusion::Unknown,
                compared => compared,
            },
        };
        self.depth -= 1;
        compared
    }

    fn includes(&mut self, wide: &dyn Check, narrow: &dyn Check) -> Inclusion {
        self.compared += 1;
        if self.depth >= MAX_DEPTH || self.compared > MAX_PAIRS {
            return Inclusion::Unknown;
        }
        self.depth += 1;
        let compared = self.compare(wide, narrow);
        self.depth -= 1;
        match compared {
            Inclusion::Included | Inclusion::Excluded(None) => compared,
            Inclusion::Excluded(Some(value)) => witness(wide, narrow, [value]),
            Inclusion::Unknown => witness(wide, narrow, []),
        }
    }

    fn compare(&mut self, wide: &dyn Check, narrow: &dyn Check) -> Inclusion {
        match (wide.structure(), narrow.structure()) {
            (Structure::Schema(wide_schema), Structure::Schema(narrow_schema)) => {
                let inner = (&*wide_schema.check, &*narrow_schema.check);
                self.compare_once(wide, narrow, |this| this.includes(inner.0, inner.1))
            }
            (Structure::Schema(schema), _) => {
                self.compare_once(wide, narrow, |this| this.includes(&*schema.check, narrow))
            }
            (_, Structure::Schema(schema)) => {
                self.compare_once(wide, narrow, |this| this.includes(wide, &*schema.check))
            }
            (_, Structure::Nullable(inner)) => match self.includes(wide, &*inner) {
                Inclusion::Included | Inclusion::Unknown if !wide.accepts_null() => {
                    Inclusion::Excluded(Some(Value::Null))
                }
                compared => compared,
            },
            (Structure::Nullable(inner), _) if !narrow.accepts_null() => self.includes(&*inner, narrow),
            (
                Structure::TaggedUnion { tag, branches },
                Structure::TaggedUnion { tag: narrow_tag, branches: narrow_branches },
            ) if tag == narrow_tag => all(narrow_branches.iter().map(|(value, narrow_branch)| {
                match branches.iter().find(|(known, _)| known == value) {
                    Some((_, branch)) => with_member(self.includes(&**branch, &**narrow_branch), &tag, value),
                    None => with_member(Inclusion::Excluded(narrow_branch.example()), &tag, value),
                }
            })),
            (_, Structure::TaggedUnion { tag, branches }) => {
                all(branches.iter().map(|(value, branch)| match self.includes(wide, &**branch) {
                    Inclusion::Included => includes_tag(wide, &**branch, &tag, value),
                    compared => with_member(compared, &tag, value),
                }))
            }
            (_, Structure::Union(branches)) => all(branches.iter().map(|branch| self.includes(wide, &**branch))),
            (Structure::Union(branches), _) => any(branches.iter().map(|branch| self.includes(&**branch, narrow))),
            (Structure::Array(wide_item), Structure::Array(narrow_item)) => {
                let counts = match includes_counts(wide, narrow, ["minItems", "maxItems"]) {
                    Inclusion::Unknown => shown_by(longer_list(wide, narrow)),
                    counts => counts,
                };
                let items = match self.includes(&*wide_item, &*narrow_item) {
                    Inclusion::Excluded(Some(item)) => shown_by(list_with(narrow, &item)),
                    items => items,
                };
                all([counts, items])
            }
            (Structure::Map(wide_value), Structure::Map(narrow_value)) => {
                let counts = includes_counts(wide, narrow, ["minProperties", "maxProperties"]);
                let names = match (wide.schema().get("propertyNames"), narrow.schema().get("propertyNames")) {
                    (None, _) => Inclusion::Included,
                    (Some(names), Some(narrow_names)) if names == narrow_names => Inclusion::Included,
                    _ => Inclusion::Unknown,
                };
                let values = match self.includes(&*wide_value, &*narrow_value) {
                    Inclusion::Excluded(Some(value)) => shown_by(object_with(narrow, None, &value)),
                    values => values,
                };
                all([counts, names, values])
            }
            (Structure::Object(wide_shape), Structure::Object(narrow_shape)) => {
                self.compare_objects(&wide_shape, &narrow_shape, narrow)
            }
            _ => compare_single_values(wide, narrow, self.part_limits),
        }
    }

    /// Compares two types of which one is a schema, unless they are being compared already.
    fn compare_once(
        &mut self,
        wide: &dyn Check,
        narrow: &dyn Check,
        compare: impl FnOnce(&mut Self) -> Inclusion,
    ) -> Inclusion {
        let pair = (std::ptr::from_ref(wide).cast(), std::ptr::from_ref(narrow).cast());
        if !self.assumed.insert(pair) {
            return Inclusion::Included;
        }
        let begin = self.order.len();
        self.order.push(pair);
        let compared = compare(self);
        if compared != Inclusion::Included {
            // Pairs that were included because of this one may not be included without it.
            for pair in self.order.drain(begin..) {
                self.assumed.remove(&pair);
            }
        }
        compared
    }

    fn compare_objects(&mut self, wide: &ObjectShape, narrow: &ObjectShape, narrow_check: &dyn Check) -> Inclusion {
        let find = |shape: &'_ ObjectShape, name: &str| shape.fields.iter().position(|field| field.name == name);
        let mut results = Vec::new();
        for field in &wide.fields {
            let narrow_field = find(narrow, &field.name).map(|index| &narrow.fields[index]);
            if !field.optional && narrow_field.is_none_or(|narrow_field| narrow_field.optional) {
                results.push(shown_by(object_without(narrow_check, &field.name)));
            }
            let Some(ObjectField { check, .. }) = narrow_field else { continue };
            let compared = match field.optional {
                true => self.includes_except_null(&*field.check, &**check),
                false => self.includes(&*field.check, &**check),
            };
            results.push(match compared {
                Inclusion::Excluded(Some(value)) => shown_by(object_with(narrow_check, Some(&field.name), &value)),
                result => result,
            });
        }
        if wide.is_closed {
            let unlisted = narrow.fields.iter().find(|field| find(wide, &field.name).is_none());
            if let Some(ObjectField { name, check, .. }) = unlisted {
                let value = check.example().unwrap_or(Value::Null);
                results.push(shown_by(object_with(narrow_check, Some(name), &value)));
            } else if !narrow.is_closed {
                results.push(shown_by(object_with(narrow_check, None, &Value::Bool(true))));
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

/// Compares types of which at least one has no structure.
fn compare_single_values(wide: &dyn Check, narrow: &dyn Check, part_limits: (u64, u64)) -> Inclusion {
    if let Some(inclusion) = includes_files(wide, narrow, part_limits) {
        return inclusion;
    }
    // References have the same text in both definitions, although the schemas may differ.
    if !wide.referenced_schemas().is_empty() || !narrow.referenced_schemas().is_empty() {
        return if are_same(wide, narrow) { Inclusion::Included } else { Inclusion::Unknown };
    }
    if let Some(inclusion) = differ_only_in_bounds(wide, narrow) {
        return inclusion;
    }
    let (wide_schema, narrow_schema) = (wide.schema(), narrow.schema());
    if wide_schema.as_object().is_some_and(serde_json::Map::is_empty) {
        return Inclusion::Included;
    }
    match includes_single_values(&wide_schema, &narrow_schema) {
        Inclusion::Included if !wide.has_exact_schema() && wide.type_expr() != narrow.type_expr() => Inclusion::Unknown,
        inclusion => inclusion,
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

/// Combines the results for the branches of a union, of which one must include the narrow type.
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

/// Returns the first of the candidates, and of other values at the limits of the two types, that the narrow type
/// accepts and the wide type rejects. Null is the last one, because it shows no other difference.
fn witness(wide: &dyn Check, narrow: &dyn Check, candidates: impl IntoIterator<Item = Value<'static>>) -> Inclusion {
    let is_witness =
        |value: &Value<'static>| narrow.checked(value.clone()).is_ok() && wide.checked(value.clone()).is_err();
    let mut candidates = candidates.into_iter();
    let at_limits = || {
        let limits = narrow.boundary_values().into_iter().chain(narrow.example()).chain(wide.boundary_values());
        let (null, others): (Vec<_>, Vec<_>) = limits.partition(|value| *value == Value::Null);
        others.into_iter().chain(null).find(is_witness)
    };
    match candidates.find(is_witness).or_else(at_limits) {
        Some(value) => Inclusion::Excluded(Some(value)),
        None => Inclusion::Unknown,
    }
}

/// Returns that values are excluded if one shows it.
fn shown_by(value: Option<Value<'static>>) -> Inclusion {
    value.map_or(Inclusion::Unknown, |value| Inclusion::Excluded(Some(value)))
}

/// Returns the type of the values of a nullable type that are not null: an optional parameter, member or output may be
/// null all the same.
fn without_null(check: &dyn Check) -> Option<Arc<dyn Check>> {
    match check.structure() {
        Structure::Nullable(inner) => Some(inner),
        Structure::Schema(schema) => without_null(&*schema.check),
        _ => None,
    }
}
