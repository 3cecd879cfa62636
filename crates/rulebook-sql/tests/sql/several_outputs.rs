//! Outputs from several statements, and the id of an inserted row.

use serde_json::{Value as Json, json};

use crate::databases::{Kind, TestApi, TestDatabase, for_each_database, method, of_type};

fn notes_type() -> Json {
    json!({ "info": "The notes", "type": "array<object>", "fields": { "id": of_type("int"), "title": of_type("string") } })
}

fn api(database: &TestDatabase) -> TestApi {
    let first = json!({ "info": "The first note", "type": "object", "fields": { "title": of_type("string") } });
    let returning = database.pick(["", " returning id", ""]);
    database.api(json!({
        "add": method(
            json!({ "GET@title": of_type("string"), "GET@author": of_type("int") }),
            json!({ "note": { "info": "The note", "type": "object", "fields": { "id": of_type("int"), "title": of_type("string") } },
                    "files": of_type("int") }),
            json!({ "sql": [
                format!("insert into note (title) values (:title){returning}"),
                "insert into author (id, name) values (:author, 'x')",
                "insert into attachment (id, size) values (:inserted, 3)",
                { "sql": "select id, title from note where id = :inserted", "output": "note", "missing": false },
                { "sql": "select count(*) from attachment", "output": "files", "missing": false },
            ] }),
        ),
        "returned": method(
            json!({ "GET@title": of_type("string") }),
            json!({ "id": of_type("int") }),
            json!({ "sql": [
                "insert into note (title) values (:title) returning id",
                "insert into attachment (id, size) values (:inserted, 3)",
            ] }),
        ),
        "attached": method(json!({}), json!({ "*": of_type("array<int>") }),
            json!({ "sql": "select id from attachment order by id" })),
        "list": method(
            json!({ "GET@title": of_type("?string") }),
            json!({ "notes": notes_type(), "total": of_type("int"), "first": first, "best": of_type("?string") }),
            json!({
                "sql": {
                    "notes": "select id, title from note where :title is null or title = :title order by id",
                    "total": { "sql": "select count(*) from note", "missing": false },
                    "first": "select title from note order by id limit 1",
                    "best": "select title from note where stars > 5"
                },
                "missing": "missing"
            }),
        ),
    }))
}

#[test]
fn each_output_can_have_a_statement() {
    for_each_database(|database| {
        let api = api(database);
        assert_eq!(api.error("list.get", json!({})).0, 404);
        api.outputs("returned.get", json!({ "title": "One" }));
        api.outputs("returned.get", json!({ "title": "Two" }));
        let (one, two) = (json!({ "id": 1, "title": "One" }), json!({ "id": 2, "title": "Two" }));
        let first = json!({ "title": "One" });
        assert_eq!(
            api.outputs("list.get", json!({})),
            json!({ "notes": [one, two], "total": 2, "first": first, "best": null })
        );
        // An empty list beside other outputs is no error.
        assert_eq!(api.outputs("list.get", json!({ "title": "x" }))["notes"], json!([]));
    });
}

#[test]
fn the_id_of_an_inserted_row_is_a_value_of_later_statements() {
    for_each_database(|database| {
        let api = api(database);
        api.outputs("returned.get", json!({ "title": "One" }));
        let added = api.outputs("add.get", json!({ "title": "Two", "author": 40 }));
        assert_eq!(added, json!({ "note": { "id": 2, "title": "Two" }, "files": 2 }));
        assert_eq!(api.outputs("attached.get", json!({})), json!([1, 2]));
    });
}

#[test]
fn the_statements_of_outputs_see_one_state() {
    let database = TestDatabase::sqlite();
    let count = "select count(*) from note";
    let api = database.api(json!({
        "counts": method(json!({}), json!({ "one": of_type("int"), "two": of_type("int") }), json!({
            "sql": { "one": count, "two": format!("with recursive n(i) as (select 1 union all select i + 1 from n where \
                                                   i < 20000) select count(*) from n, note where i = 1") },
            "missing": false
        })),
        "add": method(json!({ "GET@title": of_type("string") }), json!({}),
            json!({ "sql": "insert into note (title) values (:title)" })),
    }));
    let adding = async {
        for title in 0..30 {
            let response = api.started_call("add.get", json!({ "title": title.to_string() })).await;
            assert_eq!(response.status(), 200);
        }
    };
    let counting = async {
        for _ in 0..30 {
            let outputs = api.started_call("counts.get", json!({})).await.outputs().unwrap().clone();
            assert_eq!(outputs["one"], outputs["two"]);
        }
    };
    api.runtime.block_on(futures_util::future::join(adding, counting));
}

#[test]
fn errors_of_named_outputs_are_reported() {
    let database = TestDatabase::sqlite();
    let (list, total) = ("select 1 as id, 'x' as title", "select 1");
    for (handler, message) in [
        (json!({ "sql": { "note": list, "total": total } }), "did you mean `notes`?"),
        (json!({ "sql": { "notes": list } }), "no statement has the output `total`"),
        (json!({ "sql": { "notes": list, "total": total }, "rows": "many" }), "remove `rows`"),
        (
            json!({ "sql": { "notes": list, "total": "select count(*) from sqlite_master" } }),
            "the handler has no `missing`",
        ),
        (json!({ "sql": { "notes": list, "total": "select 1, 2" } }), "needs exactly one column"),
        (json!({ "sql": { "notes": "select 1 as id", "total": total } }), "the output `title` has no column"),
        (json!({ "sql": { "notes": "create table t (id int)", "total": total } }), "the statement returns no rows"),
        (
            json!({ "sql": [{ "sql": list, "output": "notes" }, { "sql": list, "output": "notes" }] }),
            "two statements have the output `notes`",
        ),
        (json!({ "sql": {} }), "the list of statements is empty"),
    ] {
        let outputs = json!({ "notes": notes_type(), "total": of_type("int") });
        let methods = json!({ "/": { "note": method(json!({}), outputs, handler) } });
        let app = json!({ "handlers": { "sql": { "url": database.url } } });
        let error = TestApi::start(database.folder.path(), &app, &methods).err().unwrap();
        assert!(error.contains(message), "{message}: {error}");
    }
}

#[test]
fn postgresql_needs_a_returned_id() {
    for_each_database(|database| {
        if database.kind != Kind::Postgres {
            return;
        }
        let sql = ["insert into note (title) values ('x')", "update note set stars = 1 where id = :inserted"];
        let methods = json!({ "/": { "note": method(json!({}), json!({}), json!({ "sql": sql })) } });
        let app = json!({ "handlers": { "sql": { "url": database.url } } });
        let error = TestApi::start(database.folder.path(), &app, &methods).err().unwrap();
        assert!(error.contains("add `returning id` to the `insert`"), "{error}");
    });
}
