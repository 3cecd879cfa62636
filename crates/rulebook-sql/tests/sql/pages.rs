//! Pages of a list with cursors.

use serde_json::{Value as Json, json};

use crate::databases::{TestApi, TestDatabase, for_each_database, method, of_type};

fn note_type() -> Json {
    json!({ "info": "The notes", "type": "array<object>", "fields": {
        "id": of_type("int"), "title": of_type("string"), "stars": of_type("int"), "price": of_type("float"),
        "created": of_type("datetime")
    } })
}

fn outputs() -> Json {
    json!({ "notes": note_type(), "total": of_type("?int"), "next": of_type("?string") })
}

fn input() -> Json {
    json!({
        "GET@order": { "info": "The order", "type": "enum(new|price|stars)", "default": "new" },
        "GET@limit": { "info": "The size", "type": "int(1,50)", "default": 2 },
        "GET@cursor": of_type("?string"),
        "GET@title": of_type("?string"),
    })
}

fn api(database: &TestDatabase) -> TestApi {
    let created = database.pick(["text", "timestamptz", "datetime(6)"]);
    let tables = format!(
        "create table item (id integer primary key, title varchar(20) not null, stars integer not null,
             price decimal(10, 2) not null, created {created} not null);"
    );
    let select = "select id, title, stars, price, created from item where :title is null or title = :title";
    let order = json!({ "new": "created desc", "price": "price, title desc", "stars": "stars desc" });
    let migrations = database.write_migration(&tables);
    database.api_with(json!({ "migrations": migrations }), json!({
        "add": method(
            json!({ "GET@id": of_type("int"), "GET@title": of_type("string"), "GET@stars": of_type("int"),
                    "GET@price": of_type("float"), "GET@created": of_type("datetime") }),
            json!({}),
            json!({ "sql": "insert into item (id, title, stars, price, created) values (:id, :title, :stars, :price, :created)" }),
        ),
        "list": method(input(), outputs(), json!({
            "sql": { "notes": format!("{select}; -- all"), "total": "select count(*) from item" },
            "choose": { "order": order },
            "page": { "by": "/*order*/, id", "size": "limit" },
        })),
        "all": method(input(), outputs(), json!({
            "sql": select, "page": { "by": "title, id desc", "size": 3 }, "unused": ["order", "limit"]
        })),
    }))
}

fn fill(api: &TestApi) {
    for id in 1..=7 {
        let created = format!("2026-05-17T14:30:0{}.25Z", id % 3);
        api.outputs(
            "add.get",
            json!({ "id": id, "title": format!("t{}", id % 2), "stars": id % 4,
                                       "price": f64::from(id % 3) + 0.1, "created": created }),
        );
    }
}

/// Returns the ids of the notes of all pages, and checks the size of each.
fn ids(api: &TestApi, method: &str, mut arguments: Json, size: usize) -> Vec<i64> {
    let mut ids = Vec::new();
    loop {
        let outputs = api.outputs(method, arguments.clone());
        let notes = outputs["notes"].as_array().unwrap();
        ids.extend(notes.iter().map(|note| note["id"].as_i64().unwrap()));
        match &outputs["next"] {
            Json::Null => return ids,
            next => {
                assert_eq!(notes.len(), size);
                arguments["cursor"] = next.clone();
            }
        }
    }
}

#[test]
fn pages_have_all_rows_in_the_order() {
    for_each_database(|database| {
        let api = api(database);
        assert_eq!(ids(&api, "list.get", json!({}), 2), [0; 0]);
        fill(&api);
        assert_eq!(ids(&api, "list.get", json!({}), 2), [2, 5, 1, 4, 7, 3, 6]);
        assert_eq!(ids(&api, "list.get", json!({ "order": "price" }), 2), [3, 6, 1, 7, 4, 5, 2]);
        assert_eq!(ids(&api, "list.get", json!({ "order": "stars", "limit": 3 }), 3), [3, 7, 2, 6, 1, 5, 4]);
        assert_eq!(ids(&api, "list.get", json!({ "limit": 7 }), 7), [2, 5, 1, 4, 7, 3, 6]);
        assert_eq!(ids(&api, "list.get", json!({ "title": "t1" }), 2), [5, 1, 7, 3]);
        assert_eq!(ids(&api, "all.get", json!({}), 3), [6, 4, 2, 7, 5, 3, 1]);
        assert_eq!(api.outputs("list.get", json!({}))["total"], json!(7));
    });
}

