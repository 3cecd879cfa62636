//! Values of requests that a database cannot store.

use serde_json::{Value as Json, json};

use crate::databases::{Kind, TestApi, TestDatabase, for_each_database, method, of_type};

fn parameters(types: &[(&str, &str)]) -> Json {
    types
        .iter()
        .map(|(name, r#type)| (format!("GET@{name}"), of_type(r#type)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Returns the name of the parameter that the error of a call names; `None` if it names none.
#[track_caller]
fn rejected(api: &TestApi, method: &str, arguments: Json) -> Option<String> {
    let response = api.call(method, arguments);
    let error = response.error().unwrap_or_else(|| panic!("{method} succeeded"));
    let log = error.log().unwrap_or_default();
    assert_eq!(response.status(), 400, "{method}: {error:?} {log}");
    assert!(!log.contains("secret") && !error.to_string().contains("secret"), "{error}: {log}");
    error.parameter_errors().first().map(|error| error.parameter.clone())
}

fn api(database: &TestDatabase) -> TestApi {
    let short = "create table thing (id integer primary key, small smallint, number integer, day date, tag varchar(5))";
    let migrations = database.write_migration(short);
    let app = json!({ "handlers": { "sql": { "url": database.url, "migrations": migrations } } });
    let insert = |names: &str, types: &[(&str, &str)]| {
        let sql = format!("insert into thing (id, {names}) values (:id, :{})", names.replace(", ", ", :"));
        method(parameters(&[&[("id", "int")], types].concat()), json!({}), json!({ "sql": sql }))
    };
    let left = "select left('abcdef', :n) as t";
    let mut methods = json!({
        "all": insert("small, number, tag", &[("small", "int"), ("number", "int"), ("tag", "string")]),
        "day": insert("day", &[("day", "string")]),
        "tag": insert("tag", &[("tag", "string")]),
        "two": method(parameters(&[("id", "int"), ("a", "string"), ("b", "string")]), json!({}),
            json!({ "sql": "insert into thing (id, tag) values (:id, concat(:a, :b))" })),
        "find": method(parameters(&[("number", "int")]), json!({ "n": of_type("int") }),
            json!({ "sql": "select count(*) as n from thing where number = :number", "missing": false })),
        "left": method(parameters(&[("n", "int")]), json!({ "t": of_type("string") }),
            json!({ "sql": left, "missing": false })),
    });
    if database.kind == Kind::Postgres {
        methods["divide"] = method(
            parameters(&[("n", "int")]),
            json!({ "n": of_type("?int") }),
            json!({ "sql": "select id / :n as n from thing", "missing": false }),
        );
        methods["day"]["GET"]["in"]["GET@day"] = of_type("date");
        methods["json"] = method(
            parameters(&[("v", "any")]),
            json!({ "v": of_type("any") }),
            json!({ "sql": "select :v::jsonb as v" }),
        );
        for (name, r#type, sql) in [
            ("shorts", "array<int>", "select :v::smallint[]::text as v"),
            ("ints", "array<int>", "select :v::int[]::text as v"),
            ("longs", "array<uint>", "select :v::bigint[]::text as v"),
            ("decimals", "array<float>", "select :v::numeric(4, 2)[]::text as v"),
            ("documents", "array<any>", "select :v::jsonb[]::text as v"),
        ] {
            methods[name] =
                method(parameters(&[("v", r#type)]), json!({ "v": of_type("string") }), json!({ "sql": sql }));
        }
        methods["uuid"] = method(
            parameters(&[("v", "string")]),
            json!({ "v": of_type("any") }),
            json!({ "sql": "select :v::text::uuid as v" }),
        );
    }
    TestApi::start(database.folder.path(), &app, &json!({ "/": methods })).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_value_that_does_not_fit_into_its_column_is_an_invalid_parameter() {
    for_each_database(|database| {
        if database.kind == Kind::Sqlite {
            // The columns of SQLite accept values of any size.
            return;
        }
        let api = api(database);
        let values = |name: &str, value: Json| {
            let mut values = json!({ "id": 1, "small": 2, "number": 3, "tag": "secr" });
            values[name] = value;
            values
        };
        assert_eq!(rejected(&api, "all.get", values("small", json!(40_000))).as_deref(), Some("small"));
        assert_eq!(rejected(&api, "all.get", values("small", json!(-40_000))).as_deref(), Some("small"));
        assert_eq!(rejected(&api, "all.get", values("number", json!(3_000_000_000_i64))).as_deref(), Some("number"));
        assert_eq!(rejected(&api, "all.get", values("id", json!(i64::MAX))).as_deref(), Some("id"));
        assert_eq!(rejected(&api, "all.get", values("tag", json!("secret"))).as_deref(), Some("tag"));
        assert_eq!(rejected(&api, "tag.get", json!({ "id": 1, "tag": "secret" })).as_deref(), Some("tag"));
        // Either of both could be shorter.
        let two = api.call("two.get", json!({ "id": 1, "a": "secret", "b": "secret" }));
        let errors = two.error().unwrap().parameter_errors();
        let errors: Vec<_> = errors.iter().map(|error| (error.parameter.as_str(), &*error.expected)).collect();
        let expected = [("a", "a shorter value, here or in b"), ("b", "a shorter value, here or in a")];
        assert_eq!(errors, expected, "{:?}", database.kind);
        api.outputs("all.get", json!({ "id": 1, "small": 2, "number": 3, "tag": "abcde" }));
        // No row has such a number.
        assert_eq!(api.outputs("find.get", json!({ "number": 3_000_000_000_i64 })), json!({ "n": 0 }));
    });
}

#[test]
fn a_date_that_the_database_does_not_know_is_an_invalid_parameter() {
    for_each_database(|database| {
        let day = match database.kind {
            Kind::Sqlite => return,
            Kind::Postgres => "0000-01-31",
            Kind::Mariadb => "secret",
        };
        assert_eq!(rejected(&api(database), "day.get", json!({ "id": 1, "day": day })).as_deref(), Some("day"));
    });
}

#[test]
fn values_that_postgresql_cannot_convert_are_invalid_parameters() {
    for_each_database(|database| {
        if database.kind != Kind::Postgres {
            return;
        }
        let api = api(database);
        let name = |method, arguments| rejected(&api, method, arguments).unwrap();
        assert_eq!(name("tag.get", json!({ "id": 1, "tag": "a\0b" })), "tag");
        assert_eq!(name("two.get", json!({ "id": 1, "a": "a", "b": "\0" })), "b");
        assert_eq!(name("json.get", json!({ "v": { "a": "secret\0" } })), "v");
        assert_eq!(name("json.get", json!({ "v": "secret\0" })), "v");
        assert_eq!(name("uuid.get", json!({ "v": "secret" })), "v");
        assert_eq!(name("left.get", json!({ "n": 3_000_000_000_i64 })), "n");
        for (method, item) in [
            ("shorts.get", json!(40_000)),
            ("ints.get", json!(-3_000_000_000_i64)),
            ("longs.get", json!(u64::MAX)),
            ("decimals.get", json!(100.5)),
            ("documents.get", json!({ "a": "secret\0" })),
        ] {
            assert_eq!(name(method, json!({ "v": [1, item] })), "v");
        }
        let ints = api.call("ints.get", json!({ "v": [3_000_000_000_i64] }));
        let expected = &ints.error().unwrap().parameter_errors()[0].expected;
        assert_eq!(expected, "an array of whole numbers from -2147483648 to 2147483647");
        assert_eq!(api.outputs("ints.get", json!({ "v": [i32::MAX] })), json!({ "v": "{2147483647}" }));
        // Other errors are those of the statement.
        assert_eq!(api.outputs("tag.get", json!({ "id": 1, "tag": "a" })), json!({}));
        assert_eq!(api.error("divide.get", json!({ "n": 0 })).0, 500);
    });
}

#[test]
fn sqlite_stores_every_text() {
    let database = TestDatabase::sqlite();
    let api = api_of_texts(&database);
    api.outputs("add.get", json!({ "v": "a\0b" }));
    assert_eq!(api.outputs("all.get", json!({})), json!(["a\0b"]));
}

fn api_of_texts(database: &TestDatabase) -> TestApi {
    database.api(json!({
        "add": method(parameters(&[("v", "string")]), json!({}), json!({ "sql": "insert into note (title) values (:v)" })),
        "all": method(json!({}), json!({ "*": of_type("array<string>") }), json!({ "sql": "select title from note" })),
    }))
}
