//! Tests of the precedence of settings: a flag has priority over an environment variable, which has priority over
//! `app.json`.

use std::path::Path;

use rulebook::Rulebook;
use serde_json::{Value as Json, json};

use super::{RunResult, folder_with_unbound_service, run_program, shop_folder};
use crate::server_process::program;

#[test]
fn a_flag_has_priority_over_the_variable_and_the_variable_over_the_definition() {
    let folder = folder_with_unbound_service(&json!({ "unbound": "501" }));
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
        match result.exit_code {
            Some(0) => "echo",
            _ if result.stdout.contains("501") => "501",
            _ if result.stderr.contains("unbound-method") => "refuse",
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
fn an_invalid_environment_variable_is_reported() {
    let folder = shop_folder();
    for (name, value) in [
        ("RULEBOOK_UNBOUND", "maybe"),
        ("RULEBOOK_WORKERS", "-1"),
        ("RULEBOOK_WORKERS", "1025"),
        ("RULEBOOK_LOG", "rulebook=loud"),
        ("RULEBOOK_LOG", "infoo"),
    ] {
        let result = RunResult::from(program(folder.path()).env(name, value).arg("routes").output().unwrap());
        assert_eq!(result.exit_code, Some(2), "{result:?}");
        assert!(result.stderr.contains(value), "{}", result.stderr);
        assert!(result.stderr.contains(&format!("for '{name} (environment variable)'")), "{}", result.stderr);
    }
    for value in ["x", "101", "-1", "2.5"] {
        let flag = format!("--trace-percent={value}");
        let result = RunResult::from(program(folder.path()).args([flag.as_str(), "routes"]).output().unwrap());
        assert_eq!(result.exit_code, Some(2), "{result:?}");
        assert!(result.stderr.contains("expected a whole number from 0 to 100"), "{}", result.stderr);
    }
    let result = RunResult::from(program(folder.path()).args(["--workers", "many", "routes"]).output().unwrap());
    assert!(result.stderr.contains("'many' for '--workers <N>'"), "{}", result.stderr);
}

#[test]
fn a_misspelled_environment_variable_is_an_error_and_those_of_others_are_not() {
    let folder = shop_folder();
    let run = |name: &str| RunResult::from(program(folder.path()).env(name, "1").arg("routes").output().unwrap());
    for (name, known) in [
        ("RULEBOOK_TRUSTED_PROXY", "RULEBOOK_TRUSTED_PROXIES"),
        ("RULEBOOK_MONITORNG", "RULEBOOK_MONITORING"),
        ("RULEBOOK_WORKER", "RULEBOOK_WORKERS"),
        ("RULEBOOK_PEPER", "RULEBOOK_PEPPER"),
    ] {
        let result = run(name);
        assert_eq!(result.exit_code, Some(2), "{name}: {result:?}");
        assert!(
            result.stderr.contains(name) && result.stderr.contains(&format!("did you mean {known}?")),
            "{result:?}"
        );
    }
    // Variables of the definition, of Kubernetes for a service named `rulebook`, and of handlers that are processes.
    for name in [
        "RULEBOOK_SHOP_NAME",
        "RULEBOOK_PORT",
        "RULEBOOK_SERVICE_HOST",
        "RULEBOOK_PORT_8080_TCP",
        "RULEBOOK_CLAIMS",
        "RULEBOOK_IDENTITY",
        "RULEBOOK_PERMISSIONS",
        "RULEBOOK_REQUEST_ID",
        "RULEBOOK_METHOD",
        "RULEBOOK_HTTP_METHOD",
        "RULEBOOK_TIMEZONE",
    ] {
        assert_eq!(run(name).exit_code, Some(0), "{name}");
    }
}

#[test]
fn errors_of_certificates_name_their_file_and_not_the_address() {
    let folder = shop_folder();
    std::fs::write(folder.path().join("site.key"), "").unwrap();
    for (file, expected) in [
        ("missing.pem", "missing.pem: No such file"),
        ("site.key", "site.key contains no certificate"),
        ("api", "api: it is not a regular file"),
    ] {
        let arguments = ["--bind", "https://127.0.0.1:0", "--tls-certificate", file, "--tls-key", "site.key"];
        let result = run_program(folder.path(), &arguments);
        assert_eq!(result.exit_code, Some(3), "{result:?}");
        let expected = format!("the TLS certificates cannot be used: {expected}");
        assert!(result.stderr.contains(&expected) && !result.stderr.contains("--bind"), "{}", result.stderr);
    }
}

#[test]
fn settings_that_do_not_fit_together_are_wrong_usage() {
    let folder = shop_folder();
    let plain = json!({});
    let https = ["--bind", "https://127.0.0.1:0"];
    let cases: [(&Json, &[&str], &str); 3] = [
        (&plain, &https, "--bind https://127.0.0.1:0: an address begins with `https://`, but there is no certificate"),
        (&plain, &["--traces", "collector"], "traces: "),
        (
            &json!({ "key_storage": "postgres://${NO_SUCH_VARIABLE}@localhost/keys" }),
            &[],
            "key_storage: the environment",
        ),
    ];
    for (app, arguments, expected) in cases {
        let mut settings = json!({ "unbound": "echo" });
        settings.as_object_mut().unwrap().extend(app.as_object().unwrap().clone());
        std::fs::write(folder.path().join("api/app.json"), settings.to_string()).unwrap();
        let result = run_program(folder.path(), &[&["serve"][..], arguments].concat());
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(2), ""), "{arguments:?}: {result:?}");
        assert!(result.stderr.starts_with(&format!("error: {expected}")), "{}", result.stderr);
    }
}