#[test]
fn rows_that_are_added_move_no_row_to_another_page() {
    let database = TestDatabase::sqlite();
    let api = api(&database);
    fill(&api);
    let next = api.outputs("list.get", json!({ "order": "stars" }))["next"].clone();
    api.outputs("add.get", json!({ "id": 9, "title": "x", "stars": 9, "price": 1, "created": "2026-05-17T14:30:00Z" }));
    let second = api.outputs("list.get", json!({ "order": "stars", "cursor": next }));
    assert_eq!(second["notes"][0]["id"], json!(2));
}

#[test]
fn a_cursor_is_valid_only_for_its_method_and_order() {
    let database = TestDatabase::sqlite();
    let api = api(&database);
    fill(&api);
    let next = api.outputs("list.get", json!({}))["next"].as_str().unwrap().to_owned();
    let changed: String = next.chars().rev().collect();
    for (method, arguments) in [
        ("list.get", json!({ "cursor": next, "order": "price" })),
        ("all.get", json!({ "cursor": next })),
        ("list.get", json!({ "cursor": changed })),
        ("list.get", json!({ "cursor": "x" })),
        ("list.get", json!({ "cursor": "" })),
    ] {
        let response = api.call(method, arguments.clone());
        let error = format!("{:?}", response.error());
        assert!(response.status() == 400 && error.contains("\"cursor\""), "{arguments}: {error}");
        assert!(error.contains("the `next` of a response with the same order"), "{error}");
    }
    assert_eq!(api.call("list.get", json!({ "cursor": next, "limit": 5 })).status(), 200);
}

#[test]
fn servers_with_the_same_key_accept_the_cursors_of_each_other() {
    let key = "0123456789abcdef0123456789abcdef";
    let started = |key: Option<&str>| {
        let database = TestDatabase::sqlite();
        let migrations =
            database.write_migration("create table item (id integer primary key); insert into item values (1), (2)");
        let mut settings = json!({ "migrations": migrations });
        if let Some(key) = key {
            settings["page_key"] = key.into();
        }
        let handler = json!({ "sql": "select id from item", "page": { "by": "id", "size": 1 } });
        let outputs = json!({ "ids": of_type("array<int>"), "next": of_type("?string") });
        let api = database.api_with(
            settings,
            json!({ "ids": method(json!({ "GET@cursor": of_type("?string") }), outputs, handler) }),
        );
        (api, database)
    };
    let servers = [started(Some(key)), started(Some(key)), started(None)];
    let first = servers[0].0.outputs("ids.get", json!({}));
    let statuses = servers.each_ref().map(|(api, _)| api.call("ids.get", json!({ "cursor": first["next"] })).status());
    assert_eq!((&first["ids"], statuses), (&json!([1]), [200, 200, 400]));

    let database = TestDatabase::sqlite();
    let methods =
        json!({ "/": { "ids": method(json!({}), json!({ "*": of_type("int") }), json!({ "sql": "select 1" })) } });
    let app = json!({ "handlers": { "sql": { "url": database.url, "page_key": "short and secret" } } });
    let error = TestApi::start(database.folder.path(), &app, &methods).err().unwrap();
    assert!(error.contains("`page_key` has less than 32 characters") && !error.contains("secret"), "{error}");
}

#[test]
fn a_page_that_would_lose_a_row_is_an_error() {
    for_each_database(|database| {
        let migrations = database.write_migration(
            "create table item (id integer primary key, stars integer not null);
             insert into item values (1, 5), (2, 7), (3, 7), (4, 8)",
        );
        let handler = json!({ "sql": "select id, stars from item", "page": { "by": "stars", "size": "limit" } });
        let input = json!({ "GET@limit": of_type("int(1,50)"), "GET@cursor": of_type("?string") });
        let fields = json!({ "id": of_type("int"), "stars": of_type("int") });
        let items = json!({ "info": "The items", "type": "array<object>", "fields": fields });
        let outputs = json!({ "items": items, "next": of_type("?string") });
        let api =
            database.api_with(json!({ "migrations": migrations }), json!({ "list": method(input, outputs, handler) }));
        let statuses = [1, 2, 3, 4].map(|limit| api.call("list.get", json!({ "limit": limit })).status());
        assert_eq!(statuses, [200, 500, 200, 200]);
        let error = format!("{:?}", api.call("list.get", json!({ "limit": 2 })).error());
        assert!(error.contains("two rows have the same values") && error.contains("`stars`"), "{error}");
    });
}

