//! Values are bound to parameters, and converted from columns.

use proptest::prelude::{any, prop_assert_eq};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value as Json, json};

use crate::databases::{Kind, TestApi, for_each_database, method, of_type};

/// Texts that would change a statement if they became part of it.
const TEXTS: [&str; 16] = [
    "'; drop table note; --",
    "' or '1'='1",
    "\\' or 1=1 -- ",
    "\\",
    ":title",
    "?1",
    "?",
    "$1",
    "$$",
    "\"",
    "`",
    "{a,\"b\"}",
    "/*",
    "%s",
    "",
    "ünï – 漢字 🦀\n\t",
];

#[test]
fn texts_of_requests_remain_values() {
    for_each_database(|database| {
        let title = json!({ "GET@title": of_type("string") });
        let api = database.api(json!({
            "add": method(title.clone(), json!({}), json!({ "sql": "insert into note (title) values (:title)" })),
            "find": method(title.clone(), json!({ "*": of_type("array<string>") }),
                json!({ "sql": "select title from note where title = :title" })),
            "like": method(title, json!({ "n": of_type("int") }),
                json!({ "sql": "select count(*) as n from note where title like :title", "missing": false })),
            "count": method(json!({}), json!({ "n": of_type("int") }),
                json!({ "sql": "select count(*) as n from note", "missing": false })),
        }));
        for text in TEXTS {
            api.outputs("add.get", json!({ "title": text }));
            assert_eq!(api.outputs("find.get", json!({ "title": text })), json!([text]), "{:?}", database.kind);
        }
        assert_eq!(api.outputs("count.get", json!({})), json!({ "n": TEXTS.len() }));
        assert_eq!(api.outputs("like.get", json!({ "title": "%" })), json!({ "n": TEXTS.len() }));
    });
}

#[test]
fn any_text_of_a_request_remains_a_value() {
    for_each_database(|database| {
        let same = database.pick([":v", ":v::text", "cast(:v as char)"]);
        let api = database.api(json!({ "same": method(
            json!({ "GET@v": of_type("string") }), json!({ "v": of_type("string"), "w": of_type("string") }),
            json!({ "sql": format!("select {same} as v, ':v' as w") })
        ) }));
        // PostgreSQL stores no NUL.
        let texts = any::<String>().prop_map(|text| text.replace('\0', "'"));
        let result = TestRunner::new(Config::with_cases(100)).run(&texts, |text| {
            prop_assert_eq!(api.outputs("same.get", json!({ "v": text })), json!({ "v": text, "w": ":v" }));
            Ok(())
        });
        result.unwrap();
    });
}

#[test]
fn values_of_all_types_are_stored_and_read() {
    for_each_database(|database| {
        let api = database.api(json!({
            "add": method(
                json!({ "GET@title": of_type("string"), "GET@stars": of_type("int"), "GET@done": of_type("bool"),
                        "GET@price": of_type("?float"), "GET@meta": of_type("?any"), "GET@author": of_type("?int") }),
                json!({}),
                json!({ "sql": "insert into note (title, stars, done, price, meta, author_id) \
                                values (:title, :stars, :done, :price, :meta, :author)" }),
            ),
            "read": method(
                json!({ "GET@title": of_type("string") }),
                json!({ "stars": of_type("int"), "done": of_type("bool"), "price": of_type("?float"),
                        "meta": of_type("?object"), "author_id": of_type("?int") }),
                json!({ "sql": "select stars, done, price, meta, author_id from note where title = :title",
                        "missing": "missing" }),
            ),
        }));
        let meta = json!({ "tags": ["a", "b'"], "n": 1.5, "deep": { "x": null } });
        let full = json!({ "title": "full", "stars": 5, "done": true, "price": 12.5, "meta": meta, "author": 1 });
        api.outputs("add.get", full);
        let read = json!({ "stars": 5, "done": true, "price": 12.5, "meta": meta, "author_id": 1 });
        assert_eq!(api.outputs("read.get", json!({ "title": "full" })), read);
        api.outputs("add.get", json!({ "title": "empty", "stars": 0, "done": false }));
        let read = json!({ "stars": 0, "done": false, "price": null, "meta": null, "author_id": null });
        assert_eq!(api.outputs("read.get", json!({ "title": "empty" })), read);
    });
}

