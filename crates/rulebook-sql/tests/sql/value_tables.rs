//! The values of each type of each database, as outputs of each type and in downloads.
//!
//! Each line of the files in `tests/data/values` has an expression, and for each output and each download the value of
//! the expression. An output that is missing in a line is an error at start. `UPDATE_GOLDEN=1` writes the values anew.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value as Json, json};

use crate::databases::{Kind, TestApi, TestDatabase, for_each_database, method, of_type};
use crate::downloads::content;

/// The formats of downloads, before the types of outputs.
const FORMATS: [&str; 2] = ["csv", "jsonl"];

/// The types of outputs. The name of a union contains the types of its values.
const OUTPUTS: [&str; 21] = [
    "any",
    "?bool",
    "?int",
    "?float",
    "numeric",
    "?decimal(22,4)",
    "?string",
    "?date",
    "?time",
    "?datetime",
    "?array",
    "?object",
    "?array<?int>",
    "?array<?float>",
    "?array<?string>",
    "?array<?datetime>",
    "?loose_string",
    "?loose_int",
    "?int|string",
    "?bool|string",
    "?float|string",
];

/// Tables with a row whose values are in no expression.
const TABLES: [&str; 3] = [
    "create table typed (whole integer, real_number real, dec decimal(10, 2), words text, content blob, yes boolean,
         day date, moment datetime, clock time, untyped);
     insert into typed values (1, 1.5, 12.50, 'a', x'00ff', 1, '2026-01-31', '2026-01-31 12:30:00', '12:30', 'b');
     create table odd (whole integer, real_number real, dec decimal(10, 2), words text);
     insert into odd values ('abc', 'abc', 'abc', x'00ff');",
    "create type mood as enum ('happy', 'sad');
     create domain price as numeric(10, 2);
     create domain counts as integer[];
     create type size as (width integer, height integer);",
    "create table typed (yes tinyint(1), tiny tinyint(1) unsigned, big bigint unsigned, flag bit(1), bits bit(64),
         year_number year, zero_date date, zero_month date, zero_moment datetime(6), moment timestamp(6),
         mood enum('happy', 'sad'), moods set('a', 'b'), meta json, content blob, id uuid, address inet6,
         place point, short_number float, words varchar(9) collate utf8mb4_bin, padded int(5) zerofill,
         padded_dec decimal(10, 2) zerofill, negative tinyint, medium mediumint unsigned, latin varchar(5)
         character set latin1, raw_words varbinary(3), year_zero year, no_moods set('a', 'b'), largest float,
         long_words longtext, clock time(6));
     insert into typed values (5, 200, 18446744073709551615, b'1', 0xffffffffffffffff,
         2026, '0000-00-00', '2026-00-31', '0000-00-00 00:00:00', '2026-01-31 12:30:00.5',
         'happy', 'a,b', '{\"n\": [1e400, 1]}', 0x00ff, '6f1c3e8a-1b2c-4d5e-8f90-a1b2c3d4e5f6', '::1',
         point(1, 2), 0.1, 'ü', 42, 12.5, -128, 16777215, 'é', 'abc', 0, '', 3.4e38, '[]', '00:00:00.000001');",
];

/// Tests the expressions of a file. `statement` returns the statement with an expression, whose name is `v`.
fn test_expressions(database: &TestDatabase, file: &str, formats: &[&str], statement: impl Fn(&str) -> String) {
    let path = Path::new("tests/data/values").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let Json::Object(recorded) = serde_json::from_str(&text).unwrap() else { panic!("{file} contains an object") };
    let expressions: Vec<_> = recorded.keys().collect();
    let results: Vec<_> = formats.iter().chain(&OUTPUTS).collect();
    let methods = expressions.iter().enumerate().flat_map(|(index, expression)| {
        let sql = statement(expression);
        results.iter().enumerate().map(move |(result, name)| {
            let method = if FORMATS.contains(name) {
                let mut method = method(json!({}), json!({}), json!({ "sql": sql, "format": name }));
                method["GET"]["options"] = json!({ "download": true });
                method
            } else {
                let handler = json!({ "sql": sql, "rows": "one", "missing": false });
                method(json!({}), json!({ "v": output(name) }), handler)
            };
            format!("\"e{index}r{result}\": {method}")
        })
    });
    let methods: Vec<_> = methods.collect();
    let (api, rejected) = start_valid_methods(database, database.pick(TABLES), &methods);
    let (mut lines, mut errors) = (Vec::new(), Vec::new());
    for (index, expression) in expressions.iter().enumerate() {
        let mut values = Map::new();
        for (result, name) in results.iter().enumerate() {
            if rejected.contains_key(&(index * results.len() + result)) {
                continue;
            }
            match value(&api, &format!("e{index}r{result}.get"), name) {
                Ok(value) => drop(values.insert((**name).to_owned(), value)),
                Err(error) => errors.push(format!("{expression} as {name}: {error}")),
            }
        }
        lines.push(format!("  {}: {}", json!(expression), Json::Object(values)));
    }
    assert!(errors.is_empty(), "{file}:\n{}", errors.join("\n"));
    support::golden::compare(&path, &format!("{{\n{}\n}}\n", lines.join(",\n")));
}

