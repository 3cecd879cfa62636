//! Tests of descriptions in YAML, which is read as YAML 1.2.

use serde_json::{Value as Json, json};

use super::{files_in, import_text, special_losses};

/// Imports an operation whose parameter `x` has this schema, in YAML. Returns the parameters and the losses.
fn import_parameters(name: &str, schema: &str) -> (Json, String) {
    let text = format!(
        "openapi: 3.1.0\ninfo: {{title: Words, version: '1'}}\npaths:\n  /p:\n    get:\n      parameters:\n        \
         - {{name: {name}, in: query, schema: {schema}}}\n      responses: {{'200': {{description: ok}}}}\n"
    );
    let (folder, result) = import_text("words.yaml", &text);
    assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""), "{name} {schema}");
    let files = files_in(&folder.path().join("api"));
    let module = files.iter().find(|(file, _)| *file != "app.json").unwrap().1;
    let module: Json = serde_json::from_str(module).unwrap();
    (module["/"]["p"]["GET"]["in"].clone(), special_losses(folder.path()))
}

#[test]
fn words_that_are_booleans_only_in_older_versions_of_yaml_are_texts() {
    for word in ["y", "Y", "n", "N", "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF"] {
        let (parameters, losses) = import_parameters(word, &format!("{{type: string, enum: [SE, {word}]}}"));
        let parameter = &parameters[format!("GET@{word}")];
        assert_eq!((&parameter["type"], &parameter["range"]), (&json!("?enum"), &json!(["SE", word])), "{word}");
        assert_eq!(losses, "", "{word}");
    }
}

#[test]
fn a_version_of_openapi_without_quotes_is_a_version() {
    let (_, result) = import_text("api.yaml", "openapi: 3.1\ninfo: {title: Numbers, version: 1.5}\npaths: {}\n");
    assert_eq!(result.exit_code, Some(0), "{}", result.stderr);
    assert!(result.stdout.starts_with("Imported Numbers (OpenAPI 3.1) to api: "), "{}", result.stdout);
}

#[test]
fn plain_values_have_the_kinds_of_yaml_1_2() {
    for (text, value) in [
        ("true", json!(true)),
        ("True", json!(true)),
        ("FALSE", json!(false)),
        ("12", json!(12)),
        ("-1.5", json!(-1.5)),
        ("1e3", json!(1000.0)),
        ("'true'", json!("true")),
        ("tRUE", json!("tRUE")),
        ("1_000", json!("1_000")),
        ("012", json!("012")),
        ("12:30", json!("12:30")),
        ("2020-01-01", json!("2020-01-01")),
    ] {
        let (parameters, losses) = import_parameters("x", &format!("{{const: {text}}}"));
        assert_eq!((&parameters["GET@x"]["value"], losses.as_str()), (&value, ""), "{text}");
    }
}

#[test]
fn constants_of_another_kind_than_the_type_become_values_of_the_type() {
    let (parameters, losses) = import_parameters("v", "{type: string, enum: [1, 2, latest]}");
    assert_eq!(parameters["GET@v"]["range"], json!(["1", "2", "latest"]));
    let place = "keyword, accepts more: /paths/~1p/get/parameters/0/schema/enum";
    let expected = ["1", "2"].iter().enumerate();
    let expected = expected
        .map(|(index, value)| format!("{place}/{index}: `{value}` becomes `\"{value}\"`, which `type` allows\n"));
    assert_eq!(losses, expected.collect::<String>());
}
