//! The tables of keys: each key is explained, and arrives in the written form.

use rulebook::call::JsonLimits;
use rulebook::definition::keys::{self, Keys, Kind};
use rulebook::model::{Cors, Limits};
use serde_json::{Value as Json, json};

use super::{good, module};

/// Every table of keys.
const TABLES: [&Keys; 32] = [
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
    &keys::FLAT,
    &keys::PARAMETER,
    &keys::OUTPUT,
    &keys::ATTRIBUTES,
    &keys::ITEMS,
    &keys::AFTER,
    &keys::ERROR,
    &keys::OPTIONS,
    &keys::FIELDS,
    &keys::methods::METHOD,
    &keys::methods::PARAMETER,
    &keys::methods::OUTPUT,
    &keys::methods::ERROR,
    &keys::methods::OPTIONS,
    &keys::rules::FILE,
    &keys::rules::CLASS,
    &keys::rules::COMMON,
    &keys::rules::METHOD,
    &keys::rules::RULE,
    &keys::rules::RETURN,
];

#[test]
fn tables_of_keys_are_unique_and_explained() {
    for table in TABLES {
        let mut names = std::collections::HashSet::new();
        for key in table.iter() {
            assert!(names.insert(key.name), "{} of {} stands twice", key.name, table.what);
            assert!(key.info.ends_with('.'), "{} of {}", key.name, table.what);
        }
    }
}

#[test]
fn words_of_rules_are_unique_and_have_one_meaning() {
    use keys::rules::{RETURN_TYPES, SOURCES, TYPES, meaning};
    for table in [TYPES, RETURN_TYPES, SOURCES] {
        for word in table {
            assert_eq!(meaning(table, &word.name.to_uppercase()), Some(word.means), "{}", word.name);
            // PhalApi has two words for `callable`.
            let words = if word.means == "callable" { 2 } else { 1 };
            assert_eq!(table.iter().filter(|other| other.means == word.means).count(), words, "{}", word.means);
        }
    }
    let known: Vec<_> = rulebook::types::Types::builtin().iter().map(|own| own.name().to_owned()).collect();
    for word in TYPES.iter().chain(RETURN_TYPES) {
        assert!(known.iter().any(|name| name == word.means), "{}", word.means);
    }
}

/// An object with every key of a table, each text in it another one.
fn full(table: &'static Keys, path: &str, texts: &mut Vec<String>) -> Json {
    let depth = path.matches('.').count();
    let members = table.iter().map(|key| {
        let path = format!("{path}.{}", key.name);
        let mut text = || {
            texts.push(path.clone());
            json!(path)
        };
        let value = match key.kind {
            Kind::Text if key.name == "dialect" => json!("tree"),
            Kind::Text | Kind::Any => text(),
            Kind::Texts | Kind::Words => json!([text()]),
            Kind::Scope => json!([[text()]]),
            Kind::Permissions => json!([text(), [text()]]),
            Kind::Bool => json!(true),
            Kind::Flag => json!("true"),
            Kind::Whole => json!(123_456_789),
            Kind::Object(_) | Kind::Named(_) if depth > 7 => json!({}),
            Kind::Object(keys) => full(keys, &path, texts),
            Kind::List(keys) => json!([full(keys, &path, texts)]),
            Kind::Named(_) | Kind::Common => {
                let keys = if let Kind::Named(keys) = key.kind { keys } else { &keys::PARAMETER };
                texts.push(format!("{path}.*"));
                json!({ format!("{path}.*"): full(keys, &path, texts) })
            }
        };
        (key.name.to_owned(), value)
    });
    Json::Object(members.collect())
}

#[test]
fn every_known_key_arrives() {
    for table in [&keys::APP, &keys::FLAT, &keys::methods::METHOD] {
        let mut texts = Vec::new();
        let whole = full(table, "", &mut texts);
        let text = match (table.find("modules"), table.find("path")) {
            (Some(_), _) => whole.to_string(),
            (None, Some(_)) => json!([whole]).to_string(),
            (None, None) => json!({ "module": { "GET::name": whole } }).to_string(),
        };
        let definition = good("a.json", &text);
        let written = format!("{definition:?}");
        for text in &texts {
            // aicra's name of an output is passed over, and `module` names a module anew.
            let passed_over = [".out.name", ".fields.name", ".modules.*"].iter().any(|end| text.ends_with(end));
            let arrived = written.contains(&format!("{text}\""));
            assert_ne!(arrived, passed_over, "{text}");
        }
        let numbers = text.matches("123456789").count();
        assert_eq!(written.matches("123456789").count(), numbers);
    }
    let written = good("a.json", r#"{ "ignore_case": true, "GET": { "info": "" } }"#);
    assert!(module(&written).ignore_case.is_some_and(|flag| flag.value));
    let written = good("app.json", r#"{ "types": { "default": false }, "modules": {} }"#);
    assert_eq!(written.app.default_types.map(|flag| flag.value), Some(false));
}

/// A `const` text cannot be made of a number, so the numbers stand in it a second time.
#[test]
fn numbers_that_are_told_are_those_that_hold() {
    let told = [
        (&keys::CORS, "max_age", Cors::DEFAULT_MAX_AGE),
        (&keys::LIMITS, "nesting", JsonLimits::MOST_NESTING),
        (&keys::LIMITS, "link", Limits::LONGEST_LINK),
    ];
    for (table, name, number) in told {
        let key = table.iter().find(|key| key.name == name).unwrap();
        assert!(key.info.split(|char: char| !char.is_ascii_digit()).any(|word| word == number.to_string()), "{name}");
    }
}
