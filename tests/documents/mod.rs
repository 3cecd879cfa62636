//! Tests that the documents describe the program as it is: their tables are generated from the program, and their
//! example definitions are valid.

mod links;
mod names_in_code;
mod pictures;
mod reference;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use rulebook::Rulebook;
use rulebook_diff::ChangeKind;
use rulebook_model::definition::dialect_spec::{DialectSpec, METHODS};
use rulebook_model::definition::keys::rules::Aliases;
use rulebook_model::definition::keys::{self, JsonKind, KeyTable};
use rulebook_model::diagnostic::DiagnosticCode;
use rulebook_model::limits;
use rulebook_model::model::WHOLE_BODY_KEY;
use rulebook_model::types::{Functions, Types};

use support::golden;

/// The marks before and after a block of a document that is generated from the program.
const BLOCK_START: &str = "<!-- made from ";
const BLOCK_END: &str = "<!-- made until here -->\n";

/// The pages of the guide to definitions.
const GUIDE: [&str; 10] = [
    "docs/definitions.md",
    "docs/services.md",
    "docs/parameters.md",
    "docs/types.md",
    "docs/schemas.md",
    "docs/responses.md",
    "docs/settings.md",
    "docs/dialect-methods.md",
    "docs/dialect-rules.md",
    "docs/service-names.md",
];

/// Returns the texts of all pages of the guide to definitions.
pub fn read_guide() -> String {
    GUIDE.map(|page| fs::read_to_string(repository_folder().join(page)).unwrap()).concat()
}

#[test]
fn tables_of_the_guide_to_definitions_are_generated_from_the_program() {
    let tables: usize = GUIDE.map(|page| compare_generated(page, generate_table)).iter().sum();
    assert!(tables > KEY_TABLES.len(), "there are only {tables} tables");
}

#[test]
fn the_guide_to_tests_shows_the_tests_of_new_projects() {
    let shown = |language: &str, file: &str| {
        let template = repository_folder().join("crates/rulebook-cli/src/new/templates").join(language).join(file);
        let text = fs::read_to_string(template).unwrap().replace("crate_name", "greeter");
        format!("```{language}\n{text}```\n")
    };
    let blocks = compare_generated("docs/testing.md", |what| match what {
        "the test of a new project" => shown("rust", "tests/greeting.rs"),
        "the tests of a new project without Rust" => {
            shown("shared", "tests/greeting.json").replace("```shared", "```json")
        }
        other => panic!("unknown block: {other}"),
    });
    assert_eq!(blocks, 2);
    let version = concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));
    let page = fs::read_to_string(repository_folder().join("docs/testing.md")).unwrap();
    assert!(page.contains(&format!("rulebook-test = \"{version}\"\n")), "the page names another version");
}

#[test]
fn the_page_about_changes_lists_all_kinds_of_changes() {
    let blocks = compare_generated("docs/contract.md", |what| match what {
        "the changes" => changes_table(),
        other => panic!("unknown block: {other}"),
    });
    assert_eq!(blocks, 1);
}

fn changes_table() -> String {
    let mut kinds = ChangeKind::all().to_vec();
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.level()));
    let mut table = "| change | level | why |\n| --- | --- | --- |\n".to_owned();
    for kind in kinds {
        let (level, why) = kind.describe();
        writeln!(table, "| `{kind}` | {level} | {why} |").unwrap();
    }
    table
}

/// Generates all blocks of a document again, and compares the result with the document. `generate_block` returns the
/// text of the block with a name. Returns the number of blocks.
pub fn compare_generated(page: &str, generate_block: impl Fn(&str) -> String) -> usize {
    let path = repository_folder().join(page);
    let page = fs::read_to_string(&path).unwrap();
    let mut made = String::new();
    let mut rest = page.as_str();
    let mut count = 0;
    while let Some((before, behind)) = rest.split_once(BLOCK_START) {
        let (what, behind) = behind.split_once(" -->\n").unwrap();
        let (_, behind) = behind.split_once(BLOCK_END).unwrap_or_else(|| panic!("{what} has no end"));
        write!(made, "{before}{BLOCK_START}{what} -->\n{}{BLOCK_END}", generate_block(what)).unwrap();
        rest = behind;
        count += 1;
    }
    made.push_str(rest);
    golden::compare(&path, &made);
    count
}

fn generate_table(what: &str) -> String {
    match what {
        "the types" => types_table(),
        "the limits" => limits_table(),
        "the known functions" => functions_table(),
        "the types of rules" => word_table("type", keys::rules::PARAMETER_TYPE_ALIASES),
        "the types of returned fields" => word_table("type", keys::rules::RETURN_TYPE_ALIASES),
        "the sources of rules" => word_table("source", keys::rules::SOURCE_PREFIXES),
        "the words of `methods`" => type_words_table(&METHODS),
        other => match KEY_TABLES.iter().find(|(what, _)| *what == other) {
            Some((_, keys)) => key_table(keys),
            None => panic!("unknown block: {other}"),
        },
    }
}

