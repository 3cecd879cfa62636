//! Compares the names that are found with those that PHP reads.

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value as Json;

use super::*;

/// Prints `service` and `s` as PHP reads them, for each query in a line of its input.
const SCRIPT: &str = "while (($line = fgets(STDIN)) !== false) { parse_str(rtrim($line, \"\\n\"), $fields);
    echo json_encode([$fields['service'] ?? null, $fields['s'] ?? null], JSON_INVALID_UTF8_SUBSTITUTE), \"\\n\"; }";

/// Returns a query whose fields have names that resemble those of a service.
fn query() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "service", "s", "%73", "e", "rvice", "+", "%20", "%09", "%00", "[", "]", "[]", "%5B", "%5D", ".", "_", "%",
        "%2", "%zz", "%C3", "S", "x", ";", "%26", "%3D",
    ]);
    let name = prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat());
    let value =
        prop::sample::select(vec!["User.Login", "user.login", "App.User.Login", "Admin.Wipe", "", "%00", "%ff"]);
    let field = (name, prop::option::weighted(0.9, value)).prop_map(|(name, value)| match value {
        Some(value) => format!("{name}={value}"),
        None => name,
    });
    prop::collection::vec(field, 0..5).prop_map(|fields| fields.join("&"))
}

/// The same, for each body in a line.
const JSON_SCRIPT: &str = "while (($line = fgets(STDIN)) !== false) {
    $fields = (array) json_decode(rtrim($line, \"\\n\"), true);
    echo json_encode([$fields['service'] ?? null, $fields['s'] ?? null], JSON_PARTIAL_OUTPUT_ON_ERROR), \"\\n\"; }";

/// Returns a text that resembles a JSON object with the names of a service.
fn body() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        r#""service""#,
        r#""s""#,
        r#""\u0073ervice""#,
        r#""\u0053""#,
        r#""serv\u00""#,
        r#""a\"b""#,
        r#""""#,
        "service",
        "'s'",
    ]);
    let value = prop::sample::select(vec![
        r#""User.Login""#,
        r#""User.Login""#,
        r#""User.Login""#,
        r#""App.user.login.x""#,
        r#""App.user.login.x""#,
        r#""Admin.Wipe""#,
        r#""Admin\u002eWipe""#,
        r#""\ud800""#,
        r#"{"service":"Admin.Wipe"}"#,
        r#"["s",{"s":":"}]"#,
        "[",
        "1e999",
        "TRUE",
        "nUll",
        "-",
        "01",
    ]);
    let blank = || prop::sample::select(vec!["", "", " ", "\t", "\r"]);
    let member =
        (blank(), key, blank(), value, blank()).prop_map(|(a, key, b, value, c)| format!("{a}{key}{b}:{c}{value}"));
    let end = prop::sample::select(vec!["}", "}", "}", "} ", "", ",}", "}}"]);
    let deep = prop::sample::select(vec!["", "", "deep"]);
    (prop::collection::vec(member, 0..4), end, deep).prop_map(|(mut members, end, deep)| {
        if !deep.is_empty() {
            members.push(format!("\"deep\":{}{}", "[".repeat(200), "]".repeat(200)));
        }
        format!("{{{}{end}", members.join(","))
    })
}

/// Asserts that PHP runs the checked service in each line, if it runs one.
fn assert_found(script: &str, lines: impl Strategy<Value = String>, add: impl Fn(&mut GivenNames, &str)) {
    let mut runner = TestRunner::default();
    let lines: Vec<String> = (0..20_000).map(|_| lines.new_tree(&mut runner).unwrap().current()).collect();
    let command = Command::new("php").args(["-r", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut php) = command else { return support::skip("the command line of PHP is not installed") };
    let (mut input, text) = (php.stdin.take().unwrap(), lines.join("\n") + "\n");
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = php.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let read: Vec<Json> =
        output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    assert_eq!(read.len(), lines.len());
    let mut found = 0;
    for (line, read) in lines.iter().zip(&read) {
        let mut given = GivenNames::default();
        add(&mut given, line);
        let field = given.missing_field("User.Login", false, true);
        // PHP runs the service that is named, with the field that is added to the beginning of the query.
        let runs = match (&read[0], &read[1], &field) {
            (_, _, Err(_)) | (Json::Null, _, Ok(Some((ServiceField::Service, _)))) => continue,
            (Json::Null, Json::Null, Ok(Some((ServiceField::S, name)))) => name,
            (Json::Null, name, Ok(_)) | (name, _, Ok(_)) => name.as_str().unwrap_or_default(),
        };
        found += 1;
        assert!(is_same_service(runs, "User.Login", true), "{line:?}: PHP reads {read}, and {field:?} is added");
    }
    assert!(found > 300, "{found}");
}

#[test]
fn php_reads_no_name_that_is_not_found() {
    assert_found(SCRIPT, query(), |given, query| given.add_fields(form_urlencoded::parse(query.as_bytes()), true));
    assert_found(JSON_SCRIPT, body(), |given, body| given.add_json(body.as_bytes()));
}

#[test]
fn texts_that_are_no_json_name_no_service() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(130), "]".repeat(130));
    for body in ["{pay}", "{'a':1}", r#"{"a":1,}"#, r#"{"a":"\ud800"}"#, r#"{"a":1"#, "{", r#"{"a"#, &deep] {
        let mut given = GivenNames::default();
        given.add_json(body.as_bytes());
        assert!(given.is_empty(), "{body}: {given:?}");
    }
}

#[test]
fn names_of_a_service_may_have_a_namespace_and_differ_in_case() {
    for (name, service, is_same) in [
        ("User.Login", "User.login", true),
        ("user.LOGIN", "User.login", true),
        ("App.User.Login", "User.login", true),
        ("User.Login", "App.User.login", true),
        ("uSer.login", "User.login", false),
        ("app.User.Login", "User.login", false),
        ("Portal.User.Login", "User.login", false),
        ("Portal.User.Login", "Portal.User.login", true),
        ("User", "User.login", false),
        ("Site", "Site.index", true),
        ("site", "App.Site.Index", true),
        ("App.Site.Index.x", "Site.index", true),
        ("App.Site.Index.x.y", "Site.index", true),
        ("Site.Index.x", "Site.index", false),
        ("App.Site", "Site.index", false),
        ("App.Index", "Site.index", false),
        ("User.Login.X", "User.login", false),
        ("", "User.login", false),
        ("", "Site.index", false),
        (".Site", "Site.index", false),
        ("User.Login\0", "User.login", false),
    ] {
        assert_eq!(is_same_service(name, service, true), is_same, "{name} {service}");
    }
    for (name, is_same) in [("User.Login", true), ("user.LOGIN.x", true), ("App.User.Login", false), ("User", false)] {
        assert_eq!(is_same_service(name, "User.login", false), is_same, "{name}");
    }
}
