//! Violations of constraints, and transactions.

use serde_json::json;

use crate::databases::{TestApi, TestDatabase, for_each_database, method, of_type};

fn api(database: &TestDatabase) -> TestApi {
    let insert = "insert into note (title, stars, author_id) values (:title, :stars, :author)";
    let input = || {
        json!({ "GET@title": of_type("?string"), "GET@stars": { "info": "Stars", "type": "int", "default": 0 },
                "GET@author": of_type("?int") })
    };
    let unique = database.pick(["note.title", "note_title", "note_title"]);
    let another = database.pick(["author.id", "author_pkey", "PRIMARY"]);
    let required = database.pick(["note.title", "note.title", "title"]);
    let insert_with = |settings: serde_json::Value| {
        let mut handler = json!({ "sql": insert });
        handler.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        method(input(), json!({}), handler)
    };
    database.api(json!({
        "plain": insert_with(json!({})),
        "all": insert_with(json!({ "on_unique": "taken", "on_foreign_key": "missing", "on_check": "wrong",
                                   "on_not_null": "wrong" })),
        "named": insert_with(json!({ "on_unique": { unique: "taken" }, "on_check": { "stars_positive": "wrong" },
                                     "on_not_null": { required: "missing" } })),
        "other": insert_with(json!({ "on_unique": { another: "taken" } })),
        "twice": method(json!({ "GET@title": of_type("string"), "GET@author": of_type("int") }), json!({}), json!({
            "sql": [
                "insert into author (id, name) values (:author, :title)",
                "insert into note (title, author_id) values (:title, :author)"
            ],
            "on_unique": "taken"
        })),
        "rename": method(
            json!({ "GET@id": of_type("int"), "GET@title": of_type("string") }),
            json!({ "title": of_type("string"), "name": of_type("string") }),
            json!({ "sql": [
                { "sql": "update note set title = :title where id = :id", "missing": "missing" },
                "update author set name = :title",
                "select title, name from note join author on author.id = note.author_id where note.id = :id",
                "update note set stars = stars + 1 where id = :id"
            ] }),
        ),
        "counts": method(json!({}), json!({ "notes": of_type("int"), "authors": of_type("int") }),
            json!({ "sql": "select (select count(*) from note) as notes, (select count(*) from author) as authors",
                    "missing": false })),
        "names": method(json!({}), json!({ "*": of_type("array<string>") }), json!({ "sql": "select name from author" })),
    }))
}

#[test]
fn violations_of_constraints_are_declared_errors() {
    for_each_database(|database| {
        let api = api(database);
        let status = |method: &str, arguments| api.call(method, arguments).status();
        assert_eq!(status("all.get", json!({ "title": "a" })), 200);
        assert_eq!(status("all.get", json!({ "title": "a" })), 409);
        assert_eq!(status("all.get", json!({ "title": "b", "author": 9 })), 404);
        assert_eq!(status("all.get", json!({ "title": "c", "stars": -1 })), 422);
        assert_eq!(status("all.get", json!({})), 422);
        assert_eq!(status("named.get", json!({ "title": "a" })), 409);
        assert_eq!(status("named.get", json!({ "title": "d", "stars": -1 })), 422);
        assert_eq!(status("named.get", json!({})), 404);
        assert_eq!(api.outputs("counts.get", json!({})), json!({ "notes": 1, "authors": 1 }));
        let (status, reason) = api.error("plain.get", json!({}));
        let required = database.pick(["note.title", "note.title", "title"]);
        assert!(status == 500 && reason.ends_with(&format!("NotNullViolation: {required}")), "{reason}");
    });
}

#[test]
fn other_violations_are_internal_errors_without_values_in_the_log() {
    for_each_database(|database| {
        let api = api(database);
        api.outputs("plain.get", json!({ "title": "secret" }));
        for method in ["plain.get", "other.get"] {
            let (status, reason) = api.error(method, json!({ "title": "secret" }));
            assert_eq!(status, 500);
            assert!(reason.contains("UniqueViolation") && !reason.contains("secret"), "{reason}");
        }
    });
}

#[test]
fn statements_of_a_list_are_one_transaction() {
    for_each_database(|database| {
        let api = api(database);
        api.outputs("twice.get", json!({ "title": "a", "author": 5 }));
        assert_eq!(api.outputs("counts.get", json!({})), json!({ "notes": 1, "authors": 2 }));
        // The second statement fails, so that the first one has no effect.
        assert_eq!(api.call("twice.get", json!({ "title": "a", "author": 6 })).status(), 409);
        assert_eq!(api.outputs("counts.get", json!({})), json!({ "notes": 1, "authors": 2 }));
        api.outputs("twice.get", json!({ "title": "b", "author": 6 }));
    });
}

#[test]
fn the_outputs_of_a_list_come_from_its_last_selection() {
    for_each_database(|database| {
        let api = api(database);
        api.outputs("plain.get", json!({ "title": "a", "author": 1 }));
        let renamed = json!({ "title": "b", "name": "b" });
        assert_eq!(api.outputs("rename.get", json!({ "id": 1, "title": "b" })), renamed);
        // No row has this id, so that the name of the author stays.
        assert_eq!(api.call("rename.get", json!({ "id": 7, "title": "c" })).status(), 404);
        assert_eq!(api.outputs("names.get", json!({})), json!(["b"]));
    });
}
