//! What the checker finds in the tables beyond what a database rejects.

use rulebook::handler_kind::CheckContext;
use serde_json::{Value as Json, json};

use crate::databases::{Kind, TestApi, TestDatabase, check_definition, for_each_database, method, of_type};

/// Checks a method, and returns the report of its errors, or its warnings.
fn check(database: &TestDatabase, method: &Json) -> Result<String, String> {
    let server = match database.kind {
        Kind::Sqlite => String::new(),
        Kind::Postgres => std::env::var("TEST_POSTGRES").unwrap(),
        Kind::Mariadb => std::env::var("TEST_MARIADB").unwrap(),
    };
    let app = database.app(json!({}));
    let folder = tempfile::tempdir().unwrap();
    let context = CheckContext { folder: folder.path(), databases: &[server] };
    check_definition(database.folder.path(), &app, &json!({ "/": { "note": method } }), context)
}

fn list_of(fields: &Json, sql: &str) -> Json {
    let notes = json!({ "info": "The notes", "type": "array<object>", "fields": fields });
    method(json!({}), json!({ "notes": notes }), json!({ "sql": sql }))
}

#[test]
fn a_constraint_that_no_table_has_is_a_warning() {
    for_each_database(|database| {
        let insert = |settings: &Json| {
            let mut handler = json!({ "sql": "insert into note (title, stars) values (:title, :stars)" });
            handler.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
            method(json!({ "GET@title": of_type("?string"), "GET@stars": of_type("int") }), json!({}), handler)
        };
        let [unique, required] =
            database.pick([["note.title", "note.title"], ["note_title", "note.title"], ["note_title", "title"]]);
        let mut right = json!({ "on_unique": { unique: "taken" }, "on_not_null": { required: "missing" } });
        if database.kind != Kind::Sqlite {
            right["on_check"] = json!({ "stars_positive": "wrong" });
            right["on_foreign_key"] = json!({ "note_author": "missing" });
        }
        assert_eq!(check(database, &insert(&right)).unwrap(), "");
        for key in right.as_object().unwrap().keys() {
            let known = right[key].as_object().unwrap().keys().next().unwrap();
            let wrong = format!("{known}x");
            let error = check(database, &insert(&json!({ key: { &wrong: "wrong" } }))).unwrap();
            assert!(error.contains(&format!("`{wrong}`")), "{error}");
            assert!(error.contains(&format!("did you mean `{known}`?")), "{error}");
        }
        // The table of this database has no foreign key that a setting for all of them could mean.
        let other = json!({ "sql": "select 1 as n", "missing": false, "on_foreign_key": "missing" });
        let warned = check(database, &method(json!({}), json!({ "n": of_type("int") }), other)).unwrap();
        assert_eq!(warned, "");
    });
}

#[test]
fn an_insert_without_a_needed_value_and_a_conflict_without_an_index_are_errors() {
    for_each_database(|database| {
        let input = json!({ "GET@title": of_type("string"), "GET@stars": of_type("int") });
        let insert = |sql: &str| method(input.clone(), json!({}), json!({ "sql": sql, "on_unique": "taken" }));
        assert_eq!(check(database, &insert("insert into note (title, stars) values (:title, :stars)")).unwrap(), "");
        let sql = "insert into note (stars, meta) values (:stars, :title)";
        let error = check(database, &insert(sql)).unwrap_err();
        assert!(error.contains("`note.title` needs a value, which the statement does not give"), "{error}");
        for other in database.pick([
            vec!["insert into note as n (title, stars) values (:title, :stars)", "insert into note ([title], stars) values (:title, :stars)"],
            vec![
                "insert into public.note (\"title\", stars) values (:title, :stars)",
                "insert into note overriding system value values (:stars, :title)",
                "merge into note n using (select 1) as d on n.title = :title when matched then update set stars = :stars",
            ],
            vec!["insert into note set title = :title, stars = :stars", "insert ignore into note (`title`, stars) value (:title, :stars)"],
        ]) {
            assert_eq!(check(database, &insert(other)).as_deref(), Ok(""), "{other}");
        }
        if database.kind == Kind::Postgres {
            let upsert = |key: &str| {
                insert(&format!(
                    "insert into note (title, stars) values (:title, :stars) on conflict ({key}) do nothing"
                ))
            };
            assert_eq!(check(database, &upsert("title")).unwrap(), "");
            let error = check(database, &upsert("stars")).unwrap_err();
            assert!(error.contains("no unique index has exactly the columns of `on conflict (stars)`"), "{error}");
        }
    });
}

