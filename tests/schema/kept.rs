//! The schema as the command line prints it, and as projects keep it beside their definition.

use std::fs;
use std::path::Path;

use rulebook::schema::{Of, schema};
use serde_json::Value as Json;
use tempfile::TempDir;

use super::{content, read};
use crate::cli::run;
use crate::golden;

#[test]
fn the_schema_that_is_kept_is_that_of_any_file() {
    golden::compare(Path::new("schema/definition.json"), &format!("{:#}\n", schema(Of::AnyFile)));
}

#[test]
fn each_schema_is_printed() {
    let folder = TempDir::new().unwrap();
    let cases: [(&[&str], Of); 6] = [
        (&["schema"], Of::AnyFile),
        (&["schema", "all"], Of::AnyFile),
        (&["schema", "app"], Of::Settings),
        (&["schema", "tree"], Of::Tree),
        (&["schema", "methods"], Of::Methods),
        (&["schema", "rules"], Of::Rules),
    ];
    for (arguments, of) in cases {
        let ran = run(folder.path(), arguments);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{arguments:?}");
        assert_eq!(ran.out, format!("{:#}\n", schema(of)), "{arguments:?}");
    }
}

#[test]
fn definitions_lead_to_it() {
    let folder = TempDir::new().unwrap();
    assert_eq!(run(folder.path(), &["new", "greeter"]).code, Some(0));
    let project = folder.path().join("greeter");
    for project in [Path::new(env!("CARGO_MANIFEST_DIR")), &project] {
        let files = read(&project.join("api"));
        assert!(files.len() > 1);
        for (path, bytes) in files {
            let content = content(&bytes).unwrap();
            let named = content["$schema"].as_str().unwrap_or_else(|| panic!("{} names none", path.display()));
            let named = path.parent().unwrap().join(named).canonicalize().unwrap();
            assert_eq!(named, project.join("schema/definition.json").canonicalize().unwrap(), "{}", path.display());
        }
    }
    let written: Json = serde_json::from_slice(&fs::read(project.join("schema/definition.json")).unwrap()).unwrap();
    assert_eq!(written, schema(Of::AnyFile));
}
