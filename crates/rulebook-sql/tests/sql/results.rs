//! Rows become outputs.

use serde_json::json;

use crate::databases::{TestApi, TestDatabase, for_each_database, method, of_type};

const ADD: &str = "insert into note (title, stars, done) values (:title, :stars, :done) returning id";

fn notes(database: &TestDatabase) -> TestApi {
    database.api(json!({
        "add": method(
            json!({ "GET@title": of_type("string"), "GET@stars": { "info": "Stars", "type": "int", "default": 0 },
                    "GET@done": { "info": "Done", "type": "bool", "default": false } }),
            json!({ "id": of_type("int") }),
            json!({ "sql": ADD }),
        ),
        "read": method(
            json!({ "GET@id": of_type("int") }),
            json!({ "id": of_type("int"), "title": of_type("string"), "done": of_type("bool"),
                    "price": of_type("?float") }),
            json!({ "sql": "select id, title, done, price from note where id = :id", "missing": "missing" }),
        ),
        "list": method(
            json!({ "GET@from": { "info": "The first row", "type": "int(0,1000)", "default": 0 },
                    "GET@title": of_type("?string") }),
            json!({ "notes": { "info": "The notes", "type": "array<object>",
                "fields": { "id": of_type("int"), "title": of_type("string") } } }),
            json!({ "sql": "select id, title from note where (:title is null or title = :title) \
                            order by id limit 2 offset :from" }),
        ),
        "titles": method(json!({}), json!({ "*": of_type("array<string>") }),
            json!({ "sql": "select title from note order by title" })),
        "whole": method(
            json!({ "GET@id": of_type("int") }),
            json!({ "*": { "info": "A note", "type": "object",
                "fields": { "title": of_type("string"), "done": of_type("bool") } } }),
            json!({ "sql": "select title, done from note where id = :id", "missing": "missing" }),
        ),
        "count": method(json!({}), json!({ "*": of_type("int") }),
            json!({ "sql": "select count(*) from note", "rows": "one", "missing": false })),
        "remove": method(json!({ "GET@id": of_type("int") }), json!({}),
            json!({ "sql": "delete from note where id = :id", "missing": "missing" })),
        "clear": method(json!({}), json!({}), json!({ "sql": "delete from note" })),
        "some": method(json!({}), json!({ "*": of_type("array<string>") }),
            json!({ "sql": "select title from note", "missing": "missing" })),
    }))
}

#[test]
fn rows_become_outputs() {
    for_each_database(|database| {
        let api = notes(database);
        assert_eq!(api.outputs("add.get", json!({ "title": "One", "done": true })), json!({ "id": 1 }));
        assert_eq!(api.outputs("add.get", json!({ "title": "Two", "stars": 3 })), json!({ "id": 2 }));
        assert_eq!(api.outputs("add.get", json!({ "title": "Three" })), json!({ "id": 3 }));
        let one = json!({ "id": 1, "title": "One", "done": true, "price": null });
        assert_eq!(api.outputs("read.get", json!({ "id": 1 })), one);
        assert_eq!(api.outputs("whole.get", json!({ "id": 2 })), json!({ "title": "Two", "done": false }));
        assert_eq!(api.outputs("titles.get", json!({})), json!(["One", "Three", "Two"]));
        assert_eq!(api.outputs("count.get", json!({})), json!(3));
    });
}

#[test]
fn pages_and_optional_filters_are_parameters() {
    for_each_database(|database| {
        let api = notes(database);
        for title in ["One", "Two", "Three"] {
            api.outputs("add.get", json!({ "title": title }));
        }
        let (one, two, three) =
            (json!({"id": 1, "title": "One"}), json!({"id": 2, "title": "Two"}), json!({"id": 3, "title": "Three"}));
        assert_eq!(api.outputs("list.get", json!({})), json!({ "notes": [one, two] }));
        assert_eq!(api.outputs("list.get", json!({ "from": 1 })), json!({ "notes": [two, three] }));
        assert_eq!(api.outputs("list.get", json!({ "from": 9 })), json!({ "notes": [] }));
        assert_eq!(api.outputs("list.get", json!({ "title": "Three" })), json!({ "notes": [three] }));
    });
}

#[test]
fn a_missing_row_is_the_declared_error() {
    for_each_database(|database| {
        let api = notes(database);
        for (method, id) in [("read.get", 7), ("whole.get", 7), ("remove.get", 7)] {
            let response = api.call(method, json!({ "id": id }));
            assert_eq!(response.status(), 404, "{method} {response:?}");
        }
        // A number that no column of this size can contain is not the id of a row.
        assert_eq!(api.call("read.get", json!({ "id": 5_000_000_000_i64 })).status(), 404);
        assert_eq!(api.call("some.get", json!({})).status(), 404);
        assert_eq!(api.outputs("clear.get", json!({})), json!({}));
        api.outputs("add.get", json!({ "title": "One" }));
        assert_eq!(api.outputs("remove.get", json!({ "id": 1 })), json!({}));
        assert_eq!(api.outputs("count.get", json!({})), json!(0));
    });
}

#[test]
fn an_unexpected_number_of_rows_is_an_internal_error() {
    for_each_database(|database| {
        let api = database.api(json!({
            "none": method(json!({}), json!({ "n": of_type("int") }),
                json!({ "sql": "select id as n from note", "missing": false })),
            "two": method(json!({}), json!({ "n": of_type("int") }),
                json!({ "sql": "select 1 as n union all select 2", "missing": false })),
        }));
        let (status, reason) = api.error("none.get", json!({}));
        assert!(status == 500 && reason.contains("returned no row"), "{reason}");
        let (status, reason) = api.error("two.get", json!({}));
        assert!(status == 500 && reason.contains("more than one row"), "{reason}");
    });
}

#[test]
fn several_databases_are_used_by_their_names() {
    let database = TestDatabase::sqlite();
    let migrations = database.write_migration("create table entry (line text not null);");
    let app = json!({ "handlers": { "sql": { "databases": {
        "main": { "url": "sqlite:main.db" },
        "log": { "url": "${RULEBOOK_TEST_UNSET:-sqlite:log.db}", "migrations": migrations }
    } } } });
    let definition = json!({ "/": {
        "write": method(json!({ "GET@line": of_type("string") }), json!({}),
            json!({ "sql": "insert into entry (line) values (:line)", "database": "log" })),
        "tables": method(json!({}), json!({ "*": of_type("int") }),
            json!({ "sql": "select count(*) from sqlite_master", "rows": "one", "missing": false }))
    } });
    let api = TestApi::start(database.folder.path(), &app, &definition).unwrap();
    api.outputs("write.get", json!({ "line": "a" }));
    assert_eq!(api.outputs("tables.get", json!({})), json!(0));
    assert!(database.folder.path().join("data/log.db").exists());
}
