//! `rulebook new`: the folder that it makes. `tests/outside/new` builds and runs what is in it.

use std::fs;
use std::path::Path;

use rulebook::Rulebook;
use rulebook::test::Client;
use tempfile::TempDir;

use super::run;

/// The library of a new project, compiled and checked with these tests.
#[path = "../../src/cli/new/template/src/lib.rs"]
mod template;

/// Everything below a folder, folders before what is in them.
fn files(folder: &Path) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            found.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_project_is_made() {
    let folder = TempDir::new().unwrap();
    let ran = run(folder.path(), &["new", "my-greeter2"]);
    let words = "my-greeter2 is made. Next:\n  cd my-greeter2\n  cargo run\n";
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(0), words, ""));
    let expected = [
        "my-greeter2",
        "my-greeter2/.gitignore",
        "my-greeter2/Cargo.toml",
        "my-greeter2/README.md",
        "my-greeter2/api",
        "my-greeter2/api/app.json",
        "my-greeter2/api/greeting.json",
        "my-greeter2/schema",
        "my-greeter2/schema/definition.json",
        "my-greeter2/src",
        "my-greeter2/src/greeting.rs",
        "my-greeter2/src/lib.rs",
        "my-greeter2/src/main.rs",
        "my-greeter2/tests",
        "my-greeter2/tests/greeting.rs",
    ];
    assert_eq!(files(folder.path()), expected, "and nothing else");
    let text = |file: &str| fs::read_to_string(folder.path().join("my-greeter2").join(file)).unwrap();
    let manifest = text("Cargo.toml");
    let dependency = format!("rulebook = {{ version = \"{}\", default-features = false", env!("CARGO_PKG_VERSION"));
    assert!(manifest.contains("\nname = \"my-greeter2\"\n"), "{manifest}");
    assert_eq!(manifest.matches(&dependency).count(), 2, "{manifest}");
    assert!(text("src/main.rs").contains("run(my_greeter2::app)"));
    assert!(text("tests/greeting.rs").contains("use my_greeter2::app;"));
    for file in expected.iter().filter_map(|file| file.strip_prefix("my-greeter2/")).filter(|file| file.contains('.')) {
        let text = text(file);
        for placeholder in ["package-name", "crate_name", "RULEBOOK"] {
            assert!(!text.contains(placeholder), "{placeholder} is left in {file}");
        }
    }
    let checked = run(&folder.path().join("my-greeter2"), &["check"]);
    assert_eq!((checked.code, checked.out.as_str()), (Some(0), "no fault: 1 module, 1 service, 1 method\n"));
}

#[test]
fn its_handlers_fit_its_definition() {
    let folder = TempDir::new().unwrap();
    assert_eq!(run(folder.path(), &["new", "greeter"]).code, Some(0));
    let client = Client::new(template::app(Rulebook::load(folder.path().join("greeter/api")))).unwrap();
    let greet = || client.call("greeting.{name}.get").arg("name", "Ada");
    assert_eq!(greet().send().output("greeting"), "Hello, Ada!");
    assert_eq!(greet().arg("lang", "fr").send().output("greeting"), "Bonjour, Ada!");
    assert_eq!(greet().arg("lang", "xx").send().faults(), ["lang"]);
}

#[test]
fn it_can_depend_on_a_folder() {
    let folder = TempDir::new().unwrap();
    let strange = "the \"rule\" \\ book\n";
    fs::create_dir(folder.path().join(strange)).unwrap();
    fs::write(folder.path().join(strange).join("Cargo.toml"), "").unwrap();
    let ran = run(folder.path(), &["new", "greeter", "--path", strange]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let manifest = fs::read_to_string(folder.path().join("greeter/Cargo.toml")).unwrap();
    let whole = folder.path().canonicalize().unwrap();
    let path = format!("path = \"{}/the \\\"rule\\\" \\\\ book\\n\"", whole.to_str().unwrap());
    assert_eq!(manifest.matches(&path).count(), 2, "{manifest}");
    for (path, why) in [("nowhere", "No such file"), ("greeter/api", "there is no Cargo.toml")] {
        let ran = run(folder.path(), &["new", "other", "--path", path]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""));
        assert!(ran.err.starts_with(&format!("error: --path {path}: {why}")), "{}", ran.err);
        assert!(!folder.path().join("other").exists());
    }
}

#[test]
fn names_that_cargo_would_not_take_are_refused() {
    let folder = TempDir::new().unwrap();
    let long = "a".repeat(65);
    for (name, why) in [
        ("", "it is empty"),
        ("1st", "it begins with '1', expected a small letter"),
        ("_greeter", "it begins with '_'"),
        ("Greeter", "it holds 'G', expected small letters"),
        ("gréeter", "it holds 'é'"),
        ("gree ter", "it holds ' '"),
        ("a/b", "it holds '/'"),
        ("a\\b", "it holds '\\\\'"),
        (".", "it holds '.'"),
        ("..", "it holds '.'"),
        (&long, "it is longer than 64 characters"),
        ("match", "it is a word of Rust"),
        ("proc-macro", "has taken it"),
        ("test", "has taken it"),
        ("com1", "has taken it"),
        ("serde", "a package that the project depends on"),
        ("rulebook", "a package that the project depends on"),
    ] {
        let ran = run(folder.path(), &["new", name]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{name:?}");
        assert!(ran.err.contains(why), "{why:?} is not in {}", ran.err);
    }
    assert_eq!(files(folder.path()), [""; 0]);
    for name in ["x", "com", "com10", "test2", "matches", &long[1..]] {
        assert_eq!(run(folder.path(), &["new", name]).code, Some(0), "{name}");
    }
}

#[test]
fn what_is_there_is_left_alone() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    assert_eq!(run(folder.path(), &["new", "empty"]).code, Some(0), "an empty folder is as good as none");
    fs::write(folder.path().join("file"), "mine").unwrap();
    fs::create_dir(folder.path().join("full")).unwrap();
    fs::write(folder.path().join("full/file"), "mine").unwrap();
    let before = files(folder.path());
    for name in ["empty", "file", "full"] {
        let ran = run(folder.path(), &["new", name]);
        let words = format!("error: there is a `{name}` already\n");
        assert_eq!((ran.code, ran.out.as_str(), ran.err), (Some(3), "", words));
    }
    assert_eq!(files(folder.path()), before, "and nothing is left behind");
    assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), "mine");
}
