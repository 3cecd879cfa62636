//! What the program says about itself.

use std::path::Path;

use rulebook::diagnostic::codes;

use super::{run, shop};
use crate::golden;

/// Every command.
const COMMANDS: [&[&str]; 16] = [
    &[],
    &["serve"],
    &["check"],
    &["routes"],
    &["openapi"],
    &["schema"],
    &["explain"],
    &["call"],
    &["keys"],
    &["keys", "add"],
    &["keys", "list"],
    &["keys", "revoke"],
    &["keys", "rotate"],
    &["send"],
    &["fetch"],
    &["new"],
];

#[test]
fn help_is_complete() {
    let folder = shop();
    let mut text = String::new();
    for command in COMMANDS {
        let arguments = [command, &["--help"]].concat();
        let ran = run(folder.path(), &arguments);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{arguments:?}");
        text += &format!("$ rulebook {}\n{}\n", arguments.join(" "), ran.out);
    }
    golden::compare(Path::new("tests/data/cli/help.txt"), &text);
    let listed = run(folder.path(), &["help"]).out;
    let commands = listed.split("Commands:\n").nth(1).unwrap().lines().take_while(|line| line.starts_with("  "));
    let known: Vec<_> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(
        known,
        [
            "serve", "check", "routes", "openapi", "types", "schema", "explain", "call", "keys", "send", "fetch",
            "new", "help"
        ],
        "and all are shown above"
    );
}

#[test]
fn its_version_is_that_of_the_package() {
    let ran = run(shop().path(), &["--version"]);
    assert_eq!((ran.code, ran.out), (Some(0), format!("rulebook {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn every_code_is_explained() {
    let folder = shop();
    let listed = run(folder.path(), &["explain"]);
    let names: Vec<_> = codes::TABLE.iter().map(|row| row.name).collect();
    assert_eq!((listed.code, listed.out.lines().collect::<Vec<_>>()), (Some(0), names));
    for row in codes::TABLE {
        let ran = run(folder.path(), &["explain", row.name]);
        assert_eq!((ran.code, ran.out.trim_end(), ran.err.as_str()), (Some(0), row.explanation.trim_end(), ""));
        assert!(ran.out.lines().count() > 2, "{}: {}", row.name, ran.out);
    }
    let ran = run(folder.path(), &["explain", "unknwon-type"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert_eq!(ran.err, "error: no diagnostic has the code `unknwon-type`; did you mean `unknown-type`?\n");
}

#[test]
fn wrong_words_are_refused_with_2() {
    let folder = shop();
    let cases: &[&[&str]] = &[
        &["serv"],
        &["--unknown"],
        &["check", "a", "b"],
        &["check", "--format", "xml"],
        &["--unbound", "maybe", "routes"],
        &["--workers", "0", "routes"],
        &["--workers", "513", "routes"],
        &["--workers", "many", "routes"],
        &["--api", "", "routes"],
        &["call"],
        &["call", "article.get", "no-value"],
        &["call", "article.get", "--json", "[]"],
        &["call", "article.get", "--json", "{"],
        &["openapi", "--output"],
        &["schema", "trees"],
        &["new"],
        &["new", "a", "b"],
        &["keys"],
        &["keys", "add"],
        &["keys", "add", "--name", ""],
        &["keys", "add", "--name", "x", "--scope", "a,,b"],
        &["keys", "add", "--name", "x", "--files", ""],
        &["keys", "add", "--name", "x", "--requests", "5"],
        &["keys", "add", "--name", "x", "--per", "hour"],
        &["keys", "add", "--name", "x", "--requests", "0", "--per", "hour"],
        &["keys", "add", "--name", "x", "--requests", "4294967296", "--per", "hour"],
        &["keys", "add", "--name", "x", "--requests", "5", "--per", "week"],
        &["keys", "add", "--name", "x", "--expires", "2001-01-01"],
        &["keys", "add", "--name", "x", "--expires", "-1d"],
        &["keys", "add", "--name", "x", "--expires", "2999-01-01T12:00"],
        &["keys", "add", "--name", "x", "--expires", "soon"],
        &["keys", "revoke"],
        &["keys", "rotate"],
        &["send", "a.jpg"],
        &["send", "--to", "http://host"],
        &["send", "--to", "host", "a.jpg"],
        &["send", "--to", "ftp://host", "a.jpg"],
        &["send", "--to", "http://ada:secret@host", "a.jpg"],
        &["send", "--to", "http://host", "--as", "", "a.jpg"],
        &["send", "--to", "http://host", "--as", "name", "a.jpg", "b.jpg"],
        &["send", "--to", "http://host", "a/.."],
        &["send", "--to", "http://host", "--if-absent", "--if-match", "x", "a.jpg"],
        &["send", "--to", "http://host", "--key", "rb_", "a.jpg"],
        &["fetch", "a.jpg"],
        &["fetch", "--from", "http://host"],
        &["fetch", "--from", "http://host", ""],
        &["fetch", "--from", "http://host", "public/.."],
        &["fetch", "--from", "http://host", "public/"],
        &["fetch", "--from", "http://host", "a", "b"],
        &["fetch", "--from", "http://host", "--timeout", "0", "a"],
        &["keys", "rotate", "00000000", "--grace", "-1h"],
        &["keys", "rotate", "00000000", "--grace", "24"],
    ];
    for arguments in cases {
        let ran = run(folder.path(), arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{arguments:?}: {ran:?}");
        assert!(!ran.err.is_empty(), "{arguments:?}");
    }
    assert!(!folder.path().join("data").exists(), "no key was made");
}
