//! Errors that statements raise, and searches that are not valid.

use serde_json::json;

use crate::databases::{TestApi, TestDatabase, for_each_database, method, of_type};

#[test]
fn raised_errors_are_declared_errors() {
    for_each_database(|database| {
        let trigger = database.pick([
            "create trigger no_stock before insert on item when new.stock < 0
             begin select raise(abort, 'OUT_OF_STOCK'); end;",
            "create function check_stock() returns trigger as $$ begin
             if new.stock < 0 then raise exception 'OUT_OF_STOCK: % left', new.stock; end if; return new; end $$ language plpgsql;
             create trigger no_stock before insert on item for each row execute function check_stock();",
            "create trigger no_stock before insert on item for each row
             if new.stock < 0 then signal sqlstate '45000' set message_text = 'OUT_OF_STOCK'; end if;",
        ]);
        let code = database.pick(["1811", "P0001", "45000"]);
        let migrations = database.write_migration(&format!("create table item (stock integer not null);\n{trigger}"));
        let add = |on_error| {
            let mut handler = json!({ "sql": "insert into item (stock) values (:stock)", "on_unique": "wrong" });
            handler["on_error"] = on_error;
            method(json!({ "GET@stock": of_type("int") }), json!({}), handler)
        };
        let api = database.api_with(
            json!({ "migrations": migrations }),
            json!({
                "message": add(json!({ "OTHER": "wrong", "OUT_OF_STOCK": "taken" })),
                "code": add(json!({ code: "missing" })),
                "other": add(json!({ "OUT_OF": "wrong" })),
            }),
        );
        let status = |method: &str, stock: i32| api.call(method, json!({ "stock": stock })).status();
        assert_eq!((status("message.get", 1), status("message.get", -1)), (200, 409));
        assert_eq!((status("code.get", -1), status("other.get", -1)), (404, 500));
    });
}

#[test]
fn unknown_errors_are_reported() {
    let database = TestDatabase::sqlite();
    for (on_error, message) in
        [(json!({ "X": "takn" }), "did you mean `taken`?"), (json!("taken"), "write an object from the messages")]
    {
        let handler = json!({ "sql": "delete from sqlite_master", "on_error": on_error });
        let app = json!({ "handlers": { "sql": { "url": database.url } } });
        let methods = json!({ "/": { "note": method(json!({}), json!({}), handler) } });
        let error = TestApi::start(database.folder.path(), &app, &methods).err().unwrap();
        assert!(error.contains(message), "{message}: {error}");
    }
}

#[test]
fn a_search_that_is_not_valid_is_an_error_of_the_request() {
    let database = TestDatabase::sqlite();
    let tables = "create virtual table item using fts5(title); create table other (id integer primary key);";
    let migrations = database.write_migration(tables);
    let named = method(
        json!({ "GET@search": of_type("?string") }),
        json!({ "*": of_type("array<string>") }),
        json!({ "sql": "select title from item where item match :search", "on_error": { "fts5": "wrong" } }),
    );
    let find = |condition: &str| {
        method(
            json!({ "GET@search": of_type("?string") }),
            json!({ "*": of_type("array<string>") }),
            json!({ "sql": format!("select title from item where {condition}") }),
        )
    };
    let api = database.api_with(
        json!({ "migrations": migrations }),
        json!({
            "named": named,
            "find": find("item match :search"),
            "title": find("title match :search || '*'"),
            "maybe": find(":search is null or rowid in (select rowid from item where item match :search)"),
            "add": method(json!({}), json!({}), json!({ "sql": "insert into item (title) values ('one two')" })),
        }),
    );
    for is_empty in [true, false] {
        for method in ["find.get", "title.get", "maybe.get"] {
            for search in ["\"", "one AND", "nothing:one", "^*"] {
                let response = api.call(method, json!({ "search": search }));
                let error = format!("{:?}", response.error());
                assert_eq!(response.status(), 400, "{method} {search:?} {is_empty}: {error}");
                assert!(error.contains("\"search\""), "{error}");
                assert_eq!(api.call("named.get", json!({ "search": search })).status(), 422);
            }
        }
        assert_eq!(
            api.outputs("find.get", json!({ "search": "one" })).as_array().unwrap().len(),
            usize::from(!is_empty)
        );
        api.outputs("add.get", json!({}));
    }
}
