//! The property that changes between two definitions are classified correctly: a change that is called compatible
//! breaks nothing, and a change that is called breaking has a witness.

use std::borrow::Cow;

use rulebook::types::Value;
use rulebook_diff::{Change, ChangeKind, Inclusion, Level, compare, includes};
use rulebook_model::model::{Api, Location, Method, Parameter};
use rulebook_model::types::{Arity, Check, complete_schema};
use serde_json::Value as Json;

use super::case::{methods, rulebook_with_functions};
use super::schema_texts::unfold_references;
use super::{Property, PropertyCase, PropertyCounts, boundary};
use support::generate::{Choices, Generated, evolve};

/// If no change of a parameter is risky or breaking, the new type accepts each value that the old type accepts; for
/// outputs, the reverse. A value that shows a breaking change of a type is accepted by one type and rejected by the
/// other.
pub const PROPERTY: Property = Property { name: "changes", check: check_changes };

fn check_changes(case: &mut PropertyCase, values: usize, counts: &mut PropertyCounts) -> Result<(), String> {
    let old = read(&case.generated)?;
    let Some((changed, new)) = (0..10).find_map(|_| {
        let changed = evolve(case.generated.clone(), &mut case.choices);
        read(&changed).ok().map(|api| (changed, api))
    }) else {
        return Ok(());
    };
    let changes = compare(&old, &new);
    changes.iter().for_each(|change| counts.add_kind(change.kind.into()));
    let missing = changes.iter().find(|change| change.kind.level() == Level::Breaking && !has_witness(change));
    if let Some(missing) = missing {
        return Err(format!("no witness: {missing:?}"));
    }
    let pairs = methods(&old).into_iter().filter_map(|(_, service, method)| {
        let is_same = |other: &&(_, &rulebook_model::model::Service, &Method)| {
            other.1.uri() == service.uri() && other.2.http == method.http
        };
        Some((method, methods(&new).iter().find(is_same)?.2))
    });
    for (before, after) in pairs {
        let of_method: Vec<&Change> =
            changes.iter().filter(|change| change.method_id.as_ref() == Some(&before.id)).collect();
        // Other types of the parameters at positions can be other paths, and so another method.
        if of_method.iter().any(|change| change.kind == ChangeKind::MethodRemoved) {
            continue;
        }
        counts.methods += 1;
        let checked = check_parameters((before, after), &of_method, values, &mut case.choices, counts)
            .and_then(|()| check_outputs((before, after), values, &mut case.choices, counts));
        checked.map_err(|reason| format!("{reason}\nthe changed definition:\n{changed:?}"))?;
    }
    Ok(())
}

fn read(generated: &Generated) -> Result<Api, String> {
    rulebook_with_functions(generated.bytes()).check().map_err(|report| report.to_string())
}

/// Returns `true` if a breaking change has a witness, or if it concerns files or values that cannot be generated.
fn has_witness(change: &Change) -> bool {
    let is_about_type = matches!(
        change.kind,
        ChangeKind::ParameterNarrowed
            | ChangeKind::OutputWidened
            | ChangeKind::RequiredParameterAdded
            | ChangeKind::ParameterRequired
            | ChangeKind::ParameterRefused
    );
    change.witness.is_some() || is_about_type && change.message.contains("file") || change.message.contains("callable")
}