/// Such values would become others in a cursor, so that rows would be lost, or pages would never end.
#[test]
fn a_value_that_no_cursor_can_contain_is_an_error() {
    for_each_database(|database| {
        let columns = database.pick([
            vec![("real", "?float", "1e999"), ("text", "?string", "x'ff'")],
            vec![
                ("double precision", "?float", "'NaN'"),
                ("numeric", "?string", "'Infinity'"),
                ("date", "?string", "'0044-03-15 BC'"),
            ],
            vec![("varbinary(9)", "?string", "x'ff'")],
        ]);
        let table = |(number, (r#type, _, value)): (usize, &(&str, &str, &str))| {
            format!(
                "create table item{number} (id integer primary key, v {type});
                 insert into item{number} values (1, {value}), (2, {value}), (3, {value});"
            )
        };
        let migrations = database.write_migration(&columns.iter().enumerate().map(table).collect::<String>());
        let app = database.app(json!({ "migrations": migrations }));
        for (number, (r#type, output, _)) in columns.iter().enumerate() {
            let sql = format!("select id, v from item{number}");
            let handler = json!({ "sql": sql, "page": { "by": "v, id", "size": 1 } });
            let fields = json!({ "id": of_type("int"), "v": of_type(output) });
            let items = json!({ "info": "The items", "type": "array<object>", "fields": fields });
            let outputs = json!({ "items": items, "next": of_type("?string") });
            let list = method(json!({ "GET@cursor": of_type("?string") }), outputs, handler);
            // Some columns order no pages.
            if let Ok(api) = TestApi::start(database.folder.path(), &app, &json!({ "/": { "list": list } })) {
                let (status, reason) = api.error("list.get", json!({}));
                assert!(status == 500 && reason.contains("cannot order the rows of pages"), "{type}: {reason}");
            }
        }
    });
}

#[test]
fn errors_of_pages_are_reported() {
    let database = TestDatabase::sqlite();
    let notes = "select id, title, 1 as stars, 1.5 as price, 'x' as created from item";
    for (page, sql, message) in [
        (json!({ "by": "id", "size": 5, "sise": 1 }), json!(notes), "did you mean `size`?"),
        (json!({ "size": 5 }), json!(notes), "`page` has no `by`"),
        (json!({ "by": "id" }), json!(notes), "`page` has no `size`"),
        (json!({ "by": "idd", "size": 5 }), json!(notes), "idd"),
        (json!({ "by": "lower(title)", "size": 5 }), json!(notes), "`lower(title)` is not a column that orders pages"),
        (json!({ "by": "", "size": 5 }), json!(notes), "the rows of pages have no order"),
        (
            json!({ "by": "id", "size": "title" }),
            json!(notes),
            "`title` is not always a number of rows from 1 to 10000",
        ),
        (json!({ "by": "id", "size": 5, "cursor": "limit" }), json!(notes), "`limit` is the cursor of a page"),
        (json!({ "by": "id", "size": 5, "total": "count" }), json!(notes), "the method has no output `count`"),
        (
            json!({ "by": "id", "size": 5, "next": "total" }),
            json!(notes),
            "the method has no output `total` of the type",
        ),
        (json!({ "by": "id", "size": 5 }), json!({ "total": "select 1" }), "no statement has the output `notes`"),
    ] {
        let migrations = database.write_migration("create table item (id integer primary key, title text)");
        let app = json!({ "handlers": { "sql": { "url": database.url, "migrations": migrations } } });
        let mut outputs = outputs();
        outputs["notes"]["fields"]["created"] = of_type("?datetime");
        let list = method(
            input(),
            outputs,
            json!({
                "sql": sql, "page": page, "unused": ["order", "limit", "title"]
            }),
        );
        let error = TestApi::start(database.folder.path(), &app, &json!({ "/": { "note": list } })).err().unwrap();
        assert!(error.contains(message), "{message}: {error}");
    }
}

#[test]
fn calculated_columns_order_pages() {
    for_each_database(|database| {
        let migrations = database.write_migration(
            "create table task (id integer not null primary key, price decimal(8, 2) not null, qty integer not null);
             insert into task values (1, 10, 3), (2, 10, 3), (3, 20, 6), (4, 1, 7), (5, 2, 7), (6, 0.1, 3), (7, 0.2, 6)",
        );
        let expressions = [
            "price / qty",
            "round(price / qty, 2) / 3",
            "(select avg(t.price) from task t where t.qty = task.qty)",
            "price * price / 7",
            "nullif(price / qty, price / 3)",
            "round(price / qty, 2)",
            "qty / 7.0",
        ];
        let methods = expressions.iter().enumerate().flat_map(|(index, expression)| {
            ["v, id", "v desc, id"].map(|by| {
                let fields = json!({ "id": of_type("int"), "v": of_type("?float") });
                let items = json!({ "info": "The tasks", "type": "array<object>", "fields": fields });
                let outputs = json!({ "notes": items, "next": of_type("?string") });
                let sql = format!("select id, {expression} as v from task");
                let handler = json!({ "sql": sql, "page": { "by": by, "size": 2 } });
                let list = method(json!({ "GET@cursor": of_type("?string") }), outputs, handler);
                (format!("list{index}{}", by.len()), list)
            })
        });
        let methods: serde_json::Map<_, _> = methods.collect();
        let names: Vec<_> = methods.keys().cloned().collect();
        let api = database.api_with(json!({ "migrations": migrations }), Json::Object(methods));
        for name in names {
            let mut found = ids(&api, &format!("{name}.get"), json!({}), 2);
            found.sort_unstable();
            assert_eq!(found, [1, 2, 3, 4, 5, 6, 7], "{:?} {name}", database.kind);
        }
    });
}

#[test]
fn a_page_counts_the_rows_of_all_pages() {
    for_each_database(|database| {
        let migrations = database.write_migration(
            "create table item (id integer primary key, kind varchar(9) not null);
             insert into item values (1, 'a'), (2, 'b'), (3, 'a'), (4, 'a')",
        );
        let input = json!({ "GET@kind": of_type("?string"), "GET@cursor": of_type("?string"),
            "GET@only": { "info": "Which", "type": "enum(all|a)", "default": "all" } });
        let outputs = json!({ "notes": { "info": "The items", "type": "array<object>", "fields": { "id": of_type("int") } },
            "count": of_type("int"), "next": of_type("?string") });
        let handler = json!({
            "sql": "select id from item where (:kind is null or kind = :kind) /*only*/ ; -- all",
            "choose": { "only": { "all": "", "a": "and kind = 'a'" } },
            "page": { "by": "id", "size": 2, "total": "count" },
        });
        let settings = json!({ "migrations": migrations });
        let api = database.api_with(settings, json!({ "list": method(input, outputs, handler) }));
        for (arguments, count, expected) in [
            (json!({}), 4, vec![1, 2, 3, 4]),
            (json!({ "kind": "b" }), 1, vec![2]),
            (json!({ "kind": "c" }), 0, vec![]),
            (json!({ "only": "a" }), 3, vec![1, 3, 4]),
        ] {
            let first = api.outputs("list.get", arguments.clone());
            assert_eq!(first["count"], json!(count), "{arguments}");
            let second = api.outputs("list.get", json!({ "cursor": first["next"] }));
            assert_eq!(second["count"], json!(4));
            assert_eq!(ids(&api, "list.get", arguments, 2), expected);
        }
    });
}

#[test]
fn rows_have_arrays_of_objects_from_other_tables() {
    for_each_database(|database| {
        let migrations = database.write_migration(
            "create table purchase (id integer primary key, placed date not null);
             create table line (id integer primary key, purchase integer not null, product varchar(9) not null, price decimal(8, 2) not null);
             insert into purchase values (1, '2026-01-01'), (2, '2026-01-02'), (3, '2026-01-03');
             insert into line values (1, 1, 'pen', 1.5), (2, 1, 'ink', 12.25), (3, 3, 'a\"b', 0.1)",
        );
        let lines = database.pick([
            "(select json_group_array(json_object('product', product, 'price', price)) from line where purchase = purchase.id)",
            "(select coalesce(json_agg(json_build_object('product', product, 'price', price) order by id), '[]')
              from line where purchase = purchase.id)",
            "(select coalesce(json_arrayagg(json_object('product', product, 'price', price)), '[]')
              from line where purchase = purchase.id)",
        ]);
        let line = json!({ "product": of_type("string"), "price": of_type("float") });
        let fields = json!({ "id": of_type("int"), "placed": of_type("date"),
            "items": { "info": "The lines", "type": "array<object>", "fields": line } });
        let purchases = json!({ "info": "The purchases", "type": "array<object>", "fields": fields });
        let outputs = json!({ "purchases": purchases, "next": of_type("?string") });
        let handler = json!({ "sql": format!("select id, placed, {lines} as items from purchase"),
            "page": { "by": "placed desc, id", "size": 2 } });
        let list = method(json!({ "GET@cursor": of_type("?string") }), outputs, handler);
        let api = database.api_with(json!({ "migrations": migrations }), json!({ "list": list }));
        let first = api.outputs("list.get", json!({}));
        let second = api.outputs("list.get", json!({ "cursor": first["next"] }));
        let lines = |outputs: &Json, index: usize| outputs["purchases"][index]["items"].clone();
        assert_eq!(lines(&first, 0), json!([{ "product": "a\"b", "price": 0.1 }]));
        assert_eq!(lines(&first, 1), json!([]));
        let pen_and_ink = json!([{ "product": "pen", "price": 1.5 }, { "product": "ink", "price": 12.25 }]);
        assert_eq!(lines(&second, 0), pen_and_ink);
    });
}
