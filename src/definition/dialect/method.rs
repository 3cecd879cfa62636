//! A method and what is in it: parameters, outputs, errors.

use serde_json::{Map, Value as Json};

use super::super::keys::{AFTER, ATTRIBUTES, ERROR, ITEMS, METHOD, OPTIONS, OUTPUT, PARAMETER};
use super::super::manner::{Manner, TREE};
use super::super::object::{Object, wrong_kind};
use super::super::text::{Data, Member, Node};
use super::super::written::{Attribute, DeclaredError, Method, Options, Output, Parameter, TypeText};
use crate::diagnostic::Diagnostic;
use crate::place::Placed;

/// The permissions of a scope, in their groups.
pub(super) type Groups = Vec<Placed<Vec<Placed<String>>>>;

/// Reads a method. None where it is no object, which is told.
pub(super) fn method(http: Placed<String>, node: &Node, faults: &mut Vec<Diagnostic>) -> Option<Method> {
    Object::open(node, &METHOD, faults).map(|object| opened(http, object, faults))
}

/// Reads a method out of its object.
pub(super) fn opened(http: Placed<String>, mut object: Object<'_>, faults: &mut Vec<Diagnostic>) -> Method {
    let parameters = object.named("in", &PARAMETER, faults, canonical_parameter);
    let outputs = object.named("out", &OUTPUT, faults, |name, object, faults| output(&TREE, name, object, faults));
    let errors = object.named("errors", &ERROR, faults, |name, object, _| error(&TREE, name, object));
    let options = object.get("options").and_then(|node| Object::open(node, &OPTIONS, faults));
    let (scope, whole) =
        object.get(TREE.scope).map_or((Groups::new(), true), |node| groups(TREE.scope, false, node, faults));
    Method {
        http,
        id: object.text("id"),
        info: object.text("info"),
        scope,
        parameters,
        outputs,
        errors,
        options: options.as_ref().map(self::options).unwrap_or_default(),
        place: object.place,
        damaged: object.damaged || !whole,
    }
}

/// Reads the options of a method.
pub(super) fn options(object: &Object<'_>) -> Options {
    Options {
        status: object.whole("status"),
        download: object.flag("download"),
        jsonp: object.flag("jsonp"),
        deprecated: object.flag("deprecated"),
    }
}

/// Reads the permissions under `key`, and whether all of them could be read. A `lone` one is a group of its own.
pub(super) fn groups(key: &str, lone: bool, node: &Node, faults: &mut Vec<Diagnostic>) -> (Groups, bool) {
    let mut groups = Groups::new();
    let mut whole = true;
    let Data::List(written) = &node.data else {
        return (groups, false);
    };
    for group in written {
        let permissions =
            match &group.data {
                Data::List(permissions) => permissions.as_slice(),
                Data::Text(_) if lone => std::slice::from_ref(group),
                _ => {
                    let expected = if lone { "a string or a list of strings" } else { "a list of strings" };
                    let fault = wrong_kind(&format!("each group of `{key}`"), expected, group);
                    faults.push(fault.help(format!(
                        "`{key}` is an OR of ANDs: `[[\"a\", \"b\"], [\"c\"]]` asks for a and b, or for c"
                    )));
                    whole = false;
                    continue;
                }
            };
        let mut all = Vec::with_capacity(permissions.len());
        for permission in permissions {
            match &permission.data {
                Data::Text(text) => all.push(Placed::new(text.clone(), permission.place)),
                _ => {
                    faults.push(wrong_kind(&format!("each permission of `{key}`"), "a string", permission));
                    whole = false;
                }
            }
        }
        // A group that lost a permission would ask for less than was written.
        if all.len() == permissions.len() {
            groups.push(Placed::new(all, group.place));
        }
    }
    (groups, whole)
}

/// Reads a parameter as the dialect `tree` writes it.
pub(super) fn canonical_parameter(
    key: Placed<String>,
    object: &mut Object<'_>,
    faults: &mut Vec<Diagnostic>,
) -> Parameter {
    parameter(&TREE, key, object, faults)
}

/// Reads a parameter.
pub(super) fn parameter(
    manner: &Manner,
    key: Placed<String>,
    object: &mut Object<'_>,
    faults: &mut Vec<Diagnostic>,
) -> Parameter {
    let r#type = type_text(manner, object, faults);
    Parameter {
        key,
        name: object.text("name"),
        info: object.text(manner.info),
        r#type,
        optional: object.flag("optional"),
        default: object.json("default"),
        example: object.json("example"),
        message: object.text("message"),
        place: object.place,
        damaged: object.damaged,
    }
}

/// Reads an output, or a field.
pub(super) fn output(
    manner: &Manner,
    name: Placed<String>,
    object: &mut Object<'_>,
    faults: &mut Vec<Diagnostic>,
) -> Output {
    let r#type = type_text(manner, object, faults);
    Output {
        name,
        info: object.text(manner.info),
        r#type,
        example: object.json("example"),
        place: object.place,
        damaged: object.damaged,
    }
}

/// Reads a type, and the attributes beside it.
pub(super) fn type_text(manner: &Manner, object: &mut Object<'_>, faults: &mut Vec<Diagnostic>) -> TypeText {
    let fields = object.get("fields").map(|node| node.place);
    let is_attribute = |key: &str| ATTRIBUTES.find(key).or(AFTER.find(key)).is_some();
    let field = |name, object: &mut Object<'_>, faults: &mut Vec<Diagnostic>| output(manner, name, object, faults);
    let mut items = Vec::new();
    let inside = self::items("items", object, &mut items, faults);
    TypeText {
        term: object.text("type"),
        attributes: object
            .members()
            .filter(|member| is_attribute(&member.key.value) && member.key.value != "items")
            .map(|member| {
                let value = Placed::new(member.value.json(), member.value.place);
                (member.key.clone(), value)
            })
            .chain(inside)
            .collect(),
        items,
        fields: fields.map(|place| Placed::new(object.named("fields", manner.output, faults, field), place)),
    }
}

/// Reads the `items` of an object, which is the one on this way, and puts what is in them to `all`, deepest first.
fn items(
    way: &str,
    object: &mut Object<'_>,
    all: &mut Vec<Attribute>,
    faults: &mut Vec<Diagnostic>,
) -> Option<Attribute> {
    let member = object.members().find(|member| member.key.value == "items")?;
    let mut inside = object.object("items", &ITEMS, faults)?;
    let deeper = items(&format!("{way}.items"), &mut inside, all, faults);
    let mut held = Map::new();
    for Member { key, value } in inside.members().filter(|member| member.key.value != "items") {
        held.insert(key.value.clone(), value.json());
        all.push((Placed::new(format!("{way}.{}", key.value), key.place), Placed::new(value.json(), value.place)));
    }
    if let Some((key, value)) = deeper {
        held.insert(key.value.clone(), value.value.clone());
        all.push((Placed::new(format!("{way}.{}", key.value), key.place), value));
    }
    Some((member.key.clone(), Placed::new(Json::Object(held), member.value.place)))
}

/// Reads an error of a method's own.
pub(super) fn error(manner: &Manner, name: Placed<String>, object: &Object<'_>) -> DeclaredError {
    DeclaredError {
        name,
        status: object.whole("status"),
        info: object.text(manner.info),
        place: object.place,
        damaged: object.damaged,
    }
}