/// The names of the tables in the document that list the keys of an object in a definition, and the keys.
static KEY_TABLES: [(&str, &KeyTable); 32] = [
    ("the keys of the settings", &keys::APP),
    ("the keys of `contact`", &keys::CONTACT),
    ("the keys of `license`", &keys::LICENSE),
    ("the keys of `servers`", &keys::SERVER),
    ("the keys of `types`", &keys::TYPES),
    ("the keys of `service`", &keys::SERVICE),
    ("the keys of `cors`", &keys::CORS),
    ("the keys of `phalapi`", &keys::PHALAPI),
    ("the keys of `iapi`", &keys::IAPI),
    ("the keys of `rate_limit`", &keys::RATE_LIMIT),
    ("the keys of `shared_limits`", &keys::SHARED_LIMITS),
    ("the keys of `versions`", &keys::VERSIONS),
    ("the keys of a module", &keys::MODULE),
    ("the keys of a list", &keys::METHOD_LIST_ENTRY),
    ("the keys of a method", &keys::METHOD),
    ("the keys of the options", &keys::OPTIONS),
    ("the keys of a parameter", &keys::PARAMETER),
    ("the keys of the items", &keys::ITEM_ATTRIBUTES),
    ("the keys of an output", &keys::OUTPUT),
    ("the keys of an error", &keys::ERROR),
    ("the keys of a class", &keys::rules::CLASS),
    ("the keys of a method of a class", &keys::rules::METHOD),
    ("the keys of a rule", &keys::rules::RULE),
    ("the keys of a returned field", &keys::rules::RETURN_FIELD),
    ("the keys of a method of `methods`", &keys::methods::METHOD),
    ("the keys of the options of `methods`", &keys::methods::OPTIONS),
    ("the keys of a parameter of `methods`", &keys::methods::PARAMETER),
    ("the keys of a schema", &keys::SCHEMA),
    ("the keys of a schema of `methods`", &keys::methods::SCHEMA),
    ("the keys of a module of `methods`", &keys::methods::MODULE),
    ("the keys of an output of `methods`", &keys::methods::OUTPUT),
    ("the keys of an error of `methods`", &keys::methods::ERROR),
];

#[test]
fn every_object_of_a_definition_has_a_table() {
    let guide = read_guide();
    let mut waiting: Vec<&'static KeyTable> = vec![
        &keys::APP,
        &keys::MODULE,
        &keys::METHOD_LIST_ENTRY,
        &keys::methods::METHOD,
        &keys::methods::MODULE,
        &keys::rules::CLASS,
    ];
    let mut seen: Vec<&'static KeyTable> = Vec::new();
    while let Some(keys) = waiting.pop() {
        if seen.iter().any(|one| std::ptr::eq(*one, keys)) {
            continue;
        }
        seen.push(keys);
        waiting.extend(keys.other_method_table.into_iter().chain(keys.named_member_table));
        waiting.extend(keys.iter().filter_map(|key| match key.kind {
            JsonKind::Object(keys)
            | JsonKind::Objects(keys)
            | JsonKind::ObjectOrObjects(keys)
            | JsonKind::ObjectsByName(keys)
            | JsonKind::ObjectsByNameOrStrings(keys)
            | JsonKind::Type(keys)
            | JsonKind::Types(keys) => Some(keys),
            _ => None,
        }));
    }
    // An object whose members all have names that the author of a definition chooses has no table. The keys of a URI
    // are in the table of a module. The limits have a table that also lists their defaults. The keys of a field are
    // those of an output, the keys of a type in an attribute are those that concern its type, and the items in
    // `methods` have the keys of all items.
    let elsewhere: [&KeyTable; 7] = [
        &keys::URI,
        &keys::LIMITS,
        &keys::FIELD,
        &keys::NESTED_TYPE,
        &keys::methods::FIELD,
        &keys::methods::NESTED_TYPE,
        &keys::methods::ITEM_ATTRIBUTES,
    ];
    seen.retain(|keys| keys.iter().next().is_some() && !elsewhere.iter().any(|one| std::ptr::eq(*one, *keys)));
    for keys in &seen {
        let (what, _) =
            KEY_TABLES.iter().find(|(_, one)| std::ptr::eq(*one, *keys)).unwrap_or_else(|| panic!("{}", keys.subject));
        assert!(guide.contains(&format!("{BLOCK_START}{what} -->\n")), "the guide does not have {what}");
    }
    assert_eq!(seen.len(), KEY_TABLES.len(), "a table shows keys that no definition has");
}

