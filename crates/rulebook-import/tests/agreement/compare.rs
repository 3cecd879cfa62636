//! Compares the values that a description and its imported definition accept.

use std::collections::HashSet;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use rulebook_import::openapi::import;
use rulebook_model::model::Api;
use serde_json::{Map, Value as Json};

use super::definition::{self, Part};
use super::losses::Losses;
use super::samples::samples;
use super::source::{Source, escape};

/// What was compared.
#[derive(Debug, Default)]
pub struct Comparison {
    pub schemas: usize,
    pub values: usize,
    /// The number of schemas that the validator cannot compile.
    pub skipped: usize,
    /// The values about which the definition differs from the description without a loss that says so.
    pub differences: Vec<String>,
}

impl Comparison {
    pub fn add(&mut self, other: Self) {
        self.schemas += other.schemas;
        self.values += other.values;
        self.skipped += other.skipped;
        self.differences.extend(other.differences);
    }
}

/// Imports a description, and compares all its schemas that have a place in the definition. Returns `None` if the
/// description cannot be imported.
pub fn compare(name: &str, text: &str, root: &Json) -> Option<Comparison> {
    let imported = import(name, text.as_bytes().to_vec()).ok()?;
    let losses = Losses::new(&imported.losses.to_text());
    let mut run = Run { source: Source { root }, losses: &losses, result: Comparison::default(), name };
    run.compare_schemas(&imported.api);
    run.compare_operations(&imported.api);
    Some(run.result)
}

/// Adds the path of an error, and those of the errors in its branches.
fn collect_paths(error: &ValidationError<'_>, paths: &mut HashSet<String>) {
    paths.insert(error.evaluation_path().as_str().to_owned());
    if let ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } = error.kind() {
        context.iter().flatten().for_each(|error| collect_paths(error, paths));
    }
}