#[test]
fn the_identity_of_the_caller_is_a_value() {
    for_each_database(|database| {
        let sql = database.pick([
            "select :identity.name as name, json_array_length(:identity.permissions) as n",
            "select :identity.name as name, json_array_length(:identity.permissions) as n",
            "select :identity.name as name, json_length(:identity.permissions) as n",
        ]);
        let output = json!({ "name": of_type("?string"), "n": of_type("int") });
        let api = database.api(json!({ "me": method(json!({}), output, json!({ "sql": sql })) }));
        assert_eq!(api.outputs("me.get", json!({})), json!({ "name": "ada", "n": 2 }));
        let anonymous = api.runtime.block_on(api.engine.call("me.get").send()).outputs();
        assert_eq!(anonymous.unwrap()["n"], json!(0));
    });
}

#[test]
fn extreme_numbers_are_exact() {
    for_each_database(|database| {
        let sql = database.pick([
            "select cast(:int as integer) as int, :float as float",
            "select :int::bigint as int, :float::float8 as float",
            "select cast(:int as signed) as `int`, cast(:float as double) as `float`",
        ]);
        let api = database.api(json!({ "same": method(
            json!({ "GET@int": of_type("int"), "GET@float": of_type("float") }),
            json!({ "int": of_type("int"), "float": of_type("float") }),
            json!({ "sql": sql }),
        ) }));
        for (int, float) in [(i64::MIN, 0.1), (i64::MAX, -1.0e-7), (0, 123_456_789.123_456_79)] {
            let values = json!({ "int": int, "float": float });
            assert_eq!(api.outputs("same.get", values.clone()), values, "{:?}", database.kind);
        }
    });
}