fn key_table(keys: &'static KeyTable) -> String {
    let mut table = "| key | value | meaning |\n| --- | --- | --- |\n".to_owned();
    for key in keys.iter() {
        let value = match key.kind {
            JsonKind::String => "a string".to_owned(),
            JsonKind::Bool => "true or false".to_owned(),
            JsonKind::Integer => "an integer".to_owned(),
            JsonKind::IntegerOrIntegers => "an integer, or a list of integers".to_owned(),
            JsonKind::ByteSize => "an integer, or a size such as `\"5MB\"`".to_owned(),
            JsonKind::Any => "a value".to_owned(),
            JsonKind::AnyObject => "an object".to_owned(),
            JsonKind::Strings => "a list of strings".to_owned(),
            JsonKind::StringOrStrings => "a string or a list of strings".to_owned(),
            JsonKind::BoolOrString => "true or false, also as a string".to_owned(),
            JsonKind::Moment => "a date, or a date with a time".to_owned(),
            JsonKind::BoolOrMoment => "true or false, a date, or a date with a time".to_owned(),
            JsonKind::Scope => "a list of lists of strings".to_owned(),
            JsonKind::Permissions => "a list of strings, or of lists of strings".to_owned(),
            JsonKind::Object(keys) => keys.subject.to_owned(),
            JsonKind::Objects(keys) => format!("a list; each item is {}", keys.subject),
            JsonKind::ObjectOrObjects(keys) => format!("{0}, or a list; each item is {0}", keys.subject),
            JsonKind::ObjectsByName(keys) => format!("an object; each member is {}", keys.subject),
            JsonKind::ObjectsByNameOrStrings(keys) => {
                format!("an object; each member is {}; or a list of strings", keys.subject)
            }
            JsonKind::Type(_) => "a type".to_owned(),
            JsonKind::Types(_) => "a list of types, or an object whose members are types".to_owned(),
            JsonKind::CommonParameters => "an object; each member is a parameter or a rule".to_owned(),
        };
        let required = if key.is_required { "; required" } else { "" };
        writeln!(table, "| `{}` | {value}{required} | {} |", key.name, escape_cell(key.description)).unwrap();
    }
    table
}

/// Returns a table with words of another dialect (a syntax of definitions), and their equivalents in the dialect
/// `tree`.
fn word_table(of: &str, words: Aliases) -> String {
    let mut table = format!("| {of} | in the dialect `tree` |\n| --- | --- |\n");
    for (name, tree_name) in words {
        let is_prefix = of == "source" && *tree_name != WHOLE_BODY_KEY;
        let tree_name = if is_prefix { format!("{tree_name}x") } else { (*tree_name).to_owned() };
        writeln!(table, "| `{name}` | `{tree_name}` |").unwrap();
    }
    table
}

fn types_table() -> String {
    let mut table = "| type | accepts | attributes |\n| --- | --- | --- |\n".to_owned();
    for one in Types::builtin().iter() {
        let attributes: Vec<_> = one.attributes().iter().map(|name| format!("`{name}`")).collect();
        writeln!(table, "| `{}` | {} | {} |", one.name(), escape_cell(one.info()), attributes.join(" ")).unwrap();
    }
    table
}

fn type_words_table(dialect: &DialectSpec) -> String {
    let types = Types::builtin();
    let mut table = "| word | type | accepts |\n| --- | --- | --- |\n".to_owned();
    for (word, name) in dialect.type_aliases {
        let meant = types.iter().find(|one| one.name() == *name).unwrap();
        writeln!(table, "| `{word}` | `{name}` | {} |", escape_cell(meant.info())).unwrap();
    }
    table
}

fn functions_table() -> String {
    let mut table = "| function | description |\n| --- | --- |\n".to_owned();
    for (name, info) in Functions::builtin_names_and_descriptions() {
        writeln!(table, "| `{name}` | {info} |").unwrap();
    }
    table
}

fn limits_table() -> String {
    let mut table = "| limit | applies to | default |\n| --- | --- | --- |\n".to_owned();
    for limit in limits::ALL_LIMITS {
        writeln!(table, "| `{}` | {} | {} |", limit.key.name, escape_cell(limit.key.description), limit.default)
            .unwrap();
    }
    table
}

/// Escapes a text for a cell of a markdown table.
pub fn escape_cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[test]
fn the_page_of_diagnostics_is_generated_from_their_table() {
    let mut page = "# Diagnostics\n\nThis page explains the errors that a definition can have. \
        Each error has a code. `rulebook explain CODE` prints the same explanation.\n"
        .to_owned();
    for code in DiagnosticCode::ALL {
        write!(page, "\n## {}\n\n{}\n", code.name(), code.explanation()).unwrap();
    }
    golden::compare(&repository_folder().join("docs/diagnostics.md"), &page);
}

#[test]
fn definitions_in_the_guide_are_valid() {
    let guide = read_guide();
    let definitions: Vec<_> =
        guide.split("```json\n").skip(1).filter_map(|behind| Some(behind.split_once("```")?.0)).collect();
    assert!(definitions.len() > 2, "there are only {} definitions", definitions.len());
    for text in definitions {
        let files = vec![(PathBuf::from("api/module.json"), text.as_bytes().to_vec())];
        if let Err(report) = Rulebook::read(files).check() {
            panic!("{}", report.render(false));
        }
    }
}

fn repository_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
