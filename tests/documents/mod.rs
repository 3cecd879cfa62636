//! What the documents say is so: their tables are made from those of the program, their definitions load.

mod links;
mod reference;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use rulebook::Rulebook;
use rulebook::definition::keys::rules::Word;
use rulebook::definition::keys::{self, Keys, Kind};
use rulebook::definition::manner::{METHODS, Manner};
use rulebook::diagnostic::codes;
use rulebook::model::Limits;
use rulebook::types::{Functions, Types};

use crate::golden;

/// What stands around what is made here.
const BEGIN: &str = "<!-- made from ";
const END: &str = "<!-- made until here -->\n";

#[test]
fn the_tables_of_the_reference_are_those_of_the_program() {
    let tables = compare_made("docs/definitions.md", table);
    assert!(tables > 5, "there are {tables} tables only");
}

#[test]
fn the_guide_to_tests_shows_that_of_a_new_project() {
    let template = fs::read_to_string(root().join("src/cli/new/template/tests/greeting.rs")).unwrap();
    let shown = format!("```rust\n{}```\n", template.replace("crate_name", "greeter"));
    let blocks = compare_made("docs/testing.md", |what| match what {
        "the test of a new project" => shown.clone(),
        other => panic!("nothing is known of {other}"),
    });
    assert_eq!(blocks, 1);
    let version = concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));
    let page = fs::read_to_string(root().join("docs/testing.md")).unwrap();
    assert!(page.contains(&format!("rulebook = {{ version = \"{version}\", ")), "the page names another version");
}

/// Compares a page with what it is once everything in it that is made from the program has been made again, and
/// gives how much that is.
pub fn compare_made(page: &str, make: impl Fn(&str) -> String) -> usize {
    let path = root().join(page);
    let page = fs::read_to_string(&path).unwrap();
    let mut made = String::new();
    let mut rest = page.as_str();
    let mut count = 0;
    while let Some((before, behind)) = rest.split_once(BEGIN) {
        let (what, behind) = behind.split_once(" -->\n").unwrap();
        let (_, behind) = behind.split_once(END).unwrap_or_else(|| panic!("{what} has no end"));
        write!(made, "{before}{BEGIN}{what} -->\n{}{END}", make(what)).unwrap();
        rest = behind;
        count += 1;
    }
    made.push_str(rest);
    golden::compare(&path, &made);
    count
}

fn table(what: &str) -> String {
    match what {
        "the types" => types(),
        "the limits" => limits(),
        "the known functions" => functions(),
        "the types of rules" => word_table("type", keys::rules::TYPES),
        "the types of returned fields" => word_table("type", keys::rules::RETURN_TYPES),
        "the sources of rules" => word_table("source", keys::rules::SOURCES),
        "the words of `methods`" => words(&METHODS),
        other => match KEYS.iter().find(|(what, _)| *what == other) {
            Some((_, keys)) => key_table(keys),
            None => panic!("nothing is known of {other}"),
        },
    }
}

/// What can stand in definitions, as the page names it.
static KEYS: [(&str, &Keys); 26] = [
    ("the keys of the settings", &keys::APP),
    ("the keys of `contact`", &keys::CONTACT),
    ("the keys of `license`", &keys::LICENSE),
    ("the keys of `servers`", &keys::SERVER),
    ("the keys of `types`", &keys::TYPES),
    ("the keys of `service`", &keys::SERVICE),
    ("the keys of `cors`", &keys::CORS),
    ("the keys of `phalapi`", &keys::PHALAPI),
    ("the keys of `iapi`", &keys::IAPI),
    ("the keys of a module", &keys::MODULE),
    ("the keys of a list", &keys::FLAT),
    ("the keys of a method", &keys::METHOD),
    ("the keys of the options", &keys::OPTIONS),
    ("the keys of a parameter", &keys::PARAMETER),
    ("the keys of the items", &keys::ITEMS),
    ("the keys of an output", &keys::OUTPUT),
    ("the keys of an error", &keys::ERROR),
    ("the keys of a class", &keys::rules::CLASS),
    ("the keys of a method of a class", &keys::rules::METHOD),
    ("the keys of a rule", &keys::rules::RULE),
    ("the keys of a returned field", &keys::rules::RETURN),
    ("the keys of a method of `methods`", &keys::methods::METHOD),
    ("the keys of the options of `methods`", &keys::methods::OPTIONS),
    ("the keys of a parameter of `methods`", &keys::methods::PARAMETER),
    ("the keys of an output of `methods`", &keys::methods::OUTPUT),
    ("the keys of an error of `methods`", &keys::methods::ERROR),
];

