//! Tests of the parser of definition files: the parsed definition, and the errors in the text of a file with their
//! positions.

mod http_method_names;
mod keys;
mod random;

use std::fs;
use std::path::{Path, PathBuf};

use rulebook_model::definition::parsed::{Definition, Method, Module};
use rulebook_model::definition::{LoadedDefinition, load, read};
use rulebook_model::diagnostic::{DiagnosticCode, Report};
use serde_json::{Value as Json, json};

use support::golden;

/// Parses a definition that consists of one file.
fn parse_one_file(name: &str, text: impl AsRef<[u8]>) -> LoadedDefinition {
    read(vec![(PathBuf::from("api").join(name), text.as_ref().to_vec())])
}

/// Parses a definition that consists of one file without errors.
fn parse_valid_file(name: &str, text: impl AsRef<[u8]>) -> Definition {
    let loaded = parse_one_file(name, text);
    assert!(loaded.diagnostics.is_empty(), "{}", into_report(loaded));
    loaded.definition
}

fn into_report(loaded: LoadedDefinition) -> Report {
    Report::new(loaded.sources, loaded.diagnostics)
}

fn diagnostic_codes(loaded: &LoadedDefinition) -> Vec<DiagnosticCode> {
    loaded.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

fn first_module(definition: &Definition) -> &Module {
    definition.modules.first().expect("the file is a module")
}

fn all_methods(definition: &Definition) -> Vec<(String, &Method)> {
    let services = definition.modules.iter().flat_map(|module| &module.services);
    services.flat_map(|service| service.methods.iter().map(|method| (service.path.value.clone(), method))).collect()
}

/// The codes of the errors that the parser reports.
const PARSER_CODES: [DiagnosticCode; 6] = [
    DiagnosticCode::Syntax,
    DiagnosticCode::DuplicateKey,
    DiagnosticCode::UnknownKey,
    DiagnosticCode::WrongKind,
    DiagnosticCode::UnknownDialect,
    DiagnosticCode::MissingDefinition,
];

#[test]
fn parser_errors_are_as_recorded_and_cause_no_further_errors() {
    for code in PARSER_CODES {
        let folder = Path::new("tests/definitions/bad").join(code.to_string());
        let report = rulebook_model::load(&folder).expect_err("the folder has errors");
        let codes: Vec<DiagnosticCode> = report.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        assert!(codes.iter().all(|found| *found == code), "{code}: {report}");
        golden::compare(&folder.join("expected.txt"), &report.render(false));
        golden::compare(&folder.join("expected.jsonl"), &report.json_lines());
    }
}

#[test]
fn every_bad_definition_file_has_an_error() {
    for code in PARSER_CODES {
        let folder = Path::new("tests/definitions/bad").join(code.to_string());
        for file in fs::read_dir(&folder).expect("the folder exists") {
            let path = file.expect("the file exists").path();
            if path.extension().is_some_and(|extension| extension == "json") {
                // This file has an error only together with `app.json`, which contains the same key.
                let is_valid_alone = code == DiagnosticCode::DuplicateKey && path.ends_with("whole.json");
                let bytes = fs::read(&path).expect("the file can be read");
                let loaded = read(vec![(path.clone(), bytes)]);
                assert_eq!(loaded.diagnostics.is_empty(), is_valid_alone, "{}", path.display());
            }
        }
    }
}

#[test]
fn nested_uris_are_joined_to_one_path() {
    let definition = parse_valid_file(
        "article.json",
        r#"{
          "GET": { "info": "" },
          "/": {
            "a": { "GET": { "info": "" }, "/": { "{b}/c": { "PUT": { "info": "" } }, "/d": { "GET": { "info": "" } } } },
            "e/": { "GET": { "info": "" } },
            "": { "GET": { "info": "" } },
            "f": {}
          }
        }"#,
    );
    let found: Vec<(String, &str)> =
        all_methods(&definition).into_iter().map(|(path, method)| (path, &*method.http_method.value)).collect();
    let expected = [("/", "GET"), ("/a", "GET"), ("/a/{b}/c", "PUT"), ("/a//d", "GET"), ("/e/", "GET"), ("/", "GET")];
    assert_eq!(found, expected.map(|(path, http)| (path.to_owned(), http)));
    assert_eq!(first_module(&definition).name.value, "article");
}

