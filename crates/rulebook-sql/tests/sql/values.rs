//! Values are bound to parameters, and converted from columns.

use proptest::prelude::{any, prop_assert_eq};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value as Json, json};

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
                                values (:title, :stars, :done, :price, :json.meta, :author)" }),
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
        assert!(status == 400 && reason.contains("the database") && !reason.contains("secret"), "{reason}");
    });
}

#[test]
fn decimals_in_json_are_those_of_the_type() {
    for_each_database(|database| {
        let sql = database.pick([
            "select json_group_array(json_object('n', 1, 'price', 12.5)) as lines",
            "select json_agg(json_build_object('n', 1, 'price', 12.50)) as lines",
            "select json_arrayagg(json_object('n', 1, 'price', 12.50)) as \"lines\"",
        ]);
        let sql = if database.kind == Kind::Mariadb { sql.replace('"', "`") } else { sql.to_owned() };
        let fields = json!({ "n": of_type("int"), "price": of_type("decimal(8,2)") });
        let lines = json!({ "info": "The lines", "type": "array<object>", "fields": fields });
        let handler = json!({ "sql": sql, "missing": false, "rows": "one" });
        let api = database.api(json!({ "order": method(json!({}), json!({ "lines": lines, }), handler) }));
        let price = json!({ "lines": [{ "n": 1, "price": "12.50" }] });
        assert_eq!(api.outputs("order.get", json!({})), price);
    });
}

#[test]
fn a_field_that_refuses_null_is_left_out() {
    for_each_database(|database| {
        let fields = json!({ "n": of_type("int"), "name": { "info": "A", "type": "?string", "nullable": false } });
        let rows = json!({ "info": "The rows", "type": "array<object>", "fields": fields });
        let sql = "select 1 as n, null as name union all select 2, name from author";
        let api = database.api(json!({ "list": method(json!({}), json!({ "rows": rows }), json!({ "sql": sql })) }));
        assert_eq!(api.outputs("list.get", json!({})), json!({ "rows": [{ "n": 1 }, { "n": 2, "name": "Ada" }] }));
    });
}

#[test]
fn a_row_that_the_outputs_cannot_express_undoes_the_statements_before_it() {
    for_each_database(|database| {
        let add =
            json!({ "sql": ["insert into author (id, name) values (7, 'Bo')", "select 99 as n"], "missing": false });
        let count = json!({ "sql": "select count(*) as n from author", "missing": false });
        let api = database.api(json!({
            "add": method(json!({}), json!({ "n": of_type("int(0,9)") }), add),
            "count": method(json!({}), json!({ "n": of_type("int") }), count),
        }));
        let (status, reason) = api.error("add.get", json!({}));
        assert!(status == 500 && reason.contains("the column `n` has a value that is not"), "{reason}");
        assert_eq!(api.outputs("count.get", json!({})), json!({ "n": 1 }));
    });
}

#[test]
fn a_value_that_a_part_of_a_statement_refuses_is_an_error_of_the_request() {
    for_each_database(|database| {
        let list = |r#type: &str, sql: &str| {
            let ids = json!({ "info": "The notes", "type": "array<id>" });
            method(json!({ "GET@v": of_type(r#type) }), json!({ "ids": ids }), json!({ "sql": sql }))
        };
        for (r#type, sql, value) in database.pick([
            vec![("string", "select id from note where json_extract('{}', :v) = 1", json!("["))],
            vec![
                ("string", "select id from author where name ~ :v", json!("(")),
                ("string", "select id from author where name like :v", json!("\\")),
                ("string", "select id from author where to_tsvector(name) @@ to_tsquery(:v)", json!("a b")),
                ("int", "select id from note limit :v", json!(-1)),
            ],
            vec![("string", "select id from author where name regexp :v", json!("("))],
        ]) {
            let api = database.api(json!({ "find": list(r#type, sql) }));
            assert_eq!(api.error("find.get", json!({ "v": value })).0, 400, "{sql}");
        }
    });
}

/// SQLite has no type for JSON.
#[test]
fn columns_of_json_keep_the_kinds_of_values() {
    for_each_database(|database| {
        let types: &[&str] =
            database.pick([&[], &["json", "jsonb", "document", "json[]", "jsonb[]", "document[]"], &["json"]]);
        let (mut tables, mut methods) =
            (database.pick(["", "create domain document as jsonb;", ""]).to_owned(), Map::new());
        for (index, column) in types.iter().enumerate() {
            tables.push_str(&format!("create table t{index} (v {column});"));
            let parameter = if column.ends_with("[]") { "array<any>" } else { "any" };
            let name = if column.ends_with("[]") { ":v" } else { ":json.v" };
            let set = method(
                json!({ "v": of_type(parameter) }),
                json!({}),
                json!({ "sql": format!("insert into t{index} values ({name})") }),
            );
            methods.insert(format!("set{index}"), json!({ "POST": set["GET"] }));
            let sql = format!("select v from t{index}");
            methods.insert(
                format!("get{index}"),
                method(
                    json!({}),
                    json!({ "v": of_type(parameter) }),
                    json!({ "sql": sql, "rows": "one", "missing": false }),
                ),
            );
            let clear = json!({ "sql": format!("delete from t{index}") });
            methods.insert(format!("clear{index}"), method(json!({}), json!({}), clear));
        }
        if types.is_empty() {
            return;
        }
        let api = database.api_with(json!({ "migrations": database.write_migration(&tables) }), Json::Object(methods));
        let values = json!(["x", "1", "null", "true", "", "a\"b\\", "{}", "{1,2}", 1, 1.5, -7, true, null, {}, { "a": null }, [], [1, "1"]]);
        for (index, column) in types.iter().enumerate() {
            let lists = json!([values, [], ["1"], [null], [[1]], [["1", null], ["x"]]]);
            for value in if column.ends_with("[]") { &lists } else { &values }.as_array().unwrap() {
                api.outputs(&format!("clear{index}.get"), json!({}));
                api.outputs(&format!("set{index}.post"), json!({ "v": value }));
                let found = api.outputs(&format!("get{index}.get"), json!({}));
                assert_eq!(found, json!({ "v": value }), "{column} of {:?}", database.kind);
            }
        }
    });
}