#[test]
fn a_column_can_have_any_name() {
    let Some(database) = crate::databases::POSTGRES.new_database() else { return };
    let folder = database.write_migration("create table odd (\",\" integer, id integer primary key)");
    let app = database.app(json!({ "migrations": folder }));
    let insert = "insert into odd (id) values (:id) on conflict (id) do nothing";
    let add = method(json!({ "GET@id": of_type("id") }), json!({}), json!({ "sql": insert }));
    let definition = json!({ "/": { "add": add } });
    TestApi::start(database.folder.path(), &app, &definition).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_column_that_can_be_null_beside_a_required_output_is_a_warning() {
    for_each_database(|database| {
        let required = json!({ "author_id": of_type("int") });
        let warned = check(database, &list_of(&required, "select author_id from note")).unwrap();
        assert!(warned.contains("the column `author_id` can be null, but the output cannot"), "{warned}");
        for (fields, sql) in [
            (json!({ "author_id": of_type("?int") }), "select author_id from note"),
            (required.clone(), "select author_id from note where author_id is not null"),
            (required.clone(), "select coalesce(author_id, 0) as author_id from note"),
            (json!({ "title": of_type("string") }), "select title from note"),
            (json!({ "id": of_type("id") }), "select id from note"),
            (required.clone(), "select author_id from note where author_id >= 1"),
            (required.clone(), "select n.author_id from note n join author a on a.id = n.author_id"),
            (required.clone(), "select coalesce(author_id, 0) author_id from note"),
        ] {
            assert_eq!(check(database, &list_of(&fields, sql)).unwrap(), "", "{sql}");
        }
    });
}

#[test]
fn a_domain_can_exclude_null() {
    let Some(database) = crate::databases::POSTGRES.new_database() else { return };
    let folder = database.write_migration(
        "create domain name_text as text not null;
         create domain code_text as text check (value is not null and value <> '');
         create table item (id integer primary key, name name_text, code code_text)",
    );
    let app = database.app(json!({ "migrations": folder }));
    let list = list_of(&json!({ "name": of_type("string"), "code": of_type("string") }), "select name, code from item");
    let folder = tempfile::tempdir().unwrap();
    let server = std::env::var("TEST_POSTGRES").unwrap();
    let context = CheckContext { folder: folder.path(), databases: &[server] };
    let checked = check_definition(database.folder.path(), &app, &json!({ "/": { "item": list } }), context);
    assert_eq!(checked.as_deref(), Ok(""));
}

#[test]
fn a_page_needs_a_unique_order_and_no_limit_of_its_own() {
    for_each_database(|database| {
        let page = |sql: &str, by: &str| {
            let fields = json!({ "id": of_type("id"), "title": of_type("string"), "stars": of_type("int") });
            let notes = json!({ "info": "The notes", "type": "array<object>", "fields": fields });
            let outputs = json!({ "notes": notes, "next": of_type("?string") });
            let cursor = json!({ "GET@cursor": of_type("?string") });
            method(cursor, outputs, json!({ "sql": sql, "page": { "by": by, "size": 2 } }))
        };
        let all = "select id, title, stars from note";
        for by in ["id", "stars, id", "title desc"] {
            assert_eq!(check(database, &page(all, by)).unwrap(), "", "{by}");
        }
        let same = "select id, title, stars from note where title = 'a'";
        assert_eq!(check(database, &page(same, "stars")).unwrap(), "");
        let renamed = "select stars as id, title, stars from note";
        assert!(check(database, &page(renamed, "id")).unwrap().contains("may have the same values in `id`"));
        let warned = check(database, &page(all, "stars")).unwrap();
        assert!(warned.contains("two rows of the page may have the same values in `stars`"), "{warned}");
        let grouped = "select stars, min(id) as id, min(title) as title from note group by stars";
        assert!(!check(database, &page(grouped, "stars")).unwrap().contains("two rows"));
        for (end, word) in [("order by stars", "order"), ("limit 5", "limit"), ("order by id limit 5", "order")] {
            let error = check(database, &page(&format!("{all} {end}"), "id")).unwrap_err();
            assert!(error.contains(&format!("the statement of a page has its own `{word}`")), "{error}");
        }
        // Columns can have these names.
        let named = database.pick(["offset", "\"offset\"", "`offset`"]);
        let named =
            format!("select id, title, stars as {named} from note").replace("stars as", "id as stars, stars as");
        let error = check(database, &page(&named, "id")).unwrap_err();
        assert!(error.contains("the column `offset` is not an output"), "{error}");
        let inner = "select id, title, stars from note where id in (select id from note order by id)";
        assert_eq!(check(database, &page(inner, "id")).unwrap(), "");
    });
}

#[test]
fn a_violation_without_an_error_is_a_warning() {
    for_each_database(|database| {
        let write = |sql: &str, settings: &Json| {
            let mut handler = json!({ "sql": sql });
            handler.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
            let input = json!({ "GET@title": of_type("string"), "GET@author": of_type("int") });
            check(database, &method(input, json!({}), handler)).unwrap()
        };
        let insert = "insert into note (title, author_id) values (:title, :author)";
        let warned = write(insert, &json!({}));
        assert!(warned.contains("`note.title` can get a value that another row has"), "{warned}");
        assert!(warned.contains("`note.author_id` can get a value without a row to which it refers"), "{warned}");
        let update = "update note set title = :title where author_id = :author";
        let warned = write(update, &json!({}));
        assert!(
            warned.contains("name an error of the method in `on_unique`") && !warned.contains("on_foreign_key"),
            "{warned}"
        );
        assert_eq!(write(insert, &json!({ "on_unique": "taken", "on_foreign_key": false })), "");
        // Only values of parameters can be any.
        for (sql, unused, warned) in [
            ("insert into note (title, author_id) values (lower(:title), null)", "author", ""),
            (
                "insert into note (title, author_id) values ('a', (select id from author where name = :title))",
                "author",
                "",
            ),
            ("update note set title = :title where title = :title", "author", ""),
            ("update note set author_id = author_id, stars = :author", "title", ""),
            ("update note set stars = stars - :author", "title", "a value that its `check` refuses"),
        ] {
            let found = write(sql, &json!({ "unused": [unused] }));
            assert!(found.contains(warned) && found.is_empty() == warned.is_empty(), "{sql}: {found}");
        }
        let checked = json!([{ "sql": "select id from author where id = :author", "missing": "missing" },
            "update note set author_id = :author"]);
        let input = json!({ "GET@author": of_type("int") });
        assert_eq!(check(database, &method(input, json!({}), json!({ "sql": checked }))).unwrap(), "");
        assert_eq!(write(update, &json!({ "on_unique": false })), "");
        let ignored = database.pick(["insert or ignore into", "insert into", "insert ignore into"]);
        let ending = database.pick(["", " on conflict do nothing", ""]);
        let ignored = insert.replace("insert into", ignored) + ending;
        assert_eq!(write(&ignored, &json!({})), "");
    });
}

#[test]
fn an_array_as_the_only_value_of_a_list_is_an_error() {
    for_each_database(|database| {
        let sql = database.pick([
            "select id from note where id in (:ids)",
            "select id from note where id = any(:ids)",
            "select id from note where id in ( :ids )",
        ]);
        let ids = json!({ "info": "The notes", "type": "array<id>" });
        let find = method(json!({ "GET@ids": of_type("array<id>") }), json!({ "ids": ids }), json!({ "sql": sql }));
        match (database.kind, check(database, &find)) {
            (Kind::Postgres, found) => assert_eq!(found.as_deref(), Ok("")),
            (_, found) => assert!(found.unwrap_err().contains("compares with the whole array")),
        }
    });
}

#[test]
fn a_text_in_double_quotes_is_a_warning_in_sqlite() {
    let database = TestDatabase::sqlite();
    let find = |sql: &str| check(&database, &list_of(&json!({ "id": of_type("id") }), sql)).unwrap();
    let warned = find("select id from note where \"title\" = \"Milk\"");
    assert!(warned.contains("`\"Milk\"` is no column") && warned.contains("`'Milk'`"), "{warned}");
    assert_eq!(find("select \"id\" from \"note\" where title = 'Milk'"), "");
}