#[test]
fn null_is_a_value_of_every_column() {
    for_each_database(|database| {
        if database.kind == Kind::Sqlite {
            // The columns of SQLite have no types.
            return;
        }
        let binary = database.pick(["", "bytea", "longblob"]);
        let columns = [
            ("a", "uuid", "?uuid"),
            ("b", database.pick(["", "inet", "inet6"]), "?ip"),
            ("c", "json", "?object"),
            ("d", binary, "?file"),
            ("e", "integer", "?int"),
            ("f", "date", "?date"),
            ("g", "boolean", "?bool"),
            ("h", "numeric(5, 2)", "?float"),
            ("i", "varchar(9)", "?string"),
            ("j", "timestamp null", "?datetime"),
        ];
        let table = columns.map(|(name, r#type, _)| format!("{name} {type}")).join(", ");
        let values = columns.map(|(name, ..)| format!(":{name}")).join(", ");
        let input = columns.map(|(name, _, r#type)| (name.to_owned(), of_type(r#type)));
        let input = Json::Object(input.into_iter().collect());
        let app = json!({ "handlers": { "sql": {
            "url": database.url, "migrations": database.write_migration(&format!("create table thing ({table})"))
        } } });
        let add = method(input, json!({}), json!({ "sql": format!("insert into thing values ({values})") }));
        let definition = json!({ "/": {
            "add": { "POST": add["GET"] },
            "count": method(json!({}), json!({ "n": of_type("int") }),
                json!({ "sql": "select count(*) as n from thing where a is null and b is null", "missing": false })),
            "default": method(json!({ "GET@v": of_type("?int") }), json!({ "v": of_type("int") }),
                json!({ "sql": "select coalesce(:v, 7) as v", "missing": false })),
        } });
        let api = TestApi::start(database.folder.path(), &app, &definition).unwrap_or_else(|error| panic!("{error}"));
        api.outputs("add.post", json!({}));
        assert_eq!(api.outputs("count.get", json!({})), json!({ "n": 1 }));
        // The type of the null is the type of the result.
        assert_eq!(api.outputs("default.get", json!({})), json!({ "v": 7 }));
    });
}

#[test]
fn parameters_get_the_types_that_postgresql_expects() {
    for_each_database(|database| {
        if database.kind != Kind::Postgres {
            return;
        }
        let same = |r#type: &str, sql: &str, output: &str| {
            method(
                json!({ "GET@v": of_type(r#type) }),
                json!({ "v": of_type(output) }),
                json!({ "sql": sql, "rows": "one" }),
            )
        };
        let api = database.api(json!({
            "uuid": same("uuid", "select :v::uuid as v", "uuid"),
            "date": same("date", "select :v::date + 1 as v", "date"),
            "seconds": method(
                json!({ "GET@v": { "info": "A time", "type": "datetime", "format": "timestamp" } }),
                json!({ "v": of_type("datetime") }), json!({ "sql": "select to_timestamp(:v) as v" })),
            "json": same("any", "select :v::jsonb as v", "any"),
            "list": method(json!({ "GET@ids": of_type("array<int>") }), json!({ "*": of_type("array<string>") }),
                json!({ "sql": "select name from author where id = any(:ids)" })),
            "texts": same("array<string>", "select :v::text[] as v", "array<string>"),
            "filter": method(json!({ "GET@v": of_type("?date") }), json!({ "n": of_type("int") }), json!({
                "sql": "select count(*) as n from author where :v is null or date '2026-01-31' > :v or id = 7",
                "missing": false
            })),
            "group": method(json!({ "GET@v": of_type("int") }), json!({ "*": of_type("array<int>") }),
                json!({ "sql": "select id + :v from author group by id + :v" })),
            "short": same("int", "select left('abcdef', :v) as v", "string"),
        }));
        let uuid = json!({ "v": "6f1c3e8a-1b2c-4d5e-8f90-a1b2c3d4e5f6" });
        assert_eq!(api.outputs("uuid.get", uuid.clone()), uuid);
        assert_eq!(api.outputs("date.get", json!({ "v": "2026-01-31" })), json!({ "v": "2026-02-01" }));
        let seconds = api.outputs("seconds.get", json!({ "v": "2026-01-31T00:00:00Z" }));
        assert_eq!(seconds, json!({ "v": "2026-01-31T00:00:00Z" }));
        for value in [json!("a'\"b"), json!(1), json!([1, "x"]), json!({ "a": null }), json!(true)] {
            assert_eq!(api.outputs("json.get", json!({ "v": value })), json!({ "v": value }));
        }
        assert_eq!(api.outputs("list.get", json!({ "ids": [1, 2] })), json!(["Ada"]));
        let texts = json!({ "v": ["a,b", "{\"c\"}", "\\", ""] });
        assert_eq!(api.outputs("texts.get", texts.clone()), texts);
        assert_eq!(api.outputs("filter.get", json!({})), json!({ "n": 1 }));
        assert_eq!(api.outputs("filter.get", json!({ "v": "2026-02-01" })), json!({ "n": 0 }));
        assert_eq!(api.outputs("group.get", json!({ "v": 2 })), json!([3]));
        assert_eq!(api.outputs("short.get", json!({ "v": 2 })), json!({ "v": "ab" }));
    });
}

#[test]
fn a_value_that_the_database_cannot_convert_is_not_in_the_log() {
    for_each_database(|database| {
        let sql = database.pick([
            "update author set name = json_extract(:v, '$')",
            "update author set name = :v::uuid::text",
            "update note set title = :v",
        ]);
        let api = database.api(json!({
            "set": method(json!({ "GET@v": of_type("string") }), json!({}), json!({ "sql": sql })),
            "add": method(json!({}), json!({}), json!({ "sql": "insert into note (title) values ('a')" })),
        }));
        api.outputs("add.get", json!({}));
        let (status, reason) = api.error("set.get", json!({ "v": "secret".repeat(100) }));
        // SQLite does not distinguish this error from others.
        let expected = database.pick([500, 400, 400]);
        assert!(status == expected && reason.contains("the database") && !reason.contains("secret"), "{reason}");
    });
}
