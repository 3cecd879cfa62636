//! Members of objects in parameters, and whether the client has sent a parameter.

use serde_json::{Value as Json, json};

use crate::databases::{Kind, TestApi, TestDatabase, for_each_database, method, of_type};

fn post(input: Json, output: Json, handler: Json) -> Json {
    let get = method(input, output, handler);
    json!({ "POST": get["GET"] })
}

fn note_type() -> Json {
    json!({ "info": "The note", "type": "object", "fields": {
        "title": of_type("string"),
        "stars": of_type("int(0,9)"),
        "done": of_type("?bool"),
        "author": { "info": "Its author", "type": "?object", "fields": {
            "id": of_type("int"), "names": of_type("array<string>"), "born": of_type("?datetime")
        } }
    } })
}

fn api(database: &TestDatabase) -> TestApi {
    let (born, int) = database.pick([("text", "integer"), ("timestamptz", "integer"), ("datetime", "signed")]);
    let names = database.pick([
        "(select group_concat(value) from json_each(:body.author.names))",
        "array_to_string(:body.author.names::text[], ',')",
        "json_length(:body.author.names)",
    ]);
    let names_type = if database.kind == Kind::Mariadb { "?int" } else { "?string" };
    let read = format!(
        "select :body.title as title, cast(:body.stars + 1 as {int}) as stars, :body.done = true as done, cast(:body.author.id + 1 as {int}) as author, \
         cast(:body.author.born as {born}) as born, {names} as names, :given.body.done = true as given"
    );
    let outputs = json!({ "title": of_type("string"), "stars": of_type("int"), "done": of_type("?bool"),
        "author": of_type("?int"), "born": of_type("?datetime"), "names": of_type(names_type),
        "given": of_type("bool") });
    database.api(json!({
        "read": post(json!({ "*": note_type() }), outputs, json!({ "sql": read, "missing": false })),
        "add": post(
            json!({ "note": note_type() }),
            json!({ "id": of_type("int") }),
            json!({ "sql": "insert into note (title, stars) values (:note.title, :note.stars) returning id" }),
        ),
        "change": { "PATCH": {
            "info": "Changes a note",
            "in": { "id": of_type("int"), "price": of_type("?float"), "stars": of_type("?int(0,9)") },
            "handler": { "sql": "update note set price = case when :given.price then :price else price end, \
                                 stars = coalesce(:stars, stars) where id = :id" }
        } },
        "read_note": method(
            json!({ "GET@id": of_type("int") }),
            json!({ "price": of_type("?float"), "stars": of_type("int") }),
            json!({ "sql": "select price, stars from note where id = :id", "missing": "missing" }),
        ),
    }))
}

#[test]
fn members_of_objects_are_values_of_statements() {
    for_each_database(|database| {
        let api = api(database);
        let mut note = json!({ "title": "One", "stars": 3, "done": true,
            "author": { "id": 7, "names": ["Ada", "Bob"], "born": "2026-05-17T16:30:00+02:00" } });
        let read = api.outputs("read.post", json!({ "body": note }));
        let names = if database.kind == Kind::Mariadb { json!(2) } else { json!("Ada,Bob") };
        let born = "2026-05-17T14:30:00Z";
        assert_eq!(
            read,
            json!({ "title": "One", "stars": 4, "done": true, "author": 8, "born": born, "names": names,
                                 "given": true })
        );
        note.as_object_mut().unwrap().retain(|name, _| name != "author" && name != "done");
        let read = api.outputs("read.post", json!({ "body": note }));
        assert_eq!((&read["author"], &read["done"], &read["given"]), (&Json::Null, &Json::Null, &json!(false)));
        note["done"] = Json::Null;
        assert_eq!(api.outputs("read.post", json!({ "body": note }))["given"], json!(true));
        assert_eq!(api.outputs("add.post", json!({ "note": { "title": "Two", "stars": 1 } })), json!({ "id": 1 }));
    });
}

#[test]
fn an_absent_parameter_is_distinguished_from_null() {
    for_each_database(|database| {
        let api = api(database);
        api.outputs("add.post", json!({ "note": { "title": "Two", "stars": 1 } }));
        for (mut arguments, note) in [
            (json!({ "price": 1.5 }), json!({ "price": 1.5, "stars": 1 })),
            (json!({ "stars": 5 }), json!({ "price": 1.5, "stars": 5 })),
            (json!({ "price": null }), json!({ "price": null, "stars": 5 })),
        ] {
            arguments["id"] = json!(1);
            api.outputs("change.patch", arguments);
            assert_eq!(api.outputs("read_note.get", json!({ "id": 1 })), note);
        }
    });
}

#[test]
fn errors_of_values_name_the_member() {
    let database = TestDatabase::sqlite();
    let api = database.api(json!({ "find": post(
        json!({ "filter": { "info": "The filter", "type": "object", "fields": { "title": of_type("string") } } }),
        json!({ "*": of_type("array<int>") }),
        json!({ "sql": "select id from note where title like :filter.title", "max_pattern": 3 }),
    ) }));
    let response = api.call("find.post", json!({ "filter": { "title": "long" } }));
    let error = format!("{:?}", response.error());
    assert!(response.status() == 400 && error.contains("filter.title"), "{error}");
}

#[test]
fn unknown_members_are_errors() {
    let database = TestDatabase::sqlite();
    for (name, message) in [
        (":note.titel", "the object `note` has no field `titel`"),
        (":note.titel", "did you mean `title`?"),
        (":note.author.nam", "the object `note.author` has no field `nam`"),
        (":note.title.x", "`note.title` is not an object, so that it has no field `x`"),
        (":given.note.titel", "the object `note` has no field `titel`"),
        (":given.nota", "the method has no parameter `nota`"),
        (":given.size", "`size` has a default"),
        (":nota.title", "did you mean `note`?"),
        (":inserted", "no earlier statement of the list inserts a row"),
    ] {
        let size = json!({ "info": "A size", "type": "int", "default": 1 });
        let methods = json!({ "/": { "note": post(json!({ "note": note_type(), "size": size }), json!({}),
            json!({ "sql": format!("delete from sqlite_master where 1 = {name}") })) } });
        let app = json!({ "handlers": { "sql": { "url": database.url } } });
        let error = TestApi::start(database.folder.path(), &app, &methods).err().unwrap();
        assert!(error.contains(message), "{message}: {error}");
    }
}