fn without_null_members(value: &Json) -> Json {
    match value {
        Json::Array(items) => items.iter().map(without_null_members).collect(),
        Json::Object(members) => {
            let members = members.iter().filter(|(_, member)| !member.is_null());
            members.map(|(name, member)| (name.clone(), without_null_members(member))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// Returns `true` if a value contains a number that no type of whole numbers accepts: one that has not at most 63 bits,
/// or one with a fraction or an exponent that is not exact.
fn has_large_number(value: &Json) -> bool {
    match value {
        Json::Number(number) if number.is_f64() => number.as_f64().is_some_and(|float| float.abs() > 9e15),
        Json::Number(number) => number.as_i64().is_none(),
        Json::Array(items) => items.iter().any(has_large_number),
        Json::Object(members) => members.values().any(has_large_number),
        _ => false,
    }
}

struct Run<'a> {
    source: Source<'a>,
    losses: &'a Losses,
    result: Comparison,
    name: &'a str,
}

impl Run<'_> {
    fn compare_schemas(&mut self, api: &Api) {
        let schemas = self.source.at("/components/schemas").and_then(Json::as_object);
        for key in schemas.into_iter().flat_map(|schemas| schemas.keys()) {
            let name = self.losses.schema_name(key);
            let Some(schema) = api.schemas.iter().find(|schema| schema.name == name) else { continue };
            let place = format!("/components/schemas/{}", escape(key));
            // Each reference to the schema says whether null is accepted.
            self.compare_values(&place, &[], &Part::Type(&*schema.r#type.check, false), false);
        }
    }

    fn compare_operations(&mut self, api: &Api) {
        for (path, item) in self.source.at("/paths").and_then(Json::as_object).into_iter().flatten() {
            for http in ["get", "post", "put", "delete", "patch"].into_iter().filter(|http| item.get(http).is_some()) {
                let Some(method) = definition::method(api, path, http) else { continue };
                let item = format!("/paths/{}", escape(path));
                let place = format!("{item}/{http}");
                self.compare_parameters(method, &place);
                self.compare_parameters(method, &item);
                let request = self.source.resolve(format!("{place}/requestBody"));
                let request = request.and_then(|body| self.json_schema(&body));
                if let Some((request, body)) = request.zip(definition::request_body(method)) {
                    self.compare_values(&request.1, &request.0, &body, true);
                }
                let status = method.options.status;
                let response = self.source.resolve(format!("{place}/responses/{status}"));
                let response = response.and_then(|response| self.json_schema(&response));
                if let Some((response, body)) = response.zip(definition::response_body(method)) {
                    self.compare_values(&response.1, &response.0, &body, true);
                }
            }
        }
    }

    /// Returns the place of the schema of a body in JSON, and the places around it.
    fn json_schema(&self, body: &str) -> Option<(Vec<String>, String)> {
        let content = self.source.at(body)?.get("content")?.as_object()?;
        let (media_type, json) = content.iter().find(|(media_type, _)| media_type.starts_with("application/json"))?;
        json.get("schema")?;
        let place = format!("{body}/content/{}", escape(media_type));
        Some((vec![body.to_owned(), place.clone()], format!("{place}/schema")))
    }

    fn compare_parameters(&mut self, method: &rulebook_model::model::Method, place: &str) {
        let place = format!("{place}/parameters");
        let count = self.source.at(&place).and_then(Json::as_array).map_or(0, Vec::len);
        let mut seen = HashSet::new();
        for index in 0..count {
            let place = format!("{place}/{index}");
            let Some(target) = self.source.resolve(place.clone()) else { continue };
            let value = self.source.at(&target).unwrap();
            let (Some(name), Some(location)) = (value["name"].as_str(), value["in"].as_str()) else { continue };
            let Some(parameter) = definition::parameter(method, location, name) else { continue };
            if value.get("schema").is_none() || !seen.insert((name, location)) {
                continue;
            }
            let is_required = value["required"] == true || location == "path";
            if is_required == parameter.optional && !self.losses.names(&[place.clone(), target.clone()]) {
                self.result.differences.push(format!("{}: {place}: required is {is_required}", self.name));
            }
            let around = [place, target.clone()];
            self.compare_values(
                &format!("{target}/schema"),
                &around,
                &Part::Type(&*parameter.r#type.check, true),
                false,
            );
        }
    }

    /// Compares the values of the schema at a place. A loss at a place in `around` concerns all values.
    fn compare_values(&mut self, place: &str, around: &[String], part: &Part<'_>, with_null: bool) {
        let Some(validator) = self.source.validator(place) else {
            self.result.skipped += 1;
            return;
        };
        self.result.schemas += 1;
        let mut seen = HashSet::new();
        for value in samples(&self.source, place) {
            if (!with_null && value.is_null()) || has_large_number(&value) {
                continue;
            }
            self.result.values += 1;
            let errors: Vec<_> = validator.iter_errors(&value).collect();
            let difference = match (errors.is_empty(), part.accepts(&value)) {
                (true, false) => {
                    let mut places = self.source.places_within(place);
                    places.extend(around.iter().cloned());
                    (!self.losses.narrows(&places)).then(|| "refused".to_owned())
                }
                (false, true) if !self.losses.widens(around) => {
                    let without_nulls = without_null_members(&value);
                    let mut rest = HashSet::new();
                    validator.iter_errors(&without_nulls).for_each(|error| collect_paths(&error, &mut rest));
                    // A loss of the type explains what the other keywords of a schema require of values of other types.
                    let named_types: HashSet<String> = errors
                        .iter()
                        .filter(|error| matches!(error.kind(), ValidationErrorKind::Type { .. }))
                        .filter(|error| self.is_named(place, error, &rest))
                        .filter_map(|error| {
                            let places = self.source.places_on_path(place, error.evaluation_path().as_str());
                            Some(places.last()?.strip_suffix("/type")?.to_owned())
                        })
                        .collect();
                    let has_other_type = |error: &ValidationError<'_>| {
                        let places = self.source.places_on_path(place, error.evaluation_path().as_str());
                        places.iter().any(|place| named_types.contains(place))
                    };
                    let is_explained =
                        |error: &ValidationError<'_>| self.is_named(place, error, &rest) || has_other_type(error);
                    let error = errors.iter().find(|error| !is_explained(error));
                    error.map(|error| {
                        let places = self.source.places_on_path(place, error.evaluation_path().as_str());
                        format!("accepted: {} ({error})", places.last().unwrap())
                    })
                }
                _ => None,
            };
            if let Some(difference) = difference.filter(|difference| seen.insert(difference.clone())) {
                self.result.differences.push(format!("{}: {place}: {value} is {difference}", self.name));
            }
        }
    }

    /// Returns `true` if a loss says that the definition accepts values with this error. `rest` are the paths of the
    /// errors without the members that are null: such a member counts as missing in the definition, and the losses name
    /// it.
    fn is_named(&self, place: &str, error: &ValidationError<'_>, rest: &HashSet<String>) -> bool {
        if error.instance().is_object() && !rest.contains(error.evaluation_path().as_str()) {
            return true;
        }
        let places = self.source.places_on_path(place, error.evaluation_path().as_str());
        if self.losses.widens(&places) {
            return true;
        }
        let last = places.last().unwrap();
        let has_named_branch = |context: &[Vec<ValidationError<'static>>]| {
            context
                .iter()
                .any(|errors| !errors.is_empty() && errors.iter().all(|error| self.is_named(place, error, rest)))
        };
        match error.kind() {
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                has_named_branch(context)
            }
            // A member that must not be missing can be missing because of its type.
            ValidationErrorKind::Required { property } => {
                let object = last.strip_suffix("/required").unwrap_or(last);
                let member = format!("{object}/properties/{}", escape(property.as_str().unwrap_or_default()));
                self.losses.widens([&member]) || self.losses.widens_within(last)
            }
            // Null can be one of the constants, although the type excludes it.
            ValidationErrorKind::Type { .. } => {
                let schema = last.strip_suffix("/type").unwrap_or(last);
                let constants = ["const", "enum"].map(|keyword| format!("{schema}/{keyword}"));
                error.instance().is_null() && self.losses.widens(&constants)
            }
            ValidationErrorKind::OneOfMultipleValid { .. } | ValidationErrorKind::Enum { .. } => {
                self.losses.widens_within(last)
            }
            _ => {
                ["dependentRequired", "dependentSchemas"].iter().any(|keyword| last.ends_with(keyword))
                    && self.losses.widens_within(last)
            }
        }
    }
}
