//! Reading definitions: what is refused, where, and what comes of the rest.

mod keys;
mod random;

use std::fs;
use std::path::{Path, PathBuf};

use rulebook::Rulebook;
use rulebook::definition::written::{Definition, Method, Module};
use rulebook::definition::{Loaded, load, read};
use rulebook::diagnostic::{Code, Report};
use serde_json::{Value as Json, json};

use crate::golden;

/// Reads one file.
fn one(name: &str, text: impl AsRef<[u8]>) -> Loaded {
    read(vec![(PathBuf::from("api").join(name), text.as_ref().to_vec())])
}

/// Reads one file that has no fault.
fn good(name: &str, text: impl AsRef<[u8]>) -> Definition {
    let loaded = one(name, text);
    assert!(loaded.diagnostics.is_empty(), "{}", report(loaded));
    loaded.definition
}

fn report(loaded: Loaded) -> Report {
    Report::new(loaded.sources, loaded.diagnostics)
}

fn codes(loaded: &Loaded) -> Vec<Code> {
    loaded.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

fn module(definition: &Definition) -> &Module {
    definition.modules.first().expect("the file is a module")
}

fn methods(definition: &Definition) -> Vec<(String, &Method)> {
    let services = definition.modules.iter().flat_map(|module| &module.services);
    services.flat_map(|service| service.methods.iter().map(|method| (service.path.value.clone(), method))).collect()
}

/// The codes of faults that are found in the text.
const OF_THE_TEXT: [Code; 6] = [
    Code::Syntax,
    Code::DuplicateKey,
    Code::UnknownKey,
    Code::WrongKind,
    Code::UnknownDialect,
    Code::MissingDefinition,
];

#[test]
fn faults_of_the_text_are_told_as_kept_and_nothing_follows_from_them() {
    for code in OF_THE_TEXT {
        let folder = Path::new("tests/definitions/bad").join(code.to_string());
        let report = Rulebook::load(&folder).check().expect_err("the folder is faulty");
        let codes: Vec<Code> = report.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        assert!(codes.iter().all(|found| *found == code), "{code}: {report}");
        golden::compare(&folder.join("expected.txt"), &report.render(false));
        golden::compare(&folder.join("expected.jsonl"), &report.json_lines());
    }
}

#[test]
fn every_bad_file_has_a_fault() {
    for code in OF_THE_TEXT {
        let folder = Path::new("tests/definitions/bad").join(code.to_string());
        for file in fs::read_dir(&folder).expect("the folder is there") {
            let path = file.expect("the file is there").path();
            if path.extension().is_some_and(|extension| extension == "json") {
                // Two files that only differ together.
                let alone = code == Code::DuplicateKey && path.ends_with("whole.json");
                let bytes = fs::read(&path).expect("the file can be read");
                let loaded = read(vec![(path.clone(), bytes)]);
                assert_eq!(loaded.diagnostics.is_empty(), alone, "{}", path.display());
            }
        }
    }
}

#[test]
fn urls_under_urls_are_joined() {
    let definition = good(
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
        methods(&definition).into_iter().map(|(path, method)| (path, &*method.http.value)).collect();
    let expected = [("/", "GET"), ("/a", "GET"), ("/a/{b}/c", "PUT"), ("/a//d", "GET"), ("/e/", "GET"), ("/", "GET")];
    assert_eq!(found, expected.map(|(path, http)| (path.to_owned(), http)));
    assert_eq!(module(&definition).name.value, "article");
}

#[test]
fn flat_lists_are_read() {
    let definition = good(
        "list.json",
        r#"[
          { "method": "GET", "path": "/a/{x}", "info": "One", "scope": [["r"]], "in": { "{x}": { "info": "X", "type": "int" } },
            "out": { "a": { "info": "A", "type": "any", "name": "A" } } },
          { "method": "get", "path": "b/", "info": "Two" }
        ]"#,
    );
    let found = methods(&definition);
    assert_eq!(found.len(), 2);
    let (path, method) = &found[0];
    assert_eq!((&**path, &*method.http.value), ("/a/{x}", "GET"));
    assert_eq!(method.scope[0].value[0].value, "r");
    assert_eq!(method.parameters[0].key.value, "{x}");
    assert_eq!(method.outputs[0].name.value, "a");
    let (path, method) = &found[1];
    assert_eq!((&**path, &*method.http.value), ("b/", "get"));
}

#[test]
fn a_flat_list_needs_method_and_path() {
    let loaded = one("list.json", r#"[{ "info": "One" }, { "method": "GET", "info": "Two" }]"#);
    assert_eq!(codes(&loaded), [Code::UnknownMethod, Code::BadUri, Code::BadUri]);
}

#[test]
fn dialects_are_recognised_by_shape() {
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
        (r#"{ "dialect": "rules", "/": {} }"#, Some("rules")),
        (r#"{ "a": { "GET::b": {} } }"#, Some("methods")),
        (r#"{ "dialect": "methods" }"#, Some("methods")),
        (r#"{ "dialect": "Tree" }"#, None),
    ] {
        let loaded = one("a.json", text);
        let expected: &[Code] = if dialect.is_some() { &[] } else { &[Code::UnknownDialect] };
        assert_eq!(codes(&loaded), expected, "{text}");
        let is_rules = loaded.definition.modules.iter().any(|module| module.ignore_case.is_some());
        assert_eq!(is_rules, dialect == Some("rules"), "{text}");
    }
}

#[test]
fn what_is_damaged_says_so() {
    let text = r#"{
      "GET": { "info": 1, "in": { "a": { "info": "A", "type": 1 }, "b": { "info": "B", "type": "int" } } },
      "PUT": { "info": "", "in": { "a": 1 } },
      "POST": { "info": "", "in": { "a": { "info": "", "type": "" }, "a": {} } },
      "PATCH": { "info": "", "scope": [["a"], "b"] },
      "DELETE": { "info": "", "in": { "a": { "info": "", "type": "object", "fields": { "x": 1 } } } }
    }"#;
    let loaded = one("a.json", text);
    let found: Vec<(bool, Vec<bool>)> = methods(&loaded.definition)
        .into_iter()
        .map(|(_, method)| {
            let parameters = method.parameters.iter().map(|parameter| parameter.damaged);
            (method.damaged, parameters.collect())
        })
        .collect();
    assert_eq!(
        found,
        [(true, vec![true, false]), (true, vec![]), (true, vec![false]), (true, vec![]), (false, vec![true]),]
    );
    let scope = &methods(&loaded.definition)[3].1.scope;
    assert_eq!(scope.len(), 1, "a group that could be read is there");

    assert!(one("app.json", "{").definition.app.damaged);
    assert!(one("app.json", r#"{ "title": 1, "modules": {} }"#).definition.app.damaged);
    assert!(!one("app.json", r#"{ "title": "", "modules": {} }"#).definition.app.damaged);
}

#[test]
fn remarks_are_skipped_but_no_names() {
    let definition = good(
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
    let found = methods(&definition);
    assert_eq!(found[0].1.parameters[0].key.value, "$filter");
    assert_eq!(found[0].1.outputs[0].name.value, "x-total");
    assert_eq!(found[1].0, "/x-files");
    assert_eq!(found.len(), 2);
}

#[test]
fn whole_numbers_are_read_however_they_are_written() {
    let definition = good(
        "app.json",
        r#"{ "modules": {}, "workers": 2.0, "limits": { "body": 1e3, "uri": 18446744073709551615 } }"#,
    );
    let app = &definition.app;
    assert_eq!(app.workers.map(|workers| workers.value), Some(2));
    let limits: Vec<u64> = app.limits.iter().map(|(_, value)| value.value).collect();
    assert_eq!(limits, [1000, u64::MAX]);
}

#[test]
fn settings_come_from_all_documents_of_a_whole_api() {
    let loaded = read(vec![
        ("api/app.json".into(), br#"{ "title": "T", "modules": { "a": {} } }"#.to_vec()),
        ("api/b.json".into(), br#"{ "base": "/v1", "modules": { "b": {} } }"#.to_vec()),
        ("api/c.json".into(), b"{}".to_vec()),
    ]);
    // A key twice is one, even where it holds modules.
    assert_eq!(codes(&loaded), [Code::DuplicateKey]);
    let app = &loaded.definition.app;
    assert_eq!(app.base.as_ref().map(|base| &*base.value), Some("/v1"));
}

#[test]
fn a_server_needs_its_url() {
    let loaded = one("app.json", r#"{ "modules": {}, "servers": [{ "url": "/" }, { "info": "" }, { "uri": "" }] }"#);
    assert_eq!(codes(&loaded), [Code::BadOption, Code::UnknownKey]);
    assert_eq!(loaded.definition.app.servers.len(), 1);
}

#[test]
fn numbers_keep_their_value() {
    let text = r#"{ "GET": { "info": "", "in": { "a": { "info": "", "type": "any",
        "default": [1, -1, 1.5, 1e2, 18446744073709551615, 18446744073709551616, -0.0, "\u00e9\ud83d\ude00"] } } } }"#;
    let definition = good("a.json", text);
    let default = methods(&definition)[0].1.parameters[0].default.clone().map(|default| default.value);
    let expected = json!([1, -1, 1.5, 1e2, u64::MAX, 18446744073709551616.0, -0.0, "é😀"]);
    assert_eq!(default, Some(expected));
}

#[test]
fn any_text_file_form_is_read() {
    let lines = "{\n  // A remark.\n  \"GET\": { \"info\": \"é\" /* , */ }\n}\n";
    for text in [
        lines.to_owned(),
        lines.replace('\n', "\r\n"),
        lines.replace('\n', "\r"),
        format!("\u{feff}{lines}"),
        lines.trim_end().to_owned(),
    ] {
        assert_eq!(methods(&good("a.json", &text)).len(), 1, "{text:?}");
    }
    // The column counts characters of the text without the byte order mark.
    let loaded = one("a.json", "\u{feff}{ \"é\": \"\u{e9}\", \"/\": 1 }");
    let report = report(loaded);
    let places: Vec<Json> = report
        .json_lines()
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).expect("each line is JSON")["column"].clone())
        .collect();
    assert_eq!(places, [4, 18]);
}

#[test]
fn bytes_that_are_no_text_are_refused_where_they_stand() {
    for (bytes, column) in
        [(&b"\xff\xfe{\0}\0"[..], 1), (b"{ \"info\": \"\xe9\" }", 12), (b"{ \"\xc3\xa9\": \"\xc3\" }", 9), (b"{}\0", 3)]
    {
        let loaded = one("a.json", bytes);
        assert_eq!(codes(&loaded), [Code::Syntax], "{bytes:?}");
        let place = loaded.diagnostics[0].place;
        let source = loaded.sources.get(place.file).expect("the file is known");
        assert_eq!(source.locate(place).column, column, "{bytes:?}");
    }
}

#[test]
fn size_and_depth_have_bounds() {
    let fault = |text: String| one("a.json", text).diagnostics.remove(0).message;
    assert_eq!(fault(" ".repeat((8 << 20) + 1)), "this file is larger than 8 MiB");
    for opening in ["[", "{\"/\":", "{\"a\":[", "[[[[{\"a\":"] {
        let deep = "more than 128 levels of objects and lists";
        assert_eq!(fault(opening.repeat(100_000)), deep, "{opening}");
    }
    let nested = |levels: usize| format!("[{}{}]", "[".repeat(levels - 1), "]".repeat(levels - 1));
    let default =
        |text: &str| format!(r#"{{"GET":{{"info":"","in":{{"a":{{"info":"","type":"any","default":{text}}}}}}}}}"#);
    good("a.json", default(&nested(124)));
    assert_eq!(fault(default(&nested(125))), "more than 128 levels of objects and lists");
}

#[test]
fn a_folder_is_read_in_the_order_of_names() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file can be written");
    file("b.json", "{}");
    file("a.jsonc", "[]");
    file("app.json", "{}");
    file(".hidden.json", "[");
    file("notes.txt", "[");
    fs::create_dir(folder.path().join("below.json")).expect("a folder can be made");
    let loaded = load(folder.path());
    assert_eq!(codes(&loaded), []);
    let names: Vec<&str> = loaded.definition.modules.iter().map(|module| &*module.name.value).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn what_cannot_be_read_is_told() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let gone = folder.path().join("gone");
    assert_eq!(codes(&load(&gone)), [Code::MissingDefinition]);
    assert_eq!(codes(&load(folder.path())), [Code::MissingDefinition]);

    let file = folder.path().join("app.json");
    fs::write(&file, "{}").expect("a file can be written");
    assert_eq!(codes(&load(&file)), [Code::MissingDefinition], "a file is no folder");
    assert_eq!(codes(&load(folder.path())), [Code::MissingDefinition]);
    fs::write(&file, r#"{ "modules": {} }"#).expect("a file can be written");
    assert_eq!(codes(&load(folder.path())), []);

    assert_eq!(codes(&read(Vec::new())), [Code::MissingDefinition]);
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_told() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let link = folder.path().join("a.json");
    std::os::unix::fs::symlink("gone.json", &link).expect("a link can be made");
    let loaded = load(folder.path());
    assert_eq!(codes(&loaded), [Code::MissingDefinition]);
    assert!(loaded.diagnostics[0].message.starts_with("this file cannot be read: "));
}
