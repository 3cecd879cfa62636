//! Precedence of settings: flags, then environment variables, then `app.json`.

use std::path::Path;

use rulebook::Rulebook;
use serde_json::json;

use super::{RunResult, shop, unfinished};
use crate::server_process::program;

#[test]
fn flags_take_precedence_over_the_environment_and_that_over_the_definition() {
    let folder = unfinished(&json!({ "unbound": "501" }));
    let status = |environment: Option<&str>, flag: Option<&str>| {
        let mut command = program(folder.path());
        command.args(["call", "extra.get"]);
        if let Some(value) = environment {
            command.env("RULEBOOK_UNBOUND", value);
        }
        if let Some(value) = flag {
            command.args(["--unbound", value]);
        }
        let result = RunResult::from(command.output().unwrap());
        match result.code {
            Some(0) => "echo",
            _ if result.out.contains("501") => "501",
            _ if result.err.contains("unbound-method") => "refuse",
            _ => panic!("{result:?}"),
        }
    };
    assert_eq!(status(None, None), "501");
    assert_eq!(status(Some("echo"), None), "echo");
    assert_eq!(status(Some("refuse"), None), "refuse");
    assert_eq!(status(Some("refuse"), Some("echo")), "echo");
    assert_eq!(status(Some("echo"), Some("501")), "501");
    assert_eq!(status(None, Some("refuse")), "refuse");
}

#[test]
fn an_invalid_variable_is_reported() {
    let folder = shop();
    for (name, value) in [
        ("RULEBOOK_UNBOUND", "maybe"),
        ("RULEBOOK_WORKERS", "-1"),
        ("RULEBOOK_WORKERS", "1025"),
        ("RULEBOOK_LOG", "rulebook=loud"),
    ] {
        let result = RunResult::from(program(folder.path()).env(name, value).arg("routes").output().unwrap());
        assert_eq!(result.code, Some(2), "{result:?}");
        assert!(result.err.contains(value), "{}", result.err);
    }
}

#[test]
fn the_folder_of_the_definition_can_be_set() {
    let folder = shop();
    std::fs::rename(folder.path().join("api"), folder.path().join("own")).unwrap();
    let run = |environment: Option<&str>, arguments: &[&str]| {
        let mut command = program(folder.path());
        if let Some(value) = environment {
            command.env("RULEBOOK_API", value);
        }
        command.args(["routes"]).args(arguments).output().unwrap().status.code()
    };
    assert_eq!(run(None, &[]), Some(1), "the folder api does not exist");
    assert_eq!(run(Some("own"), &[]), Some(0));
    assert_eq!(run(Some("nowhere"), &["--api", "own"]), Some(0));
    assert_eq!(run(Some("own"), &["--api", "nowhere"]), Some(1));
}

#[test]
fn the_data_folder_is_known_after_the_definition_is_read() {
    let defined =
        || Rulebook::read(vec![("app.json".into(), br#"{ "data": "own", "modules": { "a": {} } }"#.to_vec())]);
    for (rulebook, before, then) in [
        (defined(), "data", "own"),
        (defined().data_folder("flag"), "flag", "flag"),
        (Rulebook::read(vec![("a.json".into(), b"{}".to_vec())]), "data", "data"),
    ] {
        let folder = rulebook.data_folder_handle();
        assert_eq!(folder.path(), Path::new(before));
        rulebook.check().unwrap();
        assert_eq!(folder.path(), Path::new(then));
    }
}