#[test]
fn every_object_of_a_definition_has_its_table() {
    let page = fs::read_to_string(root().join("docs/definitions.md")).unwrap();
    let mut waiting: Vec<&'static Keys> =
        vec![&keys::APP, &keys::MODULE, &keys::FLAT, &keys::methods::METHOD, &keys::rules::CLASS];
    let mut seen: Vec<&'static Keys> = Vec::new();
    while let Some(keys) = waiting.pop() {
        if seen.iter().any(|one| std::ptr::eq(*one, keys)) {
            continue;
        }
        seen.push(keys);
        waiting.extend(keys.upper.into_iter().chain(keys.names));
        waiting.extend(keys.iter().filter_map(|key| match key.kind {
            Kind::Object(keys) | Kind::List(keys) | Kind::Named(keys) => Some(keys),
            _ => None,
        }));
    }
    // What has only names of the author's has no table; the keys of a URI stand in that of a module, the limits in one
    // with their defaults.
    let elsewhere: [&Keys; 2] = [&keys::URI, &keys::LIMITS];
    seen.retain(|keys| keys.iter().next().is_some() && !elsewhere.iter().any(|one| std::ptr::eq(*one, *keys)));
    for keys in &seen {
        let (what, _) = KEYS.iter().find(|(_, one)| std::ptr::eq(*one, *keys)).unwrap_or_else(|| panic!("{keys:?}"));
        assert!(page.contains(&format!("{BEGIN}{what} -->\n")), "the page does not have {what}");
    }
    assert_eq!(seen.len(), KEYS.len(), "a table shows what stands nowhere");
}

fn key_table(keys: &'static Keys) -> String {
    let mut table = "| key | holds | for |\n| --- | --- | --- |\n".to_owned();
    for key in keys.iter() {
        let holds = match key.kind {
            Kind::Text => "a text".to_owned(),
            Kind::Bool => "true or false".to_owned(),
            Kind::Whole => "a whole number".to_owned(),
            Kind::Any => "a value".to_owned(),
            Kind::Texts => "a list of texts".to_owned(),
            Kind::Words => "a text or a list of texts".to_owned(),
            Kind::Flag => "true or false, perhaps as a text".to_owned(),
            Kind::Scope => "lists of texts in a list".to_owned(),
            Kind::Permissions => "a list of texts or of lists of them".to_owned(),
            Kind::Object(keys) => keys.what.to_owned(),
            Kind::List(keys) => format!("a list, each of it {}", keys.what),
            Kind::Named(keys) => format!("by name, each {}", keys.what),
            Kind::Common => "by name, each a parameter, or each a rule".to_owned(),
        };
        let required = if key.required { "; required" } else { "" };
        writeln!(table, "| `{}` | {holds}{required} | {} |", key.name, cell(key.info)).unwrap();
    }
    table
}

/// What the words of another dialect stand for.
fn word_table(of: &str, words: &[Word]) -> String {
    let mut table = format!("| {of} | in a tree |\n| --- | --- |\n");
    for Word { name, means } in words {
        let means = if of == "source" { format!("{means}x") } else { (*means).to_owned() };
        writeln!(table, "| `{name}` | `{means}` |").unwrap();
    }
    table
}

fn types() -> String {
    let mut table = "| type | takes | attributes |\n| --- | --- | --- |\n".to_owned();
    for one in Types::builtin().iter() {
        let attributes: Vec<_> = one.attributes().iter().map(|name| format!("`{name}`")).collect();
        writeln!(table, "| `{}` | {} | {} |", one.name(), cell(one.info()), attributes.join(" ")).unwrap();
    }
    table
}

fn words(dialect: &Manner) -> String {
    let types = Types::builtin();
    let mut table = "| word | is | takes |\n| --- | --- | --- |\n".to_owned();
    for (word, name) in dialect.types {
        let meant = types.iter().find(|one| one.name() == *name).unwrap();
        writeln!(table, "| `{word}` | `{name}` | {} |", cell(meant.info())).unwrap();
    }
    table
}

fn functions() -> String {
    let mut table = "| function | does |\n| --- | --- |\n".to_owned();
    for (name, info) in Functions::builtin() {
        writeln!(table, "| `{name}` | {info} |").unwrap();
    }
    table
}

fn limits() -> String {
    let defaults = Limits::default().entries();
    assert_eq!(keys::LIMITS.iter().count(), defaults.len());
    let mut table = "| limit | of | default |\n| --- | --- | --- |\n".to_owned();
    for (name, default) in defaults {
        let key = keys::LIMITS.iter().find(|key| key.name == name).unwrap();
        writeln!(table, "| `{name}` | {} | {default} |", cell(key.info)).unwrap();
    }
    table
}

/// A sentence as the cell of a table.
pub fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[test]
fn the_page_of_diagnostics_is_made_from_their_table() {
    let mut page = "# Diagnostics\n\nWhat can be wrong with a definition, by code. \
        `rulebook explain CODE` tells the same.\n"
        .to_owned();
    for row in codes::TABLE {
        write!(page, "\n## {}\n\n{}\n", row.name, row.explanation.trim_end()).unwrap();
    }
    golden::compare(&root().join("docs/diagnostics.md"), &page);
}

#[test]
fn definitions_in_the_guide_have_no_fault() {
    let page = fs::read_to_string(root().join("docs/definitions.md")).unwrap();
    let definitions: Vec<_> =
        page.split("```json\n").skip(1).filter_map(|behind| Some(behind.split_once("```")?.0)).collect();
    assert!(definitions.len() > 2, "there are {} definitions only", definitions.len());
    for text in definitions {
        let files = vec![(PathBuf::from("api/module.json"), text.as_bytes().to_vec())];
        if let Err(report) = Rulebook::read(files).check() {
            panic!("{}", report.render(false));
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