#[test]
fn definitions_that_are_lists_of_methods_are_parsed() {
    let definition = parse_valid_file(
        "list.json",
        r#"[
          { "method": "GET", "path": "/a/{x}", "info": "One", "scope": [["r"]], "in": { "{x}": { "info": "X", "type": "int" } },
            "out": { "a": { "info": "A", "type": "any", "name": "A" } } },
          { "method": "get", "path": "b/", "info": "Two" }
        ]"#,
    );
    let found = all_methods(&definition);
    assert_eq!(found.len(), 2);
    let (path, method) = &found[0];
    assert_eq!((&**path, &*method.http_method.value), ("/a/{x}", "GET"));
    assert_eq!(method.scope.as_ref().unwrap()[0].value[0].value, "r");
    assert_eq!(method.parameters[0].key.value, "{x}");
    assert_eq!(method.outputs[0].key.value, "a");
    let (path, method) = &found[1];
    assert_eq!((&**path, &*method.http_method.value), ("b/", "get"));
}

#[test]
fn an_entry_of_a_method_list_requires_method_and_path() {
    let loaded = parse_one_file("list.json", r#"[{ "info": "One" }, { "method": "GET", "info": "Two" }]"#);
    assert_eq!(
        diagnostic_codes(&loaded),
        [DiagnosticCode::UnknownMethod, DiagnosticCode::BadUri, DiagnosticCode::BadUri]
    );
}

#[test]
fn the_dialect_of_a_file_is_detected_from_its_content() {
    for (text, dialect) in [
        ("[]", Some("tree")),
        ("{}", Some("tree")),
        (r#"{ "/": {} }"#, Some("tree")),
        (r#"{ "GET": { "info": "" } }"#, Some("tree")),
        (r#"{ "info": "Nothing yet" }"#, Some("tree")),
        (r#"{ "$schema": { "a": {} } }"#, Some("tree")),
        (r#"{ "dialect": "tree" }"#, Some("tree")),
        (r#"{ "FETCH": { "info": "" } }"#, Some("tree")),
        (r#"{ "FETCH": { "info": {} } }"#, Some("rules")),
        (r#"{ "a": { "b": { "c": {} } } }"#, Some("rules")),
        (r#"{ "a": {} }"#, Some("rules")),
        (r#"{ "a": [] }"#, Some("rules")),
        (r#"{ "dialect": "rules", "/": {} }"#, Some("rules")),
        (r#"{ "a": { "GET::b": {} } }"#, Some("methods")),
        (r#"{ "dialect": "methods" }"#, Some("methods")),
        (r#"{ "dialect": "Tree" }"#, None),
    ] {
        let loaded = parse_one_file("a.json", text);
        let expected: &[DiagnosticCode] = if dialect.is_some() { &[] } else { &[DiagnosticCode::UnknownDialect] };
        assert_eq!(diagnostic_codes(&loaded), expected, "{text}");
        let is_rules = loaded.definition.modules.iter().any(|module| module.ignore_case.is_some());
        assert_eq!(is_rules, dialect == Some("rules"), "{text}");
    }
}

#[test]
fn parsed_values_without_an_erroneous_member_are_marked_incomplete() {
    let text = r#"{
      "GET": { "info": 1, "in": { "a": { "info": "A", "type": 1 }, "b": { "info": "B", "type": "int" } } },
      "PUT": { "info": "", "in": { "a": 1 } },
      "POST": { "info": "", "in": { "a": { "info": "", "type": "" }, "a": {} } },
      "PATCH": { "info": "", "scope": [["a"], "b"] },
      "DELETE": { "info": "", "in": { "a": { "info": "", "type": "object", "fields": { "x": 1 } } } }
    }"#;
    let loaded = parse_one_file("a.json", text);
    let found: Vec<(bool, Vec<bool>)> = all_methods(&loaded.definition)
        .into_iter()
        .map(|(_, method)| {
            let parameters = method.parameters.iter().map(|parameter| parameter.is_incomplete);
            (method.is_incomplete, parameters.collect())
        })
        .collect();
    assert_eq!(
        found,
        [(true, vec![true, false]), (true, vec![]), (true, vec![false]), (true, vec![]), (false, vec![true]),]
    );
    let scope = &all_methods(&loaded.definition)[3].1.scope;
    assert_eq!(scope.as_ref().map(Vec::len), Some(1), "the group without errors is kept");
}

#[test]
fn comment_keys_are_ignored_unless_they_are_names_of_parameters_outputs_or_paths() {
    let definition = parse_valid_file(
        "a.json",
        r##"{
          "$schema": "x", "x-b": {},
          "GET": {
            "$links": {}, "info": "",
            "in": { "$": "a remark", "$filter": { "info": "", "type": "any", "x-c": 1 } },
            "out": { "x-total": { "info": "", "type": "uint" } }
          },
          "/": { "x-files": { "GET": { "info": "" } }, "x-remark": null }
        }"##,
    );
    let found = all_methods(&definition);
    assert_eq!(found[0].1.parameters[0].key.value, "$filter");
    assert_eq!(found[0].1.outputs[0].key.value, "x-total");
    assert_eq!(found[1].0, "/x-files");
    assert_eq!(found.len(), 2);
}

#[test]
fn integers_are_parsed_in_any_number_notation() {
    let text = r#"{ "modules": {}, "workers": 2.0, "limits": { "body": 1e3, "uri": 18446744073709551615 } }"#;
    let api = rulebook_model::read(vec![("app.json".into(), text.into())]).unwrap();
    assert_eq!(api.workers, Some(2));
    assert_eq!((api.limits.body, api.limits.uri), (1000, u64::MAX));
}

#[test]
fn settings_of_several_files_are_merged_unless_they_have_the_same_key() {
    let files = |app: &str| {
        let whole = br#"{ "base": "/v1", "modules": { "b": {} } }"#.to_vec();
        vec![("api/app.json".into(), app.into()), ("api/b.json".into(), whole)]
    };
    let both_have_modules = read(files(r#"{ "title": "T", "modules": { "a": {} } }"#));
    assert_eq!(diagnostic_codes(&both_have_modules), [DiagnosticCode::DuplicateKey]);
    let api = rulebook_model::read(files(r#"{ "title": "T" }"#)).unwrap();
    assert_eq!((&*api.title, &*api.base), ("T", "/v1"));
}

#[test]
fn numbers_in_defaults_keep_their_values() {
    let text = r#"{ "GET": { "info": "", "in": { "a": { "info": "", "type": "any",
        "default": [1, -1, 1.5, 1e2, 18446744073709551615, 18446744073709551616, -0.0, "\u00e9\ud83d\ude00"] } } } }"#;
    let definition = parse_valid_file("a.json", text);
    let default = all_methods(&definition)[0].1.parameters[0].default.clone().map(|default| default.value);
    let expected = json!([1, -1, 1.5, 1e2, u64::MAX, 18446744073709551616.0, -0.0, "é😀"]);
    assert_eq!(default, Some(expected));
}

#[test]
fn line_breaks_and_byte_order_marks_of_all_systems_are_parsed() {
    let lines = "{\n  // A comment.\n  \"GET\": { \"info\": \"é\" /* , */ }\n}\n";
    for text in [
        lines.to_owned(),
        lines.replace('\n', "\r\n"),
        lines.replace('\n', "\r"),
        format!("\u{feff}{lines}"),
        lines.trim_end().to_owned(),
    ] {
        assert_eq!(all_methods(&parse_valid_file("a.json", &text)).len(), 1, "{text:?}");
    }
    // The byte order mark does not count as a column.
    let loaded = parse_one_file("a.json", "\u{feff}{ \"é\": \"\u{e9}\", \"/\": 1 }");
    let report = into_report(loaded);
    let columns: Vec<Json> = report
        .json_lines()
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).expect("each line is JSON")["column"].clone())
        .collect();
    assert_eq!(columns, [4, 18]);
}

#[test]
fn invalid_utf8_is_reported_at_its_position() {
    for (bytes, column) in
        [(&b"\xff\xfe{\0}\0"[..], 1), (b"{ \"info\": \"\xe9\" }", 12), (b"{ \"\xc3\xa9\": \"\xc3\" }", 9), (b"{}\0", 3)]
    {
        let loaded = parse_one_file("a.json", bytes);
        assert_eq!(diagnostic_codes(&loaded), [DiagnosticCode::Syntax], "{bytes:?}");
        let span = loaded.diagnostics[0].span;
        let source = loaded.sources.get(span.file).expect("the file is known");
        assert_eq!(source.locate(span).column, column, "{bytes:?}");
    }
}

#[test]
fn too_large_and_too_deeply_nested_files_are_rejected() {
    let error = |text: String| parse_one_file("a.json", text).diagnostics.remove(0).message;
    assert_eq!(error(" ".repeat((8 << 20) + 1)), "this file is larger than 8 MiB");
    let too_deep = "objects and arrays are nested more than 128 levels deep";
    for opening in ["[", "{\"/\":", "{\"a\":[", "[[[[{\"a\":"] {
        assert_eq!(error(opening.repeat(100_000)), too_deep, "{opening}");
    }
    let nested = |levels: usize| format!("[{}{}]", "[".repeat(levels - 1), "]".repeat(levels - 1));
    let default =
        |text: &str| format!(r#"{{"GET":{{"info":"","in":{{"a":{{"info":"","type":"any","default":{text}}}}}}}}}"#);
    parse_valid_file("a.json", default(&nested(124)));
    assert_eq!(error(default(&nested(125))), too_deep);
}

#[test]
fn the_files_of_a_folder_are_read_sorted_by_name() {
    let folder = tempfile::tempdir().expect("a folder can be created");
    let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file can be written");
    file("b.json", "{}");
    file("a.jsonc", "[]");
    file("app.json", "{}");
    file(".hidden.json", "[");
    file("notes.txt", "[");
    fs::create_dir(folder.path().join("below.json")).expect("a folder can be created");
    let loaded = load(folder.path());
    assert_eq!(diagnostic_codes(&loaded), []);
    let names: Vec<&str> = loaded.definition.modules.iter().map(|module| &*module.name.value).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn unreadable_folders_and_folders_without_modules_are_errors() {
    let folder = tempfile::tempdir().expect("a folder can be created");
    let gone = folder.path().join("gone");
    assert_eq!(diagnostic_codes(&load(&gone)), [DiagnosticCode::MissingDefinition]);
    assert_eq!(diagnostic_codes(&load(folder.path())), [DiagnosticCode::MissingDefinition]);

    let file = folder.path().join("app.json");
    fs::write(&file, "{}").expect("a file can be written");
    assert_eq!(diagnostic_codes(&load(&file)), [DiagnosticCode::MissingDefinition], "a file is not a folder");
    assert_eq!(diagnostic_codes(&load(folder.path())), [DiagnosticCode::MissingDefinition]);
    fs::write(&file, r#"{ "modules": {} }"#).expect("a file can be written");
    assert_eq!(diagnostic_codes(&load(folder.path())), []);

    assert_eq!(diagnostic_codes(&read(Vec::new())), [DiagnosticCode::MissingDefinition]);
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_to_a_missing_file_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder can be created");
    let link = folder.path().join("a.json");
    std::os::unix::fs::symlink("gone.json", &link).expect("a link can be created");
    let loaded = load(folder.path());
    assert_eq!(diagnostic_codes(&loaded), [DiagnosticCode::MissingDefinition]);
    assert!(loaded.diagnostics[0].message.starts_with("cannot read this file: "));
}

#[test]
fn parts_of_a_string_with_escape_sequences_are_located_in_the_file() {
    let escaped = r#"a\"b\u00e9c\\d\ud83e\udd80e\u0041é\n"#;
    let text = format!(r#"{{ "GET": {{ "info": "x", "handler": {{ "value": "{escaped}" }} }} }}"#);
    let definition = parse_valid_file("a.json", &text);
    let handler = all_methods(&definition)[0].1.handler.as_ref().expect("the method has a handler");
    let node = handler.member("value").expect("the handler has a value");
    let decoded = node.string().expect("the value is a string").value;
    let found = |part: &str| {
        let start = decoded.find(part).expect("the string has this part");
        let span = node.part(start, start + part.len());
        &text[span.start as usize..span.end as usize]
    };
    let parts = [("b", "b"), ("é", "\\u00e9"), ("c", "c"), ("\\", "\\\\"), ("d", "d"), ("🦀", "\\ud83e\\udd80")];
    for (part, expected) in parts.into_iter().chain([("A", "\\u0041"), ("\n", "\\n")]) {
        assert_eq!(found(part), expected, "{part}");
    }
}
