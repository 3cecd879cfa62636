//! Tests of the key tables, which list the keys that definitions can have. Each key must have a description, and the
//! parser must read each key.

use std::collections::HashSet;

use rulebook_model::definition::keys::{self, JsonKind, KeySpec, KeyTable};
use rulebook_model::limits;
use rulebook_model::model::Cors;
use serde_json::{Value as Json, json};

use super::{first_module, parse_valid_file};

/// All key tables of all dialects.
const TABLES: [&KeyTable; 38] = [
    &keys::APP,
    &keys::CONTACT,
    &keys::LICENSE,
    &keys::SERVER,
    &keys::TYPES,
    &keys::LIMITS,
    &keys::CORS,
    &keys::PHALAPI,
    &keys::SERVICE,
    &keys::MODULE,
    &keys::URI,
    &keys::METHOD,
    &keys::METHOD_LIST_ENTRY,
    &keys::PARAMETER,
    &keys::OUTPUT,
    &keys::TYPE_ATTRIBUTES,
    &keys::NESTED_ATTRIBUTES,
    &keys::ITEM_ATTRIBUTES,
    &keys::NESTED_TYPE,
    &keys::SCHEMA,
    &keys::AFTER_ATTRIBUTE,
    &keys::ERROR,
    &keys::OPTIONS,
    &keys::FIELDS_ATTRIBUTE,
    &keys::methods::METHOD,
    &keys::methods::PARAMETER,
    &keys::methods::OUTPUT,
    &keys::methods::ERROR,
    &keys::methods::OPTIONS,
    &keys::methods::NESTED_ATTRIBUTES,
    &keys::methods::ITEM_ATTRIBUTES,
    &keys::methods::NESTED_TYPE,
    &keys::rules::RULES_FILE,
    &keys::rules::CLASS,
    &keys::rules::COMMON_RULES,
    &keys::rules::METHOD,
    &keys::rules::RULE,
    &keys::rules::RETURN_FIELD,
];

#[test]
fn definition_keys_are_unique_and_have_descriptions() {
    for table in TABLES {
        let mut names = HashSet::new();
        for key in table.iter() {
            assert!(names.insert(key.name), "{} is a duplicate in {}", key.name, table.subject);
            assert!(key.description.ends_with('.'), "{} of {}", key.name, table.subject);
        }
    }
}

#[test]
fn each_alias_of_the_rules_dialect_has_one_canonical_name() {
    use keys::rules::{PARAMETER_TYPE_ALIASES, RETURN_TYPE_ALIASES, SOURCE_PREFIXES, tree_name_of_alias};
    for table in [PARAMETER_TYPE_ALIASES, RETURN_TYPE_ALIASES, SOURCE_PREFIXES] {
        for (name, tree_name) in table {
            assert_eq!(tree_name_of_alias(table, &name.to_uppercase()), Some(*tree_name), "{name}");
            // PhalApi, whose rules this dialect reads, has two names for `callable`.
            let expected = if *tree_name == "callable" { 2 } else { 1 };
            assert_eq!(table.iter().filter(|(_, other)| other == tree_name).count(), expected, "{tree_name}");
        }
    }
    let known: Vec<_> = rulebook_model::types::Types::builtin().iter().map(|known| known.name().to_owned()).collect();
    for (_, tree_name) in PARAMETER_TYPE_ALIASES.iter().chain(RETURN_TYPE_ALIASES) {
        assert!(known.iter().any(|name| name == tree_name), "{tree_name}");
    }
}

