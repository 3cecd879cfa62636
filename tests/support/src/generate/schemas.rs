//! Adds schemas to generated definitions, and lets some of their types refer to these schemas.

use serde_json::{Map, Value as Json, json};

use super::Choices;

/// The types that refer to schemas of every API module.
const TERMS: &[&str] = &[
    "Person",
    "NewPerson",
    "Node",
    "Tone",
    "array<Node>",
    "array<?Tone>",
    "[]Person",
    "Shape",
    "array<Shape>",
    "map<?Shape>",
    "Term",
    "array<Term>",
    "partial<Person>",
    "partial<Square>",
    "ByTone",
];
/// The types that refer to the schema of an API module.
const LOCAL_TERMS: &[&str] = &["Local", "array<Local>"];

/// Adds schemas to a definition with these files and settings. Some types without attributes are replaced by
/// references.
pub fn add_schemas(files: &mut [(String, Json)], app: &mut Map<String, Json>, choices: &mut Choices) {
    if choices.once_in(3) {
        return;
    }
    app.insert("schemas".to_owned(), shared_schemas());
    for (_, file) in files {
        let mut terms = TERMS.to_vec();
        if choices.once_in(2) {
            add_local_schemas(file);
            terms.extend(LOCAL_TERMS);
        }
        refer_to_schemas(file, &terms, choices);
    }
}

fn shared_schemas() -> Json {
    json!({
        "Tone": { "info": "How it sounds", "type": "enum", "range": ["high", "low", "Tone", "Person"], "example": "low" },
        "Person": { "info": "Somebody", "fields": {
            "name": { "info": "The name", "type": "string(1,20)" },
            "age": { "info": "The age", "type": "?int(0,150)" },
            "nick": { "info": "A short name", "type": "?string(1,9)" },
            "mail": { "info": "An address", "type": "?mail" },
            "friends": { "info": "Others", "type": "array<Person>", "max": 3 }
        }, "constraints": [{ "requires": { "nick": ["age"] } }, { "at_most_one": ["mail", "age"] }] },
        "NewPerson": {
            "info": "A person to add", "extends": ["Person"], "without": ["friends"], "closed": true,
            "fields": { "tone": { "info": "The tone", "type": "?Tone" } }
        },
        "Node": { "info": "A node of a tree", "type": "object", "fields": {
            "left": { "info": "One side", "type": "?Node" },
            "branch": { "info": "The other side", "type": "?Branch" }
        } },
        "Branch": { "info": "A branch", "fields": { "nodes": { "info": "Its nodes", "type": "array<?Node>" } } },
        "Shape": { "info": "One shape", "type": "union", "tag": "kind", "of": {
            "circle": "Circle", "square": "Square", "group": "Group", "strict": "Strict", "some of": "partial<Circle>"
        } },
        "Circle": { "info": "A circle", "fields": { "radius": { "info": "The radius", "type": "float(0,9)" } } },
        "Square": { "info": "A square", "fields": {
            "side": { "info": "The side", "type": "int(0,9)" },
            "kind": { "info": "Always the same", "type": "const(square)" }
        } },
        "Group": { "info": "Several shapes", "fields": {
            "kind": { "info": "Any of two", "type": "?enum(group|other)" },
            "width": { "info": "The width", "type": "?int(0,9)" },
            "height": { "info": "The height", "type": "?int(0,9)" },
            "title": { "info": "The title", "type": "?string(0,3)" },
            "shapes": { "info": "The shapes", "type": "array<Shape>", "max": 4 }
        }, "constraints": [{ "together": ["width", "height"] }, { "exactly_one": ["width", "title"] }] },
        "Strict": { "info": "No more", "closed": true, "fields": { "a": { "info": "A", "type": "?bool" } } },
        "Term": { "info": "A term", "type": "union", "of": ["int", "Sum", "Product", "array<Term>"] },
        "Sum": { "info": "A sum", "fields": {
            "op": { "info": "Which", "type": "enum(plus|minus)" }, "left": { "info": "L", "type": "Term" }
        } },
        "Product": { "info": "A product", "fields": {
            "op": { "info": "Which", "type": "const(Product)" }, "terms": { "info": "All", "type": "map<Term>" }
        } },
        "ByTone": { "info": "By tone", "type": "map<Tone>", "keys": "Tone", "max": 2 }
    })
}

/// Adds schemas to a file with one API module.
fn add_local_schemas(file: &mut Json) {
    let dialect = file.get("dialect").and_then(Json::as_str).unwrap_or("tree").to_owned();
    let (key, schemas) = match dialect.as_str() {
        "methods" => ("schemas", super::dialects::to_methods_schemas(local_schemas())),
        "rules" => ("@schemas", local_schemas()),
        _ => ("schemas", local_schemas()),
    };
    let Json::Object(members) = file else { return };
    let module = match dialect.as_str() {
        "tree" => Some(members),
        _ => members.iter_mut().find_map(|(key, member)| member.as_object_mut().filter(|_| key != "dialect")),
    };
    if let Some(module) = module {
        module.insert(key.to_owned(), schemas);
    }
}

/// Returns schemas whose types are the same in every dialect: without `type`, an object could be empty only in some.
/// Keys in JSON Schemas would otherwise depend on the schemas of modules that do not use them.
fn local_schemas() -> Json {
    let fields = json!({
        "node": { "info": "A node", "type": "?Node" }, "more": { "info": "More", "type": "array<Local>" }
    });
    let local =
        json!({ "info": "Of this module", "type": "filled_object", "extends": ["NewPerson"], "fields": fields });
    json!({ "Local": local })
}

/// Replaces types without attributes, defaults and examples by references to schemas.
fn refer_to_schemas(json: &mut Json, terms: &[&str], choices: &mut Choices) {
    let Json::Object(members) = json else { return };
    // An example would not be valid if a type in it were replaced.
    if members.contains_key("type") && (members.contains_key("example") || members.contains_key("default")) {
        return;
    }
    let is_plain = members.keys().all(|key| {
        ["info", "description", "desc", "type", "name", "message", "optional", "source", "require"].contains(&&**key)
    });
    let term = members.get("type").and_then(Json::as_str).unwrap_or_default();
    let (mark, bare) = term.strip_prefix('?').map_or(("", term), |bare| ("?", bare));
    let is_replaceable = ["any", "mixed", "object", "array", "string", "filled_object"].contains(&bare);
    if is_plain && is_replaceable && choices.once_in(2) {
        let replaced = format!("{mark}{}", choices.of(terms));
        members.insert("type".to_owned(), json!(replaced));
        return;
    }
    let is_replaceable = |key: &String| !["@return", "schemas", "@schemas"].contains(&key.as_str());
    let members = members.iter_mut().filter(|(key, _)| is_replaceable(key));
    members.for_each(|(_, member)| refer_to_schemas(member, terms, choices));
}