fn check_parameters(
    (before, after): (&Method, &Method),
    changes: &[&Change],
    values: usize,
    choices: &mut Choices,
    counts: &mut PropertyCounts,
) -> Result<(), String> {
    for old in &before.parameters {
        let is_same = |new: &&Parameter| new.from == old.from && new.key == old.key;
        let Some(new) = after.parameters.iter().find(is_same) else { continue };
        let of_parameter = || changes.iter().filter(|change| change.parameter.as_deref() == Some(old.request_name()));
        let is_file = |parameter: &Parameter| is_file(&*parameter.r#type.check);
        if is_file(old) || is_file(new) {
            continue;
        }
        let (wide, narrow) = (&*new.r#type.check, &*old.r#type.check);
        if let Some(narrowed) = of_parameter().find(|change| change.kind == ChangeKind::ParameterNarrowed) {
            let request = narrowed.witness.as_ref().map(|witness| &witness["request"][old.request_name()]);
            let value = request.ok_or("no value in the witness")?;
            let is_text = !matches!(old.from, Location::Body | Location::WholeBody);
            if !accepts(narrow, value, is_text) || accepts(wide, value, is_text) {
                return Err(format!("{value} does not show the change of {} to {}", words(narrow), words(wide)));
            }
            counts.add_kind("shown");
            continue;
        }
        if of_parameter().any(|change| change.kind.level() != Level::Compatible) {
            continue;
        }
        check_inclusion(wide, narrow, new.optional, values, choices, counts)
            .map_err(|reason| format!("{reason}, at {}", old.request_name()))?;
    }
    Ok(())
}

fn check_outputs(
    (before, after): (&Method, &Method),
    values: usize,
    choices: &mut Choices,
    counts: &mut PropertyCounts,
) -> Result<(), String> {
    for old in &before.outputs {
        let Some(new) = after.outputs.iter().find(|new| new.name == old.name && new.place == old.place) else {
            continue;
        };
        let (wide, narrow) = (&*old.r#type.check, &*new.r#type.check);
        if is_file(wide) || is_file(narrow) {
            continue;
        }
        match includes(&old.r#type.check, &new.r#type.check) {
            Inclusion::Included => check_inclusion(wide, narrow, old.optional, values, choices, counts)?,
            Inclusion::Excluded(Some(value)) => {
                counts.add_kind("shown");
                let value = value.to_json();
                if !accepts(narrow, &value, false) || accepts(wide, &value, false) {
                    return Err(format!("{value} does not show the change of {} to {}", words(wide), words(narrow)));
                }
            }
            Inclusion::Excluded(None) => return Err(format!("no witness: {} and {}", words(wide), words(narrow))),
            Inclusion::Unknown => counts.add_kind("unknown"),
        }
    }
    Ok(())
}

/// Checks that the type `wide` accepts random values that the type `narrow` accepts. Members that the type does not
/// list are removed from the values, because clients do not send them.
fn check_inclusion(
    wide: &dyn Check,
    narrow: &dyn Check,
    accepts_null: bool,
    values: usize,
    choices: &mut Choices,
    counts: &mut PropertyCounts,
) -> Result<(), String> {
    let complete = complete_schema(narrow);
    let schema = unfold_references(&complete, &narrow.schema(), 3);
    let boundary_values = narrow.boundary_values();
    for _ in 0..values.min(20) {
        let mut value = boundary::random_value(&schema, &boundary_values, choices);
        remove_unlisted_members(&mut value, &schema);
        counts.values += 1;
        if !accepts(narrow, &value, false) || accepts_null && value.is_null() {
            continue;
        }
        counts.add_kind("compared");
        if !accepts(wide, &value, false) {
            return Err(format!("{value}: {} accepts it, and {} does not", words(narrow), words(wide)));
        }
    }
    Ok(())
}

fn accepts(check: &dyn Check, value: &Json, is_text: bool) -> bool {
    let value = match value {
        Json::String(text) if is_text => check.decode(Cow::Borrowed(text)),
        value if is_text => check.decode(Cow::Owned(value.to_string())),
        value => Value::from(value),
    };
    check.checked(value).is_ok()
}

fn is_file(check: &dyn Check) -> bool {
    matches!(check.arity(), Arity::File | Arity::Files)
}

fn words(check: &dyn Check) -> String {
    format!("{:?}", check.type_expr())
}

/// Removes the members whose names the schema does not list, at any depth.
fn remove_unlisted_members(value: &mut Json, schema: &Json) {
    let mut schemas = vec![schema];
    for keyword in ["anyOf", "oneOf", "allOf"] {
        let nested: Vec<&Json> =
            schemas.iter().filter_map(|schema| schema.get(keyword)?.as_array()).flatten().collect();
        schemas.extend(nested);
    }
    match value {
        Json::Array(items) => {
            for items_schema in schemas.iter().filter_map(|schema| schema.get("items")) {
                items.iter_mut().for_each(|item| remove_unlisted_members(item, items_schema));
            }
        }
        Json::Object(members) => {
            let listed = |name: &str| schemas.iter().find_map(|schema| schema.get("properties")?.get(name));
            let of_others =
                || schemas.iter().find_map(|schema| schema.get("additionalProperties").filter(|it| it.is_object()));
            members.retain(|name, _| listed(name).is_some() || of_others().is_some());
            for (name, member) in members {
                if let Some(schema) = listed(name).or_else(of_others) {
                    remove_unlisted_members(member, schema);
                }
            }
        }
        _ => {}
    }
}