#[test]
fn an_address_without_a_port_is_reported_with_an_example() {
    let folder = shop_folder();
    for (address, example) in [
        ("8090", "`127.0.0.1:8090`"),
        (":8090", "`127.0.0.1:8090`"),
        ("127.0.0.1", "`127.0.0.1:8080`"),
        ("localhost:http", "`127.0.0.1:8080`"),
        ("127.0.0.1:99999", "`127.0.0.1:8080`"),
    ] {
        let result = RunResult::from(program(folder.path()).args(["--bind", address]).output().unwrap());
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(2), ""), "{address}");
        assert!(result.stderr.contains(address) && result.stderr.contains(example), "{}", result.stderr);
    }
}

/// The settings in `app.json` that concern only the server and have no flag: `cors` is part of the API, because pages
/// of other origins depend on it, `handlers` is part of the methods, and `auth` and
/// `require_scope` belong to their permissions.
const WITHOUT_FLAG: [&str; 4] = ["cors", "handlers", "auth", "require_scope"];

#[test]
fn every_setting_of_the_server_has_a_flag_and_a_variable() {
    let folder = shop_folder();
    let help = RunResult::from(program(folder.path()).args(["serve", "--help"]).output().unwrap()).stdout;
    let (_, settings) = help.split_once("Settings:\n").unwrap();
    let flags: Vec<_> =
        settings.lines().filter_map(|line| line.trim().strip_prefix("--")?.split([' ', '[']).next()).collect();
    for flag in &flags {
        let variable = format!("[env: RULEBOOK_{}=]", flag.replace('-', "_").to_uppercase());
        // The value of a variable that can contain a password is hidden.
        let hidden = variable.replace('=', "");
        assert!(settings.contains(&variable) || settings.contains(&hidden), "{variable} is not in {settings}");
    }
    for setting in rulebook_model::settings::server_settings().filter(|setting| !WITHOUT_FLAG.contains(setting)) {
        assert!(flags.contains(&&*setting.replace('_', "-")), "{setting} has no flag: {flags:?}");
    }
}

#[test]
fn the_folder_of_the_definition_is_set_by_flag_or_variable() {
    let folder = shop_folder();
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
fn a_data_folder_handle_has_the_path_of_the_definition_after_loading() {
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

#[test]
fn the_url_of_the_shared_limits_is_set_by_flag_variable_or_definition_and_never_printed() {
    const URL: &str = "redis://ada:hunter2@[";
    let plain = folder_with_unbound_service(&json!({ "unbound": "501" }));
    let defined =
        folder_with_unbound_service(&json!({ "unbound": "501", "shared_limits": { "url": "${LIMITS_SERVER}" } }));
    let invalid = "the URL of the shared limits is invalid";
    for (folder, args, variable, expected) in [
        (&plain, &["serve", "--shared-limits", URL][..], None, invalid),
        (&plain, &["serve"], Some("RULEBOOK_SHARED_LIMITS"), invalid),
        (&defined, &["serve"], Some("LIMITS_SERVER"), invalid),
        (&defined, &["serve"], None, "LIMITS_SERVER"),
    ] {
        let mut command = program(folder.path());
        command.args(args).args(["--bind", "127.0.0.1:0"]);
        if let Some(variable) = variable {
            command.env(variable, URL);
        }
        let result = RunResult::from(command.output().unwrap());
        assert!(result.exit_code == Some(2) && result.stderr.contains(expected), "{result:?}");
        assert!(!format!("{result:?}").contains("hunter2"), "{result:?}");
    }
    let help = program(plain.path()).args(["serve", "--help"]).env("RULEBOOK_SHARED_LIMITS", URL).output().unwrap();
    assert!(!format!("{:?}", RunResult::from(help)).contains("hunter2"));
}
