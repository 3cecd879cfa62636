//! Parts of statements that a parameter chooses.

use serde_json::{Value as Json, json};

use crate::databases::{TestApi, TestDatabase, for_each_database, method, of_type};

fn fill(api: &TestApi) {
    for (title, stars) in [("b", 1), ("a", 3), ("c", 2)] {
        api.outputs("add.get", json!({ "title": title, "stars": stars }));
    }
}

fn methods(list: Json) -> Json {
    json!({
        "add": method(
            json!({ "GET@title": of_type("string"), "GET@stars": of_type("int") }),
            json!({}),
            json!({ "sql": "insert into note (title, stars) values (:title, :stars)" }),
        ),
        "list": list,
    })
}

#[test]
fn a_parameter_chooses_the_order_and_a_filter() {
    for_each_database(|database| {
        let api = database.api(methods(method(
            json!({
                "GET@order": { "info": "The order", "type": "enum(title|-title|stars)", "default": "title" },
                "GET@only": of_type("?enum(best|titled)"), "GET@title": of_type("?string")
            }),
            json!({ "*": of_type("array<string>") }),
            json!({
                "sql": "select title from note where stars > 0 /* only */ order by /*order*/",
                "choose": {
                    "order": { "title": "title", "-title": "title desc, id", "stars": "stars, id" },
                    "only": { "best": "and stars > 1", "titled": "and title = :title" }
                }
            }),
        )));
        fill(&api);
        for (arguments, titles) in [
            (json!({}), json!(["a", "b", "c"])),
            (json!({ "order": "-title" }), json!(["c", "b", "a"])),
            (json!({ "order": "stars" }), json!(["b", "c", "a"])),
            (json!({ "order": "stars", "only": "best" }), json!(["c", "a"])),
            (json!({ "order": "-title", "only": "titled", "title": "b" }), json!(["b"])),
            (json!({ "only": "best" }), json!(["a", "c"])),
        ] {
            assert_eq!(api.outputs("list.get", arguments.clone()), titles, "{arguments}");
        }
        assert_eq!(api.error("list.get", json!({ "order": "id" })).0, 400);
    });
}

#[test]
fn errors_of_choices_are_reported() {
    let database = TestDatabase::sqlite();
    let words = |count: usize| (0..count).map(|word| format!("w{word}")).collect::<Vec<_>>();
    let many: serde_json::Map<String, Json> = words(9).into_iter().map(|word| (word, json!("id"))).collect();
    let sql = "select title from note order by /*order*/";
    for (choose, sql, message) in [
        (json!({ "ordr": {} }), sql, "did you mean `order`?"),
        (json!({ "title": {} }), sql, "`title` chooses a part of a statement, so that it must be an `enum`"),
        (
            json!({ "order": { "id": "id" } }),
            sql,
            "`order` can be `stars`, for which there is no part of the statement",
        ),
        (json!({ "order": { "id": "id", "stras": "stars" } }), sql, "did you mean `stars`?"),
        (json!({ "order": { "id": "id", "stars": 7 } }), sql, "`stars` must be a part of a statement, as a string"),
        (json!({ "order": { "id": "id", "stars": "starz" } }), sql, "no such column: starz"),
        (json!({ "order": { "id": "id", "stars": "starz" } }), sql, "this is the statement if `order` is `stars`"),
        (
            json!({ "order": { "id": "id", "stars": "stars" } }),
            "select title from note",
            "no statement contains `/*order*/`",
        ),
        (
            json!({ "filter": { "id": "where id > 1" } }),
            "select title from note limit 1 /*filter*/",
            "this is the statement if `filter` is `id`",
        ),
        (
            json!({ "one": many, "two": many }),
            "select title from note order by /*one*/, /*two*/",
            "more than 64 combinations",
        ),
    ] {
        let nine = format!("enum({})", words(9).join("|"));
        let input = json!({ "GET@order": of_type("enum(id|stars)"), "GET@title": of_type("?string"),
            "GET@filter": of_type("?enum(id)"), "GET@one": of_type(&nine), "GET@two": of_type(&nine) });
        let names = ["order", "title", "filter", "one", "two"];
        let unused: Vec<_> = names.into_iter().filter(|name| choose.get(name).is_none()).collect();
        let handler = json!({ "sql": sql, "choose": choose, "unused": unused });
        let list = method(input, json!({ "*": of_type("array<string>") }), handler);
        let migrations =
            database.write_migration("create table note (id integer primary key, title text, stars integer)");
        let app = json!({ "handlers": { "sql": { "url": database.url, "migrations": migrations } } });
        let error = TestApi::start(database.folder.path(), &app, &json!({ "/": { "note": list } })).err().unwrap();
        assert!(error.contains(message), "{message}: {error}");
    }
}