/// Returns an object that contains all keys of a table. Every string in the object is different, and is also added to
/// `texts`.
fn object_with_all_keys(table: &'static KeyTable, path: &str, texts: &mut Vec<String>) -> Json {
    let depth = path.matches('.').count();
    // The keys of versions are taken from the text before it is read.
    let is_read = |key: &&'static KeySpec| keys::VERSION_RANGE.find(key.name).is_none();
    let members = table.iter().filter(is_read).map(|key| {
        let path = format!("{path}.{}", key.name);
        let mut text = || {
            texts.push(path.clone());
            json!(path)
        };
        let value = match key.kind {
            JsonKind::String if key.name == "dialect" => json!("tree"),
            JsonKind::String | JsonKind::Any => text(),
            JsonKind::AnyObject => json!({ "key": text() }),
            JsonKind::Strings | JsonKind::StringOrStrings => json!([text()]),
            JsonKind::Scope => json!([[text()]]),
            JsonKind::Permissions => json!([text(), [text()]]),
            JsonKind::Bool => json!(true),
            JsonKind::BoolOrString => json!("true"),
            JsonKind::Moment | JsonKind::BoolOrMoment => json!("2999-01-01"),
            JsonKind::Integer | JsonKind::ByteSize => json!(123_456_789),
            JsonKind::IntegerOrIntegers => json!([201, 200]),
            // Types in the attributes of inner types are terms, so that the text does not become too long.
            JsonKind::Type(_) if is_inner_type(&path) => text(),
            JsonKind::Types(_) if is_inner_type(&path) => json!([text()]),
            JsonKind::Types(keys) => {
                texts.push(format!("{path}.*"));
                json!({ format!("{path}.*"): object_with_all_keys(keys, &path, texts) })
            }
            JsonKind::Object(_) | JsonKind::ObjectsByName(_) if depth > 7 => json!({}),
            JsonKind::Type(keys) | JsonKind::Object(keys) => object_with_all_keys(keys, &path, texts),
            JsonKind::Objects(keys) | JsonKind::ObjectOrObjects(keys) => {
                json!([object_with_all_keys(keys, &path, texts)])
            }
            JsonKind::ObjectsByName(_) | JsonKind::ObjectsByNameOrStrings(_) | JsonKind::CommonParameters => {
                let keys = match key.kind {
                    JsonKind::ObjectsByName(keys) | JsonKind::ObjectsByNameOrStrings(keys) => keys,
                    _ => &keys::PARAMETER,
                };
                texts.push(format!("{path}.*"));
                json!({ format!("{path}.*"): object_with_all_keys(keys, &path, texts) })
            }
        };
        (key.name.to_owned(), value)
    });
    Json::Object(members.collect())
}

/// Returns `true` if the type at `path` is within another type.
fn is_inner_type(path: &str) -> bool {
    [".of.", ".keys.", ".items.", ".fields."].iter().any(|attribute| path.contains(attribute))
}

#[test]
fn the_parser_reads_every_key() {
    for table in [&keys::APP, &keys::METHOD_LIST_ENTRY, &keys::methods::METHOD] {
        let mut texts = Vec::new();
        let whole = object_with_all_keys(table, "", &mut texts);
        let text = match (table.find("modules"), table.find("path")) {
            (Some(_), _) => whole.to_string(),
            (None, Some(_)) => json!([whole]).to_string(),
            (None, None) => json!({ "module": { "GET::name": whole } }).to_string(),
        };
        let definition = parse_valid_file("a.json", &text);
        let parsed = format!("{definition:?}");
        // Searching the whole text for each string would take minutes.
        let strings: HashSet<&str> = parsed.split('"').collect();
        for text in &texts {
            // The key `module` replaces the name of a module.
            let is_ignored = text.ends_with(".modules.*");
            let is_read = strings.contains(&**text) || parsed.contains(&format!("{text}\""));
            assert_ne!(is_read, is_ignored, "{text}");
        }
        let numbers = text.matches("123456789").count();
        assert_eq!(parsed.matches("123456789").count(), numbers);
    }
    let definition = parse_valid_file("a.json", r#"{ "ignore_case": true, "GET": { "info": "" } }"#);
    assert!(first_module(&definition).ignore_case.is_some_and(|flag| flag.value));
}

/// In Rust, a constant string cannot be built from a numeric constant. Therefore the descriptions repeat some numbers
/// of the code, and this test compares them.
#[test]
fn key_descriptions_contain_the_same_numbers_as_the_code() {
    let numbers = [
        (&keys::CORS, "max_age", Cors::DEFAULT_MAX_AGE),
        (&keys::LIMITS, "nesting", limits::NESTING_DEPTH.max),
        (&keys::LIMITS, "link", limits::LINK_SECONDS.max),
    ];
    for (table, name, number) in numbers {
        let key = table.iter().find(|key| key.name == name).unwrap();
        assert!(
            key.description.split(|char: char| !char.is_ascii_digit()).any(|word| word == number.to_string()),
            "{name}"
        );
    }
}