fn output(name: &str) -> Json {
    let mut output = of_type(name);
    if let Some((first, second)) = name.trim_start_matches('?').split_once('|') {
        (output["type"], output["of"]) = ("?union".into(), json!([first, second]));
    }
    output
}

/// Starts an API with those of the methods that are valid. Returns it with the indexes and the errors of the others.
pub fn start_valid_methods(
    database: &TestDatabase,
    tables: &str,
    methods: &[String],
) -> (TestApi, BTreeMap<usize, String>) {
    let migrations = database.write_migration(tables);
    let app = json!({ "handlers": { "sql": { "url": database.url, "migrations": migrations } } }).to_string();
    let mut rejected = BTreeMap::new();
    loop {
        let indexes: Vec<_> = (0..methods.len()).filter(|index| !rejected.contains_key(index)).collect();
        let lines: Vec<_> = indexes.iter().map(|index| methods[*index].as_str()).collect();
        let definition = format!("{{ \"/\": {{\n{}\n}} }}", lines.join(",\n"));
        let report = match TestApi::start_texts(database.folder.path(), &app, &definition) {
            Ok(api) => return (api, rejected),
            Err(report) => report,
        };
        let before = rejected.len();
        for error in report.split("error[") {
            let Some((_, position)) = error.split_once("--> note.json:") else { continue };
            let (line, _) = position.split_once(':').unwrap();
            // The first method is in the second line.
            rejected.insert(indexes[line.parse::<usize>().unwrap() - 2], error.to_owned());
        }
        assert!(rejected.len() > before, "{report}");
    }
}

fn value(api: &TestApi, method: &str, result: &str) -> Result<Json, String> {
    if !FORMATS.contains(&result) {
        let response = api.call(method, json!({}));
        let reason = response.error().and_then(|error| error.log()).unwrap_or_default().to_owned();
        return response.outputs().map(|outputs| outputs["v"].clone()).map_err(|_| reason);
    }
    let file = content(api, method).map_err(|status| format!("the status {status}"))?;
    let text = String::from_utf8(file).map_err(|error| error.to_string())?;
    Ok(match result {
        "csv" => text.strip_prefix("v\r\n").and_then(|text| text.strip_suffix("\r\n")).ok_or("no line")?.into(),
        _ => serde_json::from_str::<Json>(&text).map_err(|error| error.to_string())?["v"].clone(),
    })
}

#[test]
fn values_of_each_type_become_outputs_of_each_type() {
    for_each_database(|database| {
        let file = database.pick(["sqlite.json", "postgres.json", "mariadb.json"]);
        test_expressions(database, file, &FORMATS, |expression| match expression.split_once(" from ") {
            Some((column, table)) => format!("select {column} as v from {table}"),
            None => format!("select {expression} as v"),
        });
    });
}

/// The database does not describe these columns before the statement is executed.
#[test]
fn values_of_each_type_are_returned_by_mariadb() {
    for_each_database(|database| {
        if database.kind == Kind::Mariadb {
            test_expressions(database, "mariadb_returning.json", &[], |expression| {
                format!("insert into typed (yes) values (1) returning {expression} as v")
            });
        }
    });
}

#[test]
fn a_local_time_is_a_time_of_day() {
    for_each_database(|database| {
        let sql = database.pick(["time('now', 'subsec')", "localtime", "current_time(6)"]);
        let api = database.api(json!({ "now": method(
            json!({}), json!({ "v": of_type("time") }), json!({ "sql": format!("select {sql} as v"), "missing": false })
        ) }));
        assert_eq!(api.outputs("now.get", json!({}))["v"].as_str().unwrap().len(), 8, "{:?}", database.kind);
    });
}

/// The columns of SQLite have no fixed types: a number is stored although its statement binds a text.
#[test]
fn a_row_that_is_written_is_returned() {
    for_each_database(|database| {
        let app = json!({ "handlers": { "sql": {
            "url": database.url,
            "migrations": database.write_migration("create table item (n numeric(10, 2))")
        } } });
        let input = json!({ "GET@n": of_type(database.pick(["string", "float", "string"])) });
        let definition = json!({ "/": {
            "add": method(input, json!({ "n": of_type("string") }),
                json!({ "sql": "insert into item (n) values (:n) returning n" })),
            "number": method(json!({}), json!({ "n": of_type("numeric") }),
                json!({ "sql": "insert into item (n) values (12.50) returning n" })),
        } });
        let api = TestApi::start(database.folder.path(), &app, &definition).unwrap_or_else(|error| panic!("{error}"));
        let n = api.outputs("add.get", json!({ "n": database.pick([json!("12.50"), json!(12.5), json!("12.50")]) }));
        assert_eq!(n["n"], database.pick(["12.5", "12.50", "12.50"]));
        assert_eq!(api.outputs("number.get", json!({})), json!({ "n": 12.5 }));
    });
}
